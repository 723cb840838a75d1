//! Tools in the prompt: the section that offers them, and calls in the form asked for.

use super::tags::Tags;

/// A call of the history in exactly the form the model is asked to use.
#[must_use]
pub fn render_call(name: &str, arguments: &str, tags: Tags) -> String {
    let name = serde_json::Value::from(name);
    let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
    format!(
        "{}\n{{\"name\": {name}, \"arguments\": {arguments}}}\n{}",
        tags.open("tool_call"),
        tags.close("tool_call")
    )
}
