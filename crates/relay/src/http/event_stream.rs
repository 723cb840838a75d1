//! Streams whose events come late and all at once: signs of life go before them, so that no proxy
//! takes a job of minutes for a dead connection.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::HeaderMap;
use serde_json::{Map, Number, Value};
use translate::dialect::openai::KEEPALIVE_COMMENT;
use translate::failure::Failure;

use crate::http::logged_body::Broken;
use crate::http::reply;

/// The silence after which an event stream gets a comment that shows that it is alive; zero is
/// never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat(pub Duration);

type Making = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>>;

type Piece = Result<Bytes, axum::Error>;

enum State {
    Waiting(Making),
    Passing(BodyDataStream),
    Over,
}

/// The answer that is being made if it comes within `heartbeat`, with its status and headers; else
/// a stream that waits for it. Dropping either drops the work. A heartbeat of zero is none.
///
/// # Errors
/// What failed before anything was sent.
pub async fn events(
    heartbeat: Heartbeat,
    making: impl Future<Output = Result<Response, Failure>> + Send + 'static,
) -> Result<Response, Failure> {
    let Heartbeat(heartbeat) = heartbeat;
    let mut making: Making = Box::pin(making);
    if heartbeat.is_zero() {
        return making.await;
    }
    if let Ok(made) = tokio::time::timeout(heartbeat, &mut making).await {
        return made;
    }
    let first = stream::iter([Ok(sign_of_life())]);
    let rest = stream::unfold(State::Waiting(making), move |state| next(state, heartbeat));
    Ok(reply::events(Body::from_stream(first.chain(rest))))
}

async fn next(state: State, heartbeat: Duration) -> Option<(Piece, State)> {
    match state {
        State::Waiting(mut making) => match tokio::time::timeout(heartbeat, &mut making).await {
            Err(_) => Some((Ok(sign_of_life()), State::Waiting(making))),
            Ok(Ok(made)) => {
                let told = too_late_for_headers(made.headers());
                let body = made.into_body().into_data_stream();
                match told {
                    Some(told) => Some((Ok(told), State::Passing(body))),
                    None => pass(body).await,
                }
            }
            Ok(Err(failure)) => Some((Err(axum::Error::new(Broken(failure))), State::Over)),
        },
        State::Passing(body) => pass(body).await,
        State::Over => None,
    }
}

fn sign_of_life() -> Bytes {
    Bytes::from_static(KEEPALIVE_COMMENT)
}

async fn pass(mut body: BodyDataStream) -> Option<(Piece, State)> {
    Some((body.next().await?, State::Passing(body)))
}

/// What the answer's own headers would have told, as the comment that chat's streams have.
fn too_late_for_headers(headers: &HeaderMap) -> Option<Bytes> {
    let told = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-relay-")?;
        let value = value.to_str().ok()?;
        let credits = (name == "credits").then(|| value.parse::<Number>().ok());
        let value = credits
            .flatten()
            .map_or_else(|| value.into(), Value::Number);
        Some((name.to_owned(), value))
    });
    let told: Map<String, Value> = told.collect();
    (!told.is_empty()).then(|| reply::comment(Value::from(told)).into())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_headers_cannot_tell_any_more_is_a_comment() {
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", HeaderValue::from_static("no-cache"));
        assert_eq!(too_late_for_headers(&headers), None);
        headers.insert("x-relay-credits", HeaderValue::from_static("4800.5"));
        headers.insert("x-relay-ignored", HeaderValue::from_static("seed, n"));
        let told = too_late_for_headers(&headers).unwrap();
        let comment = ": x-relay {\"credits\":4800.5,\"ignored\":\"seed, n\"}\n";
        assert_eq!(told, comment);
    }
}
