//! Answers whose bytes come while the request lasts: its log line ends with the last of them, and
//! tells of a failure on the way. A client learns of it by a body that breaks off; streams of events
//! tell it, see [`crate::http::event_stream`].

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
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
    let body = LoggedBody {
        left,
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
            self.body = None;
            let failure = shutdown::failure();
            self.log.failed(&failure);
            return Poll::Ready(Some(Err(axum::Error::new(BodyError(failure)))));
        }
        match std::task::ready!(frame) {
            Some(Ok(frame)) => {
                self.passed(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(broken)) => {
                self.body = None;
                self.log.failed(&failure(&broken));
                Poll::Ready(Some(Err(broken)))
            }
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
