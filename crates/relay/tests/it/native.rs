//! 1min.ai's own API through the relay: its paths and no others, and whose results are whose.

use http::Method;
use serde_json::{Value, json};

use crate::form::{FORM, Form, png};
use crate::rig::{Answer, Rig};
use crate::sharing::{ADMIN, get, key, manage, shared, written};

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
    let form = Form::default().file("asset", "a.png", &png(8, 8)).whole();
    let headers = [KEY[0], ("content-type", FORM)];
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
        (406, &json!("INSUFFICIENT_CREDITS")),
    );
}

/// Every path for API keys, with a request that it answers.
fn paths() -> Vec<(Method, &'static str, Value)> {
    let chat = json!({"type": "UNIFY_CHAT_WITH_AI", "model": "gpt-4o-mini", "promptObject": {"prompt": "Hi"}});
    let conversation = json!({"type": "UNIFY_CHAT_WITH_AI", "title": "t", "model": "gpt-4o-mini"});
    vec![
        (Method::POST, "/api/chat-with-ai", chat.clone()),
        (Method::POST, "/api/chat-with-ai?isStreaming=true", chat),
        (Method::POST, "/api/features", speech("")),
        (Method::POST, "/api/conversations", conversation),
        (Method::GET, "/api/dzine/styles", Value::Null),
        (
            Method::GET,
            "/api/recraft/styles?taskType=recraftv3",
            Value::Null,
        ),
        (Method::GET, "/models?feature=IMAGE_GENERATOR", Value::Null),
    ]
}

async fn by_key(rig: &Rig, key: &str, method: Method, path: &str, body: &Value) -> Answer {
    let headers = [("api-key", key), ("content-type", "application/json")];
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    rig.send(method, &format!("/1min{path}"), &headers, body)
        .await
}

async fn upload(rig: &Rig, key: &str, side: u32) -> Answer {
    let form = Form::default().png("asset", "a.png", &png(side, 8)).whole();
    let headers = [("api-key", key), ("content-type", FORM)];
    rig.send(Method::POST, "/1min/api/assets", &headers, form)
        .await
}

