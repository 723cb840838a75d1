//! Text from speech: `SPEECH_TO_TEXT`, and in another language: `AUDIO_TRANSLATOR`.

pub mod language;
mod stt_models;
mod transcript;

use serde_json::{Map, Value};

pub use stt_models::{SttModel, specs, stt_model};
pub use transcript::{Segment, Transcript};

use crate::features::spec::{self, Param};
use crate::features::{Invalid, Kind, Payload, candidates};

/// The model that writes down where none is named.
pub const DEFAULT_MODEL: &str = "whisper-1";

/// What to try for a transcription when the model asked for cannot, the best first.
pub const TRANSCRIPTION_ORDER: &[&str] = &[
    "whisper-1",
    "gpt-4o-transcribe",
    "qwen3-asr-flash",
    "elevenlabs-speech-to-text",
    "latest_long",
    "latest_short",
];

/// What to try for a translation when the model asked for cannot, the best first.
pub const TRANSLATION_ORDER: &[&str] = &["whisper-1", "gemini-2.5-flash", "gemini-2.5-pro"];

/// The models to try for a transcription, the one asked for first.
#[must_use]
pub fn transcription_candidates(asked: &str) -> Vec<&str> {
    candidates(asked, TRANSCRIPTION_ORDER)
}

/// The models to try for a translation, the one asked for first.
#[must_use]
pub fn translation_candidates(asked: &str) -> Vec<&str> {
    candidates(asked, TRANSLATION_ORDER)
}

/// The parameters of a transcription.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TranscriptionParams {
    /// The recording: the path of an asset.
    pub audio: String,
    /// The language that is spoken: `de`, `de-DE` or `German`.
    pub language: Option<String>,
    /// The language to translate into; English where none is said.
    pub target_language: Option<String>,
    /// Words to expect.
    pub prompt: Option<String>,
    /// How freely, from 0 to 1.
    pub temperature: Option<f64>,
    /// `json`, `text`, `srt`, `verbose_json` or `vtt`.
    pub format: Option<String>,
    /// Fields by upstream's own names; they go before everything else.
    pub extra: Map<String, Value>,
}

/// The request to write down what is said.
///
/// # Errors
/// A value that the model does not accept, and what it accepts.
pub fn transcription(model: &str, params: &TranscriptionParams) -> Result<Payload, Invalid> {
    payload(Kind::SpeechToText, model, params)
}

/// The request to write down in another language what is said.
///
/// # Errors
/// A value that the model does not accept, and what it accepts.
pub fn translation(model: &str, params: &TranscriptionParams) -> Result<Payload, Invalid> {
    let target = params.target_language.as_deref().unwrap_or("en");
    if !stt_model(model).any_target && language::primary(target) != "en" {
        let others: Vec<&str> = TRANSLATION_ORDER
            .iter()
            .copied()
            .filter(|other| stt_model(other).any_target)
            .collect();
        let message = format!(
            "{model} translates into English only; into other languages do {}",
            others.join(", ")
        );
        return Err(Invalid::new("target_language", message));
    }
    let mut payload = payload(Kind::AudioTranslator, model, params)?;
    payload.names_conversation = true;
    Ok(payload)
}

fn payload(kind: Kind, model: &str, params: &TranscriptionParams) -> Result<Payload, Invalid> {
    let stt_model = stt_model(model);
    let mut values = vec![(Param::Audio, Value::from(params.audio.as_str()))];
    let said = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let spoken = said(&params.language).map(|tag| (stt_model.language)(&tag));
    values.extend(spoken.map(|tag| (Param::Language, tag.into())));
    if stt_model.any_target && kind == Kind::AudioTranslator {
        let target = said(&params.target_language).map(|tag| language::primary(&tag));
        values.extend(target.map(|tag| (Param::TargetLanguage, tag.into())));
    }
    values.extend(said(&params.prompt).map(|prompt| (Param::Prompt, prompt.into())));
    let temperature = params.temperature.map(|of| (Param::Temperature, of.into()));
    values.extend(temperature);
    let format = said(&params.format).map(|format| format.to_ascii_lowercase());
    let format = format
        .map(|format| stt_model.asked_for(&format))
        .transpose()?;
    values.extend(format.map(|format| (Param::ResponseFormat, format.into())));
    match spec::find(specs(), kind, model, &params.extra) {
        Some(spec) => {
            let mut payload = spec.fill(model, &values, &params.extra)?;
            // Every model gives text; other formats are built from it.
            payload.ignored.retain(|name| name != "response_format");
            Ok(payload)
        }
        None => Ok(generic(kind, model, &values, &params.extra)),
    }
}

fn generic(
    kind: Kind,
    model: &str,
    values: &[(Param, Value)],
    extra: &Map<String, Value>,
) -> Payload {
    let name = |param: &Param| match param {
        Param::Audio => "audioUrl",
        param => param.name(),
    };
    let fields = values
        .iter()
        .map(|(param, value)| (name(param).to_owned(), value.clone()));
    let mut fields: Map<String, Value> = fields.collect();
    fields.extend(extra.clone());
    Payload::new(kind, model, fields)
}

/// The table of all models as Markdown.
#[must_use]
pub fn markdown() -> String {
    spec::markdown::page(specs())
}

#[cfg(test)]
mod tests;
