//! The whole conversation as one text.
//!
//! A lone user message goes as it is. Anything more is a transcript: each message between tags of
//! the variant that occurs nowhere in the request (see [`tags`](crate::tags)), tool calls and
//! results in the form the model itself is asked to use, images and documents marked where they
//! stood. Turns are only ever appended, so that a provider's prompt cache keeps its prefix.

mod attribute;
mod calls;

use std::fmt::Write as _;

use crate::chat_request::{
    Attachment, Call, CallResult, ChatRequest, Message, OutputFormat, Part, Role, ToolInput,
};
use crate::tags::Tags;
use attribute::attribute;
use calls::Calls;

/// Picks the tags for a turn: the variant that none of its texts holds, nor any tool or schema.
/// Documents and pages of the web are read by upstream and not known here, so with them the
/// variant is drawn by lot.
#[must_use]
pub fn tags_for(chat: &ChatRequest, seed: u32) -> Tags {
    let schemas: Vec<String> = schemas(chat).map(ToString::to_string).collect();
    let tools = chat.tools.offered.iter();
    let described = tools
        .flat_map(|t| [Some(t.name.as_str()), t.description.as_deref()])
        .flatten();
    let said = chat.messages.iter().flat_map(|m| texts(&m.parts));
    let known = said
        .chain(described)
        .chain(schemas.iter().map(String::as_str));
    let unknown = chat.search.is_some()
        || chat
            .messages
            .iter()
            .any(|m| m.parts.iter().any(has_document));
    if unknown {
        Tags::choose_from(seed, known)
    } else {
        Tags::choose(known)
    }
}

fn schemas(chat: &ChatRequest) -> impl Iterator<Item = &serde_json::Value> {
    let tools = chat
        .tools
        .offered
        .iter()
        .filter_map(|tool| match &tool.input {
            ToolInput::Json(schema) => Some(&**schema),
            ToolInput::Text => None,
        });
    let output = match &chat.output {
        OutputFormat::Schema { schema, .. } => Some(&**schema),
        OutputFormat::Text | OutputFormat::Json => None,
    };
    tools.chain(output)
}

fn has_document(part: &Part) -> bool {
    match part {
        Part::File(_) | Part::Audio(_) => true,
        Part::Result(result) => result.parts.iter().any(has_document),
        _ => false,
    }
}

/// The text of a turn that needs no transcript: one user message, of text, images and documents.
/// Documents are named where they stood, so that the message can speak of them.
#[must_use]
pub fn lone_text(chat: &ChatRequest) -> Option<String> {
    let [message] = chat.messages.as_slice() else {
        return None;
    };
    let plain = message.role == Role::User && message.name.is_none();
    plain.then(|| {
        let named = names_documents(&message.parts);
        let mut files = 0;
        let mut text = String::new();
        for part in &message.parts {
            let mark = match part {
                Part::File(file) if named => {
                    files += 1;
                    Some(file_mark(files, file))
                }
                _ => None,
            };
            let said = texts(std::slice::from_ref(part));
            let said = said.into_iter().chain(mark.as_deref());
            for piece in said.filter(|piece| !piece.is_empty()) {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(piece);
            }
        }
        text
    })
}

/// Whether a message with documents has to tell which is which.
fn names_documents(parts: &[Part]) -> bool {
    let files = parts.iter().filter_map(|part| match part {
        Part::File(file) => Some(file),
        _ => None,
    });
    files.clone().count() > 1 || files.clone().any(|file| file.name.is_some())
}

/// How a document stands in the text: its number, and its name if it has one.
fn file_mark(number: usize, file: &Attachment) -> String {
    let name = file.name.as_deref().map(shown_name).unwrap_or_default();
    let gap = if name.is_empty() { "" } else { ": " };
    format!("[file {number}{gap}{name}]")
}

/// The longest name of a file that is shown, in characters.
const FILE_NAME_CHARS_MAX: usize = 128;

/// A file's name in any script; nothing in it can end the mark, be a tag, or turn the text around.
fn shown_name(name: &str) -> String {
    let is_shown = |c: &char| {
        !c.is_control()
            && !matches!(c, '<' | '>' | '[' | ']' | '"' | '/' | '\\')
            && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let shown: String = name
        .chars()
        .filter(is_shown)
        .take(FILE_NAME_CHARS_MAX)
        .collect();
    shown.trim().to_owned()
}

/// The transcript of the messages. `instructions` (tools) stand right after the client's leading
/// system messages; the model is cued to write the next assistant message, `reminder` last.
#[must_use]
pub fn transcript(chat: &ChatRequest, tags: Tags, instructions: &str, reminder: &str) -> String {
    let mut writer = written(chat, tags, instructions);
    writer.cue(reminder);
    writer.text
}

/// An answer that could not be used, and why.
#[derive(Debug, Clone, Copy)]
pub struct Faulty<'a> {
    /// As the model wrote it.
    pub answer: &'a str,
    /// What it is told.
    pub correction: &'a str,
}

/// The transcript that asks for a better answer: it begins as the first did, so that a provider's
/// prompt cache holds. The faulty answer is left out if it plays roles itself.
#[must_use]
pub fn correcting(
    chat: &ChatRequest,
    tags: Tags,
    instructions: &str,
    reminder: &str,
    faulty: &Faulty<'_>,
) -> String {
    let mut writer = written(chat, tags, instructions);
    let answer = faulty.answer.trim();
    let plays = ["user", "assistant", "system", "tool_result"]
        .iter()
        .any(|role| answer.contains(&tags.open(role)) || answer.contains(&tags.close(role)));
    if !plays && !answer.is_empty() {
        writer.tagged("assistant", answer);
    }
    writer.tagged("system", faulty.correction);
    writer.cue(reminder);
    writer.text
}

