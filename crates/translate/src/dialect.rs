//! What clients speak. One folder a vendor, one an API: `wire` (the types as they stand on the
//! wire), `decode` (into a [`ChatRequest`]) and `encode` (from reply events).

use crate::chat_request::ChatRequest;
use crate::failure::Failure;
use crate::plan::DialectRules;
use crate::reply::{Completion, Event, Reply, ResponseMeta};

pub mod anthropic;
pub mod data_uri;
pub mod json;
pub mod list_query;
pub mod ollama;
pub mod openai;
pub mod request;
pub mod result_text;
pub mod time;
pub mod tool_name;
mod tool_schema;

/// One API of one vendor, as the relay needs it.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Reads a request's body.
    pub decode: fn(&[u8]) -> Result<DecodedRequest, Failure>,
    /// Writes a failure, with the request's id where it is known and the dialect has a place for it.
    pub failure: fn(&Failure, Option<&str>) -> Document,
    /// How its requests name what can be at fault.
    pub fields: DialectRules,
}

/// A decoded request: what is asked, in no dialect, and who writes the answer in the client's.
pub struct DecodedRequest {
    /// What is asked.
    pub chat: ChatRequest,
    /// What is asked beside it, in dialects that put several questions into one request. Their
    /// answers are numbered on behind its own.
    pub further: Vec<ChatRequest>,
    /// Who writes the answer.
    pub encoder: Box<dyn Encoder>,
}

/// Writes the answer to one request, whole or as a stream.
pub trait Encoder: Send {
    /// The whole answer as JSON text.
    fn document(&self, meta: &ResponseMeta, replies: &[Reply], completion: Completion) -> Vec<u8>;
    /// An encoder for a stream of so many answers.
    fn stream(self: Box<Self>, meta: ResponseMeta, choices: u32) -> Box<dyn StreamEncoder>;
}

/// What a streamed answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamFormat {
    /// Server-sent events.
    Events,
    /// One JSON object a line, and nothing else: no comment, no blank line.
    JsonLines,
}

/// Writes one answer as a stream. Everything is appended to `out`; the caller sends it.
///
/// A stream is `open`, events, then exactly one of `close` and `fail`.
pub trait StreamEncoder: Send {
    /// What the stream is made of.
    fn format(&self) -> StreamFormat {
        StreamFormat::Events
    }
    /// What a client gets before the first event.
    fn open(&mut self, out: &mut Vec<u8>);
    /// One event of one of the answers (numbered from 0).
    fn event(&mut self, choice: u32, event: Event<'_>, out: &mut Vec<u8>);
    /// The end of a complete stream.
    fn close(&mut self, completion: Completion, out: &mut Vec<u8>);
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
