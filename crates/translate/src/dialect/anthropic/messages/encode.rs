//! Reply events become a message, whole ([`EncodeOptions`]) or as the events of a stream ([`Events`]).
//!
//! Blocks come in the order of their events, and one is open at a time. A search that a client demands
//! stands before them, for clients count it: what was asked, and no results, for upstream does not say
//! what it found.

mod body;
mod prefill;

use std::io::Write as _;

use serde::Serialize;

use crate::dialect::anthropic::error;
use crate::dialect::json;
use crate::dialect::{Encoder, StreamEncoder};
use crate::failure::Failure;
use crate::reply::{Completion, Event, Finish, Reply, ResponseMeta};
use body::{Block, Counts, DeltaCounts, Message, Stop};
use prefill::Prefill;

/// Stands where Anthropic seals a block of thoughts. Clients keep a block only if it has a seal,
/// and send it back as it is. Ours says who showed the thoughts (it is `1min-relay` in base64); it
/// proves nothing and is not looked at when it comes back, for thoughts are never sent upstream.
pub const SIGNATURE: &str = "MW1pbi1yZWxheQ==";

/// How the answer was asked for.
#[derive(Debug, Clone, Default)]
pub struct EncodeOptions {
    /// The model to name in the answer.
    pub model: String,
    /// The tokens read, as `message_start` says before upstream has counted.
    pub input_tokens: u64,
    /// What becomes of thoughts.
    pub thoughts: Thoughts,
    /// The beginning of the answer that the client gave; only what follows it is sent.
    pub prefill: String,
    /// What is searched for, where the client demands a search.
    pub query: Option<String>,
}

/// What becomes of the thoughts that a model shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thoughts {
    /// They were not asked for.
    #[default]
    Hidden,
    /// A block without their text tells that there were any (`display: omitted`).
    Omitted,
    /// They are shown.
    Shown,
}

impl Encoder for EncodeOptions {
    fn document(&self, meta: &ResponseMeta, replies: &[Reply], completion: Completion) -> Vec<u8> {
        let silent = Reply::default();
        let reply = replies.first().unwrap_or(&silent);
        let mut prefill = Prefill::new(&self.prefill);
        let mut text = prefill.pass(&reply.text).into_owned();
        text.push_str(&prefill.rest());
        text.push_str(&reply.refusal);
        let usage = Counts::from(completion.usage).with_searches(self.searches());
        let mut message = Message::new(&meta.id, &self.model, usage);
        message.content = self.search_blocks(meta);
        let said = content(self.thoughts, meta, reply, &text);
        message.content.extend(said);
        message.stop = Stop::of(&reply.finish, !reply.refusal.is_empty());
        let mut out = Vec::with_capacity(768 + text.len() + reply.reasoning.len());
        json::write(&message, &mut out);
        out
    }

    fn stream(self: Box<Self>, meta: ResponseMeta, _choices: u32) -> Box<dyn StreamEncoder> {
        Box::new(Events::new(*self, meta))
    }
}

impl EncodeOptions {
    /// Searches that were made on demand.
    fn searches(&self) -> Option<u64> {
        self.query.as_ref().map(|_| 1)
    }

    /// The search and its result, as far as anybody knows.
    fn search_blocks(&self, meta: &ResponseMeta) -> Vec<Block<'_>> {
        let Some(query) = &self.query else {
            return Vec::new();
        };
        let id = format!("srvtoolu_{}", meta.id);
        let result = Block::search_result(id.clone());
        vec![Block::search(id, Some(query)), result]
    }
}

fn content<'a>(
    thoughts: Thoughts,
    meta: &ResponseMeta,
    reply: &'a Reply,
    text: &'a str,
) -> Vec<Block<'a>> {
    let mut content = Vec::with_capacity(2 + reply.calls.len());
    if !reply.reasoning.is_empty() && thoughts != Thoughts::Hidden {
        let shown = thoughts == Thoughts::Shown;
        content.push(Block::thinking(
            if shown { &reply.reasoning } else { "" },
            SIGNATURE,
        ));
    }
    if !text.is_empty() {
        content.push(Block::text(text));
    }
    let calls = reply.calls.iter().enumerate();
    content.extend(
        calls.map(|(index, call)| Block::call(call_id(meta, index), &call.name, &call.arguments)),
    );
    content
}

fn call_id(meta: &ResponseMeta, index: usize) -> String {
    format!("toolu_{}{index:02x}", meta.id)
}

/// Writes the events of a stream. What does not change from one delta of a block to the next is
/// prepared once, so that a delta costs one escape of its text and two copies.
#[derive(Debug)]
pub struct Events {
    options: EncodeOptions,
    meta: ResponseMeta,
    prefill: Prefill,
    open: Open,
    /// The number of the open block, or of the next one.
    index: usize,
    /// How every delta of the open block begins.
    head: Vec<u8>,
    refused: bool,
    finish: Finish,
    /// Searches that were made on demand.
    searches: Option<u64>,
}

