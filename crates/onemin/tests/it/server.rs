//! A server that answers the nth request with the nth reply, byte for byte, and remembers what it
//! was asked.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// One step of a reply.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Write these bytes.
    Send(Vec<u8>),
    /// Write nothing for a while.
    Wait(Duration),
    /// Write nothing until the client closes the connection.
    Hang,
    /// Close the connection.
    Close,
}

/// What the server was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// The number of the connection it came by.
    pub(crate) connection: usize,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .filter(|(of, _)| of.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .next()
    }
}

pub(crate) struct Server {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    replies: Vec<Vec<Step>>,
    asked: Mutex<Vec<Asked>>,
    left: watch::Sender<Option<Instant>>,
}

impl Server {
    /// A server with these replies; the last one repeats.
    pub(crate) async fn with(replies: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            replies,
            asked: Mutex::default(),
            left: watch::channel(None).0,
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((socket, _)) = listener.accept().await else {
                    return;
                };
                let shared = Arc::clone(&serving);
                tokio::spawn(async move { shared.serve(socket, connection).await });
            }
        });
        Self { port, shared }
    }

    pub(crate) fn url(&self) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}", self.port)).unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn has_been_asked(&self, times: usize) {
        while self.asked().len() < times {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until a client closes a connection on which the server hangs.
    pub(crate) async fn client_has_left(&self) -> Instant {
        let mut left = self.shared.left.subscribe();
        left.wait_for(Option::is_some).await.unwrap().unwrap()
    }
}

impl Shared {
    async fn serve(&self, mut socket: TcpStream, connection: usize) {
        let mut pending = Vec::new();
        while let Some((head, body)) = request(&mut socket, &mut pending).await {
            let number = {
                let mut asked = self.asked.lock().unwrap();
                asked.push(Asked {
                    head,
                    body,
                    connection,
                });
                asked.len() - 1
            };
            let reply = self.replies.get(number).or(self.replies.last()).unwrap();
            for step in reply {
                match step {
                    Step::Send(bytes) => {
                        if socket.write_all(bytes).await.is_err() {
                            return;
                        }
                    }
                    Step::Wait(time) => tokio::time::sleep(*time).await,
                    Step::Close => return,
                    Step::Hang => {
                        while socket
                            .read_buf(&mut pending)
                            .await
                            .is_ok_and(|read| read > 0)
                        {}
                        self.left.send_replace(Some(Instant::now()));
                        return;
                    }
                }
            }
        }
    }
}

/// Reads one request: its head, and its body by length or by chunks.
async fn request(socket: &mut TcpStream, pending: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = read_until(socket, pending, b"\r\n\r\n").await?;
    let head = String::from_utf8(pending.drain(..end).collect()).unwrap();
    let small = head.to_ascii_lowercase();
    let body = if small.contains("transfer-encoding: chunked") {
        let mut body = Vec::new();
        loop {
            let end = read_until(socket, pending, b"\r\n").await?;
            let size: Vec<u8> = pending.drain(..end).collect();
            let size = usize::from_str_radix(String::from_utf8(size).unwrap().trim(), 16).unwrap();
            read_to(socket, pending, size + 2).await?;
            body.extend(pending.drain(..size + 2).take(size));
            if size == 0 {
                break body;
            }
        }
    } else {
        let length = small
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length = length.map_or(0, |length| length.trim().parse().unwrap());
        read_to(socket, pending, length).await?;
        pending.drain(..length).collect()
    };
    Some((head, body))
}

async fn read_until(socket: &mut TcpStream, pending: &mut Vec<u8>, mark: &[u8]) -> Option<usize> {
    loop {
        if let Some(at) = pending
            .windows(mark.len())
            .position(|window| window == mark)
        {
            return Some(at + mark.len());
        }
        read_to(socket, pending, pending.len() + 1).await?;
    }
}

async fn read_to(socket: &mut TcpStream, pending: &mut Vec<u8>, length: usize) -> Option<()> {
    while pending.len() < length {
        let read = socket.read_buf(pending).await.ok()?;
        (read > 0).then_some(())?;
    }
    Some(())
}

/// A whole response.
pub(crate) fn response(status: u16, headers: &str, body: &[u8]) -> Step {
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    Step::Send([head.as_bytes(), body].concat())
}

pub(crate) fn json(status: u16, body: &[u8]) -> Step {
    response(
        status,
        "content-type: application/json; charset=utf-8\r\n",
        body,
    )
}

/// The head of a streamed response.
pub(crate) fn events() -> Step {
    Step::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec(),
    )
}

/// One chunk of a streamed response.
pub(crate) fn chunk(bytes: impl AsRef<[u8]>) -> Step {
    let bytes = bytes.as_ref();
    Step::Send([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
}

/// The last chunk.
pub(crate) fn last_chunk() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}
