//! Answers whose bytes come while the request lasts: its log line ends with the last of them, and
//! tells of a failure on the way. A client learns of it by a body that breaks off; of a stream of 1min.ai's
//! own events by a last event. The streams of events that the relay makes are
//! [`crate::http::event_stream`]'s.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header;
use http_body::{Body as _, Frame, SizeHint};
use onemin::native;
use translate::failure::{Failure, Kind};

use crate::http::{reply, shutdown};
use crate::observe::RequestLog;

/// Why a body ends early, for the log.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct BodyError(pub Failure);

/// Ends the log when the answer's last byte has gone.
#[must_use]
pub fn answer(response: Response, mut log: RequestLog) -> Response {
    let left = reply::announced(response.headers());
    if left == Some(0) || response.body().size_hint().exact().is_some() {
        log.done();
        return response;
    }
    let (head, body) = response.into_parts();
    let kind = head.headers.get(header::CONTENT_TYPE);
    let body = LoggedBody {
        left,
        has_events: kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")),
        body: Some(body),
        log,
    };
    Response::from_parts(head, Body::new(body))
}

struct LoggedBody {
    /// None once it has ended.
    body: Option<Body>,
    /// What is still to come of the length that the client was told: nobody asks for more.
    left: Option<u64>,
    /// Whether it is a stream of 1min.ai's events.
    has_events: bool,
    log: RequestLog,
}

impl LoggedBody {
    fn passed(&mut self, frame: &Frame<Bytes>) {
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.left = self.left.map(|left| left.saturating_sub(bytes));
        if self.left == Some(0) {
            self.log.done();
        }
    }
}

impl LoggedBody {
    /// Ends a body that broke, and gives what its client gets last.
    fn broke(&mut self, broken: axum::Error) -> Result<Frame<Bytes>, axum::Error> {
        self.body = None;
        let failure = failure(&broken);
        self.log.failed(&failure);
        if self.has_events && self.left.is_none() {
            return Ok(Frame::data(native::error_event(&failure.message).into()));
        }
        Err(broken)
    }
}

/// What a body said when it broke.
fn failure(broken: &axum::Error) -> Failure {
    let first: &(dyn Error + 'static) = broken;
    std::iter::successors(Some(first), |&error| error.source())
        .find_map(|error| error.downcast_ref::<BodyError>())
        .map_or_else(
            || {
                Failure::new(Kind::Upstream, "The answer broke off.")
                    .with_detail(broken.to_string())
            },
            |BodyError(failure)| failure.clone(),
        )
}

impl http_body::Body for LoggedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(cx);
        if shutdown::is_ending() && !matches!(frame, Poll::Ready(None)) {
            let broken = axum::Error::new(BodyError(shutdown::failure()));
            return Poll::Ready(Some(self.broke(broken)));
        }
        match std::task::ready!(frame) {
            Some(Ok(frame)) => {
                self.passed(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(broken)) => Poll::Ready(Some(self.broke(broken))),
            None => {
                self.body = None;
                self.log.done();
                Poll::Ready(None)
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map(SizeHint::with_exact).unwrap_or_default()
    }
}
