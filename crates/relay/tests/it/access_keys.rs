//! Access keys that several clients change at the same time.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::rig::command;
use crate::sharing::{get, key, manage, post, shared};

/// Changes of other fields of a key, at once with something that must hold.
const CHANGES: u32 = 5;
/// How many keys each case is tried with.
const KEYS: usize = 12;

#[tokio::test]
async fn changes_of_one_key_at_the_same_time_all_hold() {
    let rig = shared("family=key-a", &[]);
    for _ in 0..KEYS {
        let (text, id) = key(&rig, json!({})).await;
        let path = format!("/v1/keys/{id}");
        let all = [
            json!({"disabled": true}),
            json!({"models": ["gpt-4o*"]}),
            json!({"rpm": 7}),
            json!({"budgets": [{"per": "day", "credits": 5}]}),
            json!({"accounts": ["family"]}),
        ];
        let changing = all
            .iter()
            .map(|change| manage(&rig, Method::PATCH, &path, change.clone()));
        for answer in join_all(changing).await {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        let entry = manage(&rig, Method::GET, &path, json!({})).await.json();
        let entry = &entry["data"];
        assert_eq!(entry["disabled"], true, "{entry}");
        assert_eq!(entry["models"], json!(["gpt-4o*"]), "{entry}");
        assert_eq!(entry["rpm"], 7, "{entry}");
        assert_eq!(entry["budgets"][0]["credits"], 5.0, "{entry}");
        assert_eq!(entry["accounts"], json!(["family"]), "{entry}");
        assert_eq!(get(&rig, &text, "/v1/models").await.status, 401);
    }
}

#[tokio::test]
async fn a_deleted_key_stays_deleted_whoever_changes_it_meanwhile() {
    let rig = shared("family=key-a", &[]);
    for _ in 0..KEYS {
        let (text, id) = key(&rig, json!({})).await;
        let path = format!("/v1/keys/{id}");
        let changing =
            (1..=CHANGES).map(|rpm| manage(&rig, Method::PATCH, &path, json!({"rpm": rpm})));
        let deleting = manage(&rig, Method::DELETE, &path, json!({}));
        let (deleted, changed) = tokio::join!(deleting, join_all(changing));
        assert_eq!(deleted.status, 200, "{}", deleted.text);
        for answer in changed {
            assert!([200, 404].contains(&answer.status), "{}", answer.text);
        }
        let gone = manage(&rig, Method::GET, &path, json!({})).await;
        assert_eq!(gone.status, 404, "{}", gone.text);
        assert_eq!(get(&rig, &text, "/v1/models").await.status, 401);
    }
}

#[tokio::test]
async fn a_rotated_secret_opens_and_the_old_one_does_not_whoever_changes_the_key_meanwhile() {
    let rig = shared("family=key-a", &[]);
    for _ in 0..KEYS {
        let (text, id) = key(&rig, json!({})).await;
        let path = format!("/v1/keys/{id}");
        let changing =
            (1..=CHANGES).map(|rpm| manage(&rig, Method::PATCH, &path, json!({"rpm": rpm})));
        let rotate = format!("{path}/rotate");
        let reset = format!("{path}/reset");
        let (rotated, _, _) = tokio::join!(
            manage(&rig, Method::POST, &rotate, json!({})),
            manage(&rig, Method::POST, &reset, json!({"per": "day"})),
            join_all(changing)
        );
        assert_eq!(rotated.status, 200, "{}", rotated.text);
        let next: Value = rotated.json();
        let next = next["key"].as_str().unwrap();
        assert_eq!(get(&rig, next, "/v1/models").await.status, 200);
        assert_eq!(get(&rig, &text, "/v1/models").await.status, 401);
    }
}

#[tokio::test]
async fn a_field_that_means_nothing_makes_no_key() {
    let rig = shared("family=key-a", &[]);
    for (fields, named) in [
        (
            json!({"name": "x", "budget": [{"per": "day", "credits": 5}]}),
            "budget",
        ),
        (json!({"name": "x", "model": ["gpt-4o"]}), "model"),
        (json!({"name": "x", "limit_reset": "daily"}), "limit_reset"),
    ] {
        let refused = manage(&rig, Method::POST, "/v1/keys", fields).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        assert_eq!(refused.json()["error"]["param"], named);
    }
    let kept = manage(&rig, Method::GET, "/v1/keys", json!({}))
        .await
        .json();
    assert_eq!(kept["data"], json!([]));
}

#[tokio::test]
async fn a_flag_that_names_nothing_lifts_no_limit() {
    let rig = shared("family=key-a", &[]);
    for flag in ["--models", "--uses", "--accounts", "--budget"] {
        for nothing in ["", ",,", " "] {
            let mut command = command();
            command
                .env("DATA_DIR", rig.folder())
                .args(["key", "add", "Ada", flag, nothing]);
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{flag} {nothing:?}");
            assert!(
                said.contains(flag) && said.contains("names nothing"),
                "{said}"
            );
        }
    }
    let kept = manage(&rig, Method::GET, "/v1/keys", json!({})).await;
    assert_eq!(kept.json()["data"], json!([]));
}

#[tokio::test]
async fn what_clients_ask_of_a_key_without_a_budget_shows_no_debts() {
    let rig = shared("family=key-a", &[]);
    let (text, _) = key(&rig, json!({})).await;
    let body = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi."}]});
    let empty = get(&rig, &text, "/dashboard/billing/usage").await;
    assert!(empty.text.contains("\"total_usage\":0.0"), "{}", empty.text);
    assert_eq!(
        post(&rig, &text, "/v1/chat/completions", &body)
            .await
            .status,
        200
    );
    crate::sharing::written().await;
    let credits = get(&rig, &text, "/v1/credits").await.json();
    let data = &credits["data"];
    let left = data["total_credits"].as_f64().unwrap() - data["total_usage"].as_f64().unwrap();
    assert!(left > 0.0, "{data}");
    let older = get(&rig, &text, "/v1/auth/key").await.json();
    let newer = get(&rig, &text, "/v1/key").await.json();
    assert_eq!(older, newer);
    let large = json!({"name": "x".repeat(300 * 1024)});
    let refused = manage(&rig, Method::POST, "/v1/keys", large).await;
    assert_eq!(refused.status, 413);
    assert!(refused.text.contains("256 KiB"), "{}", refused.text);
}
