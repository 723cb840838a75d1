//! The hub on the way out: what the assistant does in its turn, as events in no client's dialect.
//!
//! Interpreting makes [`Event`]s from upstream's text; every encoder, streaming or not, is fed by
//! the same events. A whole answer is a collected stream ([`Reply`]).

use std::time::Duration;

/// One thing the assistant does, borrowed from the text it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// More of the answer's text. Never empty.
    Text(&'a str),
    /// More of the thoughts that the model shows.
    Reasoning(&'a str),
    /// More of the words with which the model refuses.
    Refusal(&'a str),
    /// A call begins. Calls of one answer are numbered from 0, and one is open at a time.
    CallStarted {
        /// The call's number in this answer.
        index: usize,
        /// The tool's name as the client declared it.
        name: &'a str,
    },
    /// More of the open call's arguments. What has been given so far is always the beginning of
    /// a valid JSON object.
    CallArguments {
        /// The call's number.
        index: usize,
        /// The next piece of JSON text.
        json: &'a str,
    },
    /// The open call is complete: its arguments are one valid JSON object.
    CallEnded {
        /// The call's number.
        index: usize,
    },
    /// The answer is complete. The last event of an answer that did not fail.
    Finished(&'a Finish),
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Finish {
    /// The model had said what it wanted.
    #[default]
    Stop,
    /// One of the client's stop strings came next; it is not part of the answer.
    StopSequence(String),
    /// A length limit was reached, the client's or upstream's.
    Length,
    /// The model called tools and waits for their results.
    Calls,
    /// The provider withheld the rest.
    Filtered,
}

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Whether upstream counted or we did.
    pub source: UsageSource,
    /// Credits charged, where upstream said so.
    pub credits: Option<f64>,
}

impl Usage {
    /// The sum of several answers to one request. It is reported only if every part is, and its
    /// credits are known as far as any part's are.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            source: self.source.weaker(other.source),
            credits: match (self.credits, other.credits) {
                (None, None) => None,
                (a, b) => Some(a.unwrap_or(0.0) + b.unwrap_or(0.0)),
            },
        }
    }

    /// Tokens read and written.
    #[must_use]
    pub fn total_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// Who counted the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UsageSource {
    /// Upstream did.
    Reported,
    /// We did, from the text.
    #[default]
    Estimated,
}

impl UsageSource {
    fn weaker(self, other: Self) -> Self {
        if self == other { self } else { Self::Estimated }
    }

    /// The word for the `x-relay-usage` header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Estimated => "estimated",
        }
    }
}

/// One whole answer: its events, collected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// The answer's text.
    pub text: String,
    /// The thoughts that the model showed.
    pub reasoning: String,
    /// The words with which the model refused.
    pub refusal: String,
    /// The calls it made.
    pub calls: Vec<ReplyCall>,
    /// Why it ended.
    pub finish: Finish,
}

/// One call of a whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyCall {
    /// The tool's name.
    pub name: String,
    /// The arguments as JSON text.
    pub arguments: String,
}

impl Reply {
    /// Takes in one event.
    pub fn collect(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) => self.text.push_str(text),
            Event::Reasoning(text) => self.reasoning.push_str(text),
            Event::Refusal(text) => self.refusal.push_str(text),
            Event::CallStarted { name, .. } => self.calls.push(ReplyCall {
                name: name.to_owned(),
                arguments: String::new(),
            }),
            Event::CallArguments { json, .. } => {
                if let Some(call) = self.calls.last_mut() {
                    call.arguments.push_str(json);
                }
            }
            Event::CallEnded { .. } => {}
            Event::Finished(finish) => self.finish = finish.clone(),
        }
    }
}

/// What is known of an answer only when it is complete.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Completion {
    /// What it took.
    pub usage: Usage,
    /// When it was complete, in seconds since 1970.
    pub at: u64,
    /// How long it took.
    pub timing: Timing,
}

/// How long an answer took, from the arrival of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// Until upstream began to answer.
    pub first: Duration,
    /// Until the answer was complete.
    pub total: Duration,
}

/// What marks one answer to one request: the relay draws it, pure steps only spell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseMeta {
    /// Unguessable, of letters and digits, unique for the request; ids are built from it.
    pub id: String,
    /// When the request came, in seconds since 1970.
    pub created: u64,
}
