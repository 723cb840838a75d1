//! Chat: the request, the answer, and reading the answer as it arrives.
//!
//! `POST /api/chat-with-ai` takes one prompt text and returns one text, whole or streamed.

mod answer;
mod body_kind;
mod decoder;
mod dedup;
mod json_spans;
mod json_text;
mod progress_lines;
mod reader;
pub(crate) mod record;
mod record_filter;
mod record_passthrough;
mod request;
pub mod sse;
mod stream;

pub use answer::{Accounting, Answer, Progress, Usage};
pub use decoder::Decoder;
pub(crate) use progress_lines::strip as strip_progress;
pub(crate) use reader::Reader;
pub(crate) use record_filter::RecordFilter;
pub use request::{Request, WebSearch};
pub use stream::Stream;
