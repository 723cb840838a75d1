use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::super::{Accounting, Usage};
use super::Decoder;
use crate::{Charged, Error, ProtocolError, RefusalKind};

/// The deltas, and how it ended.
type Read = (Vec<String>, Result<Accounting, String>);

fn decode<'b>(
    pieces: impl IntoIterator<Item = &'b [u8]>,
) -> (Vec<String>, Result<Accounting, Error>) {
    let mut decoder = Decoder::new();
    let mut deltas = Vec::new();
    let mut on_text = |text: &str| deltas.push(text.to_owned());
    for piece in pieces {
        match decoder.push(piece, &mut on_text) {
            Ok(None) => {}
            Ok(Some(accounting)) => return (deltas, Ok(accounting)),
            Err(error) => return (deltas, Err(error)),
        }
    }
    let ended = decoder.end(&mut on_text);
    (deltas, ended)
}

/// The text and the end, comparable.
fn read<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> Read {
    let (deltas, ended) = decode(pieces);
    (deltas, ended.map_err(|error| format!("{error:?}")))
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/onemin")
            .join(name),
    )
    .unwrap()
}

fn fixtures() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/onemin");
    let names = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| Path::new(name).extension().is_some_and(|of| of == "sse"))
        .collect()
}

#[test]
fn every_captured_stream_that_succeeds_gives_its_text_and_cost() {
    for (file, deltas, usage, credits) in [
        ("chat-stream.sse", &["Jup", "iter"][..], (98, 3, 101), 45.0),
        (
            "chat-stream-unicode.sse",
            &["Grüße ", "из 東京 ", "🚀\n\n```rust\nfn main() {}\n```"],
            (104, 22, 126),
            56.0,
        ),
        (
            "chat-stream-repeated-final.sse",
            &["One, ", "two."],
            (90, 5, 95),
            42.0,
        ),
        (
            "chat-stream-reasoning-event.sse",
            &["Jupiter"],
            (98, 3, 101),
            45.0,
        ),
        (
            "chat-websearch-crawl-lines.sse",
            &["Version 2 was ", "published."],
            (905, 9, 914),
            411.0,
        ),
    ] {
        let (given, ended) = decode([fixture(file).as_slice()]);
        assert_eq!(given, deltas, "{file}");
        let accounting = ended.unwrap();
        let (input, output, total) = usage;
        assert_eq!(
            accounting.usage,
            Some(Usage {
                input,
                output,
                total
            }),
            "{file}"
        );
        assert_eq!(
            (accounting.credits, accounting.finish_reason.as_deref()),
            (Some(credits), Some("stop")),
            "{file}"
        );
    }
}

#[test]
fn every_captured_stream_that_fails_gives_its_reason() {
    for (file, deltas, kind, message) in [
        (
            "chat-stream-error-model.sse",
            &[][..],
            RefusalKind::UnknownModel,
            "Model no-such-model is not supported",
        ),
        (
            "chat-stream-error-midway.sse",
            &["The answer is"],
            RefusalKind::Unavailable,
            "The openai service is temporarily unavailable.",
        ),
        (
            "chat-stream-error-nested.sse",
            &[],
            RefusalKind::Unknown,
            "Something failed upstream",
        ),
        (
            "chat-stream-error-text.sse",
            &[],
            RefusalKind::Unavailable,
            "upstream connection lost",
        ),
        (
            "err-stream-insufficient-credits.sse",
            &[],
            RefusalKind::InsufficientCredits,
            "The feature requires 1726 credits, but the Test Office team only has 139 credits",
        ),
        (
            "err-stream-result-object-error.sse",
            &[],
            RefusalKind::InsufficientCredits,
            "The feature requires 1726 credits, but the Test Office team only has 139 credits",
        ),
    ] {
        let (given, ended) = decode([fixture(file).as_slice()]);
        assert_eq!(given, deltas, "{file}");
        match ended {
            Err(Error::Refused(refusal)) => assert_eq!(
                (refusal.kind, refusal.message.as_str()),
                (kind, message),
                "{file}"
            ),
            other => panic!("{file}: {other:?}"),
        }
    }
}

