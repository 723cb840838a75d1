//! The keys of a call's envelope, by what they say.

/// Keys whose string names the tool.
pub(super) const NAMES: [&str; 9] = [
    "name",
    "function_name",
    "tool_name",
    "toolName",
    "tool",
    "function",
    "action",
    "recipient_name",
    "func",
];
/// What the arguments of any call are called, as a key, a tag or a line of YAML.
const ARGUMENTS: [&str; 5] = ["arguments", "parameters", "args", "params", "input"];
/// What else their key may be called in a JSON envelope.
const OTHER_ARGUMENTS: [&str; 8] = [
    "tool_input",
    "toolInput",
    "action_input",
    "parameter",
    "kwargs",
    "tool_arguments",
    "function_args",
    "argument",
];
/// Keys whose object or array holds the envelope.
pub(super) const CONTAINERS: [&str; 9] = [
    "tool_calls",
    "tool_call",
    "function_call",
    "function",
    "tool_use",
    "tool",
    "calls",
    "tool_uses",
    "call",
];
/// Containers that say of themselves that they hold a call.
pub(super) const SAYING: [&str; 3] = ["tool_call", "tool_calls", "function_call"];
/// Keys of a block of text in a list of content blocks.
pub(super) const TEXT: [&str; 4] = ["text", "thinking", "signature", "citations"];
/// Keys that say nothing about arguments.
const OTHERS: [&str; 14] = [
    "id",
    "type",
    "call_id",
    "tool_call_id",
    "tool_use_id",
    "index",
    "role",
    "content",
    "refusal",
    "thought",
    "thoughts",
    "reasoning",
    "annotations",
    "audio",
];

/// Whether a tag or a line of YAML of this name holds the arguments.
pub(super) fn holds_arguments(name: &str) -> bool {
    ARGUMENTS.contains(&name)
}

/// Whether the value of this key in an envelope is the arguments.
pub(super) fn are_arguments(key: &str) -> bool {
    holds_arguments(key) || OTHER_ARGUMENTS.contains(&key)
}

/// Whether a key says nothing about arguments, so that it may stand in a bare envelope.
pub(super) fn is_idle(key: &str) -> bool {
    OTHERS.contains(&key)
}
