//! Requests for speech and transcripts that are wrong, and what is said of them; what there is.

use serde_json::{Value, json};

use crate::form::{FORM, Form, png, wav};
use crate::refused::{JSON, Row, all_refused, form_row, json_row};
use crate::rig::Rig;

const HEAR: &str = "/v1/audio/transcriptions";
const TRANSLATE: &str = "/v1/audio/translations";
const SPEAK: &str = "/v1/audio/speech";

#[tokio::test]
async fn a_wrong_recording_is_told_what_is_allowed() {
    let rig = Rig::start();
    let sound = wav(800);
    let named = || Form::default().text("model", "whisper-1");
    let of = |bytes: &[u8]| named().file("file", "a.wav", bytes);
    let good = || of(&sound);
    let text = Form::default().file("file", "a.mp3", b"hello there");
    let other = "multipart/form-data; boundary=OTHER";
    for path in [HEAR, TRANSLATE] {
        let table: [(Form, &str, &[&str]); 12] = [
            (named(), "file", &["`file` is missing"]),
            (of(b""), "file", &["empty"]),
            (text.clone(), "file", &["wav", "mp3"]),
            (of(&png(8, 8)), "file", &["wav", "mp3"]),
            (named().file("audio", "a.wav", &sound), "audio", &["`file`"]),
            (good().file("file", "b.wav", &sound), "file", &["two parts"]),
            (
                good().text("response_format", "xml"),
                "response_format",
                &["json", "vtt"],
            ),
            (good().text("temperature", "9"), "temperature", &["0 to 1"]),
            (
                good().text("temperature", "warm"),
                "temperature",
                &["0 to 1"],
            ),
            (
                good().text("stream", "perhaps"),
                "stream",
                &["true or false"],
            ),
            (
                good().text("model", "gpt-4o-transcribe"),
                "model",
                &["twice"],
            ),
            (
                good().text("language", "de").text("language", "fr"),
                "language",
                &["twice"],
            ),
        ];
        let mut rows: Vec<Row> = Vec::new();
        for (form, param, says) in table {
            rows.push(form_row(path, form, param, says));
        }
        let json = "{\"file\":\"a.wav\"}".into();
        rows.push((path, JSON, json, 400, None, &["multipart/form-data"]));
        rows.push((path, FORM, good().cut(), 400, None, &["broke off"]));
        rows.push((path, other, good().whole(), 400, None, &["Content-Type"]));
        all_refused(&rig, rows).await;
    }
}

#[tokio::test]
async fn a_recording_that_a_model_cannot_take_is_refused_wherever_the_model_is_named() {
    let rig = Rig::start();
    let file = |form: Form, bytes: usize| form.file("file", "a.wav", &wav(bytes));
    let timed = Form::default()
        .text("model", "gpt-4o-transcribe")
        .text("response_format", "srt");
    let before = Form::default().text("model", "whisper-1");
    let mut rows = vec![form_row(
        HEAR,
        file(timed, 800),
        "response_format",
        &["whisper-1"],
    )];
    for form in [
        file(before, 26 << 20),
        file(Form::default(), 26 << 20).text("model", "whisper-1"),
    ] {
        rows.push((HEAR, FORM, form.whole(), 413, Some("file"), &["25 MiB"]));
    }
    all_refused(&rig, rows).await;
}

#[tokio::test]
async fn a_wrong_text_to_speak_is_told_what_is_allowed() {
    let rig = Rig::start();
    let speak = |field: &str, value: Value| {
        let mut body = json!({"model": "tts-1", "input": "Hello", "voice": "alloy"});
        body[field] = value;
        body
    };
    let long = "x".repeat(4097);
    let rows = vec![
        json_row(
            SPEAK,
            &json!({"model": "tts-1", "voice": "alloy"}),
            "input",
            &["input"],
        ),
        json_row(SPEAK, &speak("input", json!("  ")), "input", &["empty"]),
        json_row(SPEAK, &speak("input", json!(long)), "input", &["4096"]),
        json_row(SPEAK, &speak("input", json!(["a"])), "input", &["string"]),
        json_row(
            SPEAK,
            &speak("voice", json!("nobody")),
            "voice",
            &["alloy", "shimmer"],
        ),
        json_row(SPEAK, &speak("voice", json!(7)), "voice", &["voice"]),
        json_row(
            SPEAK,
            &speak("response_format", json!("mp9")),
            "response_format",
            &["mp3", "opus"],
        ),
        json_row(
            SPEAK,
            &speak("response_format", json!(1)),
            "response_format",
            &["string"],
        ),
        json_row(SPEAK, &speak("speed", json!(9)), "speed", &["0.25 to 4"]),
        json_row(SPEAK, &speak("speed", json!("fast")), "speed", &["number"]),
        json_row(
            SPEAK,
            &speak("stream_format", json!("tape")),
            "stream_format",
            &["audio", "sse"],
        ),
        (SPEAK, JSON, "{".into(), 400, None, &["JSON"]),
        (
            SPEAK,
            FORM,
            Form::default().text("input", "Hello").whole(),
            400,
            None,
            &["JSON"],
        ),
    ];
    all_refused(&rig, rows).await;
    let eleven = json!({"model": "elevenlabs-tts", "input": "Hello", "voice": "nobody"});
    let rows = vec![json_row(SPEAK, &eleven, "voice", &["Sarah", "shimmer"])];
    all_refused(&rig, rows).await;
}

#[tokio::test]
async fn what_there_is_to_speak_with_is_listed_without_a_key() {
    let rig = Rig::start();
    let listed = async |path: &str, list: &str| -> Vec<String> {
        let answer = rig.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let entries = answer.json()[list].as_array().unwrap().clone();
        let named = entries.iter().map(|entry| {
            assert!(entry["name"].is_string(), "{entry}");
            entry["id"].as_str().unwrap().to_owned()
        });
        named.collect()
    };
    let voices = listed("/v1/audio/voices", "voices").await;
    for voice in ["alloy", "Aria", "en-US-Casual-K", "Cherry"] {
        assert!(voices.iter().any(|id| id == voice), "{voice} in {voices:?}");
    }
    let models = listed("/v1/audio/models", "models").await;
    assert!(models.contains(&"tts-1".to_owned()), "{models:?}");
    assert!(!models.contains(&"gpt-4o-mini".to_owned()), "{models:?}");
    assert_eq!(rig.post("/v1/audio/voices", &json!({})).await.status, 501);
}
