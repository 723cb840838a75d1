//! The body of every streamed answer: what a source writes as it comes, a comment where it is silent
//! for long, the dialect's error event where it fails, and the request's log line at its end.
//!
//! Nothing is sent before the source has written something or failed (or the heartbeat's time is
//! over), so that most failures still get their HTTP status.

pub mod deferred;
mod silence;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use translate::failure::Failure;
use translate::reply::Usage;

use crate::http::{reply, shutdown};
use crate::observe::RequestLog;
use silence::Silence;

/// The silence after which a stream gets a comment that shows that it is alive; zero is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat(pub Duration);

/// What a stream's events come from, written as its client reads them.
pub trait EventSource: Send + 'static {
    /// What a client gets before the first event.
    fn open(&mut self, out: &mut Vec<u8>);
    /// What is known for the response's headers, when they are about to be sent.
    fn headers(&mut self, headers: &mut HeaderMap);
    /// Appends what has come since; ready when anything happened. `log` learns when upstream has
    /// begun to answer.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        log: &mut RequestLog,
        out: &mut Vec<u8>,
    ) -> Poll<Result<Progress, Failure>>;
    /// The end of a failed stream, without any mark of success.
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>);
    /// A sign of life between events.
    fn heartbeat(&mut self, out: &mut Vec<u8>);
}

/// Whether there is more to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// Something happened, and more will.
    More,
    /// The stream is complete, its end written. With the usage of a turn, if it was one.
    Done(Option<Usage>),
}

/// Waits for the first event and begins the stream with it.
///
/// # Errors
/// What failed before anything was sent.
pub async fn begin(
    source: impl EventSource + Unpin,
    log: RequestLog,
    heartbeat: Heartbeat,
) -> Result<Response, Failure> {
    let mut stream = EventStream {
        source: Some(source),
        has_ended: false,
        log,
        silence: Silence::new(heartbeat.0),
        first: Vec::new(),
        room: 0,
    };
    let mut first = Vec::new();
    if let Some(source) = &mut stream.source {
        source.open(&mut first);
    }
    let opened = first.len();
    std::future::poll_fn(|cx| {
        while first.len() == opened && !stream.has_ended {
            std::task::ready!(stream.poll_more(cx, &mut first))?;
        }
        Poll::Ready(Ok(()))
    })
    .await
    .inspect_err(|failure| stream.log.failed(failure))?;
    let mut headers = HeaderMap::new();
    if let Some(source) = &mut stream.source {
        source.headers(&mut headers);
    }
    if stream.has_ended {
        stream.source = None;
    }
    stream.first = first;
    let mut response = reply::events(Body::new(stream));
    response.headers_mut().extend(headers);
    Ok(response)
}

/// A frame of a few events, for which no room is made beforehand.
const SMALL_FRAME: u16 = 1024;

struct EventStream<S> {
    /// None once the stream has ended, so that whatever it holds is let go at once.
    source: Option<S>,
    has_ended: bool,
    log: RequestLog,
    silence: Silence,
    first: Vec<u8>,
    /// The size of the last frame: the next will be much like it.
    room: u16,
}

/// What the body of a stream from such a source holds, besides what it points to.
#[cfg(test)]
pub(crate) const fn body_bytes<S: EventSource>() -> usize {
    size_of::<EventStream<S>>()
}

impl<S: EventSource> EventStream<S> {
    /// Appends what has come since; ready when anything happened.
    fn poll_more(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<Result<(), Failure>> {
        let Some(source) = &mut self.source else {
            return Poll::Ready(Ok(()));
        };
        let before = out.len();
        match source.poll(cx, &mut self.log, out) {
            Poll::Ready(Ok(Progress::More)) | Poll::Pending if shutdown::is_ending() => {
                return Poll::Ready(Err(shutdown::failure()));
            }
            Poll::Ready(progress) => {
                if let Progress::Done(usage) = progress? {
                    self.has_ended = true;
                    match usage {
                        Some(usage) => self.log.finished(usage),
                        None => self.log.done(),
                    }
                }
                if out.len() > before {
                    self.silence.broken();
                }
            }
            Poll::Pending => {
                std::task::ready!(self.silence.poll(cx));
                source.heartbeat(out);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: EventSource + Unpin> http_body::Body for EventStream<S> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut out = std::mem::take(&mut self.first);
        while out.is_empty() {
            if self.source.is_none() {
                return Poll::Ready(None);
            }
            if self.room > SMALL_FRAME {
                out.reserve(self.room.into());
            }
            if let Err(failure) = std::task::ready!(self.poll_more(cx, &mut out)) {
                self.log.failed(&failure);
                self.has_ended = true;
                if let Some(source) = &mut self.source {
                    source.fail(&failure, &mut out);
                }
            }
            if self.has_ended {
                self.source = None;
            }
        }
        self.room = u16::try_from(out.len()).unwrap_or(u16::MAX);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(out)))))
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_none() && self.first.is_empty()
    }
}
