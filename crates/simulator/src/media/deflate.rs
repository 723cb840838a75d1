//! A zlib stream (RFC 1950, 1951) in which runs of one byte are short: all that patterns need.

use crate::media::bits::LowFirst;

/// Shortest length of each length code from 257 on, and its extra bits.
const LENGTHS: [(u32, u32); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// The bytes as a zlib stream.
pub(super) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut bits = LowFirst::default();
    bits.put(0x0178, 16);
    // One last block with the fixed codes.
    bits.put(0b011, 3);
    for run in bytes.chunk_by(|a, b| a == b) {
        put_run(&mut bits, run);
    }
    put_symbol(&mut bits, 256);
    let mut stream = bits.finish();
    stream.extend(adler32(bytes).to_be_bytes());
    stream
}

/// One literal, then copies of it.
fn put_run(bits: &mut LowFirst, run: &[u8]) {
    let Some(&byte) = run.first() else { return };
    put_symbol(bits, u32::from(byte));
    let mut left = u32::try_from(run.len() - 1).unwrap_or(0);
    while left >= 3 {
        let length = left.min(258);
        put_length(bits, length);
        left -= length;
    }
    for _ in 0..left {
        put_symbol(bits, u32::from(byte));
    }
}

fn put_length(bits: &mut LowFirst, length: u32) {
    let fitting = (257..)
        .zip(LENGTHS)
        .filter(|(_, (least, _))| *least <= length);
    if let Some((symbol, (least, extra))) = fitting.last() {
        put_symbol(bits, symbol);
        bits.put(length - least, extra);
        // The distance 1.
        bits.put(0, 5);
    }
}

/// A symbol in the fixed code, whose bits come highest first.
fn put_symbol(bits: &mut LowFirst, symbol: u32) {
    let (code, count) = match symbol {
        0..144 => (0x30 + symbol, 8),
        144..256 => (0x190 + symbol - 144, 9),
        256..280 => (symbol - 256, 7),
        _ => (0xc0 + symbol - 280, 8),
    };
    bits.put(code.reverse_bits() >> (32 - count), count);
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    // So many bytes that neither sum can overflow.
    for block in bytes.chunks(5000) {
        for &byte in block {
            a += u32::from(byte);
            b += a;
        }
        a %= 65_521;
        b %= 65_521;
    }
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::{adler32, zlib};

    #[test]
    fn a_known_text_has_its_known_sum() {
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn runs_are_short() {
        assert!(zlib(&vec![7; 100_000]).len() < 800);
        assert_eq!(zlib(b""), [0x78, 0x01, 0x03, 0x00, 0, 0, 0, 1]);
    }
}