fn written<'t>(chat: &'t ChatRequest, tags: Tags, instructions: &str) -> Writer<'t> {
    let mut writer = Writer::new(chat, tags);
    let lead = chat
        .messages
        .iter()
        .take_while(|m| m.role == Role::System)
        .count();
    let (system, rest) = chat.messages.split_at(lead);
    for message in system {
        writer.message(message);
    }
    writer.block(instructions);
    for message in rest {
        writer.message(message);
    }
    writer
}

/// Every text that came with the request and will stand in the transcript.
fn texts(parts: &[Part]) -> Vec<&str> {
    let mut texts = Vec::with_capacity(parts.len());
    each_text(parts, &mut |text| texts.push(text));
    texts
}

fn each_text<'p>(parts: &'p [Part], take: &mut dyn FnMut(&'p str)) {
    for part in parts {
        match part {
            Part::Text(text) | Part::Refusal(text) => take(text),
            Part::Call(call) => {
                take(&call.name);
                take(&call.arguments);
            }
            Part::Result(result) => each_text(&result.parts, take),
            Part::Image(_) | Part::File(_) | Part::Audio(_) | Part::Reasoning(_) => {}
        }
    }
}

struct Writer<'a> {
    text: String,
    tags: Tags,
    calls: Calls<'a>,
    images: usize,
    files: usize,
}

impl<'a> Writer<'a> {
    fn new(chat: &'a ChatRequest, tags: Tags) -> Self {
        let mut size = 64 * chat.messages.len() + 256;
        for message in &chat.messages {
            each_text(&message.parts, &mut |text| size += text.len());
        }
        Self {
            text: String::with_capacity(size),
            tags,
            calls: Calls::of(chat),
            images: 0,
            files: 0,
        }
    }

    fn message(&mut self, message: &'a Message) {
        let results = message.parts.iter().any(|p| matches!(p, Part::Result(_)));
        for part in &message.parts {
            if let Part::Result(result) = part {
                self.result(result);
            }
        }
        let says = message
            .parts
            .iter()
            .any(|p| !matches!(p, Part::Result(_) | Part::Reasoning(_)));
        if !says && (results || message.role == Role::Assistant) {
            return;
        }
        self.said(message);
    }

    fn said(&mut self, message: &'a Message) {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool_result",
        };
        let name = message.name.as_deref().map(attribute).unwrap_or_default();
        self.text.push('<');
        self.tags.write_name(role, &mut self.text);
        if !name.is_empty() {
            let _ = write!(self.text, " name=\"{name}\"");
        }
        self.text.push_str(">\n");
        self.parts(&message.parts);
        self.close(role);
    }

    fn close(&mut self, role: &str) {
        self.text.push_str("</");
        self.tags.write_name(role, &mut self.text);
        self.text.push_str(">\n");
    }

    fn result(&mut self, result: &'a CallResult) {
        let answered = self.calls.answered_by(&result.call_id);
        let name = result
            .name
            .as_deref()
            .or(answered.as_ref().map(|call| call.name));
        let id = answered.map_or_else(|| attribute(&result.call_id), |call| call.shown);
        self.text.push('<');
        self.tags.write_name("tool_result", &mut self.text);
        if let Some(name) = name.or(Some(result.call_id.as_str())).map(attribute) {
            let _ = write!(self.text, " name=\"{name}\"");
        }
        if !id.is_empty() {
            let _ = write!(self.text, " id=\"{id}\"");
        }
        let _ = writeln!(
            self.text,
            "{}>",
            if result.is_error {
                " status=\"error\""
            } else {
                ""
            }
        );
        self.parts(&result.parts);
        self.close("tool_result");
    }

    fn parts(&mut self, parts: &'a [Part]) {
        for part in parts {
            match part {
                Part::Text(text) | Part::Refusal(text) => self.block(text),
                Part::Call(call) => self.call(call),
                Part::Image(_) => {
                    self.images += 1;
                    let _ = writeln!(self.text, "[image {}]", self.images);
                }
                Part::File(media) => {
                    self.files += 1;
                    let _ = writeln!(self.text, "{}", file_mark(self.files, media));
                }
                Part::Audio(_) | Part::Reasoning(_) | Part::Result(_) => {}
            }
        }
    }

    fn call(&mut self, call: &Call) {
        let id = self.calls.written();
        let block = match id {
            Some(id) => {
                super::tools::render_call_with_id(&call.name, &call.arguments, &id, self.tags)
            }
            None => super::tools::render_call(&call.name, &call.arguments, self.tags),
        };
        self.block(&block);
    }

    fn block(&mut self, text: &str) {
        if !text.is_empty() {
            self.text.push_str(text);
            if !text.ends_with('\n') {
                self.text.push('\n');
            }
        }
    }

    fn tagged(&mut self, role: &str, text: &str) {
        self.block(&self.tags.open(role));
        self.block(text);
        self.block(&self.tags.close(role));
    }

    fn cue(&mut self, reminder: &str) {
        let tag = self.tags.open("assistant");
        let _ = writeln!(
            self.text,
            "\nWrite the next {tag} message: only what stands between its tags."
        );
        self.block(reminder);
    }
}

#[cfg(test)]
mod tests;
