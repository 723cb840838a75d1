//! The providers of speech: their fields, formats and manners.

use serde_json::Value;

use crate::features::spec::{Field, Literal, ModelSpec, Param, Rule};
use crate::features::{Kind, Payload};
use crate::speech::voices::Voices;
use crate::transcription::language::with_region;

/// What is particular about a provider, its fields aside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Provider {
    pub(super) voices: Voices,
    /// The only format, where there is no choice.
    pub(super) only_format: Option<&'static str>,
    /// Whether documents show `conversationId`.
    pub(super) names_conversation: bool,
    /// The language of a voice, where its name says it.
    pub(super) language_of_voice: fn(&str) -> Option<String>,
    /// A language's tag in the provider's spec.
    pub(super) language: fn(&str) -> Option<String>,
}

impl Provider {
    /// Puts a voice of the language that was asked for in the place of the usual one. Of nearly
    /// every language Google has a voice of this name.
    pub(super) fn speak_language(&self, payload: &mut Payload) {
        let field = |name: &str| payload.prompt_object.get(name).and_then(Value::as_str);
        let (voice, language) = (field("name"), field("languageCode"));
        if let (Some(voice), Some(language)) = (voice, language)
            && (self.language_of_voice)(voice).is_some_and(|of_voice| of_voice != language)
        {
            let voice = Value::from(format!("{language}-Standard-A"));
            payload.prompt_object.insert("name".to_owned(), voice);
        }
    }
}

const OPENAI: Provider = Provider {
    voices: Voices::OpenAi,
    only_format: None,
    names_conversation: true,
    language_of_voice: |_| None,
    language: |tag| Some(tag.to_owned()),
};

const ELEVENLABS: Provider = Provider {
    voices: Voices::ElevenLabs,
    names_conversation: false,
    language: |tag| Some(primary(tag)),
    ..OPENAI
};

const GOOGLE: Provider = Provider {
    voices: Voices::Google,
    names_conversation: false,
    language_of_voice: google_language,
    language: |tag| Some(with_region(tag)),
    ..OPENAI
};

const QWEN: Provider = Provider {
    voices: Voices::Qwen,
    only_format: Some("wav"),
    names_conversation: false,
    language: qwen_language,
    ..OPENAI
};

/// The provider of a model. An unknown one is taken to be like OpenAI.
pub(super) fn of(model: &str) -> Provider {
    match model {
        model if model.starts_with("eleven") => ELEVENLABS,
        model if model.starts_with("google") => GOOGLE,
        model if model.starts_with("qwen") => QWEN,
        _ => OPENAI,
    }
}

/// The language of a tag: `de` of `de-DE`.
fn primary(tag: &str) -> String {
    let first = tag.split(['-', '_']).next().unwrap_or_default();
    first.to_ascii_lowercase()
}

/// `en-US` of `en-US-Casual-K`.
fn google_language(voice: &str) -> Option<String> {
    let mut parts = voice.split('-');
    let (language, region) = (parts.next()?, parts.next()?);
    let is_tag = (2..=3).contains(&language.len()) && (2..=3).contains(&region.len());
    (is_tag && parts.next().is_some()).then(|| format!("{language}-{region}"))
}

/// Qwen names languages in English.
fn qwen_language(tag: &str) -> Option<String> {
    const NAMES: [(&str, &str); 10] = [
        ("zh", "Chinese"),
        ("en", "English"),
        ("de", "German"),
        ("it", "Italian"),
        ("pt", "Portuguese"),
        ("es", "Spanish"),
        ("ja", "Japanese"),
        ("ko", "Korean"),
        ("fr", "French"),
        ("ru", "Russian"),
    ];
    let code = primary(tag);
    let found = NAMES
        .iter()
        .find(|(of, name)| *of == code || name.eq_ignore_ascii_case(tag));
    found.map(|(_, name)| (*name).to_owned())
}

const TEXT: Field = Field::new("text", Rule::Text(usize::MAX))
    .param(Param::Input)
    .required();

const ELEVENLABS_FORMATS: &[(&str, &str)] = &[
    ("mp3", "mp3_44100_128"),
    ("pcm", "pcm_24000"),
    ("auto", "mp3_44100_128"),
];

