//! The stream of a response: each item is added, told in pieces, and done; one is open at a time.
//! The last event says how it ended; no `[DONE]` follows.

mod sequence;

use serde_json::Value;

use super::body::{self, Response, Status};
use super::ids::{call_id, item_id};
use super::options::EncodeOptions;
use crate::dialect::StreamEncoder;
use crate::dialect::json;
use crate::dialect::openai::KEEPALIVE_COMMENT;
use crate::dialect::openai::responses::calls::{Callable, Form, custom_input};
use crate::failure::Failure;
use crate::reply::{Completion, Event, Finish, ResponseMeta};
use sequence::{
    CallText, ContentPart, ContentText, ErrorFields, ItemFields, Place, Sequence, SummaryPart,
    SummaryText, Whole,
};

/// Writes one response as a stream.
#[derive(Debug)]
pub struct Events {
    options: EncodeOptions,
    meta: ResponseMeta,
    sequence: Sequence,
    /// The items that are done.
    output: Vec<Value>,
    open: Option<Open>,
    calls: usize,
    finish: Option<Finish>,
    response: Option<Vec<u8>>,
}

/// The item that is open.
#[derive(Debug)]
enum Open {
    Search {
        id: String,
    },
    Reasoning {
        id: String,
        text: String,
    },
    Message {
        id: String,
        content: Vec<Value>,
        part: OpenPart,
    },
    Call(OpenCall),
}

/// The part of a message that is open: its kind, and what has been said.
#[derive(Debug)]
struct OpenPart {
    refusal: bool,
    text: String,
}

impl OpenPart {
    fn value(&self) -> Value {
        if self.refusal {
            body::refusal(&self.text)
        } else {
            body::text(&self.text)
        }
    }
}

#[derive(Debug)]
struct OpenCall {
    id: String,
    call_id: String,
    callable: Callable,
    arguments: String,
}

impl OpenCall {
    fn item(&self, status: &str) -> Value {
        self.callable
            .item(&self.id, &self.call_id, &self.arguments, status)
    }
}

impl Events {
    /// An encoder for the stream of one response.
    #[must_use]
    pub fn new(options: EncodeOptions, meta: ResponseMeta) -> Self {
        Self {
            options,
            meta,
            sequence: Sequence::default(),
            output: Vec::new(),
            open: None,
            calls: 0,
            finish: None,
            response: None,
        }
    }

    /// The final response object as JSON text: after the stream has closed or failed, and only if
    /// [`EncodeOptions::keep`] asked for it.
    #[must_use]
    pub fn response(&self) -> Option<&[u8]> {
        self.response.as_deref()
    }

    /// The id of the next item.
    fn id(&self, prefix: &str) -> String {
        item_id(prefix, &self.meta, self.output.len())
    }

