//! The request of `POST /v1/chat/completions` as it stands on the wire.
//!
//! Tolerant by intent: unknown fields are named, never refused, and `null` is the same as absent.
//! The top level is read by hand because serde's `flatten`, which would keep unknown fields aside,
//! copies the whole request once more.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::bounds::note_ignored;
use crate::dialect::openai::parts::Grammar;
use crate::dialect::request::forms::{Count, OneOrMany, object};
use crate::dialect::request::slot::{self, Fields, is_number, number, put, put_list, put_object};

mod message;

pub use message::{
    CalledCustom, CalledFunction, Content, File, Message, Part, PartSource, ToolCall,
};

/// The request's fields that have an effect, and the names of those that have none.
#[derive(Debug, Default)]
pub struct Request {
    /// `model`.
    pub model: Option<String>,
    /// `messages`.
    pub messages: Option<Vec<Message>>,
    /// `stream`.
    pub stream: Option<bool>,
    /// `stream_options`.
    pub stream_options: Option<StreamOptions>,
    /// `n`.
    pub n: Option<Count>,
    /// `stop`.
    pub stop: Option<OneOrMany>,
    /// `max_tokens`, the older name.
    pub max_tokens: Option<Count>,
    /// `max_completion_tokens`.
    pub max_completion_tokens: Option<Count>,
    /// `tools`.
    pub tools: Option<Vec<Tool>>,
    /// `tool_choice`.
    pub tool_choice: Option<Value>,
    /// `parallel_tool_calls`.
    pub parallel_tool_calls: Option<bool>,
    /// `functions`, the older form of `tools`.
    pub functions: Option<Vec<Function>>,
    /// `function_call`, the older form of `tool_choice`.
    pub function_call: Option<Value>,
    /// `response_format`.
    pub response_format: Option<ResponseFormat>,
    /// `reasoning_effort`.
    pub reasoning_effort: Option<String>,
    /// `web_search_options`.
    pub web_search_options: Option<WebSearchOptions>,
    /// `web_search`, the original relay's switch.
    pub web_search: Option<bool>,
    /// `num_of_site`, the original relay's field.
    pub num_of_site: Option<Count>,
    /// `max_word`, the original relay's field.
    pub max_word: Option<Count>,
    /// `new_input`, the original relay's further user message.
    pub new_input: Option<String>,
    /// `file_ids`, the original relay's field: files of the last user message.
    pub file_ids: Option<Vec<String>>,
    /// Names of fields that were given a value and have no effect here.
    pub ignored: Vec<String>,
    /// The values of those that are simple.
    pub extra_params: Map<String, Value>,
}

/// Fields that change nothing in an answer and are accepted in silence: labels, storage and cache
/// hints of OpenAI's own service.
const SILENT: [&str; 11] = [
    "user",
    "metadata",
    "store",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "prediction",
    "safety_identifier",
    "model_provider",
    "request_id",
];

/// The longest parameter that is kept for models of other work, in bytes of JSON.
const EXTRA_PARAM_BYTES_MAX: usize = 4096;

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        slot::read(deserializer)
    }
}

impl Fields for Request {
    const EXPECTED: &'static str = "a JSON object with `model` and `messages`";

    fn field<'de, A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        match key.as_str() {
            "model" => put(&mut self.model, "model", map),
            "messages" => put_list(&mut self.messages, "messages", map),
            "stream" => put(&mut self.stream, "stream", map),
            "stream_options" => put_object(&mut self.stream_options, "stream_options", map),
            "n" => put(&mut self.n, "n", map),
            "stop" => put(&mut self.stop, "stop", map),
            "max_tokens" => put(&mut self.max_tokens, "max_tokens", map),
            "max_completion_tokens" => put(
                &mut self.max_completion_tokens,
                "max_completion_tokens",
                map,
            ),
            "tools" => put_list(&mut self.tools, "tools", map),
            "tool_choice" => put(&mut self.tool_choice, "tool_choice", map),
            "parallel_tool_calls" => put(&mut self.parallel_tool_calls, "parallel_tool_calls", map),
            "functions" => put_list(&mut self.functions, "functions", map),
            "function_call" => put(&mut self.function_call, "function_call", map),
            "response_format" => put_object(&mut self.response_format, "response_format", map),
            "reasoning_effort" => put(&mut self.reasoning_effort, "reasoning_effort", map),
            "web_search_options" => {
                put_object(&mut self.web_search_options, "web_search_options", map)
            }
            "web_search" => put(&mut self.web_search, "web_search", map),
            "num_of_site" => put(&mut self.num_of_site, "num_of_site", map),
            "max_word" => put(&mut self.max_word, "max_word", map),
            "new_input" => put(&mut self.new_input, "new_input", map),
            "file_ids" => put(&mut self.file_ids, "file_ids", map),
            _ => self.without_effect(key, map),
        }
    }
}