/// Every spec.
pub fn specs() -> impl Iterator<Item = &'static ModelSpec> {
    SPECS.iter()
}

static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::TextToSpeech,
        &["tts-1", "tts-1-hd", "gpt-4o-mini-tts", "tts-*"],
        &[
            Field::new("text", Rule::Text(4096))
                .param(Param::Input)
                .required(),
            Field::new(
                "voice",
                Rule::OneOf(&[
                    "alloy", "echo", "fable", "onyx", "nova", "shimmer", "ash", "ballad", "coral",
                    "sage", "verse",
                ]),
            )
            .param(Param::Voice)
            .or_text("alloy"),
            Field::new(
                "response_format",
                Rule::OneOf(&["mp3", "opus", "aac", "flac", "wav", "pcm"]),
            )
            .param(Param::ResponseFormat)
            .or_text("mp3"),
            Field::new("speed", Rule::Number(0.25, 4.0))
                .param(Param::Speed)
                .or_whole(1),
        ],
    )
    .note(
        "The API documents the first six voices, the web page offers all. gpt-4o-mini-tts \
         is in no list of upstream.",
    ),
    ModelSpec::new(
        Kind::TextToSpeech,
        &["elevenlabs-tts", "eleven*"],
        &[
            TEXT,
            Field::new("voice_id", Rule::Text(100))
                .param(Param::Voice)
                .or_text("9BWtsMINqrJLrRacOk9x"),
            Field::new("model_id", Rule::Text(100)).or_text("eleven_turbo_v2_5"),
            Field::new(
                "output_format",
                Rule::OneOf(&[
                    "mp3_44100_128",
                    "mp3_44100_64",
                    "mp3_44100_96",
                    "mp3_44100_192",
                    "mp3_22050_32",
                    "pcm_16000",
                    "pcm_22050",
                    "pcm_24000",
                    "pcm_44100",
                ]),
            )
            .param(Param::ResponseFormat)
            .also(ELEVENLABS_FORMATS)
            .or_text("mp3_44100_128"),
            Field::new("language_code", Rule::Text(20)).param(Param::Language),
            Field::new(
                "apply_text_normalization",
                Rule::OneOf(&["auto", "on", "off"]),
            ),
            Field::new("use_pvc_as_ivc", Rule::Flag),
            Field::new("voice_settings", Rule::Any),
        ],
    )
    .note("No speed. The live service answered MP3; whether it keeps to pcm was not seen."),
    ModelSpec::new(
        Kind::TextToSpeech,
        &["google-tts", "google*"],
        &[
            TEXT,
            Field::new("languageCode", Rule::Text(20))
                .param(Param::Language)
                .or_text("en-US"),
            Field::new("name", Rule::Text(100))
                .param(Param::Voice)
                .or_text("en-US-Casual-K"),
            Field::new(
                "audioEncoding",
                Rule::OneOf(&["MP3", "LINEAR16", "OGG_OPUS"]),
            )
            .param(Param::ResponseFormat)
            .also(&[
                ("wav", "LINEAR16"),
                ("opus", "OGG_OPUS"),
                ("ogg", "OGG_OPUS"),
            ])
            .or_text("MP3"),
            Field::new("speakingRate", Rule::Number(0.25, 4.0))
                .param(Param::Speed)
                .or_whole(1),
            Field::new("pitch", Rule::Number(-20.0, 20.0)).or_whole(0),
            Field::new("volumeGainDb", Rule::Number(-96.0, 16.0)).or_whole(0),
        ],
    )
    .note(
        "Of the encodings upstream documents MP3; the others and the bounds are the \
         provider's.",
    ),
    ModelSpec::new(
        Kind::TextToSpeech,
        &["qwen3-tts-flash", "qwen*"],
        &[
            TEXT,
            Field::new("voice", Rule::Text(100))
                .param(Param::Voice)
                .or(Literal::Text("Cherry")),
            Field::new("language_type", Rule::Text(40)).param(Param::Language),
        ],
    )
    .note("Always WAV, and no speed."),
];
