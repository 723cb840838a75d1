//! The floor: the least that a translation on hyper costs. It reads an `OpenAI` request, writes
//! upstream's, and answers in `OpenAI`'s shape, whole or streamed; it checks, counts, logs and bounds
//! nothing, and every client connection has an upstream connection of its own. A stream's events are
//! spliced: each text goes on as the bytes that it came as, and what one read brought leaves in one write.
//!
//! `floor LISTEN UPSTREAM`, both host and port.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use load::{Failure, connect};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    #[serde(default)]
    stream: bool,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

#[derive(Serialize)]
struct Forwarded<'a> {
    r#type: &'static str,
    model: &'a str,
    #[serde(rename = "promptObject")]
    prompt: Prompt<'a>,
}

#[derive(Serialize)]
struct Prompt<'a> {
    prompt: &'a str,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(rename = "aiRecord", borrow)]
    record: Record<'a>,
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(rename = "aiRecordDetail", borrow)]
    detail: Detail<'a>,
}

#[derive(Deserialize)]
struct Detail<'a> {
    #[serde(rename = "resultObject", borrow)]
    texts: [Cow<'a, str>; 1],
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(upstream)) = (arguments.next(), arguments.next()) else {
        return Err("floor LISTEN UPSTREAM".into());
    };
    let listener = TcpListener::bind(listen).await?;
    let upstream: Arc<str> = upstream.into();
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, upstream.clone()));
    }
}

async fn serve(stream: TcpStream, upstream: Arc<str>) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let host = HeaderValue::from_str(&upstream)?;
    let sender = Arc::new(Mutex::new(connect(&upstream).await?));
    let service = service_fn(move |request| {
        let (sender, host) = (sender.clone(), host.clone());
        async move {
            let answered = answer(request, &mut *sender.lock().await, host).await;
            answered.map_err(std::io::Error::other)
        }
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    Ok(serving.await?)
}

async fn answer(
    request: Request<Incoming>,
    sender: &mut SendRequest<Full<Bytes>>,
    host: HeaderValue,
) -> Result<Response<Either<Full<Bytes>, Events>>, Failure> {
    let key = request.headers().get("authorization").cloned();
    let asked = request.into_body().collect().await?.to_bytes();
    let asked: Asked = serde_json::from_slice(&asked)?;
    let mut forwarded = Request::new(Full::from(translated(&asked)?));
    *forwarded.method_mut() = Method::POST;
    *forwarded.uri_mut() = Uri::from_static(if asked.stream {
        "/api/chat-with-ai?isStreaming=true"
    } else {
        "/api/chat-with-ai"
    });
    let headers = forwarded.headers_mut();
    headers.insert(HOST, host);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert("api-key", key.ok_or("no key")?);
    sender.ready().await?;
    let answered = sender.send_request(forwarded).await?;
    if asked.stream {
        let events = Events {
            upstream: answered.into_body(),
            rest: Vec::new(),
        };
        let mut response = Response::new(Either::Right(events));
        response.headers_mut().insert(CONTENT_TYPE, EVENTS);
        return Ok(response);
    }
    let answered = answered.into_body().collect().await?.to_bytes();
    let mut response = Response::new(Either::Left(Full::from(document(&answered)?)));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    Ok(response)
}

/// Upstream's events as `OpenAI`'s.
struct Events {
    upstream: Incoming,
    /// The beginning of an event whose end has not come.
    rest: Vec<u8>,
}

impl Body for Events {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut out = Vec::new();
        loop {
            let frame = match Pin::new(&mut self.upstream).poll_frame(cx) {
                Poll::Pending if !out.is_empty() => break,
                frame => ready!(frame),
            };
            match frame {
                None if out.is_empty() => return Poll::Ready(None),
                None => break,
                Some(frame) => {
                    if let Ok(bytes) = frame?.into_data() {
                        self.take(&bytes, &mut out);
                    }
                }
            }
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(out)))))
    }

    fn is_end_stream(&self) -> bool {
        self.upstream.is_end_stream()
    }
}

impl Events {
    fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut joined = std::mem::take(&mut self.rest);
        let mut left = if joined.is_empty() {
            bytes
        } else {
            joined.extend_from_slice(bytes);
            &joined
        };
        while let Some(end) = memchr::memmem::find(left, b"\n\n") {
            write_event(&left[..end], out);
            left = &left[end + 2..];
        }
        self.rest = left.to_vec();
    }
}

fn write_event(event: &[u8], out: &mut Vec<u8>) {
    if let Some(text) = event.strip_prefix(b"event: content\ndata: {\"content\":")
        && let Some(text) = text.strip_suffix(b"}")
    {
        out.extend_from_slice(CHUNK_BEGIN);
        out.extend_from_slice(text);
        out.extend_from_slice(b"}}]}\n\n");
    } else if event.starts_with(b"event: done") {
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

/// What an event has before its text.
const CHUNK_BEGIN: &[u8] = br#"data: {"id":"chatcmpl-0123456789abcdef0123456789abcdef","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"#;

fn translated(asked: &Asked) -> Result<Vec<u8>, Failure> {
    let length = asked.messages.iter().map(|message| message.content.len() + 16).sum();
    let mut prompt = String::with_capacity(length);
    for message in &asked.messages {
        prompt.push_str(&message.role);
        prompt.push_str(": ");
        prompt.push_str(&message.content);
        prompt.push_str("\n\n");
    }
    let mut bytes = Vec::with_capacity(prompt.len() + prompt.len() / 16 + 256);
    let forwarded = Forwarded {
        r#type: "UNIFY_CHAT_WITH_AI",
        model: &asked.model,
        prompt: Prompt { prompt: &prompt },
    };
    serde_json::to_writer(&mut bytes, &forwarded)?;
    Ok(bytes)
}

fn document(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let answer: Answer = serde_json::from_slice(body)?;
    let [text] = &answer.record.detail.texts;
    Ok(serde_json::to_vec(&serde_json::json!({
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": text}}],
    }))?)
}
