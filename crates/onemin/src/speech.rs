//! Speech from text: `TEXT_TO_SPEECH`.
//!
//! Each provider has its own voices, formats and names of fields; the table of [`specs`] has them.
//! Clients that know only OpenAI's voices get one of the provider's, by the table of [`voices`].

mod providers;
pub mod voices;

use serde_json::{Map, Value};

pub use providers::specs;

use crate::features::spec::{self, Param};
use crate::features::{Invalid, Kind, Payload};

/// The model that is used where none is named.
pub const DEFAULT_MODEL: &str = "tts-1";

/// What is to be said, and how.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpeechParams {
    /// The text.
    pub input: String,
    /// One of OpenAI's voices, or the provider's own name or id of a voice.
    pub voice: Option<String>,
    /// `mp3`, `opus`, `aac`, `flac`, `wav` or `pcm`.
    pub format: Option<String>,
    /// How fast; 1 is usual.
    pub speed: Option<f64>,
    /// The language, as a tag such as `de` or `de-DE`.
    pub language: Option<String>,
    /// Fields by upstream's own names; they go before everything else.
    pub extra: Map<String, Value>,
}

/// The request to speak.
///
/// # Errors
/// A value that the model does not accept, and what it accepts.
pub fn payload(model: &str, params: &SpeechParams) -> Result<Payload, Invalid> {
    if params.input.trim().is_empty() {
        return Err(Invalid::new("input", "input must not be empty"));
    }
    let provider = providers::of(model);
    let mut values = vec![(Param::Input, Value::from(params.input.as_str()))];
    // Whether the language that was asked for is not the one that will be spoken.
    let mut language_ignored = false;
    let said = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    if let Some(voice) = said(&params.voice) {
        let voice = voices::of(provider.voices, &voice);
        voices::check(provider.voices, &voice).map_err(|allowed| {
            Invalid::new("voice", format!("{model} takes {allowed} as voice"))
        })?;
        values
            .extend((provider.language_of_voice)(&voice).map(|tag| (Param::Language, tag.into())));
        values.push((Param::Voice, voice.into()));
    }
    if let Some(tag) = said(&params.language) {
        let language = (provider.language)(&tag);
        // A voice that says its language goes before what was asked for.
        let spoken = values.iter().find(|(param, _)| *param == Param::Language);
        match (spoken, language) {
            (Some((_, spoken)), Some(language)) if *spoken != language => language_ignored = true,
            (Some(_), _) => {}
            (None, Some(language)) => values.push((Param::Language, language.into())),
            (None, None) => language_ignored = true,
        }
    }
    values.extend(params.speed.map(|speed| (Param::Speed, speed.into())));
    values.extend(said(&params.format).map(|format| (Param::ResponseFormat, format.into())));
    let spec = spec::find(specs(), Kind::TextToSpeech, model, &params.extra);
    let mut payload = match spec {
        Some(spec) => spec.fill(model, &values, &params.extra)?,
        None => generic(model, &values, &params.extra),
    };
    payload
        .ignored
        .extend(language_ignored.then(|| Param::Language.name().to_owned()));
    if said(&params.voice).is_none() && !params.extra.contains_key("name") {
        provider.speak_language(&mut payload);
    }
    // A format that is the only one is met by it.
    let only = provider.only_format;
    payload.ignored.retain(|name| {
        name != "response_format" || only != params.format.as_deref().map(str::trim)
    });
    payload.names_conversation = provider.names_conversation;
    Ok(payload)
}

fn generic(model: &str, values: &[(Param, Value)], extra: &Map<String, Value>) -> Payload {
    let name = |param: &Param| match param {
        Param::Input => "text",
        param => param.name(),
    };
    let fields = values
        .iter()
        .map(|(param, value)| (name(param).to_owned(), value.clone()));
    let mut fields: Map<String, Value> = fields.collect();
    fields.extend(extra.clone());
    Payload::new(Kind::TextToSpeech, model, fields)
}

/// The type of the speech that a request asks for. What the host of files says is no better than
/// `application/octet-stream` at times.
#[must_use]
pub fn content_type(payload: &Payload) -> &'static str {
    let field = |name: &str| payload.prompt_object.get(name).and_then(Value::as_str);
    let provider = providers::of(&payload.model);
    let format = ["response_format", "output_format", "audioEncoding"]
        .iter()
        .find_map(|name| field(name))
        .or(provider.only_format)
        .unwrap_or("mp3");
    type_of(format)
}

/// The type of a format by any provider's name of it, or by a file's extension.
#[must_use]
pub fn type_of(format: &str) -> &'static str {
    let small = format.to_ascii_lowercase();
    match small.split('_').next().unwrap_or_default() {
        "opus" | "ogg" | "oga" => "audio/ogg",
        "aac" => "audio/aac",
        "flac" => "audio/flac",
        "wav" | "linear16" => "audio/wav",
        "pcm" => "audio/pcm",
        "m4a" | "mp4" => "audio/mp4",
        "webm" => "audio/webm",
        _ => "audio/mpeg",
    }
}

/// The table of all providers as Markdown, with the voices.
#[must_use]
pub fn markdown() -> String {
    format!("{}{}", spec::markdown::page(specs()), voices::markdown())
}

#[cfg(test)]
mod tests;