/// Which block is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    None,
    Text,
    Thinking,
    Call,
    Result,
}

impl Events {
    /// An encoder for one stream.
    #[must_use]
    pub fn new(options: EncodeOptions, meta: ResponseMeta) -> Self {
        Self {
            prefill: Prefill::new(&options.prefill),
            options,
            meta,
            open: Open::None,
            index: 0,
            head: Vec::with_capacity(160),
            refused: false,
            finish: Finish::Stop,
            searches: None,
        }
    }

    fn begin(&mut self, open: Open, block: Block<'_>, out: &mut Vec<u8>) {
        self.end(out);
        let start = body::BlockStart {
            index: self.index,
            content_block: block,
        };
        frame("content_block_start", &start, out);
        let (kind, field) = match open {
            Open::Thinking => ("thinking_delta", "thinking"),
            Open::Call => ("input_json_delta", "partial_json"),
            Open::Text | Open::Result | Open::None => ("text_delta", "text"),
        };
        self.head.clear();
        let _ = write!(
            self.head,
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{},\"delta\":{{\"type\":\"{kind}\",\"{field}\":",
            self.index
        );
        self.open = open;
    }

    fn delta(&self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        json_strings::write_on_one_line(text, out);
        out.extend_from_slice(b"}}\n\n");
    }

    /// Ends the open block, if one is.
    fn end(&mut self, out: &mut Vec<u8>) {
        if self.open == Open::None {
            return;
        }
        if self.open == Open::Thinking {
            frame(
                "content_block_delta",
                &body::Sealed::new(self.index, SIGNATURE),
                out,
            );
        }
        frame(
            "content_block_stop",
            &body::BlockStop { index: self.index },
            out,
        );
        self.open = Open::None;
        self.index += 1;
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        if self.open != Open::Text {
            self.begin(Open::Text, Block::text(""), out);
        }
        self.delta(text, out);
    }

    fn thought(&mut self, text: &str, out: &mut Vec<u8>) {
        if self.options.thoughts == Thoughts::Hidden {
            return;
        }
        if self.open != Open::Thinking {
            self.begin(Open::Thinking, Block::thinking("", ""), out);
        }
        if self.options.thoughts == Thoughts::Shown {
            self.delta(text, out);
        }
    }

    /// Text that was held back because it might have been the given beginning, and was not.
    fn release(&mut self, out: &mut Vec<u8>) {
        let held = self.prefill.rest();
        self.text(&held, out);
    }
}

impl StreamEncoder for Events {
    fn open(&mut self, out: &mut Vec<u8>) {
        let usage = Counts::new(self.options.input_tokens, 0);
        let message = Message::new(&self.meta.id, &self.options.model, usage);
        frame("message_start", &body::MessageStart { message }, out);
        let Some(query) = self.options.query.take() else {
            return;
        };
        let id = format!("srvtoolu_{}", self.meta.id);
        self.searches = Some(1);
        self.begin(Open::Call, Block::search(id.clone(), None), out);
        self.delta(&body::query_json(&query), out);
        self.begin(Open::Result, Block::search_result(id), out);
        self.end(out);
    }

    fn event(&mut self, _choice: u32, event: Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Text(text) if self.prefill.is_past() => self.text(text, out),
            Event::Text(text) => {
                let text = self.prefill.pass(text).into_owned();
                self.text(&text, out);
            }
            Event::Reasoning(text) => self.thought(text, out),
            Event::Refusal(text) => {
                self.refused = true;
                self.release(out);
                self.text(text, out);
            }
            Event::CallStarted { index, name } => {
                self.release(out);
                let block = Block::call(call_id(&self.meta, index), name, "{}");
                self.begin(Open::Call, block, out);
            }
            Event::CallArguments { json, .. } => self.delta(json, out),
            Event::CallEnded { .. } => self.end(out),
            Event::Finished(finish) => {
                self.release(out);
                self.end(out);
                self.finish = finish.clone();
            }
        }
    }

    fn close(&mut self, completion: Completion, out: &mut Vec<u8>) {
        self.release(out);
        self.end(out);
        let end = body::MessageDelta {
            delta: body::End {
                container: (),
                stop: Stop::of(&self.finish, self.refused),
            },
            usage: DeltaCounts::new(completion.usage, self.searches),
        };
        frame("message_delta", &end, out);
        frame("message_stop", &body::MessageStop {}, out);
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: error\ndata: ");
        out.extend_from_slice(&error::object(failure, None));
        out.extend_from_slice(b"\n\n");
    }

    fn heartbeat(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"event: ping\ndata: {\"type\":\"ping\"}\n\n");
    }
}

/// Every event has its name twice: SDKs drop one without an `event:` line.
fn frame(name: &str, data: &impl Serialize, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Named<'a, T> {
        #[serde(rename = "type")]
        name: &'a str,
        #[serde(flatten)]
        data: &'a T,
    }
    let _ = write!(out, "event: {name}\ndata: ");
    json::write(&Named { name, data }, out);
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests;
