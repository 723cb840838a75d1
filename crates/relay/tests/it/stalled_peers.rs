//! Peers that stop moving at every point: each wait ends by its limit, whoever is waited for.

use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::rig::{Rig, asks, command};

/// Seconds of the limit in question; the others are far beyond.
const LIMIT: &str = "1";
const LATE: Duration = Duration::from_secs(8);

/// Fault, flag of the limit, whether streamed, what the client is told.
const UPSTREAM: [(&str, &str, bool); 7] = [
    ("silent", "--first-byte-timeout", false),
    ("silent", "--first-byte-timeout", true),
    ("silent", "--request-timeout", false),
    ("stall", "--idle-timeout", true),
    ("stall", "--idle-timeout", false),
    ("stall", "--request-timeout", true),
    ("stall", "--request-timeout", false),
];

#[tokio::test]
async fn an_upstream_that_stops_is_waited_for_as_long_as_the_limit_says() {
    for (fault, flag, streamed) in UPSTREAM {
        let name = format!("{fault} {flag} {streamed}");
        let rig = Rig::with(&[flag, LIMIT]);
        let since = Instant::now();
        let answer = rig
            .chat(&asks(
                &json!({"fault": fault}),
                &json!({"stream": streamed}),
            ))
            .await;
        assert!(since.elapsed() < LATE, "{name}");
        if streamed && fault == "stall" {
            assert!(
                answer.text.contains("upstream_timeout"),
                "{name}: {}",
                answer.text
            );
            assert!(!answer.is_done(), "{name}");
        } else {
            assert_eq!(answer.status, 504, "{name}: {}", answer.text);
        }
        assert!(rig.left().await.is_some(), "{name}");
    }
}

/// An upstream whose streams bring more than anybody reads.
fn flood() -> Value {
    asks(&json!({"tokens": 3_000_000}), &json!({"stream": true}))
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go_and_upstream_with_it() {
    for flag in ["--idle-timeout", "--request-timeout"] {
        let rig = Rig::with(&[flag, LIMIT]);
        let address = rig.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let body = flood().to_string();
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer k\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let since = Instant::now();
        assert!(rig.left().await.is_some(), "{flag}");
        assert!(since.elapsed() < LATE, "{flag}");
        drop(stream);
    }
}

#[tokio::test]
async fn a_client_that_reads_slowly_does_not_stop_the_limit_of_the_whole() {
    let rig = Rig::with(&["--request-timeout", "2"]);
    let request = asks(
        &json!({"tokens": 100_000, "delay_ms": 20}),
        &json!({"stream": true}),
    );
    let mut body = rig.chat_stream(&request).await;
    let since = Instant::now();
    let mut last = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.unwrap().into_data() {
            last = data.to_vec();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(since.elapsed() < LATE);
    assert!(String::from_utf8_lossy(&last).contains("upstream_timeout"));
}

/// A host that takes no connection: its queue is full.
async fn full_queue() -> (std::net::TcpListener, Vec<TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap().into_std().unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    for _ in 0..4 {
        let connecting = TcpStream::connect(address);
        if let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(200), connecting).await {
            held.push(stream);
        }
    }
    (listener, held)
}

#[tokio::test]
async fn a_connection_that_is_not_made_is_waited_for_once() {
    let (listener, _held) = full_queue().await;
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut command = command();
    command
        .args([
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--connect-timeout",
            "2",
        ])
        .env("ONEMIN_BASE_URL", &url)
        .env("ONEMIN_ASSET_URL", &url)
        .env(
            "DATA_DIR",
            std::env::temp_dir().join(format!("relay-stalled-{}", std::process::id())),
        );
    let rig = Rig::bare(command);
    let since = Instant::now();
    let answer = rig.chat(&asks(&json!({}), &json!({}))).await;
    assert_eq!(answer.status, 504, "{}", answer.text);
    let took = since.elapsed();
    assert!(took < Duration::from_millis(3500), "{took:?}");
}

#[tokio::test]
async fn an_upstream_that_accepts_and_says_nothing_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut byte = [0];
            let _ = stream.read(&mut byte).await;
            held.push(stream);
        }
    });
    let mut command = command();
    command
        .args([
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--first-byte-timeout",
            LIMIT,
        ])
        .env("ONEMIN_BASE_URL", &url)
        .env("ONEMIN_ASSET_URL", &url)
        .env(
            "DATA_DIR",
            std::env::temp_dir().join(format!("relay-silent-{}", std::process::id())),
        );
    let rig = Rig::bare(command);
    let since = Instant::now();
    let answer = rig.chat(&asks(&json!({}), &json!({}))).await;
    assert_eq!(answer.status, 504, "{}", answer.text);
    assert!(since.elapsed() < Duration::from_secs(12));
}
