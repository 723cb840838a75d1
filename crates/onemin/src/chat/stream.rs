//! An open streamed answer: bytes are read as they come, within time limits.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::answer::{Accounting, Progress};
use super::reader::Reader;
use crate::error::{Error, TransportError, TransportKind};
use crate::transport::Body;

/// How long the mark of the end is waited for once the record has come.
const END_AFTER_RECORD_TIMEOUT: Duration = Duration::from_secs(2);

/// The most bytes that one reading takes in, so that no stream keeps others waiting, and none whose
/// client does not read holds much: an event for a client has several times upstream's bytes.
const BYTES_PER_POLL_MAX: usize = 8 * 1024;

/// So many pieces of text of one reading are given as they came. Those behind them, which are there
/// at the same moment, are given as one: what a client gets per piece is several times the piece.
const PIECES_APART_MAX: usize = 32;

/// One open streamed answer. Dropping it cancels the request at once.
#[derive(Debug)]
pub struct Stream {
    /// None once the answer is complete or has failed.
    body: Option<Body>,
    reader: Reader,
    patience: Patience,
}

impl Stream {
    pub(crate) fn new(body: Body, reader: Reader, idle: Duration, deadline: Instant) -> Self {
        Self {
            body: Some(body),
            reader,
            patience: Patience::new(idle, deadline),
        }
    }

    /// Waits for the next bytes and gives the text that is complete with what is there, so that the
    /// caller can write once: piece by piece, and joined where very many came together.
    ///
    /// # Errors
    /// Why the answer will not be complete; text that was given before stays valid. Reading again
    /// after an end or an error gives [`crate::error::ProtocolError::Interrupted`].
    pub async fn read(
        &mut self,
        on_text: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Progress, Error> {
        std::future::poll_fn(|cx| self.poll_read(cx, on_text)).await
    }

    /// [`Stream::read`] for those who poll.
    ///
    /// # Errors
    /// As [`Stream::read`].
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        on_text: &mut dyn FnMut(&str),
    ) -> Poll<Result<Progress, Error>> {
        let mut pieces = Pieces::new(on_text);
        let read = std::task::ready!(self.poll_progress(cx, &mut |piece| pieces.take(piece)));
        pieces.end();
        if read.is_err() {
            self.body = None;
        }
        Poll::Ready(read)
    }

    fn poll_progress(
        &mut self,
        cx: &mut Context<'_>,
        on_text: &mut dyn FnMut(&str),
    ) -> Poll<Result<Progress, Error>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(Err(crate::error::ProtocolError::Interrupted.into()));
        };
        let mut taken = 0;
        loop {
            match body.poll(cx) {
                Poll::Ready(Some(Ok(bytes))) => {
                    taken += bytes.len();
                    if let Some(accounting) = self.reader.push(&bytes, on_text)? {
                        return Poll::Ready(Ok(self.complete(accounting)));
                    }
                    if taken >= BYTES_PER_POLL_MAX {
                        break;
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(self.stop(error, on_text)),
                Poll::Ready(None) => {
                    self.body = None;
                    return Poll::Ready(self.reader.end(on_text).map(Progress::Done));
                }
                Poll::Pending if taken > 0 => break,
                Poll::Pending => {
                    let limit = std::task::ready!(self.patience.poll(cx));
                    return Poll::Ready(self.stop(TransportError::new(limit), on_text));
                }
            }
        }
        if self.patience.note_read(self.reader.is_settled()) {
            let over = TransportError::new(TransportKind::WholeTimeout);
            return Poll::Ready(self.stop(over, on_text));
        }
        Poll::Ready(Ok(Progress::More))
    }

    /// Nothing more will come. Once the record is there, nothing is missing.
    fn stop(
        &mut self,
        error: TransportError,
        on_text: &mut dyn FnMut(&str),
    ) -> Result<Progress, Error> {
        self.body = None;
        if self.reader.is_settled() {
            return self.reader.end(on_text).map(Progress::Done);
        }
        Err(error.into())
    }

    fn complete(&mut self, accounting: Accounting) -> Progress {
        if let Some(body) = self.body.take() {
            body.finish();
        }
        Progress::Done(accounting)
    }
}

/// The pieces of text of one reading, on their way to the caller.
struct Pieces<'o> {
    on_text: &'o mut dyn FnMut(&str),
    given: usize,
    joined: String,
}

impl<'o> Pieces<'o> {
    fn new(on_text: &'o mut dyn FnMut(&str)) -> Self {
        Self {
            on_text,
            given: 0,
            joined: String::new(),
        }
    }

    fn take(&mut self, piece: &str) {
        if self.given < PIECES_APART_MAX {
            self.given += 1;
            (self.on_text)(piece);
        } else {
            self.joined.push_str(piece);
        }
    }

    fn end(self) {
        if !self.joined.is_empty() {
            (self.on_text)(&self.joined);
        }
    }
}

/// The time limits of a stream. The timer is set when nothing comes, and not again for every event.
#[derive(Debug)]
struct Patience {
    idle: Duration,
    deadline: Instant,
    last_read: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(idle: Duration, deadline: Instant) -> Self {
        Self {
            idle,
            deadline,
            last_read: Instant::now(),
            timer: None,
        }
    }

    /// Something has come. Says whether the time for the whole answer is over all the same.
    fn note_read(&mut self, settled: bool) -> bool {
        self.last_read = Instant::now();
        if settled && self.idle > END_AFTER_RECORD_TIMEOUT {
            self.idle = END_AFTER_RECORD_TIMEOUT;
            self.timer = None;
        }
        self.last_read >= self.deadline
    }

    /// Ready with the limit that is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<TransportKind> {
        loop {
            let due = (self.last_read + self.idle).min(self.deadline);
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            std::task::ready!(timer.as_mut().poll(cx));
            let now = Instant::now();
            if now >= self.deadline {
                return Poll::Ready(TransportKind::WholeTimeout);
            }
            if now >= due {
                return Poll::Ready(TransportKind::IdleTimeout);
            }
            timer.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_one_reading_are_apart_up_to_a_bound_and_joined_behind_it() {
        for (count, calls) in [(0, 0), (1, 1), (32, 32), (33, 33), (34, 33), (500, 33)] {
            let mut given = Vec::new();
            let mut on_text = |text: &str| given.push(text.to_owned());
            let mut pieces = Pieces::new(&mut on_text);
            let sent: Vec<String> = (0..count).map(|number| format!("{number} ")).collect();
            for piece in &sent {
                pieces.take(piece);
            }
            pieces.end();
            assert_eq!(given.len(), calls, "{count}");
            assert_eq!(given.concat(), sent.concat());
            let apart = given.len().min(PIECES_APART_MAX);
            assert_eq!(given.get(..apart), sent.get(..apart));
        }
    }
}
