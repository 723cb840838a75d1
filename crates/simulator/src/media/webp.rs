//! Lossless WebP of one colour: every code has one symbol only, so that the pixels take no bits.

use crate::media::bits::LowFirst;
use crate::media::pattern::Pattern;

pub(super) fn encode(pattern: &Pattern) -> Vec<u8> {
    let mut bits = LowFirst::default();
    bits.put(0x2f, 8);
    bits.put(pattern.width - 1, 14);
    bits.put(pattern.height - 1, 14);
    bits.put(u32::from(pattern.transparent), 1);
    // The version, then: no transform, no colour cache, one group of codes.
    bits.put(0, 3 + 1 + 1 + 1);
    let [red, green, blue] = pattern.ground;
    let alpha = if pattern.transparent { 0 } else { 255 };
    for symbol in [green, red, blue, alpha, 0] {
        // A simple code, of one symbol, which has eight bits.
        bits.put(0b101, 3);
        bits.put(u32::from(symbol), 8);
    }
    container(&bits.finish())
}

fn container(stream: &[u8]) -> Vec<u8> {
    let padded = stream.len().next_multiple_of(2);
    let size = |size: usize| u32::try_from(size).unwrap_or(0).to_le_bytes();
    let mut file = b"RIFF".to_vec();
    file.extend(size(padded + 12));
    file.extend(b"WEBPVP8L");
    file.extend(size(stream.len()));
    file.extend(stream);
    file.resize(padded + 20, 0);
    file
}