    fn place<'a>(&self, id: &'a str) -> Place<'a> {
        Place {
            item_id: id,
            output_index: self.output.len(),
        }
    }

    fn added(&mut self, item: &Value, out: &mut Vec<u8>) {
        let fields = ItemFields {
            output_index: self.output.len(),
            item,
        };
        self.sequence
            .event("response.output_item.added", &fields, out);
    }

    fn done(&mut self, item: Value, out: &mut Vec<u8>) {
        let fields = ItemFields {
            output_index: self.output.len(),
            item: &item,
        };
        self.sequence
            .event("response.output_item.done", &fields, out);
        self.output.push(item);
    }

    fn searching(&mut self, out: &mut Vec<u8>) {
        let Some(query) = self.options.query.clone() else {
            return;
        };
        let id = self.id("ws");
        self.added(&body::search(&id, "in_progress", &query), out);
        let place = self.place(&id);
        self.sequence
            .event("response.web_search_call.in_progress", &place, out);
        self.sequence
            .event("response.web_search_call.searching", &place, out);
        self.open = Some(Open::Search { id });
    }

    fn reasoning(&mut self, more: &str, out: &mut Vec<u8>) {
        if !matches!(self.open, Some(Open::Reasoning { .. })) {
            self.end_item(false, out);
            let id = self.id("rs");
            self.added(&body::reasoning(&id, self.options.summary, ""), out);
            self.reasoning_part("added", &id, "", out);
            self.open = Some(Open::Reasoning {
                id,
                text: String::new(),
            });
        }
        let output_index = self.output.len();
        let Some(Open::Reasoning { id, text }) = &mut self.open else {
            return;
        };
        text.push_str(more);
        let place = Place {
            item_id: id,
            output_index,
        };
        if self.options.summary {
            let fields = SummaryText {
                place,
                summary_index: 0,
                delta: Some(more),
                text: None,
            };
            self.sequence
                .event("response.reasoning_summary_text.delta", &fields, out);
        } else {
            let fields = ContentText {
                place,
                content_index: 0,
                delta: Some(more),
                ..ContentText::default()
            };
            self.sequence
                .event("response.reasoning_text.delta", &fields, out);
        }
    }

    fn reasoning_part(&mut self, which: &str, id: &str, text: &str, out: &mut Vec<u8>) {
        let place = self.place(id);
        if self.options.summary {
            let part = body::summary_text(text);
            let fields = SummaryPart {
                place,
                summary_index: 0,
                part: &part,
            };
            self.sequence.event(
                &format!("response.reasoning_summary_part.{which}"),
                &fields,
                out,
            );
        } else {
            let part = body::reasoning_text(text);
            let fields = ContentPart {
                place,
                content_index: 0,
                part: &part,
            };
            self.sequence
                .event(&format!("response.content_part.{which}"), &fields, out);
        }
    }

    fn end_reasoning(&mut self, id: &str, text: &str, out: &mut Vec<u8>) {
        let place = self.place(id);
        if self.options.summary {
            let fields = SummaryText {
                place,
                summary_index: 0,
                delta: None,
                text: Some(text),
            };
            self.sequence
                .event("response.reasoning_summary_text.done", &fields, out);
        } else {
            let fields = ContentText {
                place,
                content_index: 0,
                text: Some(text),
                ..ContentText::default()
            };
            self.sequence
                .event("response.reasoning_text.done", &fields, out);
        }
        self.reasoning_part("done", id, text, out);
        self.done(body::reasoning(id, self.options.summary, text), out);
    }

    /// More of what is said, or of the words of refusal.
    fn say(&mut self, more: &str, refusal: bool, out: &mut Vec<u8>) {
        match &self.open {
            Some(Open::Message { part, .. }) if part.refusal == refusal => {}
            Some(Open::Message { .. }) => self.next_part(refusal, out),
            _ => self.begin_message(refusal, out),
        }
        let output_index = self.output.len();
        let Some(Open::Message { id, content, part }) = &mut self.open else {
            return;
        };
        part.text.push_str(more);
        let fields = ContentText {
            place: Place {
                item_id: id,
                output_index,
            },
            content_index: content.len(),
            delta: Some(more),
            logprobs: (!refusal).then_some([]),
            ..ContentText::default()
        };
        let kind = if refusal {
            "response.refusal.delta"
        } else {
            "response.output_text.delta"
        };
        self.sequence.event(kind, &fields, out);
    }

    fn begin_message(&mut self, refusal: bool, out: &mut Vec<u8>) {
        self.end_item(false, out);
        let id = self.id("msg");
        self.added(&body::message(&id, "in_progress", &[]), out);
        let part = OpenPart {
            refusal,
            text: String::new(),
        };
        self.part_event("added", &id, 0, &part.value(), out);
        self.open = Some(Open::Message {
            id,
            content: Vec::new(),
            part,
        });
    }

    fn next_part(&mut self, refusal: bool, out: &mut Vec<u8>) {
        let Some(Open::Message {
            id,
            mut content,
            part,
        }) = self.open.take()
        else {
            return;
        };
        self.end_part(&id, content.len(), &part, out);
        content.push(part.value());
        let part = OpenPart {
            refusal,
            text: String::new(),
        };
        self.part_event("added", &id, content.len(), &part.value(), out);
        self.open = Some(Open::Message { id, content, part });
    }

    fn part_event(&mut self, which: &str, id: &str, index: usize, part: &Value, out: &mut Vec<u8>) {
        let fields = ContentPart {
            place: self.place(id),
            content_index: index,
            part,
        };
        self.sequence
            .event(&format!("response.content_part.{which}"), &fields, out);
    }

    fn end_part(&mut self, id: &str, index: usize, part: &OpenPart, out: &mut Vec<u8>) {
        let said = ContentText {
            place: self.place(id),
            content_index: index,
            ..ContentText::default()
        };
        if part.refusal {
            let fields = ContentText {
                refusal: Some(&part.text),
                ..said
            };
            self.sequence.event("response.refusal.done", &fields, out);
        } else {
            let fields = ContentText {
                text: Some(&part.text),
                logprobs: Some([]),
                ..said
            };
            self.sequence
                .event("response.output_text.done", &fields, out);
        }
        self.part_event("done", id, index, &part.value(), out);
    }

    fn call_started(&mut self, name: &str, out: &mut Vec<u8>) {
        self.end_item(false, out);
        let callable = self.options.callable(name);
        let call = OpenCall {
            id: self.id(callable.form.id_prefix()),
            call_id: call_id(&self.meta, self.calls),
            callable,
            arguments: String::new(),
        };
        self.calls += 1;
        // What cannot be told in pieces is added when it is complete.
        if call.callable.form.is_told_in_pieces() {
            self.added(&call.item("in_progress"), out);
        }
        self.open = Some(Open::Call(call));
    }

    fn call_arguments(&mut self, more: &str, out: &mut Vec<u8>) {
        let output_index = self.output.len();
        let Some(Open::Call(call)) = &mut self.open else {
            return;
        };
        call.arguments.push_str(more);
        if call.callable.form == Form::Function {
            let fields = CallText {
                place: Place {
                    item_id: &call.id,
                    output_index,
                },
                delta: Some(more),
                ..CallText::default()
            };
            self.sequence
                .event("response.function_call_arguments.delta", &fields, out);
        }
    }

    fn end_call(&mut self, call: &OpenCall, cut: bool, out: &mut Vec<u8>) {
        let place = self.place(&call.id);
        let said = CallText {
            place,
            ..CallText::default()
        };
        match call.callable.form {
            Form::Function => {
                let fields = CallText {
                    arguments: Some(&call.arguments),
                    ..said
                };
                self.sequence
                    .event("response.function_call_arguments.done", &fields, out);
            }
            Form::Custom => {
                // The text is known only when the JSON around it is complete.
                let input = custom_input(&call.arguments);
                let fields = CallText {
                    delta: Some(&input),
                    ..said
                };
                self.sequence
                    .event("response.custom_tool_call_input.delta", &fields, out);
                let fields = CallText {
                    input: Some(&input),
                    ..said
                };
                self.sequence
                    .event("response.custom_tool_call_input.done", &fields, out);
            }
            _ if cut => return,
            _ => self.added(&call.item("in_progress"), out),
        }
        self.done(call.item(body::status(cut)), out);
    }

    /// Ends the open item, if there is one.
    fn end_item(&mut self, cut: bool, out: &mut Vec<u8>) {
        match self.open.take() {
            None => {}
            Some(Open::Search { id }) => {
                let place = self.place(&id);
                self.sequence
                    .event("response.web_search_call.completed", &place, out);
                let query = self.options.query.clone().unwrap_or_default();
                self.done(body::search(&id, "completed", &query), out);
            }
            Some(Open::Reasoning { id, text }) => self.end_reasoning(&id, &text, out),
            Some(Open::Message {
                id,
                mut content,
                part,
            }) => {
                self.end_part(&id, content.len(), &part, out);
                content.push(part.value());
                self.done(body::message(&id, body::status(cut), &content), out);
            }
            Some(Open::Call(call)) => self.end_call(&call, cut, out),
        }
    }

    /// An answer that says nothing is still one message: clients look for it.
    fn end_items(&mut self, out: &mut Vec<u8>) {
        let finish = self.finish.get_or_insert_default();
        let cut = Status::of(finish).is_incomplete();
        let speaking = matches!(self.open, Some(Open::Message { .. } | Open::Call(_)));
        let spoke = self.calls > 0 || self.output.iter().any(|item| item["type"] == "message");
        if !speaking && !spoke {
            self.begin_message(false, out);
        }
        self.end_item(cut, out);
    }

    /// The open item as far as it came, for a response that failed.
    fn unfinished(&self) -> Option<Value> {
        match self.open.as_ref()? {
            Open::Search { id } => {
                let query = self.options.query.as_deref().unwrap_or_default();
                Some(body::search(id, "failed", query))
            }
            Open::Reasoning { id, text } => Some(body::reasoning(id, self.options.summary, text)),
            Open::Message { id, content, part } => {
                let mut content = content.clone();
                content.push(part.value());
                Some(body::message(id, "incomplete", &content))
            }
            Open::Call(call) => {
                let told = call.callable.form.is_told_in_pieces();
                told.then(|| call.item("incomplete"))
            }
        }
    }

    fn state(&mut self, status: Status, out: &mut Vec<u8>) {
        let kind = match status {
            Status::InProgress if self.sequence.is_new() => "response.created",
            _ => "response.in_progress",
        };
        let response = Response::new(&self.options.echo, &self.meta, status, &[]);
        let fields = Whole {
            response: &response,
        };
        self.sequence.event(kind, &fields, out);
    }
}

