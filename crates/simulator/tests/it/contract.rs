//! Every answer has the shape of its fixture: the same keys, recursively, and the same kinds of
//! values.

use std::path::Path;

use serde_json::{Value, json};

use crate::client::{Call, KEY, Reply, chat, chat_body, send, start, text_of, upload};

pub(crate) fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/onemin");
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn fixture_json(name: &str) -> Value {
    serde_json::from_str(&fixture(name)).expect("JSON")
}

/// Panics where the shapes differ. Values may differ; null in the fixture stands for any scalar.
#[track_caller]
pub(crate) fn assert_shape(ours: &Value, fixture: &Value, at: &str) {
    match (ours, fixture) {
        (Value::Object(ours), Value::Object(fixture)) => {
            let mut names: Vec<_> = ours.keys().collect();
            let mut expected: Vec<_> = fixture.keys().collect();
            names.sort();
            expected.sort();
            assert_eq!(names, expected, "keys at {at}");
            for (name, value) in ours {
                assert_shape(value, &fixture[name], &format!("{at}/{name}"));
            }
        }
        (Value::Array(ours), Value::Array(fixture)) => {
            for (value, like) in ours.iter().zip(fixture.iter().cycle()) {
                assert_shape(value, like, &format!("{at}[]"));
            }
        }
        (ours, fixture) => {
            let same = std::mem::discriminant(ours) == std::mem::discriminant(fixture);
            assert!(same, "{at}: {ours} for {fixture}");
        }
    }
}

/// The same JSON, details within strings compared as JSON.
#[track_caller]
pub(crate) fn assert_same_error(reply: &Reply, name: &str) {
    let unfold = |mut body: Value| {
        if let Some(inner) = body["details"]
            .as_str()
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
        {
            body["details"] = json!([inner]);
        }
        body
    };
    assert_eq!(unfold(reply.json()), unfold(fixture_json(name)), "{name}");
}

#[tokio::test]
async fn chat_answers_like_the_fixture() {
    let sim = start();
    let reply = send(
        &sim,
        "POST /api/chat-with-ai",
        &fixture("chat-minimal.request.json"),
    )
    .await;
    assert_eq!((reply.status, reply.complete), (200, true));
    assert_eq!(
        reply.headers["content-type"],
        "application/json; charset=utf-8"
    );
    assert_shape(
        &reply.json(),
        &fixture_json("chat-minimal.response.json"),
        "",
    );
    assert!(
        text_of(&reply.json()).starts_with("You said: \"Name the largest planet in one word.\"")
    );
}

#[tokio::test]
async fn metadata_adds_up() {
    let sim = start();
    let metadata = chat(&sim, false, "12345678").await.json()["aiRecord"]["metadata"].clone();
    let count = |name: &str| metadata[name].as_u64().expect("a number");
    assert_eq!((count("promptToken"), count("inputToken")), (2, 89));
    assert_eq!(
        count("totalToken"),
        count("inputToken") + count("outputToken")
    );
    assert_eq!(
        count("credit"),
        count("inputCredit") + count("outputCredit")
    );
}

#[tokio::test]
async fn used_credit_lags_one_request_behind() {
    let sim = start();
    let first = chat(&sim, false, "a").await.json();
    let second = chat(&sim, false, "b").await.json();
    let used = |record: &Value| {
        record["aiRecord"]["teamUser"]["usedCredit"]
            .as_u64()
            .expect("a number")
    };
    let credit = first["aiRecord"]["metadata"]["credit"]
        .as_u64()
        .expect("a number");
    assert_eq!(used(&second), used(&first) + credit);
}

