use serde_json::{Value, json};

use super::voices::{self, TABLE, Voices};
use super::{SpeechParams, content_type, markdown, payload, specs, type_of};
use crate::features::{Invalid, Mode, Payload};
use crate::models::{Feature, builtin};

fn params(input: &str) -> SpeechParams {
    SpeechParams {
        input: input.into(),
        ..SpeechParams::default()
    }
}

fn body(payload: &Payload) -> Value {
    serde_json::from_slice(&payload.to_bytes(Mode::Held)).unwrap()
}

fn fixture(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/onemin");
    serde_json::from_slice(&std::fs::read(path.join(name)).unwrap()).unwrap()
}

#[test]
fn every_voice_is_named_once_and_its_provider_knows_it() {
    let all: Vec<_> = voices::named().collect();
    let names: std::collections::BTreeSet<_> = all.iter().map(|voice| voice.name).collect();
    assert_eq!((all.len(), names.len()), (4 * TABLE.len(), all.len()));
    for voice in all {
        let model = match voice.provider {
            None => "tts-1",
            Some("ElevenLabs") => "elevenlabs-tts",
            Some("Google") => "google-tts",
            Some(_) => "qwen3-tts-flash",
        };
        let params = SpeechParams {
            voice: Some(voice.name.to_owned()),
            ..params("Hi")
        };
        assert!(payload(model, &params).is_ok(), "{voice:?}");
    }
}

#[test]
fn every_captured_request_is_written() {
    let said = || params("Good morning.");
    let settings = json!({"voice_settings": {"stability": 0.5, "similarity_boost": 0.75, "style": 0, "use_speaker_boost": true}});
    for (name, model, params) in [
        ("tts-openai.request.json", "tts-1", said()),
        (
            "tts-elevenlabs.request.json",
            "elevenlabs-tts",
            SpeechParams {
                extra: settings.as_object().unwrap().clone(),
                voice: Some("alloy".into()),
                ..said()
            },
        ),
        (
            "tts-google.request.json",
            "google-tts",
            SpeechParams {
                voice: Some("onyx".into()),
                ..said()
            },
        ),
        (
            "tts-qwen3.request.json",
            "qwen3-tts-flash",
            SpeechParams {
                language: Some("en-GB".into()),
                ..said()
            },
        ),
    ] {
        let payload = payload(model, &params).unwrap();
        assert_eq!(body(&payload), fixture(name), "{name}");
        assert!(payload.ignored.is_empty(), "{name} {:?}", payload.ignored);
    }
}

#[test]
fn every_model_that_upstream_lists_has_a_form() {
    for model in builtin(Feature::TextToSpeech) {
        let known = specs().any(|spec| spec.models.contains(&model.id.as_str()));
        assert!(known, "{}", model.id);
    }
}

#[test]
fn every_voice_of_openai_has_its_like_everywhere() {
    assert_eq!(TABLE.len(), 13);
    for voice in TABLE {
        for model in ["tts-1", "elevenlabs-tts", "google-tts", "qwen3-tts-flash"] {
            let params = SpeechParams {
                voice: Some(voice.name.into()),
                ..params("x")
            };
            payload(model, &params).unwrap();
        }
        assert_eq!(
            voices::of(Voices::ElevenLabs, voice.elevenlabs.1),
            voice.elevenlabs.0
        );
    }
    assert_eq!(voices::of(Voices::Qwen, "Serena"), "Serena");
    assert_eq!(voices::of(Voices::OpenAi, "Marin"), "nova");
}

#[test]
fn a_voice_of_google_says_its_language() {
    let fields = |voice: &str, language: Option<&str>| {
        let params = SpeechParams {
            voice: Some(voice.into()),
            language: language.map(str::to_owned),
            ..params("x")
        };
        let fields = payload("google-tts", &params).unwrap().prompt_object;
        (fields["name"].clone(), fields["languageCode"].clone())
    };
    assert_eq!(
        fields("de-DE-Neural2-B", Some("fr-FR")),
        (json!("de-DE-Neural2-B"), json!("de-DE"))
    );
    assert_eq!(
        fields("Kore", Some("fr-FR")),
        (json!("Kore"), json!("fr-FR"))
    );
    assert_eq!(
        fields("fable", None),
        (json!("en-GB-Neural2-B"), json!("en-GB"))
    );
}

