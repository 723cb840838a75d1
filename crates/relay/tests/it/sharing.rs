//! Access keys, accounts, budgets and the ledger, over the real binary.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use simulator::{Charge, Simulator};

use crate::rig::{Answer, Rig, asks, command};

pub(crate) const ADMIN: &str = "an-admin-key-of-24-letters";

/// A relay with these accounts.
pub(crate) fn shared(accounts: &str, flags: &[&str]) -> Rig {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let mut command = command();
    command
        .args(["--host", "127.0.0.1", "--port", "0"])
        .env("ONEMIN_BASE_URL", simulator.url())
        .env("ONEMIN_ASSET_URL", simulator.url())
        .env("ONEMIN_API_KEYS", accounts)
        .env("ADMIN_KEY", ADMIN)
        .args(flags);
    Rig::run(command, simulator)
}

pub(crate) async fn manage(rig: &Rig, method: Method, path: &str, body: Value) -> Answer {
    let bearer = format!("Bearer {ADMIN}");
    let headers = [("authorization", bearer.as_str())];
    rig.send(method, path, &headers, body.to_string()).await
}

/// A new key, and its id.
pub(crate) async fn key(rig: &Rig, fields: Value) -> (String, String) {
    let mut fields = fields;
    if fields.get("name").is_none() {
        fields["name"] = json!("test");
    }
    let made = manage(rig, Method::POST, "/v1/keys", fields).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let made = made.json();
    let text = made["key"].as_str().unwrap().to_owned();
    (text, made["data"]["hash"].as_str().unwrap().to_owned())
}

pub(crate) async fn post(rig: &Rig, key: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    rig.send(Method::POST, path, &headers, body.to_string())
        .await
}

pub(crate) async fn get(rig: &Rig, key: &str, path: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    rig.send(Method::GET, path, &[("authorization", bearer.as_str())], "")
        .await
}

fn hello(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hi."}]})
}

async fn chat(rig: &Rig, key: &str) -> Answer {
    post(rig, key, "/v1/chat/completions", &hello("gpt-4o-mini")).await
}

/// What the simulator has charged.
fn charges(rig: &Rig) -> Vec<Charge> {
    rig.simulator.charges()
}

/// Waits for the ledger's writer.
pub(crate) async fn written() {
    tokio::time::sleep(Duration::from_millis(600)).await;
}

#[tokio::test]
async fn an_access_key_opens_within_its_permissions_and_not_longer_than_it_lives() {
    let rig = shared("family=key-a", &[]);
    let (text, id) = key(&rig, json!({"models": ["gpt-4o*"], "uses": ["chat"]})).await;
    assert_eq!(chat(&rig, &text).await.status, 200);
    let other = post(&rig, &text, "/v1/chat/completions", &hello("gpt-5")).await;
    assert_eq!(
        (other.status, other.json()["error"]["code"].clone()),
        (404, json!("model_not_found"))
    );
    let image = json!({"model": "gpt-4o-image", "prompt": "a cat"});
    let image = post(&rig, &text, "/v1/images/generations", &image).await;
    assert_eq!(image.status, 403, "{}", image.text);
    let listed = get(&rig, &text, "/v1/models").await.json();
    let listed = listed["data"].as_array().unwrap().clone();
    assert!(!listed.is_empty());
    assert!(
        listed
            .iter()
            .all(|model| model["id"].as_str().unwrap().starts_with("gpt-4o")),
        "{listed:?}"
    );
    for (credential, status) in [("key-a", 401), (ADMIN, 401), ("sk-relay-0123456789", 401)] {
        assert_eq!(chat(&rig, credential).await.status, status, "{credential}");
    }
    let path = format!("/v1/keys/{id}");
    manage(&rig, Method::PATCH, &path, json!({"disabled": true})).await;
    assert_eq!(chat(&rig, &text).await.status, 401);
    let past = json!({"disabled": false, "expires_at": "2020-01-01T00:00:00Z"});
    manage(&rig, Method::PATCH, &path, past).await;
    assert_eq!(chat(&rig, &text).await.status, 401);
    manage(&rig, Method::PATCH, &path, json!({"expires_at": null})).await;
    let rotated = manage(&rig, Method::POST, &format!("{path}/rotate"), json!({}))
        .await
        .json();
    assert_eq!(chat(&rig, &text).await.status, 401);
    let new = rotated["key"].as_str().unwrap();
    assert_eq!(chat(&rig, new).await.status, 200);
    assert_eq!(
        manage(&rig, Method::DELETE, &path, json!({})).await.status,
        200
    );
    assert_eq!(chat(&rig, new).await.status, 401);
    // Nothing that was written shows a key.
    let output = rig.output();
    for secret in [text.as_str(), new, "key-a", ADMIN] {
        assert!(!output.contains(secret));
    }
    for file in std::fs::read_dir(rig.folder()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        for secret in [text.as_str(), new, "key-a", ADMIN] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "a key lies in a file");
        }
    }
}

