//! What is acknowledged is stored, what is not stored says so, and nothing is left behind.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Method;
use relay::objects::retention;
use serde_json::{Value, json};
use simulator::Simulator;

use crate::rig::{Folder, Rig};
use crate::service::Server;

const ALICE: &str = "alice-key";

fn asking(stream: bool) -> Value {
    json!({"model": "gpt-4o-mini", "input": "hi", "store": true, "stream": stream})
}

fn id(text: &str) -> String {
    let from = text.find("resp_").unwrap();
    text[from..]
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_finds_a_response_at_the_moment_of_its_answer() {
    let rig = Rig::new(&[]);
    let other = rig.replica(&[]);
    for turn in 0..20 {
        let answer = rig
            .post(ALICE, "/v1/responses", &asking(turn % 2 == 0))
            .await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let found = other
            .get(ALICE, &format!("/v1/responses/{}", id(&text)))
            .await;
        assert_eq!(found.status, 200, "{turn}: {text}");
        assert_ne!(found.json()["store"], json!(false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_could_not_be_stored_says_so() {
    let Some(mut postgres) = Server::postgres() else {
        return;
    };
    let url = postgres.url();
    let rig = Rig::new(&["--database-url", &url]);
    rig.uploaded(ALICE, "x.txt", b"x").await;
    postgres.kill();
    let whole = rig.post(ALICE, "/v1/responses", &asking(false)).await;
    assert_eq!((whole.status, &whole.json()["store"]), (200, &json!(false)));
    assert_eq!(whole.headers["x-relay-not-stored"], "true");
    let streamed = rig.post(ALICE, "/v1/responses", &asking(true)).await;
    let text = String::from_utf8_lossy(&streamed.body);
    assert!(text.contains(": x-relay {\"not_stored\":true}\n"), "{text}");
    let last = text.rsplit("data: ").next().unwrap();
    let last: Value = serde_json::from_str(last.trim()).unwrap();
    assert_eq!(
        (&last["type"], &last["response"]["store"]),
        (&json!("response.completed"), &json!(false))
    );
    postgres.start();
    let again = rig.post(ALICE, "/v1/responses", &asking(false)).await;
    assert!(!again.headers.contains_key("x-relay-not-stored"));
    let again = format!("/v1/responses/{}", again.json()["id"].as_str().unwrap());
    assert_eq!(rig.get(ALICE, &again).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_without_an_entry_are_deleted_once_they_are_old() {
    let rig = Rig::new(&[]);
    let kept = rig.uploaded(ALICE, "x.txt", b"x").await;
    let entry = std::fs::read_dir(rig.folder.0.join("contents/files"))
        .unwrap()
        .next();
    let folder = entry.unwrap().unwrap().path();
    let old = SystemTime::now() - Duration::from_hours(2);
    for (name, is_old) in [
        ("file-1", true),
        ("file-2", false),
        ("file-3#1", true),
        ("file-4#1", false),
        (&*kept, true),
    ] {
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join(name));
        if is_old {
            file.unwrap().set_modified(old).unwrap();
        }
    }
    retention::round(rig.objects()).await.unwrap();
    let left = std::fs::read_dir(&folder).unwrap();
    let mut left: Vec<String> = left
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort_unstable();
    let mut expected = vec!["file-2".to_owned(), "file-4#1".to_owned(), kept.clone()];
    expected.sort_unstable();
    assert_eq!(left, expected);
    let found = rig.get(ALICE, &format!("/v1/files/{kept}/content")).await;
    assert_eq!(found.body, "x");
}

/// A file system of its own, of four megabytes; none if this machine lets nobody mount one.
struct SmallDisk(Folder);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = Folder::new();
        std::fs::create_dir(&folder.0).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(&folder.0)
            .output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(folder));
        }
        eprintln!("SKIPPED, NOTHING PROVED: no file system can be mounted here");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(&self.0.0)
            .output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_deleting_works_on_it_and_everything_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let data = Folder(disk.0.0.join("data"));
    let rig = Rig::over(Arc::new(simulator), Arc::new(data), &[]);
    let assistant = json!({"model": "gpt-4o-mini", "instructions": "x".repeat(50_000)});
    let mut made = Vec::new();
    loop {
        let answer = rig.post(ALICE, "/v1/assistants", &assistant).await;
        if answer.status != 200 {
            assert_eq!(answer.status, 503, "{}", answer.json());
            break;
        }
        made.push(answer.json()["id"].as_str().unwrap().to_owned());
        assert!(made.len() < 200, "the disk is never full");
    }
    // To the last byte.
    let _ = std::fs::write(disk.0.0.join("ballast"), vec![1; 4 * 1024 * 1024]);
    let refused = rig.post(ALICE, "/v1/assistants", &assistant).await;
    assert_eq!(refused.status, 503);
    // A small one may still find room in the journal.
    let mut large = asking(false);
    large["input"] = json!("x".repeat(100_000));
    let whole = rig.post(ALICE, "/v1/responses", &large).await;
    assert_eq!((whole.status, &whole.json()["store"]), (200, &json!(false)));
    for id in made.iter().take(3) {
        let deleted = rig
            .ask(ALICE, Method::DELETE, &format!("/v1/assistants/{id}"))
            .await;
        assert_eq!(deleted.status, 200, "{}", deleted.json());
    }
    std::fs::remove_file(disk.0.0.join("ballast")).unwrap();
    assert_eq!(
        rig.post(ALICE, "/v1/assistants", &assistant).await.status,
        200
    );
    let again = rig.post(ALICE, "/v1/responses", &asking(false)).await;
    assert!(!again.headers.contains_key("x-relay-not-stored"));
    let again = format!("/v1/responses/{}", again.json()["id"].as_str().unwrap());
    assert_eq!(rig.get(ALICE, &again).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_began_on_a_full_disk_keeps_its_secret_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let simulator = Arc::new(Simulator::start(simulator::Options::default()).unwrap());
    let data = Arc::new(Folder(disk.0.0.join("data")));
    std::fs::create_dir(&data.0).unwrap();
    let ballast = disk.0.0.join("ballast");
    let _ = std::fs::write(&ballast, vec![1; 4 * 1024 * 1024]);
    let rig = Rig::over(simulator.clone(), data.clone(), &[]);
    let whole = rig.post(ALICE, "/v1/responses", &asking(false)).await;
    assert_eq!((whole.status, &whole.json()["store"]), (200, &json!(false)));
    std::fs::remove_file(&ballast).unwrap();
    let secret = data.0.join("secret");
    for _ in 0..100 {
        if secret.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let stored = rig.post(ALICE, "/v1/responses", &asking(false)).await;
    assert_eq!(stored.json()["store"], true, "{}", stored.json());
    let path = format!("/v1/responses/{}", stored.json()["id"].as_str().unwrap());
    let files = std::fs::read_dir(&data.0).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let secrets: Vec<String> = files.filter(|name| name.starts_with("secret")).collect();
    assert_eq!(secrets, ["secret"]);
    let after = Rig::over(simulator, data.clone(), &[]);
    assert_eq!(after.get(ALICE, &path).await.status, 200);
}
