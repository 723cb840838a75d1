//! The request as it stands on the wire.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::dialect::ollama::options::Shared;
use crate::dialect::request::forms::objects;

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    #[serde(default)]
    pub(super) model: Option<String>,
    #[serde(default, deserialize_with = "objects")]
    pub(super) messages: Option<Vec<Message>>,
    #[serde(default, deserialize_with = "objects")]
    pub(super) tools: Option<Vec<Tool>>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    format: Option<Value>,
    #[serde(default)]
    think: Option<Value>,
    #[serde(default)]
    options: Option<Map<String, Value>>,
    #[serde(default)]
    keep_alive: Option<Value>,
    #[serde(default)]
    logprobs: Option<bool>,
    /// For `/api/generate`.
    #[serde(default)]
    pub(super) prompt: Option<Value>,
    /// For the Responses API.
    #[serde(default)]
    pub(super) input: Option<Value>,
}

impl Request {
    /// Takes out what generations have too.
    pub(super) fn shared(&mut self) -> Shared {
        Shared {
            model: self.model.take(),
            stream: self.stream,
            format: self.format.take(),
            think: self.think.take(),
            options: self.options.take(),
            keep_alive: self.keep_alive.take(),
            logprobs: self.logprobs,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) role: String,
    #[serde(default)]
    pub(super) content: Option<String>,
    #[serde(default)]
    pub(super) thinking: Option<String>,
    #[serde(default)]
    pub(super) images: Option<Vec<String>>,
    #[serde(default, deserialize_with = "objects")]
    pub(super) tool_calls: Option<Vec<ToolCall>>,
    /// The tool that gave this result.
    #[serde(default)]
    pub(super) tool_name: Option<String>,
    /// The call that this result answers; not all clients know ids.
    #[serde(default)]
    pub(super) tool_call_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToolCall {
    #[serde(default)]
    pub(super) id: Option<String>,
    pub(super) function: CalledFunction,
}

#[derive(Debug, Deserialize)]
pub(super) struct CalledFunction {
    pub(super) name: String,
    /// An object; some clients write it as JSON text.
    #[serde(default)]
    pub(super) arguments: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tool {
    #[serde(default, rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) function: Option<Function>,
    /// The name of a tool that is declared flat, as in OpenAI's Responses and Anthropic's Messages; so
    /// are the fields below.
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default, alias = "input_schema")]
    pub(super) parameters: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Function {
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) parameters: Option<Value>,
}