#[test]
fn a_stream_that_is_cut_is_interrupted_wherever_it_is_cut() {
    let (given, ended) = decode([fixture("chat-stream-truncated.sse").as_slice()]);
    assert_eq!(given, ["The answer"]);
    assert!(matches!(
        ended,
        Err(Error::Protocol(ProtocolError::Interrupted))
    ));
    let whole = fixture("chat-stream.sse");
    let record_begins = whole
        .windows(6)
        .position(|window| window == b"result")
        .unwrap();
    for end in 0..record_begins {
        let (_, ended) = decode([&whole[..end]]);
        assert!(
            matches!(ended, Err(Error::Protocol(ProtocolError::Interrupted))),
            "cut at {end}"
        );
    }
}

#[test]
fn captured_streams_read_the_same_however_they_are_cut() {
    let names = fixtures();
    assert!(names.len() >= 12, "{names:?}");
    for name in names {
        let bytes = fixture(&name);
        let whole = read([bytes.as_slice()]);
        assert_eq!(read(bytes.chunks(1)), whole, "{name} byte by byte");
        for size in [2, 3, 7, 64] {
            assert_eq!(read(bytes.chunks(size)), whole, "{name} by {size}");
        }
        let crlf = String::from_utf8(bytes).unwrap().replace('\n', "\r\n");
        assert_eq!(read(crlf.as_bytes().chunks(5)), whole, "{name} with CRLF");
        assert_eq!(
            read(crlf.replace("\r\n", "\r").as_bytes().chunks(5)),
            whole,
            "{name} with CR"
        );
    }
}

fn stream(deltas: &[&str], end: &str) -> String {
    let content = |delta: &&str| format!("event: content\ndata: {}\n\n", json!({"content": delta}));
    deltas.iter().map(content).collect::<String>() + end
}

fn result(text: &str) -> String {
    let record = json!({"aiRecord": {"status": "SUCCESS", "metadata": null, "aiRecordDetail": {"resultObject": [text]}}});
    format!("event: result\ndata: {record}\n\nevent: done\ndata: {{}}\n\n")
}

fn text(bytes: &str) -> Result<String, Error> {
    let (deltas, ended) = decode([bytes.as_bytes()]);
    ended.map(|_| deltas.concat())
}

#[test]
fn ends_of_all_kinds_are_understood() {
    for (end, complete) in [
        (result("ab"), true),
        ("event: done\ndata: {\"message\":\"Stream completed\"}\n\n".into(), true),
        ("event: done\n\n".into(), true),
        ("data: [DONE]\n\n".into(), true),
        ("event: result\ndata: {\"aiRecord\":{\"aiRecordDetail\":{\"resultObject\":[\"ab\"]}}}\n\n".into(), true),
        ("event: result\ndata: {\"aiRecord\":{\"aiRecordDetail\":{\"resultObject\":[\"ab\"]}}}".into(), true),
        (": ping\n\n".into(), false),
        ("event: finished\ndata: {}\n\n".into(), false),
        ("event: result\ndata: {\"aiRecord\":{\"aiRecordDet".into(), false),
        (String::new(), false),
    ] {
        let read = text(&stream(&["a", "b"], &end));
        match read {
            Ok(read) => assert!(complete && read == "ab", "{end:?}"),
            Err(error) => assert!(!complete && matches!(error, Error::Protocol(ProtocolError::Interrupted)), "{end:?}"),
        }
    }
}

#[test]
fn an_error_may_be_shaped_in_four_ways_and_come_after_text() {
    for data in [
        r#"{"error":"why"}"#,
        r#"{"message":"why"}"#,
        r#"{"error":{"message":"why"}}"#,
        "why",
    ] {
        let (deltas, ended) =
            decode([stream(&["a"], &format!("event: error\ndata: {data}\n\n")).as_bytes()]);
        assert_eq!(deltas, ["a"]);
        assert!(
            matches!(ended, Err(Error::Refused(refusal)) if refusal.message == "why"),
            "{data}"
        );
    }
    for data in ["", "{}", "null"] {
        let (_, ended) =
            decode([stream(&[], &format!("event: error\ndata: {data}\n\n")).as_bytes()]);
        assert!(
            matches!(ended, Err(Error::Refused(refusal)) if refusal.message.contains("failed")),
            "{data}"
        );
    }
}

