//! MP3: frames of layer III in which nothing is coded, which is silence.

/// Kilobits a second by index, for 44,100 hertz and for 22,050.
const RATES: [[u32; 14]; 2] = [
    [
        32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// The file, with the nearest rates that the format knows.
pub(super) fn encode(ms: u32, rate: u32, hertz: u32) -> Vec<u8> {
    let low = hertz < 32_000;
    let [high_rates, low_rates] = &RATES;
    let rates = if low { low_rates } else { high_rates };
    let (index, rate) = (1_u8..)
        .zip(rates.iter().copied())
        .min_by_key(|(_, known)| known.abs_diff(rate))
        .unwrap_or((1, 32));
    let (hertz, samples, version) = if low {
        (22_050, 576, 0xf3)
    } else {
        (44_100, 1152, 0xfb)
    };
    let size = samples / 8 * rate * 1000 / hertz;
    // One channel; the head is followed by zeros: no coded bits in any granule.
    let mut frame = vec![0xff, version, index << 4, 0xc4];
    frame.resize(usize::try_from(size).unwrap_or(4), 0);
    let frames = (ms * (hertz / 10)).div_ceil(samples * 100);
    frame.repeat(usize::try_from(frames).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn frames_have_the_size_that_their_head_says() {
        let file = encode(1000, 128, 44_100);
        assert_eq!(file.len(), 417 * 39);
        assert!(
            file.chunks(417)
                .all(|frame| frame.starts_with(&[0xff, 0xfb, 0x90, 0xc4]))
        );
        assert_eq!(
            encode(1000, 32, 22_050).get(..4),
            Some(&[0xff, 0xf3, 0x40, 0xc4][..])
        );
    }
}
