//! Budgets and the ledger of replicas that share a PostgreSQL, which dies, hangs and comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use futures_util::future::join_all;
use http::{Method, Request};
use serde_json::{Value, json};
use simulator::Simulator;

use crate::counters::within_one_minute;
use crate::rig::{Answer, Folder, Rig};
use crate::service::Server;

const ADMIN: &str = "an-admin-key-of-24-letters";

async fn replica(simulator: &Arc<Simulator>, url: &str) -> Rig {
    let flags = [
        "--database-url",
        url,
        "--onemin-api-keys=family=key-a",
        "--relay-secret=a secret of sixteen or more",
        "--admin-key",
        ADMIN,
    ];
    let rig = Rig::over(simulator.clone(), Arc::new(Folder::new()), &flags);
    rig.app.start_sharing().await;
    rig
}

async fn manage(rig: &Rig, method: Method, path: &str, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {ADMIN}"));
    rig.send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

async fn key(rig: &Rig, fields: &Value) -> (String, String) {
    let made = manage(rig, Method::POST, "/v1/keys", fields).await;
    assert_eq!(made.status, 200, "{}", made.json());
    let made = made.json();
    let text = made["key"].as_str().unwrap().to_owned();
    (text, made["data"]["hash"].as_str().unwrap().to_owned())
}

async fn asked(rig: &Rig, key: &str) -> Answer {
    let body = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi."}]});
    rig.post(key, "/v1/chat/completions", &body).await
}

async fn chat(rig: &Rig, key: &str) -> u16 {
    asked(rig, key).await.status
}

/// What an answer says is left of the key's budget.
fn left(answer: &Answer) -> i64 {
    let left = answer.headers.get("x-relay-credits-left").unwrap();
    left.to_str().unwrap().parse().unwrap()
}

/// The key's use, once no row waits and nothing is held.
async fn settled(rig: &Rig, id: &str) -> f64 {
    for _ in 0..100 {
        let shown = manage(rig, Method::GET, &format!("/v1/keys/{id}"), &json!({})).await;
        let shown = shown.json();
        let budget = &shown["data"]["budgets"][0];
        let usage = shown["data"]["usage"].as_f64().unwrap();
        let report = rig.get(ADMIN, &format!("/v1/usage?key={id}")).await.json();
        let booked = report["data"][0]["credits"].as_f64().unwrap_or(0.0);
        let held = budget["held"].as_f64().unwrap_or(0.0);
        if held.abs() < 0.5 && (usage - booked).abs() < 0.5 && usage > 0.0 {
            return usage;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the ledger and the counters do not agree");
}

fn charged(simulator: &Simulator) -> f64 {
    let charges = simulator.charges();
    let total: u64 = charges.iter().map(|charge| charge.credits).sum();
    f64::from(u32::try_from(total).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_keep_one_budget_under_two_hundred_requests_at_once() {
    let Some(postgres) = Server::postgres() else {
        return;
    };
    let simulator = Arc::new(Simulator::start(simulator::Options::default()).unwrap());
    let url = postgres.url();
    let (one, two) = (
        replica(&simulator, &url).await,
        replica(&simulator, &url).await,
    );
    // Of a model that was not asked yet, an answer is estimated at about 1,800 credits.
    let budgets = json!({"name": "Ada", "budgets": [{"per": "day", "credits": 100_000}]});
    let (text, id) = key(&one, &budgets).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let before = (
        left(&asked(&one, &text).await),
        left(&asked(&two, &text).await),
    );
    assert!(before.0 < 100_000 && before.1 < 100_000, "{before:?}");
    let asking = (0..200).map(|n| {
        let (rig, text) = (if n % 2 == 0 { &one } else { &two }, &text);
        async move { chat(rig, text).await }
    });
    let statuses = join_all(asking).await;
    let count = |status: u16| statuses.iter().filter(|known| **known == status).count();
    assert!(count(200) >= 50, "{statuses:?}");
    assert_eq!(count(200) + count(402) + count(503), 200, "{statuses:?}");
    let used = settled(&two, &id).await;
    assert!(used <= 100_000.0);
    assert!((used - charged(&simulator)).abs() < 0.5, "{used}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_one_key_at_two_replicas_all_hold() {
    let Some(postgres) = Server::postgres() else {
        return;
    };
    let simulator = Arc::new(Simulator::start(simulator::Options::default()).unwrap());
    let one = replica(&simulator, &postgres.url()).await;
    let two = replica(&simulator, &postgres.url()).await;
    for round in 0..10_u32 {
        let (_, id) = key(&one, &json!({"name": "changed"})).await;
        let path = format!("/v1/keys/{id}");
        let (off, accounts) = (json!({"disabled": true}), json!({"accounts": ["family"]}));
        let rpm: Vec<Value> = (1..=4).map(|rpm| json!({"rpm": rpm})).collect();
        let changing = rpm.iter().enumerate().map(|(n, change)| {
            let rig = if n % 2 == 0 { &one } else { &two };
            manage(rig, Method::PATCH, &path, change)
        });
        let (off, accounts, _) = tokio::join!(
            manage(&one, Method::PATCH, &path, &off),
            manage(&two, Method::PATCH, &path, &accounts),
            join_all(changing),
        );
        assert_eq!((off.status, accounts.status), (200, 200), "round {round}");
        let entry = manage(&two, Method::GET, &path, &json!({})).await.json();
        let entry = &entry["data"];
        assert_eq!(entry["disabled"], true, "{entry}");
        assert_eq!(entry["accounts"], json!(["family"]), "{entry}");
        assert!(entry["rpm"].is_number(), "{entry}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_postgres_stops_budgeted_keys_alone_and_nothing_is_lost() {
    let Some(mut postgres) = Server::postgres() else {
        return;
    };
    let simulator = Arc::new(Simulator::start(simulator::Options::default()).unwrap());
    let rig = replica(&simulator, &postgres.url()).await;
    let (free, id) = key(&rig, &json!({"name": "free"})).await;
    let budgets = json!({"name": "bound", "budgets": [{"per": "day", "credits": 100_000}]});
    let (bound, _) = key(&rig, &budgets).await;
    assert_eq!(
        (chat(&rig, &free).await, chat(&rig, &bound).await),
        (200, 200)
    );
    for hung in [true, false] {
        if hung {
            postgres.stop();
        } else {
            postgres.kill();
        }
        for _ in 0..5 {
            assert_eq!(chat(&rig, &free).await, 200);
            let began = Instant::now();
            assert_eq!(chat(&rig, &bound).await, 503);
            assert!(
                began.elapsed() < Duration::from_millis(400),
                "{:?}",
                began.elapsed()
            );
        }
        if hung {
            postgres.go_on();
        } else {
            postgres.start();
        }
        let back = Instant::now();
        while chat(&rig, &bound).await != 200 {
            assert!(back.elapsed() < Duration::from_secs(20));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let _ = settled(&rig, &id).await;
    let report = rig.get(ADMIN, "/v1/usage").await.json();
    let booked = report["data"][0]["credits"].as_f64().unwrap();
    assert!((booked - charged(&simulator)).abs() < 0.5, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_image_is_paid_that_postgres_does_not_record_and_none_is_lost_on_the_way() {
    let Some(mut postgres) = Server::postgres() else {
        return;
    };
    let simulator = Arc::new(Simulator::start(simulator::Options::default()).unwrap());
    let rig = replica(&simulator, &postgres.url()).await;
    let jobs = rig.app.state.services().jobs.clone();
    tokio::spawn(relay::jobs::follower::run(jobs));
    let (free, id) = key(&rig, &json!({"name": "free"})).await;
    let body = json!({"model": "gpt-image-1", "prompt": "a cat"});
    let image = async || rig.post(&free, "/v1/images/generations", &body).await;
    let made = image().await;
    assert_eq!(made.status, 200, "{}", made.json());
    for hung in [true, false] {
        let before = simulator.charges().len();
        if hung {
            postgres.stop();
        } else {
            postgres.kill();
        }
        image().await.refused(503, None);
        assert_eq!(simulator.charges().len(), before, "nothing is paid");
        if hung {
            postgres.go_on();
        } else {
            postgres.start();
        }
        let back = Instant::now();
        while image().await.status != 200 {
            assert!(back.elapsed() < Duration::from_secs(30));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(simulator.charges().len(), before + 1);
    }
    // One that 1min.ai works on meanwhile is there when the database is back.
    let before = simulator.charges().len();
    let polls = json!({"endpoint": "features", "polls": 3});
    simulator.script(polls).unwrap();
    let dying = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        postgres.kill();
        tokio::time::sleep(Duration::from_secs(2)).await;
        postgres.start();
    };
    let (made, ()) = tokio::join!(image(), dying);
    assert_eq!(made.status, 200, "{}", made.json());
    assert_eq!(simulator.charges().len(), before + 1);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let report = rig.get(ADMIN, &format!("/v1/usage?key={id}")).await.json();
    let booked = report["data"][0]["credits"].as_f64().unwrap();
    assert!((booked - charged(&simulator)).abs() < 0.5, "{report}");
}

/// A relay that is told of no accounts: whatever there is stands in the database.
async fn untold(simulator: &Arc<Simulator>, url: &str, flags: &[&str]) -> Rig {
    let secret = "--relay-secret=a secret of sixteen or more";
    let flags = [&["--database-url", url, secret][..], flags].concat();
    let rig = Rig::over(simulator.clone(), Arc::new(Folder::new()), &flags);
    rig.app.start_sharing().await;
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_postgres_alone_is_noticed_and_no_key_is_refused_for_its_outage() {
    let Some(mut postgres) = Server::postgres() else {
        return;
    };
    let simulator = Arc::new(Simulator::start(simulator::Options::default()).unwrap());
    let url = postgres.url();
    let first = untold(&simulator, &url, &[]).await;
    assert_eq!(chat(&first, "a-strangers-own-key").await, 200);
    // What another process puts into the database.
    let managed = untold(&simulator, &url, &["--admin-key", ADMIN]).await;
    let (text, _) = key(&managed, &json!({"name": "Ada"})).await;
    let pool = &managed.app.state.services().access.key_access().gate.pool;
    let account = onemin::ApiKey::parse("key-1").unwrap();
    let sealed = pool.seal("one", &account).unwrap();
    pool.store().add("one".to_owned(), sealed).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    for rig in [&first, &managed] {
        assert_eq!(chat(rig, &text).await, 200);
        assert_eq!(chat(rig, "a-strangers-own-key").await, 401);
    }
    postgres.kill();
    // What was read is known on.
    assert_eq!(chat(&first, &text).await, 200);
    assert_eq!(chat(&first, "a-strangers-own-key").await, 401);
    let before = simulator.charges().len();
    let plain = untold(&simulator, &url, &[]).await;
    let managed = untold(&simulator, &url, &["--admin-key", ADMIN]).await;
    for rig in [&plain, &managed] {
        let refused = asked(rig, &text).await;
        refused.refused(503, None);
        assert!(refused.headers.contains_key("retry-after"));
    }
    assert_eq!(chat(&managed, "a-strangers-own-key").await, 503);
    assert_eq!(simulator.charges().len(), before, "nothing goes upstream");
    assert_eq!(chat(&plain, "a-strangers-own-key").await, 200);
    postgres.start();
    tokio::time::sleep(Duration::from_secs(4)).await;
    for rig in [&plain, &managed] {
        assert_eq!(chat(rig, &text).await, 200);
        assert_eq!(chat(rig, "a-strangers-own-key").await, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_names_its_account_by_a_keyed_hash_and_outlives_another_secret() {
    let account = "--onemin-api-keys=family=key-a";
    let flags = |secret: &'static str| [account, secret, "--admin-key", ADMIN, "--job-poll=0.1"];
    let first = "--relay-secret=a secret of sixteen or more";
    let one = Rig::new(&flags(first));
    one.app.start_sharing().await;
    let (text, _) = key(&one, &json!({"name": "Ada"})).await;
    let body = json!({"model": "kling", "prompt": "it moves", "seconds": "5"});
    let made = one.post(&text, "/v1/videos", &body).await;
    assert_eq!(made.status, 200, "{}", made.json());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let sql = "SELECT account FROM jobs".to_owned();
    let rows = one.app.stores.database.rows(sql, Vec::new()).await.unwrap();
    let account_key = onemin::ApiKey::parse("key-a").unwrap();
    let keyed = one.app.stores.account_ids.of_key(&account_key);
    assert_eq!(rows[0].text(0).unwrap(), keyed.to_string());
    // Its sealed key cannot be opened under another secret: the account of its name lends its own.
    let other = one.replica(&flags("--relay-secret=another secret than before"));
    other.app.start_sharing().await;
    let jobs = other.app.state.services().jobs.clone();
    tokio::spawn(relay::jobs::follower::run(jobs));
    let path = format!("/v1/videos/{id}");
    let began = Instant::now();
    loop {
        let video = other.get(&text, &path).await.json();
        if video["status"] == "completed" {
            break;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "{video}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_given_to_one_replica_count_at_the_other() {
    let Some(redis) = Server::redis() else {
        return;
    };
    let url = redis.url();
    let flags = [
        "--counters",
        "redis",
        "--redis-url",
        &url,
        "--relay-secret=a secret of sixteen or more",
        "--admin-key",
        ADMIN,
    ];
    let one = Rig::new(&flags);
    let two = one.replica(&flags);
    let sign_in = async |rig: &Rig, key: &str| {
        let request = Request::post("/admin/session").header("sec-fetch-site", "same-origin");
        let body = Body::from(json!({"key": key}).to_string());
        rig.send(request.body(body).unwrap()).await.status
    };
    for rig in [&one, &two] {
        rig.app.start_sharing().await;
        // The service is looked for when it is first needed.
        assert_eq!(sign_in(rig, ADMIN).await, 200);
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    within_one_minute(Duration::from_secs(10)).await;
    for rig in [&one, &two, &one, &two, &one] {
        assert_eq!(sign_in(rig, "wrong").await, 401);
    }
    for rig in [&one, &two] {
        assert_eq!(sign_in(rig, ADMIN).await, 429);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_that_ask_one_account_add_up_and_invent_nothing() {
    let Some(postgres) = Server::postgres() else {
        return;
    };
    let simulator = Arc::new(Simulator::start(simulator::Options::default()).unwrap());
    let url = postgres.url();
    let replicas = [
        replica(&simulator, &url).await,
        replica(&simulator, &url).await,
    ];
    let (text, id) = key(&replicas[0], &json!({"name": "Ada"})).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    // What 1min.ai's number was at first is known from here on.
    for _ in 0..2 {
        assert_eq!(chat(&replicas[0], &text).await, 200);
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let asking = replicas.iter().enumerate().map(|(replica, rig)| {
        let text = &text;
        async move {
            for number in 0..25_u64 {
                let speech =
                    json!({"model": "tts-1", "voice": "alloy", "input": format!("{number}")});
                let status = if number % 4 == 0 {
                    rig.post(text, "/v1/audio/speech", &speech).await.status
                } else {
                    chat(rig, text).await
                };
                assert_eq!(status, 200);
                let pause = 37 * (number % 7) + 100 * replica as u64;
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        }
    });
    join_all(asking).await;
    for _ in 0..4 {
        for rig in &replicas {
            tokio::time::sleep(Duration::from_millis(700)).await;
            assert_eq!(chat(rig, &text).await, 200);
        }
    }
    // Two calls of one process in a row, between which the other has booked nothing.
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(chat(&replicas[0], &text).await, 200);
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    let used = settled(&replicas[1], &id).await;
    let charged = charged(&simulator);
    let report = replicas[1].get(ADMIN, "/v1/usage?by=kind").await.json();
    let kinds = report["data"].as_array().unwrap().iter();
    let total: f64 = kinds.map(|kind| kind["credits"].as_f64().unwrap()).sum();
    assert!((total - charged).abs() < 0.5, "{report} for {charged}");
    assert!(
        (used - charged).abs() < 0.1 * charged,
        "{report} for {charged}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_with_an_image_needs_room_for_its_estimate_once() {
    let Some(postgres) = Server::postgres() else {
        return;
    };
    let simulator = Arc::new(Simulator::start(simulator::Options::default()).unwrap());
    let rig = replica(&simulator, &postgres.url()).await;
    let pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let image = json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{pixel}")}});
    let body = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is it?"}, image]}]});
    let (free, _) = key(&rig, &json!({"name": "free"})).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let answer = rig.post(&free, "/v1/chat/completions", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    let estimate = answer.headers["x-relay-credits-estimate"].to_str().unwrap();
    let estimate: f64 = estimate.parse().unwrap();
    let budget = json!({"name": "bounded", "budgets": [{"per": "day", "credits": 1.5 * estimate}]});
    let (bounded, _) = key(&rig, &budget).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let answer = rig.post(&bounded, "/v1/chat/completions", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
}
