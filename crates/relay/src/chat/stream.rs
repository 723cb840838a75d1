//! A streamed answer: server-sent events written as upstream's text comes.
//!
//! Nothing is sent before upstream has said its first word or failed (or the heartbeat's time is
//! over), so that most failures still get their HTTP status.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use tokio::time::{Instant, Sleep};
use translate::dialect::StreamEncoder;
use translate::failure::Failure;
use translate::reply::Completion;

use super::upstream::{Answers, Progress};
use crate::clock;
use crate::http::event_stream::Heartbeat;
use crate::http::reply;
use crate::observe::RequestLog;

/// Waits for the first word and begins the stream with it.
///
/// # Errors
/// What failed before anything was sent.
pub async fn begin(
    answers: Answers,
    encoder: Box<dyn StreamEncoder>,
    record: &mut RequestLog,
    heartbeat: Heartbeat,
) -> Result<Response, Failure> {
    let mut events = Events {
        answers: Some(answers),
        encoder,
        record: record.take(),
        heartbeat: Silence::new(heartbeat),
        first: Vec::new(),
    };
    let mut first = Vec::new();
    events.encoder.open(&mut first);
    let opened = first.len();
    std::future::poll_fn(|cx| {
        loop {
            match events.poll_more(cx, &mut first) {
                Poll::Ready(Ok(())) if first.len() > opened => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(failure)) => return Poll::Ready(Err(failure)),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
    .inspect_err(|failure| events.record.failed(failure))?;
    events.first = first;
    Ok(reply::events(Body::new(events)))
}

/// The body of a streamed answer.
struct Events {
    /// None once the stream has ended.
    answers: Option<Answers>,
    encoder: Box<dyn StreamEncoder>,
    record: RequestLog,
    heartbeat: Silence,
    first: Vec<u8>,
}

impl Events {
    /// Appends what has come since; ready when anything happened.
    fn poll_more(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<Result<(), Failure>> {
        let Some(answers) = &mut self.answers else {
            return Poll::Ready(Ok(()));
        };
        let encoder = &mut self.encoder;
        let before = out.len();
        let mut sink = |choice: usize, event: translate::reply::Event<'_>| {
            encoder.event(u32::try_from(choice).unwrap_or(u32::MAX), event, out);
        };
        let progress = match answers.poll(cx, &mut sink) {
            Poll::Ready(progress) => progress?,
            Poll::Pending => {
                std::task::ready!(self.heartbeat.poll(cx));
                self.encoder.heartbeat(out);
                return Poll::Ready(Ok(()));
            }
        };
        if out.len() > before {
            self.record.first_byte();
            self.heartbeat.sent();
        }
        if progress == Progress::Done {
            let usage = answers.usage();
            reply::cost(usage, out);
            let at = clock::now();
            self.encoder.close(Completion { usage, at }, out);
            self.record.finished(usage);
            self.answers = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut out = std::mem::take(&mut self.first);
        while out.is_empty() {
            if self.answers.is_none() {
                return Poll::Ready(None);
            }
            match self.poll_more(cx, &mut out) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(failure)) => {
                    self.record.failed(&failure);
                    self.encoder.fail(&failure, &mut out);
                    self.answers = None;
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(out)))))
    }

    fn is_end_stream(&self) -> bool {
        self.answers.is_none() && self.first.is_empty()
    }
}

/// Says when the client has heard nothing for a while. The timer is set once a period, not once an
/// event.
struct Silence {
    period: Duration,
    last: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Silence {
    fn new(heartbeat: Heartbeat) -> Self {
        Self {
            period: heartbeat.0,
            last: Instant::now(),
            timer: None,
        }
    }

    fn sent(&mut self) {
        self.last = Instant::now();
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.period.is_zero() {
            return Poll::Pending;
        }
        loop {
            let due = self.last + self.period;
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            std::task::ready!(timer.as_mut().poll(cx));
            if Instant::now() >= self.last + self.period {
                self.last = Instant::now();
                timer.as_mut().reset(self.last + self.period);
                return Poll::Ready(());
            }
            timer.as_mut().reset(self.last + self.period);
        }
    }
}
