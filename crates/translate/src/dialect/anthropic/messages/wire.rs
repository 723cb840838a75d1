//! The request of `POST /v1/messages` as it stands on the wire, and of `…/count_tokens`, which is
//! the same less `max_tokens`.
//!
//! Tolerant by intent: unknown fields are named, never refused, and `null` is the same as absent.
//! The top level is read by hand because serde's `flatten`, which would keep unknown fields aside,
//! copies the whole request once more.

mod content;
mod tool;

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::bounds::note_ignored;
use crate::dialect::request::forms::{Count, object};
use crate::dialect::request::slot::{self, Fields, is_number, number, put, put_list, put_object};

pub use content::{Block, Bytes, Content, Source, ToolChange};
pub use tool::Tool;

/// The request's fields that have an effect, and the names of those that have none.
#[derive(Debug, Default)]
pub struct Request {
    /// `model`.
    pub model: Option<String>,
    /// `messages`.
    pub messages: Option<Vec<Message>>,
    /// `system`.
    pub system: Option<Content>,
    /// `max_tokens`.
    pub max_tokens: Option<Count>,
    /// `stream`.
    pub stream: Option<bool>,
    /// `stop_sequences`.
    pub stop_sequences: Option<Vec<String>>,
    /// `tools`.
    pub tools: Option<Vec<Tool>>,
    /// `tool_choice`.
    pub tool_choice: Option<ToolChoice>,
    /// `thinking`.
    pub thinking: Option<Thinking>,
    /// `output_config`.
    pub output_config: Option<OutputConfig>,
    /// `output_format`, the older place of `output_config.format`.
    pub output_format: Option<OutputFormat>,
    /// `mcp_servers`.
    pub mcp_servers: Option<Vec<McpServer>>,
    /// `thread`.
    pub thread: Option<Thread>,
    /// Names of fields that were given a value and have no effect here.
    pub ignored: Vec<String>,
}

/// Fields that change nothing in an answer and are accepted in silence: labels, routing and cache
/// hints of Anthropic's own service, and the version fields of its resellers.
const SILENT: [&str; 9] = [
    "metadata",
    "service_tier",
    "cache_control",
    "inference_geo",
    "user_profile_id",
    "workspace_id",
    "betas",
    "anthropic_beta",
    "anthropic_version",
];

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        slot::read(deserializer)
    }
}

impl Fields for Request {
    const EXPECTED: &'static str = "a JSON object with `model`, `max_tokens` and `messages`";

    fn field<'de, A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        match key.as_str() {
            "model" => put(&mut self.model, "model", map),
            "messages" => put_list(&mut self.messages, "messages", map),
            "system" => put(&mut self.system, "system", map),
            "max_tokens" => put(&mut self.max_tokens, "max_tokens", map),
            "stream" => put(&mut self.stream, "stream", map),
            "stop_sequences" => put(&mut self.stop_sequences, "stop_sequences", map),
            "tools" => put_list(&mut self.tools, "tools", map),
            "tool_choice" => put(&mut self.tool_choice, "tool_choice", map),
            "thinking" => put_object(&mut self.thinking, "thinking", map),
            "output_config" => put_object(&mut self.output_config, "output_config", map),
            "output_format" => put_object(&mut self.output_format, "output_format", map),
            "mcp_servers" => put_list(&mut self.mcp_servers, "mcp_servers", map),
            "thread" => put_object(&mut self.thread, "thread", map),
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
        // The standard speed is what everybody gets; only another one asks for something.
        let asks = match key.as_str() {
            "speed" => map
                .next_value::<Option<Value>>()?
                .is_some_and(|speed| speed != "standard"),
            key if is_number(key) => number(map)?.is_some(),
            _ => map.next_value::<Option<IgnoredAny>>()?.is_some(),
        };
        if asks && !SILENT.contains(&key.as_str()) {
            self.ignore(key);
        }
        Ok(())
    }

    /// Names a field as one without effect.
    pub fn ignore(&mut self, field: impl Into<String>) {
        note_ignored(&mut self.ignored, field);
    }
}

/// One of `messages`.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// Who speaks: `user`, `assistant`, or `system` between them.
    pub role: String,
    /// What is said.
    #[serde(default)]
    pub content: Option<Content>,
    /// Of a system message: `next_user_message` if it counts only for the turn it follows.
    #[serde(default)]
    pub clear_at: Option<String>,
    /// Of a system message: what it changes from its turn on.
    #[serde(default, deserialize_with = "object")]
    pub output_config: Option<OutputConfig>,
}

/// `tool_choice`: an object, or (as some clients write it) its `type` alone.
#[derive(Debug, Default)]
pub struct ToolChoice {
    /// `auto`, `any`, `tool` or `none`.
    pub kind: String,
    /// For `tool`.
    pub name: Option<String>,
    /// Whether at most one call may be made.
    pub disable_parallel_tool_use: Option<bool>,
}

impl<'de> Deserialize<'de> for ToolChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = ToolChoice;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `type`: auto, any, tool or none")
            }
            fn visit_str<E>(self, kind: &str) -> Result<ToolChoice, E> {
                Ok(ToolChoice {
                    kind: kind.to_owned(),
                    ..ToolChoice::default()
                })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ToolChoice, A::Error> {
                let mut choice = ToolChoice::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "type" => choice.kind = map.next_value()?,
                        "name" => choice.name = map.next_value()?,
                        "disable_parallel_tool_use" => {
                            choice.disable_parallel_tool_use = map.next_value()?;
                        }
                        _ => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(choice)
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// `thinking`.
#[derive(Debug, Deserialize)]
pub struct Thinking {
    /// `enabled`, `disabled`, `adaptive` or `between_tools`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `enabled`: how many tokens may be thought.
    #[serde(default)]
    pub budget_tokens: Option<Count>,
    /// `summarized` or `omitted`.
    #[serde(default)]
    pub display: Option<String>,
}

/// `output_config`.
#[derive(Debug, Default, Deserialize)]
pub struct OutputConfig {
    /// `low` … `max`.
    #[serde(default)]
    pub effort: Option<String>,
    /// The form of the answer.
    #[serde(default, deserialize_with = "object")]
    pub format: Option<OutputFormat>,
    /// A budget of tokens that the model is told of.
    #[serde(default)]
    pub task_budget: Option<IgnoredAny>,
}

/// `output_config.format`.
#[derive(Debug, Deserialize)]
pub struct OutputFormat {
    /// `json_schema`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The JSON Schema.
    #[serde(default)]
    pub schema: Option<Value>,
}

/// One of `mcp_servers`.
#[derive(Debug, Deserialize)]
pub struct McpServer {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
}

/// `thread`: a conversation that Anthropic's service keeps.
#[derive(Debug, Deserialize)]
pub struct Thread {
    /// `create` or `continue`.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
}
