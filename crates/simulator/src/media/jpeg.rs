//! Baseline JPEG in which each block of 8 by 8 pixels has one colour.

use crate::media::bits::HighFirst;
use crate::media::pattern::{Colour, Pattern};

/// A quantizer that makes the mean of a block, in steps of one, its only coefficient.
const QUANTIZER: [u8; 64] = [8; 64];

/// Number of codes of each length, and the symbols: the standard's table for differences of
/// brightness, and one whose only symbol says that a block has nothing more.
const DIFFERENCES: ([u8; 16], [u8; 12]) = (
    [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
);
const NOTHING_MORE: ([u8; 16], [u8; 1]) = ([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0]);

pub(super) fn encode(pattern: &Pattern) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    segment(&mut file, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    segment(&mut file, 0xdb, &[&[0][..], &QUANTIZER].concat());
    segment(&mut file, 0xc0, &frame(pattern));
    segment(
        &mut file,
        0xc4,
        &[&[0x00][..], &DIFFERENCES.0, &DIFFERENCES.1].concat(),
    );
    segment(
        &mut file,
        0xc4,
        &[&[0x10][..], &NOTHING_MORE.0, &NOTHING_MORE.1].concat(),
    );
    segment(&mut file, 0xda, &[3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    for byte in scan(pattern) {
        file.push(byte);
        if byte == 0xff {
            file.push(0);
        }
    }
    file.extend([0xff, 0xd9]);
    file
}

fn segment(file: &mut Vec<u8>, marker: u8, data: &[u8]) {
    file.extend([0xff, marker]);
    let length = u16::try_from(data.len() + 2).unwrap_or(0);
    file.extend(length.to_be_bytes());
    file.extend(data);
}

/// Eight bits a sample, three components, none of them coarser than the others.
fn frame(pattern: &Pattern) -> Vec<u8> {
    let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX).to_be_bytes();
    let mut frame = vec![8];
    frame.extend(side(pattern.height));
    frame.extend(side(pattern.width));
    frame.extend([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    frame
}

fn scan(pattern: &Pattern) -> Vec<u8> {
    let (ground, ink) = (luminance(pattern.ground), luminance(pattern.ink));
    let mut bits = HighFirst::default();
    let mut before = [0_i32; 3];
    for y in (0..pattern.height).step_by(8) {
        for x in (0..pattern.width).step_by(8) {
            let block = if pattern.inked(x, y) { ink } else { ground };
            for (value, before) in block.into_iter().zip(&mut before) {
                put_difference(&mut bits, value - *before);
                *before = value;
                bits.put(0, 1);
            }
        }
    }
    bits.finish()
}

/// A difference: the number of its bits in the standard's code, then the bits.
fn put_difference(bits: &mut HighFirst, difference: i32) {
    let count = 32 - difference.unsigned_abs().leading_zeros();
    let (code, length) = match count {
        0 => (0b00, 2),
        1..=5 => (0b001 + count, 3),
        _ => ((1 << (count - 2)) - 2, count - 2),
    };
    bits.put(code, length);
    let shown = if difference < 0 {
        difference - 1
    } else {
        difference
    };
    bits.put(shown.cast_unsigned(), count);
}

/// Brightness and the two differences of colour, each around zero.
fn luminance([red, green, blue]: Colour) -> [i32; 3] {
    let [r, g, b] = [red, green, blue].map(i32::from);
    [
        (299 * r + 587 * g + 114 * b) / 1000 - 128,
        (-169 * r - 331 * g + 500 * b) / 1000,
        (500 * r - 419 * g - 81 * b) / 1000,
    ]
}
