//! Music (`MUSIC_GENERATOR`) and sound effects (`TEXT_TO_SOUND`).

use serde_json::{Map, Value};

use crate::features::spec::{self, Field, ModelSpec, Param, Rule};
use crate::features::{Invalid, Kind, Payload};

/// The parameters of a piece of music. What is None is left to the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MusicParams {
    /// What it is about, or its words.
    pub prompt: String,
    /// Its title.
    pub title: Option<String>,
    /// Styles, such as `jazz, slow`.
    pub tags: Option<String>,
    /// Whether nobody sings.
    pub instrumental: Option<bool>,
    /// Length in seconds.
    pub seconds: Option<u32>,
    /// Fields by upstream's own names; they go before everything else.
    pub extra: Map<String, Value>,
}

const PROMPT: Field = Field::new("prompt", Rule::Text(usize::MAX))
    .param(Param::Prompt)
    .required();

static SPECS: &[ModelSpec] = &[
    ModelSpec::new(
        Kind::MusicGenerator,
        &["suno-ttapi", "music-s"],
        &[
            PROMPT,
            Field::new(
                "mv",
                Rule::OneOf(&["chirp-v3-0", "chirp-v3-5", "chirp-v4", "chirp-v4-5"]),
            )
            .also(&[
                ("v3-0", "chirp-v3-0"),
                ("v3-5", "chirp-v3-5"),
                ("v4", "chirp-v4"),
                ("v4-5", "chirp-v4-5"),
            ])
            .or_text("chirp-v4"),
            Field::new("custom", Rule::Flag).or_flag(false),
            Field::new("title", Rule::Text(200)).param(Param::Title),
            Field::new("tags", Rule::Text(1000)).param(Param::Tags),
            Field::new("instrumental", Rule::Flag).param(Param::Instrumental),
        ],
    )
    .note("Gives two songs."),
    ModelSpec::new(Kind::MusicGenerator, &["lyria-002", "lyria*"], &[PROMPT]).note("Gives WAV."),
    ModelSpec::new(
        Kind::MusicGenerator,
        &["music-u", "meta/musicgen*"],
        &[PROMPT],
    )
    .open()
    .note("Fields not found: the prompt and what a request adds by upstream's names are sent."),
    ModelSpec::new(
        Kind::TextToSound,
        &["elevenlabs-text-to-sound", "elevenlabs*"],
        &[Field::new("text", Rule::Text(10_000))
            .param(Param::Prompt)
            .required()],
    )
    .open()
    .note("The model's id and its fields are guesses after ElevenLabs' own."),
];

/// Every spec, in the order in which they are searched.
pub fn specs() -> impl Iterator<Item = &'static ModelSpec> {
    SPECS.iter()
}

/// The feature by which a model makes sound that is no speech; None for a model of anything else.
#[must_use]
pub fn kind_of(model: &str) -> Option<Kind> {
    let small = model.to_ascii_lowercase();
    let named = |words: &[&str]| words.iter().any(|word| small.contains(word));
    let is_music = spec::find(specs(), Kind::MusicGenerator, model, &Map::new()).is_some();
    if is_music || named(&["music", "suno", "lyria"]) {
        Some(Kind::MusicGenerator)
    } else if named(&["text-to-sound", "sound-effect", "sound-generation"]) {
        Some(Kind::TextToSound)
    } else {
        None
    }
}

/// The request for music.
///
/// # Errors
/// A value that the model does not accept, and what it accepts.
pub fn generation(model: &str, params: &MusicParams) -> Result<Payload, Invalid> {
    payload(Kind::MusicGenerator, model, params)
}

/// The request for a sound effect.
///
/// # Errors
/// A value that the model does not accept, and what it accepts.
pub fn sound(model: &str, params: &MusicParams) -> Result<Payload, Invalid> {
    payload(Kind::TextToSound, model, params)
}

/// The table as Markdown.
#[must_use]
pub fn markdown() -> String {
    spec::markdown::page(specs())
}

fn payload(kind: Kind, model: &str, params: &MusicParams) -> Result<Payload, Invalid> {
    if params.prompt.trim().is_empty() {
        return Err(Invalid::new("prompt", "prompt must not be empty"));
    }
    let text = |text: &Option<String>| {
        let text = text.as_deref().map(str::trim);
        text.filter(|text| !text.is_empty()).map(Value::from)
    };
    let values = [
        (Param::Prompt, Some(Value::from(params.prompt.as_str()))),
        (Param::Title, text(&params.title)),
        (Param::Tags, text(&params.tags)),
        (Param::Instrumental, params.instrumental.map(Value::from)),
        (Param::Seconds, params.seconds.map(Value::from)),
    ];
    let values: Vec<(Param, Value)> = values
        .into_iter()
        .filter_map(|(param, value)| Some((param, value?)))
        .collect();
    if let Some(spec) = spec::find(specs(), kind, model, &params.extra) {
        return spec.fill(model, &values, &params.extra);
    }
    let fields = values
        .into_iter()
        .map(|(param, value)| (param.name().to_owned(), value));
    let mut fields: Map<String, Value> = fields.collect();
    fields.extend(params.extra.clone());
    Ok(Payload::new(kind, model, fields))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Kind, MusicParams, generation, kind_of, sound};

    #[test]
    fn models_of_music_are_told_from_those_that_speak() {
        for (model, kind) in [
            ("suno-ttapi", Some(Kind::MusicGenerator)),
            ("lyria-3-pro-preview", Some(Kind::MusicGenerator)),
            ("music-u", Some(Kind::MusicGenerator)),
            ("meta/musicgen:671a", Some(Kind::MusicGenerator)),
            ("elevenlabs-text-to-sound", Some(Kind::TextToSound)),
            ("elevenlabs-tts", None),
            ("tts-1", None),
            ("gpt-4o-mini", None),
        ] {
            assert_eq!(kind_of(model), kind, "{model}");
        }
    }

    #[test]
    fn each_model_gets_its_fields_and_the_rest_is_named() {
        let params = MusicParams {
            prompt: "rain on a tin roof".into(),
            title: Some("Rain".into()),
            instrumental: Some(true),
            seconds: Some(30),
            ..MusicParams::default()
        };
        let suno = generation("suno-ttapi", &params).unwrap();
        assert_eq!(
            Value::Object(suno.prompt_object),
            json!({"prompt": "rain on a tin roof", "mv": "chirp-v4", "custom": false,
                "title": "Rain", "instrumental": true})
        );
        assert_eq!(suno.ignored, ["seconds"]);
        let lyria = generation("lyria-002", &params).unwrap();
        assert_eq!(lyria.ignored, ["title", "instrumental", "seconds"]);
        let effect = sound("elevenlabs-text-to-sound", &params).unwrap();
        assert_eq!(effect.prompt_object["text"], "rain on a tin roof");
        let unknown = generation("next-year-1", &params).unwrap();
        assert_eq!(unknown.prompt_object["seconds"], 30);
        assert!(generation("lyria-002", &MusicParams::default()).is_err());
        let wrong = MusicParams {
            extra: json!({"mv": "chirp-v9"}).as_object().cloned().unwrap(),
            ..params
        };
        assert!(
            generation("suno-ttapi", &wrong)
                .unwrap_err()
                .message
                .contains("chirp-v3-0")
        );
    }
}
