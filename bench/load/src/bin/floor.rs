//! The floor: the least that a translation on hyper costs. It reads an `OpenAI` request, writes
//! upstream's, and answers in `OpenAI`'s shape; it checks, counts, logs and bounds nothing, and
//! every client connection has an upstream connection of its own.
//!
//! `floor LISTEN UPSTREAM`, both host and port.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use load::{Failure, connect};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
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
) -> Result<Response<Full<Bytes>>, Failure> {
    let key = request.headers().get("authorization").cloned();
    let asked = request.into_body().collect().await?.to_bytes();
    let mut forwarded = Request::new(Full::from(translated(&asked)?));
    *forwarded.method_mut() = Method::POST;
    *forwarded.uri_mut() = Uri::from_static("/api/chat-with-ai");
    let headers = forwarded.headers_mut();
    headers.insert(HOST, host);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert("api-key", key.ok_or("no key")?);
    sender.ready().await?;
    let answered = sender.send_request(forwarded).await?;
    let answered = answered.into_body().collect().await?.to_bytes();
    let mut response = Response::new(Full::from(document(&answered)?));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    Ok(response)
}

fn translated(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let asked: Asked = serde_json::from_slice(body)?;
    let mut prompt = String::with_capacity(body.len());
    for message in &asked.messages {
        prompt.push_str(&message.role);
        prompt.push_str(": ");
        prompt.push_str(&message.content);
        prompt.push_str("\n\n");
    }
    let mut bytes = Vec::with_capacity(body.len() + 256);
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