#[tokio::test]
async fn without_an_admin_key_nothing_is_managed_and_without_accounts_nothing_is_kept() {
    let rig = Rig::start();
    for path in [
        "/v1/keys",
        "/admin/api/accounts",
        "/v1/usage",
        "/v1/key",
        "/dashboard/billing/usage",
    ] {
        assert_eq!(rig.get(path).await.status, 404, "{path}");
    }
    let access = chat(&rig, "sk-relay-012345678901234567890123456789012345678901").await;
    assert_eq!(access.status, 401);
    assert!(rig.asked().is_empty(), "an access key never goes upstream");
    let answer = rig.chat(&hello("gpt-4o-mini")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("x-relay-credits-estimate").is_some());
    assert!(
        !rig.folder().join("relay.db").exists(),
        "a relay that passes chats through opens no database"
    );
}

/// That this is so at every route is a test of the route table.
#[tokio::test]
async fn a_used_up_budget_is_402_and_told_in_the_ledger_and_nothing_is_held() {
    let rig = shared("family=key-a", &[]);
    let (text, id) = key(&rig, json!({"budgets": [{"per": "day", "credits": 0}]})).await;
    let speech = json!({"model": "tts-1", "input": "Hi.", "voice": "alloy"});
    for (path, body) in [
        ("/v1/chat/completions", hello("gpt-4o-mini")),
        ("/v1/audio/speech", speech),
    ] {
        let refused = post(&rig, &text, path, &body).await;
        assert_eq!(refused.status, 402, "{path} {body}: {}", refused.text);
    }
    assert!(charges(&rig).is_empty());
    written().await;
    let report = get(&rig, &text, "/v1/usage?by=end").await.json();
    let shown_usage = (&report["data"][0]["end"], &report["data"][0]["requests"]);
    assert_eq!(shown_usage, (&json!("refused:out_of_credits"), &json!(2)));
    let path = format!("/v1/keys/{id}");
    let shown = manage(&rig, Method::GET, &path, json!({})).await.json();
    assert_eq!(shown["data"]["budgets"][0]["held"], 0.0);
}

