//! Media and code: requests of the fixtures are answered as the fixtures show, wrong ones refused.

use serde_json::{Value, json};
use simulator::Simulator;

use crate::client::{Call, feature, send, start, text_of, uploaded};
use crate::contract::{assert_same_error, assert_shape, fixture, fixture_json};

/// Requests of the fixtures, and what they are answered with.
const ANSWERED: &[(&str, &str)] = &[
    (
        "image-gpt-image-1-mini.request.json",
        "image-gpt-image-1-mini.response.json",
    ),
    (
        "image-gpt-image-2.request.json",
        "image-multi.response.json",
    ),
    (
        "image-magic-art-7.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-variator-magic-art.request.json",
        "image-variator-magic-art.response.json",
    ),
    (
        "image-to-prompt.request.json",
        "image-to-prompt.response.json",
    ),
    ("stt-whisper.request.json", "stt-whisper.response.json"),
    (
        "translate-whisper.request.json",
        "translate-whisper.response.json",
    ),
    ("tts-openai.request.json", "tts-openai.response.json"),
    ("tts-qwen3.request.json", "tts-qwen3.response.json"),
    (
        "code-generator.request.json",
        "code-generator.response.json",
    ),
    (
        "image-dzine.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-editor-flux-2-flex.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-editor-gemini.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-editor-qwen.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-flux-1.1-pro.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-flux-2-pro.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-flux-dev.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-gemini-3.1-flash-image.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-grok-imagine.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-ideogram-3.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-leonardo-phoenix.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-qwen-image-plus.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-recraft.request.json",
        "image-magic-art-7.response.json",
    ),
    ("image-sdxl.request.json", "image-magic-art-7.response.json"),
    (
        "image-stable-image-core.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-stable-image-ultra.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-variator-clipdrop.request.json",
        "image-magic-art-7.response.json",
    ),
    (
        "image-variator-flux-redux.request.json",
        "image-magic-art-7.response.json",
    ),
    ("stt-elevenlabs.request.json", "stt-whisper.response.json"),
    ("stt-google.request.json", "stt-whisper.response.json"),
    ("stt-qwen3-asr.request.json", "stt-whisper.response.json"),
    (
        "translate-gemini.request.json",
        "translate-whisper.response.json",
    ),
    ("tts-elevenlabs.request.json", "tts-openai.response.json"),
    ("tts-google.request.json", "tts-openai.response.json"),
];

/// Puts keys of files that exist in the place of the fixtures' keys.
struct Files {
    image: String,
    sound: String,
}

impl Files {
    async fn upload(sim: &Simulator) -> Self {
        Self {
            image: uploaded(sim, "cat.png", "image/png", b"an image").await,
            sound: uploaded(sim, "note.mp3", "audio/mpeg", &vec![0; 32_000]).await,
        }
    }

    fn placed(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if text.starts_with("images/") => json!(self.image),
            Value::String(text) if text.starts_with("audios/") => json!(self.sound),
            Value::Array(items) => items.iter().map(|item| self.placed(item)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), self.placed(value)))
                .collect(),
            other => other.clone(),
        }
    }
}

/// A record without what the fixtures show only here and there.
fn comparable(mut record: Value) -> Value {
    let fields = record["aiRecord"].as_object_mut().expect("a record");
    for name in ["modelDetail", "conversationId", "metadata"] {
        fields.remove(name);
    }
    fields["aiRecordDetail"]["promptObject"] = json!({});
    record
}

#[tokio::test]
async fn the_fixtures_requests_are_answered_in_the_fixtures_shape() {
    let sim = start();
    let files = Files::upload(&sim).await;
    for (request, response) in ANSWERED {
        let body = files.placed(&fixture_json(request));
        let reply = feature(&sim, &body).await;
        assert_eq!(reply.status, 200, "{request}: {}", reply.text());
        let record = reply.json();
        assert_shape(
            &comparable(record.clone()),
            &comparable(fixture_json(response)),
            request,
        );
        let detail = &record["aiRecord"]["aiRecordDetail"];
        assert_eq!(detail["promptObject"], body["promptObject"], "{request}");
        for name in ["type", "model"] {
            assert_eq!(record["aiRecord"][name], body[name], "{request}");
        }
        assert_eq!(
            record["aiRecord"]["conversationId"], body["conversationId"],
            "{request}"
        );
    }
    let metadata = |record: Value| record["aiRecord"]["metadata"].clone();
    let mini = feature(&sim, &fixture_json("image-gpt-image-1-mini.request.json"))
        .await
        .json();
    assert_eq!(
        metadata(mini),
        metadata(fixture_json("image-gpt-image-1-mini.response.json"))
    );
    let code = feature(&sim, &fixture_json("code-generator.request.json"))
        .await
        .json();
    assert_shape(
        &metadata(code),
        &metadata(fixture_json("code-generator.response.json")),
        "code",
    );
}

