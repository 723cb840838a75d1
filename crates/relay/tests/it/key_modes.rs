//! Whose keys a relay accepts that was not told (`RELAY_KEYS`): it follows the accounts and access keys that
//! there are, and fails closed.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use simulator::Simulator;

use crate::rig::{Answer, Rig, command};
use crate::sharing::post;

const STRANGER: &str = "a-strangers-own-key";

async fn chat(rig: &Rig, key: &str) -> Answer {
    let body = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi."}]});
    post(rig, key, "/v1/chat/completions", &body).await
}

/// The same over an answer that may come a moment later: changes are noticed within two seconds.
async fn soon(rig: &Rig, key: &str, status: u16) -> Answer {
    let mut answer = chat(rig, key).await;
    for _ in 0..20 {
        if answer.status == status {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer = chat(rig, key).await;
    }
    panic!("{status} was expected: {} {}", answer.status, answer.text);
}

/// Runs a command over a data folder and gives its first line.
fn run(folder: &Path, args: &[&str], input: &str) -> String {
    let mut command = command();
    command.env("DATA_DIR", folder).args(args);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{args:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().next().unwrap_or_default().to_owned()
}

/// A relay before an upstream of its own, with these variables.
fn relay(folder: &Path, variables: &[(&str, &str)]) -> Rig {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let mut command = command();
    command
        .args(["--host", "127.0.0.1", "--port", "0"])
        .env("ONEMIN_BASE_URL", simulator.url())
        .env("DATA_DIR", folder)
        .envs(variables.iter().copied());
    let mut rig = Rig::bare(command);
    rig.simulator = simulator;
    rig
}

/// An empty folder for a test.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Asserts that the relay knows its key, though nobody can pay, and serves no stranger.
async fn is_closed(rig: &Rig, key: &str, case: &str) {
    let holder = chat(rig, key).await;
    assert_eq!(holder.status, 503, "{case}: {}", holder.text);
    let stranger = chat(rig, STRANGER).await;
    assert_eq!(stranger.status, 401, "{case}: {}", stranger.text);
    let listed = crate::sharing::get(rig, key, "/v1/videos").await;
    assert_eq!(
        listed.status, 200,
        "{case}: what is its own: {}",
        listed.text
    );
    let asked = rig.asked();
    assert!(asked.is_empty(), "{case}: nothing goes upstream: {asked:?}");
}

#[tokio::test]
async fn a_relay_whose_accounts_are_gone_serves_no_stranger_and_knows_its_keys() {
    let data = folder("accounts-gone");
    let file = data.join("accounts");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "one=key-1\n").unwrap();
    let key = run(&data, &["key", "add", "Ada"], "");

    let rig = relay(&data, &[("ONEMIN_API_KEYS_FILE", path)]);
    std::fs::write(&file, "").unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    is_closed(&rig, &key, "a file that was emptied").await;
    std::fs::write(&file, "one=key-1\n").unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(chat(&rig, &key).await.status, 200);
    drop(rig);

    std::fs::write(&file, "# none yet\n").unwrap();
    let rig = relay(&data, &[("ONEMIN_API_KEYS_FILE", path)]);
    is_closed(&rig, &key, "a file that was empty at the start").await;
    drop(rig);

    let rig = relay(&data, &[]);
    is_closed(&rig, &key, "access keys alone").await;
    drop(rig);

    run(&data, &["account", "add", "stored"], "key-2\n");
    let other_secret = ("RELAY_SECRET", "another secret than before");
    let rig = relay(&data, &[other_secret]);
    is_closed(&rig, &key, "an account that cannot be opened").await;
    drop(rig);

    let rig = relay(&data, &[]);
    assert_eq!(chat(&rig, &key).await.status, 200);
    run(&data, &["account", "rm", "stored"], "");
    let refused = soon(&rig, &key, 503).await;
    assert!(
        refused.text.contains("No 1min.ai account"),
        "{}",
        refused.text
    );
    assert_eq!(chat(&rig, STRANGER).await.status, 401);
}

#[tokio::test]
async fn accounts_and_keys_that_come_to_a_running_relay_are_noticed_with_their_budgets() {
    let rig = Rig::start();
    assert_eq!(chat(&rig, STRANGER).await.status, 200);
    assert!(!rig.folder().join("relay.db").exists());
    run(rig.folder(), &["account", "add", "one"], "key-1\n");
    let key = run(
        rig.folder(),
        &["key", "add", "Ada", "--budget", "day=200"],
        "",
    );
    soon(&rig, &key, 200).await;
    assert_eq!(chat(&rig, STRANGER).await.status, 401);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(chat(&rig, &key).await.status);
    }
    assert!(statuses.ends_with(&[402, 402]), "{statuses:?}");
    crate::sharing::written().await;
    let shown = run(rig.folder(), &["usage", "--by", "key", "--csv"], "");
    assert!(shown.starts_with("key,"), "{shown}");
}

#[tokio::test]
async fn without_a_ledger_keys_with_budgets_are_refused_and_others_served() {
    let data = folder("no-ledger");
    run(&data, &["account", "add", "one"], "key-1\n");
    let bound = run(&data, &["key", "add", "Ada", "--budget", "day=200"], "");
    let free = run(&data, &["key", "add", "Bob"], "");
    let rig = relay(&data, &[("LEDGER", "off")]);
    let refused = chat(&rig, &bound).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.text.contains("LEDGER=off"), "{}", refused.text);
    assert_eq!(refused.header("x-should-retry"), Some("false"));
    assert_eq!(chat(&rig, &free).await.status, 200);
    assert_eq!(rig.asked().len(), 1);
    let output = rig.output();
    assert!(output.contains("access keys of this relay"), "{output}");
}

#[test]
fn budgets_without_a_ledger_stop_the_start() {
    let mut command = command();
    command.args(["--check", "--ledger", "off", "--budgets", "day=100"]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && text.contains("BUDGETS"),
        "{text}"
    );
}
