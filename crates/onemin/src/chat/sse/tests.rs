use proptest::prelude::*;

use super::{Event, Parser, TooLarge};

type Seen = Vec<(String, String)>;

fn text(event: &Event<'_>) -> (String, String) {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (lossy(event.name), lossy(&event.data))
}

fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let mut parser = Parser::new(1 << 20);
    let mut seen = Seen::new();
    for piece in pieces {
        let pushed: Result<(), TooLarge> = parser.push(piece, |event| {
            seen.push(text(&event));
            Ok(())
        });
        pushed.unwrap();
    }
    let ended: Result<(), TooLarge> = parser.end(|event| {
        seen.push(text(&event));
        Ok(())
    });
    ended.unwrap();
    seen
}

fn whole(bytes: &str) -> Seen {
    parse([bytes.as_bytes()])
}

fn seen(events: &[(&str, &str)]) -> Seen {
    events
        .iter()
        .map(|(name, data)| ((*name).to_owned(), (*data).to_owned()))
        .collect()
}

#[test]
fn every_form_of_an_event_is_read() {
    let rows: &[(&str, &[(&str, &str)])] = &[
        ("event: a\ndata: 1\n\n", &[("a", "1")]),
        (
            "event: a\r\ndata: 1\r\n\r\nevent: b\r\ndata: 2\r\n\r\n",
            &[("a", "1"), ("b", "2")],
        ),
        (
            "event: a\rdata: 1\r\revent: b\rdata: 2\r\r",
            &[("a", "1"), ("b", "2")],
        ),
        ("data: 1\n\r\ndata: 2\r\n\n", &[("", "1"), ("", "2")]),
        ("event:a\ndata:1\n\n", &[("a", "1")]),
        ("event:  a\ndata:  1\n\n", &[(" a", " 1")]),
        ("data: 1\ndata: 2\ndata\ndata:\n\n", &[("", "1\n2\n\n")]),
        (
            ": comment\n\n:\n\nevent: a\n: within\ndata: 1\n\n",
            &[("a", "1")],
        ),
        ("event: done\n\n", &[("done", "")]),
        ("id: 7\nretry: 100\nunknown: x\n\ndata: 1\n\n", &[("", "1")]),
        ("\u{feff}event: a\ndata: 1\n\n", &[("a", "1")]),
        ("\u{feff}\n\ndata: 1\n\n", &[("", "1")]),
        ("event: a\ndata: \u{feff}1\n\n", &[("a", "\u{feff}1")]),
        ("event: a\nevent: b\ndata: 1\n\n", &[("b", "1")]),
        ("event: a\ndata: 1", &[("a", "1")]),
        ("event: a\ndata: 1\n", &[("a", "1")]),
        ("event: a\ndata: 1\r", &[("a", "1")]),
        ("\n\n\n\r\r\n", &[]),
        ("", &[]),
        ("no field at all", &[]),
    ];
    for (bytes, events) in rows {
        assert_eq!(whole(bytes), seen(events), "{bytes:?}");
        assert_eq!(
            parse(bytes.as_bytes().chunks(1)),
            seen(events),
            "{bytes:?} byte by byte"
        );
    }
}

#[test]
fn an_event_without_end_is_refused_at_the_limit() {
    let mut parser = Parser::new(100);
    let mut push = |bytes: &[u8]| parser.push::<TooLarge>(bytes, |_| Ok(()));
    assert_eq!(push(b"data: "), Ok(()));
    assert_eq!(push(&[b'x'; 90]), Ok(()));
    assert_eq!(push(b"\n\n"), Ok(()));
    assert_eq!(push(&[b'x'; 101]), Err(TooLarge(100)));
}

#[test]
fn nothing_stays_allocated_after_a_large_event() {
    let mut parser = Parser::new(1 << 20);
    let large = format!("data: {}\n\n", "x".repeat(100_000));
    let (first, second) = large.as_bytes().split_at(50_000);
    parser.push::<TooLarge>(first, |_| Ok(())).unwrap();
    parser.push::<TooLarge>(second, |_| Ok(())).unwrap();
    assert_eq!(parser.rest.capacity(), 0);
}

fn bytes_like_events() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("event: ".as_bytes().to_vec()),
        Just("data: ".as_bytes().to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n\n".to_vec()),
        Just(b": c".to_vec()),
        Just("\u{feff}".as_bytes().to_vec()),
        Just("é🚀".as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_changes_nothing(bytes in bytes_like_events(), cuts in proptest::collection::vec(0usize..300, 0..8)) {
        let expected = parse([bytes.as_slice()]);
        prop_assert_eq!(&parse(bytes.chunks(1)), &expected);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
        prop_assert_eq!(&parse(pieces), &expected);
    }
}
