//! Reply events become a chat completion, whole ([`EncodeOptions`]) or as chunks ([`Chunks`]).

use crate::dialect::{Encoder, StreamEncoder};
use crate::reply::{Completion, Reply, ReplyCall, ResponseMeta};

mod body;
mod calls;
mod chunks;
mod options;

pub use chunks::Chunks;
pub use options::EncodeOptions;

use crate::dialect::json;
use body::{CalledCustom, CalledFunction, ChatCompletion, Choice, Counts, Message, ToolCall};
use calls::{call_id, custom_input};

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

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
