//! Reply events become chunks, each a `chat.completion.chunk` in an event of its own.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde::Serialize;

use super::body::{CalledCustom, CalledFunction, Counts, ToolCall};
use super::calls::{call_id, custom_input};
use super::options::EncodeOptions;
use crate::dialect::StreamEncoder;
use crate::dialect::json;
use crate::dialect::openai::{KEEPALIVE_COMMENT, error};
use crate::failure::Failure;
use crate::reply::{Completion, Event, ResponseMeta};

/// The beginning of a delta with text.
const CONTENT: &[u8] = b"{\"content\":";

/// Writes chunks. What does not change from one text delta to the next is prepared once, so that
/// a delta costs one escape of its text and two copies.
#[derive(Debug)]
pub struct Chunks {
    options: EncodeOptions,
    meta: ResponseMeta,
    choices: u32,
    /// What is before the choices.
    head: Vec<u8>,
    /// The same and the beginning of the first choice.
    first_choice: Vec<u8>,
    /// The same and the beginning of its text.
    first_text: Vec<u8>,
    /// How the answers that are over ended. Written when all are: a stream that fails has no mark of
    /// success.
    finishes: Vec<(u32, &'static str)>,
    /// Each answer's open call of a custom tool, if it has one: the text is known only when the
    /// arguments are complete.
    custom: BTreeMap<u32, String>,
}

impl Chunks {
    /// An encoder for a stream of so many answers.
    #[must_use]
    pub fn new(options: EncodeOptions, meta: ResponseMeta, choices: u32) -> Self {
        let mut head = Vec::with_capacity(160);
        let _ = write!(
            head,
            "data: {{\"id\":\"chatcmpl-{}\",\"object\":\"chat.completion.chunk\",\"created\":{},\"model\":",
            meta.id, meta.created
        );
        json::write(&options.model, &mut head);
        head.extend_from_slice(b",\"choices\":[");
        let mut first_choice = head.clone();
        begin_choice(0, &mut first_choice);
        let first_text = [first_choice.as_slice(), CONTENT].concat();
        Self {
            options,
            meta,
            choices,
            head,
            first_choice,
            first_text,
            finishes: Vec::new(),
            custom: BTreeMap::new(),
        }
    }

    fn begin(&self, choice: u32, out: &mut Vec<u8>) {
        if choice == 0 {
            out.extend_from_slice(&self.first_choice);
        } else {
            out.extend_from_slice(&self.head);
            begin_choice(choice, out);
        }
    }

    fn end(finish: Option<&str>, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":");
        match finish {
            Some(finish) => json::write(finish, out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b"}]");
    }

    fn seal(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.options.usage {
            b",\"usage\":null}\n\n"
        } else {
            b"}\n\n"
        });
    }

    fn delta(&self, choice: u32, delta: &impl Serialize, out: &mut Vec<u8>) {
        self.begin(choice, out);
        json::write(delta, out);
        Self::end(None, out);
        self.seal(out);
    }

    /// `delta` is the beginning of the delta, up to its text.
    fn text(&self, choice: u32, delta: &'static [u8], text: &str, out: &mut Vec<u8>) {
        self.begin(choice, out);
        out.extend_from_slice(delta);
        self.text_and_end(text, out);
    }

    fn text_and_end(&self, text: &str, out: &mut Vec<u8>) {
        json_strings::write_on_one_line(text, out);
        out.extend_from_slice(if self.options.usage {
            b"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n".as_slice()
        } else {
            b"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"
        });
    }

    fn call_started(&mut self, choice: u32, index: usize, name: &str, out: &mut Vec<u8>) {
        let function = CalledFunction {
            name,
            arguments: "",
        };
        if self.options.legacy_functions {
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
        let id = call_id(&self.meta, choice as usize, index);
        let call = if self.options.is_custom(name) {
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
        if !self.options.legacy_functions {
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

    fn finished(&self, choice: u32, finish: &'static str, out: &mut Vec<u8>) {
        self.begin(choice, out);
        out.extend_from_slice(b"{}");
        Self::end(Some(finish), out);
        self.seal(out);
    }
}

fn begin_choice(choice: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"index\":");
    json::write(&choice, out);
    out.extend_from_slice(b",\"delta\":");
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
            Event::Text(text) if choice == 0 => {
                out.extend_from_slice(&self.first_text);
                self.text_and_end(text, out);
            }
            Event::Text(text) => self.text(choice, CONTENT, text, out),
            Event::Reasoning(text) => self.text(choice, b"{\"reasoning_content\":", text, out),
            Event::Refusal(text) => self.text(choice, b"{\"refusal\":", text, out),
            Event::CallStarted { index, name } => self.call_started(choice, index, name, out),
            Event::CallArguments { index, json } => self.call_arguments(choice, index, json, out),
            Event::CallEnded { index } => self.call_ended(choice, index, out),
            Event::Finished(finish) => self.finishes.push((choice, self.options.finish(finish))),
        }
    }

    fn close(&mut self, completion: Completion, out: &mut Vec<u8>) {
        for (choice, finish) in std::mem::take(&mut self.finishes) {
            self.finished(choice, finish, out);
        }
        if self.options.usage {
            out.extend_from_slice(&self.head);
            out.extend_from_slice(b"],\"usage\":");
            Counts::from(completion.usage).write(out);
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
        out.extend_from_slice(KEEPALIVE_COMMENT);
    }
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
