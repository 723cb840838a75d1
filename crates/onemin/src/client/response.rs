//! Responses of 1min.ai: refusals told from success, bodies read whole within bounds.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use url::Url;

use crate::chat::{Answer, Reader};
use crate::clock;
use crate::drift;
use crate::error::{Error, ProtocolError, TransportError, TransportKind};
use crate::facts::Fact;
use crate::refusal::{self, Refusal};
use crate::repaired_json::repaired;
use crate::transport::Body;

/// The largest body of a refusal that is read, in bytes.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// Lets a response pass that reports success, and reads any other as a refusal.
pub(super) async fn accepted(response: Response<Body>) -> Result<Response<Body>, Error> {
    let status = response.status();
    if status.is_success() {
        return readable(response);
    }
    let led = status.is_redirection().then(|| led_to(&response)).flatten();
    let wait = response.headers().get(RETRY_AFTER);
    let wait = wait.and_then(|value| refusal::retry_after(value.as_bytes(), clock::now()));
    if status == StatusCode::TOO_MANY_REQUESTS && wait.is_none() {
        drift::count(Fact::RateLimited);
    }
    // Seldom needed: the future of a response that reports success has no room for it.
    let body = Box::pin(beginning(response.into_body(), REFUSAL_BYTES_MAX)).await;
    let mut refusal = Refusal::from_body(Some(status.as_u16()), &body);
    refusal.retry_after = wait;
    if let Some(host) = led {
        refusal.message = format!("the request was sent on to {host}, which is not followed");
    }
    Err(refusal.into())
}

/// Lets a response pass whose bytes are what they say.
fn readable(response: Response<Body>) -> Result<Response<Body>, Error> {
    let encoding = response.headers().get(CONTENT_ENCODING);
    let encoding = encoding.map(|value| value.as_bytes().to_ascii_lowercase());
    match encoding.as_deref().map(<[u8]>::trim_ascii) {
        Some(b"gzip" | b"x-gzip" | b"deflate" | b"br" | b"zstd" | b"compress") => Err(
            ProtocolError::Malformed("it is compressed, although that was not asked for").into(),
        ),
        _ => Ok(response),
    }
}

/// The host that a redirection leads to.
fn led_to(response: &Response<Body>) -> Option<String> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    Some(Url::parse(location).ok()?.host_str()?.to_owned())
}

/// As much of a body as comes, up to a bound: the status has already said what matters.
async fn beginning(mut body: Body, bound: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < bound {
        let Some(Ok(next)) = body.next().await else {
            break;
        };
        bytes.extend_from_slice(&next);
    }
    bytes.truncate(bound);
    bytes
}

/// A whole JSON document.
pub(super) async fn document(body: Body, bound: usize, idle: Duration) -> Result<Vec<u8>, Error> {
    let bytes = collect(body, bound, idle).await?;
    Ok(match repaired(&bytes) {
        Cow::Borrowed(sound) if sound.len() == bytes.len() => bytes,
        repaired => repaired.into_owned().into_bytes(),
    })
}

/// The next bytes of a body that is read whole, within the limit between two reads.
async fn next(body: &mut Body, idle: Duration) -> Result<Option<Bytes>, Error> {
    match tokio::time::timeout(idle, body.next()).await {
        Ok(next) => Ok(next.transpose()?),
        Err(_) => Err(TransportError::new(TransportKind::IdleTimeout).into()),
    }
}

pub(super) async fn collect(
    mut body: Body,
    bound: usize,
    idle: Duration,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(next) = next(&mut body, idle).await? {
        bytes.extend_from_slice(&next);
        if bytes.len() > bound {
            return Err(ProtocolError::BodyTooLarge(bound).into());
        }
    }
    Ok(bytes)
}

pub(super) async fn whole(response: Response<Body>, idle: Duration) -> Result<Answer, Error> {
    let mut reader = reader(&response);
    let mut body = response.into_body();
    let mut text = String::new();
    while let Some(bytes) = next(&mut body, idle).await? {
        if let Some(accounting) = reader.push(&bytes, &mut |piece| text.push_str(piece))? {
            body.finish();
            return Ok(Answer { text, accounting });
        }
    }
    let accounting = reader.end(&mut |piece| text.push_str(piece))?;
    Ok(Answer { text, accounting })
}

pub(super) fn reader(response: &Response<Body>) -> Reader {
    let content_type = response.headers().get(CONTENT_TYPE);
    let length = response.body().length();
    Reader::new(content_type.map(HeaderValue::as_bytes), length)
}
