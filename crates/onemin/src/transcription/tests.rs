use serde_json::{Value, json};

use super::{
    Transcript, TranscriptionParams, specs, stt_model, transcription, transcription_candidates,
    translation, translation_candidates,
};
use crate::features::{JobState, Kind, Mode, Payload, read};
use crate::models::{Feature, builtin};

const NOTE: &str = "audios/2026_10_10_12_05_00_200_note.mp3";

fn params() -> TranscriptionParams {
    TranscriptionParams {
        audio: NOTE.into(),
        ..TranscriptionParams::default()
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/onemin");
    std::fs::read(path.join(name)).unwrap()
}

fn body(payload: &Payload) -> Value {
    serde_json::from_slice(&payload.to_bytes(Mode::Held)).unwrap()
}

#[test]
fn every_captured_request_is_written() {
    let english = || TranscriptionParams {
        language: Some("en-US".into()),
        ..params()
    };
    let german = || TranscriptionParams {
        language: Some("German".into()),
        ..params()
    };
    let cold = |params: TranscriptionParams| TranscriptionParams {
        temperature: Some(0.0),
        ..params
    };
    for (name, payload) in [
        ("stt-whisper", transcription("whisper-1", &cold(english()))),
        ("stt-google", transcription("latest_long", &params())),
        ("stt-google", transcription("latest_long", &english())),
        (
            "stt-elevenlabs",
            transcription("elevenlabs-speech-to-text", &params()),
        ),
        ("stt-qwen3-asr", transcription("qwen3-asr-flash", &params())),
        (
            "translate-whisper",
            translation("whisper-1", &cold(params())),
        ),
        (
            "translate-gemini",
            translation("gemini-2.5-flash", &german()),
        ),
    ] {
        let expected: Value =
            serde_json::from_slice(&fixture(&format!("{name}.request.json"))).unwrap();
        assert_eq!(body(&payload.unwrap()), expected, "{name}");
    }
}

#[test]
fn every_captured_answer_is_read() {
    for (name, kind, duration) in [
        ("stt-whisper", Kind::SpeechToText, None),
        ("stt-string-result", Kind::SpeechToText, None),
        ("stt-whisper-verbose", Kind::SpeechToText, Some(2.1)),
        ("translate-whisper", Kind::AudioTranslator, None),
    ] {
        let JobState::Done(outcome) =
            read(kind, &fixture(&format!("{name}.response.json"))).unwrap()
        else {
            panic!("{name}")
        };
        let transcript = Transcript::of(&outcome);
        assert_eq!(transcript.text, "Remember to water the plants.", "{name}");
        assert_eq!(transcript.duration, duration, "{name}");
    }
    let object = json!({"aiRecord": {"status": "SUCCESS", "aiRecordDetail": {"resultObject":
        {"text": "Hi", "segments": [{"start": 0, "end": 1, "text": "Hi", "speaker": "A"}]}}}});
    let JobState::Done(outcome) = read(Kind::SpeechToText, object.to_string().as_bytes()).unwrap()
    else {
        panic!()
    };
    let transcript = Transcript::of(&outcome);
    assert_eq!(
        (
            transcript.text.as_str(),
            transcript.segments[0].speaker.as_deref()
        ),
        ("Hi", Some("A"))
    );
}

#[test]
fn every_model_that_upstream_lists_has_a_form() {
    for (feature, kind) in [
        (Feature::SpeechToText, Kind::SpeechToText),
        (Feature::AudioTranslator, Kind::AudioTranslator),
    ] {
        for model in builtin(feature) {
            let known =
                specs().any(|spec| spec.kind == kind && spec.models.contains(&model.id.as_str()));
            assert!(known, "{}", model.id);
        }
    }
    for order in [super::TRANSCRIPTION_ORDER, super::TRANSLATION_ORDER] {
        assert!(
            order
                .iter()
                .all(|model| specs().any(|spec| spec.models.contains(model)))
        );
    }
}

#[test]
fn a_form_with_times_is_asked_for_only_where_times_may_come() {
    let asked = |model: &str, format: &str| {
        let params = TranscriptionParams {
            format: Some(format.into()),
            ..params()
        };
        let payload = transcription(model, &params).unwrap();
        assert!(payload.ignored.is_empty(), "{:?}", payload.ignored);
        payload.prompt_object.get("response_format").cloned()
    };
    assert_eq!(asked("whisper-1", "json"), Some(json!("text")));
    assert_eq!(asked("whisper-1", "srt"), Some(json!("srt")));
    assert_eq!(asked("gpt-4o-transcribe", "vtt"), Some(json!("text")));
    assert_eq!(asked("latest_long", "vtt"), None);
    assert!(stt_model("whisper-1").has_timestamps && !stt_model("latest_long").has_timestamps);
    let odd = TranscriptionParams {
        format: Some("docx".into()),
        ..params()
    };
    assert_eq!(
        transcription("whisper-1", &odd).unwrap_err().field,
        "response_format"
    );
}

#[test]
fn only_some_translate_into_other_languages_than_english() {
    let french = TranscriptionParams {
        target_language: Some("fr".into()),
        ..params()
    };
    assert_eq!(
        translation("whisper-1", &french).unwrap_err().field,
        "target_language"
    );
    let payload = translation("gemini-2.5-pro", &french).unwrap();
    assert_eq!(payload.prompt_object["targetLanguage"], "fr");
    assert_eq!(payload.prompt_object["originalLanguage"], "auto");
}

#[test]
fn the_model_asked_for_is_tried_first() {
    assert_eq!(
        transcription_candidates("latest_long")[..2],
        ["latest_long", "whisper-1"]
    );
    assert_eq!(
        translation_candidates("whisper-1"),
        super::TRANSLATION_ORDER
    );
}
