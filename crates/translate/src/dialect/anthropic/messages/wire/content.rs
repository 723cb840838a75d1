//! Content blocks of messages, of `system`, of tool results and of documents.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::tool::Tool;
use crate::dialect::request::forms::{Object, list};

/// `content`: a string, or a list of blocks. Results of server tools have an object instead.
#[derive(Debug)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Blocks.
    Blocks(Vec<Block>),
    /// What a server tool gave.
    Object,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Content;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of content blocks")
            }
            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }
            fn visit_string<E>(self, text: String) -> Result<Content, E> {
                Ok(Content::Text(text))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Content, A::Error> {
                list(seq, |block: Object<Block>| block.0).map(Content::Blocks)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Content::Object)
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// One content block. Which fields count depends on `type`.
#[derive(Debug, Deserialize)]
pub struct Block {
    /// `text`, `image`, `document`, `tool_use`, `tool_result`, `thinking` …
    #[serde(rename = "type")]
    pub kind: String,
    /// For `text`.
    #[serde(default)]
    pub text: Option<String>,
    /// For `thinking`.
    #[serde(default)]
    pub thinking: Option<String>,
    /// For `image` and `document`: where the bytes are. For `search_result`: where it was found.
    #[serde(default)]
    pub source: Option<Source>,
    /// For `document` and `search_result`.
    #[serde(default)]
    pub title: Option<String>,
    /// For `document`: what the application says about it.
    #[serde(default)]
    pub context: Option<String>,
    /// For `document` and `search_result`.
    #[serde(default)]
    pub citations: Option<Citations>,
    /// For `tool_use`: the call's id.
    #[serde(default)]
    pub id: Option<String>,
    /// For `tool_use`: the tool.
    #[serde(default)]
    pub name: Option<String>,
    /// For `tool_use`.
    #[serde(default)]
    pub input: Option<Value>,
    /// For `tool_result`: the call it answers.
    #[serde(default)]
    pub tool_use_id: Option<String>,
    /// For `tool_result`, `search_result` and `compaction`.
    #[serde(default)]
    pub content: Option<Content>,
    /// For `tool_result`.
    #[serde(default)]
    pub is_error: Option<bool>,
    /// For `tool_reference`: the tool that a search of tools found.
    #[serde(default)]
    pub tool_name: Option<String>,
    /// For `tool_addition` and `tool_removal`.
    #[serde(default)]
    pub tool: Option<Box<ToolChange>>,
    /// For `container_upload`.
    #[serde(default)]
    pub file_id: Option<String>,
}

impl Block {
    /// Whether the application wants the answer to cite this block.
    #[must_use]
    pub fn wants_citations(&self) -> bool {
        matches!(self.citations, Some(Citations { enabled: true }))
    }
}

/// `citations`: in requests a switch; in blocks that came from an answer, a list.
#[derive(Debug)]
pub struct Citations {
    /// Whether citations are asked for.
    pub enabled: bool,
}

impl<'de> Deserialize<'de> for Citations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self {
            enabled: value.get("enabled").and_then(Value::as_bool) == Some(true),
        })
    }
}

/// What a `tool_addition` or a `tool_removal` speaks of.
#[derive(Debug, Deserialize)]
pub struct ToolChange {
    /// A declared tool's name.
    #[serde(default)]
    pub name: Option<String>,
    /// A new tool.
    #[serde(default)]
    pub definition: Option<Tool>,
}

/// `source`.
#[derive(Debug)]
pub enum Source {
    /// A search result's address.
    Address(String),
    /// Where bytes are.
    Bytes(Box<Bytes>),
}

/// Where the bytes of an image or document are.
#[derive(Debug, Deserialize)]
pub struct Bytes {
    /// `base64`, `text`, `url`, `content` or `file`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The type of `data`.
    #[serde(default)]
    pub media_type: Option<String>,
    /// For `base64` and `text`.
    #[serde(default)]
    pub data: Option<String>,
    /// For `url`.
    #[serde(default)]
    pub url: Option<String>,
    /// For `file`.
    #[serde(default)]
    pub file_id: Option<String>,
    /// For `content`.
    #[serde(default)]
    pub content: Option<Content>,
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Source;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `type`, or an address")
            }
            fn visit_str<E>(self, address: &str) -> Result<Source, E> {
                Ok(Source::Address(address.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Source, A::Error> {
                Bytes::deserialize(MapAccessDeserializer::new(map))
                    .map(|bytes| Source::Bytes(Box::new(bytes)))
            }
        }
        deserializer.deserialize_any(V)
    }
}
