//! Answers whose bytes come while the request lasts: its record ends with the last of them, and a
//! failure on the way reaches the client and the log.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use http::header;
use http_body::{Body as _, Frame, SizeHint};
use translate::dialect::openai::error;
use translate::failure::{Failure, Kind};

use crate::http::reply;
use crate::observe::RequestLog;

/// Why a body ends early, for its client and its record.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Broken(pub Failure);

/// Ends the record when the answer's last byte has gone.
#[must_use]
pub fn answer(response: Response, mut record: RequestLog) -> Response {
    let left = reply::announced(response.headers());
    if left == Some(0) || response.body().size_hint().exact().is_some() {
        record.done();
        return response;
    }
    let (head, body) = response.into_parts();
    let recorded = Recorded {
        left,
        events: are_events(&head.headers),
        body: Some(body),
        record,
    };
    Response::from_parts(head, Body::new(recorded))
}

fn are_events(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

struct Recorded {
    /// None once it has ended.
    body: Option<Body>,
    /// What is still to come of the length that the client was told: nobody asks for more.
    left: Option<u64>,
    events: bool,
    record: RequestLog,
}

impl Recorded {
    fn passed(&mut self, frame: &Frame<Bytes>) {
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.left = self.left.map(|left| left.saturating_sub(bytes));
        if self.left == Some(0) {
            self.record.done();
        }
    }

    /// The end of a stream of events that failed, as OpenAI's SDKs raise it.
    fn fail(&mut self, broken: axum::Error) -> Result<Frame<Bytes>, axum::Error> {
        let failure = failure(&broken);
        self.record.failed(&failure);
        if !self.events {
            return Err(broken);
        }
        let mut event = b"event: error\ndata: ".to_vec();
        event.extend_from_slice(&error::object(&failure));
        event.extend_from_slice(b"\n\n");
        Ok(Frame::data(event.into()))
    }
}

/// What a body said when it broke.
fn failure(broken: &axum::Error) -> Failure {
    let first: &(dyn Error + 'static) = broken;
    std::iter::successors(Some(first), |&error| error.source())
        .find_map(|error| error.downcast_ref::<Broken>())
        .map_or_else(
            || {
                Failure::new(Kind::Upstream, "The answer broke off.")
                    .with_detail(broken.to_string())
            },
            |Broken(failure)| failure.clone(),
        )
}

impl http_body::Body for Recorded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        match std::task::ready!(Pin::new(body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                self.passed(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(broken)) => {
                self.body = None;
                Poll::Ready(Some(self.fail(broken)))
            }
            None => {
                self.body = None;
                self.record.done();
                Poll::Ready(None)
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map(SizeHint::with_exact).unwrap_or_default()
    }
}
