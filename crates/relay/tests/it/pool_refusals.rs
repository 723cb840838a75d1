//! What holders of access keys are told when 1min.ai refuses the relay's accounts: the pool's answer, never
//! 1min.ai's words to the accounts' owner.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::rig::{Answer, Rig};
use crate::sharing::{get, key, manage, post, shared};

/// What only the operator may read.
const FOR_THE_OWNER: [&str; 6] = [
    "app.1min.ai",
    "Test Office",
    "team",
    "credits, but",
    "46 credits",
    "Check the key",
];

fn says_nothing_of_the_account(answer: &Answer, status: u16, case: &str) {
    assert_eq!(answer.status, status, "{case}: {}", answer.text);
    for words in FOR_THE_OWNER {
        assert!(!answer.text.contains(words), "{case}: {}", answer.text);
    }
}

/// A chat, whole or streamed, with a directive for the simulator.
fn chat(directive: &Value, stream: bool) -> Value {
    let text = format!("Hi. [[sim {directive}]]");
    json!({"model": "gpt-4o-mini", "stream": stream,
        "messages": [{"role": "user", "content": text}]})
}

fn native(directive: &Value) -> Value {
    json!({"type": "UNIFY_CHAT_WITH_AI", "model": "gpt-4o-mini",
        "promptObject": {"prompt": format!("Hi. [[sim {directive}]]")}})
}

/// What accounts stand for, and the status with which the pool answers then.
const POOLS: [(&str, &str, u16); 5] = [
    ("two refused keys", "a=unknown-1,b=unknown-2", 503),
    (
        "three refused keys",
        "a=unknown-1,b=unknown-2,c=unknown-3",
        503,
    ),
    (
        "four refused keys",
        "a=unknown-1,b=unknown-2,c=unknown-3,d=unknown-4",
        503,
    ),
    (
        "three without credits",
        "a=broke-1,b=broke-2,c=broke-3",
        402,
    ),
    (
        "a refused key and two without credits",
        "a=unknown-1,b=broke-2,c=broke-3",
        402,
    ),
];

#[tokio::test]
async fn where_all_accounts_refuse_a_call_holders_get_the_pools_answer() {
    for (case, accounts, status) in POOLS {
        for stream in [false, true] {
            let rig = shared(accounts, &["--pool", "order"]);
            let (text, _) = key(&rig, json!({})).await;
            let body = chat(&json!({}), stream);
            let refused = post(&rig, &text, "/v1/chat/completions", &body).await;
            says_nothing_of_the_account(&refused, status, case);
            // The operator's log has the reason.
            let reasons = ["Test Office team only has", "Unauthenticated"];
            let is_told = || reasons.iter().any(|words| rig.output().contains(words));
            for _ in 0..30 {
                if is_told() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert!(is_told(), "{}", rig.output());
        }
    }
}

#[tokio::test]
async fn where_one_account_is_limited_and_all_refuse_the_holder_is_told_to_wait() {
    let rig = shared("a=key-1,b=key-2,c=key-3", &["--pool", "order"]);
    let (text, _) = key(&rig, json!({})).await;
    let faults = ["unauthorized", "rate-limited", "insufficient-credits"];
    let faults: Vec<Value> = faults
        .iter()
        .map(|fault| json!({"endpoint": "chat", "fault": fault}))
        .collect();
    rig.simulator.script(faults.into()).unwrap();
    let refused = post(
        &rig,
        &text,
        "/v1/chat/completions",
        &chat(&json!({}), false),
    )
    .await;
    says_nothing_of_the_account(&refused, 429, "one of three is limited");
    assert!(refused.header("retry-after").is_some());
}

#[tokio::test]
async fn uploads_and_native_answers_say_nothing_of_an_account_either() {
    let rig = shared(
        "a=unknown-1,b=unknown-2,c=unknown-3",
        &["--pool", "order", "--native"],
    );
    let (text, _) = key(&rig, json!({})).await;
    let bearer = format!("Bearer {text}");
    let wake = async |rig: &Rig| {
        for account in ["a", "b", "c"] {
            let path = format!("/admin/api/accounts/{account}/wake");
            manage(rig, Method::POST, &path, json!({})).await;
        }
    };
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", crate::form::FORM),
    ];
    let edit = crate::form::Form::default()
        .text("model", "stable-image-upscale")
        .file("image", "a.png", &crate::form::png(64, 64));
    let edited = rig
        .send(Method::POST, "/v1/images/edits", &headers, edit.whole())
        .await;
    says_nothing_of_the_account(&edited, 503, "an upload");
    for path in [
        "/1min/api/dzine/styles",
        "/1min/models?feature=TEXT_TO_VIDEO",
    ] {
        wake(&rig).await;
        let listed = get(&rig, &text, path).await;
        if listed.status != 200 {
            says_nothing_of_the_account(&listed, 503, path);
        }
    }
    wake(&rig).await;
    let body = native(&json!({}));
    let refused = post(&rig, &text, "/1min/api/chat-with-ai", &body).await;
    says_nothing_of_the_account(&refused, 503, "a native call");

    let rig = shared("a=key-1", &["--native"]);
    let (text, _) = key(&rig, json!({})).await;
    for (fault, path) in [
        ("insufficient-credits", "/1min/api/chat-with-ai"),
        (
            "credits-in-stream",
            "/1min/api/chat-with-ai?isStreaming=true",
        ),
    ] {
        manage(&rig, Method::POST, "/admin/api/accounts/a/wake", json!({})).await;
        let body = native(&json!({"fault": fault}));
        let refused = post(&rig, &text, path, &body).await;
        says_nothing_of_the_account(&refused, 402, fault);
    }
    // What is not about the account is passed on as it came.
    manage(&rig, Method::POST, "/admin/api/accounts/a/wake", json!({})).await;
    let unknown = json!({"type": "UNIFY_CHAT_WITH_AI", "model": "no-such-model",
        "promptObject": {"prompt": "Hi."}});
    let refused = post(&rig, &text, "/1min/api/chat-with-ai", &unknown).await;
    assert!(matches!(refused.status, 400 | 404), "{}", refused.text);
}