#[tokio::test]
async fn every_other_picture_feature_takes_its_request() {
    let sim = start();
    let files = Files::upload(&sim).await;
    let requests = fixture_json("image-other-features.requests.json");
    for body in requests.as_array().expect("a list") {
        let reply = feature(&sim, &files.placed(body)).await;
        assert_eq!(reply.status, 200, "{body}: {}", reply.text());
        let key = text_of(&reply.json()).to_owned();
        assert!(key.starts_with("images/") && key.contains(".png"), "{key}");
        let mut short = files.placed(body);
        let fields = short["promptObject"].as_object_mut().expect("fields");
        fields.retain(|name, _| !name.ends_with("mageUrl"));
        let refused = feature(&sim, &short).await;
        assert_eq!(
            refused.json()["errorCode"],
            "MISSING_REQUIRED_FIELDS",
            "{body}"
        );
    }
}

#[tokio::test]
async fn the_number_of_pictures_is_the_wanted_one_and_only_the_first_is_signed() {
    let sim = start();
    for (name, count) in [("image-multi", 2), ("image-magic-art-7", 4)] {
        let request = if name == "image-multi" {
            "image-gpt-image-2"
        } else {
            name
        };
        let record = feature(&sim, &fixture_json(&format!("{request}.request.json")))
            .await
            .json();
        let keys = record["aiRecord"]["aiRecordDetail"]["resultObject"].clone();
        let keys = keys.as_array().expect("keys");
        assert_eq!(keys.len(), count);
        let url = record["aiRecord"]["temporaryUrl"].as_str().expect("a link");
        assert!(url.contains(keys[0].as_str().expect("a key")));
    }
}

#[tokio::test]
async fn a_job_is_in_work_until_it_is_asked_often_enough() {
    let sim = start();
    let files = Files::upload(&sim).await;
    sim.script(json!({"endpoint": "features", "polls": 3}))
        .expect("a script");
    let body = files.placed(&fixture_json("image-editor-gpt-image-1.request.json"));
    let submitted = feature(&sim, &body).await.json();
    let in_work = fixture_json("async-submit.response.json");
    assert_shape(
        &comparable(submitted.clone()),
        &comparable(in_work),
        "submitted",
    );
    let uuid = submitted["aiRecord"]["uuid"]
        .as_str()
        .expect("an id")
        .to_owned();
    let mut seen = Vec::new();
    let mut last = Value::Null;
    for _ in 0..4 {
        last = send(&sim, &format!("GET /api/results/{uuid}"), "")
            .await
            .json();
        seen.push(
            last["aiRecord"]["status"]
                .as_str()
                .expect("a status")
                .to_owned(),
        );
    }
    assert_eq!(seen, ["PROCESSING", "PROCESSING", "SUCCESS", "SUCCESS"]);
    let done = fixture_json("image-editor-gpt-image-1.response.json");
    assert_shape(&comparable(last), &comparable(done), "done");
}

#[tokio::test]
async fn results_can_fail_be_unknown_or_refused() {
    let sim = start();
    let mut body = fixture_json("image-gpt-image-1-mini.request.json");
    body["async"] = json!(true);
    sim.script(json!({"endpoint": "features", "fault": "status-failure"}))
        .expect("a script");
    let uuid = feature(&sim, &body).await.json()["aiRecord"]["uuid"].clone();
    let path = format!("GET /api/results/{}", uuid.as_str().expect("an id"));
    let failed = send(&sim, &path, "").await.json();
    assert_eq!(failed["aiRecord"]["status"], "FAILURE");
    assert_shape(
        &comparable(failed),
        &comparable(fixture_json("result-failure.response.json")),
        "failed",
    );
    let unknown = send(&sim, "GET /api/results/nobody", "").await;
    assert_eq!(
        (unknown.status, unknown.json()),
        (200, fixture_json("result-unknown.response.json"))
    );
    let call = Call::send(&sim, &path, &[("API-KEY", "deleted")], b"").await;
    assert_eq!(call.reply().await.expect("an answer").status, 401);
    sim.add_faults(json!({"fault": "http-502", "endpoint": "results", "times": 1}))
        .expect("a fault");
    assert_eq!(send(&sim, &path, "").await.status, 502);
    assert_eq!(send(&sim, &path, "").await.status, 200);
}

