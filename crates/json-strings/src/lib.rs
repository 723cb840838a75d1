//! The strings of JSON texts as bytes: where one ends, and how a text is written as one.
//!
//! Prompts and answers pass the relay as JSON strings, some hundred kilobytes a request; what is done for
//! each of their bytes is most of what such a request costs. So eight bytes are looked at together. Nothing
//! here knows 1min.ai or a client's API.

mod search;
mod write;

pub use search::{end, end_or_escape, needs_escape};
pub use write::{write, write_on_one_line};