#[test]
fn a_language_without_a_voice_is_spoken_by_a_voice_of_its_own() {
    let spoken = |voice: Option<&str>, language: &str| {
        let params = SpeechParams {
            voice: voice.map(str::to_owned),
            language: Some(language.to_owned()),
            ..params("x")
        };
        let Payload {
            prompt_object: fields,
            ignored,
            ..
        } = payload("google-tts", &params).unwrap();
        (
            fields.get("name").cloned(),
            fields["languageCode"].clone(),
            ignored,
        )
    };
    let none: Vec<String> = Vec::new();
    let german = Some(json!("de-DE-Standard-A"));
    assert_eq!(spoken(None, "de"), (german, json!("de-DE"), none.clone()));
    let casual = Some(json!("en-US-Casual-K"));
    assert_eq!(spoken(None, "en"), (casual.clone(), json!("en-US"), none));
    let language_ignored = vec!["language".to_owned()];
    assert_eq!(
        spoken(Some("onyx"), "de"),
        (casual, json!("en-US"), language_ignored)
    );
    let unknown = SpeechParams {
        language: Some("xx".into()),
        ..params("x")
    };
    let qwen = payload("qwen3-tts-flash", &unknown).unwrap();
    assert_eq!(qwen.ignored, ["language"]);
}

#[test]
fn a_format_is_said_in_the_providers_words_and_has_a_type() {
    for (model, format, content, ignored) in [
        ("tts-1", Some("opus"), "audio/ogg", &[][..]),
        ("tts-1", Some("pcm"), "audio/pcm", &[]),
        ("tts-1", None, "audio/mpeg", &[]),
        ("elevenlabs-tts", Some("mp3"), "audio/mpeg", &[]),
        ("elevenlabs-tts", Some("pcm"), "audio/pcm", &[]),
        ("google-tts", Some("wav"), "audio/wav", &[]),
        ("google-tts", Some("opus"), "audio/ogg", &[]),
        ("qwen3-tts-flash", Some("wav"), "audio/wav", &[]),
        (
            "qwen3-tts-flash",
            Some("mp3"),
            "audio/wav",
            &["response_format"],
        ),
        ("some-new-tts", Some("flac"), "audio/flac", &[]),
    ] {
        let params = SpeechParams {
            format: format.map(str::to_owned),
            ..params("x")
        };
        let payload = payload(model, &params).unwrap();
        assert_eq!(content_type(&payload), content, "{model} {format:?}");
        assert_eq!(payload.ignored, ignored, "{model} {format:?}");
    }
    assert_eq!(type_of("mp3_22050_32"), "audio/mpeg");
}

#[test]
fn what_a_provider_cannot_do_is_refused_or_named() {
    let refused =
        |model: &str, params: &SpeechParams| -> Invalid { payload(model, params).unwrap_err() };
    assert_eq!(refused("tts-1", &params(" ")).field, "input");
    assert_eq!(refused("tts-1", &params(&"x".repeat(4097))).field, "input");
    let fast = SpeechParams {
        speed: Some(4.5),
        ..params("x")
    };
    assert_eq!(refused("tts-1", &fast).field, "speed");
    assert_eq!(payload("elevenlabs-tts", &fast).unwrap().ignored, ["speed"]);
    let voice = SpeechParams {
        voice: Some("nobody".into()),
        ..params("x")
    };
    assert!(refused("tts-1", &voice).message.contains("shimmer"));
    let aac = SpeechParams {
        format: Some("aac".into()),
        ..params("x")
    };
    assert!(refused("google-tts", &aac).message.contains("OGG_OPUS"));
}

#[test]
fn the_table_can_be_read() {
    let page = markdown();
    assert!(
        page.contains("`voice_id`") && page.contains("| marin | nova | Jessica"),
        "{page}"
    );
}