#[tokio::test]
async fn what_upstream_refuses_is_refused_in_its_words() {
    let sim = start();
    let with = |name: &str, field: &str, value: Value| {
        let mut body = fixture_json(name);
        body["promptObject"][field] = value;
        body
    };
    let cases = [
        (
            fixture_json("image-flux-schnell-disabled.request.json"),
            "err-400-unsupported-model-feature.json",
        ),
        (
            with(
                "image-gpt-image-1-mini.request.json",
                "quality",
                Value::Null,
            ),
            "err-400-missing-required-fields.json",
        ),
        (
            with(
                "image-qwen-image-plus.request.json",
                "size",
                json!("1024*1024"),
            ),
            "err-400-external-qwen-size.json",
        ),
        (
            with("image-sdxl.request.json", "size", json!("512x512")),
            "err-400-external-sdxl-size.json",
        ),
        (json!([]), "err-400-invalid-request.json"),
    ];
    for (body, name) in cases {
        let reply = feature(&sim, &body).await;
        assert_eq!(reply.status, 400, "{name}");
        assert_same_error(&reply, name);
    }
    let broke = Call::send(
        &sim,
        "POST /api/features",
        &[("API-KEY", "broke")],
        fixture("tts-openai.request.json").as_bytes(),
    )
    .await;
    let broke = broke.reply().await.expect("an answer");
    assert_eq!(broke.status, 406);
    assert_same_error(&broke, "err-406-insufficient-credits.json");
}

/// A request of the fixtures, a field and a value that it must not have, as JSON, and the code of the
/// refusal. `images/` and `audios/` stand for files that exist.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    (
        "image-gpt-image-2",
        "size",
        r#""1000x1000""#,
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "image-gpt-image-2",
        "size",
        "null",
        "MISSING_REQUIRED_FIELDS",
    ),
    (
        "image-gpt-image-1-mini",
        "size",
        r#""auto""#,
        "OPEN_AI_UNEXPECTED_ERROR",
    ),
    (
        "image-gpt-image-1-mini",
        "n",
        "11",
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "image-gpt-image-1-mini",
        "n",
        r#""1""#,
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "image-gpt-image-1-mini",
        "prompt",
        r#""""#,
        "MISSING_REQUIRED_FIELDS",
    ),
    (
        "image-gemini-3.1-flash-image",
        "imageSize",
        r#""8K""#,
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "image-ideogram-3",
        "resolution",
        r#""1024x1024""#,
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "image-leonardo-phoenix",
        "n",
        "null",
        "MISSING_REQUIRED_FIELDS",
    ),
    (
        "image-flux-2-pro",
        "steps",
        "6",
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "image-variator-clipdrop",
        "imageUrl",
        r#""images/none.png""#,
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "image-variator-clipdrop",
        "imageUrl",
        r#""audios/""#,
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "stt-whisper",
        "response_format",
        "null",
        "MISSING_REQUIRED_FIELDS",
    ),
    (
        "stt-whisper",
        "audioUrl",
        r#""https://example.org/a.mp3""#,
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "stt-whisper",
        "audioUrl",
        r#""images/""#,
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "translate-gemini",
        "targetLanguage",
        "null",
        "MISSING_REQUIRED_FIELDS",
    ),
    (
        "tts-openai",
        "voice",
        r#""nobody""#,
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "tts-openai",
        "speed",
        "5",
        "EXTERNAL_API_RESPONSE_WITH_ERROR",
    ),
    (
        "tts-openai",
        "response_format",
        r#""ogg""#,
        "OPEN_AI_UNEXPECTED_ERROR",
    ),
];

#[tokio::test]
async fn values_that_are_not_documented_are_refused() {
    let sim = start();
    let files = Files::upload(&sim).await;
    for (name, field, value, code) in REFUSED {
        let mut body = files.placed(&fixture_json(&format!("{name}.request.json")));
        body["promptObject"][field] = match *value {
            r#""images/""# => json!(files.image),
            r#""audios/""# => json!(files.sound),
            json => serde_json::from_str(json).expect("JSON"),
        };
        let reply = feature(&sim, &body).await;
        assert_eq!(
            (reply.status, &reply.json()["errorCode"]),
            (400, &json!(code)),
            "{name} {field} {value}"
        );
    }
}