#[tokio::test]
async fn an_upload_that_an_account_refuses_goes_to_the_next() {
    let rig = shared(
        "a=unknown-1,b=key-2",
        &["--pool", "order", "--job-poll=0.1"],
    );
    rig.jobs_are_done_at_once(1);
    let (text, _) = key(&rig, json!({})).await;
    let bearer = format!("Bearer {text}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", crate::form::FORM),
    ];
    let picture = crate::form::png(64, 64);
    let edit = crate::form::Form::default()
        .text("model", "stable-image-upscale")
        .file("image", "a.png", &picture);
    let varied = crate::form::Form::default().file("image", "a.png", &picture);
    let inline = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(&picture)
    };
    let video = json!({"model": "kling", "prompt": "it moves", "seconds": "5",
        "input_reference": {"image_url": format!("data:image/png;base64,{inline}")}});
    let sound = b"ID3\x04\0\0\0\0\0\0 and sound";
    let sound = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(sound)
    };
    let heard = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is said?"},
        {"type": "input_audio", "input_audio": {"data": sound, "format": "mp3"}}]}]});
    let wake = async || {
        let path = "/admin/api/accounts/a/wake";
        let woken = manage(&rig, Method::POST, path, json!({})).await;
        assert_eq!(woken.status, 200);
    };
    for (path, form) in [
        ("/v1/images/edits", edit),
        ("/v1/images/variations", varied),
    ] {
        wake().await;
        let made = rig.send(Method::POST, path, &headers, form.whole()).await;
        assert_eq!(made.status, 200, "{path}: {}", made.text);
    }
    for (path, body) in [("/v1/videos", video), ("/v1/chat/completions", heard)] {
        wake().await;
        let made = post(&rig, &text, path, &body).await;
        assert_eq!(made.status, 200, "{path}: {}", made.text);
    }
}

#[tokio::test]
async fn an_account_that_has_refused_a_call_for_lack_of_credits_is_shown_as_short() {
    let rig = shared("a=key-1", &[]);
    let (text, _) = key(&rig, json!({})).await;
    let state = async || {
        let listed = manage(&rig, Method::GET, "/admin/api/accounts", json!({})).await;
        listed.json()["data"][0].clone()
    };
    let body = chat(&json!({"fault": "insufficient-credits"}), false);
    let refused = post(&rig, &text, "/v1/chat/completions", &body).await;
    assert_eq!(refused.status, 402, "{}", refused.text);
    let short = state().await;
    assert_eq!(short["state"], "short", "{short}");
    assert!(short["until"].is_string(), "{short}");
    manage(&rig, Method::POST, "/admin/api/accounts/a/wake", json!({})).await;
    assert_eq!(state().await["state"], "ready");
}
