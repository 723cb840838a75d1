//! Reply events become a chat completion, whole ([`EncodeOptions`]) or as chunks ([`Chunks`]).

use crate::dialect::{Encoder, StreamEncoder};
use crate::reply::{Completion, Finish, Reply, ReplyCall, ResponseMeta};

mod body;
mod chunks;

pub use chunks::Chunks;

use crate::dialect::json;
use body::{CalledCustom, CalledFunction, ChatCompletion, Choice, Counts, Message, ToolCall};

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
    fn finish(&self, finish: &Finish) -> &'static str {
        match finish {
            Finish::Stop | Finish::StopSequence(_) => "stop",
            Finish::Length => "length",
            Finish::Calls if self.legacy_functions => "function_call",
            Finish::Calls => "tool_calls",
            Finish::Filtered => "content_filter",
        }
    }

    fn is_custom(&self, name: &str) -> bool {
        self.custom_tools.iter().any(|tool| tool == name)
    }
}

impl Encoder for EncodeOptions {
    fn document(&self, meta: &ResponseMeta, replies: &[Reply], completion: Completion) -> Vec<u8> {
        let choices = replies.iter().enumerate().map(|(index, reply)| Choice {
            index,
            message: message(self, meta, index, reply),
            logprobs: (),
            finish_reason: self.finish(&reply.finish),
        });
        let completion = ChatCompletion {
            id: format!("chatcmpl-{}", meta.id),
            object: "chat.completion",
            created: meta.created,
            model: &self.model,
            choices: choices.collect(),
            usage: Counts::from(completion.usage),
        };
        let mut out = Vec::with_capacity(512 + replies.iter().map(|r| r.text.len()).sum::<usize>());
        json::write(&completion, &mut out);
        out
    }

    fn stream(self: Box<Self>, meta: ResponseMeta, choices: u32) -> Box<dyn StreamEncoder> {
        Box::new(Chunks::new(*self, meta, choices))
    }
}

fn message<'a>(
    options: &EncodeOptions,
    meta: &ResponseMeta,
    choice: usize,
    reply: &'a Reply,
) -> Message<'a> {
    let calls = reply.calls.iter().enumerate();
    let calls = calls.map(|(index, call)| tool_call(options, call_id(meta, choice, index), call));
    let legacy = options
        .legacy_functions
        .then(|| reply.calls.first())
        .flatten();
    let silent = reply.text.is_empty() && (!reply.calls.is_empty() || !reply.refusal.is_empty());
    Message {
        role: "assistant",
        content: (!silent).then_some(&reply.text),
        refusal: filled(&reply.refusal),
        annotations: [],
        reasoning_content: filled(&reply.reasoning),
        tool_calls: if options.legacy_functions {
            Vec::new()
        } else {
            calls.collect()
        },
        function_call: legacy.map(|call| CalledFunction {
            name: &call.name,
            arguments: &call.arguments,
        }),
    }
}

fn tool_call<'a>(options: &EncodeOptions, id: String, call: &'a ReplyCall) -> ToolCall<'a> {
    if options.is_custom(&call.name) {
        return ToolCall::Custom {
            id,
            custom: CalledCustom {
                name: &call.name,
                input: custom_input(&call.arguments),
            },
        };
    }
    ToolCall::Function {
        id,
        function: CalledFunction {
            name: &call.name,
            arguments: &call.arguments,
        },
    }
}

/// The free text of a custom tool, which the model was asked to write as the one string `input`.
fn custom_input(arguments: &str) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_str(arguments);
    let input = value
        .ok()
        .and_then(|v| v.get("input")?.as_str().map(str::to_owned));
    input.unwrap_or_else(|| arguments.to_owned())
}

/// The most characters of the stamp that go into a call's id: OpenAI's own service refuses
/// histories with ids of more than 40 characters, and a conversation may be continued there.
const MAX_STAMP: usize = 29;

fn call_id(meta: &ResponseMeta, choice: usize, index: usize) -> String {
    let meta = meta.id.get(..MAX_STAMP).unwrap_or(&meta.id);
    format!("call_{meta}{choice:02x}{index:04x}")
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
