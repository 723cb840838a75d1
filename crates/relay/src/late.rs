//! Streams whose events come late and all at once: signs of life go before them, so that no proxy
//! takes a job of minutes for a dead connection.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use translate::dialect::openai::error;
use translate::failure::{Failure, Kind};

use crate::respond;

/// A comment, which no client reads.
const SIGN_OF_LIFE: Bytes = Bytes::from_static(b": keep-alive\n\n");

type Making = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>>;

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
    heartbeat: Duration,
    making: impl Future<Output = Result<Response, Failure>> + Send + 'static,
) -> Result<Response, Failure> {
    let mut making: Making = Box::pin(making);
    if heartbeat.is_zero() {
        return making.await;
    }
    if let Ok(made) = tokio::time::timeout(heartbeat, &mut making).await {
        return made;
    }
    let first = stream::iter([Ok::<_, Infallible>(SIGN_OF_LIFE)]);
    let rest = stream::unfold(State::Waiting(making), move |state| next(state, heartbeat));
    Ok(respond::events(Body::from_stream(first.chain(rest))))
}

async fn next(state: State, heartbeat: Duration) -> Option<(Result<Bytes, Infallible>, State)> {
    match state {
        State::Waiting(mut making) => match tokio::time::timeout(heartbeat, &mut making).await {
            Err(_) => Some((Ok(SIGN_OF_LIFE), State::Waiting(making))),
            Ok(Ok(made)) => pass(made.into_body().into_data_stream()).await,
            Ok(Err(failure)) => Some(fail(&failure)),
        },
        State::Passing(body) => pass(body).await,
        State::Over => None,
    }
}

async fn pass(mut body: BodyDataStream) -> Option<(Result<Bytes, Infallible>, State)> {
    match body.next().await? {
        Ok(bytes) => Some((Ok(bytes), State::Passing(body))),
        Err(_) => Some(fail(&Failure::new(Kind::Upstream, "The answer broke off."))),
    }
}

/// The end of a stream that failed, as OpenAI's SDKs raise it.
fn fail(failure: &Failure) -> (Result<Bytes, Infallible>, State) {
    tracing::warn!(reason = %failure.message, detail = failure.detail, "a stream failed after it had begun");
    let mut event = b"event: error\ndata: ".to_vec();
    event.extend_from_slice(&error::object(failure));
    event.extend_from_slice(b"\n\n");
    (Ok(event.into()), State::Over)
}