impl StreamEncoder for Events {
    fn open(&mut self, out: &mut Vec<u8>) {
        self.state(Status::InProgress, out);
        self.state(Status::InProgress, out);
        self.searching(out);
    }

    fn event(&mut self, choice: u32, event: Event<'_>, out: &mut Vec<u8>) {
        if choice != 0 || self.finish.is_some() {
            return;
        }
        match event {
            Event::Text(text) => self.say(text, false, out),
            Event::Reasoning(text) => self.reasoning(text, out),
            Event::Refusal(text) => self.say(text, true, out),
            Event::CallStarted { name, .. } => self.call_started(name, out),
            Event::CallArguments { json, .. } => self.call_arguments(json, out),
            Event::CallEnded { .. } => self.end_item(false, out),
            Event::Finished(finish) => {
                self.finish = Some(finish.clone());
                self.end_items(out);
            }
        }
    }

    fn close(&mut self, completion: Completion, out: &mut Vec<u8>) {
        if self.finish.is_none() {
            self.end_items(out);
        }
        let status = Status::of(&self.finish.clone().unwrap_or_default());
        let response =
            Response::new(&self.options.echo, &self.meta, status, &self.output).ended(completion);
        let fields = Whole {
            response: &response,
        };
        self.sequence
            .event(&format!("response.{}", status.word()), &fields, out);
        self.response = self.options.keep.then(|| json::text(&response));
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        let code = body::error_code(failure);
        let error = ErrorFields {
            code: &code,
            message: &failure.message,
            param: failure.param.as_deref(),
        };
        self.sequence.event("error", &error, out);
        self.output.extend(self.unfinished());
        self.open = None;
        let response = Response::new(&self.options.echo, &self.meta, Status::Failed, &self.output)
            .with_error(failure);
        let fields = Whole {
            response: &response,
        };
        self.sequence.event("response.failed", &fields, out);
        self.response = self.options.keep.then(|| json::text(&response));
    }

    fn heartbeat(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(KEEPALIVE_COMMENT);
    }
}
