//! Images of requests that are recorded: made by jobs, booked whoever leaves or dies meanwhile.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use simulator::{Charge, Simulator};

use crate::form::{FORM, Form, png};
use crate::rig::{Answer, Rig, command};
use crate::sharing::{ADMIN, get, key, manage, post, shared, written};

const GENERATIONS: &str = "/v1/images/generations";

/// Jobs are looked at soon.
const SOON: &str = "--job-poll=0.1";

fn cat() -> Value {
    json!({"model": "gpt-image-1", "prompt": "a cat"})
}

/// The next job is being worked on for so many looks.
fn takes(simulator: &Simulator, looks: u32) {
    let script = json!({"endpoint": "features", "polls": looks});
    simulator.script(script).unwrap();
}

fn posts(simulator: &Simulator) -> Vec<simulator::Entry> {
    let journal = simulator.journal();
    journal.matching(|entry| entry.path == "/api/features")
}

fn looks(simulator: &Simulator) -> usize {
    let journal = simulator.journal();
    let entries = journal.matching(|entry| entry.path.starts_with("/api/results/"));
    entries.len()
}

/// What was charged for images, each request once.
fn charged(simulator: &Simulator) -> Vec<Charge> {
    let charges = simulator.charges().into_iter();
    let charges: Vec<Charge> = charges
        .filter(|charge| charge.feature.starts_with("IMAGE"))
        .collect();
    let mut times: HashMap<&str, u32> = HashMap::new();
    for charge in &charges {
        *times.entry(&charge.request_id).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    charges
}

/// The ledger's rows of images, once there are so many.
async fn rows(rig: &Rig, count: usize) -> Vec<Value> {
    let since = Instant::now();
    loop {
        let rows = get(rig, ADMIN, "/v1/usage/requests?limit=100").await.json();
        let rows = rows["data"].as_array().unwrap().clone();
        let is_image = |row: &Value| row["api"].as_str().unwrap().starts_with("images.");
        let images: Vec<Value> = rows.into_iter().filter(is_image).collect();
        if images.len() >= count {
            return images;
        }
        assert!(since.elapsed() < Duration::from_secs(40), "{images:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn held(rig: &Rig, id: &str) -> f64 {
    let path = format!("/v1/keys/{id}");
    let shown = manage(rig, Method::GET, &path, json!({})).await.json();
    shown["data"]["budgets"][0]["held"].as_f64().unwrap()
}

/// A key with a budget, so that it can be seen what is held.
async fn bound(rig: &Rig) -> (String, String) {
    let budgets = json!([{"per": "day", "credits": 90_000_000}]);
    key(rig, json!({"budgets": budgets})).await
}

#[tokio::test]
async fn an_image_is_one_row_with_its_cost_and_no_video() {
    let rig = shared("family=key-a", &[SOON]);
    let (text, id) = bound(&rig).await;
    takes(&rig.simulator, 3);
    let made = post(&rig, &text, GENERATIONS, &cat()).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert!(made.json()["data"][0]["b64_json"].is_string());
    assert_eq!(made.header("x-relay-model"), Some("gpt-image-1"));
    let rows = rows(&rig, 1).await;
    let [charge] = charged(&rig.simulator).try_into().unwrap();
    let row = &rows[0];
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(
        row["credits"].as_f64().unwrap().to_string(),
        charge.credits.to_string()
    );
    for (field, value) in [
        ("end", json!("answered")),
        ("upstream_calls", json!(1)),
        ("account", json!("family")),
    ] {
        assert_eq!(row[field], value, "{row}");
    }
    let estimate = made.header("x-relay-credits-estimate").unwrap();
    assert_eq!(estimate, charge.credits.to_string());
    assert_eq!(
        made.header("x-request-id").unwrap(),
        row["id"].as_str().unwrap()
    );
    assert!(held(&rig, &id).await.abs() < 0.5);
    let videos = get(&rig, &text, "/v1/videos").await.json();
    assert_eq!(videos["data"], json!([]));
}

#[tokio::test]
async fn what_a_client_left_behind_is_made_and_booked_at_what_it_cost() {
    let rig = shared("family=key-a", &[SOON]);
    let (text, id) = bound(&rig).await;
    // What 1min.ai's number was at first is known from here on.
    let hello = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi."}]});
    let chat = async || {
        let answer = post(&rig, &text, "/v1/chat/completions", &hello).await;
        assert_eq!(answer.status, 200);
        written().await;
    };
    chat().await;
    takes(&rig.simulator, 12);
    let body = cat();
    let asking = post(&rig, &text, GENERATIONS, &body);
    let gone = tokio::time::timeout(Duration::from_millis(600), asking).await;
    assert!(gone.is_err());
    assert_eq!(posts(&rig.simulator).len(), 1);
    let before = looks(&rig.simulator);
    assert!(held(&rig, &id).await > 1.0, "the job holds what it costs");
    let left = rows(&rig, 1).await;
    assert!(looks(&rig.simulator) > before, "the job is followed");
    let [charge] = charged(&rig.simulator).try_into().unwrap();
    assert_eq!(left[0]["end"], "left", "{left:?}");
    let credits = |row: &Value| row["credits"].as_f64().unwrap().to_string();
    assert_eq!(credits(&left[0]), charge.credits.to_string());
    assert!(held(&rig, &id).await.abs() < 0.5);
    chat().await;
    chat().await;
    let compared = rows(&rig, 1).await;
    assert_eq!(
        (compared.len(), &compared[0]["source"]),
        (1, &json!("inferred"))
    );
    assert_eq!(credits(&compared[0]), charge.credits.to_string());

    // One that fails at no cost costs nothing, although nobody was there to hear it.
    let broke = json!({"endpoint": "features", "fault": "credits-in-result", "polls": 9});
    rig.simulator.script(broke).unwrap();
    let asking = post(&rig, &text, GENERATIONS, &body);
    let gone = tokio::time::timeout(Duration::from_millis(400), asking).await;
    assert!(gone.is_err());
    let free = rows(&rig, 2).await;
    let free = free.iter().find(|row| row["source"] == "none");
    assert_eq!(credits(free.unwrap()), "0");
    assert_eq!(charged(&rig.simulator).len(), 1);
}

/// A relay before this upstream, with a folder that outlives it.
fn over(simulator: &Simulator, folder: &Path) -> Rig {
    let mut command = command();
    command
        .args(["--host", "127.0.0.1", "--port", "0", SOON])
        .env("ONEMIN_BASE_URL", simulator.url())
        .env("ONEMIN_ASSET_URL", simulator.url())
        .env("ONEMIN_API_KEYS", "family=key-a")
        .env("ADMIN_KEY", ADMIN)
        .env("DATA_DIR", folder);
    Rig::bare(command)
}

#[tokio::test]
async fn an_image_of_a_killed_relay_is_followed_and_booked_once_by_the_next() {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let name = format!("killed-images-{}", std::process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    let mut rig = over(&simulator, &folder);
    let (text, id) = bound(&rig).await;
    for round in 1..=2 {
        takes(&simulator, 8);
        let prompt = format!("a cat [[sim {{\"id\": \"image-{round}\"}}]]");
        let body = json!({"model": "gpt-image-1", "prompt": prompt});
        let asking = post(&rig, &text, GENERATIONS, &body);
        let gone = tokio::time::timeout(Duration::from_millis(500), asking).await;
        assert!(gone.is_err());
        rig.child.kill().unwrap();
        rig.child.wait().unwrap();
        rig = over(&simulator, &folder);
        let booked = rows(&rig, round).await;
        assert_eq!(booked.len(), round, "{booked:?}");
        let charges = charged(&simulator);
        assert_eq!((charges.len(), posts(&simulator).len()), (round, round));
        let total: u64 = charges.iter().map(|charge| charge.credits).sum();
        let sum: f64 = booked
            .iter()
            .map(|row| row["credits"].as_f64().unwrap())
            .sum();
        assert_eq!(sum.to_string(), total.to_string());
        assert!(
            booked.iter().all(|row| row["end"] == "answered"),
            "{booked:?}"
        );
        assert!(held(&rig, &id).await.abs() < 0.5);
    }
    drop(rig);
    let _ = std::fs::remove_dir_all(&folder);
}

#[tokio::test]
async fn several_calls_are_several_jobs_of_one_request() {
    let rig = shared("family=key-a", &[SOON]);
    let (text, _) = key(&rig, json!({})).await;
    let body = json!({"model": "black-forest-labs/flux-1.1-pro", "prompt": "a cat", "n": 3, "response_format": "url"});
    let made = post(&rig, &text, GENERATIONS, &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(made.json()["data"].as_array().unwrap().len(), 3);
    assert_eq!(posts(&rig.simulator).len(), 3);
    let rows = rows(&rig, 1).await;
    assert_eq!(
        (rows.len(), &rows[0]["upstream_calls"]),
        (1, &json!(3)),
        "{rows:?}"
    );
    // What one of them failed to make does not take away what the others made.
    let fails = json!({"fault": "status-failure", "endpoint": "features", "times": 1});
    rig.simulator.set_faults(fails).unwrap();
    let made = post(&rig, &text, GENERATIONS, &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(made.json()["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn budgets_hold_for_images_at_once() {
    let rig = shared("family=key-a", &[SOON]);
    let (text, _) = key(&rig, json!({})).await;
    let made = post(&rig, &text, GENERATIONS, &cat()).await;
    let price: i64 = made
        .header("x-relay-credits-estimate")
        .unwrap()
        .parse()
        .unwrap();
    let budgets = json!([{"per": "day", "credits": price * 5}]);
    let (text, id) = key(&rig, json!({"budgets": budgets})).await;
    let asking = (0..20).map(|n| {
        let (rig, text) = (&rig, &text);
        let body = json!({"model": "gpt-image-1", "prompt": format!("cat {n}")});
        async move { post(rig, text, GENERATIONS, &body).await.status }
    });
    let statuses = futures_util::future::join_all(asking).await;
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(402)), (5, 15), "{statuses:?}");
    written().await;
    assert!(held(&rig, &id).await.abs() < 0.5);
    let path = format!("/v1/keys/{id}");
    let shown = manage(&rig, Method::GET, &path, json!({})).await.json();
    let usage = shown["data"]["usage"].as_f64().unwrap();
    assert_eq!(usage.to_string(), (price * 5).to_string());
}

/// A variation of an uploaded picture.
async fn vary(rig: &Rig, key: &str, more: &[(&str, &str)]) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", FORM)];
    let form = more.iter().fold(Form::default(), |form, (name, value)| {
        form.text(name, value)
    });
    let form = form.file("image", "a.png", &png(64, 64)).whole();
    rig.send(Method::POST, "/v1/images/variations", &headers, form)
        .await
}

#[tokio::test]
async fn a_variation_goes_on_to_another_model_whenever_the_first_says_that_it_is_not_there() {
    let rig = shared("family=key-a", &[SOON]);
    let (text, _) = key(&rig, json!({})).await;
    let missing = json!({"fault": "http-error", "status": 400, "code": "UNSUPPORTED_MODEL",
        "message": "Model X is not supported for feature IMAGE_VARIATOR", "endpoint": "features",
        "times": 2});
    rig.simulator.set_faults(missing).unwrap();
    let varied = vary(&rig, &text, &[]).await;
    assert_eq!(varied.status, 200, "{}", varied.text);
    let models: Vec<Value> = posts(&rig.simulator)
        .iter()
        .map(|entry| entry.body["model"].clone())
        .collect();
    let redux = "black-forest-labs/flux-redux-dev";
    assert_eq!(
        models,
        [json!("magic-art"), json!("clipdrop"), json!(redux)]
    );
    assert_eq!(varied.header("x-relay-model"), Some(redux));
    let rows = rows(&rig, 1).await;
    assert_eq!(
        (rows.len(), &rows[0]["upstream_calls"]),
        (1, &json!(1)),
        "{rows:?}"
    );
    assert_eq!(charged(&rig.simulator).len(), 1);
}

/// Which account was asked, in order.
fn accounts(entries: &[simulator::Entry]) -> Vec<&str> {
    let hashes = entries.iter().map(|entry| entry.api_key_hash.as_deref());
    hashes.map(Option::unwrap).collect()
}

#[tokio::test]
async fn a_variation_goes_to_the_next_account_with_its_picture() {
    for polled in [false, true] {
        let refused = if polled { "one=key-1" } else { "one=broke-1" };
        let rig = shared(&format!("{refused},two=key-2"), &["--pool", "order", SOON]);
        let (text, _) = key(&rig, json!({})).await;
        if polled {
            // The account's refusal comes when the job is asked after.
            let broke = json!({"endpoint": "features", "fault": "credits-in-result", "polls": 3});
            rig.simulator.script(broke).unwrap();
        }
        let varied = vary(&rig, &text, &[("model", "clipdrop")]).await;
        assert_eq!(varied.status, 200, "{polled}: {}", varied.text);
        assert_eq!(varied.header("x-relay-model"), Some("clipdrop"));
        let journal = rig.simulator.journal();
        let files = journal.matching(|entry| entry.path == "/api/assets");
        let calls = posts(&rig.simulator);
        assert_eq!((files.len(), calls.len()), (2, 2), "{polled}");
        assert_eq!(accounts(&files), accounts(&calls), "{polled}");
        assert_ne!(accounts(&calls)[0], accounts(&calls)[1], "{polled}");
        let named = |call: usize| calls[call].body["promptObject"]["imageUrl"].clone();
        assert_ne!(named(0), named(1), "{polled}: another file");
        assert_eq!(charged(&rig.simulator).len(), 1, "{polled}");
        let rows = rows(&rig, 1).await;
        assert_eq!(
            (rows.len(), &rows[0]["account"]),
            (1, &json!("two")),
            "{rows:?}"
        );
        assert_eq!(rows[0]["upstream_calls"], 1, "{rows:?}");
    }
}

#[tokio::test]
async fn where_no_account_does_a_job_that_was_accepted_the_reason_is_told() {
    let rig = shared("one=key-1,two=broke-2", &["--pool", "order", SOON]);
    let (text, id) = bound(&rig).await;
    let broke = json!({"endpoint": "features", "fault": "credits-in-result", "polls": 3});
    rig.simulator.script(broke).unwrap();
    let refused = post(&rig, &text, GENERATIONS, &cat()).await;
    assert_eq!(refused.status, 402, "{}", refused.text);
    assert!(refused.header("x-should-retry").is_some());
    let rows = rows(&rig, 1).await;
    assert_eq!(
        (rows.len(), rows[0]["credits"].as_f64()),
        (1, Some(0.0)),
        "{rows:?}"
    );
    assert!(held(&rig, &id).await.abs() < 0.5);
    assert!(charged(&rig.simulator).is_empty());
}

#[tokio::test]
async fn what_came_in_the_answer_itself_is_not_lost() {
    let rig = shared("family=key-a", &[SOON]);
    let (text, _) = key(&rig, json!({})).await;
    let binary = json!({"endpoint": "features", "fault": "binary-answer", "polls": 0, "times": 3});
    rig.simulator.script(binary).unwrap();
    let bytes = post(&rig, &text, GENERATIONS, &cat()).await;
    assert_eq!(bytes.status, 200, "{}", bytes.text);
    assert!(
        bytes.json()["data"][0]["b64_json"]
            .as_str()
            .unwrap()
            .starts_with("iVBORw0")
    );
    let mut body = cat();
    body["response_format"] = json!("url");
    let address = post(&rig, &text, GENERATIONS, &body).await.json();
    let address = address["data"][0]["url"].as_str().unwrap();
    assert!(
        address.starts_with("data:image/png;base64,iVBORw0"),
        "{address:.60}"
    );
    body["stream"] = json!(true);
    let streamed = post(&rig, &text, GENERATIONS, &body).await;
    assert!(
        streamed.text.contains("image_generation.completed"),
        "{:.200}",
        streamed.text
    );
    assert!(streamed.text.contains("\"b64_json\":\"iVBORw0"));
}

#[tokio::test]
async fn chat_with_an_image_model_and_variations_of_what_was_made_are_jobs_too() {
    let rig = shared("family=key-a", &[SOON]);
    let (text, _) = key(&rig, json!({})).await;
    takes(&rig.simulator, 3);
    let asked = json!({"model": "magic-art_7_0", "messages": [
        {"role": "user", "content": "a boat --ar 3:2 --relax"}]});
    let answer = post(&rig, &text, "/v1/chat/completions", &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let more = json!({"model": "magic-art_7_0", "messages": [
        {"role": "user", "content": "a boat"},
        {"role": "assistant", "content": answer.said()},
        {"role": "user", "content": "[_V3_]"}]});
    let varied = post(&rig, &text, "/v1/chat/completions", &more).await;
    assert_eq!(varied.status, 200, "{}", varied.text);
    let calls = posts(&rig.simulator);
    // What was asked for at first is repeated.
    let fields = &calls.last().unwrap().body["promptObject"];
    assert_eq!(fields["aspect_width"], 3, "{fields}");
    assert_eq!(charged(&rig.simulator).len(), 2);
    assert!(looks(&rig.simulator) >= 3);
}