#[tokio::test]
async fn a_request_without_its_outer_fields_or_with_too_long_a_text_is_refused() {
    let sim = start();
    let mut long = fixture_json("tts-openai.request.json");
    for (length, status) in [(4096, 200), (4097, 400)] {
        long["promptObject"]["text"] = json!("ä".repeat(length));
        assert_eq!(feature(&sim, &long).await.status, status, "{length}");
    }
    for (body, code) in [
        (
            json!({"type": "IMAGE_GENERATOR"}),
            "REQUEST_BODY_VALIDATION_FAILED",
        ),
        (json!({"model": "tts-1"}), "REQUEST_BODY_VALIDATION_FAILED"),
        (
            json!({"type": "NO_FEATURE", "model": "tts-1"}),
            "UNKNOWN_ERROR",
        ),
        (
            json!({"type": "TEXT_TO_SPEECH", "model": "whisper-1", "promptObject": {}}),
            "UNSUPPORTED_MODEL",
        ),
    ] {
        assert_eq!(
            feature(&sim, &body).await.json()["errorCode"],
            code,
            "{body}"
        );
    }
    let bare = feature(&sim, &json!({"type": "TEXT_TO_SPEECH", "model": "tts-1"})).await;
    assert_eq!(bare.status, 422);
}

#[tokio::test]
async fn a_file_that_is_too_large_for_the_model_is_refused() {
    let sim = start();
    let key = uploaded(&sim, "long.mp3", "audio/mpeg", &vec![0; 11 * 1024 * 1024]).await;
    let ask = |model: &str| json!({"type": "SPEECH_TO_TEXT", "model": model, "promptObject": {"audioUrl": key, "response_format": "text"}});
    assert_eq!(feature(&sim, &ask("qwen3-asr-flash")).await.status, 400);
    assert_eq!(feature(&sim, &ask("whisper-1")).await.status, 200);
}

#[tokio::test]
async fn a_transcript_tells_the_file_and_comes_in_the_format_asked_for() {
    let sim = start();
    let key = uploaded(&sim, "note.wav", "audio/wav", &wav(3)).await;
    let ask = |format: &str| json!({"type": "SPEECH_TO_TEXT", "model": "whisper-1", "promptObject": {"audioUrl": key, "response_format": format}});
    let told = "This is the simulator's transcript of note.wav (audio/wav, 48044 bytes).";
    let said = feature(&sim, &ask("text")).await.json();
    assert_eq!(text_of(&said), told);
    sim.script(json!({"endpoint": "features", "reply": "Water the plants.", "times": 0}))
        .expect("a script");
    let cases = [
        ("text", "Water the plants.".to_owned()),
        ("srt", "1\n00:00:00,000 --> 00:00:03,000\nWater the plants.\n\n".to_owned()),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:03.000\nWater the plants.\n\n".to_owned()),
        ("json", json!({"text": "Water the plants."}).to_string()),
        ("verbose_json", json!({"task": "transcribe", "language": "english", "duration": 3.0, "text": "Water the plants.", "segments": []}).to_string()),
    ];
    for (format, expected) in cases {
        assert_eq!(
            text_of(&feature(&sim, &ask(format)).await.json()),
            expected,
            "{format}"
        );
    }
    sim.set_faults(json!({"fault": "string-result", "endpoint": "features"}))
        .expect("a fault");
    let bare = feature(&sim, &ask("text")).await.json();
    assert_eq!(
        bare["aiRecord"]["aiRecordDetail"]["resultObject"],
        "Water the plants."
    );
}

/// Silence of so many seconds: 8000 samples each, of 16 bits.
fn wav(seconds: u32) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend(8000_u32.to_le_bytes());
    file.extend(16_000_u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend((16_000 * seconds).to_le_bytes());
    file.resize(44 + 16_000 * seconds as usize, 0);
    file
}

#[tokio::test]
async fn a_translation_says_into_which_language() {
    let sim = start();
    let files = Files::upload(&sim).await;
    let body = files.placed(&fixture_json("translate-gemini.request.json"));
    let said = feature(&sim, &body).await.json();
    assert!(text_of(&said).starts_with("This is the simulator's translation into en of note.mp3"));
}

