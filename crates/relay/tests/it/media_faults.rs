//! Failures of upstream at media: what the client sees, and that nothing is paid for twice.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::form::{Form, png, wav};
use crate::rig::{AUTHORIZED, Answer, Rig};
use http::Method;
use http_body_util::BodyExt as _;

const IMPATIENT: [&str; 6] = [
    "--media-timeout",
    "1.5",
    "--idle-timeout",
    "0.6",
    "--first-byte-timeout",
    "0.6",
];

/// With requests recorded, and without: then images are made by jobs.
const LEDGER: [[&str; 2]; 2] = [["--ledger", "auto"], ["--ledger", "on"]];

/// A relay with these flags that records requests or does not.
fn rig_with(flags: &[&str], ledger: [&str; 2]) -> Rig {
    Rig::with(&[flags, &ledger].concat())
}

/// One request of each kind. Speech and transcripts are held, pictures are polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Generation,
    Change,
    Variation,
    Speech,
    Transcript,
}

use Asks::{Change, Generation, Speech, Transcript, Variation};

const ALL: [Asks; 5] = [Generation, Change, Variation, Speech, Transcript];

impl Asks {
    async fn send(self, rig: &Rig) -> Answer {
        // Another picture each time: the same one would not be uploaded again.
        static SIDE: AtomicU32 = AtomicU32::new(8);
        let side = SIDE.fetch_add(1, Ordering::Relaxed);
        let image = || Form::default().file("image", "a.png", &png(side, 8));
        match self {
            Generation => {
                let body = json!({"model": "gpt-image-1", "prompt": "a cat"});
                rig.post("/v1/images/generations", &body).await
            }
            Change => {
                let form = image().text("model", "gpt-image-1").text("prompt", "blue");
                rig.form("/v1/images/edits", form).await
            }
            Variation => {
                let form = image().text("response_format", "b64_json");
                rig.form("/v1/images/variations", form).await
            }
            Speech => {
                let body = json!({"model": "tts-1", "input": "Hello", "voice": "alloy"});
                rig.post("/v1/audio/speech", &body).await
            }
            Transcript => {
                let form = Form::default().text("model", "whisper-1");
                let form = form.file("file", "a.wav", &wav(800));
                rig.form("/v1/audio/transcriptions", form).await
            }
        }
    }
}

/// Requests that cost something.
fn paid(rig: &Rig) -> usize {
    let journal = rig.simulator.journal();
    journal.matching(|e| e.path == "/api/features").len()
}

fn looks(rig: &Rig) -> usize {
    let journal = rig.simulator.journal();
    journal
        .matching(|e| e.path.starts_with("/api/results/"))
        .len()
}

/// Checks a failure; says what is wrong with it.
fn failed(answer: &Answer, status: u16, code: &str) -> Result<(), String> {
    let error = &answer.json()["error"];
    let is_right = answer.status == status
        && error["code"] == code
        && error["message"].as_str().is_some_and(|m| m.len() > 20)
        && answer.header("x-should-retry").is_some()
        && !answer.text.contains("key-of-tests");
    if is_right {
        return Ok(());
    }
    Err(format!(
        "not {status} {code}: {} {}",
        answer.status, answer.text
    ))
}

