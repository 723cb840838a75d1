//! 1min.ai's own API through the relay: its paths and no others, and whose results are whose.

use http::Method;
use serde_json::{Value, json};

use crate::rig::{Answer, Rig};

const KEY: [(&str, &str); 2] = [
    ("api-key", "key-of-tests"),
    ("content-type", "application/json"),
];

fn rig() -> Rig {
    Rig::with(&["--native"])
}

fn speech(directive: &str) -> Value {
    json!({
        "type": "TEXT_TO_SPEECH", "model": "tts-1", "async": true,
        "promptObject": {"text": format!("Hi. {directive}"), "voice": "alloy"},
    })
}

impl Rig {
    async fn native(&self, method: Method, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send(method, &format!("/1min{path}"), &KEY, body).await
    }
}

#[tokio::test]
async fn every_path_for_api_keys_is_passed_on_and_no_other() {
    let rig = rig();
    let chat = json!({"type": "UNIFY_CHAT_WITH_AI", "model": "gpt-4o-mini", "promptObject": {"prompt": "Hi"}});
    let conversation = json!({"type": "UNIFY_CHAT_WITH_AI", "title": "t", "model": "gpt-4o-mini"});
    let passed = [
        (Method::POST, "/api/chat-with-ai", chat.clone()),
        (Method::POST, "/api/chat-with-ai/", chat.clone()),
        (Method::POST, "/api/features", speech("")),
        (Method::POST, "/api/conversations", conversation),
        (Method::GET, "/api/dzine/styles", Value::Null),
        (
            Method::GET,
            "/api/recraft/styles?taskType=recraftv3",
            Value::Null,
        ),
        (Method::GET, "/models?feature=IMAGE_GENERATOR", Value::Null),
    ];
    for (method, path, body) in passed {
        let answer = rig.native(method.clone(), path, &body).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        assert_eq!(
            answer.header("content-type"),
            Some("application/json; charset=utf-8"),
            "{path}"
        );
    }
    let seen = rig.simulator.journal().entries().len();
    let refused = [
        (Method::GET, "/api/chat-with-ai"),
        (Method::GET, "/api/features"),
        (Method::DELETE, "/api/assets"),
        (Method::GET, "/api/assets"),
        (Method::GET, "/api/conversations"),
        (Method::DELETE, "/api/conversations/1"),
        (Method::POST, "/api/results/1"),
        (Method::GET, "/api/results"),
        (Method::GET, "/api/results/a/b"),
        (Method::GET, "/api/results/..%2F..%2Fusers"),
        (Method::GET, "/api/profile"),
        (Method::GET, "/api/teams"),
        (Method::GET, "/teams/1/credits"),
        (Method::GET, "/users"),
        (Method::POST, "/auth/login"),
        (Method::GET, "/billings/teams/1/invoices"),
        (Method::GET, "/models/x"),
        (Method::POST, "/models"),
        (Method::GET, "/api"),
        (
            Method::GET,
            "/api/results/00000000-0000-4000-8000-000000000000",
        ),
    ];
    for (method, path) in refused {
        let answer = rig.native(method.clone(), path, &Value::Null).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
        assert_eq!(answer.json()["errorCode"], "NOT_FOUND", "{method} {path}");
    }
    assert_eq!(rig.simulator.journal().entries().len(), seen);
}

#[tokio::test]
async fn off_it_is_not_there() {
    let rig = Rig::start();
    let answer = rig
        .native(Method::GET, "/models?feature=IMAGE_GENERATOR", &Value::Null)
        .await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn a_job_is_its_submitters_and_is_charged_once() {
    let rig = rig();
    let submitted = rig
        .native(
            Method::POST,
            "/api/features",
            &speech("[[sim {\"polls\": 3}]]"),
        )
        .await;
    let record = &submitted.json()["aiRecord"];
    assert_eq!(record["status"], "PROCESSING");
    let path = format!("/api/results/{}", record["uuid"].as_str().unwrap());
    let other = [("api-key", "another-key")];
    let foreign = rig
        .send(Method::GET, &format!("/1min{path}"), &other, "")
        .await;
    assert_eq!(
        (foreign.status, &foreign.json()["errorCode"]),
        (404, &json!("NOT_FOUND"))
    );
    let mut last = Value::Null;
    for _ in 0..5 {
        last = rig.native(Method::GET, &path, &Value::Null).await.json();
        if last["aiRecord"]["status"] == "SUCCESS" {
            break;
        }
    }
    assert_eq!(last["aiRecord"]["status"], "SUCCESS", "{last}");
    assert_eq!(rig.simulator.charges().len(), 1);
}

#[tokio::test]
async fn streams_come_as_they_are_and_uploads_go_as_they_are() {
    let rig = rig();
    let body = json!({
        "type": "UNIFY_CHAT_WITH_AI", "model": "gpt-4o-mini",
        "promptObject": {"prompt": "Hi [[sim {\"deltas\": [\"Jup\", \"iter\"]}]]"},
    });
    let stream = rig
        .native(Method::POST, "/api/chat-with-ai?isStreaming=true", &body)
        .await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert!(
        stream
            .text
            .contains("event: content\ndata: {\"content\":\"Jup\"}"),
        "{}",
        stream.text
    );
    assert!(stream.text.contains("event: done"), "{}", stream.text);
    let form = crate::form::Form::default()
        .file("asset", "a.png", &crate::form::png(8, 8))
        .whole();
    let headers = [KEY[0], ("content-type", crate::form::FORM)];
    let stored = rig
        .send(Method::POST, "/1min/api/assets", &headers, form)
        .await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    assert!(stored.json()["fileContent"]["path"].is_string());
}

#[tokio::test]
async fn refusals_have_upstreams_shape() {
    let rig = Rig::with(&[
        "--native",
        "--subset-of-one-min-permitted-models=gpt-4o-mini",
        "--permit-models-from-subset-only",
    ]);
    let not_permitted = json!({"type": "IMAGE_GENERATOR", "model": "qwen-image-plus", "promptObject": {"prompt": "x"}});
    let answer = rig
        .native(Method::POST, "/api/features", &not_permitted)
        .await;
    assert_eq!(
        (answer.status, &answer.json()["errorCode"]),
        (404, &json!("UNSUPPORTED_MODEL"))
    );
    for body in [
        json!({"model": "gpt-4o-mini"}),
        json!({"type": 7, "model": "gpt-4o-mini"}),
    ] {
        let answer = rig.native(Method::POST, "/api/features", &body).await;
        assert_eq!(
            (answer.status, &answer.json()["errorCode"]),
            (400, &json!("INVALID_REQUEST"))
        );
    }
    let keyless = rig.send(Method::GET, "/1min/models", &[], "").await;
    assert_eq!(
        (keyless.status, &keyless.json()["errorCode"]),
        (401, &json!("UNAUTHORIZED"))
    );
    let broke = [("api-key", "broke"), KEY[1]];
    let chat = json!({"type": "UNIFY_CHAT_WITH_AI", "model": "gpt-4o-mini", "promptObject": {"prompt": "Hi"}});
    let spent = rig
        .send(
            Method::POST,
            "/1min/api/chat-with-ai",
            &broke,
            chat.to_string(),
        )
        .await;
    assert_eq!(
        (spent.status, &spent.json()["errorCode"]),
        (406, &json!("INSUFFICIENT_CREDITS"))
    );
}
