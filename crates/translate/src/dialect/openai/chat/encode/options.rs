//! How an answer was asked for, as far as it is written differently.

use crate::reply::Finish;

/// How the answer was asked for.
#[derive(Debug, Clone, Default)]
pub struct EncodeOptions {
    /// The model to name in the answer.
    pub model: String,
    /// Whether a chunk with usage was asked for (`stream_options.include_usage`).
    pub usage: bool,
    /// Whether the client speaks of `function_call`, the older form of one tool call.
    pub legacy_functions: bool,
    /// The tools that take free text: their calls are of type `custom`.
    pub custom_tools: Vec<String>,
}

impl EncodeOptions {
    pub(super) fn finish(&self, finish: &Finish) -> &'static str {
        match finish {
            Finish::Stop | Finish::StopSequence(_) => "stop",
            Finish::Length => "length",
            Finish::Calls if self.legacy_functions => "function_call",
            Finish::Calls => "tool_calls",
            Finish::Filtered => "content_filter",
        }
    }

    pub(super) fn is_custom(&self, name: &str) -> bool {
        self.custom_tools.iter().any(|tool| tool == name)
    }
}