/// The fault of the paid request, and what every kind of request sees then.
const TABLE: &[(&str, u16, &str)] = &[
    (r#"{"fault":"unauthorized"}"#, 401, "invalid_api_key"),
    (
        r#"{"fault":"insufficient-credits"}"#,
        402,
        "insufficient_quota",
    ),
    (
        r#"{"fault":"credits-in-result"}"#,
        402,
        "insufficient_quota",
    ),
    (
        r#"{"fault":"http-error","status":402,"code":"PAYMENT_REQUIRED","message":"Pay first"}"#,
        402,
        "insufficient_quota",
    ),
    (
        r#"{"fault":"http-error","status":403,"code":"FORBIDDEN","message":"Not for this team"}"#,
        403,
        "forbidden",
    ),
    (
        r#"{"fault":"moderation-in-result"}"#,
        400,
        "content_policy_violation",
    ),
    (
        r#"{"fault":"rate-limited","retry_after":7}"#,
        429,
        "rate_limit_exceeded",
    ),
    (r#"{"fault":"cloudflare-1010"}"#, 502, "upstream_error"),
    (r#"{"fault":"cloudflare-1015"}"#, 429, "rate_limit_exceeded"),
    (r#"{"fault":"http-500"}"#, 502, "upstream_error"),
    (r#"{"fault":"http-502"}"#, 502, "upstream_error"),
    (r#"{"fault":"http-503"}"#, 502, "upstream_error"),
    (r#"{"fault":"http-504"}"#, 504, "upstream_timeout"),
    (
        r#"{"fault":"http-error","status":524,"message":"A timeout occurred"}"#,
        504,
        "upstream_timeout",
    ),
    (
        r#"{"fault":"message-only","status":409,"message":"Conflicting aspect ratio"}"#,
        409,
        "conflict",
    ),
    (r#"{"fault":"http-522"}"#, 502, "upstream_error"),
    (r#"{"fault":"success-false"}"#, 502, "upstream_error"),
    (r#"{"fault":"status-failure"}"#, 502, "upstream_error"),
    (r#"{"fault":"status-failed"}"#, 502, "upstream_error"),
    (r#"{"fault":"cut"}"#, 502, "upstream_error"),
    (r#"{"fault":"clean-cut"}"#, 502, "upstream_error"),
    (r#"{"fault":"reset"}"#, 502, "upstream_error"),
    (r#"{"fault":"hang-up"}"#, 502, "upstream_error"),
    (r#"{"fault":"stall"}"#, 504, "upstream_timeout"),
    (r#"{"fault":"silent"}"#, 504, "upstream_timeout"),
];

#[tokio::test]
async fn every_fault_of_the_paid_request_is_seen_and_paid_once() {
    for ledger in LEDGER {
        every_fault_is_seen_and_paid_once(&rig_with(&IMPATIENT, ledger)).await;
    }
}

async fn every_fault_is_seen_and_paid_once(rig: &Rig) {
    let mut wrong = Vec::new();
    for (fault, status, code) in TABLE {
        let mut fault: Value = serde_json::from_str(fault).unwrap();
        fault["endpoint"] = json!("features");
        let waits = ["stall", "silent"].iter().any(|w| fault["fault"] == *w);
        for asks in ALL {
            if waits && !matches!(asks, Generation | Transcript) {
                continue;
            }
            rig.simulator.reset();
            rig.jobs_are_done_at_once(1);
            rig.simulator.set_faults(fault.clone()).unwrap();
            let answer = asks.send(rig).await;
            if let Err(why) = failed(&answer, *status, code) {
                wrong.push(format!("{asks:?} {fault}: {why}"));
            }
            if paid(rig) != 1 {
                wrong.push(format!("{asks:?} {fault}: paid {} times", paid(rig)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_variation_goes_on_to_another_model_only_where_the_first_is_not_there() {
    for ledger in LEDGER {
        let rig = rig_with(&[], ledger);
        let missing = json!({"fault": "http-error", "status": 400, "code": "UNSUPPORTED_MODEL",
            "message": "Model X is not supported for feature IMAGE_VARIATOR", "endpoint": "features"});
        let once = |mut fault: Value, times: u32| {
            fault["times"] = times.into();
            rig.simulator.set_faults(fault).unwrap();
        };
        once(missing.clone(), 2);
        let answer = Variation.send(&rig).await;
        assert_eq!((answer.status, paid(&rig)), (200, 3), "{}", answer.text);
        let tried = rig.simulator.journal();
        let tried = tried.matching(|entry| entry.path == "/api/features");
        let models: Vec<&Value> = tried.iter().map(|entry| &entry.body["model"]).collect();
        let redux = "black-forest-labs/flux-redux-dev";
        assert_eq!(
            models,
            [&json!("magic-art"), &json!("clipdrop"), &json!(redux)]
        );
        assert_eq!(answer.header("x-relay-model"), Some(redux));
        // If none is there, what is said is said of the first.
        rig.simulator.reset();
        rig.simulator.set_faults(missing).unwrap();
        let answer = Variation.send(&rig).await;
        assert_eq!((answer.status, paid(&rig)), (404, 5), "{}", answer.text);
    }
}

#[tokio::test]
async fn no_other_model_is_asked_where_the_first_may_have_been_paid() {
    // The provider has refused it at work, so 1min.ai may have charged it.
    let refused = json!({"fault": "http-error", "status": 400, "code": "OPEN_AI", "endpoint": "features",
        "message": "Unsupported parameter: 'temperature' is not supported with this model."});
    for ledger in LEDGER {
        let rig = rig_with(&[], ledger);
        for asks in ALL {
            rig.simulator.reset();
            rig.simulator.set_faults(refused.clone()).unwrap();
            let answer = asks.send(&rig).await;
            assert_eq!(
                (answer.status, paid(&rig)),
                (400, 1),
                "{asks:?}: {}",
                answer.text
            );
        }
    }
}

#[tokio::test]
async fn faults_of_the_upload_are_seen_and_nothing_is_paid() {
    let rig = Rig::with(&IMPATIENT);
    let mut wrong = Vec::new();
    for (fault, status, code) in [
        ("unauthorized", 401, "invalid_api_key"),
        ("insufficient-credits", 402, "insufficient_quota"),
        ("rate-limited", 429, "rate_limit_exceeded"),
        ("http-500", 502, "upstream_error"),
        ("http-522", 502, "upstream_error"),
        ("cut", 502, "upstream_error"),
        ("hang-up", 502, "upstream_error"),
    ] {
        for asks in [Change, Variation, Transcript] {
            rig.simulator.reset();
            let fault = json!({"fault": fault, "endpoint": "assets"});
            rig.simulator.set_faults(fault.clone()).unwrap();
            let answer = asks.send(&rig).await;
            if let Err(why) = failed(&answer, status, code) {
                wrong.push(format!("{asks:?} {fault}: {why}"));
            }
            if paid(&rig) != 0 {
                wrong.push(format!("{asks:?} {fault}: paid"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Requests whose result is fetched.
const FETCHED: [Asks; 3] = [Generation, Variation, Speech];

#[tokio::test]
async fn a_result_that_cannot_be_fetched_is_said_and_not_made_again() {
    let rig = Rig::with(&IMPATIENT);
    let gone = json!({"fault": "http-error", "status": 404, "message": "gone"});
    let mut wrong = Vec::new();
    for (fault, status, code) in [
        (gone, 502, "upstream_error"),
        (
            json!({"faults": ["url-forbidden", "cdn-forbidden"]}),
            502,
            "upstream_error",
        ),
        (json!({"fault": "http-500"}), 502, "upstream_error"),
        (json!({"fault": "silent"}), 504, "upstream_timeout"),
        (json!({"fault": "hang-up"}), 502, "upstream_error"),
    ] {
        for asks in FETCHED {
            rig.simulator.reset();
            rig.jobs_are_done_at_once(1);
            let mut fault = fault.clone();
            fault["endpoint"] = json!("files");
            rig.simulator.set_faults(fault.clone()).unwrap();
            let answer = asks.send(&rig).await;
            if let Err(why) = failed(&answer, status, code) {
                wrong.push(format!("{asks:?} {fault}: {why}"));
            }
            if answer.header("x-should-retry") != Some("false") || paid(&rig) != 1 {
                wrong.push(format!("{asks:?} {fault}: may be paid twice"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_result_of_any_size_is_not_held_in_memory() {
    let rig = Rig::with(&IMPATIENT);
    rig.jobs_are_done_at_once(1);
    let fault = json!({"fault": "huge-file", "endpoint": "files", "bytes": 70_000_000});
    rig.simulator.set_faults(fault).unwrap();
    let answer = Generation.send(&rig).await;
    let seen = failed(&answer, 502, "upstream_error");
    assert!(seen.is_ok(), "{seen:?} {}", answer.status);
    assert_eq!(paid(&rig), 1);
}

#[tokio::test]
async fn a_result_that_can_be_had_in_another_way_is() {
    let rig = Rig::with(&IMPATIENT);
    for (fault, endpoint) in [
        ("url-forbidden", "files"),
        ("cdn-forbidden", "files"),
        ("no-url", "features"),
        ("url-outside", "features"),
        ("string-result", "features"),
        ("binary-answer", "features"),
        ("slow-first-byte", "features"),
        ("nested-errors", "features"),
        ("flat-errors", "features"),
    ] {
        for asks in FETCHED {
            rig.simulator.reset();
            rig.jobs_are_done_at_once(1);
            let fault = json!({"fault": fault, "endpoint": endpoint, "ms": 300});
            rig.simulator.set_faults(fault.clone()).unwrap();
            let answer = asks.send(&rig).await;
            assert_eq!(answer.status, 200, "{asks:?} {fault} {}", answer.text);
            let has_bytes = match asks {
                Speech => answer.text.len() > 100,
                _ => answer.json()["data"][0]["b64_json"].is_string(),
            };
            assert!(has_bytes, "{asks:?} {fault} {}", answer.text);
            assert_eq!(paid(&rig), 1);
        }
    }
}

/// Reads an answer that may break off; gives its status and how far it came.
async fn read(rig: &Rig, path: &str, body: &Value) -> (u16, String, bool) {
    use http_body_util::BodyExt as _;
    let response = rig
        .open(Method::POST, path, &AUTHORIZED, body.to_string())
        .await;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut text = String::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return (status, text, false);
        };
        text.push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
    }
    (status, text, true)
}

#[tokio::test]
async fn a_download_that_breaks_off_never_looks_complete() {
    let rig = Rig::with(&IMPATIENT);
    for fault in ["cut", "reset", "stall"] {
        let file = json!({"fault": fault, "endpoint": "files", "times": 0});
        rig.simulator.reset();
        rig.simulator.set_faults(file.clone()).unwrap();
        let speech = json!({"model": "tts-1", "input": "Hello", "voice": "alloy"});
        let (status, text, complete) = read(&rig, "/v1/audio/speech", &speech).await;
        assert!(status != 200 || !complete, "{fault} {}", text.len());

        let mut events = speech.clone();
        events["stream_format"] = json!("sse");
        let (_, text, _) = read(&rig, "/v1/audio/speech", &events).await;
        assert!(text.contains("\"error\""), "{fault} {text}");
        assert!(!text.contains("speech.audio.done"), "{fault} {text}");

        rig.jobs_are_done_at_once(1);
        let answer = Generation.send(&rig).await;
        let status = if fault == "stall" { 504 } else { 502 };
        assert_eq!(answer.status, status, "{fault} {}", answer.text);
        assert_eq!(paid(&rig), 3, "{fault}");
    }
}

#[tokio::test]
async fn streams_of_long_jobs_live_until_their_end_or_fail_as_streams() {
    let rig = Rig::with(&["--heartbeat", "1", "--metrics"]);
    let draw = json!({"model": "gpt-image-1", "prompt": "a cat", "stream": true, "seed": 4});
    let speak =
        json!({"model": "tts-1", "input": "Hello", "voice": "alloy", "stream_format": "sse"});
    let slow = json!({"fault": "slow-first-byte", "ms": 1500, "endpoint": "features"});
    for (path, body, expected, end) in [
        (
            "/v1/images/generations",
            &draw,
            // Its headers were gone before anybody knew.
            "\n: x-relay {\"ignored\":\"seed\",\"model\":\"gpt-image-1\"}\n",
            "image_generation.completed",
        ),
        ("/v1/audio/speech", &speak, "", "speech.audio.done"),
    ] {
        rig.simulator.reset();
        rig.simulator.set_faults(slow.clone()).unwrap();
        let answer = rig.post(path, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.text.starts_with(": keep-alive\n"), "{}", answer.text);
        assert!(answer.text.contains(end), "{path}");
        assert!(answer.text.contains(expected), "{}", answer.text);
        let fails = json!([slow, {"fault": "http-500", "endpoint": "features"}]);
        rig.simulator.reset();
        rig.simulator.set_faults(fails).unwrap();
        let answer = rig.post(path, body).await;
        assert_eq!((answer.status, paid(&rig)), (200, 1), "{}", answer.text);
        assert!(
            answer.text.contains("event: error\ndata: {"),
            "{}",
            answer.text
        );
        assert!(!answer.text.contains(end), "{}", answer.text);
        // What fails at once has its status.
        rig.simulator.reset();
        rig.simulator
            .set_faults(json!({"fault": "http-500", "endpoint": "features"}))
            .unwrap();
        assert_eq!(rig.post(path, body).await.status, 502);
        assert_eq!(ends(&rig, path, "answered").await, 1);
        assert_eq!(ends(&rig, path, "upstream").await, 2);
    }
}

/// How many requests have ended in this way, by the operator's numbers.
async fn ends(rig: &Rig, path: &str, end: &str) -> u32 {
    let api = path.trim_start_matches("/v1/").replace('/', ".");
    let line = format!("relay_requests_total{{api=\"{api}\",end=\"{end}\"}} ");
    let metrics = rig.get("/metrics").await.text;
    let found = metrics.lines().find_map(|found| found.strip_prefix(&line));
    found.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn what_ends_after_its_headers_is_counted_by_how_it_ended() {
    let rig = Rig::with(&["--heartbeat", "0.1", "--metrics"]);
    let slow = json!({"fault": "slow-first-byte", "ms": 3000, "endpoint": "features"});
    rig.simulator.set_faults(slow).unwrap();
    let path = "/v1/images/generations";
    let draw = json!({"model": "gpt-image-1", "prompt": "a cat", "stream": true});
    let mut stream = rig.post_stream(path, &draw).await;
    stream.frame().await.unwrap().unwrap();
    assert_eq!(ends(&rig, path, "answered").await, 0);
    drop(stream);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ends(&rig, path, "client_left").await, 1);

    rig.simulator.reset();
    let path = "/v1/audio/speech";
    let speak = json!({"model": "tts-1", "input": "Hello", "voice": "alloy"});
    assert_eq!(rig.post(path, &speak).await.status, 200);
    assert_eq!(ends(&rig, path, "answered").await, 1);
    let head = rig.send(Method::HEAD, "/v1/files", &AUTHORIZED, "").await;
    assert_eq!(head.status, 200);
    assert_eq!(ends(&rig, "files.list", "answered").await, 1);
}

#[tokio::test]
async fn a_job_that_fails_says_why() {
    for ledger in LEDGER {
        let rig = rig_with(&[], ledger);
        for fault in ["status-failure", "status-failed"] {
            rig.simulator.reset();
            let fault =
                json!({"endpoint": "features", "fault": fault, "message": "The moon is full."});
            rig.simulator.set_faults(fault).unwrap();
            let answer = Generation.send(&rig).await;
            failed(&answer, 502, "upstream_error").unwrap();
            assert!(answer.text.contains("The moon is full"), "{}", answer.text);
            assert_eq!((paid(&rig), looks(&rig)), (1, 1));
        }
    }
}

#[tokio::test]
async fn a_job_is_looked_after_through_failures_of_the_looking() {
    let faults = ["http-500", "http-522", "hang-up", "cut", "rate-limited"];
    let cases = faults.map(|fault| LEDGER.map(|ledger| (fault, ledger)));
    let drawing = cases
        .as_flattened()
        .iter()
        .map(|(fault, ledger)| async move {
            let rig = rig_with(&[], *ledger);
            let once = json!({"endpoint": "results", "fault": fault, "times": 1});
            rig.simulator.set_faults(once).unwrap();
            let answer = Generation.send(&rig).await;
            assert_eq!(answer.status, 200, "{fault} {}", answer.text);
            assert_eq!((paid(&rig), looks(&rig)), (1, 2), "{fault}");
        });
    futures_util::future::join_all(drawing).await;
}

#[tokio::test]
async fn a_look_that_is_refused_for_good_ends_the_wait() {
    for ledger in LEDGER {
        let rig = rig_with(&[], ledger);
        let fault = json!({"endpoint": "results", "fault": "unauthorized", "times": 0});
        rig.simulator.set_faults(fault).unwrap();
        let answer = Generation.send(&rig).await;
        failed(&answer, 401, "invalid_api_key").unwrap();
        assert_eq!((paid(&rig), looks(&rig)), (1, 1));
        assert_eq!(answer.header("x-should-retry"), Some("false"));
    }
}

#[tokio::test]
async fn a_job_that_never_ends_ends_at_the_time_limit() {
    for ledger in LEDGER {
        let rig = rig_with(&["--media-timeout", "5"], ledger);
        let endless = json!({"endpoint": "features", "polls": 1_000_000});
        rig.simulator.script(endless).unwrap();
        let began = std::time::Instant::now();
        let answer = Generation.send(&rig).await;
        failed(&answer, 504, "upstream_timeout").unwrap();
        assert!(began.elapsed() < Duration::from_secs(8));
        assert_eq!(answer.header("x-should-retry"), Some("false"));
        assert_eq!((paid(&rig), looks(&rig)), (1, 2));
    }
}

#[tokio::test]
async fn a_client_that_leaves_stops_the_looking() {
    let rig = Rig::start();
    let endless = json!({"endpoint": "features", "polls": 1_000_000});
    rig.simulator.script(endless).unwrap();
    let limit = Duration::from_millis(2500);
    let gone = tokio::time::timeout(limit, Generation.send(&rig)).await;
    assert!(gone.is_err());
    let before = looks(&rig);
    assert!(before >= 1);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!((paid(&rig), looks(&rig)), (1, before));
}

#[tokio::test]
async fn a_client_that_leaves_a_held_request_cancels_it_at_once() {
    let rig = Rig::start();
    for asks in [Speech, Transcript] {
        rig.simulator.reset();
        let slow = json!({"endpoint": "features", "first_ms": 10_000});
        rig.simulator.script(slow).unwrap();
        let limit = Duration::from_millis(500);
        let gone = tokio::time::timeout(limit, asks.send(&rig)).await;
        assert!(gone.is_err());
        let took = rig.left().await.unwrap();
        assert!(took < 200, "{asks:?}: {took} ms");
    }
}