#[tokio::test]
async fn credits_are_booked_as_charged_and_shown_to_whom_they_concern() {
    let rig = shared("family=key-a", &[]);
    let budget = json!({"name": "Ada", "limit": 100_000, "limit_reset": "monthly"});
    let (text, id) = key(&rig, budget).await;
    let (other, _) = key(&rig, json!({"name": "Bob"})).await;
    let first = chat(&rig, &text).await;
    let left = first
        .header("x-relay-credits-left")
        .unwrap()
        .parse::<i64>()
        .unwrap();
    assert!(left < 100_000 && left > 50_000, "{left}");
    assert!(first.header("x-relay-credits-estimate").is_some());
    let stream = json!({"model": "gpt-4o-mini", "stream": true,
        "messages": [{"role": "user", "content": "Hi."}]});
    assert_eq!(
        post(&rig, &text, "/v1/chat/completions", &stream)
            .await
            .status,
        200
    );
    chat(&rig, &other).await;
    written().await;
    let charged = charges(&rig);
    let total: u64 = charged.iter().map(|charge| charge.credits).sum();
    let mine = get(&rig, &text, "/v1/usage/requests").await.json();
    let mine = mine["data"].as_array().unwrap().clone();
    assert_eq!(mine.len(), 2);
    assert!(
        mine.iter()
            .all(|row| row["source"] == "reported" && row["key_name"] == "Ada"),
        "{mine:?}"
    );
    let sum = |rows: &[Value]| {
        rows.iter()
            .map(|row| row["credits"].as_f64().unwrap())
            .sum::<f64>()
    };
    let all = get(&rig, ADMIN, "/v1/usage/requests").await.json();
    let all = all["data"].as_array().unwrap().clone();
    assert_eq!((all.len(), sum(&all).to_string()), (3, total.to_string()));
    let used = sum(&mine).to_string();
    let shown = get(&rig, &text, "/v1/key").await.json();
    assert_eq!(
        shown["data"]["usage"].to_string().trim_end_matches(".0"),
        used
    );
    assert_eq!(shown["data"]["limit_reset"], "monthly");
    let credits = get(&rig, &text, "/v1/credits").await.json();
    assert_eq!(
        credits["data"]["total_usage"]
            .to_string()
            .trim_end_matches(".0"),
        used
    );
    assert_eq!(credits["data"]["total_credits"], 100_000.0);
    let subscription = get(&rig, &text, "/dashboard/billing/subscription")
        .await
        .json();
    assert_eq!(subscription["hard_limit_usd"], 100_000.0);
    let dates = "/dashboard/billing/usage?start_date=2020-01-01&end_date=2099-01-01";
    let billed = get(&rig, &text, dates).await.json();
    let hundredths = billed["total_usage"].as_f64().unwrap();
    assert!((hundredths - 100.0 * sum(&mine)).abs() < 0.01, "{billed}");
    let entry = manage(&rig, Method::GET, &format!("/v1/keys/{id}"), json!({}))
        .await
        .json();
    assert_eq!(
        entry["data"]["usage_daily"]
            .to_string()
            .trim_end_matches(".0"),
        used
    );
}

#[tokio::test]
async fn use_is_reported_in_pages_and_tables_to_each_holder_alone() {
    let rig = shared("family=key-a", &[]);
    let (text, _) = key(&rig, json!({"name": "=Ada"})).await;
    let (other, _) = key(&rig, json!({"name": "Bob"})).await;
    for key in [&text, &text, &other] {
        assert_eq!(chat(&rig, key).await.status, 200);
    }
    written().await;
    let mine = get(&rig, &text, "/v1/usage/requests").await.json();
    let mine = mine["data"].as_array().unwrap().clone();
    let named = get(&rig, ADMIN, "/v1/usage?by=key&format=csv").await.text;
    assert!(named.contains(",'=Ada,2,0,"), "{named}");
    let csv = get(&rig, &text, "/v1/usage?by=day,model&format=csv").await;
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"));
    assert!(
        csv.text
            .starts_with("day,model,requests,failed,tokens_in,tokens_out,credits\n"),
        "{}",
        csv.text
    );
    let lines = get(&rig, &text, "/v1/usage/requests?format=ndjson").await;
    assert_eq!(lines.text.lines().count(), 2);
    let page = get(&rig, &text, "/v1/usage/requests?limit=1").await.json();
    assert_eq!(
        (page["data"].as_array().unwrap().len(), &page["has_more"]),
        (1, &json!(true))
    );
    let next = format!(
        "/v1/usage/requests?limit=1&after={}",
        page["last_id"].as_str().unwrap()
    );
    let next = get(&rig, &text, &next).await.json();
    assert_eq!(
        (next["data"][0]["id"].clone(), &next["has_more"]),
        (mine[1]["id"].clone(), &json!(false))
    );
    assert_eq!(
        get(&rig, &text, "/v1/usage?key=Bob").await.json()["data"][0]["requests"],
        2,
        "a holder sees its own use alone"
    );
    assert_eq!(get(&rig, &text, "/v1/usage?by=colour").await.status, 400);
}

