//! Everything around chat: pages, models, errors of the server itself.

use http::Method;
use serde_json::json;

use crate::form::{Form, wav};
use crate::rig::{AUTHORIZED, Rig, asks};

#[tokio::test]
async fn the_root_is_a_page_for_browsers_and_a_line_for_others() {
    let rig = Rig::start();
    let page = rig
        .send(Method::GET, "/", &[("accept", "text/html,*/*")], "")
        .await;
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
            && page.text.contains("/v1")
    );
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .starts_with("default-src 'none'")
    );
    assert_eq!(page.header("access-control-allow-origin"), None);
    let line = rig.get("/").await;
    assert!(
        line.header("content-type")
            .unwrap()
            .starts_with("text/plain")
            && line.text.contains("/v1/chat/completions")
    );
    let hostile = [
        ("accept", "text/html"),
        ("host", "<script>alert(1)</script>"),
    ];
    let hostile_page = rig.send(Method::GET, "/", &hostile, "").await;
    assert!(!hostile_page.text.contains("<script>alert"));
    let script = rig.get("/page/page.js").await;
    assert!(
        script
            .header("content-type")
            .unwrap()
            .starts_with("text/javascript")
    );
    let known = [("if-none-match", script.header("etag").unwrap())];
    let again = rig.send(Method::GET, "/page/page.js", &known, "").await;
    assert_eq!(again.status, 304);
    assert_eq!(rig.get("/page/none.js").await.status, 404);
    let wrong = rig.send(Method::POST, "/", &hostile[..1], "{}").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("1212"));
    assert_eq!(rig.get("/health").await.json()["status"], "ok");
}

#[tokio::test]
async fn models_are_listed_and_found_with_slashes_in_their_ids() {
    let rig = Rig::start();
    let list = rig.get("/v1/models").await;
    assert_eq!(list.header("x-relay-models"), Some("live"));
    let list = list.json();
    let ids: Vec<&str> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"gpt-4o-mini") && !ids.contains(&"NOT_APPLICABLE"));
    let of = |id: &str| {
        let mut data = list["data"].as_array().unwrap().iter();
        data.find(|model| model["id"] == id).unwrap()
    };
    assert_eq!(
        of("gpt-4o-mini")["credits_per_1k"],
        json!({"input": 450.0, "output": 1800.0})
    );
    assert_eq!(of("gpt-image-1-mini")["credits_per_unit"]["unit"], "image");
    let slashed = ids.iter().find(|id| id.contains('/')).unwrap();
    let encoded = slashed.replace('/', "%2F");
    for path in [
        format!("/v1/models/{slashed}"),
        format!("/v1/models/{encoded}"),
        format!("/models/{slashed}"),
        format!("/v1//models/{slashed}/"),
    ] {
        assert_eq!(rig.get(&path).await.json()["id"], **slashed, "{path}");
    }
    let missing = rig.get("/v1/models/gpt-4o-mimi").await;
    assert_eq!(
        (missing.status, missing.json()["error"]["code"].as_str()),
        (404, Some("model_not_found"))
    );
    assert!(missing.text.contains("gpt-4o-mini"), "{}", missing.text);
    let meant = rig.get("/v1/models/claude-sonnet-4-5").await.text;
    assert!(meant.contains("us.anthropic.claude-sonnet-4-5"), "{meant}");
}

#[tokio::test]
async fn models_are_not_listed_for_a_key_that_upstream_refuses() {
    let rig = Rig::start();
    let by = async |path, key| {
        rig.send(Method::GET, path, &[("authorization", key)], "")
            .await
    };
    for path in ["/v1/models", "/v1/models/gpt-4o-mini"] {
        let refused = by(path, "Bearer invalid-key").await;
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(refused.json()["error"]["code"], "invalid_api_key");
        for key in ["Bearer good-key", "Bearer broke-key"] {
            assert_eq!(by(path, key).await.status, 200, "{path} {key}");
        }
        assert_eq!(rig.get(path).await.status, 200, "{path} without a key");
    }
    let anthropic = [
        ("x-api-key", "invalid"),
        ("anthropic-version", "2023-06-01"),
    ];
    let refused = rig.send(Method::GET, "/v1/models", &anthropic, "").await;
    assert_eq!(refused.json()["error"]["type"], "authentication_error");
}

