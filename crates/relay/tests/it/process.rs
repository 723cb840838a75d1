//! The program as a process: help, settings, logs, signals.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use http::Method;
use http_body_util::BodyExt as _;
use serde_json::json;
use simulator::Simulator;

use crate::rig::{AUTHORIZED, Rig, asks, command};

fn run(arguments: &[&str]) -> (bool, String) {
    let output = command().args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn help_teaches_every_name_that_others_rely_on() {
    let (good, help) = run(&["--help"]);
    assert!(good);
    for name in [
        "HOST",
        "PORT",
        "ONEMIN_BASE_URL",
        "ONEMIN_ASSET_URL",
        "RATE_LIMIT_PER_MINUTE",
        "ALLOW_PRIVATE_URLS",
        "RUST_LOG",
        "SUBSET_OF_ONE_MIN_PERMITTED_MODELS",
        "PERMIT_MODELS_FROM_SUBSET_ONLY",
    ] {
        let flag = format!("--{}", name.to_lowercase().replace('_', "-"));
        assert!(help.contains(name) && help.contains(&flag), "{name}");
    }
}

#[test]
fn the_configuration_reference_is_the_help() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let (_, help) = run(&["--help"]);
    let head = "# Configuration\n\nWhat `1min-relay --help` says. A flag beats the environment, the environment beats `.env`. \
        `UPDATE_GOLDEN=1 cargo test -p relay --test it configuration_reference` writes this page anew.\n";
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    // What follows is written by hand.
    let rest = written.find("\n## ").and_then(|at| written.get(at..));
    let page = format!(
        "{head}\n```text\n{}\n```\n{}",
        help.trim(),
        rest.unwrap_or_default()
    );
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(written, page, "docs/configuration.md is stale");
}

#[test]
fn settings_that_make_no_sense_stop_the_start_with_their_name() {
    for (arguments, word) in [
        (["--port", "70000"], "--port"),
        (["--onemin-base-url", "not a url"], "--onemin-base-url"),
        (
            ["--permit-models-from-subset-only", "maybe"],
            "true or false",
        ),
        (["--rust-log", "relay=loud"], "RUST_LOG"),
        (["--admin-key", "                          "], "ADMIN_KEY"),
        (
            ["--onemin-api-keys", "a=sk-relay-0123456789"],
            "not an access key",
        ),
    ] {
        let (good, text) = run(&arguments);
        assert!(!good && text.contains(word), "{arguments:?}: {text}");
    }
    let (good, text) = run(&["--check"]);
    assert!(good && text.contains("https://api.1min.ai"), "{text}");
}

#[test]
fn a_check_names_how_callers_are_known() {
    let own = "their own of 1min.ai (pass-through)";
    let cases: &[(&[&str], &[&str], &[&str])] = &[
        (
            &[],
            &[own],
            &["access keys", "DEFAULT_API_KEY", "KEYS_IN_URLS"],
        ),
        (
            &["--onemin-api-keys", "home=key-of-the-house"],
            &["access keys of this relay"],
            &[own],
        ),
        (
            &[
                "--relay-keys",
                "both",
                "--onemin-api-keys",
                "home=key-of-the-house",
            ],
            &["access keys of this relay, or clients' own"],
            &[],
        ),
        (
            &[
                "--host",
                "127.0.0.1",
                "--default-api-key",
                "key-of-the-house",
            ],
            &[own, "none needed from this machine"],
            &["key-of-the-house"],
        ),
        (
            &[
                "--default-api-key",
                "k",
                "--default-api-key-networks",
                "192.168.1.0/24",
                "--keys-in-urls",
            ],
            &["none needed from 192.168.1.0/24", "/key/KEY (KEYS_IN_URLS)"],
            &[],
        ),
    ];
    for (settings, present, absent) in cases {
        // What a database says of it is no matter of the settings.
        let check = ["--check", "--data-dir", "no-such-folder"];
        let (good, text) = run(&[&check[..], *settings].concat());
        assert!(good, "{settings:?}: {text}");
        for words in *present {
            assert!(text.contains(words), "{settings:?}: {words:?} in {text}");
        }
        for words in *absent {
            assert!(!text.contains(words), "{settings:?}: {words:?} in {text}");
        }
    }
}

#[test]
fn a_port_in_use_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (good, text) = run(&["--host", "127.0.0.1", "--port", &port]);
    assert!(
        !good && text.contains("cannot listen on 127.0.0.1"),
        "{text}"
    );
}

#[tokio::test]
async fn environment_and_env_file_are_read_and_flags_win() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("with-env-file");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join(".env"),
        "MAX_CHOICES=1\nRATE_LIMIT_PER_MINUTE=5\n",
    )
    .unwrap();
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let mut command = command();
    command
        .current_dir(folder)
        .env("ONEMIN_BASE_URL", simulator.url())
        .env("RATE_LIMIT_PER_MINUTE", "7")
        .args(["--host", "127.0.0.1", "--port", "0"]);
    let rig = Rig::run(command, simulator);
    let answer = rig.chat(&asks(&json!({"reply": "Hi"}), &json!({}))).await;
    assert_eq!(answer.header("x-ratelimit-limit-requests"), Some("7"));
    assert_eq!(
        rig.chat(&asks(&json!({}), &json!({"n": 2}))).await.status,
        400
    );
}