#[tokio::test]
async fn a_refusal_that_cost_nothing_goes_to_the_next_account_and_no_request_is_charged_twice() {
    let rig = shared(
        "one=unknown-1,two=broke-2,three=key-3",
        &["--pool", "order"],
    );
    let (text, _) = key(&rig, json!({})).await;
    for stream in [false, true] {
        let mut body = hello("gpt-4o-mini");
        body["stream"] = json!(stream);
        let answer = post(&rig, &text, "/v1/chat/completions", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let speech = json!({"model": "tts-1", "input": "Hi.", "voice": "alloy"});
    assert_eq!(
        post(&rig, &text, "/v1/audio/speech", &speech).await.status,
        200
    );
    let charged = charges(&rig);
    assert_eq!(charged.len(), 3, "{charged:?}");
    let accounts = manage(&rig, Method::GET, "/admin/api/accounts", json!({}))
        .await
        .json();
    let states: Vec<&str> = accounts["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["parked", "short", "ready"], "{accounts}");
    assert_eq!(accounts["data"][1]["balance"], 46.0);
    let woken = manage(
        &rig,
        Method::POST,
        "/admin/api/accounts/one/wake",
        json!({}),
    )
    .await;
    assert_eq!(woken.status, 200);
    written().await;
    let rows = get(&rig, ADMIN, "/v1/usage/requests").await.json();
    let rows = rows["data"].as_array().unwrap().clone();
    assert!(rows.iter().all(|row| row["account"] == "three"), "{rows:?}");
}

#[tokio::test]
async fn a_job_that_an_account_refuses_goes_to_the_next_with_what_it_needs() {
    let rig = shared(
        "one=broke-1,two=key-2",
        &["--pool", "order", "--job-poll=0.1"],
    );
    let (text, _) = key(&rig, json!({})).await;
    let picture = crate::form::png(64, 64);
    let picture = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(picture)
    };
    let image = json!({"image_url": format!("data:image/png;base64,{picture}")});
    let body = json!({"model": "kling", "prompt": "it moves", "seconds": "5",
        "input_reference": image});
    let made = post(&rig, &text, "/v1/videos", &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let path = format!("/v1/videos/{}", made.json()["id"].as_str().unwrap());
    let mut video = json!({});
    for _ in 0..300 {
        video = get(&rig, &text, &path).await.json();
        if video["status"] == "completed" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(video["status"], "completed", "{video}");
    let content = get(&rig, &text, &format!("{path}/content")).await;
    assert_eq!(content.status, 200);
    assert_eq!(charges(&rig).len(), 1);
    // Each account has the picture that its request names.
    let journal = rig.simulator.journal();
    let uploads = journal.matching(|entry| entry.path == "/api/assets");
    assert_eq!(uploads.len(), 2);
    let accounts: Vec<_> = uploads
        .iter()
        .map(|entry| entry.api_key_hash.clone())
        .collect();
    assert_ne!(accounts[0], accounts[1]);
    written().await;
    let rows = get(&rig, ADMIN, "/v1/usage/requests").await.json();
    let row = rows["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["api"] == "videos.create");
    assert_eq!(row.unwrap()["account"], "two", "{rows}");
}

#[tokio::test]
async fn an_account_is_only_asked_for_files_that_lie_there() {
    let rig = shared("one=broke-1,two=key-2", &["--pool", "order"]);
    rig.jobs_are_done_at_once(2);
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
    let spoken = crate::form::Form::default()
        .text("model", "whisper-1")
        .file("file", "a.mp3", b"ID3\x04\0\0\0\0\0\0 and sound");
    for (path, form) in [
        ("/v1/images/edits", edit),
        ("/v1/audio/transcriptions", spoken),
    ] {
        let wake = "/admin/api/accounts/one/wake";
        let woken = manage(&rig, Method::POST, wake, json!({})).await;
        assert_eq!(woken.status, 200);
        // The first account has the file, but not the credits.
        let made = rig.send(Method::POST, path, &headers, form.whole()).await;
        assert_eq!(made.status, 200, "{path}: {}", made.text);
        let journal = rig.simulator.journal();
        let last_two = |path: &str| -> Vec<(Option<String>, Value)> {
            let calls = journal.matching(|entry| entry.path == path);
            calls
                .iter()
                .rev()
                .take(2)
                .map(|entry| (entry.api_key_hash.clone(), entry.body.clone()))
                .collect()
        };
        let (files, features) = (last_two("/api/assets"), last_two("/api/features"));
        assert_eq!(files[0].0, features[0].0, "{path}");
        assert_eq!(files[1].0, features[1].0, "{path}");
        assert_ne!(features[0].0, features[1].0, "{path}");
        assert_ne!(features[0].1, features[1].1, "{path}: another file");
    }
    assert_eq!(charges(&rig).len(), 2);
}

#[tokio::test]
async fn where_no_account_takes_a_job_the_reason_is_told_and_nothing_stays_held() {
    let rig = shared("one=broke-1,two=broke-2", &["--pool", "order"]);
    let (text, id) = key(
        &rig,
        json!({"budgets": [{"per": "day", "credits": 9_000_000}]}),
    )
    .await;
    let body = json!({"model": "kling", "prompt": "x", "seconds": "5"});
    let refused = post(&rig, &text, "/v1/videos", &body).await;
    assert_eq!(refused.status, 402, "{}", refused.text);
    let listed = get(&rig, &text, "/v1/videos").await.json();
    assert_eq!(listed["data"], json!([]));
    written().await;
    let shown = manage(&rig, Method::GET, &format!("/v1/keys/{id}"), json!({}))
        .await
        .json();
    assert_eq!(shown["data"]["budgets"][0]["held"], 0.0);
    assert_eq!(shown["data"]["usage"], 0.0);
}

#[tokio::test]
async fn where_a_request_may_have_been_charged_no_other_account_is_asked() {
    let rig = shared("one=key-1,two=key-2", &["--pool", "order"]);
    let (text, id) = key(&rig, json!({})).await;
    for fault in ["http-502", "cut", "status-failure"] {
        let body = asks(&json!({"fault": fault}), &json!({"stream": true}));
        let failed = post(&rig, &text, "/v1/chat/completions", &body).await;
        assert!(
            failed.status >= 500 || failed.text.contains("error"),
            "{}",
            failed.text
        );
    }
    assert_eq!(rig.asked().len(), 3);
    written().await;
    let shown = manage(&rig, Method::GET, &format!("/v1/keys/{id}"), json!({}))
        .await
        .json();
    assert!(
        shown["data"]["usage"].as_f64().unwrap() > 0.0,
        "perhaps charged is booked"
    );
}

#[tokio::test]
async fn two_hundred_at_once_keep_the_budget_and_leave_no_hold() {
    let rig = shared("family=key-a", &[]);
    // Of a model that was not asked yet, an answer is estimated at about 1,800 credits.
    let fields = json!({"budgets": [{"per": "day", "credits": 100_000}]});
    let (text, id) = key(&rig, fields).await;
    let body = hello("gpt-4o-mini");
    let asking = (0..200).map(|_| post(&rig, &text, "/v1/chat/completions", &body));
    let answers = futures_util::future::join_all(asking).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let served = statuses.iter().filter(|status| **status == 200).count();
    assert!(
        statuses.iter().all(|status| [200, 402].contains(status)),
        "{statuses:?}"
    );
    assert!(
        served >= 50,
        "{served} were served, and there was room for 50"
    );
    written().await;
    let shown = manage(&rig, Method::GET, &format!("/v1/keys/{id}"), json!({}))
        .await
        .json();
    let budget = &shown["data"]["budgets"][0];
    assert_eq!(budget["held"], 0.0);
    assert!(budget["used"].as_f64().unwrap() <= 100_000.0);
    let total: u64 = charges(&rig).iter().map(|charge| charge.credits).sum();
    assert_eq!(
        budget["used"].as_f64().unwrap().to_string(),
        total.to_string()
    );
}

#[tokio::test]
async fn commands_manage_keys_while_the_relay_runs() {
    let rig = shared("family=key-a", &[]);
    let run = |args: &[&str]| {
        let mut command = command();
        command
            .env("DATA_DIR", rig.folder())
            .env("ADMIN_KEY", ADMIN)
            .args(args);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let made = run(&[
        "key",
        "add",
        "Ada",
        "--budget",
        "month=50000,day=5000",
        "--models",
        "gpt-*",
    ]);
    let text = made.lines().next().unwrap().to_owned();
    assert!(text.starts_with("sk-relay-"), "{made}");
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(chat(&rig, &text).await.status, 200);
    written().await;
    assert!(run(&["key", "list"]).contains("Ada"));
    assert!(run(&["usage", "--by", "key,model", "--csv"]).contains("Ada,gpt-4o-mini,1,0"));
    run(&["key", "off", "Ada"]);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(chat(&rig, &text).await.status, 401);
    run(&["key", "rm", "Ada"]);
    assert!(run(&["key", "list"]).contains("no access keys"));
}

/// A relay before this upstream, with a folder that outlives it.
fn over(upstream: &str, folder: &Path) -> Rig {
    let mut command = command();
    command
        .args(["--host", "127.0.0.1", "--port", "0"])
        .env("ONEMIN_BASE_URL", upstream)
        .env("ONEMIN_ASSET_URL", upstream)
        .env("ONEMIN_API_KEYS", "family=key-a")
        .env("ADMIN_KEY", ADMIN)
        .env("DATA_DIR", folder);
    Rig::bare(command)
}

/// The sum of a report.
async fn sum(rig: &Rig, path: &str) -> f64 {
    let report = get(rig, ADMIN, path).await.json();
    let rows = report["data"].as_array().unwrap();
    rows.iter()
        .map(|row| row["credits"].as_f64().unwrap())
        .sum()
}

#[tokio::test]
async fn sums_agree_with_what_was_charged_however_often_the_relay_is_killed() {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("killed-ledger");
    let _ = std::fs::remove_dir_all(&folder);
    let mut rig = over(&simulator.url(), &folder);
    let (text, id) = key(&rig, json!({})).await;
    // What 1min.ai's number was at first is known from here on.
    chat(&rig, &text).await;
    written().await;
    for round in 0..20 {
        let slow = asks(&json!({"first_ms": 900}), &json!({"stream": true}));
        let asking = (0..6).map(|n| {
            let body = if n == 0 {
                slow.clone()
            } else {
                hello("gpt-4o-mini")
            };
            let (rig, text) = (&rig, &text);
            async move { post(rig, text, "/v1/chat/completions", &body).await }
        });
        // At any moment from before the first answer until after the last.
        let moment = 20 + uuid::Uuid::new_v4().as_u128() % 1200;
        let kill = Duration::from_millis(u64::try_from(moment).unwrap());
        eprintln!("round {round}: killed after {kill:?}");
        let all = async {
            futures_util::future::join_all(asking).await;
            std::future::pending::<()>().await;
        };
        let _ = tokio::time::timeout(kill, all).await;
        rig.child.kill().unwrap();
        rig.child.wait().unwrap();
        rig = over(&simulator.url(), &folder);
    }
    // What is charged late is charged by now.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    for _ in 0..2 {
        assert_eq!(chat(&rig, &text).await.status, 200);
        written().await;
    }
    let rows = sum(&rig, "/v1/usage/requests?limit=1000&kind=all").await;
    let charged: u64 = simulator
        .charges()
        .iter()
        .map(|charge| charge.credits)
        .sum();
    let csv = get(&rig, ADMIN, "/v1/usage/requests?kind=all&format=csv")
        .await
        .text;
    // In thousandths, as they are booked: their sum as a float is not exact.
    assert_eq!(format!("{rows:.3}"), format!("{charged}.000"), "{csv}");
    for by in ["hour,kind", "day,kind", "kind"] {
        let total = sum(&rig, &format!("/v1/usage?by={by}")).await;
        assert_eq!(format!("{total:.3}"), format!("{rows:.3}"), "{by}");
    }
    let of_key = sum(&rig, &format!("/v1/usage?key={id}")).await;
    let shown = manage(&rig, Method::GET, &format!("/v1/keys/{id}"), json!({}))
        .await
        .json();
    let shown_usage = shown["data"]["usage"].as_f64().unwrap();
    assert_eq!(format!("{shown_usage:.3}"), format!("{of_key:.3}"));
    drop(rig);
    let _ = std::fs::remove_dir_all(&folder);
}

#[tokio::test]
async fn what_a_picture_cost_is_told_by_the_movement_of_the_accounts_credits() {
    let rig = shared("family=key-a", &[]);
    let (text, _) = key(&rig, json!({})).await;
    rig.jobs_are_done_at_once(1);
    chat(&rig, &text).await;
    let image = json!({"model": "gpt-image-1", "prompt": "a cat", "quality": "high"});
    let made = post(&rig, &text, "/v1/images/generations", &image).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let estimate = made.header("x-relay-credits-estimate").unwrap().to_owned();
    written().await;
    // Somebody uses the account's own page.
    let used = rig.simulator.account("key-a").unwrap().used_credit;
    rig.simulator.set_account("key-a", None, Some(used + 777));
    chat(&rig, &text).await;
    written().await;
    chat(&rig, &text).await;
    written().await;
    let rows = get(&rig, ADMIN, "/v1/usage/requests?kind=all").await.json();
    let rows = rows["data"].as_array().unwrap().clone();
    let picture = rows
        .iter()
        .find(|row| row["api"] == "images.generations")
        .unwrap();
    assert_eq!(picture["source"], "inferred", "{rows:?}");
    let charges = charges(&rig);
    let charge = charges
        .iter()
        .find(|charge| charge.feature == "IMAGE_GENERATOR")
        .unwrap();
    // One open call gets all that is not explained.
    assert_eq!(
        picture["credits"].as_f64().unwrap().to_string(),
        (charge.credits + 777).to_string()
    );
    assert_eq!(estimate, charge.credits.to_string());
    let used = rig.simulator.account("key-a").unwrap().used_credit;
    rig.simulator.set_account("key-a", None, Some(used + 500));
    chat(&rig, &text).await;
    written().await;
    let outside = sum(&rig, "/v1/usage?by=kind").await - sum(&rig, "/v1/usage").await;
    assert_eq!(outside.to_string(), "500");
}

#[tokio::test]
async fn both_kinds_of_keys_open_where_the_owner_wants_that() {
    let rig = shared("family=key-a", &["--relay-keys", "both"]);
    let (text, _) = key(&rig, json!({})).await;
    assert_eq!(chat(&rig, &text).await.status, 200);
    assert_eq!(chat(&rig, "somebodys-own-key").await.status, 200);
    written().await;
    let rows = get(&rig, ADMIN, "/v1/usage/requests").await.json();
    let rows = rows["data"].as_array().unwrap().clone();
    let accounts: Vec<&Value> = rows.iter().map(|row| &row["account"]).collect();
    assert_eq!(accounts, [&Value::Null, &json!("family")], "{rows:?}");
    let used = |key: &str| rig.simulator.account(key).unwrap().charges;
    assert_eq!((used("key-a"), used("somebodys-own-key")), (1, 1));
}
