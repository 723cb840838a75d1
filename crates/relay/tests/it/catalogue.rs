//! More of the catalogue by routes that clients know: features that change an image by edits, music
//! by speech.

use http::Method;
use serde_json::{Value, json};

use crate::form::{FORM, Form, png};
use crate::rig::{AUTHORIZED, Answer, Rig};

const EDITS: &str = "/v1/images/edits";
const SPEECH: &str = "/v1/audio/speech";

fn rig() -> Rig {
    Rig::with(&["--job-poll=0.1"])
}

/// Features that upstream was asked for, with their models.
fn ordered(rig: &Rig) -> Vec<(String, String)> {
    let journal = rig.simulator.journal();
    let orders = journal.matching(|entry| entry.path == "/api/features");
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let orders = orders
        .iter()
        .map(|entry| (word(&entry.body["type"]), word(&entry.body["model"])));
    orders.collect()
}

async fn edit(rig: &Rig, form: Form) -> Answer {
    rig.jobs_are_done_at_once(1);
    let headers = [AUTHORIZED[0], ("content-type", FORM)];
    rig.send(Method::POST, EDITS, &headers, form.whole()).await
}

#[tokio::test]
async fn every_feature_that_changes_an_image_has_a_way_by_edits() {
    let rig = rig();
    let picture = &png(64, 64);
    let of = |model: &str| {
        Form::default()
            .text("model", model)
            .file("image", "a.png", picture)
    };
    let masked = |model: &str| of(model).file("mask", "m.png", picture);
    let rows = [
        (
            masked("gpt-image-1").text("prompt", "a hat"),
            "IMAGE_INPAINTER",
            "gpt-image-1",
        ),
        (
            masked("stable-image").text("prompt", "a hat"),
            "IMAGE_INPAINTER",
            "stable-image",
        ),
        (
            masked("stable-image"),
            "IMAGE_OBJECT_REMOVER",
            "stable-image",
        ),
        (of("stable-image-upscale"), "IMAGE_UPSCALER", "stable-image"),
        (
            of("stable-image").text("feature", "image_upscaler"),
            "IMAGE_UPSCALER",
            "stable-image",
        ),
        (
            of("stable-image-remove-background"),
            "BACKGROUND_REMOVER",
            "stable-image",
        ),
        (
            of("stable-image").text("left", "200"),
            "IMAGE_EXTENDER",
            "stable-image",
        ),
        (
            of("stable-image")
                .text("search_prompt", "cat")
                .text("prompt", "dog"),
            "SEARCH_AND_REPLACE",
            "stable-image",
        ),
        (
            of("clipdrop").text("prompt", "a beach"),
            "BACKGROUND_REPLACER",
            "clipdrop",
        ),
        (of("clipdrop-remove-text"), "TEXT_REMOVER", "clipdrop"),
    ];
    let mut expected = Vec::new();
    for (form, feature, model) in rows {
        let answer = edit(&rig, form).await;
        assert_eq!(answer.status, 200, "{feature}: {}", answer.text);
        assert!(answer.json()["data"][0].is_object(), "{feature}");
        expected.push((feature.to_owned(), model.to_owned()));
    }
    assert_eq!(ordered(&rig), expected);
    let unsure = edit(&rig, of("stable-image")).await;
    assert_eq!(
        (unsure.status, &unsure.json()["error"]["param"]),
        (400, &json!("feature"))
    );
    assert!(
        unsure.text.contains("background_remover"),
        "{}",
        unsure.text
    );
    assert_eq!(ordered(&rig).len(), expected.len());
}

#[tokio::test]
async fn music_is_a_job_that_speech_gives_as_bytes_and_chat_as_a_link() {
    let rig = rig();
    for (model, kind) in [("suno-ttapi", "audio/mpeg"), ("lyria-002", "audio/wav")] {
        let body = json!({"model": model, "input": "rain on a tin roof", "voice": "alloy", "instrumental": true});
        let answer = rig
            .open(Method::POST, SPEECH, &AUTHORIZED, body.to_string())
            .await;
        assert_eq!(answer.status(), 200, "{model}");
        assert_eq!(answer.headers()["content-type"], kind, "{model}");
        let ignored = answer.headers()["x-relay-ignored"].to_str().unwrap();
        assert!(ignored.contains("voice"), "{ignored}");
    }
    for stream in [false, true] {
        let chat = json!({"model": "suno-ttapi", "stream": stream,
            "messages": [{"role": "user", "content": "rain on a tin roof"}]});
        let answer = rig.chat(&chat).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.said().contains("audios/"), "{}", answer.text);
    }
    let orders = ordered(&rig);
    assert_eq!(orders.len(), 4);
    assert!(
        orders
            .iter()
            .all(|(feature, _)| feature == "MUSIC_GENERATOR"),
        "{orders:?}"
    );
    assert_eq!(rig.simulator.charges().len(), 4);
    let journal = rig.simulator.journal();
    let orders = journal.matching(|entry| entry.path == "/api/features");
    assert!(orders.iter().all(|entry| entry.body["async"] == true));
    let empty = json!({"model": "suno-ttapi", "input": " "});
    let empty = rig.post(SPEECH, &empty).await;
    assert_eq!(
        (empty.status, &empty.json()["error"]["param"]),
        (400, &json!("input"))
    );
    let broke = [("authorization", "Bearer broke"), AUTHORIZED[1]];
    let body = json!({"model": "suno-ttapi", "input": "rain"}).to_string();
    assert_eq!(
        rig.send(Method::POST, SPEECH, &broke, body).await.status,
        402
    );
    let failing = json!({"model": "suno-ttapi", "input": "rain [[sim {\"fault\": \"status-failure\", \"polls\": 2}]]"});
    let failed = rig.post(SPEECH, &failing).await;
    assert!(failed.status >= 400, "{}", failed.text);
}
