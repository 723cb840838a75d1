//! Told to stop: what is open ends or is told that it failed, and who has sent half a request holds
//! nothing up.

use std::process::Command;
use std::time::{Duration, Instant};

use http::Method;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::rig::{AUTHORIZED, Rig, asks};

fn terminate(rig: &Rig) {
    let id = rig.child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status();
    assert!(sent.unwrap().success());
}

/// A request whose answer takes longer than any test.
fn endless() -> String {
    format!("Hi. [[sim {}]]", json!({"tokens": 100_000, "delay_ms": 50}))
}

/// Route, request, and how the last event of the stream begins.
fn streams() -> [(&'static str, Value, &'static str); 4] {
    let messages = json!([{"role": "user", "content": endless()}]);
    let request = |more: Value| {
        let mut request = json!({"model": "gpt-4o-mini", "stream": true});
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        request
    };
    [
        (
            "/v1/chat/completions",
            request(json!({"messages": messages})),
            "data: {\"error\":",
        ),
        (
            "/v1/completions",
            request(json!({"prompt": endless()})),
            "data: {\"error\":",
        ),
        (
            "/v1/responses",
            request(json!({"input": endless()})),
            "event: response.failed\n",
        ),
        (
            "/v1/messages",
            request(json!({"messages": messages, "max_tokens": 1_000_000})),
            "event: error\n",
        ),
    ]
}

#[tokio::test]
async fn an_open_stream_is_told_that_it_failed_and_its_upstream_request_is_dropped() {
    for (path, request, last) in streams() {
        let mut rig = Rig::with(&["--shutdown-timeout", "2"]);
        let mut body = rig.post_stream(path, &request).await;
        body.frame().await.unwrap().unwrap();
        terminate(&rig);
        let rest = body.collect().await.unwrap().to_bytes();
        let rest = String::from_utf8_lossy(&rest);
        let event = rest.trim_end().rsplit("\n\n").next().unwrap();
        assert!(event.starts_with(last), "{path}: {event}");
        assert!(event.contains("shutting down"), "{path}: {event}");
        assert!(rig.left().await.is_some(), "{path}");
        assert!(rig.child.wait().unwrap().success());
    }
}

#[tokio::test]
async fn an_open_stream_of_the_native_api_is_told_in_1min_ais_words() {
    let mut rig = Rig::with(&["--native", "--shutdown-timeout", "2"]);
    let request = json!({
        "type": "UNIFY_CHAT_WITH_AI", "model": "gpt-4o-mini", "promptObject": {"prompt": endless()},
    });
    let path = "/1min/api/chat-with-ai?isStreaming=true";
    let mut body = rig.post_stream(path, &request).await;
    body.frame().await.unwrap().unwrap();
    terminate(&rig);
    let rest = body.collect().await.unwrap().to_bytes();
    let rest = String::from_utf8_lossy(&rest);
    let event = rest.trim_end().rsplit("\n\n").next().unwrap();
    assert!(
        event.starts_with("event: error\ndata: {\"error\":"),
        "{event}"
    );
    assert!(event.contains("shutting down"), "{event}");
    assert!(rig.child.wait().unwrap().success());
}

#[tokio::test]
async fn an_open_whole_request_gets_a_status_that_says_not_to_repeat_it() {
    for (path, mut request, _) in streams() {
        request = without_an_end(&request);
        let mut rig = Rig::with(&["--shutdown-timeout", "2"]);
        let sending = rig.post(path, &request);
        let stopping = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            terminate(&rig);
        };
        let (answer, ()) = tokio::join!(sending, stopping);
        let expected = if path == "/v1/messages" { 529 } else { 503 };
        assert_eq!(answer.status, expected, "{path}: {}", answer.text);
        assert_eq!(answer.header("x-should-retry"), Some("false"), "{path}");
        assert!(rig.left().await.is_some(), "{path}");
        assert!(rig.child.wait().unwrap().success());
        tokio::time::sleep(Duration::from_millis(100)).await;
        let output = rig.output();
        assert!(!output.contains("client left"), "{path}: {output}");
        assert!(output.contains("shutting down"), "{path}: {output}");
    }
}

/// The request without streaming, to an upstream that does not answer.
fn without_an_end(request: &Value) -> Value {
    let silent = format!("Hi. [[sim {}]]", json!({"fault": "silent"}));
    let text = request.to_string();
    let text = text.replace(
        Value::from(endless()).to_string().trim_matches('"'),
        Value::from(silent).to_string().trim_matches('"'),
    );
    let mut request: Value = serde_json::from_str(&text).unwrap();
    request["stream"] = json!(false);
    request
}

#[tokio::test]
async fn half_a_request_does_not_hold_the_end_up() {
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer k\r\n";
    let begun = format!("{head}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{");
    for sent in [head, &begun] {
        let mut rig = Rig::start();
        let address = rig.url.trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        // Kept alive, and idle.
        rig.send(Method::GET, "/health", &AUTHORIZED, "").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        terminate(&rig);
        let since = Instant::now();
        let mut rest = Vec::new();
        // It is told why, or the connection is closed.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rig.child.wait().unwrap().success());
        assert!(since.elapsed() < Duration::from_secs(10), "{sent}");
    }
}

#[tokio::test]
async fn a_new_request_on_an_old_connection_is_not_lost_in_silence() {
    let mut rig = Rig::with(&["--shutdown-timeout", "5"]);
    let request = asks(
        &json!({"tokens": 20, "delay_ms": 100}),
        &json!({"stream": true}),
    );
    let mut body = rig.chat_stream(&request).await;
    body.frame().await.unwrap().unwrap();
    terminate(&rig);
    let rest = body.collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    assert!(rig.child.wait().unwrap().success());
}
