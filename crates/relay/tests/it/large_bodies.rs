//! Bodies that are too large, or that nobody wants: the answer comes early, and it comes whole,
//! whatever the client still writes.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use http::Method;

use crate::rig::{AUTHORIZED, Rig};

const LARGE: usize = 200 << 20;

/// Paths that take large bodies, with a type that each of them takes.
const PATHS: [(&str, &str); 5] = [
    ("/v1/files", "multipart/form-data; boundary=BOUNDARY"),
    (
        "/v1/audio/transcriptions",
        "multipart/form-data; boundary=BOUNDARY",
    ),
    ("/v1/images/edits", "multipart/form-data; boundary=BOUNDARY"),
    ("/v1/images/generations", "application/json"),
    ("/v1/chat/completions", "application/json"),
];

const FORM: &str = "--BOUNDARY\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF....WAVE";

/// A connection on which the head of a large request was sent, and the beginning of its body.
async fn begun(rig: &Rig, (path, kind): (&str, &str), more: &str) -> TcpStream {
    let address = rig.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: relay\r\ncontent-type: {kind}\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

fn with_key(length: &str) -> String {
    format!("authorization: Bearer key-of-tests\r\n{length}\r\n")
}

/// The status of the next answer, whose body must be an error in full.
async fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut text = String::new();
    let mut piece = [0; 4096];
    let reading = async {
        while !text.trim_end().ends_with("}}") {
            let read = stream.read(&mut piece).await.unwrap();
            assert!(read > 0, "closed after {text:?}");
            text.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
    };
    let limit = Duration::from_secs(20);
    let within = tokio::time::timeout(limit, reading).await;
    within.unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text)
}

async fn write_rest(stream: &mut TcpStream, chunked: bool) {
    let piece = vec![b'x'; 1 << 20];
    let chunk = [b"100000\r\n", &*piece, b"\r\n"].concat();
    let sent = if chunked { &chunk } else { &piece };
    for _ in 0..LARGE >> 20 {
        stream.write_all(sent).await.unwrap();
    }
}

#[tokio::test]
async fn an_announced_size_is_refused_before_it_is_sent() {
    let rig = Rig::start();
    for path in PATHS {
        let length = with_key(&format!("content-length: {LARGE}"));
        let mut stream = begun(&rig, path, &length).await;
        stream.write_all(FORM.as_bytes()).await.unwrap();
        let began = Instant::now();
        let (status, text) = answer(&mut stream).await;
        assert!(status == 413 && text.contains("MiB"), "{path:?} {text}");
        assert!(began.elapsed() < Duration::from_secs(2), "{path:?}");
    }
}

#[tokio::test]
async fn a_client_that_writes_all_before_it_reads_gets_its_answer_too() {
    let rig = Rig::start();
    for path in PATHS {
        let length = with_key(&format!("content-length: {LARGE}"));
        let mut stream = begun(&rig, path, &length).await;
        write_rest(&mut stream, false).await;
        let (status, text) = answer(&mut stream).await;
        assert_eq!(status, 413, "{path:?} {text}");
        // The connection is good for the next request.
        stream
            .write_all(b"GET /health HTTP/1.1\r\nhost: relay\r\n\r\n")
            .await
            .unwrap();
        let mut next = [0; 12];
        stream.read_exact(&mut next).await.unwrap();
        assert_eq!(&next, b"HTTP/1.1 200", "{path:?}");
    }
    let peak = rig.peak();
    assert!(peak < 200 << 10, "{peak} kB");
}

#[tokio::test]
async fn a_size_that_nobody_announced_is_refused_when_it_is_reached() {
    let rig = Rig::with(&["--max-file-mb", "64"]);
    for path in PATHS {
        let mut stream = begun(&rig, path, &with_key("transfer-encoding: chunked")).await;
        if path.1.starts_with("multipart") {
            let is_picture = path.0.contains("images");
            let field = if is_picture { "image" } else { "file" };
            let form = FORM.replace("name=\"file\"", &format!("name=\"{field}\""));
            let head = format!("{:x}\r\n{form}\r\n", form.len());
            stream.write_all(head.as_bytes()).await.unwrap();
        }
        write_rest(&mut stream, true).await;
        stream.write_all(b"0\r\n\r\n").await.unwrap();
        let (status, text) = answer(&mut stream).await;
        assert!(status == 413 && text.contains("MiB"), "{path:?} {text}");
    }
}