#[tokio::test]
async fn a_stream_has_the_events_of_the_fixture() {
    let sim = start();
    let body = fixture("chat-stream.request.json");
    let reply = send(&sim, "POST /api/chat-with-ai?isStreaming=true", &body).await;
    assert_eq!((reply.status, reply.complete), (200, true));
    assert_eq!(reply.headers["content-type"], "text/event-stream");
    assert_eq!(reply.outline(), ["content", "result", "done"]);
    let events = reply.events();
    assert_eq!(events[0].1, r#"{"content":""}"#);
    assert_eq!(
        events.last().expect("events").1,
        r#"{"message":"Stream completed"}"#
    );
    assert_shape(
        &reply.result(),
        &fixture_json("chat-minimal.response.json"),
        "",
    );
    assert_eq!(reply.deltas().concat(), text_of(&reply.result()));
    assert!(reply.deltas().len() > 10);
}

#[tokio::test]
async fn a_scripted_stream_is_the_fixture_byte_for_byte_up_to_the_result() {
    let sim = start();
    let scripted = r#"[[sim {"deltas":["","Jup","iter"]}]]"#;
    let ours = chat(&sim, true, scripted).await.text();
    let (before, _) = fixture("chat-stream.sse")
        .split_once("event: result")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a result");
    assert_eq!(ours.split("event: result").next(), Some(before.as_str()));
    assert!(ours.ends_with("}\n\nevent: done\ndata: {\"message\":\"Stream completed\"}\n\n"));
}

#[tokio::test]
async fn the_prompt_object_is_echoed_with_the_two_lists() {
    let sim = start();
    let body = fixture_json("chat-all-options.request.json");
    for streaming in [false, true] {
        // Written over several lines, as no event could carry it.
        let pretty = serde_json::to_string_pretty(&body).expect("JSON");
        let head = if streaming {
            "POST /api/chat-with-ai?isStreaming=true"
        } else {
            "POST /api/chat-with-ai"
        };
        let reply = send(&sim, head, &pretty).await;
        let record = if streaming {
            reply.result()
        } else {
            reply.json()
        };
        let mut expected = body["promptObject"].clone();
        expected["linkContentList"] = json!([]);
        let mut echo = record["aiRecord"]["aiRecordDetail"]["promptObject"].clone();
        let sites = echo
            .as_object_mut()
            .expect("an object")
            .remove("searchContentList")
            .expect("a list");
        assert_eq!(echo, expected);
        assert_eq!(sites.as_array().map(Vec::len), Some(3));
        assert_shape(&sites, &json!([{"url": "", "content": ""}]), "sites");
        assert_eq!(
            record["aiRecord"]["conversationId"],
            body["promptObject"]["conversationId"]
        );
    }
}

#[tokio::test]
async fn every_chat_request_of_the_fixtures_is_answered() {
    let sim = start();
    for name in [
        "chat-minimal",
        "chat-all-options",
        "chat-image",
        "chat-file",
        "chat-websearch",
        "chat-type-CHAT",
    ] {
        let body = fixture_json(&format!("{name}.request.json"));
        let reply = chat_body(&sim, false, &body).await;
        assert_eq!(reply.status, 200, "{name}");
        assert_eq!(reply.json()["aiRecord"]["type"], body["type"], "{name}");
    }
}

#[tokio::test]
async fn keys_are_judged_by_their_name_and_by_the_header_api_key_only() {
    let sim = start();
    let cases = [
        ("API-KEY", "unknown-1", 401, "err-401-unknown-key.json"),
        ("API-KEY", "invalid-1", 401, "err-401-unknown-key.json"),
        (
            "Authorization",
            "Bearer good",
            401,
            "err-401-unknown-key.json",
        ),
        ("API-KEY", "inactive-1", 401, "err-401-key-inactive.json"),
        ("API-KEY", "deleted-1", 401, "err-401-key-deleted.json"),
        (
            "API-KEY",
            "broke-1",
            406,
            "err-406-insufficient-credits.json",
        ),
    ];
    for head in [
        "POST /api/chat-with-ai",
        "POST /api/chat-with-ai?isStreaming=true",
    ] {
        for (header, key, status, name) in cases {
            let body = fixture("chat-minimal.request.json");
            let reply = Call::send(&sim, head, &[(header, key)], body.as_bytes())
                .await
                .reply()
                .await
                .expect("an answer");
            assert_eq!(reply.status, status, "{key}");
            assert_same_error(&reply, name);
        }
    }
}

#[tokio::test]
async fn models_that_do_not_answer_are_refused_by_status_or_by_an_event() {
    let sim = start();
    for model in [
        "no-such-model",
        "retired-sample",
        "NOT_APPLICABLE",
        "gpt-image-1",
    ] {
        let body =
            json!({"type": "UNIFY_CHAT_WITH_AI", "model": model, "promptObject": {"prompt": "x"}});
        let refused = chat_body(&sim, false, &body).await;
        assert_eq!(refused.status, 400, "{model}");
        let streamed = chat_body(&sim, true, &body).await;
        assert_eq!((streamed.status, streamed.complete), (200, true));
        if model == "no-such-model" {
            assert_same_error(&refused, "err-400-unsupported-model.json");
            assert_eq!(streamed.text(), fixture("chat-stream-error-model.sse"));
        }
    }
}

#[tokio::test]
async fn wrong_bodies_are_refused_in_upstreams_shapes() {
    let sim = start();
    let model = "gpt-4o-mini";
    let cases = [
        (json!({"model": model}), 422, "err-422-prompt-object.json"),
        (
            json!({"model": model, "promptObject": {}}),
            422,
            "err-422-prompt-object.json",
        ),
        (
            json!({"model": model, "promptObject": {"prompt": 7}}),
            422,
            "err-422-prompt-object.json",
        ),
        (
            json!({"model": model, "promptObject": {"messages": [{"role": "user", "content": "x"}]}}),
            422,
            "err-422-prompt-object.json",
        ),
        (
            json!({"model": model, "messages": [{"role": "user", "content": "x"}]}),
            422,
            "err-422-prompt-object.json",
        ),
        (
            json!({"promptObject": {"prompt": "x"}}),
            400,
            "err-400-body-validation.json",
        ),
        (json!([]), 400, "err-400-invalid-request.json"),
    ];
    for (body, status, name) in cases {
        let reply = chat_body(&sim, false, &body).await;
        assert_eq!(reply.status, status, "{body}");
        assert_same_error(&reply, name);
    }
    sim.set_faults(json!({"fault": "flat-errors"}))
        .expect("a fault");
    let flat = chat_body(&sim, false, &json!({"model": model})).await;
    assert_eq!(flat.status, 400);
    assert_same_error(&flat, "err-400-prompt-object-live-style.json");
}

#[tokio::test]
async fn an_empty_prompt_is_greeted() {
    let sim = start();
    let reply = chat(&sim, false, "").await;
    assert_eq!(
        (reply.status, text_of(&reply.json())),
        (200, "Hello! How can I help you today?")
    );
}

#[tokio::test]
async fn chat_on_the_features_endpoint_is_withdrawn() {
    let sim = start();
    let reply = send(
        &sim,
        "POST /api/features",
        &fixture("legacy-chat-features.request.json"),
    )
    .await;
    assert_eq!(reply.status, 400);
    assert_same_error(&reply, "legacy-chat-features.response-400.json");
}

#[tokio::test]
async fn model_lists_look_like_the_fixtures_and_need_no_key() {
    let sim = start();
    for (query, name) in [
        ("?feature=UNIFY_CHAT_WITH_AI", "models-chat.response.json"),
        ("?feature=IMAGE_GENERATOR", "models-image.response.json"),
        ("", "models-no-feature.response.json"),
        ("?feature=NO_SUCH", "models-no-feature.response.json"),
    ] {
        let head = format!("GET /models{query}");
        let list = Call::send(&sim, &head, &[], b"")
            .await
            .reply()
            .await
            .expect("an answer")
            .json();
        let expected = fixture_json(name);
        let keys = |list: &Value| -> Vec<Vec<String>> {
            let names = |entry: &Value| {
                entry
                    .as_object()
                    .expect("an object")
                    .keys()
                    .cloned()
                    .collect()
            };
            list["models"]
                .as_array()
                .expect("a list")
                .iter()
                .map(names)
                .collect()
        };
        assert_eq!(
            list["total"],
            list["models"].as_array().expect("a list").len()
        );
        assert!(
            keys(&list).iter().all(|names| *names == keys(&expected)[0]),
            "{name}"
        );
        assert_eq!(keys(&list).is_empty(), keys(&expected).is_empty());
    }
}

#[tokio::test]
async fn uploads_are_described_like_the_fixtures() {
    let sim = start();
    for (filename, mime, name) in [
        ("cat.png", "image/png", "asset-upload-image.response.json"),
        ("note.mp3", "audio/mpeg", "asset-upload-audio.response.json"),
        (
            "report.pdf",
            "application/pdf",
            "asset-upload-pdf.response.json",
        ),
    ] {
        let disposition = format!("name=\"asset\"; filename=\"{filename}\"");
        let reply = upload(&sim, &disposition, mime, b"some bytes").await;
        assert_eq!(reply.status, 200, "{name}");
        let (ours, fixture) = (reply.json(), fixture_json(name));
        assert_shape(&ours, &fixture, "");
        assert_eq!(ours["asset"]["mimetype"], fixture["asset"]["mimetype"]);
        assert_eq!(ours["fileContent"]["type"], fixture["fileContent"]["type"]);
        assert_eq!(ours["fileContent"]["path"], ours["asset"]["key"]);
        let folder = |value: &Value| {
            value["asset"]["key"]
                .as_str()
                .and_then(|key| key.split('/').next().map(str::to_owned))
        };
        assert_eq!(folder(&ours), folder(&fixture));
    }
}

#[tokio::test]
async fn uploads_without_extension_of_markdown_or_without_the_part_are_refused() {
    let sim = start();
    let cases = [
        (
            "name=\"asset\"; filename=\"cat\"",
            "image/png",
            "err-400-unsupported-file-type.json",
        ),
        (
            "name=\"asset\"; filename=\"a.md\"",
            "text/markdown",
            "err-400-unsupported-file-type.json",
        ),
    ];
    for (disposition, mime, name) in cases {
        let reply = upload(&sim, disposition, mime, b"x").await;
        assert_eq!(reply.status, 400);
        assert_same_error(&reply, name);
    }
    let wrong = upload(
        &sim,
        "name=\"file\"; filename=\"a.txt\"",
        "text/plain",
        b"x",
    )
    .await;
    assert_eq!(
        (wrong.status, &wrong.json()["errorCode"]),
        (400, &json!("REQUEST_BODY_VALIDATION_FAILED"))
    );
    let plain = upload(
        &sim,
        "name=\"asset\"; filename=\"a.md\"",
        "text/plain",
        b"x",
    )
    .await;
    assert_eq!(plain.status, 200);
}

#[tokio::test]
async fn uploaded_bytes_can_be_read_again_while_they_are_small() {
    let sim = start();
    for (size, status) in [(1024 * 1024, 200), (1024 * 1024 + 1, 404)] {
        let content: Vec<u8> = (0..size)
            .map(|byte| u8::try_from(byte % 251).unwrap_or(0))
            .collect();
        let kept = upload(
            &sim,
            "name=\"asset\"; filename=\"a.png\"",
            "image/png",
            &content,
        )
        .await
        .json();
        let head = format!("GET /{}", kept["asset"]["key"].as_str().expect("a key"));
        let reply = Call::send(&sim, &head, &[], b"")
            .await
            .reply()
            .await
            .expect("an answer");
        assert_eq!(reply.status, status);
        if status == 200 {
            assert_eq!(
                (
                    reply.body == content,
                    reply.headers["content-type"].as_str()
                ),
                (true, "image/png")
            );
        }
    }
}

#[tokio::test]
async fn attachments_are_seen_when_they_are_named_rightly() {
    let sim = start();
    let image = upload(
        &sim,
        "name=\"asset\"; filename=\"cat.png\"",
        "image/png",
        b"1234",
    )
    .await
    .json();
    let text = upload(
        &sim,
        "name=\"asset\"; filename=\"a.txt\"",
        "text/plain",
        b"12345678",
    )
    .await
    .json();
    let (path, uuid) = (&image["asset"]["key"], &text["fileContent"]["uuid"]);
    let ask = |attachments: Value| json!({"model": "gpt-4o-mini", "promptObject": {"prompt": "x", "attachments": attachments}});
    let sim = &sim;
    let answer = async |body: Value| chat_body(sim, false, &body).await.json();

    let seen = answer(ask(
        json!({"images": [path, "https://example.org/b.png"], "files": [uuid]}),
    ))
    .await;
    let expected = "You said: \"x\" [images: 2] [files: 1]. This is the 1min.ai simulator, answering as gpt-4o-mini. \
        Image 1 is cat.png (image/png, 4 bytes). Image 2 is https://example.org/b.png. \
        File 1 is a.txt (text/plain, 8 bytes). \
        No model was asked, so the same question always gets the same answer.";
    assert_eq!(text_of(&seen), expected);
    assert_eq!(
        seen["aiRecord"]["metadata"]["inputToken"],
        1 + 87 + 2 * 2491 + 2
    );

    let path_as_file = answer(ask(json!({"files": [path]}))).await;
    assert!(text_of(&path_as_file).contains("I cannot see a file in this conversation."));
    let unknown = answer(ask(
        json!({"images": ["images/none.png"], "files": ["no-such-uuid"]}),
    ))
    .await;
    assert!(
        text_of(&unknown)
            .contains("I cannot see an image in this conversation. I cannot see a file")
    );
    let legacy =
        json!({"model": "gpt-4o-mini", "promptObject": {"prompt": "x", "imageList": [path]}});
    let legacy = answer(legacy).await;
    assert!(text_of(&legacy).contains("I cannot see an image in this conversation."));
    assert_eq!(
        legacy["aiRecord"]["aiRecordDetail"]["promptObject"]["imageList"],
        json!([path])
    );
}

#[tokio::test]
async fn conversations_live_from_creation_to_deletion() {
    let sim = start();
    let created = send(
        &sim,
        "POST /api/conversations",
        &fixture("conversation-create.request.json"),
    )
    .await
    .json();
    assert_shape(
        &created,
        &fixture_json("conversation-create.response.json"),
        "",
    );
    let list = send(&sim, "GET /api/conversations", "").await.json();
    assert_shape(&list, &fixture_json("conversation-list.response.json"), "");
    let uuid = created["conversation"]["uuid"].as_str().expect("a uuid");
    assert_eq!(list["conversations"][0]["uuid"], uuid);
    let one = format!("/api/conversations/{uuid}");
    assert_eq!(send(&sim, &format!("GET {one}"), "").await.json(), created);
    assert_eq!(send(&sim, &format!("DELETE {one}"), "").await.status, 200);
    assert_eq!(send(&sim, &format!("GET {one}"), "").await.status, 404);
    let incomplete = send(
        &sim,
        "POST /api/conversations",
        r#"{"type":"UNIFY_CHAT_WITH_AI","title":"x"}"#,
    )
    .await;
    assert_eq!(incomplete.status, 400);
    assert_same_error(&incomplete, "err-400-body-validation.json");
    let legacy = send(
        &sim,
        "POST /api/conversations",
        &fixture("conversation-create-with-files.request.json"),
    )
    .await;
    assert_eq!(legacy.status, 400);
    let stranger = Call::send(
        &sim,
        "GET /api/conversations",
        &[("API-KEY", "unknown")],
        b"",
    )
    .await;
    assert_eq!(stranger.reply().await.expect("an answer").status, 401);
}

#[tokio::test]
async fn other_paths_do_not_exist() {
    let sim = start();
    for head in [
        "GET /",
        "GET /api/chat-with-ai",
        "POST /api/assets/x",
        "GET /api/teams",
    ] {
        let reply = Call::send(&sim, head, &[("API-KEY", KEY)], b"")
            .await
            .reply()
            .await
            .expect("an answer");
        assert_eq!(reply.status, 404, "{head}");
    }
}