#[test]
fn success_without_text_is_an_error_that_says_so() {
    for bytes in [
        stream(&[], &result("")),
        stream(&["", ""], &result("")),
        stream(&[], "event: done\n\n"),
        stream(&["🌐 Crawling site a\n"], &result("🌐 Crawling site a\n")),
    ] {
        match text(&bytes) {
            Err(Error::Refused(refusal)) => {
                assert!(refusal.message.contains("no text"), "{refusal}");
                assert_eq!((refusal.retryable, refusal.charged), (true, Charged::Maybe));
            }
            other => panic!("{bytes}: {other:?}"),
        }
    }
    assert_eq!(text(&stream(&["", "x"], &result("x"))).unwrap(), "x");
    assert_eq!(
        text(&stream(&[], &result("only here"))).unwrap(),
        "only here"
    );
}

#[test]
fn events_without_names_are_told_by_their_data() {
    let bytes = "data: {\"content\":\"a\"}\n\ndata: {\"other\":1}\n\nevent: message\ndata: {\"content\":\"b\"}\n\ndata: {\"aiRecord\":{}}\n\n";
    assert_eq!(text(bytes).unwrap(), "ab");
    let failed = decode([b"data: {\"error\":\"Model x is not supported\"}\n\n".as_slice()]).1;
    assert!(
        matches!(failed, Err(Error::Refused(refusal)) if refusal.kind == RefusalKind::UnknownModel)
    );
}

#[test]
fn a_piece_that_is_no_text_is_reported() {
    let read = text("event: content\ndata: {\"content\":5}\n\n");
    assert!(matches!(
        read,
        Err(Error::Protocol(ProtocolError::Malformed(_)))
    ));
}

#[test]
fn what_comes_after_the_end_is_ignored() {
    let after = "event: content\ndata: {\"content\":\"late\"}\n\nevent: error\ndata: {\"error\":\"late\"}\n\n";
    assert_eq!(text(&(stream(&["a"], &result("a")) + after)).unwrap(), "a");
}

#[test]
fn an_error_behind_the_record_takes_nothing_away() {
    let late = "event: error\ndata: {\"error\":\"late\"}\n\n";
    let whole = stream(&["a"], &result("a"));
    let before_done = whole.find("event: done").unwrap();
    let bytes = format!("{}{late}", &whole[..before_done]);
    assert_eq!(text(&bytes).unwrap(), "a");
}

proptest! {
    #[test]
    fn any_text_cut_anywhere_comes_out_as_it_was(
        deltas in proptest::collection::vec(any::<String>(), 1..6),
        size in 1usize..40,
    ) {
        let text = deltas.concat();
        prop_assume!(!text.is_empty());
        let parts: Vec<&str> = deltas.iter().map(String::as_str).collect();
        let bytes = stream(&parts, &result(&text));
        let (given, ended) = decode(bytes.as_bytes().chunks(size));
        prop_assert!(ended.is_ok());
        prop_assert_eq!(given.concat(), text);
    }

    #[test]
    fn no_bytes_make_it_panic_and_no_cut_changes_what_is_read(
        pieces in proptest::collection::vec(prop_oneof![
            Just("event: content\n".to_owned()),
            Just("event: result\n".to_owned()),
            Just("event: error\n".to_owned()),
            Just("event: done\n".to_owned()),
            Just("data: {\"content\":\"a\"}\n".to_owned()),
            Just("data: {\"content\":\"\\ud83d\"}\n".to_owned()),
            Just("data: {\"content\":\"🌐 Crawl\"}\n".to_owned()),
            Just("data: {\"content\":\"ing site x\\n\"}\n".to_owned()),
            Just("data: {\"aiRecord\":{\"aiRecordDetail\":{\"resultObject\":[\"aa\"]}}}\n".to_owned()),
            Just("data: {\"error\":\"why\"}\n".to_owned()),
            Just("\n".to_owned()),
            Just("\r".to_owned()),
            ".{0,8}",
        ], 0..30),
        size in 1usize..20,
    ) {
        let bytes = pieces.concat();
        let whole = read([bytes.as_bytes()]);
        prop_assert_eq!(read(bytes.as_bytes().chunks(size)), whole);
    }
}

