//! Input items as they stand on the wire.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::dialect::request::forms::{Object, object};

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
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Content, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = seq.next_element::<Object<Part>>()? {
                    parts.push(part.0);
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

/// `image_url`: the URL, or (as chat completions have it) an object with it.
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
                f.write_str("a URL")
            }
            fn visit_str<E>(self, url: &str) -> Result<ImageUrl, E> {
                Ok(ImageUrl {
                    url: url.to_owned(),
                })
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

/// `input_audio`.
#[derive(Debug, Deserialize)]
pub struct InputAudio {
    /// The bytes in base64.
    pub data: String,
    /// `wav` or `mp3`.
    #[serde(default)]
    pub format: Option<String>,
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
