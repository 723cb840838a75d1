//! A client that hides nothing: what came over the wire, in which chunks, and whether it was
//! complete.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Options, Simulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A key that opens everything.
pub(crate) const KEY: &str = "a-good-key";

/// A simulator for one test.
pub(crate) fn start() -> Simulator {
    Simulator::start(Options::default()).expect("a free port")
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// Whether the body ended as its framing says it must.
    pub(crate) complete: bool,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// Name and data of each event; data lines joined, comments left out.
    pub(crate) fn events(&self) -> Vec<(String, String)> {
        let text = self.text().replace("\r\n", "\n");
        let mut events = Vec::new();
        for block in text.split("\n\n") {
            let field = |name: &str| -> Vec<String> {
                let lines = block
                    .lines()
                    .filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                lines
                    .map(|value| value.strip_prefix(' ').unwrap_or(value).to_owned())
                    .collect()
            };
            if let [name] = field("event").as_slice() {
                events.push((name.clone(), field("data").join("\n")));
            }
        }
        events
    }

    /// The names of the events, in order, neighbours of the same name given once.
    pub(crate) fn outline(&self) -> Vec<String> {
        let mut names: Vec<String> = self.events().into_iter().map(|event| event.0).collect();
        names.dedup();
        names
    }

    /// The deltas, without the empty one that comes first.
    pub(crate) fn deltas(&self) -> Vec<String> {
        let content = self
            .events()
            .into_iter()
            .filter(|event| event.0 == "content");
        let parsed = content.filter_map(|event| serde_json::from_str::<Value>(&event.1).ok());
        let texts = parsed.filter_map(|data| data["content"].as_str().map(str::to_owned));
        texts.filter(|delta| !delta.is_empty()).collect()
    }

    /// The record of the event `result`.
    pub(crate) fn result(&self) -> Value {
        let events = self.events();
        let (_, data) = events
            .iter()
            .find(|event| event.0 == "result")
            .expect("a result");
        serde_json::from_str(data).expect("JSON")
    }
}

/// The whole text of a record.
pub(crate) fn text_of(record: &Value) -> &str {
    record["aiRecord"]["aiRecordDetail"]["resultObject"][0]
        .as_str()
        .expect("a text")
}

/// A connection with a request on its way.
pub(crate) struct Call {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Call {
    pub(crate) async fn send(
        sim: &Simulator,
        head: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Self {
        let length = body.len().to_string();
        let mut call = Self::begin(sim.addr(), head, headers, &length).await;
        call.write(body).await;
        call
    }

    /// Sends the head of a request whose body is still to come.
    pub(crate) async fn begin(
        address: SocketAddr,
        head: &str,
        headers: &[(&str, &str)],
        length: &str,
    ) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let mut request = format!("{head} HTTP/1.1\r\nhost: sim\r\ncontent-length: {length}\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        stream.write_all(request.as_bytes()).await.expect("sent");
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Sends a piece of the body.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        assert!(self.try_write(bytes).await, "the connection broke");
    }

    /// The same; false if the connection broke or takes no more.
    pub(crate) async fn try_write(&mut self, bytes: &[u8]) -> bool {
        let sent = tokio::time::timeout(Duration::from_secs(5), self.stream.write_all(bytes));
        matches!(sent.await, Ok(Ok(())))
    }

    pub(crate) async fn chat(sim: &Simulator, streaming: bool, prompt: &str) -> Self {
        let body = json!({"type": "UNIFY_CHAT_WITH_AI", "model": "gpt-4o-mini", "promptObject": {"prompt": prompt}});
        Self::chat_body(sim, streaming, &body).await
    }

    pub(crate) async fn chat_body(sim: &Simulator, streaming: bool, body: &Value) -> Self {
        let head = if streaming {
            "POST /api/chat-with-ai?isStreaming=true"
        } else {
            "POST /api/chat-with-ai"
        };
        Self::send(sim, head, &[("API-KEY", KEY)], body.to_string().as_bytes()).await
    }

    /// Reads once and tells how many bytes came; 0 is a polite end.
    pub(crate) async fn read(&mut self) -> std::io::Result<usize> {
        self.stream.read(&mut [0; 4096]).await
    }

    /// Reads one network read's worth of bytes.
    pub(crate) async fn read_some(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 65_536];
        let length = self.stream.read(&mut buffer).await.unwrap_or(0);
        buffer.truncate(length);
        self.received.extend_from_slice(&buffer);
        buffer
    }