impl Request {
    fn without_effect<'de, A: MapAccess<'de>>(
        &mut self,
        key: String,
        map: &mut A,
    ) -> Result<(), A::Error> {
        // `logprobs: false` asks for nothing; every other value asks for something we cannot give.
        if key == "logprobs" {
            let asks = map.next_value::<Option<bool>>()?.unwrap_or(false);
            self.ignored.extend(asks.then_some(key));
            return Ok(());
        }
        if is_number(&key) {
            if let Some(number) = number(map)? {
                self.extra_params.insert(key.clone(), Value::Number(number));
                self.ignore(key);
            }
            return Ok(());
        }
        let given = map.next_value::<&RawValue>()?.get();
        if given == "null" || SILENT.contains(&key.as_str()) {
            return Ok(());
        }
        if key == "audio" {
            self.voice(given);
        } else if !given.starts_with(['{', '[']) && given.len() <= EXTRA_PARAM_BYTES_MAX {
            let value = serde_json::from_str(given).map_err(A::Error::custom)?;
            self.extra_params.insert(key.clone(), value);
        }
        self.ignore(key);
        Ok(())
    }

    fn ignore(&mut self, key: String) {
        note_ignored(&mut self.ignored, key);
    }

    /// OpenAI's `audio`: how an answer is to be spoken.
    fn voice(&mut self, audio: &str) {
        let audio: Map<String, Value> = serde_json::from_str(audio).unwrap_or_default();
        for (from, to) in [("voice", "voice"), ("format", "response_format")] {
            if let Some(value @ Value::String(_)) = audio.get(from) {
                self.extra_params.insert(to.to_owned(), value.clone());
            }
        }
    }
}

/// `stream_options`.
#[derive(Debug, Default, Deserialize)]
pub struct StreamOptions {
    /// Whether a last chunk with usage is wanted.
    #[serde(default)]
    pub include_usage: Option<bool>,
}

/// One of `tools`.
#[derive(Debug, Deserialize)]
pub struct Tool {
    /// `function`, `custom`, or the name of a hosted tool. Tools in Anthropic's form have none.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// For `function`.
    #[serde(default, deserialize_with = "object")]
    pub function: Option<Function>,
    /// For `custom`.
    #[serde(default, deserialize_with = "object")]
    pub custom: Option<Custom>,
    /// The name of a tool that is declared as in the Responses API, flat; so are the fields below.
    #[serde(default)]
    pub name: Option<String>,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// For `function`: the JSON Schema of its arguments, under Anthropic's name too.
    #[serde(default, alias = "input_schema")]
    pub parameters: Option<Value>,
    /// For `function`: whether arguments must match the schema.
    #[serde(default)]
    pub strict: Option<bool>,
    /// For `custom`: the form of its text.
    #[serde(default, deserialize_with = "object")]
    pub format: Option<CustomFormat>,
}

impl Tool {
    /// What kind of tool it is, if that can be told. Some clients (Cursor) send tools in the form of the
    /// Messages API, whose `type` is absent or `custom`.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        match self.kind.as_deref() {
            Some("custom") if self.custom.is_none() && self.parameters.is_some() => {
                Some("function")
            }
            None if self.function.is_some() || self.parameters.is_some() => Some("function"),
            kind => kind,
        }
    }
}

/// A function's declaration.
#[derive(Debug, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// The JSON Schema of its arguments.
    #[serde(default)]
    pub parameters: Option<Value>,
    /// Whether arguments must match the schema.
    #[serde(default)]
    pub strict: Option<bool>,
}

/// A custom tool's declaration.
#[derive(Debug, Deserialize)]
pub struct Custom {
    /// Its name.
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// The form of its text.
    #[serde(default, deserialize_with = "object")]
    pub format: Option<CustomFormat>,
}

/// A custom tool's `format`.
#[derive(Debug, Deserialize)]
pub struct CustomFormat {
    /// `text` or `grammar`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `grammar`.
    #[serde(default, deserialize_with = "object")]
    pub grammar: Option<Grammar>,
    /// For `grammar` as the Responses API has it: `lark` or `regex`.
    #[serde(default)]
    pub syntax: Option<String>,
    /// For `grammar` as the Responses API has it: the grammar itself.
    #[serde(default)]
    pub definition: Option<String>,
}

/// `response_format`.
#[derive(Debug, Deserialize)]
pub struct ResponseFormat {
    /// `text`, `json_object` or `json_schema`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `json_schema`.
    #[serde(default, deserialize_with = "object")]
    pub json_schema: Option<JsonSchema>,
}

/// `json_schema`.
#[derive(Debug, Deserialize)]
pub struct JsonSchema {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// The JSON Schema.
    #[serde(default)]
    pub schema: Option<Value>,
    /// Whether an answer that does not match is a failure.
    #[serde(default)]
    pub strict: Option<bool>,
}

/// `web_search_options`.
#[derive(Debug, Deserialize)]
pub struct WebSearchOptions {
    /// `low`, `medium` or `high`.
    #[serde(default)]
    pub search_context_size: Option<String>,
    /// Where the person is. Upstream cannot be told.
    #[serde(default)]
    pub user_location: Option<IgnoredAny>,
}
