//! Messages as they stand on the wire.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::dialect::request::forms::{Object, object, objects};

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
