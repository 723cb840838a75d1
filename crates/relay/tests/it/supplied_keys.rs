//! Keys for clients that have no field for one.

use http::Method;
use serde_json::json;

use crate::rig::{Rig, command};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn body() -> String {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}).to_string()
}

/// The keys that upstream was given.
fn keys(rig: &Rig) -> Vec<String> {
    let asked = rig.asked().into_iter();
    asked.map(|entry| format!("{entry:?}")).collect()
}

#[tokio::test]
async fn a_base_url_may_hold_the_key_for_every_api_and_no_log_has_it() {
    let rig = Rig::with(&["--keys-in-urls", "--rust-log", "trace"]);
    for path in [
        "/key/secret-of-a-url/v1/chat/completions",
        "/key/secret-of-a-url/chat/completions",
        "/key/secret-of-a-url/api/chat",
    ] {
        let answer = rig.send(Method::POST, path, &JSON, body()).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    let messages = json!({"model": "gpt-4o-mini", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    let version = [
        JSON[0],
        ("anthropic-version", "2023-06-01"),
        ("x-api-key", "none"),
    ];
    let path = "/key/secret-of-a-url/v1/messages";
    let answer = rig
        .send(Method::POST, path, &version, messages.to_string())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let missing = rig.get("/key/secret-of-a-url/v1/nothing").await;
    assert_eq!(missing.status, 404);
    assert!(!missing.text.contains("secret-of"), "{}", missing.text);
    assert_eq!(keys(&rig).len(), 4);
    assert!(!rig.output().contains("secret-of"), "{}", rig.output());
}

#[tokio::test]
async fn without_the_setting_a_key_in_the_url_is_refused_and_not_repeated() {
    let rig = Rig::start();
    let path = "/key/secret-of-a-url/v1/chat/completions";
    let answer = rig.send(Method::POST, path, &JSON, body()).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("KEYS_IN_URLS"), "{}", answer.text);
    assert!(!answer.text.contains("secret-of"), "{}", answer.text);
    assert!(keys(&rig).is_empty());
}

#[tokio::test]
async fn callers_of_this_machine_use_the_default_key_and_pages_of_the_web_do_not() {
    let rig = Rig::with(&["--default-api-key", "key-of-the-house"]);
    let answer = rig
        .send(Method::POST, "/v1/chat/completions", &JSON, body())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = rig.send(Method::POST, "/api/chat", &JSON, body()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for header in [
        ("origin", "https://evil.example"),
        ("x-forwarded-for", "8.8.8.8"),
    ] {
        let headers = [JSON[0], header];
        let answer = rig.send(Method::POST, "/api/chat", &headers, body()).await;
        assert_eq!(answer.status, 401, "{header:?}");
    }
    assert_eq!(keys(&rig).len(), 2);
    assert!(!rig.output().contains("key-of-the-house"));
}

#[test]
fn a_default_key_for_everybody_stops_the_start() {
    for flags in [
        &["--host", "0.0.0.0"][..],
        &[
            "--host",
            "0.0.0.0",
            "--default-api-key-networks",
            "0.0.0.0/0",
        ],
    ] {
        let mut command = command();
        command.args(["--check", "--default-api-key", "key-of-the-house"]);
        let output = command.args(flags).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success(), "{flags:?}: {text}");
        assert!(text.contains("DEFAULT_API_KEY_NETWORKS"), "{text}");
        assert!(!text.contains("key-of-the-house"), "{text}");
    }
}
