//! Opus in Ogg (RFC 7845): silent packets of 20 milliseconds.

/// A silent packet: full band, 20 ms, one channel.
const SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];

/// Samples of such a packet; Opus counts at 48,000 hertz whatever went in.
const SAMPLES: u64 = 960;

/// Packets on one page; a page has at most 255 entries.
const ON_A_PAGE: u32 = 250;

pub(super) fn encode(ms: u32) -> Vec<u8> {
    let mut file = Vec::new();
    page(
        &mut file,
        2,
        0,
        0,
        &[b"OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0"],
    );
    page(&mut file, 0, 0, 1, &[b"OpusTags\x03\0\0\0sim\0\0\0\0"]);
    let mut left = ms.div_ceil(20);
    let (mut granule, mut number) = (0, 2);
    while left > 0 {
        let packets = left.min(ON_A_PAGE);
        left -= packets;
        granule += u64::from(packets) * SAMPLES;
        let last = if left == 0 { 4 } else { 0 };
        let packets = vec![&SILENCE[..]; usize::try_from(packets).unwrap_or(0)];
        page(&mut file, last, granule, number, &packets);
        number += 1;
    }
    file
}

/// One page with whole, short packets.
fn page(file: &mut Vec<u8>, flags: u8, granule: u64, number: u32, packets: &[&[u8]]) {
    const SERIAL: u32 = 0x51;
    const SUM_AT: usize = 22;
    let start = file.len();
    file.extend(b"OggS\0");
    file.push(flags);
    file.extend(granule.to_le_bytes());
    file.extend(SERIAL.to_le_bytes());
    file.extend(number.to_le_bytes());
    file.extend([0; 4]);
    let short = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
    file.push(short(packets.len()));
    file.extend(packets.iter().map(|packet| short(packet.len())));
    file.extend(packets.concat());
    let sum = crc32(file.get(start..).unwrap_or_default());
    for (place, byte) in file.iter_mut().skip(start + SUM_AT).zip(sum.to_le_bytes()) {
        *place = byte;
    }
}

/// Ogg's sum: highest bit first, nothing inverted.
fn crc32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            crc << 1 ^ (0x04c1_1db7 & (crc >> 31).wrapping_neg())
        })
    })
}
