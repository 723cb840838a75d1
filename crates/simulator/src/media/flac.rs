//! FLAC (RFC 9639): blocks of constant silence.

/// Samples a block; the head of a frame has a code for this number.
const BLOCK: u32 = 4096;

pub(super) fn encode(ms: u32) -> Vec<u8> {
    let blocks = (ms * 441).div_ceil(BLOCK * 10);
    let samples = u64::from(blocks * BLOCK);
    let mut file = b"fLaC".to_vec();
    // The only and last metadata block: 34 bytes of STREAMINFO.
    file.extend([0x80, 0, 0, 34]);
    file.extend([0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0]);
    // 20 bits of hertz, 3 of channels less one, 5 of bits less one, 36 of samples.
    file.extend((44_100_u64 << 44 | 15 << 36 | samples).to_be_bytes());
    // The sum of the samples is not known, which zeros mean.
    file.extend([0; 16]);
    for number in 0..blocks {
        frame(&mut file, number);
    }
    file
}

fn frame(file: &mut Vec<u8>, number: u32) {
    let start = file.len();
    // Blocks of equal size; 4096 samples, 44,100 hertz; one channel, 16 bits.
    file.extend([0xff, 0xf8, 0xc9, 0x08]);
    let number = char::from_u32(number).unwrap_or_default();
    file.extend(number.encode_utf8(&mut [0; 4]).as_bytes());
    let sum = crc(file.get(start..).unwrap_or_default(), 0x07, 8);
    file.extend(sum.to_be_bytes().last());
    // A constant subframe, whose sample is zero.
    file.extend([0, 0, 0]);
    let sum = crc(file.get(start..).unwrap_or_default(), 0x8005, 16);
    file.extend(sum.to_be_bytes());
}

/// A sum of so many bits, highest first, beginning with zero.
fn crc(bytes: &[u8], polynomial: u16, bits: u32) -> u16 {
    let shift = 16 - bits;
    let sum = bytes.iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            crc << 1 ^ ((polynomial << shift) & (crc >> 15).wrapping_neg())
        })
    });
    sum >> shift
}

#[cfg(test)]
mod tests {
    use super::crc;

    #[test]
    fn the_sums_are_the_standard_ones() {
        assert_eq!(crc(b"123456789", 0x07, 8), 0xf4);
        assert_eq!(crc(b"123456789", 0x8005, 16), 0xfee8);
    }
}
