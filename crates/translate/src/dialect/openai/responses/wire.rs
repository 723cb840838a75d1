//! The request of `POST /v1/responses` as it stands on the wire.
//!
//! Tolerant by intent: unknown fields are named, never refused, and `null` is the same as absent.
//! Items and tools stay JSON values here: they may also come from a store, and are told back.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::bounds::note_ignored;
use crate::dialect::request::forms::{Count, list};
use crate::dialect::request::slot::{self, Fields, is_number, number, put, put_object};

mod item;
mod tool;

pub use item::{ConfigurationUpdate, Content, Item, Outcome, Part, ShellResult};
pub use tool::{Format, Function, TextFormat, Tool};

/// The request's fields that have an effect or are told back, and the names of those that have none.
#[derive(Debug, Default)]
pub struct Request {
    /// `model`.
    pub model: Option<String>,
    /// `input`.
    pub input: Option<Input>,
    /// `instructions`.
    pub instructions: Option<String>,
    /// `stream`.
    pub stream: Option<bool>,
    /// `store`.
    pub store: Option<bool>,
    /// `background`.
    pub background: Option<bool>,
    /// `previous_response_id`.
    pub previous_response_id: Option<String>,
    /// `conversation`.
    pub conversation: Option<Conversation>,
    /// `prompt`, a template kept by OpenAI.
    pub prompt: Option<IgnoredAny>,
    /// `max_output_tokens`.
    pub max_output_tokens: Option<Count>,
    /// `max_tool_calls`.
    pub max_tool_calls: Option<Count>,
    /// `tools`.
    pub tools: Option<Vec<Value>>,
    /// `tool_choice`.
    pub tool_choice: Option<Value>,
    /// `parallel_tool_calls`.
    pub parallel_tool_calls: Option<bool>,
    /// `text`.
    pub text: Option<Map<String, Value>>,
    /// `reasoning`.
    pub reasoning: Option<Reasoning>,
    /// `include`.
    pub include: Option<Vec<String>>,
    /// `metadata`.
    pub metadata: Option<BTreeMap<String, String>>,
    /// `truncation`.
    pub truncation: Option<String>,
    /// `temperature`.
    pub temperature: Option<Number>,
    /// `top_p`.
    pub top_p: Option<Number>,
    /// `top_logprobs`.
    pub top_logprobs: Option<Count>,
    /// `prompt_cache_key`.
    pub prompt_cache_key: Option<String>,
    /// `safety_identifier`.
    pub safety_identifier: Option<String>,
    /// `user`.
    pub user: Option<String>,
    /// Names of fields that were given a value and have no effect here.
    pub ignored: Vec<String>,
}

/// Fields that change nothing in an answer and are accepted in silence: labels, cache hints and
/// other services of OpenAI's own.
const SILENT: [&str; 9] = [
    "service_tier",
    "stream_options",
    "prompt_cache_options",
    "prompt_cache_retention",
    "client_metadata",
    "background_options",
    "access_programs",
    "model_provider",
    "request_id",
];

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        slot::read(deserializer)
    }
}

impl Fields for Request {
    const EXPECTED: &'static str = "a JSON object with `model` and `input`";

    fn field<'de, A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        match key.as_str() {
            "model" => put(&mut self.model, "model", map),
            "input" => put(&mut self.input, "input", map),
            "instructions" => put(&mut self.instructions, "instructions", map),
            "stream" => put(&mut self.stream, "stream", map),
            "store" => put(&mut self.store, "store", map),
            "background" => put(&mut self.background, "background", map),
            "previous_response_id" => {
                put(&mut self.previous_response_id, "previous_response_id", map)
            }
            "conversation" => put(&mut self.conversation, "conversation", map),
            "prompt" => put(&mut self.prompt, "prompt", map),
            "max_output_tokens" => put(&mut self.max_output_tokens, "max_output_tokens", map),
            "max_tool_calls" => put(&mut self.max_tool_calls, "max_tool_calls", map),
            "tools" => put(&mut self.tools, "tools", map),
            "tool_choice" => put(&mut self.tool_choice, "tool_choice", map),
            "parallel_tool_calls" => put(&mut self.parallel_tool_calls, "parallel_tool_calls", map),
            _ => self.further_field(key, map),
        }
    }
}

impl Request {
    fn further_field<'de, A: MapAccess<'de>>(
        &mut self,
        key: String,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key.as_str() {
            "text" => put(&mut self.text, "text", map),
            "reasoning" => put_object(&mut self.reasoning, "reasoning", map),
            "include" => put(&mut self.include, "include", map),
            "metadata" => put(&mut self.metadata, "metadata", map),
            "truncation" => put(&mut self.truncation, "truncation", map),
            "temperature" => put(&mut self.temperature, "temperature", map),
            "top_p" => put(&mut self.top_p, "top_p", map),
            "top_logprobs" => put(&mut self.top_logprobs, "top_logprobs", map),
            "prompt_cache_key" => put(&mut self.prompt_cache_key, "prompt_cache_key", map),
            "safety_identifier" => put(&mut self.safety_identifier, "safety_identifier", map),
            "user" => put(&mut self.user, "user", map),
            _ => {
                let asks = if is_number(&key) {
                    number(map)?.is_some()
                } else {
                    map.next_value::<Option<IgnoredAny>>()?.is_some()
                };
                if asks && !SILENT.contains(&key.as_str()) {
                    note_ignored(&mut self.ignored, key);
                }
                Ok(())
            }
        }
    }
}

/// `input`: a string, or a list of items.
#[derive(Debug, PartialEq)]
pub enum Input {
    /// One message of the user.
    Text(String),
    /// Items.
    Items(Vec<Value>),
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Input;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of input items")
            }
            fn visit_str<E>(self, text: &str) -> Result<Input, E> {
                Ok(Input::Text(text.to_owned()))
            }
            fn visit_string<E>(self, text: String) -> Result<Input, E> {
                Ok(Input::Text(text))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Input, A::Error> {
                list(seq, Value::Object).map(Input::Items)
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// `conversation`: its id, or an object with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The conversation's id.
    pub id: String,
}

impl<'de> Deserialize<'de> for Conversation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Conversation;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a conversation's id, or an object with `id`")
            }
            fn visit_str<E>(self, id: &str) -> Result<Conversation, E> {
                Ok(Conversation { id: id.to_owned() })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Conversation, A::Error> {
                let mut id = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "id" {
                        id = Some(map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                let id = id.ok_or_else(|| A::Error::missing_field("id"))?;
                Ok(Conversation { id })
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// `reasoning`.
#[derive(Debug, Default, Deserialize)]
pub struct Reasoning {
    /// How much the model should think.
    #[serde(default)]
    pub effort: Option<String>,
    /// Whether and how thoughts are told: `auto`, `concise` or `detailed`.
    #[serde(default)]
    pub summary: Option<String>,
    /// The older name of `summary`.
    #[serde(default)]
    pub generate_summary: Option<String>,
}
