//! Text from speech: `SPEECH_TO_TEXT`, and in another language: `AUDIO_TRANSLATOR`.

pub mod language;
mod recognisers;
mod transcript;

use serde_json::{Map, Value};

pub use recognisers::{Recogniser, forms, recogniser};
pub use transcript::{Segment, Transcript};

use crate::features::form::{self, Knob};
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

/// What is wanted of a recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
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
/// A wish that the model cannot meet, and what it can.
pub fn transcription(model: &str, wanted: &Wanted) -> Result<Payload, Invalid> {
    payload(Kind::SpeechToText, model, wanted)
}

/// The request to write down in another language what is said.
///
/// # Errors
/// A wish that the model cannot meet, and what it can.
pub fn translation(model: &str, wanted: &Wanted) -> Result<Payload, Invalid> {
    let target = wanted.target_language.as_deref().unwrap_or("en");
    if !recogniser(model).any_target && language::primary(target) != "en" {
        let others: Vec<&str> = TRANSLATION_ORDER
            .iter()
            .copied()
            .filter(|other| recogniser(other).any_target)
            .collect();
        let message = format!(
            "{model} translates into English only; into other languages do {}",
            others.join(", ")
        );
        return Err(Invalid::new("target_language", message));
    }
    let mut payload = payload(Kind::AudioTranslator, model, wanted)?;
    payload.names_conversation = true;
    Ok(payload)
}

fn payload(kind: Kind, model: &str, wanted: &Wanted) -> Result<Payload, Invalid> {
    let recogniser = recogniser(model);
    let mut wishes = vec![(Knob::Audio, Value::from(wanted.audio.as_str()))];
    let said = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let spoken = said(&wanted.language).map(|tag| (recogniser.language)(&tag));
    wishes.extend(spoken.map(|tag| (Knob::Language, tag.into())));
    if recogniser.any_target && kind == Kind::AudioTranslator {
        let target = said(&wanted.target_language).map(|tag| language::primary(&tag));
        wishes.extend(target.map(|tag| (Knob::TargetLanguage, tag.into())));
    }
    wishes.extend(said(&wanted.prompt).map(|prompt| (Knob::Prompt, prompt.into())));
    let temperature = wanted.temperature.map(|of| (Knob::Temperature, of.into()));
    wishes.extend(temperature);
    let format = said(&wanted.format).map(|format| format.to_ascii_lowercase());
    let format = format
        .map(|format| recogniser.asked_for(&format))
        .transpose()?;
    wishes.extend(format.map(|format| (Knob::ResponseFormat, format.into())));
    match form::find(forms(), kind, model, &wanted.extra) {
        Some(form) => {
            let mut payload = form.fill(model, &wishes, &wanted.extra)?;
            // Every model gives text; the rest of a form is made of it.
            payload.ignored.retain(|name| name != "response_format");
            Ok(payload)
        }
        None => Ok(generic(kind, model, &wishes, &wanted.extra)),
    }
}

fn generic(
    kind: Kind,
    model: &str,
    wishes: &[(Knob, Value)],
    extra: &Map<String, Value>,
) -> Payload {
    let name = |knob: &Knob| match knob {
        Knob::Audio => "audioUrl",
        knob => knob.name(),
    };
    let fields = wishes
        .iter()
        .map(|(knob, value)| (name(knob).to_owned(), value.clone()));
    let mut fields: Map<String, Value> = fields.collect();
    fields.extend(extra.clone());
    Payload::new(kind, model, fields)
}

/// The table of all models as Markdown.
#[must_use]
pub fn markdown() -> String {
    form::markdown(forms())
}

#[cfg(test)]
mod tests;