#[tokio::test]
async fn without_upstream_the_built_in_list_serves() {
    let rig = Rig::with(&["--onemin-base-url", "http://127.0.0.1:9"]);
    let key = [("authorization", "Bearer any")];
    let list = rig.send(Method::GET, "/v1/models", &key, "").await;
    assert_eq!(list.header("x-relay-models"), Some("built-in"));
    assert!(list.text.contains("gpt-4o-mini"));
}

#[tokio::test]
async fn only_permitted_models_are_listed_and_used() {
    let rig = Rig::with(&[
        "--subset-of-one-min-permitted-models",
        "gpt-4o-mini, gpt-5",
        "--permit-models-from-subset-only",
        "true",
    ]);
    assert_eq!(
        rig.get("/v1/models").await.json()["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let refused = rig
        .chat(&asks(&json!({}), &json!({"model": "gpt-4.1"})))
        .await;
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].as_str()),
        (404, Some("model_not_found"))
    );
    assert_eq!(
        rig.chat(&asks(&json!({"reply": "Hi"}), &json!({})))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn wrong_urls_and_methods_are_answered_in_openais_shape() {
    let rig = Rig::start();
    for (method, path, status) in [
        (Method::GET, "/v1/nothing", 404),
        (Method::GET, "/v1/chat/completions", 405),
        (Method::DELETE, "/v1/models", 405),
        (Method::POST, "/v1/embeddings", 501),
        (Method::POST, "/v1/moderations", 501),
        (Method::GET, "/v1/threads/thread_1/runs", 501),
        (Method::POST, "/v1/responses/compact", 501),
        (Method::GET, "/v1/chat/completions/chatcmpl-1", 501),
        (Method::POST, "/v1/skills", 501),
        (Method::POST, "/v1/chatkit/sessions", 501),
        (Method::POST, "/v1/audio/voices", 501),
        (Method::GET, "/v1/models/%FF", 400),
        (Method::GET, "/v1/responses/%C3%28/input_items", 400),
        (Method::GET, "/v1/embeddings-of-mine", 404),
    ] {
        let answer = rig.send(method, path, &[], "").await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json()["error"]["message"].is_string());
    }
    let method = Method::from_bytes(&[b'A'; 5000]).unwrap();
    for (path, status) in [("/v1/models", 405), ("/v1/nothing", 404)] {
        let answer = rig.send(method.clone(), path, &[], "").await;
        assert_eq!(answer.status, status, "{path}");
        let repeated = answer.text.matches('A').count();
        assert!((200..220).contains(&repeated), "{}", answer.text);
    }
}

#[tokio::test]
async fn anthropics_clients_and_urls_are_answered_in_anthropics_shape_with_the_requests_id() {
    let rig = Rig::start();
    let version = [("anthropic-version", "2023-06-01")];
    let keyed = [("anthropic-version", "2023-06-01"), ("x-api-key", "k")];
    for (headers, method, path, status) in [
        (&version[..], Method::GET, "/v1/nothing", 404),
        (&version[..], Method::GET, "/v1/models/zorp", 404),
        (&version[..], Method::GET, "/v1/models?limit=0", 400),
        (&version[..], Method::GET, "/v1/models/%FF", 400),
        (&version[..], Method::POST, "/v1/messages", 401),
        (&keyed[..], Method::POST, "/v1/messages", 400),
        (&keyed[..], Method::POST, "/v1/messages/count_tokens", 400),
        (&[], Method::GET, "/v1/messages", 405),
        (&[], Method::POST, "/v1/messages/batches", 501),
        (&[], Method::POST, "/v1/v1/messages/batches", 501),
        (&[], Method::POST, "/v1/complete", 501),
    ] {
        let answer = rig.send(method, path, headers, "").await;
        let (json, id) = (answer.json(), answer.header("request-id"));
        assert_eq!(
            (answer.status, &json["type"]),
            (status, &json!("error")),
            "{path}"
        );
        assert_eq!(json["request_id"].as_str(), id, "{path}");
    }
}

#[tokio::test]
async fn browsers_of_any_origin_are_let_in_on_answers_errors_and_streams() {
    let rig = Rig::start();
    let asked = [
        ("origin", "https://chat.example"),
        (
            "access-control-request-headers",
            "authorization,x-stainless-lang",
        ),
    ];
    let preflight = rig
        .send(Method::OPTIONS, "/v1/chat/completions", &asked, "")
        .await;
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        Some("authorization,x-stainless-lang")
    );
    assert!(
        preflight
            .header("access-control-allow-methods")
            .unwrap()
            .contains("POST")
    );
    let stream = rig
        .chat(&asks(&json!({"reply": "Hi"}), &json!({"stream": true})))
        .await;
    for answer in [
        preflight,
        stream,
        rig.get("/v1/nothing").await,
        rig.chat(&json!({})).await,
    ] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert!(answer.header("x-request-id").unwrap().starts_with("req_"));
    }
}

