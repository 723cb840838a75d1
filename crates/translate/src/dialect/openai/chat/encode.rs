//! Reply events become a chat completion, whole ([`Shape`]) or as chunks ([`Chunks`]).

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::dialect::openai::error;
use crate::dialect::{Encoder, StreamEncoder};
use crate::failure::Failure;
use crate::reply::{Event, Finish, Reply, ReplyCall, Stamp, Usage};

/// How the answer was asked for.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// The model to name in the answer.
    pub model: String,
    /// Whether a chunk with usage was asked for (`stream_options.include_usage`).
    pub usage: bool,
    /// Whether the client speaks of `function_call`, the older form of one tool call.
    pub legacy_functions: bool,
    /// The tools that take free text: their calls are of type `custom`.
    pub custom_tools: Vec<String>,
}

impl Shape {
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

impl Encoder for Shape {
    fn document(&self, stamp: &Stamp, replies: &[Reply], usage: Usage) -> Vec<u8> {
        let choices = replies.iter().enumerate().map(|(index, reply)| Choice {
            index,
            message: message(self, stamp, index, reply),
            logprobs: (),
            finish_reason: self.finish(&reply.finish),
        });
        let completion = Completion {
            id: format!("chatcmpl-{}", stamp.id),
            object: "chat.completion",
            created: stamp.created,
            model: &self.model,
            choices: choices.collect(),
            usage: Counts::from(usage),
        };
        let mut out = Vec::with_capacity(512 + replies.iter().map(|r| r.text.len()).sum::<usize>());
        json(&completion, &mut out);
        out
    }

