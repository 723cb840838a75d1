//! Reply events become a text completion, whole ([`EncodeOptions`]) or as chunks ([`Chunks`]).
//!
//! Only text has a place in it: thoughts are left out, words of refusal are the text.

use serde::Serialize;

use crate::dialect::openai::{KEEPALIVE_COMMENT, error};
use crate::dialect::{Encoder, StreamEncoder, json};
use crate::failure::Failure;
use crate::reply::{Completion, Event, Finish, Reply, ResponseMeta, Usage};

/// How the answer was asked for.
#[derive(Debug, Clone, Default)]
pub struct EncodeOptions {
    /// The model to name in the answer.
    pub model: String,
    /// Whether a chunk with usage was asked for (`stream_options.include_usage`).
    pub usage: bool,
    /// The prompts, if they are to be told back before the answers; each has as many of these.
    pub echo: Vec<String>,
}

impl Encoder for EncodeOptions {
    fn document(&self, meta: &ResponseMeta, replies: &[Reply], completion: Completion) -> Vec<u8> {
        let told = |at: usize| self.told(at, replies.len());
        let texts = replies.iter().enumerate().map(|(at, reply)| {
            let prompt = told(at).unwrap_or_default();
            [prompt, &reply.text, &reply.refusal].concat()
        });
        let texts: Vec<String> = texts.collect();
        let choices = replies.iter().zip(&texts).zip(0..);
        let choices: Vec<Choice<'_>> = choices
            .map(|((reply, text), index)| Choice {
                index,
                text,
                logprobs: (),
                finish_reason: Some(finish_reason(&reply.finish)),
            })
            .collect();
        let mut body = TextCompletion::new(&self.model, meta);
        body.choices = &choices;
        body.usage = UsageField::Counts(Counts::from(completion.usage));
        json::text(&body)
    }

    fn stream(self: Box<Self>, meta: ResponseMeta, choices: u32) -> Box<dyn StreamEncoder> {
        Box::new(Chunks {
            options: *self,
            meta,
            choices,
            finishes: Vec::new(),
        })
    }
}

impl EncodeOptions {
    /// The prompt to be told back before one of so many answers.
    fn told(&self, answer: usize, of: usize) -> Option<&str> {
        let each = of.checked_div(self.echo.len())?.max(1);
        self.echo.get(answer / each).map(String::as_str)
    }
}

fn finish_reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::Calls => "stop",
        Finish::Length => "length",
        Finish::Filtered => "content_filter",
    }
}

/// Writes chunks.
#[derive(Debug)]
pub struct Chunks {
    options: EncodeOptions,
    meta: ResponseMeta,
    choices: u32,
    /// How the answers that are over ended. Written when all are: a stream that fails has no mark of
    /// success.
    finishes: Vec<(u32, &'static str)>,
}

impl Chunks {
    fn chunk(&self, choices: &[Choice<'_>], usage: Option<Counts>, out: &mut Vec<u8>) {
        let mut chunk = TextCompletion::new(&self.options.model, &self.meta);
        chunk.choices = choices;
        chunk.usage = match usage {
            Some(counts) => UsageField::Counts(counts),
            None if self.options.usage => UsageField::Null,
            None => UsageField::Absent,
        };
        out.extend_from_slice(b"data: ");
        json::write(&chunk, out);
        out.extend_from_slice(b"\n\n");
    }

    fn say(&self, choice: u32, text: &str, out: &mut Vec<u8>) {
        let choice = Choice {
            index: choice,
            text,
            logprobs: (),
            finish_reason: None,
        };
        self.chunk(&[choice], None, out);
    }

    fn finished(&self, index: u32, reason: &'static str, out: &mut Vec<u8>) {
        let choice = Choice {
            index,
            text: "",
            logprobs: (),
            finish_reason: Some(reason),
        };
        self.chunk(&[choice], None, out);
    }
}

impl StreamEncoder for Chunks {
    fn open(&mut self, out: &mut Vec<u8>) {
        for choice in 0..self.choices {
            if let Some(prompt) = self.options.told(choice as usize, self.choices as usize) {
                self.say(choice, prompt, out);
            }
        }
    }

    fn event(&mut self, choice: u32, event: Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Text(text) | Event::Refusal(text) => self.say(choice, text, out),
            Event::Finished(finish) => self.finishes.push((choice, finish_reason(finish))),
            Event::Reasoning(_)
            | Event::CallStarted { .. }
            | Event::CallArguments { .. }
            | Event::CallEnded { .. } => {}
        }
    }

    fn close(&mut self, completion: Completion, out: &mut Vec<u8>) {
        for (choice, finish) in std::mem::take(&mut self.finishes) {
            self.finished(choice, finish, out);
        }
        if self.options.usage {
            self.chunk(&[], Some(Counts::from(completion.usage)), out);
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
struct TextCompletion<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "UsageField::is_absent")]
    usage: UsageField,
}

impl<'a> TextCompletion<'a> {
    fn new(model: &'a str, meta: &ResponseMeta) -> Self {
        Self {
            id: format!("cmpl-{}", meta.id),
            object: "text_completion",
            created: meta.created,
            model,
            choices: &[],
            usage: UsageField::Absent,
        }
    }
}

/// `usage`, of which a stream with usage says null until its end.
#[derive(Serialize)]
#[serde(untagged)]
enum UsageField {
    Absent,
    Null,
    Counts(Counts),
}

impl UsageField {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

#[derive(Serialize)]
struct Choice<'a> {
    text: &'a str,
    index: u32,
    logprobs: (),
    finish_reason: Option<&'static str>,
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

#[cfg(test)]
mod tests;
