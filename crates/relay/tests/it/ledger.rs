//! The ledger adds up, and no request costs a budget more or less than it should.

use http::Method;
use serde_json::{Value, json};

use crate::rig::{Rig, asks};
use crate::sharing::{ADMIN, get, key, manage, post, shared, written};

fn hello() -> Value {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi."}]})
}

async fn chat(rig: &Rig, key: &str) -> u16 {
    post(rig, key, "/v1/chat/completions", &hello())
        .await
        .status
}

/// What all rows cost, those of credits spent elsewhere included.
async fn booked(rig: &Rig) -> f64 {
    let report = get(rig, ADMIN, "/v1/usage/requests?limit=1000&kind=all").await;
    let report = report.json();
    let rows = report["data"].as_array().unwrap();
    rows.iter()
        .map(|row| row["credits"].as_f64().unwrap())
        .sum()
}

fn charged(rig: &Rig) -> f64 {
    let charges = rig.simulator.charges();
    let charges = charges.iter().map(|charge| charge.credits).sum::<u64>();
    f64::from(u32::try_from(charges).unwrap())
}

async fn used(rig: &Rig, id: &str) -> f64 {
    let shown = manage(rig, Method::GET, &format!("/v1/keys/{id}"), json!({})).await;
    shown.json()["data"]["usage"].as_f64().unwrap()
}

