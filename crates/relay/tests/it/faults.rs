//! Every fault of the simulator, and what the client sees of it. Those of files and features are in the
//! tests of media; the last test here finds a fault that has none.

use std::path::Path;

use serde_json::{Value, json};

use crate::rig::{Answer, Rig, asks};

/// What a client sees.
#[derive(Debug, Clone, Copy)]
enum Sees {
    /// The whole text, and a good end.
    All,
    /// An error with this status and code before anything else.
    Error(u16, &'static str),
    /// The stream begins and ends with an error event of this code, without `[DONE]`.
    Interrupted(&'static str),
    /// A text of more than 2 MiB, and a good end.
    Huge,
}

use Sees::{All, Error, Huge, Interrupted};

const TEXT: &str = "one two three four five";

/// Fault, further fields of the directive, seen whole, seen streamed.
const TABLE: &[(&str, &str, Sees, Sees)] = &[
    (
        "insufficient-credits",
        "",
        Error(402, "insufficient_quota"),
        Error(402, "insufficient_quota"),
    ),
    (
        "credits-in-result",
        "",
        Error(402, "insufficient_quota"),
        Error(402, "insufficient_quota"),
    ),
    (
        "credits-in-stream",
        "",
        Error(402, "insufficient_quota"),
        Error(402, "insufficient_quota"),
    ),
    (
        "moderation-in-result",
        "",
        Error(400, "content_policy_violation"),
        Error(400, "content_policy_violation"),
    ),
    (
        "status-failure",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    (
        "status-failure",
        r#""after":3"#,
        Error(502, "upstream_error"),
        Interrupted("upstream_error"),
    ),
    (
        "status-failed",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    (
        "success-false",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    (
        "empty-text",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    ("string-result", "", All, All),
    ("zero-usage", "", All, All),
    ("no-metadata", "", All, All),
    ("null-metadata", "", All, All),
    ("no-finish-reason", "", All, All),
    ("foreign-finish-reason", "", All, All),
    ("repeated-final", "", All, All),
    ("crawl-lines", "", All, All),
    ("unknown-events", "", All, All),
    ("comment-lines", "", All, All),
    ("crlf", "", All, All),
    ("byte-order-mark", "", All, All),
    ("no-space", "", All, All),
    ("multi-line-data", "", All, All),
    (
        "error-midway",
        r#""shape":"string""#,
        Error(502, "upstream_error"),
        Interrupted("upstream_error"),
    ),
    (
        "error-midway",
        r#""shape":"nested""#,
        Error(502, "upstream_error"),
        Interrupted("upstream_error"),
    ),
    (
        "error-midway",
        r#""shape":"message""#,
        Error(502, "upstream_error"),
        Interrupted("upstream_error"),
    ),
    (
        "error-midway",
        r#""shape":"text""#,
        Error(502, "upstream_error"),
        Interrupted("upstream_error"),
    ),
    (
        "error-first",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    (
        "cut",
        "",
        Error(502, "upstream_error"),
        Interrupted("upstream_error"),
    ),
    (
        "cut-mid-frame",
        "",
        Error(502, "upstream_error"),
        Interrupted("upstream_error"),
    ),
    (
        "reset",
        "",
        Error(502, "upstream_error"),
        Interrupted("upstream_error"),
    ),
    (
        "clean-cut",
        "",
        Error(502, "upstream_error"),
        Interrupted("upstream_error"),
    ),
    (
        "clean-cut-mid-frame",
        "",
        Error(502, "upstream_error"),
        Interrupted("upstream_error"),
    ),
    ("missing-done", "", All, All),
    ("missing-result", "", All, All),
    (
        "stall",
        "",
        Error(504, "upstream_timeout"),
        Interrupted("upstream_timeout"),
    ),
    (
        "silent",
        "",
        Error(504, "upstream_timeout"),
        Error(504, "upstream_timeout"),
    ),
    (
        "hang-up",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    ("malformed-event", "", All, Interrupted("upstream_error")),
    ("non-sse-text", "", All, All),
    ("non-sse-json", "", All, All),
    ("huge-event", "", Huge, Huge),
    (
        "rate-limited",
        r#""retry_after":7"#,
        Error(429, "rate_limit_exceeded"),
        Error(429, "rate_limit_exceeded"),
    ),
    (
        "cloudflare-1010",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    (
        "cloudflare-1015",
        "",
        Error(429, "rate_limit_exceeded"),
        Error(429, "rate_limit_exceeded"),
    ),
    (
        "http-500",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    (
        "http-500-once",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    (
        "http-502",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    (
        "http-503",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    (
        "http-504",
        "",
        Error(504, "upstream_timeout"),
        Error(504, "upstream_timeout"),
    ),
    (
        "http-522",
        "",
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    (
        "http-error",
        r#""status":500,"code":"X_Y","message":"Out of order""#,
        Error(502, "upstream_error"),
        Error(502, "upstream_error"),
    ),
    (
        "message-only",
        "",
        Error(404, "model_not_found"),
        Error(404, "model_not_found"),
    ),
    (
        "unauthorized",
        "",
        Error(401, "invalid_api_key"),
        Error(401, "invalid_api_key"),
    ),
    ("slow-first-byte", r#""ms":300"#, All, All),
    ("slow-stream", r#""ms":30"#, All, All),
];

#[tokio::test]
async fn every_fault_is_seen_by_the_client_as_what_it_is() {
    let rig = Rig::with(&[
        "--idle-timeout",
        "0.6",
        "--first-byte-timeout",
        "0.6",
        "--request-timeout",
        "3",
    ]);
    let mut wrong = Vec::new();
    for (fault, more, whole, streamed) in TABLE {
        let gap = if more.is_empty() { "" } else { "," };
        let directive =
            format!(r#"{{"reply":"{TEXT}","delay_ms":15,"fault":"{fault}"{gap}{more}}}"#);
        let directive: Value = serde_json::from_str(&directive).unwrap();
        for (stream, sees) in [(false, whole), (true, streamed)] {
            rig.simulator.reset();
            let answer = rig
                .chat(&asks(&directive, &json!({"stream": stream})))
                .await;
            if let Err(why) = check(*sees, &answer, stream) {
                wrong.push(format!(
                    "{fault} {more} stream={stream}: {why}\n    {}",
                    &answer.text
                ));
            }
            assert!(!answer.text.contains("key-of-tests"), "{fault}");
            assert_eq!(rig.asked().len(), 1, "{fault} was paid for more than once");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(sees: Sees, answer: &Answer, stream: bool) -> Result<(), String> {
    let require = |good: bool, what: &str| {
        if good {
            Ok(())
        } else {
            Err(format!("{what}, status {}", answer.status))
        }
    };
    match sees {
        All => {
            require(answer.status == 200, "not answered")?;
            require(answer.said() == TEXT, "the text differs")?;
            require(!stream || answer.is_done(), "no good end")
        }
        Huge => {
            require(answer.status == 200, "not answered")?;
            require(answer.said().len() > 2 << 20, "the text is not there")
        }
        Error(status, code) => {
            require(answer.status == status, "another status")?;
            let error = &answer.json()["error"];
            require(
                error["code"].as_str().unwrap_or_default() == code,
                "another code",
            )?;
            require(
                error["message"].as_str().is_some_and(|m| m.len() > 20),
                "no reason",
            )?;
            require(
                answer.header("x-should-retry").is_some(),
                "no word on retrying",
            )
        }
        Interrupted(code) => {
            require(answer.status == 200, "not begun")?;
            require(answer.said().starts_with("one two"), "no beginning")?;
            let events = answer.events();
            let last: Value =
                serde_json::from_str(events.last().unwrap()).map_err(|e| e.to_string())?;
            require(last["error"]["code"] == code, "another code")?;
            require(!answer.text.contains("[DONE]"), "a mark of success")
        }
    }
}

#[tokio::test]
async fn upstreams_reason_and_its_patience_are_handed_on() {
    let rig = Rig::start();
    let answer = rig
        .chat(&asks(
            &json!({"fault": "rate-limited", "retry_after": 7}),
            &json!({}),
        ))
        .await;
    assert_eq!(answer.header("retry-after"), Some("7"));
    let answer = rig
        .chat(&asks(
            &json!({"fault": "http-error", "status": 400, "message": "The moon is full."}),
            &json!({}),
        ))
        .await;
    assert!(
        answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("The moon is full"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn what_surely_was_not_charged_may_be_repeated_by_the_client_and_nothing_else() {
    let rig = Rig::start();
    for (fault, retry) in [
        ("rate-limited", "true"),
        ("http-500", "false"),
        ("cut", "false"),
        ("insufficient-credits", "false"),
    ] {
        let answer = rig.chat(&asks(&json!({"fault": fault}), &json!({}))).await;
        assert_eq!(
            answer.header("x-should-retry"),
            Some(retry),
            "{fault}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_said_and_may_be_tried_again() {
    let rig = Rig::with(&["--onemin-base-url", "http://127.0.0.1:9"]);
    let answer = rig.chat(&asks(&json!({}), &json!({}))).await;
    assert_eq!(
        (answer.status, answer.header("x-should-retry")),
        (502, Some("true")),
        "{}",
        answer.text
    );
}

fn sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                std::fs::read_to_string(&path).unwrap()
            }
        })
        .collect()
}

#[test]
fn every_fault_of_the_simulator_has_a_test_of_what_the_client_sees() {
    let tests = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"));
    let names = simulator::FaultKind::ALL.iter().map(|fault| fault.name());
    let unseen: Vec<&str> = names
        .filter(|name| !tests.contains(&format!("\"{name}\"")))
        .collect();
    assert!(unseen.is_empty(), "add a row to TABLE for {unseen:?}");
}