    /// Reads until the answer is over, the connection breaks or 1.5 seconds bring nothing.
    pub(crate) async fn reply(mut self) -> Option<Reply> {
        loop {
            let read = tokio::time::timeout(Duration::from_millis(1500), self.read_some()).await;
            let bytes = read.unwrap_or_default();
            if bytes.is_empty() {
                return parse(&self.received);
            }
            if let Some(reply) = parse(&self.received).filter(|reply| reply.complete) {
                return Some(reply);
            }
        }
    }
}

/// Sends a chat request and reads the answer.
pub(crate) async fn chat(sim: &Simulator, streaming: bool, prompt: &str) -> Reply {
    Call::chat(sim, streaming, prompt)
        .await
        .reply()
        .await
        .expect("an answer")
}

/// The same with a body of one's own.
pub(crate) async fn chat_body(sim: &Simulator, streaming: bool, body: &Value) -> Reply {
    Call::chat_body(sim, streaming, body)
        .await
        .reply()
        .await
        .expect("an answer")
}

/// Any other request, with a good key.
pub(crate) async fn send(sim: &Simulator, head: &str, body: &str) -> Reply {
    let headers = [("API-KEY", KEY), ("content-type", "application/json")];
    Call::send(sim, head, &headers, body.as_bytes())
        .await
        .reply()
        .await
        .expect("an answer")
}

/// Uploads a file.
pub(crate) async fn upload(
    sim: &Simulator,
    disposition: &str,
    mime: &str,
    content: &[u8],
) -> Reply {
    let mut body = format!(
        "--b0\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: {mime}\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--b0--\r\n");
    let headers = [
        ("API-KEY", KEY),
        ("content-type", "multipart/form-data; boundary=b0"),
    ];
    Call::send(sim, "POST /api/assets", &headers, &body)
        .await
        .reply()
        .await
        .expect("an answer")
}

fn parse(all: &[u8]) -> Option<Reply> {
    let end = all.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&all[..end]).expect("a head in ASCII");
    let status = head.split(' ').nth(1)?.parse().expect("a status");
    let pair = |line: &str| {
        line.split_once(": ")
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
    };
    let headers: BTreeMap<_, _> = head.lines().skip(1).filter_map(pair).collect();
    let rest = &all[end + 4..];
    let (body, complete) = match headers.get("content-length") {
        Some(length) => (
            rest.to_vec(),
            rest.len() == length.parse::<usize>().expect("a length"),
        ),
        None if headers.contains_key("transfer-encoding") => dechunk(rest),
        None => (rest.to_vec(), matches!(status, 204)),
    };
    Some(Reply {
        status,
        headers,
        body,
        complete,
    })
}

fn dechunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).expect("a chunk size");
        let size = usize::from_str_radix(size, 16).expect("a chunk size");
        if size == 0 {
            return (body, true);
        }
        let data = &rest[end + 2..];
        body.extend_from_slice(&data[..size.min(data.len())]);
        rest = data.get(size + 2..).unwrap_or_default();
    }
    (body, false)
}

/// Uploads a small file of that kind and returns its key.
pub(crate) async fn uploaded(
    sim: &Simulator,
    filename: &str,
    mime: &str,
    content: &[u8],
) -> String {
    let disposition = format!("name=\"asset\"; filename=\"{filename}\"");
    let reply = upload(sim, &disposition, mime, content).await;
    let key = reply.json()["fileContent"]["path"].clone();
    key.as_str().expect("a key").to_owned()
}

/// Asks for a feature.
pub(crate) async fn feature(sim: &Simulator, body: &Value) -> Reply {
    send(sim, "POST /api/features", &body.to_string()).await
}

/// Fetches a link of the simulator's.
pub(crate) async fn fetch(sim: &Simulator, url: &str) -> Reply {
    let path = url.strip_prefix("http://sim").unwrap_or(url);
    Call::send(sim, &format!("GET {path}"), &[], b"")
        .await
        .reply()
        .await
        .expect("an answer")
}
