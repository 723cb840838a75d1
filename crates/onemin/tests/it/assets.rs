//! Uploads.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use onemin::assets::{Asset, Upload};
use onemin::{Error, RefusalKind, TransportKind};

use super::server::{Server, json};
use super::{client, fixture, key};

/// So many frames of so many bytes; an error at the end if wanted.
struct Source {
    frames: usize,
    size: usize,
    fails: bool,
}

impl Body for Source {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.frames > 0 {
            self.frames -= 1;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'x'; self.size])))));
        }
        let error = || std::io::Error::other("the client has left");
        Poll::Ready(self.fails.then(|| Err(error())))
    }
}

async fn stored(name: &str) -> Result<Asset, Error> {
    let server = Server::with(vec![vec![json(200, &fixture(name))]]).await;
    let upload = Upload::from_bytes(
        "cat.png".into(),
        "image/png".into(),
        Bytes::from_static(b"bytes"),
    );
    client(&server).upload(&key(), upload).await
}

#[tokio::test]
async fn a_file_is_sent_as_it_was_captured() {
    let server = Server::with(vec![vec![json(
        200,
        &fixture("asset-upload-image.response.json"),
    )]])
    .await;
    let upload = Upload::from_bytes(
        "cat.png".into(),
        "image/png".into(),
        Bytes::from_static(b"<binary bytes>"),
    );
    client(&server).upload(&key(), upload).await.unwrap();
    let asked = &server.asked()[0];
    assert!(asked.head.starts_with("POST /api/assets HTTP/1.1\r\n"));
    assert_eq!(asked.header("api-key"), Some("test-key-1234"));
    let boundary = asked
        .header("content-type")
        .unwrap()
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    let captured = String::from_utf8(fixture("asset-upload.request.http"))
        .unwrap()
        .replace("\r\n", "\n");
    let (_, captured) = captured.split_once("\n\n").unwrap();
    let expected = captured
        .trim_end()
        .replace("----relay", boundary)
        .replace('\n', "\r\n");
    assert_eq!(
        String::from_utf8(asked.body.clone()).unwrap().trim_end(),
        expected
    );
}

#[tokio::test]
async fn every_captured_answer_says_where_the_file_is() {
    for (name, path, uuid, size, tokens) in [
        (
            "asset-upload-image.response.json",
            "images/2026_10_10_12_00_00_101_cat.png",
            "11d0c1f4-9a0e-4d7c-8a55-1b2c3d4e5f60",
            45_228,
            0,
        ),
        (
            "asset-upload-pdf.response.json",
            "documents/2026_10_10_12_00_00_101_report.pdf",
            "a4d2c6e8-1357-4bdf-8ace-02468ace1344",
            210_044,
            1204,
        ),
        (
            "asset-upload-audio.response.json",
            "audios/2026_10_10_12_00_00_101_note.mp3",
            "2f6e7d8c-9b0a-4c1d-8e2f-3a4b5c6d7e81",
            38_110,
            0,
        ),
    ] {
        let asset = stored(name).await.unwrap();
        assert_eq!(
            (asset.image_reference(), asset.file_reference()),
            (path, uuid),
            "{name}"
        );
        assert_eq!(
            (asset.size, asset.tokens),
            (Some(size), Some(tokens)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_large_file_streams_through_with_and_without_a_known_length() {
    let (frames, size) = (64, 65_536);
    for length in [None, Some((frames * size) as u64)] {
        let server = Server::with(vec![vec![json(
            200,
            &fixture("asset-upload-image.response.json"),
        )]])
        .await;
        let source = Source {
            frames,
            size,
            fails: false,
        };
        let upload = Upload::from_body("big".into(), "image/png".into(), length, source);
        client(&server).upload(&key(), upload).await.unwrap();
        let asked = &server.asked()[0];
        assert_eq!(asked.header("content-length").is_some(), length.is_some());
        assert!(asked.body.len() > frames * size);
        assert!(String::from_utf8_lossy(&asked.body[..300]).contains("filename=\"big.png\""));
    }
}

#[tokio::test]
async fn markdown_goes_as_plain_text() {
    let server = Server::with(vec![vec![json(
        200,
        &fixture("asset-upload-pdf.response.json"),
    )]])
    .await;
    let upload = Upload::from_bytes(
        "notes.md".into(),
        "text/markdown".into(),
        Bytes::from_static(b"# hi"),
    );
    client(&server).upload(&key(), upload).await.unwrap();
    let sent = String::from_utf8(server.asked()[0].body.clone()).unwrap();
    assert!(
        sent.contains("filename=\"notes.txt\"\r\nContent-Type: text/plain\r\n\r\n# hi\r\n"),
        "{sent}"
    );
}

#[tokio::test]
async fn a_source_that_fails_is_told_apart_from_a_connection_that_breaks() {
    let server = Server::with(vec![vec![json(
        200,
        &fixture("asset-upload-image.response.json"),
    )]])
    .await;
    let source = Source {
        frames: 3,
        size: 10,
        fails: true,
    };
    let upload = Upload::from_body("a.png".into(), "image/png".into(), None, source);
    match client(&server).upload(&key(), upload).await {
        Err(Error::Transport(error)) => assert_eq!(error.kind, TransportKind::Source),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refused_file_is_a_refusal() {
    let server = Server::with(vec![vec![json(
        400,
        &fixture("err-400-unsupported-file-type.json"),
    )]])
    .await;
    let empty = http_body_util::Empty::<Bytes>::new();
    let upload = Upload::from_body("a.xyz".into(), "application/x-xyz".into(), Some(0), empty);
    match client(&server).upload(&key(), upload).await {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.kind, RefusalKind::UnsupportedFile),
        other => panic!("{other:?}"),
    }
}
