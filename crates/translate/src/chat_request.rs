//! The hub on the way in: one request for the assistant's next turn, in no client's dialect.
//!
//! Every dialect decodes into [`ChatRequest`]; composing reads nothing else. Hub types carry no serde:
//! what a client writes on the wire is its dialect's business.

use crate::schema::Definition;
use bytes::Bytes;
use serde_json::{Map, Value};

/// One request for the assistant's next turn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatRequest {
    /// The model as the client named it, less the suffix that asks for web search.
    pub model: String,
    /// The conversation in the client's order. Never empty once decoded.
    pub messages: Vec<Message>,
    /// The tools that the model may call, and how it must choose.
    pub tools: Tools,
    /// The form the answer must have.
    pub output: OutputFormat,
    /// Where the answer must end early.
    pub limits: OutputLimits,
    /// Web search, if asked for.
    pub search: Option<WebSearch>,
    /// How much the model should think, in the client's word (`none` … `max`).
    pub effort: Option<String>,
    /// How many independent answers are wanted. At least 1.
    pub choices: u32,
    /// Whether the answer is wanted whole or event by event.
    pub delivery: Delivery,
    /// Whether upstream's generator of code is wanted instead of chat, where the model has it.
    pub code: bool,
    /// Simple parameters that mean nothing to chat, by the client's names. A model that draws or
    /// speaks may know them.
    pub extra_params: Map<String, Value>,
    /// Names of the parameters that were accepted and have no effect, in the order they came.
    pub ignored: Vec<String>,
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// The participant's name, where the dialect knows one.
    pub name: Option<String>,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

/// Who speaks. `developer` is OpenAI's newer word for `system`; `function` is its older word for `tool`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the application.
    System,
    /// The person, or the application in the person's place.
    User,
    /// The model in earlier turns.
    Assistant,
    /// The application, reporting what a called tool gave.
    Tool,
}

/// One part of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Plain text.
    Text(String),
    /// Words of refusal that the assistant gave earlier.
    Refusal(String),
    /// Thoughts that the assistant showed earlier; never sent back upstream.
    Reasoning(String),
    /// An image.
    Image(Attachment),
    /// A document.
    File(Attachment),
    /// A recording.
    Audio(Attachment),
    /// A call that the assistant made earlier.
    Call(Call),
    /// What a called tool gave.
    Result(CallResult),
}

impl Part {
    /// A file that was uploaded before.
    #[must_use]
    pub fn uploaded(id: String) -> Self {
        Self::File(Attachment {
            source: Source::FileId(id),
            name: None,
            mime: None,
        })
    }
}

/// A call in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The client's id of the call, by which the result refers to it.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments exactly as they stand in the history, normally a JSON object.
    pub arguments: String,
}

/// A tool's result in the history.
#[derive(Debug, Clone, PartialEq)]
pub struct CallResult {
    /// The id of the call it answers.
    pub call_id: String,
    /// The tool's name where the dialect gives it beside the result (OpenAI's legacy `function` role).
    pub name: Option<String>,
    /// Text, images or documents.
    pub parts: Vec<Part>,
    /// Whether the tool reports failure.
    pub is_error: bool,
}

/// Bytes that belong to a message, and where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Where the bytes are.
    pub source: Source,
    /// The file's name, if the client gave one.
    pub name: Option<String>,
    /// The type the client claims; the bytes decide.
    pub mime: Option<String>,
}

/// Where bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// To be fetched from the web.
    Url(String),
    /// In the request itself, already out of base64.
    Inline(Bytes),
    /// Uploaded before, by the id the client was given then.
    FileId(String),
}

/// The tools of a turn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tools {
    /// What is offered, in the client's order.
    pub offered: Vec<Tool>,
    /// How the model must choose.
    pub choice: ToolChoice,
    /// Whether at most one call may be made in the turn (OpenAI's `parallel_tool_calls: false`).
    pub one_at_a_time: bool,
}

impl Tools {
    /// Whether the model may call anything in this turn.
    #[must_use]
    pub fn callable(&self) -> bool {
        !self.offered.is_empty() && self.choice != ToolChoice::None
    }

    /// The tools that the choice lets be called, in the client's order.
    pub fn allowed(&self) -> impl Iterator<Item = &Tool> {
        let may = |tool: &&Tool| match &self.choice {
            ToolChoice::Auto | ToolChoice::Required => true,
            ToolChoice::None => false,
            ToolChoice::Named(only) => *only == tool.name,
            ToolChoice::Allowed { names, .. } => names.contains(&tool.name),
        };
        self.offered.iter().filter(may)
    }

    /// The call that must be made in this turn.
    #[must_use]
    pub fn demand(&self) -> Demand<'_> {
        match &self.choice {
            _ if !self.callable() => Demand::Nothing,
            ToolChoice::Named(name) => Demand::Named(name),
            ToolChoice::Required | ToolChoice::Allowed { required: true, .. } => Demand::Any,
            ToolChoice::Auto | ToolChoice::None | ToolChoice::Allowed { .. } => Demand::Nothing,
        }
    }

    /// Whether a call must be made.
    #[must_use]
    pub fn call_required(&self) -> bool {
        self.demand() != Demand::Nothing
    }

    /// The only tool that may be called where one must be.
    #[must_use]
    pub fn forced(&self) -> Option<&Tool> {
        let mut allowed = self.allowed().filter(|_| self.call_required());
        allowed.next().filter(|_| allowed.next().is_none())
    }
}

/// What must be called in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand<'t> {
    /// Nothing: the model may answer.
    Nothing,
    /// Any of the tools that may be called.
    Any,
    /// This tool.
    Named(&'t str),
}

/// One tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// The name by which it is called.
    pub name: String,
    /// What it does, for the model.
    pub description: Option<String>,
    /// What it takes.
    pub input: ToolInput,
    /// Whether arguments must match the schema exactly (OpenAI's `strict`).
    pub strict: bool,
}

/// What a tool takes.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolInput {
    /// One JSON object that matches a JSON Schema.
    Json(Definition),
    /// Free text (OpenAI's `custom` tools); emulated as an object with the one string `input`.
    Text,
}

/// How the model must choose among the tools.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// No call may be made.
    None,
    /// At least one call must be made.
    Required,
    /// This tool must be called.
    Named(String),
    /// Only these may be called; whether one must be.
    Allowed {
        /// The names that may be called.
        names: Vec<String>,
        /// Whether at least one call must be made.
        required: bool,
    },
}

/// The form the answer must have.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum OutputFormat {
    /// Any text.
    #[default]
    Text,
    /// One JSON value, normally an object (OpenAI's `json_object`).
    Json,
    /// One JSON value that matches a schema.
    Schema {
        /// The schema's name in the client's request.
        name: String,
        /// The JSON Schema.
        schema: Definition,
        /// Whether an answer that does not match is a failure.
        strict: bool,
    },
}

/// Where the answer must end early.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputLimits {
    /// The most tokens the answer may have, by our count.
    pub max_tokens: Option<u64>,
    /// Strings before which the answer is cut.
    pub stop: Vec<String>,
}

/// Web search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WebSearch {
    /// How many sites to read; upstream's default if absent.
    pub sites: Option<u32>,
    /// How many words to take from each; upstream's default if absent.
    pub words: Option<u32>,
}

/// How the answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// As one JSON document.
    #[default]
    Whole,
    /// As server-sent events.
    Streamed,
}
