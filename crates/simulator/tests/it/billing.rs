//! Accounts: what each has used, when it is refused, and that no request is charged twice unseen.

use serde_json::{Value, json};
use simulator::Simulator;

use crate::client::{Call, Reply, send, start};

async fn ask(sim: &Simulator, key: &str, streaming: bool, prompt: &str) -> Reply {
    let head = if streaming {
        "POST /api/chat-with-ai?isStreaming=true"
    } else {
        "POST /api/chat-with-ai"
    };
    let body = json!({"model": "gpt-4o-mini", "promptObject": {"prompt": prompt}}).to_string();
    let headers = [("API-KEY", key)];
    let call = Call::send(sim, head, &headers, body.as_bytes()).await;
    call.reply().await.expect("an answer")
}

fn used(record: &Value) -> u64 {
    record["aiRecord"]["teamUser"]["usedCredit"]
        .as_u64()
        .expect("a number")
}

#[tokio::test]
async fn each_key_has_its_own_account_and_records_lag_one_request() {
    let sim = start();
    sim.set_account("one", Some(1_000_000), Some(0));
    sim.set_account("two", Some(1_000_000), Some(7));
    let first = ask(&sim, "one", false, "a").await.json();
    let cost = first["aiRecord"]["metadata"]["credit"]
        .as_u64()
        .expect("a number");
    let second = ask(&sim, "one", true, "b").await;
    assert_eq!((used(&first), used(&second.result())), (0, cost));
    let other = ask(&sim, "two", false, "a").await.json();
    assert_eq!(used(&other), 7);
    assert_eq!(other["aiRecord"]["teamUser"]["creditLimit"], 1_000_000);
    let account = sim.account("one").expect("it has asked");
    assert_eq!(account.charges, 2);
    let paid: u64 = sim.charges().iter().map(|charge| charge.credits).sum();
    assert_eq!(
        paid,
        account.used_credit + sim.account("two").expect("too").used_credit - 7
    );
}

#[tokio::test]
async fn a_request_that_may_cost_more_than_is_left_is_refused_for_nothing() {
    let sim = start();
    sim.set_account("poor", Some(2_000), Some(500));
    for streaming in [false, true] {
        let refused = ask(&sim, "poor", streaming, "a").await;
        assert_eq!(refused.status, 406);
        let refusal = refused.json();
        assert_eq!(refusal["errorCode"], "INSUFFICIENT_CREDITS");
        let expected =
            "The feature requires 1800 credits, but the Test Office team only has 1500 credits";
        assert_eq!(refusal["message"], expected);
    }
    assert!(sim.charges().is_empty());
    sim.set_account("poor", Some(10_000), None);
    assert_eq!(ask(&sim, "poor", false, "a").await.status, 200);
}

#[tokio::test]
async fn faults_can_hit_one_key_alone() {
    let sim = start();
    sim.set_faults(json!([
        {"fault": "rate-limited", "key": "busy", "retry_after": 9, "times": 1},
        {"fault": "unauthorized", "key": "dead", "endpoint": "any"},
        {"fault": "insufficient-credits", "key": "poor"},
    ]))
    .expect("faults");
    let mut seen = Vec::new();
    for key in ["good", "busy", "busy", "dead", "poor"] {
        seen.push(ask(&sim, key, false, "a").await.status);
    }
    assert_eq!(seen, [200, 429, 200, 401, 406]);
}

#[tokio::test]
async fn charges_are_counted_by_the_requests_id() {
    let sim = start();
    let prompt = r#"hello [[sim {"id":"turn-1"}]]"#;
    ask(&sim, "one", false, prompt).await;
    ask(&sim, "two", true, prompt).await;
    let broken = r#"[[sim {"id":"turn-2","fault":"cut"}]]"#;
    ask(&sim, "one", true, broken).await;
    let free = r#"[[sim {"id":"turn-3","fault":"error-first"}]]"#;
    ask(&sim, "one", true, free).await;
    let list = send(&sim, "GET /_sim/charges", "").await.json();
    let ids: Vec<&str> = list["charges"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|charge| charge["request_id"].as_str())
        .collect();
    assert_eq!(ids, ["turn-1", "turn-1", "turn-2"]);
    let entries = sim.journal().entries();
    assert_eq!(entries[0].request_id.as_deref(), Some("turn-1"));
    assert!(entries[0].credits.is_some_and(|credits| credits > 0));
}

#[tokio::test]
async fn media_are_charged_by_their_parameters_although_records_do_not_say_so() {
    let sim = start();
    let account = r#"{"key":"artist","credit_limit":1000000,"used_credit":0}"#;
    let set = send(&sim, "POST /_sim/accounts", account).await;
    assert_eq!(set.status, 204);
    let draw = json!({"type": "IMAGE_GENERATOR", "model": "gpt-image-1", "promptObject":
        {"prompt": "a boat", "quality": "low", "size": "1024x1024", "n": 3}});
    let headers = [("API-KEY", "artist")];
    let draw = draw.to_string();
    let call = Call::send(&sim, "POST /api/features", &headers, draw.as_bytes()).await;
    let reply = call.reply().await.expect("an answer").json();
    assert!(reply["aiRecord"]["metadata"].get("credit").is_none());
    assert_eq!(used(&reply), 0);
    let account = sim.account("artist").expect("it has asked");
    assert_eq!(account.used_credit, 33_000);
    let list = send(&sim, "GET /_sim/accounts", "").await.json();
    assert_eq!(list["accounts"][0]["used_credit"], 33_000);
    sim.reset();
    assert!(sim.charges().is_empty() && sim.account("artist").is_none());
}
