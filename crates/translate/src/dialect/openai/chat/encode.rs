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
use body::{CalledCustom, CalledFunction, Counts, ToolCall};
use calls::{call_id, custom_input};

impl Encoder for EncodeOptions {
    /// Most of a document is the same for every answer, and is written as it stands.
    fn document(&self, meta: &ResponseMeta, replies: &[Reply], completion: Completion) -> Vec<u8> {
        let texts = replies.iter().map(|reply| reply.text.len());
        let mut out =
            Vec::with_capacity(512 + texts.map(|bytes| bytes + bytes / 16).sum::<usize>());
        out.extend_from_slice(b"{\"id\":\"chatcmpl-");
        out.extend_from_slice(meta.id.as_bytes());
        out.extend_from_slice(b"\",\"object\":\"chat.completion\",\"created\":");
        json::write(&meta.created, &mut out);
        out.extend_from_slice(b",\"model\":");
        json_strings::write_on_one_line(&self.model, &mut out);
        out.extend_from_slice(b",\"choices\":[");
        for (index, reply) in replies.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            self.choice(meta, index, reply, &mut out);
        }
        out.extend_from_slice(b"],\"usage\":");
        Counts::from(completion.usage).write(&mut out);
        out.push(b'}');
        out
    }

    fn stream(self: Box<Self>, meta: ResponseMeta, choices: u32) -> Box<dyn StreamEncoder> {
        Box::new(Chunks::new(*self, meta, choices))
    }
}

impl EncodeOptions {
    fn choice(&self, meta: &ResponseMeta, index: usize, reply: &Reply, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"index\":");
        json::write(&index, out);
        out.extend_from_slice(b",\"message\":{\"role\":\"assistant\",\"content\":");
        let silent =
            reply.text.is_empty() && (!reply.calls.is_empty() || !reply.refusal.is_empty());
        write_text((!silent).then_some(reply.text.as_str()), out);
        out.extend_from_slice(b",\"refusal\":");
        write_text(filled(&reply.refusal), out);
        out.extend_from_slice(b",\"annotations\":[]");
        if let Some(reasoning) = filled(&reply.reasoning) {
            out.extend_from_slice(b",\"reasoning_content\":");
            json_strings::write_on_one_line(reasoning, out);
        }
        if self.legacy_functions {
            if let Some(call) = reply.calls.first() {
                let called = CalledFunction {
                    name: &call.name,
                    arguments: &call.arguments,
                };
                out.extend_from_slice(b",\"function_call\":");
                json::write(&called, out);
            }
        } else if !reply.calls.is_empty() {
            let calls = reply.calls.iter().enumerate();
            let calls =
                calls.map(|(number, call)| tool_call(self, call_id(meta, index, number), call));
            out.extend_from_slice(b",\"tool_calls\":");
            json::write(&calls.collect::<Vec<_>>(), out);
        }
        out.extend_from_slice(b"},\"logprobs\":null,\"finish_reason\":");
        json::write(self.finish(&reply.finish), out);
        out.push(b'}');
    }
}

fn write_text(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => json_strings::write_on_one_line(text, out),
        None => out.extend_from_slice(b"null"),
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
