//! A large upload is sent as it comes: while nobody reads it, nobody holds it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use onemin::assets::Upload;
use onemin::{Client, Options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use super::{fixture, key, millis};

const FRAME: usize = 64 * 1024;
const FRAMES: usize = 1024;
const FILE: usize = FRAME * FRAMES;

/// What the system's own buffers of a connection may take.
const BETWEEN: usize = 16 * 1024 * 1024;

/// A file of 64 MB that counts what is taken of it.
struct Counting {
    left: usize,
    taken: Arc<AtomicUsize>,
}

impl Body for Counting {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.taken.fetch_add(FRAME, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'x'; FRAME])))))
    }
}

/// Reads the head, stops for a while and tells what was taken by then, reads on, and answers.
async fn slow_reader(listener: TcpListener, taken: Arc<AtomicUsize>) -> (usize, usize) {
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut buffer = vec![0; FRAME];
    let mut read = socket.read(&mut buffer).await.unwrap();
    tokio::time::sleep(millis(300)).await;
    let taken_unread = taken.load(Ordering::SeqCst);
    let mut end = Vec::new();
    // A body of known length ends in the form's own end, another one in the last chunk.
    while !end.ends_with(b"--\r\n") && !end.ends_with(b"\r\n0\r\n\r\n") {
        let now = socket.read(&mut buffer).await.unwrap();
        assert!(now > 0, "the client left after {read}");
        read += now;
        end.extend(buffer.iter().take(now));
        let past = end.len().saturating_sub(16);
        end.drain(..past);
    }
    let body = fixture("asset-upload-image.response.json");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    socket
        .write_all(&[head.as_bytes(), &body].concat())
        .await
        .unwrap();
    (taken_unread, read)
}

#[tokio::test]
async fn sixty_four_megabytes_of_known_and_unknown_length_are_never_held() {
    for length in [Some(FILE as u64), None] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let taken = Arc::new(AtomicUsize::new(0));
        let reading = tokio::spawn(slow_reader(listener, Arc::clone(&taken)));
        let body = Counting {
            left: FRAMES,
            taken,
        };
        let upload = Upload::from_body("big.png".into(), "image/png".into(), length, body);
        let client = Client::new(Options {
            base_url,
            ..Options::default()
        })
        .unwrap();
        client.upload(&key(), upload).await.unwrap();
        let (taken_unread, read) = reading.await.unwrap();
        assert!(
            taken_unread < BETWEEN,
            "{taken_unread} bytes were taken while nobody read"
        );
        assert!(read > FILE, "{read}");
    }
}