#[tokio::test]
async fn every_path_takes_an_access_key_that_permits_it_and_never_passes_it_on() {
    let rig = shared("one=key-1,two=key-2", &["--native"]);
    let (native, _) = key(&rig, json!({"uses": ["native"]})).await;
    let (chat_only, _) = key(&rig, json!({"uses": ["chat"]})).await;
    for (method, path, body) in paths() {
        let answer = by_key(&rig, &native, method.clone(), path, &body).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        let refused = by_key(&rig, &chat_only, method.clone(), path, &body).await;
        assert_eq!(refused.status, 403, "{method} {path}: {}", refused.text);
        assert_eq!(refused.json()["errorCode"], "FORBIDDEN");
    }
    assert_eq!(upload(&rig, &native, 8).await.status, 200);
    assert_eq!(upload(&rig, &chat_only, 8).await.status, 403);
    for path in [
        "/teams/1/credits",
        "/users",
        "/api/profile",
        "/api/results/1",
    ] {
        let answer = by_key(&rig, &native, Method::GET, path, &Value::Null).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let lists = rig.simulator.journal();
    let lists = lists.matching(|entry| entry.path.starts_with("/api/"));
    let known: std::collections::HashSet<_> =
        lists.iter().map(|entry| &entry.api_key_hash).collect();
    assert!(known.len() <= 2, "{known:?}");
}

#[tokio::test]
async fn a_used_up_budget_is_402_at_every_path_that_costs_or_stores() {
    let rig = shared("one=key-1", &["--native"]);
    let (text, _) = key(&rig, json!({"budgets": [{"per": "day", "credits": 0}]})).await;
    for (method, path, body) in paths() {
        let answer = by_key(&rig, &text, method.clone(), path, &body).await;
        let status = if method == Method::POST { 402 } else { 200 };
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    }
    assert_eq!(upload(&rig, &text, 8).await.status, 402);
    let seen = rig.simulator.journal();
    assert!(seen.matching(|entry| entry.method == "POST").is_empty());
}

#[tokio::test]
async fn what_lies_at_an_account_is_used_with_that_account() {
    let rig = shared("one=key-1,two=key-2", &["--native"]);
    let (text, id) = key(&rig, json!({})).await;
    let account_of = |path: &str| {
        let journal = rig.simulator.journal();
        let entries = journal.matching(|entry| entry.path == path);
        entries.last().unwrap().api_key_hash.clone().unwrap()
    };
    let upscale = |path: &Value| json!({"type": "IMAGE_UPSCALER", "model": "stable-image", "promptObject": {"imageUrl": path, "output_format": "png"}});
    let only = async |accounts: Value| {
        let path = format!("/v1/keys/{id}");
        let changed = manage(&rig, Method::PATCH, &path, json!({"accounts": accounts})).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
    };
    let opening = json!({"type": "UNIFY_CHAT_WITH_AI", "title": "t", "model": "gpt-4o-mini"});
    let mut stored: Vec<(String, Value)> = Vec::new();
    let mut conversations: Vec<(String, Value)> = Vec::new();
    for account in ["one", "two"] {
        only(json!([account])).await;
        let answer = upload(&rig, &text, 8).await.json();
        let path = answer["fileContent"]["path"].clone();
        stored.push((account_of("/api/assets"), path));
        let begun = by_key(&rig, &text, Method::POST, "/api/conversations", &opening).await;
        let uuid = begun.json()["conversation"]["uuid"].clone();
        assert!(uuid.is_string(), "{}", begun.text);
        conversations.push((account_of("/api/conversations"), uuid));
    }
    only(json!([])).await;
    let accounts: std::collections::HashSet<_> =
        stored.iter().map(|(account, _)| account).collect();
    assert_eq!(accounts.len(), 2, "{stored:?}");
    let mut made = Value::Null;
    for (account, path) in &stored {
        let answer = by_key(&rig, &text, Method::POST, "/api/features", &upscale(path)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(&account_of("/api/features"), account);
        made = json!([
            account,
            answer.json()["aiRecord"]["aiRecordDetail"]["resultObject"][0]
        ]);
    }
    // What a feature has made lies at its account, too.
    let again = by_key(
        &rig,
        &text,
        Method::POST,
        "/api/features",
        &upscale(&made[1]),
    )
    .await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert_eq!(json!(account_of("/api/features")), made[0]);
    for (account, uuid) in &conversations {
        let chat = json!({"type": "UNIFY_CHAT_WITH_AI", "model": "gpt-4o-mini",
            "promptObject": {"prompt": "Hi", "conversationId": uuid}});
        let answer = by_key(&rig, &text, Method::POST, "/api/chat-with-ai", &chat).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(&account_of("/api/chat-with-ai"), account);
    }
    let (first, second) = {
        let other = stored
            .iter()
            .find(|(account, _)| *account != stored[0].0)
            .unwrap();
        (&stored[0].1, &other.1)
    };
    let both = json!({"type": "FACE_SWAPPER", "model": "Qubico/image-toolkit",
        "promptObject": {"targetImageUrl": first, "swapImageUrl": second}});
    let refused = by_key(&rig, &text, Method::POST, "/api/features", &both).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
}

#[tokio::test]
async fn a_refusal_goes_to_the_next_account_unless_the_request_is_tied_to_one() {
    let rig = shared("one=broke-1,two=key-2", &["--native", "--pool", "order"]);
    let (text, _) = key(&rig, json!({})).await;
    let conversation = json!({"type": "UNIFY_CHAT_WITH_AI", "title": "t", "model": "gpt-4o-mini"});
    let begun = by_key(
        &rig,
        &text,
        Method::POST,
        "/api/conversations",
        &conversation,
    )
    .await
    .json();
    let chat = |conversation: &Value| {
        json!({"type": "UNIFY_CHAT_WITH_AI", "model": "gpt-4o-mini",
            "promptObject": {"prompt": "Hi", "conversationId": conversation}})
    };
    let free = by_key(
        &rig,
        &text,
        Method::POST,
        "/api/chat-with-ai",
        &chat(&Value::Null),
    )
    .await;
    assert_eq!(free.status, 200, "{}", free.text);
    let job = by_key(&rig, &text, Method::POST, "/api/features", &speech("")).await;
    assert_eq!(job.status, 200, "{}", job.text);
    let tied = chat(&begun["conversation"]["uuid"]);
    let tied = by_key(&rig, &text, Method::POST, "/api/chat-with-ai", &tied).await;
    assert_eq!(
        (tied.status, &tied.json()["errorCode"]),
        (402, &json!("INSUFFICIENT_CREDITS")),
        "no other account can do it, and the holder hears of the pool"
    );
    assert_eq!(rig.simulator.charges().len(), 2);
    written().await;
    let rows = get(&rig, ADMIN, "/v1/usage/requests").await.json();
    let rows = rows["data"].as_array().unwrap().clone();
    let paid = rows
        .iter()
        .filter(|row| row["credits"].as_f64().unwrap() > 0.0);
    assert!(
        paid.clone().count() >= 1 && paid.clone().all(|row| row["account"] == "two"),
        "{rows:?}"
    );
    let accounts = manage(&rig, Method::GET, "/admin/api/accounts", json!({}))
        .await
        .json();
    assert_eq!(accounts["data"][0]["balance"], 46.0, "{accounts}");
}
