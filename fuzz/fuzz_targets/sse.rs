//! Any bytes, cut anywhere, give the parser of events the same events, and the decoder of answers
//! the same text and the same end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onemin::chat::Decoder;
use onemin::chat::sse::{Event, Parser, TooLarge};

fn parse<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut events = Vec::new();
    let mut take = |event: Event<'_>| -> Result<(), TooLarge> {
        events.push((event.name.to_vec(), event.data.into_owned()));
        Ok(())
    };
    let mut parser = Parser::new(1 << 20);
    for piece in pieces {
        parser
            .push(piece, &mut take)
            .expect("the bytes are fewer than the limit");
    }
    parser
        .end(&mut take)
        .expect("the receiver takes everything");
    events
}

fn decode<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> (String, String) {
    let mut decoder = Decoder::new();
    let mut text = String::new();
    for piece in pieces {
        match decoder.push(piece, &mut |piece| text.push_str(piece)) {
            Ok(None) => {}
            ended => return (text, format!("{ended:?}")),
        }
    }
    let ended = decoder.end(&mut |piece| text.push_str(piece)).map(Some);
    (text, format!("{ended:?}"))
}

fn cut<'b>(bytes: &'b [u8], sizes: &[u8]) -> Vec<&'b [u8]> {
    let mut left = bytes;
    let mut pieces = Vec::new();
    for size in sizes {
        let (piece, rest) = left.split_at(left.len().min(usize::from(*size)));
        pieces.push(piece);
        left = rest;
    }
    pieces.push(left);
    pieces
}

fuzz_target!(|data: (Vec<u8>, &[u8])| {
    let (sizes, bytes) = data;
    let whole = [bytes].into_iter();
    let pieces = cut(bytes, &sizes).into_iter();
    let events = parse(whole.clone());
    assert_eq!(parse(pieces.clone()), events);
    assert_eq!(parse(bytes.chunks(1)), events);
    let answer = decode(whole);
    assert_eq!(decode(pieces), answer);
    assert_eq!(decode(bytes.chunks(1)), answer);
});