#[tokio::test]
async fn directives_in_prompts_and_texts_are_heeded() {
    let sim = start();
    let mut body = fixture_json("code-generator.request.json");
    body["promptObject"]["prompt"] = json!("[[sim {\"reply\":\"print(1)\"}]]");
    assert_eq!(text_of(&feature(&sim, &body).await.json()), "print(1)");
    let mut speech = fixture_json("tts-openai.request.json");
    speech["promptObject"]["text"] =
        json!("Hi [[sim {\"fault\":\"rate-limited\",\"retry_after\":7}]]");
    let limited = feature(&sim, &speech).await;
    assert_eq!(
        (limited.status, limited.headers["retry-after"].as_str()),
        (429, "7")
    );
    speech["promptObject"]["text"] = json!("[[sim {\"fault\":\"nothing\"}]]");
    assert_eq!(
        feature(&sim, &speech).await.json()["errorCode"],
        "SIMULATOR_DIRECTIVE"
    );
}

#[tokio::test]
async fn a_script_for_chat_is_not_used_up_by_a_feature() {
    let sim = start();
    sim.script(json!({"reply": "for chat"})).expect("a script");
    let code = feature(&sim, &fixture_json("code-generator.request.json"))
        .await
        .json();
    assert!(text_of(&code).contains("Write a shell one-liner"));
    assert_eq!(
        text_of(&crate::client::chat(&sim, false, "hi").await.json()),
        "for chat"
    );
}

#[tokio::test]
async fn records_of_features_fail_as_those_of_chat_do() {
    let sim = start();
    let body = fixture_json("image-gpt-image-1-mini.request.json");
    let result = |record: &Value| record["aiRecord"]["aiRecordDetail"]["resultObject"].clone();
    for (fault, status, code) in [
        ("credits-in-result", "FAILURE", Some("INSUFFICIENT_CREDITS")),
        (
            "moderation-in-result",
            "FAILURE",
            Some("CONTENT_MODERATION"),
        ),
        ("status-failure", "FAILURE", None),
        ("status-failed", "FAILED", None),
        ("empty-text", "SUCCESS", None),
    ] {
        sim.set_faults(json!({"fault": fault, "endpoint": "features"}))
            .expect("a fault");
        let record = feature(&sim, &body).await.json();
        assert_eq!(record["aiRecord"]["status"], status, "{fault}");
        match code {
            Some(code) => assert_eq!(result(&record)["code"], code, "{fault}"),
            None => assert_eq!(result(&record), json!([]), "{fault}"),
        }
        assert!(record["aiRecord"].get("temporaryUrl").is_none(), "{fault}");
    }
    for (fault, expected) in [("no-metadata", None), ("null-metadata", Some(Value::Null))] {
        sim.set_faults(json!({"fault": fault, "endpoint": "features"}))
            .expect("a fault");
        let record = feature(&sim, &body).await.json();
        assert_eq!(
            record["aiRecord"].get("metadata").cloned(),
            expected,
            "{fault}"
        );
    }
    sim.set_faults(json!({"fault": "success-false", "endpoint": "features"}))
        .expect("a fault");
    assert_eq!(feature(&sim, &body).await.json()["success"], false);
    sim.set_faults(json!({"fault": "cut", "endpoint": "features"}))
        .expect("a fault");
    assert!(!feature(&sim, &body).await.complete);
    sim.set_faults(json!({"status": 409, "fault": "message-only", "message": "The aspect ratio conflicts with the source image", "endpoint": "features"})).expect("a fault");
    assert_same_error(&feature(&sim, &body).await, "err-409-message-only.json");
    sim.set_faults(json!({"status": 400, "code": "OPEN_AI_UNEXPECTED_ERROR", "message": "OpenAI is busy", "endpoint": "features"})).expect("a fault");
    assert_same_error(
        &feature(&sim, &body).await,
        "err-400-openai-unexpected.json",
    );
}

#[tokio::test]
async fn the_journal_has_feature_model_and_payload() {
    let sim = start();
    let body = fixture_json("tts-qwen3.request.json");
    feature(&sim, &body).await;
    let entry = sim.journal().entries().pop().expect("an entry");
    assert_eq!(
        (entry.feature(), entry.model()),
        (Some("TEXT_TO_SPEECH"), Some("qwen3-tts-flash"))
    );
    assert_eq!(entry.body, body);
}

#[tokio::test]
async fn styles_are_listed() {
    let sim = start();
    for (path, name) in [
        ("/api/dzine/styles", "dzine-styles.response.json"),
        (
            "/api/recraft/styles?taskType=recraftv3",
            "recraft-styles.response.json",
        ),
    ] {
        assert_eq!(
            send(&sim, &format!("GET {path}"), "").await.json(),
            fixture_json(name)
        );
        let call = Call::send(&sim, &format!("GET {path}"), &[("API-KEY", "unknown")], b"").await;
        assert_eq!(call.reply().await.expect("an answer").status, 401);
    }
}
