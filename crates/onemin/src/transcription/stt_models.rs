//! The models that listen: their fields, limits and manners.

use super::language;
use crate::features::spec::{Field, ModelSpec, Param, Rule};
use crate::features::{Invalid, Kind};

/// What is particular about a model, its fields aside.
#[derive(Debug, Clone, Copy)]
pub struct SttModel {
    /// The formats that it takes as `response_format`. What comes for others than `text` was never
    /// recorded.
    pub formats: &'static [&'static str],
    /// Whether it may say when what is said: the provider can, 1min.ai was not seen to hand it on.
    pub has_timestamps: bool,
    /// The largest recording, in bytes, where a limit is documented.
    pub most_bytes: Option<u64>,
    /// Whether it translates into any language; else into English.
    pub any_target: bool,
    /// A language in the model's spec.
    pub language: fn(&str) -> String,
}

/// Forms of OpenAI's interface, which a transcript can be made into from its text.
const KNOWN_FORMATS: [&str; 6] = [
    "json",
    "text",
    "srt",
    "verbose_json",
    "vtt",
    "diarized_json",
];

const WHISPER: SttModel = SttModel {
    formats: &["json", "text", "srt", "verbose_json", "vtt"],
    has_timestamps: true,
    most_bytes: Some(25 * 1024 * 1024),
    any_target: false,
    language: language::primary,
};

const GPT_4O: SttModel = SttModel {
    formats: &["json", "text"],
    has_timestamps: false,
    ..WHISPER
};

const BARE: SttModel = SttModel {
    formats: &[],
    has_timestamps: false,
    most_bytes: None,
    any_target: false,
    language: language::primary,
};

/// What is known of a model. An unknown one is asked for nothing but text.
#[must_use]
pub fn stt_model(model: &str) -> SttModel {
    const GOOGLE: [&str; 4] = ["latest_", "phone_call", "telephony", "medical_"];
    match model {
        model if model.starts_with("whisper") => WHISPER,
        model if model.starts_with("gpt-4o") => GPT_4O,
        model if model.starts_with("qwen3-asr") => SttModel {
            most_bytes: Some(10 * 1024 * 1024),
            ..BARE
        },
        model if model.starts_with("gemini") => SttModel {
            any_target: true,
            ..BARE
        },
        model if GOOGLE.iter().any(|begin| model.starts_with(begin)) => SttModel {
            language: language::with_region,
            ..BARE
        },
        _ => BARE,
    }
}

impl SttModel {
    /// What to ask for so that the requested format can be given: that format itself where timestamps may come
    /// with it, else text.
    ///
    /// # Errors
    /// That nobody knows the spec.
    pub fn asked_for(&self, format: &str) -> Result<&'static str, Invalid> {
        if !KNOWN_FORMATS.contains(&format) {
            let message = format!(
                "response_format must be one of {}",
                KNOWN_FORMATS.join(", ")
            );
            return Err(Invalid::new("response_format", message));
        }
        Ok(match format {
            _ if !self.has_timestamps => "text",
            "srt" => "srt",
            "vtt" => "vtt",
            "verbose_json" | "diarized_json" => "verbose_json",
            _ => "text",
        })
    }
}

const AUDIO: Field = Field::new("audioUrl", Rule::File)
    .param(Param::Audio)
    .required();

const FORMAT: Field = Field::new(
    "response_format",
    Rule::OneOf(&["text", "json", "srt", "verbose_json", "vtt"]),
)
.param(Param::ResponseFormat)
.or_text("text");

const TEMPERATURE: Field =
    Field::new("temperature", Rule::Number(0.0, 1.0)).param(Param::Temperature);

const PROMPT: Field = Field::new("prompt", Rule::Text(usize::MAX)).param(Param::Prompt);

const LANGUAGE: Field = Field::new("language", Rule::Text(40)).param(Param::Language);

/// Every spec.
pub fn specs() -> impl Iterator<Item = &'static ModelSpec> {
    SPECS.iter()
}

static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::SpeechToText,
        &["whisper-1", "whisper*"],
        &[AUDIO, FORMAT.required(), LANGUAGE, TEMPERATURE, PROMPT],
    )
    .note("At most 25 MB. Only `text` is known to work; no times were ever seen to come."),
    ModelSpec::new(
        Kind::SpeechToText,
        &["gpt-4o-transcribe", "gpt-4o-transcribe-diarize", "gpt-4o*"],
        &[AUDIO, FORMAT.required(), LANGUAGE, TEMPERATURE, PROMPT],
    )
    .note("Not documented; taken to be like whisper-1."),
    ModelSpec::new(
        Kind::SpeechToText,
        &[
            "latest_long",
            "latest_short",
            "phone_call",
            "telephony",
            "telephony_short",
            "medical_dictation",
            "medical_conversation",
        ],
        &[AUDIO, LANGUAGE.or_text("en-US").required()],
    )
    .note("Google. The language is a tag with a region, such as de-DE."),
    ModelSpec::new(Kind::SpeechToText, &["elevenlabs-speech-to-text"], &[AUDIO]),
    ModelSpec::new(
        Kind::SpeechToText,
        &["qwen3-asr-flash", "qwen3-asr*"],
        &[
            AUDIO,
            LANGUAGE,
            Field::new("enable_itn", Rule::Flag).or_flag(false),
        ],
    )
    .note(
        "At most 10 MB; aac, amr, avi, aiff, flac, flv, m4a, mkv, mp3, mpeg, ogg, opus, \
         wav, webm, wma, wmv.",
    ),
    ModelSpec::new(
        Kind::AudioTranslator,
        &["whisper-1", "whisper*"],
        &[AUDIO, FORMAT, TEMPERATURE, PROMPT],
    )
    .note("Into English, at most 25 MB."),
    ModelSpec::new(
        Kind::AudioTranslator,
        &["gemini-2.5-flash", "gemini-2.5-pro", "gemini*"],
        &[
            AUDIO,
            Field::new("originalLanguage", Rule::Text(40))
                .param(Param::Language)
                .or_text("auto")
                .required(),
            Field::new("targetLanguage", Rule::Text(40))
                .param(Param::TargetLanguage)
                .or_text("en")
                .required(),
            Field::new("domain", Rule::Text(200)),
            Field::new("tone", Rule::Text(200)),
            Field::new("writingStyle", Rule::Text(200)),
        ],
    )
    .note("That `auto` is understood as the original language is a guess."),
    ModelSpec::new(
        Kind::AudioTranslator,
        &["qwen3-livetranslate-flash"],
        &[AUDIO],
    )
    .open()
    .note("Fields not found."),
];
