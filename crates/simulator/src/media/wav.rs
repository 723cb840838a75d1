//! WAV: 16 bits, one channel, a low tone; and how long one lasts that was uploaded.

/// The file.
pub(super) fn encode(ms: u32, hertz: u32) -> Vec<u8> {
    let data = samples(ms, hertz);
    let size = u32::try_from(data.len()).unwrap_or(0);
    let mut file = b"RIFF".to_vec();
    file.extend((size + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(hertz.to_le_bytes());
    file.extend((hertz * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(size.to_le_bytes());
    file.extend(data);
    file
}

/// The samples alone: a quiet triangle of 220 hertz.
pub(super) fn samples(ms: u32, hertz: u32) -> Vec<u8> {
    let count = u64::from(hertz) * u64::from(ms) / 1000;
    let period = (hertz / 220).max(4);
    let sample = |at: u64| {
        let phase = i32::try_from(at % u64::from(period)).unwrap_or(0);
        let half = i32::try_from(period / 2).unwrap_or(1);
        let height = (phase - half).abs() * 2000 / half - 1000;
        i16::try_from(height).unwrap_or(0).to_le_bytes()
    };
    (0..count).flat_map(sample).collect()
}

/// Seconds that a WAV file lasts, by its own word; `None` for any other file.
pub(crate) fn seconds(file: &[u8]) -> Option<f64> {
    let number = |at: usize| -> Option<u32> {
        let bytes = file.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    };
    if !file.starts_with(b"RIFF") || file.get(8..12)? != b"WAVE" {
        return None;
    }
    let (mut at, mut rate) = (12_usize, None);
    loop {
        let size = number(at + 4)?;
        match file.get(at..at + 4)? {
            b"fmt " => rate = number(at + 16).filter(|rate| *rate > 0),
            b"data" => return Some(f64::from(size) / f64::from(rate?)),
            _ => {}
        }
        at = at.checked_add(usize::try_from(size).ok()?.checked_add(8)?)?;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{encode, seconds};

    #[test]
    fn a_file_lasts_as_long_as_was_wanted() {
        assert_eq!(seconds(&encode(1500, 24_000)), Some(1.5));
        assert_eq!(seconds(b"ID3"), None);
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(bytes: Vec<u8>, cut in 0_usize..200, at in 0_usize..60, byte: u8) {
            let _ = seconds(&bytes);
            let mut file = encode(1, 8000);
            if let Some(place) = file.get_mut(at) {
                *place = byte;
            }
            file.truncate(cut);
            let _ = seconds(&file);
        }
    }
}
