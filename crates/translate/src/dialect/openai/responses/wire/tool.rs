//! Tools and the form of text as they stand on the wire.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::dialect::openai::parts::Grammar;
use crate::dialect::request::forms::object;

/// One of `tools`. Which fields count depends on `type`.
#[derive(Debug, Deserialize)]
pub struct Tool {
    /// `function`, `custom`, `namespace`, or the name of a hosted tool. Tools in Anthropic's form have
    /// none.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// For `function` and `tool_search`: the JSON Schema of the arguments, under Anthropic's name too.
    #[serde(default, alias = "input_schema")]
    pub parameters: Option<Value>,
    /// For `function`: whether arguments must match the schema.
    #[serde(default)]
    pub strict: Option<bool>,
    /// For `function` as chat completions have it: the declaration.
    #[serde(default, deserialize_with = "object")]
    pub function: Option<Function>,
    /// For `custom`: the form of its text.
    #[serde(default, deserialize_with = "object")]
    pub format: Option<Format>,
    /// For `namespace`: what it holds.
    #[serde(default)]
    pub tools: Option<Vec<Value>>,
    /// For `tool_search`: who searches, `server` or `client`.
    #[serde(default)]
    pub execution: Option<String>,
    /// For `shell`: where it runs.
    #[serde(default)]
    pub environment: Option<Value>,
    /// For web search: `low`, `medium` or `high`.
    #[serde(default)]
    pub search_context_size: Option<String>,
    /// For web search: false if only what OpenAI keeps of the web may be read.
    #[serde(default)]
    pub external_web_access: Option<bool>,
    /// For web search: which domains may be read. Upstream cannot be told.
    #[serde(default)]
    pub filters: Option<IgnoredAny>,
    /// For web search: where the person is. Upstream cannot be told.
    #[serde(default)]
    pub user_location: Option<IgnoredAny>,
}

impl Tool {
    /// What kind of tool it is, if that can be told; of those in the form of the Messages API too, whose
    /// `type` is absent or `custom`.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        match self.kind.as_deref() {
            None | Some("custom") if self.parameters.is_some() => Some("function"),
            None if self.function.is_some() => Some("function"),
            kind => kind,
        }
    }
}

/// A function's declaration as chat completions have it.
#[derive(Debug, Deserialize)]
pub struct Function {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
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

/// A custom tool's `format`.
#[derive(Debug, Deserialize)]
pub struct Format {
    /// For `grammar`: `lark` or `regex`.
    #[serde(default)]
    pub syntax: Option<String>,
    /// For `grammar`: the grammar itself.
    #[serde(default)]
    pub definition: Option<String>,
    /// For `grammar` as chat completions have it.
    #[serde(default, deserialize_with = "object")]
    pub grammar: Option<Grammar>,
}

/// `text.format`.
#[derive(Debug, Deserialize)]
pub struct TextFormat {
    /// `text`, `json_object` or `json_schema`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `json_schema`: its name.
    #[serde(default)]
    pub name: Option<String>,
    /// For `json_schema`: the JSON Schema.
    #[serde(default)]
    pub schema: Option<Value>,
    /// For `json_schema`: whether an answer that does not match is a failure.
    #[serde(default)]
    pub strict: Option<bool>,
}