#[tokio::test]
async fn an_upload_in_the_way_to_1min_ai_is_refused_when_the_limit_is_reached() {
    let rig = Rig::with(&["--native", "--max-file-mb", "2"]);
    let path = ("/1min/api/assets", PATHS[0].1);
    let kind = with_key("connection: close\r\ntransfer-encoding: chunked");
    let mut stream = begun(&rig, path, &kind).await;
    let piece = [b"100000\r\n", &*vec![b'x'; 1 << 20], b"\r\n"].concat();
    for _ in 0..4 {
        let _ = stream.write_all(&piece).await;
    }
    let _ = stream.write_all(b"0\r\n\r\n").await;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(
        text.starts_with("HTTP/1.1 413") && text.contains("2 MiB"),
        "{text}"
    );
}

#[tokio::test]
async fn files_that_are_uploaded_at_once_have_room_for_one_of_them_only() {
    let rig = Rig::with(&["--max-account-files-mb", "1"]);
    let head = format!(
        "--BOUNDARY\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nuser_data\r\n{FORM}"
    );
    let tail = format!("{}\r\n--BOUNDARY--\r\n", "x".repeat(300_000));
    let begin = "x".repeat(400_000);
    let length = head.len() + begin.len() + tail.len();
    let length = with_key(&format!("content-length: {length}\r\nconnection: close"));
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = begun(&rig, PATHS[0], &length).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(begin.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    // All have begun, and each had room when it did.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut statuses = Vec::new();
    for mut stream in streams {
        stream.write_all(tail.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        statuses.push(text.split(' ').nth(1).unwrap().to_owned());
    }
    assert_eq!(statuses, ["200", "413", "413"]);
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_not_told_to_go_on() {
    let rig = Rig::start();
    for path in PATHS {
        let length = with_key(&format!("expect: 100-continue\r\ncontent-length: {LARGE}"));
        let mut stream = begun(&rig, path, &length).await;
        let (status, text) = answer(&mut stream).await;
        assert_eq!(status, 413, "{path:?} {text}");
    }
}

#[tokio::test]
async fn a_request_without_a_key_gets_its_answer_however_large_it_is() {
    let rig = Rig::start();
    for path in PATHS {
        let mut stream = begun(&rig, path, &format!("content-length: {LARGE}\r\n")).await;
        write_rest(&mut stream, false).await;
        let (status, text) = answer(&mut stream).await;
        assert_eq!(status, 401, "{path:?} {text}");
    }
}

/// Uploads a recording of 24 MiB without holding it; gives the answer's status.
async fn upload(rig: &Rig, path: &str) -> u16 {
    let head = format!(
        "--BOUNDARY\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n{FORM}"
    );
    let tail = "\r\n--BOUNDARY--\r\n";
    let length = head.len() + (24 << 20) + tail.len();
    let kind = "multipart/form-data; boundary=BOUNDARY";
    let length = with_key(&format!("content-length: {length}\r\nconnection: close"));
    let mut stream = begun(rig, (path, kind), &length).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..24 {
        stream.write_all(&piece).await.unwrap();
    }
    stream.write_all(tail.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_body_of_very_many_values_is_refused_by_every_dialect() {
    let rig = Rig::start();
    let list = vec![r#"{"role":"user","content":"a"}"#; 100_000].join(",");
    for (path, field) in [
        ("/v1/chat/completions", "messages"),
        ("/v1/responses", "input"),
        ("/v1/messages", "messages"),
        ("/v1/completions", "prompt"),
        ("/api/chat", "messages"),
        ("/v1/images/generations", "ignored"),
        ("/v1/videos", "ignored"),
        ("/v1/assistants", "metadata"),
    ] {
        let body = format!(r#"{{"model":"gpt-4o-mini","max_tokens":9,"{field}":[{list}]}}"#);
        let answer = rig.send(Method::POST, path, &AUTHORIZED, body).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        assert!(
            answer
                .text
                .contains(&format!("200000 JSON values: `{field}` has too many.")),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn memory_stays_flat_while_large_files_and_recordings_pass_through() {
    let rig = Rig::start();
    for path in ["/v1/files", "/v1/audio/transcriptions"] {
        upload(&rig, path).await;
        let before = rig.peak();
        for _ in 0..4 {
            let uploads = (0..5).map(|_| upload(&rig, path));
            let statuses = futures_util::future::join_all(uploads).await;
            assert_eq!(statuses, [200; 5], "{path}");
        }
        let grown = rig.peak() - before;
        assert!(grown < 24 << 10, "{path}: {grown} kB");
    }
}
