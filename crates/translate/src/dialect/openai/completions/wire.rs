//! The request of `POST /v1/completions` as it stands on the wire.
//!
//! Tolerant by intent: unknown fields are named, never refused, and `null` is the same as absent.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess};
use serde_json::Value;

use crate::bounds::note_ignored;
use crate::dialect::request::forms::{Count, OneOrMany};
use crate::dialect::request::slot::{self, Fields, is_number, number, put, put_object};

/// The request's fields that have an effect, and the names of those that have none.
#[derive(Debug, Default)]
pub struct Request {
    /// `model`.
    pub model: Option<String>,
    /// `prompt`: a text, several, or tokens.
    pub prompt: Option<Value>,
    /// `suffix`: what is to follow the answer.
    pub suffix: Option<String>,
    /// `echo`: whether the prompt is told back before the answer.
    pub echo: Option<bool>,
    /// `n`.
    pub n: Option<Count>,
    /// `best_of`.
    pub best_of: Option<Count>,
    /// `logprobs`.
    pub logprobs: Option<Count>,
    /// `max_tokens`.
    pub max_tokens: Option<Count>,
    /// `stop`.
    pub stop: Option<OneOrMany>,
    /// `stream`.
    pub stream: Option<bool>,
    /// `stream_options`.
    pub stream_options: Option<StreamOptions>,
    /// Names of fields that were given a value and have no effect here.
    pub ignored: Vec<String>,
}

/// Labels of OpenAI's own service, accepted in silence.
const SILENT: [&str; 2] = ["user", "metadata"];

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        slot::read(deserializer)
    }
}

impl Fields for Request {
    const EXPECTED: &'static str = "a JSON object with `model` and `prompt`";

    fn field<'de, A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        match key.as_str() {
            "model" => put(&mut self.model, "model", map),
            "prompt" => put(&mut self.prompt, "prompt", map),
            "suffix" => put(&mut self.suffix, "suffix", map),
            "echo" => put(&mut self.echo, "echo", map),
            "n" => put(&mut self.n, "n", map),
            "best_of" => put(&mut self.best_of, "best_of", map),
            "logprobs" => put(&mut self.logprobs, "logprobs", map),
            "max_tokens" => put(&mut self.max_tokens, "max_tokens", map),
            "stop" => put(&mut self.stop, "stop", map),
            "stream" => put(&mut self.stream, "stream", map),
            "stream_options" => put_object(&mut self.stream_options, "stream_options", map),
            _ => {
                let asks = if is_number(&key) {
                    number(map)?.is_some()
                } else {
                    map.next_value::<Option<IgnoredAny>>()?.is_some()
                };
                if asks && !SILENT.contains(&key.as_str()) {
                    note_ignored(&mut self.ignored, key);
                }
                Ok(())
            }
        }
    }
}

/// `stream_options`.
#[derive(Debug, Default, Deserialize)]
pub struct StreamOptions {
    /// Whether a last chunk with usage is wanted.
    #[serde(default)]
    pub include_usage: Option<bool>,
}
