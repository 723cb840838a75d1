//! Reply events become a response, whole ([`EncodeOptions`]) or as the events of a stream ([`Events`]).

mod body;
mod events;
mod ids;
mod options;

pub use body::Echo;
pub use events::Events;
pub use ids::response_id;
pub use options::EncodeOptions;

use serde_json::Value;

use crate::dialect::json;
use crate::dialect::{Encoder, StreamEncoder};
use crate::reply::{Completion, Finish, Reply, ReplyCall, ResponseMeta};
use body::{Response, Status};
use ids::{call_id, item_id};

impl Encoder for EncodeOptions {
    fn document(&self, meta: &ResponseMeta, replies: &[Reply], completion: Completion) -> Vec<u8> {
        let silent = Reply::default();
        let reply = replies.first().unwrap_or(&silent);
        let output = output(self, meta, reply);
        let status = Status::of(&reply.finish);
        let response = Response::new(&self.echo, meta, status, &output).ended(completion);
        json::text(&response)
    }

    fn stream(self: Box<Self>, meta: ResponseMeta, _choices: u32) -> Box<dyn StreamEncoder> {
        Box::new(Events::new(*self, meta))
    }
}

/// The items of a whole answer: the search, the thoughts, what is said, the calls.
fn output(options: &EncodeOptions, meta: &ResponseMeta, reply: &Reply) -> Vec<Value> {
    let mut output = Vec::with_capacity(3 + reply.calls.len());
    if let Some(query) = &options.query {
        let id = item_id("ws", meta, output.len());
        output.push(body::search(&id, "completed", query));
    }
    if !reply.reasoning.is_empty() {
        let id = item_id("rs", meta, output.len());
        output.push(body::reasoning(&id, options.summary, &reply.reasoning));
    }
    let mut content = Vec::new();
    let silent = reply.calls.is_empty() && reply.refusal.is_empty();
    if !reply.text.is_empty() || silent {
        content.push(body::text(&reply.text));
    }
    if !reply.refusal.is_empty() {
        content.push(body::refusal(&reply.refusal));
    }
    if !content.is_empty() {
        let id = item_id("msg", meta, output.len());
        let cut = Status::of(&reply.finish).is_incomplete() && reply.calls.is_empty();
        output.push(body::message(&id, body::status(cut), &content));
    }
    for (at, call) in reply.calls.iter().enumerate() {
        let callable = options.callable(&call.name);
        let cut = is_cut(&reply.finish, call);
        if cut && !callable.form.is_told_in_pieces() {
            continue;
        }
        let id = item_id(callable.form.id_prefix(), meta, output.len());
        output.push(callable.item(&id, &call_id(meta, at), &call.arguments, body::status(cut)));
    }
    output
}

/// Whether an answer ended within a call. One that was read to its end is valid JSON.
fn is_cut(finish: &Finish, call: &ReplyCall) -> bool {
    Status::of(finish).is_incomplete()
        && serde_json::from_str::<serde::de::IgnoredAny>(&call.arguments).is_err()
}

#[cfg(test)]
mod tests;
