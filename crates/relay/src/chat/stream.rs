//! A streamed answer: events in the client's dialect, written as upstream's text comes.

use std::task::{Context, Poll};

use http::{HeaderMap, header};
use translate::dialect::{StreamEncoder, StreamFormat};
use translate::failure::Failure;
use translate::reply::{Completion, Event};

use super::answers::{self, Answers};
use crate::clock;
use crate::http::event_stream::{EventSource, Progress};
use crate::http::reply;
use crate::observe::RequestLog;

/// The answers of a turn as events.
pub(super) struct ChatEvents {
    answers: Answers,
    encoder: Box<dyn StreamEncoder>,
    ignored: Vec<String>,
}

impl ChatEvents {
    /// Answers in the encoder's dialect; `ignored` are parameters without effect.
    pub(super) fn new(
        answers: Answers,
        encoder: Box<dyn StreamEncoder>,
        ignored: Vec<String>,
    ) -> Self {
        Self {
            answers,
            encoder,
            ignored,
        }
    }
}

impl EventSource for ChatEvents {
    fn open(&mut self, out: &mut Vec<u8>) {
        self.encoder.open(out);
    }

    fn headers(&mut self, headers: &mut HeaderMap) {
        reply::ignored_header(headers, &std::mem::take(&mut self.ignored));
        let kind = reply::stream_type(self.encoder.format());
        headers.insert(header::CONTENT_TYPE, kind);
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        log: &mut RequestLog,
        out: &mut Vec<u8>,
    ) -> Poll<Result<Progress, Failure>> {
        let encoder = &mut self.encoder;
        let before = out.len();
        let mut sink = |choice: usize, event: Event<'_>| {
            encoder.event(u32::try_from(choice).unwrap_or(u32::MAX), event, out);
        };
        let progress = std::task::ready!(self.answers.poll(cx, &mut sink))?;
        if out.len() > before {
            log.first_byte();
        }
        if progress == answers::Progress::More {
            return Poll::Ready(Ok(Progress::More));
        }
        let usage = self.answers.usage();
        if self.encoder.format() == StreamFormat::Events {
            reply::usage_comment(usage, out);
        }
        let completion = Completion {
            usage,
            at: clock::now(),
            timing: log.timing(),
        };
        self.encoder.close(completion, out);
        Poll::Ready(Ok(Progress::Done(Some(usage))))
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        self.encoder.fail(failure, out);
    }

    fn heartbeat(&mut self, out: &mut Vec<u8>) {
        self.encoder.heartbeat(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::event_stream;

    #[test]
    fn a_stream_holds_little_besides_its_buffers() {
        for (what, bytes, most) in [
            ("an answer as it is read", answers::ANSWER_BYTES, 1536),
            ("the answers of a turn", size_of::<ChatEvents>(), 128),
            (
                "a streamed body",
                event_stream::body_bytes::<ChatEvents>(),
                256,
            ),
        ] {
            println!("{what}: {bytes} bytes");
            assert!(bytes <= most, "{what}: {bytes}");
        }
    }
}
