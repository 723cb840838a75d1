//! The request of `POST /v1/chat/completions` as it stands on the wire.
//!
//! Tolerant by intent: unknown fields are named, never refused, and `null` is the same as absent.
//! The top level is read by hand because serde's `flatten`, which would keep unknown fields aside,
//! copies the whole request once more.

use std::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::Deserialize;
use serde_json::Value;

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
    pub n: Option<u64>,
    /// `stop`.
    pub stop: Option<OneOrMany>,
    /// `max_tokens`, the older name.
    pub max_tokens: Option<u64>,
    /// `max_completion_tokens`.
    pub max_completion_tokens: Option<u64>,
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
    pub num_of_site: Option<u32>,
    /// `max_word`, the original relay's field.
    pub max_word: Option<u32>,
    /// `new_input`, the original relay's further user message.
    pub new_input: Option<String>,
    /// Names of fields that were given a value and have no effect here.
    pub ignored: Vec<String>,
}

/// Fields that change nothing in an answer and are accepted in silence: labels, storage and cache
/// hints of OpenAI's own service.
const SILENT: [&str; 9] = [
    "user",
    "metadata",
    "store",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "model_provider",
    "request_id",
];

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RequestVisitor)
    }
}

struct RequestVisitor;

impl<'de> Visitor<'de> for RequestVisitor {
    type Value = Request;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object with `model` and `messages`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Request, A::Error> {
        let mut request = Request::default();
        while let Some(key) = map.next_key::<String>()? {
            request.field(key, &mut map)?;
        }
        Ok(request)
    }
}

impl Request {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        match key.as_str() {
            "model" => self.model = map.next_value()?,
            "messages" => self.messages = map.next_value()?,
            "stream" => self.stream = map.next_value()?,
            "stream_options" => self.stream_options = map.next_value()?,
            "n" => self.n = map.next_value()?,
            "stop" => self.stop = map.next_value()?,
            "max_tokens" => self.max_tokens = map.next_value()?,
            "max_completion_tokens" => self.max_completion_tokens = map.next_value()?,
            "tools" => self.tools = map.next_value()?,
            "tool_choice" => self.tool_choice = map.next_value()?,
            "parallel_tool_calls" => self.parallel_tool_calls = map.next_value()?,
            "functions" => self.functions = map.next_value()?,
            "function_call" => self.function_call = map.next_value()?,
            "response_format" => self.response_format = map.next_value()?,
            "reasoning_effort" => self.reasoning_effort = map.next_value()?,
            "web_search_options" => self.web_search_options = map.next_value()?,
            "web_search" => self.web_search = map.next_value()?,
            "num_of_site" => self.num_of_site = map.next_value()?,
            "max_word" => self.max_word = map.next_value()?,
            "new_input" => self.new_input = map.next_value()?,
            _ => self.without_effect(key, map)?,
        }
        Ok(())
    }

    fn without_effect<'de, A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        // `logprobs: false` asks for nothing; every other value asks for something we cannot give.
        let asks = match key.as_str() {
            "logprobs" => map.next_value::<Option<bool>>()?.unwrap_or(false),
            _ => map.next_value::<Option<IgnoredAny>>()?.is_some(),
        };
        if asks && !SILENT.contains(&key.as_str()) && !self.ignored.contains(&key) {
            self.ignored.push(key);
        }
        Ok(())
    }
}

/// `stream_options`.
#[derive(Debug, Default, Deserialize)]
pub struct StreamOptions {
    /// Whether a last chunk with usage is wanted.
    #[serde(default)]
    pub include_usage: Option<bool>,
}

/// A string or a list of strings.
#[derive(Debug)]
pub enum OneOrMany {
    /// One string.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of strings")
            }
            fn visit_str<E>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<OneOrMany, A::Error> {
                Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(seq)).map(OneOrMany::Many)
            }
        }
        deserializer.deserialize_any(V)
    }
}

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
    #[serde(default)]
    pub tool_calls: Option<Vec<ToolCall>>,
    /// The older form of one call.
    #[serde(default)]
    pub function_call: Option<CalledFunction>,
    /// The call that a `tool` message answers.
    #[serde(default)]
    pub tool_call_id: Option<String>,
}

/// `content`: a string, or a list of parts.
#[derive(Debug)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Parts.
    Parts(Vec<Part>),
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Content;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of content parts")
            }
            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }
            fn visit_string<E>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Content, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = seq.next_element()? {
                    parts.push(part);
                }
                Ok(Content::Parts(parts))
            }
        }
        deserializer.deserialize_any(V)
    }
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
    #[serde(default)]
    pub file: Option<File>,
    /// For `input_audio`.
    #[serde(default)]
    pub input_audio: Option<InputAudio>,
}

/// `image_url`: an object, or (as some clients write it) the URL alone.
#[derive(Debug)]
pub struct ImageUrl {
    /// An http(s) URL or a data URI.
    pub url: String,
}

impl<'de> Deserialize<'de> for ImageUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = ImageUrl;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `url`, or a URL")
            }
            fn visit_str<E>(self, url: &str) -> Result<ImageUrl, E> {
                Ok(ImageUrl { url: url.to_owned() })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ImageUrl, A::Error> {
                let mut url = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "url" {
                        url = Some(map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                let url = url.ok_or_else(|| A::Error::missing_field("url"))?;
                Ok(ImageUrl { url })
            }
        }
        deserializer.deserialize_any(V)
    }
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

/// `input_audio`.
#[derive(Debug, Deserialize)]
pub struct InputAudio {
    /// The bytes in base64.
    pub data: String,
    /// `wav` or `mp3`.
    #[serde(default)]
    pub format: Option<String>,
}

/// A call in the history.
#[derive(Debug, Deserialize)]
pub struct ToolCall {
    /// The call's id.
    #[serde(default)]
    pub id: Option<String>,
    /// For `function` calls.
    #[serde(default)]
    pub function: Option<CalledFunction>,
    /// For `custom` calls.
    #[serde(default)]
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

/// One of `tools`.
#[derive(Debug, Deserialize)]
pub struct Tool {
    /// `function`, `custom`, or the name of a hosted tool.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `function`.
    #[serde(default)]
    pub function: Option<Function>,
    /// For `custom`.
    #[serde(default)]
    pub custom: Option<Custom>,
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
}

/// `response_format`.
#[derive(Debug, Deserialize)]
pub struct ResponseFormat {
    /// `text`, `json_object` or `json_schema`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `json_schema`.
    #[serde(default)]
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
}