    fn stream(self: Box<Self>, stamp: Stamp, choices: u32) -> Box<dyn StreamEncoder> {
        Box::new(Chunks::new(*self, stamp, choices))
    }
}

fn message<'a>(shape: &Shape, stamp: &Stamp, choice: usize, reply: &'a Reply) -> Message<'a> {
    let calls = reply.calls.iter().enumerate();
    let calls = calls.map(|(index, call)| tool_call(shape, call_id(stamp, choice, index), call));
    let legacy = shape
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
        tool_calls: if shape.legacy_functions {
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

fn tool_call<'a>(shape: &Shape, id: String, call: &'a ReplyCall) -> ToolCall<'a> {
    if shape.is_custom(&call.name) {
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

fn call_id(stamp: &Stamp, choice: usize, index: usize) -> String {
    let stamp = stamp.id.get(..MAX_STAMP).unwrap_or(&stamp.id);
    format!("call_{stamp}{choice:02x}{index:04x}")
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Writes chunks. What does not change from one text delta to the next is prepared once, so that
/// a delta costs one escape of its text and two copies.
#[derive(Debug)]
pub struct Chunks {
    shape: Shape,
    stamp: Stamp,
    choices: u32,
    head: Vec<u8>,
    /// A finish that is not written yet: the last one may have to carry the credits.
    finish: Option<(u32, &'static str)>,
    /// Each answer's open call of a custom tool, if it has one: the text is known only when the
    /// arguments are complete.
    custom: BTreeMap<u32, String>,
}

impl Chunks {
    /// An encoder for a stream of so many answers.
    #[must_use]
    pub fn new(shape: Shape, stamp: Stamp, choices: u32) -> Self {
        let mut head = Vec::with_capacity(160);
        let _ = write!(
            head,
            "data: {{\"id\":\"chatcmpl-{}\",\"object\":\"chat.completion.chunk\",\"created\":{},\"model\":",
            stamp.id, stamp.created
        );
        json(&shape.model, &mut head);
        head.extend_from_slice(b",\"choices\":[");
        Self {
            shape,
            stamp,
            choices,
            head,
            finish: None,
            custom: BTreeMap::new(),
        }
    }

    fn begin(&self, choice: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        let _ = write!(out, "{{\"index\":{choice},\"delta\":");
    }

    fn end(finish: Option<&str>, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":");
        json(&finish, out);
        out.extend_from_slice(b"}]");
    }

    fn seal(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.shape.usage {
            b",\"usage\":null}\n\n"
        } else {
            b"}\n\n"
        });
    }

    fn delta(&self, choice: u32, delta: &impl Serialize, out: &mut Vec<u8>) {
        self.begin(choice, out);
        json(delta, out);
        Self::end(None, out);
        self.seal(out);
    }

    fn text(&self, choice: u32, field: &str, text: &str, out: &mut Vec<u8>) {
        self.begin(choice, out);
        let _ = write!(out, "{{\"{field}\":");
        json(text, out);
        out.push(b'}');
        Self::end(None, out);
        self.seal(out);
    }

    fn call_started(&mut self, choice: u32, index: usize, name: &str, out: &mut Vec<u8>) {
        let function = CalledFunction {
            name,
            arguments: "",
        };
        if self.shape.legacy_functions {
            if index == 0 {
                self.delta(
                    choice,
                    &Delta::FunctionCall {
                        function_call: function,
                    },
                    out,
                );
            }
            return;
        }
        let id = call_id(&self.stamp, choice as usize, index);
        let call = if self.shape.is_custom(name) {
            self.custom.insert(choice, String::new());
            let custom = CalledCustom {
                name,
                input: String::new(),
            };
            ToolCall::Custom { id, custom }
        } else {
            ToolCall::Function { id, function }
        };
        self.delta(
            choice,
            &Delta::ToolCalls {
                tool_calls: [IndexedCall { index, call }],
            },
            out,
        );
    }

    fn call_arguments(&mut self, choice: u32, index: usize, arguments: &str, out: &mut Vec<u8>) {
        if let Some(custom) = self.custom.get_mut(&choice) {
            custom.push_str(arguments);
            return;
        }
        let more = Arguments { arguments };
        if !self.shape.legacy_functions {
            let tool_calls = [MoreCall {
                index,
                function: more,
            }];
            self.delta(choice, &Delta::MoreTool { tool_calls }, out);
        } else if index == 0 {
            self.delta(
                choice,
                &Delta::MoreFunction {
                    function_call: more,
                },
                out,
            );
        }
    }

    fn call_ended(&mut self, choice: u32, index: usize, out: &mut Vec<u8>) {
        if let Some(arguments) = self.custom.remove(&choice) {
            let input = Input {
                input: custom_input(&arguments),
            };
            let tool_calls = [MoreCustom {
                index,
                custom: input,
            }];
            self.delta(choice, &Delta::MoreCustom { tool_calls }, out);
        }
    }

    /// Writes the finish that was held back; with what the answer cost, if that belongs there.
    fn finish(&mut self, cost: Option<Usage>, out: &mut Vec<u8>) {
        if let Some((choice, finish)) = self.finish.take() {
            self.begin(choice, out);
            out.extend_from_slice(b"{}");
            Self::end(Some(finish), out);
            if let Some(usage) = cost {
                relay_field(&usage, out);
            }
            self.seal(out);
        }
    }
}

impl StreamEncoder for Chunks {
    fn open(&mut self, out: &mut Vec<u8>) {
        for choice in 0..self.choices {
            let delta = Delta::Role {
                role: "assistant",
                content: "",
                refusal: (),
            };
            self.delta(choice, &delta, out);
        }
    }

    fn event(&mut self, choice: u32, event: Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Text(text) => self.text(choice, "content", text, out),
            Event::Reasoning(text) => self.text(choice, "reasoning_content", text, out),
            Event::Refusal(text) => self.text(choice, "refusal", text, out),
            Event::CallStarted { index, name } => self.call_started(choice, index, name, out),
            Event::CallArguments { index, json } => self.call_arguments(choice, index, json, out),
            Event::CallEnded { index } => self.call_ended(choice, index, out),
            Event::Finished(finish) => {
                self.finish(None, out);
                self.finish = Some((choice, self.shape.finish(finish)));
            }
        }
    }

    fn close(&mut self, usage: Usage, out: &mut Vec<u8>) {
        self.finish((!self.shape.usage).then_some(usage), out);
        if self.shape.usage {
            out.extend_from_slice(&self.head);
            out.extend_from_slice(b"],\"usage\":");
            json(&Counts::from(usage), out);
            relay_field(&usage, out);
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&error::object(failure));
        out.extend_from_slice(b"\n\n");
    }

    fn heartbeat(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b": keep-alive\n\n");
    }
}

