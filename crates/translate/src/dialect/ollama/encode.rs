//! Reply events become an answer of Ollama's, whole ([`EncodeOptions`]) or line by line ([`Lines`]).
//!
//! A refusal in words is text: the API has no place of its own for it. A call stands whole in one
//! line, its arguments as an object.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::error;
use crate::dialect::time::rfc3339;
use crate::dialect::{Encoder, StreamEncoder, StreamFormat, json};
use crate::failure::Failure;
use crate::reply::{Completion, Event, Finish, Reply, ResponseMeta};

/// Which of the two APIs is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `/api/chat`: a message.
    Chat,
    /// `/api/generate`: a text.
    Generate,
}

/// How the answer was asked for.
#[derive(Debug, Clone)]
pub struct EncodeOptions {
    /// The model to name in the answer.
    pub model: String,
    /// Which API is answered.
    pub shape: Shape,
    /// Whether thoughts are shown.
    pub show_thinking: bool,
}

impl Encoder for EncodeOptions {
    fn document(&self, meta: &ResponseMeta, replies: &[Reply], completion: Completion) -> Vec<u8> {
        let Some(reply) = replies.first() else {
            return Vec::new();
        };
        let text = [reply.text.as_str(), &reply.refusal].concat();
        let thinking = Some(reply.reasoning.as_str());
        let thinking = thinking.filter(|text| self.show_thinking && !text.is_empty());
        let calls = reply.calls.iter().enumerate();
        let calls = calls.map(|(index, call)| tool_call(meta, index, &call.name, &call.arguments));
        let created_at = rfc3339(meta.created);
        let body = Body {
            said: Said::new(self.shape, &text, thinking, calls.collect()),
            ..Body::last(self, &created_at, &reply.finish, completion)
        };
        json::text(&body)
    }

    fn stream(self: Box<Self>, meta: ResponseMeta, _choices: u32) -> Box<dyn StreamEncoder> {
        Box::new(Lines::new(*self, meta))
    }
}

/// Writes one object a line. What does not change from one piece of text to the next is prepared
/// once.
#[derive(Debug)]
pub struct Lines {
    options: EncodeOptions,
    meta: ResponseMeta,
    created_at: String,
    /// What stands before a piece of text.
    before_text: Vec<u8>,
    /// What stands behind it.
    after_text: &'static [u8],
    /// The open call: it is written when it is complete.
    call: Option<OpenCall>,
    /// How the answer ended. Written when the stream is closed: one that fails has no mark of
    /// success.
    finish: Finish,
}

#[derive(Debug)]
struct OpenCall {
    index: usize,
    name: String,
    arguments: String,
}

impl Lines {
    /// An encoder for a stream of one answer.
    #[must_use]
    pub fn new(options: EncodeOptions, meta: ResponseMeta) -> Self {
        let created_at = rfc3339(meta.created);
        let mut before_text = b"{\"model\":".to_vec();
        json::write(&options.model, &mut before_text);
        before_text.extend_from_slice(b",\"created_at\":");
        json::write(&created_at, &mut before_text);
        let (begin, after_text): (&[u8], &[u8]) = match options.shape {
            Shape::Chat => (
                b",\"message\":{\"role\":\"assistant\",\"content\":",
                b"},\"done\":false}\n",
            ),
            Shape::Generate => (b",\"response\":", b",\"done\":false}\n"),
        };
        before_text.extend_from_slice(begin);
        Self {
            created_at,
            before_text,
            after_text,
            options,
            meta,
            call: None,
            finish: Finish::Stop,
        }
    }

    fn line(&self, said: Said<'_>, out: &mut Vec<u8>) {
        let body = Body {
            said,
            ..Body::piece(&self.options.model, &self.created_at)
        };
        json::write(&body, out);
        out.push(b'\n');
    }

    fn text(&self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.before_text);
        json_strings::write_on_one_line(text, out);
        out.extend_from_slice(self.after_text);
    }
}

impl StreamEncoder for Lines {
    fn format(&self) -> StreamFormat {
        StreamFormat::JsonLines
    }

    fn open(&mut self, _out: &mut Vec<u8>) {}