/// A stream of one delta and a record that repeats a large prompt and a large answer.
fn large(name: &str, end: &str, bytes: usize) -> String {
    let filler = "A \"line\" with ünïcode.\n".repeat(bytes / 2 / 24);
    let record = json!({"aiRecord": {
        "uuid": "u",
        "aiRecordDetail": {"promptObject": {"prompt": filler}, "resultObject": [filler], "responseObject": {}},
        "status": "SUCCESS",
        "metadata": {"inputToken": 5, "outputToken": 2, "credit": 3},
    }});
    let data = record.to_string();
    stream(
        &["Hello"],
        &format!("{name}data: {data}{end}{end}event: done{end}data: {{}}{end}{end}"),
    )
}

#[test]
fn a_record_of_eight_megabytes_is_never_held() {
    for (name, end) in [
        ("event: result\n", "\n"),
        ("event: result\r\n", "\r\n"),
        ("event: result\r", "\r"),
        ("", "\n"),
    ] {
        let bytes = large(name, end, 8 << 20);
        assert!(bytes.len() > 8 << 20);
        for size in [1460, 16 * 1024] {
            let mut decoder = Decoder::new();
            let mut text = String::new();
            let mut most = 0;
            let mut ended = None;
            for piece in bytes.as_bytes().chunks(size) {
                ended = ended.or(decoder
                    .push(piece, &mut |piece| text.push_str(piece))
                    .unwrap());
                most = most.max(decoder.held());
            }
            assert_eq!(text, "Hello");
            let usage = Usage {
                input: 5,
                output: 2,
                total: 7,
            };
            assert_eq!(ended.unwrap().usage, Some(usage), "{name:?} {size}");
            assert!(most < 64 * 1024, "{name:?} by {size} held {most}");
        }
    }
}

#[test]
fn a_large_record_reads_the_same_however_it_is_cut() {
    for (name, end) in [
        ("event: result\n", "\n"),
        ("event:result\r\n", "\r\n"),
        ("", "\r"),
    ] {
        let bytes = large(name, end, 40_000);
        let whole = read([bytes.as_bytes()]);
        assert!(whole.1.is_ok());
        for size in [1, 2, 7, 1000, 9000, 20_000] {
            assert_eq!(
                read(bytes.as_bytes().chunks(size)),
                whole,
                "{name:?} by {size}"
            );
        }
        let cut = &bytes.as_bytes()[..20_000];
        for size in [100, 20_000] {
            let (_, ended) = decode(cut.chunks(size));
            assert!(matches!(
                ended,
                Err(Error::Protocol(ProtocolError::Interrupted))
            ));
        }
    }
}

#[test]
fn an_answer_that_stands_only_in_a_large_record_is_given() {
    let filler = "x\n".repeat(50_000);
    let bytes = stream(&[], &result(&filler));
    for size in [1000, usize::MAX] {
        let (deltas, ended) = decode(bytes.as_bytes().chunks(size.min(bytes.len())));
        assert!(ended.is_ok());
        assert_eq!(deltas.concat(), filler);
    }
    let failed = json!({"aiRecord": {"aiRecordDetail": {"promptObject": filler, "resultObject": {"code": "INSUFFICIENT_CREDITS", "message": "no"}}}});
    let bytes = stream(&["a"], &format!("event: result\ndata: {failed}\n\n"));
    let (_, ended) = decode(bytes.as_bytes().chunks(1000));
    assert!(
        matches!(ended, Err(Error::Refused(refusal)) if refusal.kind == RefusalKind::InsufficientCredits)
    );
}
