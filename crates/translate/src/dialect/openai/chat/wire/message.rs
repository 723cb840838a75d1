//! Messages as they stand on the wire.

use serde::Deserialize;
use serde_json::Value;

use crate::dialect::openai::parts::{self, ImageUrl, InputAudio};
use crate::dialect::request::forms::{object, objects};

/// `content`: a string, or a list of parts.
pub type Content = parts::Content<Part>;

/// One of `messages`.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: String,
    /// What is said.
    #[serde(default)]
    pub content: Option<Content>,
    /// The participant's name, or the function's in the `function` role.
    #[serde(default)]
    pub name: Option<String>,
    /// Words of refusal.
    #[serde(default)]
    pub refusal: Option<String>,
    /// Calls the assistant made.
    #[serde(default, deserialize_with = "objects")]
    pub tool_calls: Option<Vec<ToolCall>>,
    /// The older form of one call.
    #[serde(default, deserialize_with = "object")]
    pub function_call: Option<CalledFunction>,
    /// The call that a `tool` message answers.
    #[serde(default)]
    pub tool_call_id: Option<String>,
}

/// One content part. Which fields count depends on `type`.
#[derive(Debug, Deserialize)]
pub struct Part {
    /// `text`, `image_url`, `file`, `input_audio` or `refusal`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `text`.
    #[serde(default)]
    pub text: Option<String>,
    /// For `refusal`.
    #[serde(default)]
    pub refusal: Option<String>,
    /// For `image_url`.
    #[serde(default)]
    pub image_url: Option<ImageUrl>,
    /// For `file`.
    #[serde(default, deserialize_with = "object")]
    pub file: Option<File>,
    /// For `input_audio`.
    #[serde(default, deserialize_with = "object")]
    pub input_audio: Option<InputAudio>,
    /// For `tool_use`, a call in the form of the Messages API: its id.
    #[serde(default)]
    pub id: Option<String>,
    /// For `tool_use`: the tool's name.
    #[serde(default)]
    pub name: Option<String>,
    /// For `tool_use`: the arguments.
    #[serde(default)]
    pub input: Option<Value>,
    /// For `tool_result`, the Messages API's answer to a call: the call's id.
    #[serde(default)]
    pub tool_use_id: Option<String>,
    /// For `tool_result`: what came of it.
    #[serde(default)]
    pub content: Option<Content>,
    /// For `tool_result`: whether it is an error.
    #[serde(default)]
    pub is_error: Option<bool>,
    /// For `image` and `document`, the Messages API's images and files: where the bytes are.
    #[serde(default, deserialize_with = "object")]
    pub source: Option<PartSource>,
    /// For `document`: its name.
    #[serde(default)]
    pub title: Option<String>,
    /// For `thinking`, what an assistant of the Messages API thought.
    #[serde(default)]
    pub thinking: Option<String>,
}

/// `source`.
#[derive(Debug, Default, Deserialize)]
pub struct PartSource {
    /// `base64`, `text`, `url` or `file`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// For `base64` and `text`: what kind of bytes they are.
    #[serde(default)]
    pub media_type: Option<String>,
    /// For `base64` and `text`: the bytes.
    #[serde(default)]
    pub data: Option<String>,
    /// For `url`: where they are.
    #[serde(default)]
    pub url: Option<String>,
    /// For `file`: the id of a file uploaded before.
    #[serde(default)]
    pub file_id: Option<String>,
}

/// `file`.
#[derive(Debug, Deserialize)]
pub struct File {
    /// The bytes, as a data URI or bare base64.
    #[serde(default)]
    pub file_data: Option<String>,
    /// The id of a file uploaded before.
    #[serde(default)]
    pub file_id: Option<String>,
    /// Its name.
    #[serde(default)]
    pub filename: Option<String>,
}

/// A call in the history.
#[derive(Debug, Deserialize)]
pub struct ToolCall {
    /// The call's id.
    #[serde(default)]
    pub id: Option<String>,
    /// For `function` calls.
    #[serde(default, deserialize_with = "object")]
    pub function: Option<CalledFunction>,
    /// For `custom` calls.
    #[serde(default, deserialize_with = "object")]
    pub custom: Option<CalledCustom>,
}

/// The called function.
#[derive(Debug, Deserialize)]
pub struct CalledFunction {
    /// Its name.
    pub name: String,
    /// Its arguments: JSON text, or (as some clients write it) the object itself.
    #[serde(default)]
    pub arguments: Option<Value>,
}

/// The called custom tool.
#[derive(Debug, Deserialize)]
pub struct CalledCustom {
    /// Its name.
    pub name: String,
    /// Its input.
    #[serde(default)]
    pub input: String,
}
