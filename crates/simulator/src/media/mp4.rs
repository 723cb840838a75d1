//! MP4 of one track with one Motion JPEG frame that stands still for the whole length.

use crate::media::jpeg;
use crate::media::pattern::Pattern;

/// Time units of a second.
const TIMESCALE: u32 = 1000;

/// A film of the pattern, of so many milliseconds.
pub(super) fn encode(pattern: &Pattern, ms: u32) -> Vec<u8> {
    let frame = jpeg::encode(pattern);
    let ftyp = atom(
        *b"ftyp",
        &[b"isom", &[0, 0, 2, 0][..], b"isomiso2mp41"].concat(),
    );
    // The place of the frame is known once the head's length is; both passes are equally long.
    let head = moov(pattern, ms, &frame, 0);
    let offset = u32::try_from(ftyp.len() + head.len() + 8).unwrap_or(0);
    let head = moov(pattern, ms, &frame, offset);
    [ftyp, head, atom(*b"mdat", &frame)].concat()
}

fn moov(pattern: &Pattern, ms: u32, frame: &[u8], offset: u32) -> Vec<u8> {
    let movie_header = words(&[0, 0, 0, TIMESCALE, ms, 0x0001_0000, 0x0100_0000, 0, 0])
        .into_iter()
        .chain(matrix())
        .chain(words(&[0, 0, 0, 0, 0, 0, 2]));
    let tkhd = words(&[3, 0, 0, 1, 0, ms, 0, 0, 0, 0])
        .into_iter()
        .chain(matrix())
        .chain(words(&[pattern.width << 16, pattern.height << 16]));
    let media_header = words(&[0, 0, 0, TIMESCALE, ms, 0x55c4_0000]);
    let hdlr = [
        words(&[0, 0]),
        b"vide".to_vec(),
        words(&[0, 0, 0]),
        b"video\0".to_vec(),
    ]
    .concat();
    let url = atom(*b"url ", &words(&[1]));
    let dref = atom(*b"dref", &[words(&[0, 1]), url].concat());
    let length = u32::try_from(frame.len()).unwrap_or(0);
    let stbl = [
        atom(*b"stsd", &[words(&[0, 1]), sample_entry(pattern)].concat()),
        atom(*b"stts", &words(&[0, 1, 1, ms])),
        atom(*b"stsc", &words(&[0, 1, 1, 1, 1])),
        atom(*b"stsz", &words(&[0, length, 1])),
        atom(*b"stco", &words(&[0, 1, offset])),
    ];
    let minf = [
        atom(*b"vmhd", &words(&[1, 0, 0])),
        atom(*b"dinf", &dref),
        atom(*b"stbl", &stbl.concat()),
    ];
    let mdia = [
        atom(*b"mdhd", &media_header),
        atom(*b"hdlr", &hdlr),
        atom(*b"minf", &minf.concat()),
    ];
    let trak = [
        atom(*b"tkhd", &tkhd.collect::<Vec<u8>>()),
        atom(*b"mdia", &mdia.concat()),
    ];
    let inner = [
        atom(*b"mvhd", &movie_header.collect::<Vec<u8>>()),
        atom(*b"trak", &trak.concat()),
    ];
    atom(*b"moov", &inner.concat())
}

/// `mp4v` whose object type is JPEG.
fn sample_entry(pattern: &Pattern) -> Vec<u8> {
    let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX).to_be_bytes();
    let mut entry = vec![0; 6];
    entry.extend([0, 1]);
    entry.extend([0; 16]);
    entry.extend(side(pattern.width));
    entry.extend(side(pattern.height));
    // 72 dots an inch, one frame a sample, no name, 24 bits a pixel, no colour table.
    entry.extend(words(&[0x0048_0000, 0x0048_0000, 0]));
    entry.extend([0, 1]);
    entry.extend([0; 32]);
    entry.extend([0, 24, 0xff, 0xff]);
    let config = [4, 13, 0x6c, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let descriptor = [&[0, 0, 0, 0, 3, 21, 0, 1, 0][..], &config, &[6, 1, 2]].concat();
    entry.extend(atom(*b"esds", &descriptor));
    atom(*b"mp4v", &entry)
}

fn matrix() -> Vec<u8> {
    words(&[0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000])
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn atom(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap_or(0);
    [&length.to_be_bytes()[..], &name, content].concat()
}

#[cfg(test)]
mod tests {
    use super::encode;
    use crate::media::pattern::Pattern;

    /// Name and content of the boxes of a level.
    fn boxes(mut bytes: &[u8]) -> Vec<([u8; 4], &[u8])> {
        let mut found = Vec::new();
        while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            found.push((rest[..4].try_into().expect("four"), &bytes[8..length]));
            bytes = &bytes[length..];
        }
        found
    }

    #[test]
    fn the_boxes_nest_and_the_frame_is_where_the_table_says() {
        let file = encode(&Pattern::of("a tram", 320, 180), 5000);
        let top = boxes(&file);
        let names: Vec<&[u8]> = top.iter().map(|(name, _)| &name[..]).collect();
        assert_eq!(names, [&b"ftyp"[..], b"moov", b"mdat"]);
        let find = |inside, name: &[u8; 4]| {
            let all = boxes(inside);
            all.iter().find(|(of, _)| of == name).expect("a box").1
        };
        let path = [b"trak", b"mdia", b"minf", b"stbl", b"stco"];
        let table = path
            .iter()
            .fold(top[1].1, |inside, name| find(inside, name));
        let offset = u32::from_be_bytes(table[8..12].try_into().expect("four")) as usize;
        assert_eq!(file[offset..offset + 2], [0xff, 0xd8]);
        assert_eq!(&file[offset..], top[2].1);
    }
}