#[tokio::test]
async fn no_key_is_ever_logged_and_no_prompt_by_default() {
    for (level, format) in [("info", "pretty"), ("trace", "pretty"), ("trace", "json")] {
        let rig = Rig::with(&["--rust-log", level, "--log-format", format]);
        for directive in [
            json!({"reply": "Hi"}),
            json!({"fault": "cut"}),
            json!({"fault": "unauthorized"}),
        ] {
            for stream in [false, true] {
                let mut request = asks(&directive, &json!({"stream": stream}));
                request["messages"][0]["content"] = json!(format!(
                    "my-private-words {}",
                    request["messages"][0]["content"].as_str().unwrap()
                ));
                rig.chat(&request).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let output = rig.output();
        assert!(output.contains("gpt-4o-mini"), "{output}");
        assert!(!output.contains("key-of-tests"), "{level}");
        if level == "info" {
            assert!(!output.contains("my-private-words"), "{output}");
        }
    }
}

#[tokio::test]
async fn one_line_tells_model_tokens_credits_and_time() {
    let rig = Rig::with(&["--log-format", "json"]);
    rig.chat(&asks(&json!({"reply": "Hi"}), &json!({}))).await;
    rig.chat(&asks(&json!({"fault": "http-500"}), &json!({})))
        .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let output = rig.output();
    let lines: Vec<serde_json::Value> = output
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let answered = lines
        .iter()
        .find(|line| line["message"] == "answered")
        .unwrap();
    for field in [
        "id",
        "model",
        "ms",
        "input_tokens",
        "output_tokens",
        "credits",
        "usage",
    ] {
        assert!(!answered[field].is_null(), "{field}: {answered}");
    }
    let failed = lines
        .iter()
        .find(|line| line["message"] == "failed")
        .unwrap();
    assert!(
        failed["detail"].as_str().unwrap().contains("500"),
        "{failed}"
    );
}

#[tokio::test]
async fn a_demonstration_needs_nothing_and_leaves_nothing() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo");
    std::fs::create_dir_all(&folder).unwrap();
    let mut command = command();
    command
        .args(["--demo", "--host", "127.0.0.1", "--port", "0"])
        .env("TMPDIR", &folder);
    let mut rig = Rig::bare(command);
    let asked = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]});
    assert_eq!(rig.chat(&asked).await.status, 200);
    let assistant = json!({"model": "gpt-4o-mini", "name": "A"});
    assert_eq!(rig.post("/v1/assistants", &assistant).await.status, 200);
    let kept = || std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(kept(), 1);
    terminate(&rig);
    assert!(rig.child.wait().unwrap().success());
    assert_eq!(kept(), 0);
}

fn terminate(rig: &Rig) {
    let sent = Command::new("kill")
        .args(["-TERM", &rig.child.id().to_string()])
        .stdout(Stdio::null())
        .status();
    assert!(sent.unwrap().success());
}

#[tokio::test]
async fn told_to_stop_it_lets_open_streams_end() {
    let mut rig = Rig::start();
    let request = asks(
        &json!({"tokens": 10, "delay_ms": 50}),
        &json!({"stream": true}),
    );
    let mut body = rig.chat_stream(&request).await;
    body.frame().await.unwrap().unwrap();
    terminate(&rig);
    let rest = body.collect().await.unwrap().to_bytes();
    assert!(rest.ends_with(b"data: [DONE]\n\n"));
    assert!(rig.child.wait().unwrap().success());
}

#[tokio::test]
async fn told_to_stop_it_does_not_wait_for_connections_that_never_said_anything() {
    let mut rig = Rig::start();
    let silent = std::net::TcpStream::connect(rig.url.trim_start_matches("http://")).unwrap();
    assert_eq!(rig.get("/health").await.status, 200);
    terminate(&rig);
    let since = Instant::now();
    assert!(rig.child.wait().unwrap().success());
    assert!(since.elapsed() < Duration::from_secs(3));
    drop(silent);
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_off() {
    let mut rig = Rig::with(&["--shutdown-timeout", "0.3"]);
    let request = asks(
        &json!({"tokens": 1000, "delay_ms": 50}),
        &json!({"stream": true}),
    );
    let mut body = rig.chat_stream(&request).await;
    body.frame().await.unwrap().unwrap();
    terminate(&rig);
    let since = Instant::now();
    rig.child.wait().unwrap();
    assert!(since.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn told_to_stop_it_keeps_what_it_has_answered() {
    let name = format!("kept-{}", std::process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let flags = ["--data-dir", folder.to_str().unwrap()];
    let asked = json!({"model": "gpt-4o-mini", "input": "Hi."});
    for _ in 0..5 {
        let mut rig = Rig::with(&flags);
        let answer = rig.post("/v1/responses", &asked).await.json();
        terminate(&rig);
        assert!(rig.child.wait().unwrap().success());
        let again = Rig::with(&flags);
        let path = format!("/v1/responses/{}", answer["id"].as_str().unwrap());
        let kept = again.send(Method::GET, &path, &AUTHORIZED, "").await;
        assert_eq!(kept.json(), answer);
    }
    std::fs::remove_dir_all(folder).unwrap();
}
