use proptest::prelude::*;
use serde_json::{Value, json};

use super::{JobState, Outcome, ResultAsset, is_file, read};
use crate::features::Kind;
use crate::{Charged, Error, RefusalKind};

fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/onemin");
    std::fs::read(path.join(name)).unwrap()
}

fn done(kind: Kind, body: &[u8]) -> Outcome {
    match read(kind, body) {
        Ok(JobState::Done(outcome)) => *outcome,
        other => panic!("{other:?}"),
    }
}

fn record(fields: &Value) -> Vec<u8> {
    let mut record = json!({"uuid": "u", "status": "SUCCESS"});
    for (name, value) in fields.as_object().unwrap() {
        record[name] = value.clone();
    }
    json!({"aiRecord": record}).to_string().into_bytes()
}

fn result(result: &Value) -> Vec<u8> {
    record(&json!({"aiRecordDetail": {"resultObject": result}}))
}

#[test]
fn every_captured_result_gives_its_files_and_the_first_is_signed() {
    for (name, kind, count, first) in [
        (
            "image-gpt-image-1-mini.response.json",
            Kind::ImageGenerator,
            1,
            "images/2026_10_10_12_00_31_947_456329.png",
        ),
        ("image-multi.response.json", Kind::ImageGenerator, 2, ""),
        (
            "image-magic-art-7.response.json",
            Kind::ImageGenerator,
            4,
            "images/2026_10_10_12_02_40_200_700000.png",
        ),
        (
            "image-variator-magic-art.response.json",
            Kind::ImageVariator,
            4,
            "images/2026_10_10_12_02_40_200_700000.png",
        ),
        (
            "image-editor-gpt-image-1.response.json",
            Kind::ImageEditor,
            1,
            "images/2026_10_10_12_04_10_314_159265.png",
        ),
        (
            "tts-openai.response.json",
            Kind::TextToSpeech,
            1,
            "audios/2026_10_10_12_06_12_001_314159.mp3",
        ),
        (
            "tts-qwen3.response.json",
            Kind::TextToSpeech,
            1,
            "audios/2026_10_10_12_06_40_002_271828.wav",
        ),
    ] {
        let outcome = done(kind, &fixture(name));
        assert_eq!(outcome.assets.len(), count, "{name}");
        let asset = &outcome.assets[0];
        assert!(first.is_empty() || asset.path == first, "{name}");
        let signed = asset.temporary_url.as_deref().unwrap();
        assert!(
            signed.contains(&asset.path) && signed.contains("X-Amz-Expires"),
            "{name}"
        );
        assert!(
            outcome.assets[1..]
                .iter()
                .all(|asset| asset.temporary_url.is_none()),
            "{name}"
        );
        assert_eq!(
            (outcome.text, outcome.accounting.used_credit),
            (None, Some(125_034.0)),
            "{name}"
        );
    }
}

#[test]
fn every_captured_text_is_read_with_its_cost() {
    let code = done(
        Kind::CodeGenerator,
        &fixture("code-generator.response.json"),
    );
    assert_eq!(
        code.text.as_deref(),
        Some("```sh\nfind . -type f | wc -l\n```")
    );
    assert_eq!(code.accounting.credits, Some(33.0));
    let described = done(
        Kind::ImageToPrompt,
        &fixture("image-to-prompt.response.json"),
    );
    assert_eq!(described.text.unwrap().lines().count(), 4);
}

#[test]
fn a_job_is_at_work_done_failed_or_unknown() {
    let looked = |name: &str| read(Kind::ImageGenerator, &fixture(name));
    let id = "d9b6f3a0-4c1e-4d72-8b55-7e6f5a4d3c99".to_owned();
    assert_eq!(
        looked("async-submit.response.json").unwrap(),
        JobState::Working { id }
    );
    assert_eq!(
        looked("result-unknown.response.json").unwrap(),
        JobState::Unknown
    );
    assert!(matches!(
        looked("result-success.response.json"),
        Ok(JobState::Done(_))
    ));
    match looked("result-failure.response.json") {
        Err(Error::Refused(refusal)) => {
            assert_eq!(refusal.message, "The provider rejected the request.");
            assert_eq!(refusal.charged, Charged::Maybe);
        }
        other => panic!("{other:?}"),
    }
    for result in [json!(null), json!([]), json!({}), json!("")] {
        let body =
            record(&json!({"status": "Processing", "aiRecordDetail": {"resultObject": result}}));
        assert!(matches!(
            read(Kind::ImageGenerator, &body),
            Ok(JobState::Working { .. })
        ));
    }
    let lost = json!({"aiRecord": {"status": "PROCESSING"}}).to_string();
    assert!(matches!(
        read(Kind::ImageGenerator, lost.as_bytes()),
        Err(Error::Protocol(_))
    ));
}

