//! One of `tools`: the client's own, one of Anthropic's client tools, or a server tool.

use serde::Deserialize;
use serde_json::Value;

use crate::dialect::request::forms::{Count, object};

/// A tool. Which fields count depends on `type`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Tool {
    /// Absent or `custom` for the client's own tools, else a dated name such as `bash_20250124`.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// The JSON Schema of its input, under OpenAI's name too.
    #[serde(default, alias = "parameters")]
    pub input_schema: Option<Value>,
    /// The declaration of a tool in the form of chat completions.
    #[serde(default, deserialize_with = "object")]
    pub function: Option<Function>,
    /// Whether input must match the schema.
    #[serde(default)]
    pub strict: Option<bool>,
    /// Whether it is offered only once the conversation refers to it.
    #[serde(default)]
    pub defer_loading: Option<bool>,
    /// For web search: the most searches of a turn.
    #[serde(default)]
    pub max_uses: Option<Count>,
    /// For web search: the only domains.
    #[serde(default)]
    pub allowed_domains: Option<Value>,
    /// For web search: domains left out.
    #[serde(default)]
    pub blocked_domains: Option<Value>,
    /// For web search: where the user is.
    #[serde(default)]
    pub user_location: Option<Value>,
    /// For the text editor: the most characters of a file that are shown.
    #[serde(default)]
    pub max_characters: Option<Count>,
    /// For computer use: the display's width in pixels.
    #[serde(default)]
    pub display_width_px: Option<Count>,
    /// For computer use: the display's height in pixels.
    #[serde(default)]
    pub display_height_px: Option<Count>,
    /// For computer use: whether a part of the screen can be shown larger.
    #[serde(default)]
    pub enable_zoom: Option<bool>,
}

/// A tool's declaration as chat completions have it.
#[derive(Debug, Clone, Deserialize)]
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
