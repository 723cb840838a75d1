//! Embeddings: 501 where nobody makes them, else passed on to the server that does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::rig::{AUTHORIZED, Rig};

/// A server that gives one answer to everything, and keeps what it was sent.
struct Elsewhere {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Elsewhere {
    async fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = String::new();
                let mut buffer = [0; 4096];
                // The body of every request here ends with a brace.
                while !request.contains("\r\n\r\n") || !request.ends_with('}') {
                    let read = socket.read(&mut buffer).await.unwrap();
                    request.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
                }
                kept.lock().unwrap().push(request);
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn asks() -> Value {
    json!({"model": "text-embedding-3-small", "input": ["a", "b"]})
}

#[tokio::test]
async fn without_a_server_embeddings_are_not_implemented_and_it_is_said_what_helps() {
    let rig = Rig::start();
    let answer = rig.post("/v1/embeddings", &asks()).await;
    assert_eq!(answer.status, 501);
    assert!(
        answer.text.contains("EMBEDDINGS_BASE_URL"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_request_is_passed_on_without_the_clients_key() {
    let elsewhere = Elsewhere::answering(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: a=b\r\nconnection: close\r\ncontent-length: 11\r\n\r\n{\"data\":[]}",
    )
    .await;
    let plain = Rig::with(&["--embeddings-base-url", &elsewhere.url]);
    for path in ["/v1/embeddings", "/embeddings", "/v1/v1/embeddings"] {
        let answer = plain.post(path, &asks()).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (200, "{\"data\":[]}")
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("set-cookie"), None);
    }
    let keyed = Rig::with(&[
        "--embeddings-base-url",
        &elsewhere.url,
        "--embeddings-api-key",
        "sk-of-the-operator",
        "--embeddings-model",
        "nomic-embed-text",
    ]);
    // Clients that count tokens themselves send them as numbers.
    let tokens = vec![17; 300_000];
    let answer = keyed
        .post("/v1/embeddings", &json!({"model": "m", "input": tokens}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    keyed.post("/v1/embeddings", &asks()).await;
    let seen = elsewhere.seen();
    let head = seen[0].to_ascii_lowercase();
    assert!(
        head.starts_with("post /v1/embeddings http/1.1\r\n"),
        "{head}"
    );
    assert!(!head.contains("authorization"), "{head}");
    assert!(seen[0].ends_with(&asks().to_string()), "{}", seen[0]);
    let last = seen.last().unwrap();
    assert!(last.contains("Bearer sk-of-the-operator"), "{last}");
    assert!(last.contains("\"model\":\"nomic-embed-text\""), "{last}");
    assert!(!keyed.output().contains("sk-of-the-operator"));
}

#[tokio::test]
async fn what_the_server_refuses_is_passed_on_and_who_has_no_good_key_is_not() {
    let elsewhere = Elsewhere::answering(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 7\r\nconnection: close\r\ncontent-length: 21\r\n\r\n{\"error\":{\"code\":\"x\"}}",
    )
    .await;
    let rig = Rig::with(&["--embeddings-base-url", &elsewhere.url]);
    let answer = rig.post("/v1/embeddings", &asks()).await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (429, Some("7"))
    );
    let json = ("content-type", "application/json");
    let bodies = [
        (vec![json], asks().to_string(), 401),
        (
            vec![json, ("authorization", "Bearer invalid-key")],
            asks().to_string(),
            401,
        ),
        (AUTHORIZED.to_vec(), "[1]".to_owned(), 400),
        (AUTHORIZED.to_vec(), "x".repeat(65 * 1024 * 1024), 413),
    ];
    for (headers, body, status) in bodies {
        let answer = rig
            .send(Method::POST, "/v1/embeddings", &headers, body)
            .await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.json()["error"]["message"].is_string());
    }
    assert_eq!(elsewhere.seen().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_down_is_a_bad_gateway_and_its_address_stays_in_the_log() {
    let rig = Rig::with(&["--embeddings-base-url", "http://127.0.0.1:9/v1"]);
    let answer = rig.post("/v1/embeddings", &asks()).await;
    assert_eq!(answer.status, 502, "{}", answer.text);
    assert!(!answer.text.contains("127.0.0.1"), "{}", answer.text);
    // The log comes by a pipe, and may come later than the answer.
    for _ in 0..100 {
        if rig.output().contains("EMBEDDINGS_BASE_URL") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not in the log: {}", rig.output());
}
