//! Reading along what 1min.ai answers to a request that is passed on: ids, cost and refusals.

use serde_json::Value;

use crate::chat::{Accounting, Reader, RecordFilter, record};
use crate::error::Error;
use crate::features::{is_result, is_working};
use crate::refusal::Refusal;
use crate::repaired_json::repaired;

/// The most of a refusal's body that is kept, in bytes.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// Reads one body along. It holds little of it, whatever its size.
#[derive(Debug)]
pub struct Observer {
    status: u16,
    state: State,
    text_bytes: u64,
}

#[derive(Debug)]
enum State {
    /// A stream of events.
    Events(Box<Reader>),
    /// A record.
    Record(Box<RecordFilter>),
    /// The body of a response that reports no success.
    Refusal(Vec<u8>),
    /// The end is known.
    Known(Box<Observed>),
}

/// What was read along.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The record's id and cost, as far as they were said.
    pub accounting: Accounting,
    /// What became of the request.
    pub end: ObservedEnd,
}

/// What became of a request that was passed on.
#[derive(Debug, Clone, PartialEq)]
pub enum ObservedEnd {
    /// It was done.
    Done,
    /// It is a job that is being worked on.
    Working,
    /// It was refused, or it failed.
    Refused(Box<Refusal>),
    /// The answer broke off, or it does not say.
    Unknown,
}

impl Observed {
    fn ended(end: ObservedEnd) -> Self {
        Self {
            accounting: Accounting::default(),
            end,
        }
    }

    fn of_error(error: Error) -> Self {
        Self::ended(match error {
            Error::Refused(refusal) => ObservedEnd::Refused(refusal),
            _ => ObservedEnd::Unknown,
        })
    }
}

impl Observer {
    /// An observer of a body with this status and `content-type`.
    #[must_use]
    pub fn new(status: u16, content_type: Option<&[u8]>) -> Self {
        const EVENTS: &[u8] = b"text/event-stream";
        let kind = content_type.unwrap_or_default().to_ascii_lowercase();
        let state = if !(200..300).contains(&status) {
            State::Refusal(Vec::new())
        } else if kind.trim_ascii_start().starts_with(EVENTS) {
            State::Events(Box::new(Reader::new(content_type, None)))
        } else {
            State::Record(Box::new(RecordFilter::new(false)))
        };
        Self {
            status,
            state,
            text_bytes: 0,
        }
    }

    /// How much text of a model's answer has come so far, in bytes: of streams only.
    #[must_use]
    pub fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut on_text = |text: &str| self.text_bytes += text.len() as u64;
        let known = match &mut self.state {
            State::Events(reader) => match reader.push(bytes, &mut on_text) {
                Ok(None) => return,
                Ok(Some(accounting)) => Observed {
                    accounting,
                    end: ObservedEnd::Done,
                },
                Err(error) => Observed::of_error(error),
            },
            State::Record(filter) => match filter.push(bytes) {
                Ok(()) => return,
                Err(_) => Observed::ended(ObservedEnd::Unknown),
            },
            State::Refusal(body) => {
                let room = REFUSAL_BYTES_MAX.saturating_sub(body.len());
                body.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
                return;
            }
            State::Known(_) => return,
        };
        self.state = State::Known(Box::new(known));
    }

    /// The refusal that a stream of events has told so far.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.state {
            State::Known(observed) => match &observed.end {
                ObservedEnd::Refused(refusal) => Some(refusal),
                _ => None,
            },
            _ => None,
        }
    }

    /// The body has come to its end.
    #[must_use]
    pub fn finish(self) -> Observed {
        match self.state {
            State::Events(mut reader) => match reader.end(&mut |_| {}) {
                Ok(accounting) => Observed {
                    accounting,
                    end: ObservedEnd::Done,
                },
                Err(error) => Observed::of_error(error),
            },
            State::Record(filter) => of_record(&filter.into_document()),
            State::Refusal(body) => {
                let refusal = Refusal::from_body(Some(self.status), &body);
                Observed::ended(ObservedEnd::Refused(Box::new(refusal)))
            }
            State::Known(observed) => *observed,
        }
    }
}

fn of_record(document: &[u8]) -> Observed {
    let whole: Value = serde_json::from_slice(document).unwrap_or_default();
    let status = whole
        .pointer("/aiRecord/status")
        .or_else(|| whole.get("status"));
    let works = status.and_then(Value::as_str).is_some_and(is_working);
    match record::read_where(&repaired(document), is_result) {
        Ok(record) => Observed {
            accounting: record.accounting(),
            end: if works {
                ObservedEnd::Working
            } else {
                ObservedEnd::Done
            },
        },
        Err(error) => Observed::of_error(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(status: u16, kind: &str, body: &[u8], piece: usize) -> Observed {
        let mut observer = Observer::new(status, Some(kind.as_bytes()));
        for part in body.chunks(piece) {
            observer.push(part);
        }
        observer.finish()
    }

    fn fixture(name: &str) -> Vec<u8> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/onemin")
            .join(name);
        std::fs::read(path).unwrap()
    }

    #[test]
    fn ids_costs_and_refusals_are_read_however_the_body_is_cut() {
        let json = "application/json; charset=utf-8";
        let rows = [
            (200, json, "chat-minimal.response.json", "done", true),
            (200, "text/event-stream", "chat-stream.sse", "done", true),
            (
                200,
                "text/event-stream",
                "chat-stream-error-model.sse",
                "refused",
                false,
            ),
            (
                200,
                "text/event-stream",
                "chat-stream-truncated.sse",
                "unknown",
                false,
            ),
            (200, json, "async-submit.response.json", "working", true),
            (
                200,
                json,
                "image-gpt-image-1-mini.response.json",
                "done",
                true,
            ),
            (
                200,
                json,
                "err-200-insufficient-credits-in-result.json",
                "refused",
                false,
            ),
            (
                406,
                json,
                "err-406-insufficient-credits.json",
                "refused",
                false,
            ),
            (401, json, "err-401-key-deleted.json", "refused", false),
        ];
        for (status, kind, name, end, has_id) in rows {
            let body = fixture(name);
            for piece in [1, 7, body.len()] {
                let observed = observed(status, kind, &body, piece);
                let found = match observed.end {
                    ObservedEnd::Done => "done",
                    ObservedEnd::Working => "working",
                    ObservedEnd::Refused(_) => "refused",
                    ObservedEnd::Unknown => "unknown",
                };
                assert_eq!(found, end, "{name} by {piece}");
                let id = observed.accounting.record_id;
                assert_eq!(id.is_some(), has_id, "{name} by {piece}");
            }
        }
    }
}
