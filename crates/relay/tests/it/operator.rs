//! What an operator has: numbers for Prometheus, and a doctor.

use std::process::Output;
use std::time::Duration;

use serde_json::json;
use simulator::Simulator;

use crate::rig::{Rig, asks, command};

#[tokio::test]
async fn metrics_are_there_only_where_they_are_wanted() {
    let rig = Rig::start();
    assert_eq!(rig.get("/metrics").await.status, 404);
    let rig = Rig::with(&["--metrics"]);
    let streamed = asks(&json!({"reply": "Hi"}), &json!({"stream": true}));
    let whole = asks(&json!({"reply": "Hi"}), &json!({}));
    assert!(rig.chat(&streamed).await.is_done());
    assert_eq!(rig.chat(&whole).await.status, 200);
    rig.chat(&asks(&json!({"fault": "http-500"}), &json!({})))
        .await;
    let unknown = json!({"model": "made-up-by-a-client", "messages": []});
    assert!(rig.chat(&unknown).await.status >= 400);
    tokio::time::sleep(Duration::from_millis(50)).await;

    let answer = rig.get("/metrics").await;
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let has = |line: &str| answer.text.lines().any(|found| found.starts_with(line));
    for line in [
        r#"relay_requests_total{api="chat.completions",end="answered"} 2"#,
        r#"relay_requests_total{api="chat.completions",end="upstream"} 1"#,
        r#"relay_requests_open{api="chat.completions"} 0"#,
        r#"relay_first_byte_seconds_count{api="chat.completions"}"#,
        r#"relay_tokens_total{model="gpt-4o-mini",direction="output"}"#,
        r#"relay_credits_total{model="gpt-4o-mini"}"#,
    ] {
        assert!(has(line), "{line} in\n{}", answer.text);
    }
    assert!(!answer.text.contains("made-up"), "{}", answer.text);
}

fn doctor(environment: &[(&str, &str)]) -> (bool, String) {
    let mut command = command();
    command.args(["--doctor", "--rust-log", "error"]);
    command.envs(environment.iter().copied());
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = [stdout, stderr].concat();
    (
        status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

fn line<'t>(report: &'t str, subject: &str) -> &'t str {
    let has = |line: &&str| line.split_whitespace().nth(1) == subject.split_whitespace().next();
    report
        .lines()
        .find(has)
        .unwrap_or_else(|| panic!("{subject} in\n{report}"))
}

#[test]
fn the_doctor_finds_nothing_wrong_where_nothing_is() {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let url = simulator.url();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("doctor");
    let _ = std::fs::remove_dir_all(&folder);
    let (well, report) = doctor(&[
        ("ONEMIN_BASE_URL", &url),
        ("ONEMIN_ASSET_URL", &url),
        ("ONEMIN_API_KEY", "a-good-key"),
        ("DATA_DIR", folder.to_str().unwrap()),
    ]);
    assert!(well, "{report}");
    for (subject, words) in [
        ("1min.ai", "chat models"),
        ("assets", "can be reached"),
        ("key", "knows it"),
        ("state", "read and written"),
        ("files", "read and written"),
    ] {
        let line = line(&report, subject);
        assert!(line.contains(" good ") && line.contains(words), "{line}");
    }
    assert!(!report.contains("a-good-key"), "{report}");
}

#[test]
fn the_doctor_says_what_is_wrong_and_ends_with_an_error() {
    let nobody = {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", taken.local_addr().unwrap())
    };
    let port = nobody.rsplit(':').next().unwrap();
    let (well, report) = doctor(&[
        ("ONEMIN_BASE_URL", &nobody),
        ("ONEMIN_ASSET_URL", &nobody),
        ("DATA_DIR", "/proc/nowhere"),
        ("RATE_LIMIT_PER_MINUTE", "60"),
        ("MEMCACHED_HOST", "127.0.0.1"),
        ("MEMCACHED_PORT", port),
        ("EMBEDDINGS_BASE_URL", &nobody),
    ]);
    assert!(!well, "{report}");
    for (subject, words) in [
        ("1min.ai", "). Until it answers the built-in list"),
        ("assets", "). Images and speech"),
        ("rate", "counts for itself"),
        ("state", "DATA_DIR"),
        ("files", "DATA_DIR"),
        ("embeddings", "EMBEDDINGS_BASE_URL"),
    ] {
        let line = line(&report, subject);
        assert!(line.contains("TROUBLE") && line.contains(words), "{line}");
    }
    assert!(report.contains("6 of the above"), "{report}");
    assert!(!report.contains("charged"), "{report}");

    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let (_, report) = doctor(&[
        ("ONEMIN_BASE_URL", &simulator.url()),
        ("ONEMIN_ASSET_URL", &simulator.url()),
        ("ONEMIN_API_KEY", "deleted-key"),
    ]);
    let line = line(&report, "key");
    assert!(
        line.contains("TROUBLE") && !line.contains("deleted-key"),
        "{report}"
    );
}
