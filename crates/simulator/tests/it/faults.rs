//! What each fault sends over the wire.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::{FaultKind, Simulator};

use crate::client::{Call, Reply, chat, start, text_of};

/// The text of all these answers, in three deltas.
const TEXT: &str = "One, two, three.";
const DELTAS: [&str; 3] = ["One, ", "two, ", "three."];

fn directive(fault: &Value) -> String {
    let mut directive = json!({"deltas": DELTAS});
    let fields = fault.as_object().expect("an object").clone();
    directive.as_object_mut().expect("an object").extend(fields);
    format!("[[sim {directive}]]")
}

async fn streamed(sim: &Simulator, fault: Value) -> Reply {
    chat(sim, true, &directive(&fault)).await
}

async fn whole(sim: &Simulator, fault: Value) -> Reply {
    chat(sim, false, &directive(&fault)).await
}

fn named(name: &str) -> Value {
    json!({"fault": name})
}

fn fixture(name: &str) -> String {
    let path = format!(
        "{}/../../fixtures/onemin/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).expect("a fixture")
}

fn fixture_json(name: &str) -> Value {
    serde_json::from_str(&fixture(name)).expect("JSON")
}

#[tokio::test]
async fn every_fault_is_tested_here() {
    let tests = concat!(include_str!("faults.rs"), include_str!("files.rs"));
    let untested = |kind: &&FaultKind| {
        let plain = format!("\"{}\"", kind.name());
        !tests.contains(&plain) && !tests.contains(&plain.replace('"', "\\\""))
    };
    let missing: Vec<_> = FaultKind::ALL
        .iter()
        .filter(untested)
        .map(|kind| kind.name())
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[tokio::test]
async fn refusals_are_the_same_streaming_or_not() {
    let sim = start();
    let cases = [
        (
            "insufficient-credits",
            406,
            "err-406-insufficient-credits.json",
        ),
        ("rate-limited", 429, "err-429-documented.json"),
        ("cloudflare-1010", 403, "err-403-cloudflare-1010.txt"),
        ("cloudflare-1015", 429, "err-429-cloudflare-1015.txt"),
        ("http-500", 500, "err-500.json"),
        ("http-522", 522, "err-522-cloudflare.html"),
        ("message-only", 400, "err-legacy-message-only.json"),
        ("unauthorized", 401, "err-401-documented-style.json"),
    ];
    for (name, status, file) in cases {
        for reply in [
            streamed(&sim, named(name)).await,
            whole(&sim, named(name)).await,
        ] {
            assert_eq!((reply.status, reply.complete), (status, true), "{name}");
            assert!(!reply.headers.contains_key("retry-after"), "{name}");
            let (kind, same) = match file.rsplit('.').next() {
                Some("json") => ("application/json", reply.json() == fixture_json(file)),
                Some("txt") => ("text/plain", reply.text() == fixture(file).trim_end()),
                _ => ("text/html", reply.text() == fixture(file).trim_end()),
            };
            assert!(same, "{name}: {}", reply.text());
            assert!(reply.headers["content-type"].starts_with(kind), "{name}");
        }
    }
}

#[tokio::test]
async fn gateways_answer_with_pages() {
    let sim = start();
    for (name, status) in [("http-502", 502), ("http-503", 503), ("http-504", 504)] {
        let reply = streamed(&sim, named(name)).await;
        assert_eq!(reply.status, status);
        assert!(
            reply
                .text()
                .starts_with(&format!("<!DOCTYPE html><html><head><title>{status}: "))
        );
    }
}

#[tokio::test]
async fn retry_after_comes_when_it_is_given() {
    let sim = start();
    for name in ["rate-limited", "cloudflare-1015", "http-503"] {
        let reply = streamed(&sim, json!({"fault": name, "retry_after": 7})).await;
        assert_eq!(reply.headers["retry-after"], "7");
    }
}

#[tokio::test]
async fn any_status_code_and_message_can_be_ordered() {
    let sim = start();
    let fault = json!({"fault": "http-error", "status": 418, "code": "TEAPOT", "message": "short and stout"});
    let reply = whole(&sim, fault).await;
    assert_eq!(
        (reply.status, reply.json()),
        (
            418,
            json!({"errorCode": "TEAPOT", "message": "short and stout"})
        )
    );
    let conflict = whole(
        &sim,
        json!({"fault": "message-only", "status": 409, "message": "no"}),
    )
    .await;
    assert_eq!(
        (conflict.status, conflict.json()),
        (409, json!({"message": "no"}))
    );
}

#[tokio::test]
async fn http_500_once_fails_once_and_then_answers() {
    let sim = start();
    for _ in 0..2 {
        assert_eq!(streamed(&sim, named("http-500-once")).await.status, 500);
        assert_eq!(
            streamed(&sim, named("http-500-once")).await.result()["aiRecord"]["status"],
            "SUCCESS"
        );
    }
    sim.set_faults(named("http-500-once")).expect("a fault");
    assert_eq!(
        [
            chat(&sim, false, "a").await.status,
            chat(&sim, false, "b").await.status
        ],
        [500, 200]
    );
}

#[tokio::test]
async fn nested_errors_wrap_what_would_be_flat() {
    let sim = start();
    let fault = json!({"faults": ["nested-errors", "insufficient-credits"]});
    let flat = fixture_json("err-406-insufficient-credits.json");
    let nested =
        json!({"success": false, "error": {"code": flat["errorCode"], "message": flat["message"]}});
    assert_eq!(whole(&sim, fault).await.json(), nested);
    assert_eq!(whole(&sim, named("nested-errors")).await.status, 200);
}

#[tokio::test]
async fn flat_errors_alone_change_nothing() {
    let sim = start();
    assert_eq!(whole(&sim, named("flat-errors")).await.status, 200);
}

#[tokio::test]
async fn results_can_be_error_objects() {
    let sim = start();
    for (name, file) in [
        (
            "credits-in-result",
            "err-200-insufficient-credits-in-result.json",
        ),
        ("moderation-in-result", "err-200-moderation-in-result.json"),
    ] {
        let reply = whole(&sim, named(name)).await;
        let (ours, expected) = (reply.json(), fixture_json(file));
        crate::contract::assert_shape(&ours, &expected, "");
        let result = |record: &Value| record["aiRecord"]["aiRecordDetail"]["resultObject"].clone();
        assert_eq!((reply.status, result(&ours)), (200, result(&expected)));
        assert_eq!(ours["aiRecord"]["status"], "FAILURE");

        let stream = streamed(&sim, named(name)).await;
        assert_eq!(stream.outline(), ["result", "done"]);
        assert_eq!(result(&stream.result()), result(&expected));
        let later = streamed(&sim, json!({"fault": name, "after": 2})).await;
        assert_eq!(later.deltas(), DELTAS[..2]);
    }
}

#[tokio::test]
async fn credits_can_be_refused_by_an_error_event() {
    let sim = start();
    let reply = streamed(&sim, named("credits-in-stream")).await;
    assert_eq!(
        (reply.status, reply.text()),
        (200, fixture("err-stream-insufficient-credits.sse"))
    );
    assert_eq!(whole(&sim, named("credits-in-stream")).await.status, 406);
}

#[tokio::test]
async fn records_can_have_failed() {
    let sim = start();
    for (name, status) in [("status-failure", "FAILURE"), ("status-failed", "FAILED")] {
        for record in [
            whole(&sim, named(name)).await.json(),
            streamed(&sim, named(name)).await.result(),
        ] {
            assert_eq!(record["aiRecord"]["status"], status);
            assert_eq!(
                record["aiRecord"]["aiRecordDetail"]["resultObject"],
                json!([])
            );
        }
        assert_eq!(
            streamed(&sim, named(name)).await.outline(),
            ["result", "done"]
        );
        assert_eq!(
            streamed(&sim, json!({"fault": name, "after": 1}))
                .await
                .deltas(),
            DELTAS[..1]
        );
    }
}

#[tokio::test]
async fn success_can_be_false_on_http_200() {
    let sim = start();
    for reply in [
        whole(&sim, named("success-false")).await,
        streamed(&sim, named("success-false")).await,
    ] {
        assert_eq!(
            (reply.status, &reply.json()["success"]),
            (200, &json!(false))
        );
        assert!(reply.headers["content-type"].starts_with("application/json"));
    }
}

#[tokio::test]
async fn texts_can_be_empty_or_bare() {
    let sim = start();
    assert_eq!(text_of(&whole(&sim, named("empty-text")).await.json()), "");
    let empty = streamed(&sim, named("empty-text")).await;
    assert_eq!(
        (empty.outline(), empty.deltas()),
        (
            vec!["content".into(), "result".into(), "done".into()],
            vec![]
        )
    );
    assert_eq!(text_of(&empty.result()), "");
    let bare = whole(&sim, named("string-result")).await.json();
    assert_eq!(bare["aiRecord"]["aiRecordDetail"]["resultObject"], TEXT);
}

#[tokio::test]
async fn metadata_can_be_zero_null_or_absent() {
    let sim = start();
    let sim = &sim;
    let record = async |name: &str| streamed(sim, named(name)).await.result()["aiRecord"].clone();
    let zero = record("zero-usage").await;
    crate::contract::assert_shape(
        &json!({"aiRecord": zero}),
        &fixture_json("chat-zero-usage.response.json"),
        "",
    );
    for field in [
        "inputToken",
        "outputToken",
        "totalToken",
        "promptToken",
        "credit",
        "inputCredit",
        "outputCredit",
    ] {
        assert_eq!(zero["metadata"][field], 0);
    }
    assert_eq!(
        record("null-metadata").await.get("metadata"),
        Some(&Value::Null)
    );
    assert_eq!(record("no-metadata").await.get("metadata"), None);
}

#[tokio::test]
async fn finish_reasons_can_be_foreign_or_absent() {
    let sim = start();
    let none = whole(&sim, named("no-finish-reason")).await.json();
    crate::contract::assert_shape(
        &none,
        &fixture_json("chat-no-finish-reason.response.json"),
        "",
    );
    let sim = &sim;
    let reason = async |fault: Value| {
        whole(sim, fault).await.json()["aiRecord"]["metadata"]["finishReason"].clone()
    };
    assert_eq!(reason(named("foreign-finish-reason")).await, "complete");
    let own = json!({"fault": "foreign-finish-reason", "finish_reason": "MAX_TOKENS"});
    assert_eq!(reason(own).await, "MAX_TOKENS");
}

#[tokio::test]
async fn the_last_delta_can_repeat_everything() {
    let sim = start();
    let reply = streamed(&sim, named("repeated-final")).await;
    assert_eq!(reply.deltas(), [DELTAS.as_slice(), &[TEXT]].concat());
    assert_eq!((text_of(&reply.result()), reply.outline().len()), (TEXT, 3));
}

#[tokio::test]
async fn crawl_lines_stand_before_the_text() {
    let sim = start();
    let lines = "🌐 Crawling site https://example.org/a\n🌐 Crawling site https://example.org/b\n";
    let reply = streamed(&sim, named("crawl-lines")).await;
    assert_eq!(reply.deltas().concat(), format!("{lines}{TEXT}"));
    assert!(reply.deltas()[0].ends_with("/a\n"));
    assert_eq!(text_of(&reply.result()), format!("{lines}{TEXT}"));
    let sites = &reply.result()["aiRecord"]["aiRecordDetail"]["promptObject"]["searchContentList"];
    assert_eq!(
        *sites,
        json!([{"url": "https://example.org/a", "content": "…"}, {"url": "https://example.org/b", "content": "…"}])
    );
}

#[tokio::test]
async fn unknown_events_stand_between_the_known_ones() {
    let sim = start();
    let reply = streamed(&sim, named("unknown-events")).await;
    let expected = [
        "reasoning",
        "content",
        "llm_chunk",
        "ping",
        "content",
        "result",
        "done",
    ];
    assert_eq!(
        (reply.outline(), reply.deltas().concat()),
        (expected.map(str::to_owned).to_vec(), TEXT.to_owned())
    );
}

#[tokio::test]
async fn the_framing_can_be_unusual() {
    let sim = start();
    for (name, sign, absent) in [
        ("comment-lines", ": keep-alive\n\nevent: content\n", "\r"),
        (
            "crlf",
            "event: content\r\ndata: {\"content\":\"One, \"}\r\n\r\n",
            "}\n",
        ),
        (
            "no-space",
            "event:content\ndata:{\"content\":\"One, \"}\n\n",
            "event: ",
        ),
        (
            "multi-line-data",
            "event: content\ndata: {\ndata: \"content\":\"One, \"}\n\n",
            "data: {\"",
        ),
    ] {
        let reply = streamed(&sim, named(name)).await;
        assert!(reply.text().contains(sign), "{name}: {}", reply.text());
        assert!(!reply.text().contains(absent), "{name}: {}", reply.text());
        assert_eq!(
            (reply.complete, reply.deltas()),
            (true, DELTAS.map(str::to_owned).to_vec()),
            "{name}"
        );
        assert_eq!(text_of(&reply.result()), TEXT, "{name}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_stands_once_before_a_body() {
    let sim = start();
    for (reply, beginning) in [
        (
            streamed(&sim, named("byte-order-mark")).await,
            "event: content\n",
        ),
        (
            whole(&sim, named("byte-order-mark")).await,
            "{\"aiRecord\":",
        ),
    ] {
        let text = reply.text();
        let body = text.strip_prefix('\u{feff}').expect("a mark");
        assert!(body.starts_with(beginning), "{body}");
        assert!(!body.contains('\u{feff}'), "{body}");
        assert!(reply.complete);
    }
}

#[tokio::test]
async fn errors_come_midway_in_four_shapes() {
    let sim = start();
    let data = |file: &str| {
        let text = fixture(file);
        text.lines()
            .rev()
            .find_map(|line| line.strip_prefix("data: "))
            .expect("data")
            .to_owned()
    };
    let busy = "The openai service is temporarily unavailable.";
    let message = json!({"message": busy}).to_string();
    for (shape, expected) in [
        ("string", json!({"error": busy}).to_string()),
        ("nested", data("chat-stream-error-nested.sse")),
        ("message", message),
        ("text", data("chat-stream-error-text.sse")),
    ] {
        let fault = json!({"fault": "error-midway", "shape": shape, "after": 1});
        let midway = streamed(&sim, fault).await;
        assert_eq!(
            (midway.status, midway.complete, midway.deltas()),
            (200, true, vec!["One, ".to_owned()])
        );
        assert_eq!(
            midway.events().last(),
            Some(&("error".to_owned(), expected.clone())),
            "{shape}"
        );
        let first = streamed(&sim, json!({"fault": "error-first", "shape": shape})).await;
        assert_eq!(first.events(), [("error".to_owned(), expected)], "{shape}");
    }
    let own = streamed(
        &sim,
        json!({"fault": "error-midway", "shape": "nested", "message": "a", "code": "B"}),
    )
    .await;
    assert_eq!(
        own.events().last().expect("events").1,
        r#"{"error":{"code":"B","message":"a"}}"#
    );
}

#[tokio::test]
async fn an_error_event_is_a_provider_error_without_streaming() {
    let sim = start();
    for name in ["error-midway", "error-first"] {
        let reply = whole(&sim, named(name)).await;
        let body = reply.json();
        assert_eq!(
            (reply.status, &body["errorCode"]),
            (400, &json!("EXTERNAL_API_RESPONSE_WITH_ERROR"))
        );
        let details: Value =
            serde_json::from_str(body["details"].as_str().expect("a string")).expect("JSON");
        assert!(details["response"].is_object());
    }
}

#[tokio::test]
async fn streams_break_or_end_too_early() {
    let sim = start();
    let cases = [
        ("cut", false, "two, \"}\n\n"),
        ("cut-mid-frame", false, "data: {\"content\":"),
        ("clean-cut", true, "two, \"}\n\n"),
        ("clean-cut-mid-frame", true, "data: {\"content\":"),
        ("stall", false, "two, \"}\n\n"),
    ];
    for (name, complete, end) in cases {
        let reply = streamed(&sim, named(name)).await;
        assert_eq!((reply.status, reply.complete), (200, complete), "{name}");
        assert!(reply.text().ends_with(end), "{name}: {}", reply.text());
        assert_eq!(reply.deltas(), DELTAS[..2], "{name}");
        let late = streamed(&sim, json!({"fault": name, "after": 99})).await;
        assert_eq!(late.deltas(), DELTAS, "{name}");
        assert!(!late.text().contains("event: result"), "{name}");
    }
}

#[tokio::test]
async fn whole_answers_break_or_end_in_the_middle() {
    let sim = start();
    for (name, complete) in [
        ("cut", false),
        ("cut-mid-frame", false),
        ("clean-cut", true),
        ("clean-cut-mid-frame", true),
        ("stall", false),
    ] {
        let reply = whole(&sim, named(name)).await;
        assert_eq!((reply.status, reply.complete), (200, complete), "{name}");
        assert!(
            reply.text().starts_with("{\"aiRecord\":") && !reply.text().ends_with("}}"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_reset_is_not_a_polite_end() {
    let sim = start();
    for (name, polite) in [("reset", false), ("cut", true)] {
        let mut call = Call::chat(&sim, true, &directive(&named(name))).await;
        let end = loop {
            match call.read().await {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) => break error.kind() != std::io::ErrorKind::ConnectionReset,
            }
        };
        assert_eq!(end, polite, "{name}");
    }
}

#[tokio::test]
async fn nothing_at_all_may_come() {
    let sim = start();
    for streaming in [true, false] {
        let begun = Instant::now();
        assert!(
            Call::chat(&sim, streaming, &directive(&named("silent")))
                .await
                .reply()
                .await
                .is_none()
        );
        assert!(begun.elapsed() >= Duration::from_millis(500), "it hung up");
        let begun = Instant::now();
        assert!(
            Call::chat(&sim, streaming, &directive(&named("hang-up")))
                .await
                .reply()
                .await
                .is_none()
        );
        assert!(
            begun.elapsed() < Duration::from_millis(400),
            "it did not hang up"
        );
    }
}

#[tokio::test]
async fn terminators_can_be_missing() {
    let sim = start();
    let done = streamed(&sim, named("missing-done")).await;
    assert_eq!(
        (done.complete, done.outline()),
        (true, vec!["content".to_owned(), "result".to_owned()])
    );
    let result = streamed(&sim, named("missing-result")).await;
    assert_eq!(
        (result.complete, result.outline()),
        (true, vec!["content".to_owned(), "done".to_owned()])
    );
}

#[tokio::test]
async fn an_event_can_be_broken_and_another_huge() {
    let sim = start();
    let broken = streamed(&sim, named("malformed-event")).await;
    assert!(
        broken
            .text()
            .contains("two, \"}\n\nevent: content\ndata: {\"content\":\"bro\n\nevent: content\n")
    );
    assert_eq!(
        (broken.deltas().concat(), text_of(&broken.result())),
        (TEXT.to_owned(), TEXT)
    );
    let huge = streamed(
        &sim,
        json!({"fault": "huge-event", "bytes": 300_000, "after": 1}),
    )
    .await;
    assert_eq!(
        huge.deltas().iter().map(String::len).collect::<Vec<_>>(),
        [5, 300_000, 5, 6]
    );
    assert_eq!(text_of(&huge.result()), huge.deltas().concat());
}

#[tokio::test]
async fn a_stream_can_be_no_stream() {
    let sim = start();
    for reply in [
        streamed(&sim, named("non-sse-text")).await,
        whole(&sim, named("non-sse-text")).await,
    ] {
        assert_eq!((reply.status, reply.text().as_str()), (200, TEXT));
        assert!(reply.headers["content-type"].starts_with("text/plain"));
    }
    let json = streamed(&sim, named("non-sse-json")).await;
    assert_eq!(text_of(&json.json()), TEXT);
    assert!(json.headers["content-type"].starts_with("application/json"));
}

#[tokio::test]
async fn slow_answers_are_slow_where_they_say() {
    let sim = start();
    let begun = Instant::now();
    let late = streamed(&sim, json!({"fault": "slow-first-byte", "ms": 120})).await;
    assert!(late.complete && begun.elapsed() >= Duration::from_millis(120));

    let mut call = Call::chat(
        &sim,
        true,
        &directive(&json!({"fault": "slow-stream", "ms": 60})),
    )
    .await;
    let (begun, first) = (Instant::now(), call.read_some().await);
    assert!(
        String::from_utf8_lossy(&first).contains("One, ")
            && !String::from_utf8_lossy(&first).contains("two, ")
    );
    call.reply().await;
    assert!(begun.elapsed() >= Duration::from_millis(3 * 60));

    let begun = Instant::now();
    let whole = whole(&sim, json!({"fault": "slow-stream", "ms": 20})).await;
    assert_eq!((whole.complete, text_of(&whole.json())), (true, TEXT));
    assert!(begun.elapsed() >= Duration::from_millis(7 * 20));
}
