//! Answers that are told only once they are stored: a client may take what it was told of for kept.
//! One that could not be stored says so.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http_body::Frame;
use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::http::reply;
use crate::objects::responses::Storing;

/// On an answer that should have been stored and was not.
const NOT_STORED: HeaderName = HeaderName::from_static("x-relay-not-stored");

/// Where the encoder of an answer leaves what the answer has to wait for.
#[derive(Clone, Default)]
pub(super) struct StoringSlot(Arc<Mutex<Option<Storing>>>);

impl StoringSlot {
    pub(super) fn set(&self, storing: Storing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(storing);
    }

    fn take(&self) -> Option<Storing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// An answer that waits for the store before its end is told.
pub(super) async fn answer(response: Response, slot: StoringSlot) -> Response {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
        return response.map(|body| Body::new(DurableEvents::new(body, slot)));
    }
    let Some(storing) = slot.take() else {
        return response;
    };
    if storing.await {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return Response::from_parts(head, Body::empty());
    };
    let body = not_stored(&body.to_bytes());
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers
        .insert(NOT_STORED, HeaderValue::from_static("true"));
    Response::from_parts(head, body.into())
}

/// Events of a response: the frame that ends it waits for the store.
struct DurableEvents {
    events: Body,
    slot: StoringSlot,
    held: Option<(Frame<Bytes>, Storing)>,
}

impl DurableEvents {
    fn new(events: Body, slot: StoringSlot) -> Self {
        Self {
            events,
            slot,
            held: None,
        }
    }
}

impl http_body::Body for DurableEvents {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.held.is_none() {
            let frame = match ready!(Pin::new(&mut self.events).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            match self.slot.take() {
                Some(storing) => self.held = Some((frame, storing)),
                None => return Poll::Ready(Some(Ok(frame))),
            }
        }
        let Some((frame, mut storing)) = self.held.take() else {
            return Poll::Ready(None);
        };
        match storing.as_mut().poll(cx) {
            Poll::Pending => {
                self.held = Some((frame, storing));
                Poll::Pending
            }
            Poll::Ready(true) => Poll::Ready(Some(Ok(frame))),
            Poll::Ready(false) => Poll::Ready(Some(Ok(
                frame.map_data(|events| events_not_stored(&events))
            ))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.events.is_end_stream()
    }
}

/// A response object that says that it is not stored.
fn not_stored(response: &[u8]) -> Bytes {
    let Ok(mut response) = serde_json::from_slice::<Value>(response) else {
        return Bytes::copy_from_slice(response);
    };
    if let Some(response) = response.as_object_mut() {
        response.insert("store".to_owned(), Value::Bool(false));
    }
    serde_json::to_vec(&response).unwrap_or_default().into()
}

/// Events whose response says that it is not stored, after a comment that says so, too.
fn events_not_stored(events: &[u8]) -> Bytes {
    let mut out = reply::comment(serde_json::json!({"not_stored": true})).into_bytes();
    for line in events.split_inclusive(|&byte| byte == b'\n') {
        let event = line.strip_prefix(b"data: ").and_then(|data| {
            let mut event: Value = serde_json::from_slice(data).ok()?;
            let response = event.get_mut("response")?.as_object_mut()?;
            response.insert("store".to_owned(), Value::Bool(false));
            serde_json::to_vec(&event).ok()
        });
        match event {
            Some(event) => {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(&event);
                out.push(b'\n');
            }
            None => out.extend_from_slice(line),
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_stored_says_so_and_nothing_else_changes() {
        let whole = not_stored(br#"{"id":"resp_1","store":true,"usage":{"n":1.50}}"#);
        assert_eq!(whole, r#"{"id":"resp_1","store":false,"usage":{"n":1.50}}"#);
        let events = b"event: response.output_text.done\ndata: {\"text\":\"\\\"store\\\":true\"}\n\n\
            event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\"}}\n\n";
        let changed = events_not_stored(events);
        let changed = std::str::from_utf8(&changed).unwrap();
        assert_eq!(
            changed,
            ": x-relay {\"not_stored\":true}\nevent: response.output_text.done\n\
             data: {\"text\":\"\\\"store\\\":true\"}\n\nevent: response.completed\n\
             data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"store\":false}}\n\n"
        );
    }
}
