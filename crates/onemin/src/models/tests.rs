use std::path::Path;

use serde_json::{Value, json};

use super::{Feature, Model, builtin, usable};
use crate::Error;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/onemin")
            .join(name),
    )
    .unwrap()
}

fn ids(models: &[Model]) -> Vec<&str> {
    models.iter().map(|model| model.id.as_str()).collect()
}

fn one(entry: &Value) -> Option<Model> {
    let list = json!({"models": [entry]}).to_string();
    usable(list.as_bytes(), Feature::Chat)
        .ok()
        .map(|mut models| models.remove(0))
}

#[test]
fn the_captured_chat_list_gives_its_usable_models() {
    let list = fixture("models-chat.response.json");
    let models = usable(&list, Feature::Chat).unwrap();
    let entries: Value = serde_json::from_slice(&list).unwrap();
    let expected: Vec<&str> = entries["models"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["status"] == "ACTIVE" && entry["modelId"] != "NOT_APPLICABLE")
        .map(|entry| entry["modelId"].as_str().unwrap())
        .collect();
    assert!(
        expected.len() < entries["models"].as_array().unwrap().len(),
        "the fixture has entries to leave out"
    );
    assert_eq!(ids(&models), expected);
    let mini = &models[0];
    assert_eq!(
        (
            mini.id.as_str(),
            mini.name.as_str(),
            mini.provider.as_deref()
        ),
        ("gpt-4o-mini", "GPT-4o Mini - OpenAI", Some("openai"))
    );
    assert_eq!(
        (mini.context, mini.max_output, mini.sees_images()),
        (Some(128_000), Some(16_384), true)
    );
    assert_eq!(
        mini.outputs.as_deref(),
        Some(["text".to_owned()].as_slice())
    );
    assert_eq!(mini.credit_metadata["INPUT"].as_f64(), Some(0.15));
    let shown = models.iter().find(|model| model.id == "gpt-5").unwrap();
    assert_eq!(
        shown.deprecation_date.as_deref(),
        Some("2026-12-09T00:00:00.000Z")
    );
    assert!(
        !models
            .iter()
            .find(|model| model.id == "open-mistral-nemo")
            .unwrap()
            .sees_images()
    );
}

#[test]
fn a_disabled_model_is_left_out() {
    let models = usable(
        &fixture("models-image.response.json"),
        Feature::ImageGenerator,
    )
    .unwrap();
    assert_eq!(ids(&models), ["gpt-image-1-mini", "magic-art_7_0"]);
}

#[test]
fn an_empty_list_is_no_list() {
    assert!(usable(&fixture("models-no-feature.response.json"), Feature::Chat).is_err());
    for body in [
        "{}",
        "null",
        "<html>",
        r#"{"models":{}}"#,
        r#"{"models":[{"modelId":"a","status":"DISABLED"}]}"#,
    ] {
        assert!(
            matches!(
                usable(body.as_bytes(), Feature::Chat),
                Err(Error::Protocol(_))
            ),
            "{body}"
        );
    }
    let refused = usable(br#"{"errorCode":"X","message":"no"}"#, Feature::Chat);
    assert!(matches!(refused, Err(Error::Refused(_))));
}

#[test]
fn odd_entries_never_lose_the_others() {
    let list = json!({"models": [
        null, 5, "text", [], {}, {"modelId": 5}, {"modelId": ""}, {"modelId": "other", "features": ["IMAGE_GENERATOR"]},
        {"modelId": "a", "features": "odd", "modality": "odd", "creditMetadata": [1], "deprecationDate": {}, "name": null},
        {"modelId": "a", "name": "again"},
        {"modelId": "b", "status": "active", "modality": null, "creditMetadata": {"CONTEXT": "128000", "MAX_OUTPUT_TOKEN": 1.5e3}},
    ]});
    let models = usable(list.to_string().as_bytes(), Feature::Chat).unwrap();
    assert_eq!(ids(&models), ["a", "b"]);
    assert_eq!(
        (
            models[0].name.as_str(),
            models[0].context,
            models[0].sees_images()
        ),
        ("a", None, false)
    );
    assert_eq!(
        (models[1].context, models[1].max_output),
        (Some(128_000), Some(1500))
    );
    assert_eq!(
        ids(&usable(b"[{\"modelId\":\"bare\"}]", Feature::Chat).unwrap()),
        ["bare"]
    );
}

#[test]
fn who_sees_pictures_is_said_by_modality_and_else_by_the_old_feature() {
    for (entry, sees) in [
        (json!({"modality": {"INPUT": ["text", "image"]}}), true),
        (json!({"modality": {"INPUT": ["TEXT", "IMAGE"]}}), true),
        (
            json!({"modality": {"INPUT": ["text"]}, "features": ["UNIFY_CHAT_WITH_AI", "CHAT_WITH_IMAGE"]}),
            false,
        ),
        (
            json!({"modality": null, "features": ["UNIFY_CHAT_WITH_AI", "CHAT_WITH_IMAGE"]}),
            true,
        ),
        (json!({"modality": {}}), false),
    ] {
        let mut entry = entry;
        entry["modelId"] = json!("m");
        assert_eq!(one(&entry).unwrap().sees_images(), sees, "{entry}");
    }
}

#[test]
fn the_built_in_list_has_models_for_every_feature_and_only_known_ones() {
    let known = String::from_utf8(fixture("models.tsv")).unwrap();
    let rows: Vec<(&str, &str)> = known
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    for feature in Feature::ALL {
        let models = builtin(feature);
        assert!(!models.is_empty(), "{feature:?}");
        for model in models {
            let row = rows
                .iter()
                .find(|(id, rest)| *id == model.id && !rest.contains("-retired"));
            assert!(row.is_some(), "{} is not among the known models", model.id);
        }
    }
    let chat = builtin(Feature::Chat);
    assert!(chat.len() > 90);
    assert!(
        chat.iter()
            .find(|model| model.id == "gpt-4o-mini")
            .unwrap()
            .sees_images()
    );
    assert!(!chat.iter().any(|model| model.id == "NOT_APPLICABLE"));
}
