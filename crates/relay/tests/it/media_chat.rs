//! Chat as a door to other work: code, pictures, and what words about files do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::form::{Form, png, wav};
use crate::rig::{AUTHORIZED, Rig};
use http::Method;

fn says(model: &str, text: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": text}]})
}

/// The bodies of the requests for features.
fn ordered(rig: &Rig) -> Vec<Value> {
    let journal = rig.simulator.journal();
    let orders = journal.matching(|entry| entry.path.starts_with("/api/features"));
    orders.into_iter().map(|entry| entry.body).collect()
}

#[tokio::test]
async fn code_comes_from_its_generator_where_it_is_asked_for_or_nothing_else_has_the_model() {
    let rig = Rig::start();
    let interpreter = json!([{"type": "code_interpreter"}]);
    for (model, tools, stream) in [
        ("gpt-4o", interpreter.clone(), false),
        ("gpt-4o", interpreter.clone(), true),
        ("grok-code-fast-1", json!([]), false),
    ] {
        let mut request = says(model, "print hello");
        request["tools"] = tools;
        request["stream"] = stream.into();
        let answer = rig.chat(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.said().contains("```python"), "{}", answer.text);
        assert_eq!(answer.header("x-relay-ignored"), None);
        let order = ordered(&rig).pop().unwrap();
        assert_eq!(
            (&order["type"], &order["model"]),
            (&json!("CODE_GENERATOR"), &json!(model))
        );
    }
    assert!(rig.asked().is_empty());

    let mut elsewhere = says("qwen3-max", "print hello");
    elsewhere["tools"] = interpreter;
    let answer = rig.chat(&elsewhere).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("x-relay-ignored"), Some("code_interpreter"));
    assert_eq!((rig.asked().len(), ordered(&rig).len()), (1, 3));

    let [key, kind] = AUTHORIZED;
    let strict = [key, kind, ("x-relay-strict", "1")];
    let path = "/v1/chat/completions";
    let refused = rig.send(Method::POST, path, &strict, elsewhere.to_string());
    assert_eq!(refused.await.status, 400);
    assert_eq!(rig.asked().len(), 1);
}