#[tokio::test]
async fn what_a_job_of_the_native_api_costs_is_booked_once() {
    let rig = shared("family=key-a", &["--native"]);
    let (text, _) = key(&rig, json!({})).await;
    assert_eq!(chat(&rig, &text).await, 200);
    written().await;
    let image = json!({
        "type": "IMAGE_GENERATOR", "model": "gpt-image-1", "async": true,
        "promptObject": {"prompt": "a cat", "n": 1, "size": "1024x1024", "quality": "high"},
    });
    let begun = post(&rig, &text, "/1min/api/features", &image).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    let begun = begun.json();
    let uuid = begun["aiRecord"]["uuid"].as_str().unwrap().to_owned();
    // While the job is open, others ask the same account.
    for _ in 0..3 {
        assert_eq!(chat(&rig, &text).await, 200);
        written().await;
    }
    rig.jobs_are_done_at_once(1);
    for _ in 0..100 {
        let result = get(&rig, &text, &format!("/1min/api/results/{uuid}")).await;
        if result.text.contains("SUCCESS") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    for _ in 0..3 {
        written().await;
        assert_eq!(chat(&rig, &text).await, 200);
    }
    written().await;
    assert_eq!(booked(&rig).await.to_string(), charged(&rig).to_string());
}

#[tokio::test]
async fn a_bound_that_1min_ai_does_not_know_makes_no_request_cheap() {
    let rig = shared("family=key-a", &[]);
    let (text, id) = key(&rig, json!({"budgets": [{"per": "day", "credits": 5000}]})).await;
    let mut answered = 0;
    for stream in [false, true].repeat(20) {
        let body = asks(
            &json!({"tokens": 3000}),
            &json!({"max_tokens": 1, "stream": stream}),
        );
        let answer = post(&rig, &text, "/v1/chat/completions", &body).await;
        match answer.status {
            200 => answered += 1,
            402 => break,
            status => panic!("{status}: {}", answer.text),
        }
    }
    assert!(
        (1..=6).contains(&answered),
        "{answered} answers for 5000 credits"
    );
    written().await;
    let used = used(&rig, &id).await;
    assert!(
        used >= 1500.0 * f64::from(answered),
        "{used} for {answered}"
    );
}

#[tokio::test]
async fn what_strangers_pay_themselves_does_not_count_in_the_relays_budget() {
    let rig = shared(
        "family=key-a",
        &["--relay-keys", "both", "--budgets", "day=3000"],
    );
    let (text, _) = key(&rig, json!({})).await;
    for _ in 0..40 {
        assert_eq!(chat(&rig, "somebodys-own-key").await, 200);
    }
    assert_eq!(chat(&rig, &text).await, 200);
    written().await;
    let mut refused = false;
    for _ in 0..40 {
        refused |= chat(&rig, &text).await == 402;
    }
    assert!(refused, "the budget holds for access keys");
    assert_eq!(chat(&rig, "somebodys-own-key").await, 200);
}

#[tokio::test]
async fn a_request_whose_numbers_have_no_price_is_refused_and_harms_nobody() {
    let rig = shared("family=key-a", &["--native"]);
    let (text, id) = key(
        &rig,
        json!({"budgets": [{"per": "day", "credits": 100_000}]}),
    )
    .await;
    let (unbounded, _) = key(&rig, json!({"name": "unbounded"})).await;
    for n in [json!(1e300), json!(1e18), json!(-5e300)] {
        let image = json!({
            "type": "IMAGE_GENERATOR", "model": "gpt-image-1",
            "promptObject": {"prompt": "x", "n": n, "size": "1024x1024", "quality": "high"},
        });
        for text in [&text, &unbounded] {
            let refused = post(&rig, text, "/1min/api/features", &image).await;
            assert!(
                [400, 402].contains(&refused.status),
                "{n}: {}",
                refused.text
            );
        }
    }
    assert_eq!(chat(&rig, &text).await, 200);
    written().await;
    let used = used(&rig, &id).await;
    assert!((1.0..1000.0).contains(&used), "{used}");
}

#[tokio::test]
async fn a_spending_elsewhere_is_not_booked_to_a_request_that_broke_off() {
    let rig = shared("family=key-a", &[]);
    let (text, id) = key(&rig, json!({})).await;
    assert_eq!(chat(&rig, &text).await, 200);
    written().await;
    let cut = asks(&json!({"fault": "cut"}), &json!({"stream": true}));
    let _ = post(&rig, &text, "/v1/chat/completions", &cut).await;
    written().await;
    let used_before = rig.simulator.account("key-a").unwrap().used_credit;
    rig.simulator
        .set_account("key-a", None, Some(used_before + 520_000));
    for _ in 0..2 {
        assert_eq!(chat(&rig, &text).await, 200);
        written().await;
    }
    let used = used(&rig, &id).await;
    assert!(used < 50_000.0, "{used}");
    let total = booked(&rig).await;
    assert_eq!(total.to_string(), (charged(&rig) + 520_000.0).to_string());
}

#[tokio::test]
async fn another_key_under_an_accounts_name_has_other_numbers() {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("another-key");
    let _ = std::fs::remove_dir_all(&folder);
    let data = folder.to_str().unwrap();
    let rig = shared("family=key-a", &["--data-dir", data]);
    let (text, id) = key(&rig, json!({})).await;
    for _ in 0..2 {
        assert_eq!(chat(&rig, &text).await, 200);
        written().await;
    }
    drop(rig);
    let rig = shared("family=key-b", &["--data-dir", data]);
    rig.simulator.set_account("key-b", None, Some(9_000_000));
    for _ in 0..3 {
        assert_eq!(chat(&rig, &text).await, 200);
        written().await;
    }
    let total = booked(&rig).await;
    assert!(total < 2000.0, "{total}");
    assert_eq!(used(&rig, &id).await.to_string(), total.to_string());
    drop(rig);
    let _ = std::fs::remove_dir_all(&folder);
}

#[tokio::test]
async fn a_long_page_of_requests_says_that_there_are_more() {
    let rig = shared("family=key-a", &[]);
    let (text, _) = key(&rig, json!({})).await;
    let asking = (0..1005).map(|_| chat(&rig, &text));
    let asking = futures_util::stream::iter(asking);
    let answered = futures_util::StreamExt::buffer_unordered(asking, 16);
    let answered: Vec<u16> = futures_util::StreamExt::collect(answered).await;
    assert!(answered.iter().all(|status| *status == 200));
    written().await;
    let page = get(&rig, &text, "/v1/usage/requests?limit=1000")
        .await
        .json();
    assert_eq!(page["data"].as_array().unwrap().len(), 1000);
    assert_eq!(page["has_more"], true);
    for to in ["9999-12-31", "9223372036854775807"] {
        let all = get(&rig, &text, &format!("/v1/usage?to={to}")).await.json();
        assert_eq!(all["data"][0]["requests"], 1005, "{to}");
    }
    let last = page["last_id"].as_str().unwrap();
    let path = format!("/v1/usage/requests?limit=1000&after={last}");
    let rest = get(&rig, &text, &path).await.json();
    assert_eq!(rest["data"].as_array().unwrap().len(), 5);
    assert_eq!(rest["has_more"], false);
}

#[tokio::test]
async fn names_of_native_requests_are_bounded_and_refusals_are_refusals() {
    let rig = shared("family=key-a", &["--native"]);
    let (text, _) = key(&rig, json!({})).await;
    for model in ["m".repeat(201), "a\u{7}b".to_owned()] {
        let body =
            json!({"type": "UNIFY_CHAT_WITH_AI", "model": model, "promptObject": {"prompt": "x"}});
        let refused = post(&rig, &text, "/1min/api/chat-with-ai", &body).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        assert!(refused.text.len() < 1000, "{}", refused.text);
    }
    let unknown = json!({"type": "UNIFY_CHAT_WITH_AI", "model": "no-such-model", "promptObject": {"prompt": "x"}});
    let refused = post(&rig, &text, "/1min/api/chat-with-ai", &unknown).await;
    assert!(refused.status >= 400, "{}", refused.text);
    written().await;
    let rows = get(&rig, &text, "/v1/usage/requests").await.json();
    let ends: Vec<&Value> = rows["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["end"])
        .collect();
    assert!(
        ends.iter()
            .all(|end| end.as_str().unwrap().starts_with("refused:")),
        "{rows}"
    );
}

#[tokio::test]
async fn a_native_stream_that_its_client_leaves_costs_what_was_read() {
    let rig = shared("family=key-a", &["--native"]);
    let (text, id) = key(&rig, json!({})).await;
    let chat = json!({
        "type": "UNIFY_CHAT_WITH_AI", "model": "gpt-4o",
        "promptObject": {"prompt": "Hi. [[sim {\"tokens\": 60000, \"delay_ms\": 1}]]"},
    });
    let bearer = format!("Bearer {text}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let path = "/1min/api/chat-with-ai?isStreaming=true";
    let response = rig.open(Method::POST, path, &headers, chat.to_string());
    let response = response.await;
    let estimate = response.headers()["x-relay-credits-estimate"]
        .to_str()
        .unwrap();
    let estimate: f64 = estimate.parse().unwrap();
    let mut body = response.into_body();
    let mut read = 0;
    while read < 600_000 {
        let frame = http_body_util::BodyExt::frame(&mut body)
            .await
            .unwrap()
            .unwrap();
        read += frame.data_ref().map_or(0, bytes::Bytes::len);
    }
    drop(body);
    written().await;
    let used = used(&rig, &id).await;
    assert!(used > 1.2 * estimate, "{used} booked, {estimate} estimated");
}

#[tokio::test]
async fn a_reset_before_a_correction_makes_no_budget_larger() {
    let rig = shared("family=key-a", &[]);
    let (text, id) = key(
        &rig,
        json!({"budgets": [{"per": "day", "credits": 400_000}]}),
    )
    .await;
    rig.jobs_are_done_at_once(1);
    assert_eq!(chat(&rig, &text).await, 200);
    let image = json!({"model": "gpt-image-1", "prompt": "a cat", "quality": "high"});
    let made = post(&rig, &text, "/v1/images/generations", &image).await;
    assert_eq!(made.status, 200, "{}", made.text);
    written().await;
    let path = format!("/v1/keys/{id}");
    let reset = manage(
        &rig,
        Method::POST,
        &format!("{path}/reset"),
        json!({"per": "day"}),
    )
    .await;
    assert_eq!(reset.status, 200, "{}", reset.text);
    // The image has cost less than was thought.
    let used = rig.simulator.account("key-a").unwrap().used_credit;
    rig.simulator
        .set_account("key-a", None, Some(used - 100_000));
    for _ in 0..2 {
        assert_eq!(chat(&rig, &text).await, 200);
        written().await;
    }
    let shown = manage(&rig, Method::GET, &path, json!({})).await.json();
    let budget = &shown["data"]["budgets"][0];
    assert!(budget["used"].as_f64().unwrap() >= 0.0, "{budget}");
    assert!(shown["data"]["limit_remaining"].as_f64().unwrap() <= 400_000.0);
}
