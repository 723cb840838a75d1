//! OpenAI's dialects.

pub mod assistants;
pub mod chat;
pub mod choice;
pub mod completions;
pub mod error;
mod json_schema;
pub mod limits;
pub mod media;
pub mod metadata;
pub mod page;
pub mod parts;
pub mod responses;
pub mod search;

/// Written into a silent stream so that nobody takes it for a dead connection: a comment, which no
/// client reads. No blank line follows it: it is a line of the event that comes next, for some
/// clients take a comment between two blank lines for an event without data.
pub const KEEPALIVE_COMMENT: &[u8] = b": keep-alive\n";