#[tokio::test]
async fn invented_keys_at_the_list_of_models_are_counted_and_good_ones_only_once() {
    let flags = ["--rate-limit-per-minute", "2", "--rate-limit-by", "address"];
    let rig = Rig::with(&flags);
    let mut statuses = Vec::new();
    for number in 0..5 {
        let key = format!("Bearer deleted-key-{number}");
        let headers = [("authorization", key.as_str())];
        let answer = rig.send(Method::GET, "/v1/models", &headers, "").await;
        statuses.push(answer.status);
    }
    // A minute may end in the middle, once, and lets two more pass.
    assert!(
        statuses[..2] == [401, 401] && statuses.contains(&429),
        "{statuses:?}"
    );
    assert_eq!(
        rig.send(Method::GET, "/v1/models", &[], "").await.status,
        200
    );
    let rig = Rig::with(&flags);
    for _ in 0..4 {
        assert_eq!(rig.get("/v1/models").await.status, 200);
    }
}

#[tokio::test]
async fn the_rate_limit_is_told_and_held_for_each_key() {
    let rig = Rig::with(&["--rate-limit-per-minute", "2"]);
    let request = asks(&json!({"reply": "Hi"}), &json!({})).to_string();
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(
            rig.send(
                Method::POST,
                "/v1/chat/completions",
                &AUTHORIZED,
                request.clone(),
            )
            .await,
        );
    }
    let statuses: Vec<u16> = answers.iter().map(|a| a.status).collect();
    // A minute may end in the middle, once.
    assert!(
        statuses == [200, 200, 429] || statuses == [200, 200, 200],
        "{statuses:?}"
    );
    assert_eq!(answers[0].header("x-ratelimit-limit-requests"), Some("2"));
    if statuses[2] == 429 {
        assert!(answers[2].header("retry-after").is_some());
        assert_eq!(answers[2].json()["error"]["code"], "rate_limit_exceeded");
        // A refusal tells how the caller stands, too.
        let limit_header = |name: &str| answers[2].header(&format!("x-ratelimit-{name}-requests"));
        assert_eq!(
            (limit_header("limit"), limit_header("remaining")),
            (Some("2"), Some("0"))
        );
        assert!(limit_header("reset").is_some());
        let other = [("authorization", "Bearer another-key")];
        assert_eq!(
            rig.send(Method::POST, "/v1/chat/completions", &other, request)
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn azures_paths_are_those_below_v1_and_the_model_of_the_path_counts() {
    let rig = Rig::start();
    let chat = json!({"messages": [{"role": "user", "content": "Hi"}]});
    let path = "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21";
    let key = [
        ("api-key", "key-of-tests"),
        ("content-type", "application/json"),
    ];
    for body in [
        chat.clone(),
        json!({"model": "other", "messages": chat["messages"]}),
    ] {
        let answer = rig.send(Method::POST, path, &key, body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["model"], "gpt-4o-mini");
    }
    let asked = json!({"model": "gpt-4o-mini", "input": "Hi"}).to_string();
    for path in [
        "/openai/v1/responses",
        "/openai/responses?api-version=preview",
    ] {
        let answer = rig.send(Method::POST, path, &key, asked.clone()).await;
        assert_eq!(
            answer.json()["object"],
            "response",
            "{path}: {}",
            answer.text
        );
    }
    let image = json!({"prompt": "A cat"}).to_string();
    let path = "/openai/deployments/gpt-image-1/images/generations?api-version=2025-04-01";
    let answer = rig.send(Method::POST, path, &key, image).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let form = Form::default().file("file", "a.wav", &wav(800));
    let path = "/openai/deployments/whisper-1/audio/transcriptions?api-version=2024-06-01";
    let answer = rig.form(
        path,
        form.text("keywords[]", "Bürste")
            .text("keywords[]", "Lampe"),
    );
    let answer = answer.await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("x-relay-ignored"), Some("keywords"));
    let journal = rig.simulator.journal();
    let heard = journal.matching(|entry| entry.path == "/api/features");
    let heard = heard.last().unwrap().body.to_string();
    assert!(
        heard.contains("whisper-1") && !heard.contains("keywords"),
        "{heard}"
    );
    let missing = rig
        .send(Method::POST, "/openai/deployments/x/nothing", &key, "{}")
        .await;
    assert_eq!(missing.json()["error"]["code"], "not_found");
}

#[tokio::test]
async fn other_programs_lists_of_models_are_there() {
    let rig = Rig::start();
    for path in ["/model/info", "/v1/model/info"] {
        let list = rig.get(path).await.json();
        let models = list["data"].as_array().unwrap();
        let of = |name: &str| models.iter().find(|model| model["model_name"] == name);
        let chat = &of("gpt-4o-mini").unwrap()["model_info"];
        assert_eq!(
            (&chat["mode"], &chat["supports_vision"]),
            (&json!("chat"), &json!(true))
        );
        let cost = chat["input_cost_per_token"].as_f64().unwrap();
        assert!((cost - 0.15e-6).abs() < 1e-12, "{chat}");
        let speech = &of("tts-1").unwrap()["model_info"];
        assert_eq!(speech["mode"], "audio_speech");
    }
    let list = rig.get("/api/v0/models").await.json();
    let models = list["data"].as_array().unwrap();
    assert!(
        models.iter().all(|model| model["state"] == "loaded"),
        "{list}"
    );
    let one = rig.get("/api/v0/models/gpt-4o-mini").await.json();
    assert_eq!(
        (&one["id"], &one["type"]),
        (&json!("gpt-4o-mini"), &json!("vlm"))
    );
    let list = rig.get("/v1/models").await.json();
    let models = list["data"].as_array().unwrap();
    let chat = models
        .iter()
        .find(|model| model["id"] == "gpt-4o-mini")
        .unwrap();
    let takes = chat["supported_parameters"].as_array().unwrap();
    assert!(
        takes.contains(&json!("tools")) && !takes.contains(&json!("temperature")),
        "{chat}"
    );
    assert_eq!(
        chat["top_provider"]["context_length"],
        chat["context_length"]
    );
}

#[tokio::test]
async fn half_a_surrogate_pair_is_replaced_and_the_conversation_goes_on_in_every_api() {
    let rig = Rig::start();
    for (path, body) in [
        (
            "/v1/chat/completions",
            r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"cut \ud83d"}]}"#,
        ),
        (
            "/v1/responses",
            r#"{"model":"gpt-4o-mini","input":"cut \ud83d"}"#,
        ),
        (
            "/v1/messages",
            r#"{"model":"gpt-4o-mini","max_tokens":9,"messages":[{"role":"user","content":"cut \ud83d"}]}"#,
        ),
        (
            "/v1/completions",
            r#"{"model":"gpt-4o-mini","prompt":"cut \ud83d"}"#,
        ),
        (
            "/api/chat",
            r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"cut \ud83d"}]}"#,
        ),
        (
            "/api/generate",
            r#"{"model":"gpt-4o-mini","prompt":"cut \ud83d"}"#,
        ),
        (
            "/v1/images/generations",
            r#"{"model":"gpt-image-1","prompt":"cut \ud83d"}"#,
        ),
        (
            "/v1/audio/speech",
            r#"{"model":"tts-1","voice":"alloy","input":"cut \ud83d"}"#,
        ),
    ] {
        let answer = rig.send(Method::POST, path, &AUTHORIZED, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let journal = rig.simulator.journal();
        let posted = journal.matching(|entry| entry.body.to_string().contains("cut "));
        let last = posted.last().unwrap().body.to_string();
        assert!(last.contains("cut \u{fffd}"), "{path}: {last}");
    }
}

#[tokio::test]
async fn a_request_at_the_wrong_door_is_served_or_told_where_it_belongs() {
    let rig = Rig::start();
    let body = json!({"model": "gpt-4o-mini", "input": "Hi", "stream": true});
    let answer = rig.chat(&body).await;
    assert!(
        answer.is_done() && answer.text.contains("chat.completion.chunk"),
        "{}",
        answer.text
    );
    let messages = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]});
    for path in ["/v1/responses", "/v1/completions"] {
        let answer = rig.post(path, &messages).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(
            answer.text.contains("/v1/chat/completions"),
            "{path}: {}",
            answer.text
        );
    }
}
