//! PNG: one bit a pixel, each row told as its difference from the one above.

use crate::media::deflate::zlib;
use crate::media::pattern::Pattern;

pub(super) fn encode(pattern: &Pattern) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend(pattern.width.to_be_bytes());
    header.extend(pattern.height.to_be_bytes());
    // One bit a pixel, from a palette; the only compression and filter method; no interlacing.
    header.extend([1, 3, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"PLTE", &[pattern.ground, pattern.ink].concat());
    if pattern.transparent {
        chunk(&mut file, *b"tRNS", &[0]);
    }
    chunk(&mut file, *b"IDAT", &zlib(&rows(pattern)));
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn rows(pattern: &Pattern) -> Vec<u8> {
    const UP: u8 = 2;
    let mut rows = Vec::new();
    let mut above: Vec<u8> = vec![0; pattern.width.div_ceil(8) as usize];
    for y in 0..pattern.height {
        // Rows within a field are alike.
        let new = y == 0 || field(pattern, y) != field(pattern, y - 1);
        rows.push(UP);
        if new {
            let row = row(pattern, y);
            rows.extend(
                row.iter()
                    .zip(&above)
                    .map(|(here, up)| here.wrapping_sub(*up)),
            );
            above = row;
        } else {
            rows.resize(rows.len() + above.len(), 0);
        }
    }
    rows
}

fn field(pattern: &Pattern, y: u32) -> u64 {
    u64::from(y) * 8 / u64::from(pattern.height)
}

fn row(pattern: &Pattern, y: u32) -> Vec<u8> {
    let byte = |start: u32| {
        (start..start + 8).fold(0, |byte, x| {
            let inked = x < pattern.width && pattern.inked(x, y);
            byte << 1 | u8::from(inked)
        })
    };
    (0..pattern.width).step_by(8).map(byte).collect()
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    file.extend(u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    let start = file.len();
    file.extend(kind);
    file.extend(data);
    let sum = crc32(file.get(start..).unwrap_or_default());
    file.extend(sum.to_be_bytes());
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| {
        (0..8).fold(crc, |crc, _| {
            crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    };
    let sum = bytes.iter().fold(u32::MAX, |crc, byte| {
        let low = (crc ^ u32::from(*byte)) & 0xff;
        crc >> 8 ^ step(low)
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_sum_is_the_standard_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