/// Our own field of the last chunk: what the answer cost and who counted.
fn relay_field(usage: &Usage, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"x_relay\":");
    let cost = Cost {
        credits: usage.credits.map(credits),
        usage: usage.source.as_str(),
    };
    json(&cost, out);
}

/// Credits are whole numbers where upstream counts whole ones.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be whole and small"
)]
fn credits(credits: f64) -> serde_json::Value {
    if credits.fract() == 0.0 && credits.abs() < 9e15 {
        serde_json::Value::from(credits as i64)
    } else {
        serde_json::Value::from(credits)
    }
}

fn json(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    // Our own types written into memory cannot fail.
    let _ = value.serialize(&mut Serializer::with_formatter(out, OneLine));
}

/// Compact JSON that no reader takes for several lines. JSON lets line and paragraph separators
/// stand in strings, and the event stream's own rules know only CR and LF; but readers that cut
/// at whatever Unicode calls a line's end (Python's `str.splitlines`) are common.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        // The first bytes of U+0085, and of U+2028 and U+2029.
        while let Some(at) = memchr::memchr2(0xC2, 0xE2, rest.as_bytes()) {
            let (before, from) = rest.split_at(at);
            let mut chars = from.chars();
            let escape = match chars.next() {
                Some('\u{85}') => "\\u0085",
                Some('\u{2028}') => "\\u2028",
                Some('\u{2029}') => "\\u2029",
                _ => from
                    .get(..from.len() - chars.as_str().len())
                    .unwrap_or_default(),
            };
            out.write_all(before.as_bytes())?;
            out.write_all(escape.as_bytes())?;
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    usage: Counts,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    message: Message<'a>,
    logprobs: (),
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<&'a String>,
    refusal: Option<&'a str>,
    annotations: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<CalledFunction<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum ToolCall<'a> {
    Function {
        id: String,
        function: CalledFunction<'a>,
    },
    Custom {
        id: String,
        custom: CalledCustom<'a>,
    },
}

#[derive(Serialize)]
struct CalledFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct CalledCustom<'a> {
    name: &'a str,
    input: String,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "OpenAI's names")]
struct Counts {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl From<Usage> for Counts {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.input_tokens,
            completion_tokens: usage.output_tokens,
            total_tokens: usage.total_tokens(),
        }
    }
}

#[derive(Serialize)]
struct Cost {
    #[serde(skip_serializing_if = "Option::is_none")]
    credits: Option<serde_json::Value>,
    usage: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Delta<'a> {
    Role {
        role: &'static str,
        content: &'static str,
        refusal: (),
    },
    ToolCalls {
        tool_calls: [IndexedCall<'a>; 1],
    },
    MoreTool {
        tool_calls: [MoreCall<'a>; 1],
    },
    MoreCustom {
        tool_calls: [MoreCustom; 1],
    },
    FunctionCall {
        function_call: CalledFunction<'a>,
    },
    MoreFunction {
        function_call: Arguments<'a>,
    },
}

#[derive(Serialize)]
struct IndexedCall<'a> {
    index: usize,
    #[serde(flatten)]
    call: ToolCall<'a>,
}

#[derive(Serialize)]
struct MoreCall<'a> {
    index: usize,
    function: Arguments<'a>,
}

#[derive(Serialize)]
struct MoreCustom {
    index: usize,
    custom: Input,
}

#[derive(Serialize)]
struct Arguments<'a> {
    arguments: &'a str,
}

#[derive(Serialize)]
struct Input {
    input: String,
}

#[cfg(test)]
mod tests;
