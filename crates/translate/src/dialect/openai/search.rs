//! Web search as a hosted tool: its names, its size, and when it is made.

use serde_json::Value;

use crate::chat_request::{Message, WebSearch};
use crate::dialect::request::answers_calls;

/// Whether a hosted tool of this type asks for web search: OpenAI's names with or without a date,
/// and the original relay's `retrieval`.
#[must_use]
pub fn is_named(kind: &str) -> bool {
    kind == "retrieval" || kind.starts_with("web_search")
}

/// Whether a web search that is among the tools is made: never against the client's word, and for
/// what answers calls only if it is demanded.
#[must_use]
pub fn is_made(choice: Option<&Value>, messages: &[Message]) -> bool {
    match choice.and_then(|choice| choice.as_str().or_else(|| choice.get("type")?.as_str())) {
        Some("none") => false,
        Some(kind) if is_named(kind) => true,
        _ => !answers_calls(messages),
    }
}

/// The search for a size in a word: upstream counts sites and words.
#[must_use]
pub fn sized(size: Option<&str>) -> WebSearch {
    let (sites, words) = match size {
        Some("low") => (Some(2), Some(500)),
        Some("high") => (Some(6), Some(3000)),
        _ => (None, None),
    };
    WebSearch { sites, words }
}