#[test]
fn failures_inside_a_record_keep_their_kind() {
    for (name, kind) in [
        (
            "err-200-insufficient-credits-in-result.json",
            RefusalKind::InsufficientCredits,
        ),
        ("err-200-moderation-in-result.json", RefusalKind::Moderated),
    ] {
        match read(Kind::ImageGenerator, &fixture(name)) {
            Err(Error::Refused(refusal)) => assert_eq!(refusal.kind, kind, "{name}"),
            other => panic!("{name} {other:?}"),
        }
    }
    // Words where a file should be say why there is none.
    match read(
        Kind::ImageGenerator,
        &result(&json!(["Your prompt was flagged by the safety system."])),
    ) {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.kind, RefusalKind::Moderated),
        other => panic!("{other:?}"),
    }
    for empty in [json!([]), json!(null), json!([""]), json!({})] {
        match read(Kind::TextToSpeech, &result(&empty)) {
            Err(Error::Refused(refusal)) => {
                assert!(refusal.message.contains("no result"), "{refusal}");
            }
            other => panic!("{empty} {other:?}"),
        }
    }
}

#[test]
fn a_result_is_found_in_every_shape() {
    let paths = |body: &[u8]| {
        let assets = done(Kind::ImageGenerator, body).assets;
        assets
            .into_iter()
            .map(|asset| (asset.path, asset.temporary_url))
            .collect::<Vec<_>>()
    };
    let plain = |path: &str| (path.to_owned(), None);
    let signed = |path: &str, url: &str| (path.to_owned(), Some(url.to_owned()));
    let url = "https://s3/a.png?X=1";
    for (body, expected) in [
        (result(&json!("images/a.png")), vec![plain("images/a.png")]),
        (result(&json!(["images/a.png", "b.webp"])), vec![plain("images/a.png"), plain("b.webp")]),
        (result(&json!([["images/a.png"]])), vec![plain("images/a.png")]),
        (result(&json!([{"url": "https://h/a.png"}])), vec![plain("https://h/a.png")]),
        (result(&json!({"imageUrl": "images/a.png", "temporaryUrl": url})), vec![signed("images/a.png", url)]),
        (record(&json!({"temporaryUrl": url, "aiRecordDetail": {"resultObject": ["images/a.png"]}})), vec![signed("images/a.png", url)]),
        (record(&json!({"temporaryUrl": [url, "https://s3/b"], "aiRecordDetail": {"resultObject": ["a.png", "b.png"]}})), vec![signed("a.png", url), signed("b.png", "https://s3/b")]),
        (record(&json!({"aiRecordDetail": {"resultObject": [], "responseObject": {"url": "https://h/a.png"}}})), vec![plain("https://h/a.png")]),
        (json!({"temporaryUrl": url, "aiRecord": {"aiRecordDetail": {"resultObject": ["a.png"]}}}).to_string().into_bytes(), vec![signed("a.png", url)]),
        (json!({"resultList": [{"temporaryUrl": url}], "aiRecord": {"aiRecordDetail": {"resultObject": ["a.png"]}}}).to_string().into_bytes(), vec![signed("a.png", url)]),
        (json!({"status": "SUCCESS", "aiRecordDetail": {"resultObject": ["a.png"]}}).to_string().into_bytes(), vec![plain("a.png")]),
    ] {
        assert_eq!(paths(&body), expected, "{}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn a_silent_recording_is_a_result_and_code_that_is_empty_is_none() {
    assert_eq!(
        done(Kind::SpeechToText, &result(&json!([""])))
            .text
            .as_deref(),
        Some("")
    );
    assert!(read(Kind::SpeechToText, &result(&json!([]))).is_err());
    assert!(read(Kind::CodeGenerator, &result(&json!([""]))).is_err());
    let spoken = done(Kind::SpeechToText, &result(&json!(["images/a.png"])));
    assert_eq!(spoken.text.as_deref(), Some("images/a.png"));
}

#[test]
fn a_file_has_a_name_and_an_extension() {
    let asset = ResultAsset::of_path("https://h/x.y/Cat.PNG?sig=a.b");
    assert_eq!(
        (asset.file_name(), asset.extension().as_deref()),
        ("Cat.PNG", Some("png"))
    );
    assert_eq!(ResultAsset::of_path("images/cat").extension(), None);
    for (text, expected) in [
        ("images/a.png", true),
        ("a.mp3", true),
        ("https://h", true),
        ("sorry", false),
        ("No. Never.", false),
        ("", false),
    ] {
        assert_eq!(is_file(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(text in any::<String>(), inner in "[\\[\\]{}:,\"a-z/.0-9]{0,40}") {
        for kind in [Kind::ImageGenerator, Kind::SpeechToText] {
            let _ = read(kind, text.as_bytes());
            let body = format!(r#"{{"aiRecord":{{"uuid":"u","aiRecordDetail":{{"resultObject":{inner}}}}}}}"#);
            let _ = read(kind, body.as_bytes());
            let _ = read(kind, &result(&json!([text])));
        }
    }
}
