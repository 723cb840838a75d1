//! The journal tells what came in and notices at once who leaves.

use std::time::{Duration, Instant};

use serde_json::json;
use simulator::{Entry, Options, Outcome, Simulator};

use crate::client::{Call, KEY, chat, start, upload};

const SOON: Duration = Duration::from_secs(5);

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    u64::try_from(since.as_millis()).expect("in range")
}

#[tokio::test]
async fn a_request_is_written_down_without_its_key() {
    let sim = start();
    let begun = now_ms();
    let headers = [
        ("API-KEY", KEY),
        ("user-agent", "relay/1"),
        ("x-mine", "yes"),
        ("authorization", "Bearer secret"),
    ];
    let body = json!({"model": "gpt-4o-mini", "promptObject": {"prompt": "hello"}});
    Call::send(
        &sim,
        "POST /api/chat-with-ai?isStreaming=true",
        &headers,
        body.to_string().as_bytes(),
    )
    .await
    .reply()
    .await;
    let entry = sim
        .journal()
        .wait_for(|entry| entry.outcome == Outcome::Finished, SOON)
        .await
        .expect("finished");
    assert_eq!(
        (entry.seq, entry.method.as_str(), entry.path.as_str()),
        (1, "POST", "/api/chat-with-ai")
    );
    assert_eq!(
        (entry.query.as_deref(), entry.user_agent.as_deref()),
        (Some("isStreaming=true"), Some("relay/1"))
    );
    assert_eq!(
        (&entry.body, entry.status, entry.prompt()),
        (&body, Some(200), Some("hello"))
    );
    assert_eq!(entry.headers["x-mine"], "yes");
    assert!(entry.started_at_ms >= begun && entry.ended_at_ms >= Some(entry.started_at_ms));
    assert!(entry.deltas > 10);
    let shown = serde_json::to_string(&entry).expect("JSON");
    assert!(!shown.contains(KEY) && !shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn the_same_key_has_the_same_hash_and_another_key_another() {
    let sim = start();
    for key in ["one", "two", "one"] {
        Call::send(&sim, "GET /models", &[("API-KEY", key)], b"")
            .await
            .reply()
            .await;
    }
    Call::send(&sim, "GET /models", &[], b"")
        .await
        .reply()
        .await;
    let hashes: Vec<_> = sim
        .journal()
        .entries()
        .into_iter()
        .map(|entry| entry.api_key_hash)
        .collect();
    assert!(hashes[0] == hashes[2] && hashes[0] != hashes[1] && hashes[0].is_some());
    assert_eq!(hashes[3], None);
}

#[tokio::test]
async fn uploads_are_written_down_by_name_length_and_hash() {
    let sim = start();
    upload(
        &sim,
        "name=\"asset\"; filename=\"a.txt\"",
        "text/plain",
        b"abc",
    )
    .await;
    let expected = json!({
        "filename": "a.txt", "mime": "text/plain", "length": 3,
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    });
    assert_eq!(sim.journal().entries()[0].body, expected);
}

/// Sends a chat request, waits until bytes have come if there will be some, leaves and returns the
/// entry. On a busy machine anything can be late once, but not five times.
async fn leave(sim: &Simulator, streaming: bool, prompt: &str, wait_for_bytes: bool) -> Entry {
    let mut late = Vec::new();
    while late.len() < 5 {
        sim.journal().clear();
        let mut call = Call::chat(sim, streaming, prompt).await;
        let open = |entry: &Entry| entry.outcome == Outcome::Open && entry.prompt().is_some();
        assert!(sim.journal().wait_for(open, SOON).await.is_some());
        if wait_for_bytes {
            assert!(!call.read_some().await.is_empty());
        }
        let left = Instant::now();
        drop(call);
        let entry = sim
            .journal()
            .wait_for(Entry::client_left, SOON)
            .await
            .expect("noticed");
        if left.elapsed() < Duration::from_millis(20) {
            return entry;
        }
        late.push(left.elapsed());
    }
    panic!("noticed only after {late:?}")
}

#[tokio::test]
async fn leaving_is_noticed_in_the_middle_of_a_slow_stream() {
    let sim = start();
    let entry = leave(
        &sim,
        true,
        r#"[[sim {"tokens":50,"delay_ms":10000}]]"#,
        true,
    )
    .await;
    assert_eq!((entry.status, entry.deltas), (Some(200), 1));
}

#[tokio::test]
async fn leaving_is_noticed_in_a_stall() {
    let sim = start();
    let entry = leave(&sim, true, r#"[[sim {"fault":"stall","after":3}]]"#, true).await;
    assert_eq!((entry.status, entry.deltas), (Some(200), 3));
}

#[tokio::test]
async fn leaving_is_noticed_before_the_head() {
    let sim = start();
    for directive in [
        r#"[[sim {"fault":"silent"}]]"#,
        r#"[[sim {"first_ms":10000}]]"#,
    ] {
        for streaming in [true, false] {
            let entry = leave(&sim, streaming, directive, false).await;
            assert_eq!((entry.status, entry.deltas), (None, 0));
        }
    }
}

#[tokio::test]
async fn leaving_is_noticed_in_the_middle_of_a_whole_answer() {
    let sim = start();
    let entry = leave(&sim, false, r#"[[sim {"fault":"stall"}]]"#, true).await;
    assert_eq!(entry.status, Some(200));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_a_client_that_left() {
    let sim = start();
    let call = Call::chat(
        &sim,
        true,
        r#"[[sim {"fault":"huge-event","bytes":4000000}]]"#,
    )
    .await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert!(!sim.journal().entries()[0].client_left());
    assert!(call.reply().await.expect("an answer").complete);
}

#[tokio::test]
async fn faults_that_break_the_connection_are_told_from_leaving() {
    let sim = start();
    for fault in ["cut", "reset", "hang-up"] {
        sim.journal().clear();
        Call::chat(&sim, true, &format!("[[sim {}]]", json!({"fault": fault})))
            .await
            .reply()
            .await;
        let torn = sim
            .journal()
            .wait_for(|entry| entry.outcome == Outcome::Torn, SOON)
            .await;
        assert!(torn.is_some(), "{fault}");
    }
}

#[tokio::test]
async fn waiting_ends_without_an_entry_when_the_time_is_over() {
    let sim = start();
    assert!(
        sim.journal()
            .wait_for(Entry::client_left, Duration::from_millis(20))
            .await
            .is_none()
    );
}

#[tokio::test]
async fn without_a_journal_nothing_is_written_down() {
    let sim = Simulator::start(Options {
        journal: false,
        ..Options::default()
    })
    .expect("a free port");
    assert_eq!(chat(&sim, true, "x").await.status, 200);
    assert_eq!(sim.journal().entries().len(), 0);
    let over_http = Call::send(&sim, "GET /_sim/journal", &[], b"")
        .await
        .reply()
        .await;
    assert_eq!(over_http.expect("an answer").status, 404);
}

#[tokio::test]
async fn a_dropped_simulator_closes_its_port_and_its_connections() {
    let sim = start();
    let address = sim.addr();
    let mut call = Call::chat(&sim, true, r#"[[sim {"fault":"stall","after":1}]]"#).await;
    assert!(!call.read_some().await.is_empty());
    drop(sim);
    while !call.read_some().await.is_empty() {}
    let refused = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, refused)
        .await
        .expect("the port is closed");
}