#[tokio::test]
async fn tools_hold_on_models_that_only_write_code() {
    let rig = Rig::start();
    let mut request = says("qwen3-coder-plus", "What is the weather in Paris?");
    request["tools"] = json!([{"type": "function", "function": {"name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]);
    request["tool_choice"] = "required".into();
    let call = r#"<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}</tool_call>"#;
    rig.simulator
        .script(json!({"endpoint": "features", "replies": [call]}))
        .unwrap();
    let answer = rig.chat(&request).await;
    let call = &answer.json()["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["name"], "weather", "{}", answer.text);
}

#[tokio::test]
async fn a_picture_in_chat_takes_the_parameters_of_pictures() {
    let rig = Rig::start();
    let mut request = says("gpt-image-1", "a boat");
    request["n"] = 2.into();
    request["size"] = "1536x1024".into();
    request["quality"] = "low".into();
    request["temperature"] = 0.5.into();
    let answer = rig.chat(&request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["choices"].as_array().unwrap().len(), 1);
    assert!(answer.said().contains("[_V2_]"), "{}", answer.said());
    assert_eq!(answer.header("x-relay-ignored"), Some("temperature"));
    let order = ordered(&rig).pop().unwrap();
    let fields = &order["promptObject"];
    assert_eq!(
        (&fields["n"], &fields["size"], &fields["quality"]),
        (&json!(2), &json!("1536x1024"), &json!("low"))
    );
    request["size"] = "1024x777".into();
    let refused = rig.chat(&request).await;
    assert_eq!((refused.status, ordered(&rig).len()), (400, 1));
    assert_eq!(refused.json()["error"]["param"], "size");
}

#[tokio::test]
async fn a_picture_in_the_message_is_changed_and_not_left_out() {
    let rig = Rig::start();
    let picture = format!("data:image/png;base64,{}", STANDARD.encode(png(8, 8)));
    let says = |model: &str, text: &str| {
        json!({"model": model, "messages": [{"role": "user", "content": [
            {"type": "text", "text": text},
            {"type": "image_url", "image_url": {"url": picture}},
        ]}]})
    };
    for (model, text, feature) in [
        ("gpt-image-1", "make it night", "IMAGE_EDITOR"),
        ("clipdrop", "", "IMAGE_VARIATOR"),
    ] {
        let answer = rig.chat(&says(model, text)).await;
        assert!(answer.said().contains("](http"), "{model} {}", answer.text);
        let order = ordered(&rig).pop().unwrap();
        assert_eq!(
            (&order["type"], &order["model"]),
            (&json!(feature), &json!(model))
        );
    }
    let refused = rig.chat(&says("magic-art", "make it night")).await;
    assert_eq!(
        (refused.status, ordered(&rig).len()),
        (400, 2),
        "{}",
        refused.text
    );
    assert!(refused.text.contains("gpt-image-1"), "{}", refused.text);
}

#[tokio::test]
async fn edits_and_variations_name_or_refuse_what_has_no_effect_before_anything_is_uploaded() {
    let rig = Rig::start();
    let picture = format!("data:image/png;base64,{}", STANDARD.encode(png(8, 8)));
    let image = json!({"type": "image_url", "image_url": {"url": picture}});
    let attached = |text: &str| json!([{"type": "text", "text": text}, image]);
    let [key, kind] = AUTHORIZED;
    let strict = [key, kind, ("x-relay-strict", "1")];
    for (model, content) in [
        ("gpt-image-1", attached("make it night")),
        ("clipdrop", attached("")),
        ("magic-art", json!("/v1 https://example.com/a.png")),
    ] {
        let mut request =
            json!({"model": model, "messages": [{"role": "user", "content": content}]});
        request["style"] = "vivid".into();
        let sent = || {
            let journal = rig.simulator.journal();
            let sent = |path: &str| path.contains("assets") || path.contains("features");
            journal.matching(|entry| sent(&entry.path)).len()
        };
        let before = sent();
        let path = "/v1/chat/completions";
        let refused = rig
            .send(Method::POST, path, &strict, request.to_string())
            .await;
        assert_eq!(refused.status, 400, "{model} {}", refused.text);
        assert_eq!(refused.json()["error"]["param"], "style");
        assert_eq!(sent(), before, "{model}");
        let answer = rig.chat(&request).await;
        assert_eq!(
            (answer.status, answer.header("x-relay-ignored")),
            (200, Some("style")),
            "{model} {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn what_was_made_is_never_cut_nor_read_for_calls_and_json() {
    let rig = Rig::start();
    let tool = json!([{"type": "function", "function": {"name": "variation"}}]);
    for (field, value, ignored) in [
        ("max_tokens", json!(3), None),
        ("stop", json!(["Variation", "http"]), None),
        (
            "response_format",
            json!({"type": "json_object"}),
            Some("response_format"),
        ),
        ("tools", tool, Some("tools")),
    ] {
        let mut request = says("qwen-image-plus", "a boat, as JSON");
        request[field] = value;
        let answer = rig.chat(&request).await;
        assert_eq!(
            (answer.status, answer.header("x-relay-ignored")),
            (200, ignored),
            "{field} {}",
            answer.text
        );
        let said = answer.said();
        assert!(
            said.starts_with("![Variation 1](http") && said.contains("[_V1_]"),
            "{field} {said}"
        );
    }
    assert_eq!((ordered(&rig).len(), rig.asked().len()), (4, 0));
}

#[tokio::test]
async fn earlier_names_and_parameters_without_effect_are_known_in_chat() {
    let rig = Rig::start();
    let mut request = says("midjourney", "a boat");
    request["style"] = "vivid".into();
    let answer = rig.chat(&request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("x-relay-ignored"), Some("style"));
    assert_eq!(ordered(&rig).pop().unwrap()["model"], "magic-art");
    let mut request = says("elevenlabs-tts", "Guten Tag");
    request["language"] = "de".into();
    request["speed"] = 2.into();
    let answer = rig.chat(&request).await;
    assert_eq!(
        answer.header("x-relay-ignored"),
        Some("speed"),
        "{}",
        answer.text
    );
    let spoken = ordered(&rig).pop().unwrap();
    assert_eq!(spoken["promptObject"]["language_code"], "de");
}

#[tokio::test]
async fn a_stored_recording_is_written_down_in_chat() {
    let rig = Rig::start();
    let file = |name: &str, bytes: &[u8]| {
        Form::default()
            .text("purpose", "user_data")
            .file("file", name, bytes)
    };
    for (name, bytes, status) in [("a.wav", wav(800), 200), ("a.txt", b"words".to_vec(), 400)] {
        let stored = rig.form("/v1/files", file(name, &bytes)).await.json();
        let part = json!({"type": "file", "file": {"file_id": stored["id"]}});
        let request =
            json!({"model": "whisper-1", "messages": [{"role": "user", "content": [part]}]});
        let answer = rig.chat(&request).await;
        assert_eq!(answer.status, status, "{name} {}", answer.text);
    }
    assert_eq!(ordered(&rig).len(), 1);
}

#[tokio::test]
async fn a_variation_repeats_how_its_picture_was_drawn() {
    let rig = Rig::start();
    let drawn = rig
        .chat(&says("magic-art_7_0", "a boat --ar 3:2 --relax"))
        .await
        .said();
    let varied = json!({"model": "magic-art_7_0", "messages": [
        {"role": "user", "content": "a boat"},
        {"role": "assistant", "content": drawn},
        {"role": "user", "content": "[_V3_]"},
    ]});
    let answer = rig.chat(&varied).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let order = ordered(&rig).pop().unwrap();
    let fields = &order["promptObject"];
    assert_eq!(order["type"], "IMAGE_VARIATOR");
    assert_eq!(
        (
            &fields["mode"],
            &fields["aspect_width"],
            &fields["aspect_height"]
        ),
        (&json!("relax"), &json!(3), &json!(2)),
        "{order}"
    );
}

#[tokio::test]
async fn words_about_files_have_an_effect_only_where_the_operator_wants_it() {
    for (setting, reads, deletes) in [
        ("off", false, false),
        ("read", true, false),
        ("read-and-delete", true, true),
    ] {
        let rig = Rig::with(&["--file-words", setting]);
        let body = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nthe milk\r\n\
            --b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nuser_data\r\n--b--\r\n";
        let headers = [
            ("authorization", "Bearer key"),
            ("content-type", "multipart/form-data; boundary=b"),
        ];
        let uploaded = rig.send(Method::POST, "/v1/files", &headers, body).await;
        assert_eq!(uploaded.status, 200, "{}", uploaded.text);
        let chat = async |text: &str| {
            let headers = [
                ("authorization", "Bearer key"),
                ("content-type", "application/json"),
            ];
            let body = says("gpt-4o-mini", text).to_string();
            rig.send(Method::POST, "/v1/chat/completions", &headers, body)
                .await
        };
        assert_eq!(chat("What do my files say?").await.status, 200);
        let asked = rig.asked().pop().unwrap().body.to_string();
        assert_eq!(asked.contains("\"files\":["), reads, "{setting}: {asked}");
        let answer = chat("Delete all my files.").await;
        assert_eq!(
            answer.said() == "Your file is deleted.",
            deletes,
            "{setting}"
        );
        let left = rig.send(Method::GET, "/v1/files", &headers[..1], "").await;
        let left = left.json()["data"].as_array().unwrap().len();
        assert_eq!(left, usize::from(!deletes), "{setting}");
    }
}

#[tokio::test]
async fn more_pictures_than_a_model_draws_at_once_are_drawn_by_several_calls() {
    let rig = Rig::start();
    let wanted = |n: u32| json!({"model": "gemini-3-pro-image-preview", "prompt": "a boat", "n": n, "response_format": "url"});
    let answer = rig.post("/v1/images/generations", &wanted(3)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 3);
    assert_eq!(ordered(&rig).len(), 3);
    let refused = rig.post("/v1/images/generations", &wanted(5)).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["param"]),
        (400, &json!("n"))
    );
    assert_eq!(ordered(&rig).len(), 3);
}

#[tokio::test]
async fn what_one_call_fails_to_draw_does_not_take_away_what_others_drew() {
    let rig = Rig::start();
    let fault = json!({"fault": "http-500", "endpoint": "features", "times": 1});
    rig.simulator.add_faults(fault.clone()).unwrap();
    let wanted = json!({"model": "gemini-3-pro-image-preview", "prompt": "a boat", "n": 2, "response_format": "url"});
    let answer = rig.post("/v1/images/generations", &wanted).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 1);
    let mut twice = fault;
    twice["times"] = 2.into();
    rig.simulator.add_faults(twice).unwrap();
    assert_eq!(
        rig.post("/v1/images/generations", &wanted).await.status,
        502
    );
    assert_eq!(ordered(&rig).len(), 4);
}

#[tokio::test]
async fn nothing_is_kept_under_a_key_that_upstream_does_not_know() {
    let rig = Rig::start();
    let body = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nthe milk\r\n\
        --b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nuser_data\r\n--b--\r\n";
    let headers = [
        ("authorization", "Bearer invalid-key"),
        ("content-type", "multipart/form-data; boundary=b"),
    ];
    let uploaded = rig.send(Method::POST, "/v1/files", &headers, body).await;
    assert_eq!(uploaded.status, 401, "{}", uploaded.text);
    for (path, body) in [
        ("/v1/assistants", json!({"model": "gpt-4o-mini"})),
        ("/v1/conversations", json!({})),
    ] {
        let headers = [headers[0], ("content-type", "application/json")];
        let answer = rig
            .send(Method::POST, path, &headers, body.to_string())
            .await;
        assert_eq!(answer.status, 401, "{path}");
    }
    rig.simulator
        .add_faults(json!({"fault": "http-503"}))
        .unwrap();
    let unasked = [("authorization", "Bearer key"), headers[1]];
    let uploaded = rig.send(Method::POST, "/v1/files", &unasked, body).await;
    assert_eq!(uploaded.status, 200, "{}", uploaded.text);
}

#[tokio::test]
async fn a_request_in_chat_is_prepared_once_and_pays_only_when_it_is_run() {
    let rig = Rig::start();
    let paths = |part: &str| {
        let entries = rig.simulator.journal().entries();
        let paths = entries.into_iter().map(|entry| entry.path);
        paths.filter(|path| path.contains(part)).count()
    };
    let mut image = says("dzine", "a cat");
    image["style"] = "Paper cut".into();
    let answer = rig.chat(&image).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!((paths("styles"), ordered(&rig).len()), (1, 1));

    let audio = json!({"data": STANDARD.encode(wav(800)), "format": "wav"});
    let audio = json!([{"type": "input_audio", "input_audio": audio}]);
    let spoken = json!({"model": "gpt-4o-mini", "seed": 7, "messages": [{"role": "user", "content": audio}]});
    let [key, kind] = AUTHORIZED;
    let strict = [key, kind, ("x-relay-strict", "1")];
    for request in [&spoken, &image] {
        let mut request = request.clone();
        request["logit_bias"] = json!({"1": 2});
        let path = "/v1/chat/completions";
        let refused = rig.send(Method::POST, path, &strict, request.to_string());
        assert_eq!(refused.await.status, 400);
        assert_eq!((ordered(&rig).len(), paths("assets")), (1, 0));
    }
    let answer = rig.chat(&spoken).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!((ordered(&rig).len(), rig.asked().len()), (2, 1));
}
