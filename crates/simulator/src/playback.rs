//! A prepared answer on its way out: what to send, when to wait, where to break.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep};

use crate::journal::{Outcome, Ticket};

/// One step of an answer's body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Sends bytes, in which so many content deltas end.
    Send { bytes: Bytes, deltas: usize },
    /// Lets time pass.
    Wait(Duration),
    /// Lets what was sent reach the socket, in a write of its own.
    Flush,
    /// Says nothing more until the client leaves.
    Stall,
    /// Breaks the connection, politely or by a TCP reset.
    Tear { reset: bool },
}

/// The connection broke because a fault wanted it.
#[derive(Debug, thiserror::Error)]
#[error("torn by a fault")]
pub(crate) struct Torn;

/// Set to make the connection end by a reset.
pub(crate) type ResetFlag = Arc<AtomicBool>;

/// A body that plays its steps and tells the journal how it ended.
#[derive(Debug)]
pub(crate) struct Playback {
    steps: std::vec::IntoIter<Step>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whether the current waiting or flushing has begun.
    begun: bool,
    reset: Option<ResetFlag>,
    ticket: Ticket,
}

impl Playback {
    pub(crate) fn new(steps: Vec<Step>, reset: Option<ResetFlag>, mut ticket: Ticket) -> Self {
        if steps.is_empty() {
            ticket.end(Outcome::Finished);
        }
        Self {
            steps: steps.into_iter(),
            sleep: None,
            begun: false,
            reset,
            ticket,
        }
    }

    /// Whether the waiting is over.
    fn waited(&mut self, time: Duration, context: &mut Context<'_>) -> bool {
        let begun = std::mem::replace(&mut self.begun, true);
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        if !begun {
            sleep.as_mut().reset(Instant::now() + time);
        }
        let over = sleep.as_mut().poll(context).is_ready();
        self.begun = !over;
        over
    }

    fn send(&mut self) -> Option<Frame<Bytes>> {
        let Some(Step::Send { bytes, deltas }) = self.steps.next() else {
            return None;
        };
        self.ticket.sent(deltas);
        if self.steps.as_slice().is_empty() {
            self.ticket.end(Outcome::Finished);
        }
        Some(Frame::data(bytes))
    }

    fn tear(&mut self, reset: bool) -> Torn {
        if let Some(flag) = self.reset.as_ref().filter(|_| reset) {
            flag.store(true, Ordering::Relaxed);
        }
        self.steps = Vec::new().into_iter();
        self.ticket.end(Outcome::Torn);
        Torn
    }
}

impl Body for Playback {
    type Data = Bytes;
    type Error = Torn;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Torn>>> {
        let this = self.get_mut();
        loop {
            match this.steps.as_slice().first() {
                Some(Step::Send { .. }) => return Poll::Ready(this.send().map(Ok)),
                Some(&Step::Wait(time)) => {
                    if !this.waited(time, context) {
                        return Poll::Pending;
                    }
                    this.steps.next();
                }
                Some(Step::Flush) => {
                    if !std::mem::replace(&mut this.begun, true) {
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    this.begun = false;
                    this.steps.next();
                }
                Some(Step::Stall) => return Poll::Pending,
                Some(&Step::Tear { reset }) => return Poll::Ready(Some(Err(this.tear(reset)))),
                None => {
                    this.ticket.end(Outcome::Finished);
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.as_slice().is_empty()
    }
}