    fn event(&mut self, _choice: u32, event: Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Text(text) | Event::Refusal(text) => self.text(text, out),
            Event::Reasoning(text) if self.options.show_thinking => {
                let said = Said::new(self.options.shape, "", Some(text), Vec::new());
                self.line(said, out);
            }
            Event::Reasoning(_) => {}
            Event::CallStarted { index, name } => {
                self.call = Some(OpenCall {
                    index,
                    name: name.to_owned(),
                    arguments: String::new(),
                });
            }
            Event::CallArguments { json, .. } => {
                if let Some(call) = &mut self.call {
                    call.arguments.push_str(json);
                }
            }
            Event::CallEnded { .. } => {
                if let Some(call) = self.call.take() {
                    let call = tool_call(&self.meta, call.index, &call.name, &call.arguments);
                    let said = Said::new(self.options.shape, "", None, vec![call]);
                    self.line(said, out);
                }
            }
            Event::Finished(finish) => self.finish = finish.clone(),
        }
    }

    fn close(&mut self, completion: Completion, out: &mut Vec<u8>) {
        let body = Body::last(&self.options, &self.created_at, &self.finish, completion);
        json::write(&body, out);
        out.push(b'\n');
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend_from_slice(&error::object(failure));
        out.push(b'\n');
    }

    /// Clients parse every line: a comment or an empty line would break them.
    fn heartbeat(&self, out: &mut Vec<u8>) {
        self.text("", out);
    }
}

/// The answer to a request that asks for no turn, for the reason given.
pub(super) fn without_turn(
    shape: Shape,
    model: &str,
    meta: &ResponseMeta,
    reason: &'static str,
) -> Vec<u8> {
    let created_at = rfc3339(meta.created);
    let body = Body {
        said: Said::new(shape, "", None, Vec::new()),
        done: true,
        done_reason: Some(reason),
        ..Body::piece(model, &created_at)
    };
    let mut out = json::text(&body);
    out.push(b'\n');
    out
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    created_at: &'a str,
    #[serde(flatten)]
    said: Said<'a>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<[(); 0]>,
    #[serde(flatten)]
    counts: Option<Counts>,
}

impl<'a> Body<'a> {
    fn piece(model: &'a str, created_at: &'a str) -> Self {
        Self {
            model,
            created_at,
            said: Said::new(Shape::Chat, "", None, Vec::new()),
            done: false,
            done_reason: None,
            context: None,
            counts: None,
        }
    }

    fn last(
        options: &'a EncodeOptions,
        created_at: &'a str,
        finish: &Finish,
        completion: Completion,
    ) -> Self {
        Self {
            said: Said::new(options.shape, "", None, Vec::new()),
            done: true,
            done_reason: Some(done_reason(finish)),
            context: (options.shape == Shape::Generate).then_some([]),
            counts: Some(Counts::from(completion)),
            ..Self::piece(&options.model, created_at)
        }
    }
}

/// Ollama has no word for calls: an answer that makes some has stopped.
fn done_reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::Stop | Finish::StopSequence(_) | Finish::Calls | Finish::Filtered => "stop",
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Chat {
        message: Message<'a>,
    },
    Generate {
        response: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        thinking: Option<&'a str>,
    },
}

impl<'a> Said<'a> {
    fn new(
        shape: Shape,
        text: &'a str,
        thinking: Option<&'a str>,
        tool_calls: Vec<ToolCall<'a>>,
    ) -> Self {
        match shape {
            Shape::Chat => Self::Chat {
                message: Message {
                    role: "assistant",
                    content: text,
                    thinking,
                    tool_calls,
                },
            },
            Shape::Generate => Self::Generate {
                response: text,
                thinking,
            },
        }
    }
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: String,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    index: usize,
    name: &'a str,
    arguments: Value,
}

fn tool_call<'a>(
    meta: &ResponseMeta,
    index: usize,
    name: &'a str,
    arguments: &str,
) -> ToolCall<'a> {
    let arguments = serde_json::from_str(arguments).ok();
    ToolCall {
        id: format!("call_{}{index:04x}", meta.id),
        function: Function {
            index,
            name,
            arguments: arguments.unwrap_or(Value::Object(Map::new())),
        },
    }
}

/// Durations are in nanoseconds.
#[derive(Serialize)]
struct Counts {
    total_duration: u64,
    load_duration: u64,
    prompt_eval_count: u64,
    prompt_eval_duration: u64,
    eval_count: u64,
    eval_duration: u64,
}

impl From<Completion> for Counts {
    fn from(completion: Completion) -> Self {
        let timing = completion.timing;
        // Clients divide by durations.
        let written = timing.total.saturating_sub(timing.first);
        Self {
            total_duration: nanoseconds(timing.total),
            load_duration: 1,
            prompt_eval_count: completion.usage.input_tokens,
            prompt_eval_duration: nanoseconds(timing.first),
            eval_count: completion.usage.output_tokens,
            eval_duration: nanoseconds(written),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos())
        .unwrap_or(u64::MAX)
        .max(1)
}

#[cfg(test)]
mod tests;
