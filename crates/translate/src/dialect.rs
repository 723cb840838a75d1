//! What clients speak. One folder a vendor, one an API: `wire` (the types as they stand on the
//! wire), `decode` (into a [`Turn`](crate::turn::Turn)) and `encode` (from reply events).

use crate::failure::Failure;
use crate::reply::{Event, Usage};

pub mod data_uri;
pub mod openai;
pub mod request;

/// Writes one answer as server-sent events. Everything is appended to `out`; the caller sends it.
///
/// A stream is `open`, events, then exactly one of `close` and `fail`.
pub trait StreamEncoder: Send {
    /// What a client gets before the first event.
    fn open(&mut self, out: &mut Vec<u8>);
    /// One event of one of the answers (numbered from 0).
    fn event(&mut self, choice: u32, event: Event<'_>, out: &mut Vec<u8>);
    /// The end of a complete stream.
    fn close(&mut self, usage: Usage, out: &mut Vec<u8>);
    /// The end of a failed stream, without any mark of success.
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>);
    /// A sign of life between events.
    fn heartbeat(&self, out: &mut Vec<u8>);
}

/// An answer that is not a stream of events: a status, and a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The HTTP status.
    pub status: u16,
    /// The JSON text.
    pub body: Vec<u8>,
}
