//! Input items as they stand on the wire.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::dialect::openai::parts::{self, ImageUrl, InputAudio};
use crate::dialect::request::forms::object;

/// `content`: a string, or a list of parts.
pub type Content = parts::Content<Part>;

/// An item of `input` that changes settings for what follows.
#[derive(Debug, Deserialize)]
pub struct ConfigurationUpdate {
    /// How much the model should think.
    #[serde(default, deserialize_with = "object")]
    pub reasoning: Option<super::Reasoning>,
    /// The form of text.
    #[serde(default)]
    pub text: Option<Map<String, Value>>,
}

/// One of `input`. Which fields count depends on `type`.
#[derive(Debug, Deserialize)]
pub struct Item {
    /// What it is; a message if absent.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// The item's own id.
    #[serde(default)]
    pub id: Option<String>,
    /// For messages: who speaks.
    #[serde(default)]
    pub role: Option<String>,
    /// For messages: what is said.
    #[serde(default)]
    pub content: Option<Content>,
    /// For calls and their outputs.
    #[serde(default)]
    pub call_id: Option<String>,
    /// For calls: the tool's name.
    #[serde(default)]
    pub name: Option<String>,
    /// For calls: where the tool's name stands.
    #[serde(default)]
    pub namespace: Option<String>,
    /// For `function_call` (JSON text) and `tool_search_call` (the value itself).
    #[serde(default)]
    pub arguments: Option<Value>,
    /// For `custom_tool_call`.
    #[serde(default)]
    pub input: Option<String>,
    /// For `shell_call` and `local_shell_call`.
    #[serde(default)]
    pub action: Option<Value>,
    /// For `apply_patch_call`.
    #[serde(default)]
    pub operation: Option<Value>,
    /// For outputs of calls.
    #[serde(default)]
    pub output: Option<Value>,
    /// For outputs of `apply_patch` calls: `completed` or `failed`.
    #[serde(default)]
    pub status: Option<String>,
    /// For `additional_tools` and `tool_search_output`.
    #[serde(default)]
    pub tools: Option<Vec<Value>>,
}

/// One content part. Which fields count depends on `type`.
#[derive(Debug, Deserialize)]
pub struct Part {
    /// `input_text`, `output_text`, `input_image`, `input_file`, `input_audio` or `refusal`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For texts.
    #[serde(default)]
    pub text: Option<String>,
    /// For `refusal`.
    #[serde(default)]
    pub refusal: Option<String>,
    /// For `input_image`.
    #[serde(default)]
    pub image_url: Option<ImageUrl>,
    /// For `input_image` and `input_file`: the id of a file uploaded before.
    #[serde(default)]
    pub file_id: Option<String>,
    /// For `input_file`: the bytes, as a data URI or bare base64.
    #[serde(default)]
    pub file_data: Option<String>,
    /// For `input_file`: where the bytes are.
    #[serde(default)]
    pub file_url: Option<String>,
    /// For `input_file`: its name.
    #[serde(default)]
    pub filename: Option<String>,
    /// For `input_audio`.
    #[serde(default, deserialize_with = "object")]
    pub input_audio: Option<InputAudio>,
}

/// What one command of a shell call gave.
#[derive(Debug, Deserialize)]
pub struct ShellResult {
    /// What it wrote to standard output.
    #[serde(default)]
    pub stdout: String,
    /// What it wrote to standard error.
    #[serde(default)]
    pub stderr: String,
    /// How it ended.
    #[serde(default, deserialize_with = "object")]
    pub outcome: Option<Outcome>,
}

/// How a command ended.
#[derive(Debug, Deserialize)]
pub struct Outcome {
    /// `exit` or `timeout`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `exit`.
    #[serde(default)]
    pub exit_code: Option<i64>,
}
