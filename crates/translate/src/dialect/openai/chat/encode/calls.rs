//! What identifies a tool call, and the text of one that takes text.

use crate::reply::ResponseMeta;

/// The free text of a custom tool, which the model was asked to write as the one string `input`.
pub(super) fn custom_input(arguments: &str) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_str(arguments);
    let input = value
        .ok()
        .and_then(|v| v.get("input")?.as_str().map(str::to_owned));
    input.unwrap_or_else(|| arguments.to_owned())
}

/// The most characters of the stamp that go into a call's id: OpenAI's own service refuses
/// histories with ids of more than 40 characters, and a conversation may be continued there.
const MAX_STAMP: usize = 29;

pub(super) fn call_id(meta: &ResponseMeta, choice: usize, index: usize) -> String {
    let meta = meta.id.get(..MAX_STAMP).unwrap_or(&meta.id);
    format!("call_{meta}{choice:02x}{index:04x}")
}
