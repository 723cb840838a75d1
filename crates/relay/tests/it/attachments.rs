//! Pictures and documents on their way to upstream.

use base64::Engine as _;
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::rig::{Answer, Rig};

const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

fn data_uri(bytes: &[u8]) -> String {
    let bytes = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("data:image/png;base64,{bytes}")
}

fn shows(url: &str) -> Value {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": url}}]}]})
}

fn uploads(rig: &Rig) -> usize {
    rig.simulator
        .journal()
        .matching(|e| e.path == "/api/assets")
        .len()
}

#[tokio::test]
async fn a_picture_is_uploaded_once_for_each_content_and_key() {
    let rig = Rig::start();
    let request = shows(&data_uri(PNG));
    for _ in 0..2 {
        assert_eq!(rig.chat(&request).await.status, 200);
    }
    assert_eq!(uploads(&rig), 1);
    let other = [("authorization", "Bearer another-key")];
    rig.send(
        Method::POST,
        "/v1/chat/completions",
        &other,
        request.to_string(),
    )
    .await;
    assert_eq!(uploads(&rig), 2);
    let asked = rig.asked()[0].body.to_string();
    assert!(asked.contains("\"images\":["), "{asked}");
}

#[tokio::test]
async fn pictures_of_any_turn_go_along_and_documents_too() {
    let rig = Rig::start();
    let pdf = base64::engine::general_purpose::STANDARD.encode(b"%PDF-1.7\nhello");
    let request = json!({"model": "gpt-4o-mini", "messages": [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": data_uri(PNG)}}]},
        {"role": "assistant", "content": "A dot."},
        {"role": "user", "content": [
            {"type": "text", "text": "And this?"},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": format!("data:application/pdf;base64,{pdf}")}}]}]});
    let answer = rig.chat(&request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(uploads(&rig), 2);
    let asked = rig.asked()[0].body.to_string();
    assert!(
        asked.contains("\"images\":[\"") && asked.contains("\"files\":[\""),
        "{asked}"
    );
}

#[tokio::test]
async fn a_model_that_sees_nothing_is_not_asked() {
    let rig = Rig::start();
    let mut request = shows(&data_uri(PNG));
    request["model"] = json!("qwen-flash");
    let answer = rig.chat(&request).await;
    assert!(
        answer.status == 400 && answer.text.contains("1044"),
        "{}",
        answer.text
    );
    assert!(rig.asked().is_empty() && uploads(&rig) == 0);
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    let rig = Rig::start();
    let answer = rig.chat(&shows(&data_uri(b"<html></html>"))).await;
    assert_eq!((answer.status, uploads(&rig)), (400, 0), "{}", answer.text);
}

/// A web server that gives a picture at `/picture.png` and redirects from `/away` elsewhere.
async fn web(away: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 2048];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let asked = String::from_utf8_lossy(&head[..read]).into_owned();
            let reply = if asked.starts_with("GET /away") {
                format!("HTTP/1.1 302 Found\r\nlocation: {away}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
            } else {
                let mut reply = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    PNG.len()
                )
                .into_bytes();
                reply.extend_from_slice(PNG);
                reply
            };
            let _ = stream.write_all(&reply).await;
        }
    });
    format!("http://{address}")
}

fn refused(answer: &Answer, word: &str) {
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.text.contains(word), "{}", answer.text);
}

#[tokio::test]
async fn private_addresses_are_not_fetched_in_any_spelling() {
    let rig = Rig::start();
    let here = web("http://127.0.0.1/").await;
    let port = here.rsplit(':').next().unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "0",
        "169.254.169.254",
        "10.0.0.1",
    ] {
        let answer = rig
            .chat(&shows(&format!("http://{host}:{port}/picture.png")))
            .await;
        refused(&answer, "private");
    }
    for url in [
        "file:///etc/passwd",
        "ftp://example.org/a.png",
        "gopher://127.0.0.1/",
    ] {
        assert_eq!(rig.chat(&shows(url)).await.status, 400);
    }
    assert_eq!(uploads(&rig), 0);
}

#[tokio::test]
async fn permitted_private_addresses_are_fetched_and_redirects_followed() {
    let rig = Rig::with(&["--allow-private-urls"]);
    let here = web("/picture.png").await;
    assert_eq!(
        rig.chat(&shows(&format!("{here}/picture.png")))
            .await
            .status,
        200
    );
    assert_eq!(rig.chat(&shows(&format!("{here}/away"))).await.status, 200);
    assert_eq!(uploads(&rig), 1);
    let elsewhere = web("file:///etc/passwd").await;
    refused(
        &rig.chat(&shows(&format!("{elsewhere}/away"))).await,
        "http",
    );
}
