//! Videos over the real binary: asked for, followed, fetched, and what becomes of them when the
//! relay dies.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::form::{FORM, Form, png};
use crate::rig::{AUTHORIZED, Answer, Rig, command};

const VIDEOS: &str = "/v1/videos";

/// Flags with which jobs are looked at soon.
const SOON: [&str; 1] = ["--job-poll=0.1"];

fn rig() -> Rig {
    Rig::with(&SOON)
}

fn order(model: &str, prompt: &str) -> Value {
    json!({"model": model, "prompt": prompt})
}

impl Rig {
    async fn video(&self, method: Method, path: &str) -> Answer {
        self.send(method, &format!("{VIDEOS}{path}"), &AUTHORIZED, "")
            .await
    }

    /// The video once it has ended.
    async fn ended(&self, id: &str) -> Value {
        let since = Instant::now();
        loop {
            let video = self.video(Method::GET, &format!("/{id}")).await.json();
            if video["status"] == "completed" || video["status"] == "failed" {
                return video;
            }
            assert!(since.elapsed() < Duration::from_mins(1), "{video}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Jobs that upstream was asked to make.
    fn submitted(&self) -> Vec<simulator::Entry> {
        let journal = self.simulator.journal();
        journal.matching(|entry| entry.path == "/api/features")
    }
}

#[tokio::test]
async fn a_video_is_made_listed_fetched_in_parts_and_forgotten() {
    let rig = rig();
    let polls = json!({"endpoint": "features", "polls": 3});
    rig.simulator.script(vec![polls].into()).unwrap();
    let mut body = order("veo3", "a tram in the rain");
    body["seconds"] = "8".into();
    body["size"] = "1280x720".into();
    body["seed"] = 7.into();
    let created = rig.post(VIDEOS, &body).await;
    let video = created.json();
    assert_eq!(created.status, 200, "{video}");
    assert_eq!(created.header("openai-poll-after-ms"), Some("5000"));
    assert_eq!(created.header("x-relay-ignored"), Some("seed"));
    for (field, value) in [
        ("object", json!("video")),
        ("status", json!("in_progress")),
        ("progress", json!(0)),
        ("model", json!("veo3")),
        ("seconds", json!("8")),
        ("size", json!("1280x720")),
        ("prompt", json!("a tram in the rain")),
        ("error", Value::Null),
        ("completed_at", Value::Null),
    ] {
        assert_eq!(video[field], value, "{field}");
    }
    let id = video["id"].as_str().unwrap();
    assert!(id.starts_with("video_"), "{id}");
    let early = rig.video(Method::GET, &format!("/{id}/content")).await;
    assert_eq!(early.status, 409);
    assert_eq!(early.json()["error"]["code"], "video_not_ready");
    assert_eq!(early.header("x-should-retry"), Some("false"));
    let kept = rig.video(Method::DELETE, &format!("/{id}")).await;
    assert_eq!(kept.status, 409);

    let done = rig.ended(id).await;
    assert_eq!(
        (&done["status"], &done["progress"]),
        (&json!("completed"), &json!(100))
    );
    assert!(
        done["completed_at"].is_u64() && done["expires_at"].is_u64(),
        "{done}"
    );
    let list = rig.video(Method::GET, "?limit=5").await.json();
    assert_eq!(list["data"][0]["id"], id);
    assert_eq!(
        (&list["object"], &list["has_more"]),
        (&json!("list"), &json!(false))
    );

    let path = format!("{VIDEOS}/{id}/content");
    let whole = rig.open(Method::GET, &path, &AUTHORIZED, "").await;
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.headers()["content-type"], "video/mp4");
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    let length: u64 = whole.headers()["content-length"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let [bearer, json_type] = AUTHORIZED;
    let part = [bearer, json_type, ("range", "bytes=4-11")];
    let part = rig.send(Method::GET, &path, &part, "").await;
    assert_eq!((part.status, part.text.as_str()), (206, "ftypisom"));
    let range = format!("bytes 4-11/{length}");
    assert_eq!(part.header("content-range"), Some(range.as_str()));
    let outside = [bearer, json_type, ("range", "bytes=99999999-")];
    assert_eq!(rig.send(Method::GET, &path, &outside, "").await.status, 416);
    let thumbnail = rig
        .video(Method::GET, &format!("/{id}/content?variant=thumbnail"))
        .await;
    assert_eq!(thumbnail.status, 400);

    let other = [("authorization", "Bearer another-key"), json_type];
    for (method, path) in [
        (Method::GET, format!("{VIDEOS}/{id}")),
        (Method::GET, path.clone()),
        (Method::DELETE, format!("{VIDEOS}/{id}")),
    ] {
        let answer = rig.send(method, &path, &other, "").await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let none = rig.send(Method::GET, VIDEOS, &other, "").await.json();
    assert_eq!(none["data"], json!([]));

    let deleted = rig.video(Method::DELETE, &format!("/{id}")).await.json();
    assert_eq!(
        deleted,
        json!({"id": id, "object": "video.deleted", "deleted": true})
    );
    assert_eq!(rig.video(Method::GET, &format!("/{id}")).await.status, 404);
    assert_eq!(rig.submitted().len(), 1);
    assert_eq!(rig.simulator.charges().len(), 1);
}

#[tokio::test]
async fn an_image_goes_along_as_a_file_an_address_or_a_stored_file() {
    let rig = rig();
    let picture = &png(64, 64);
    let form = Form::default()
        .text("model", "kling")
        .text("prompt", "it moves")
        .text("seconds", "5")
        .file("input_reference", "a.png", picture)
        .whole();
    let [bearer, _] = AUTHORIZED;
    let headers = [bearer, ("content-type", FORM)];
    let by_form = rig.send(Method::POST, VIDEOS, &headers, form).await;
    assert_eq!(by_form.status, 200, "{}", by_form.text);
    let stored = Form::default()
        .text("purpose", "vision")
        .file("file", "b.png", &png(65, 64))
        .whole();
    let stored = rig
        .send(Method::POST, "/v1/files", &headers, stored)
        .await
        .json();
    let mut body = order("kling", "it moves");
    body["input_reference"] = json!({"file_id": stored["id"]});
    let by_id = rig.post(VIDEOS, &body).await;
    assert_eq!(by_id.status, 200, "{}", by_id.text);
    for answer in [&by_form, &by_id] {
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(rig.ended(&id).await["status"], "completed");
    }
    let journal = rig.simulator.journal();
    assert_eq!(
        journal.matching(|entry| entry.path == "/api/assets").len(),
        2
    );
}

#[tokio::test]
async fn a_wrong_request_is_told_what_is_allowed_and_costs_nothing() {
    let rig = rig();
    let image = json!({"image_url": "https://example.com/a.png"});
    let table: [(Value, u16, &str, &[&str]); 9] = [
        (json!({"prompt": "x"}), 400, "model", &["veo3", "kling"]),
        (
            json!({"model": "no-such", "prompt": "x"}),
            404,
            "model",
            &["veo3"],
        ),
        (
            json!({"model": "gpt-4o-mini", "prompt": "x"}),
            404,
            "model",
            &["kling"],
        ),
        (
            json!({"model": "veo3", "prompt": ""}),
            400,
            "prompt",
            &["prompt"],
        ),
        (
            json!({"model": "veo3", "prompt": "x", "seconds": 5}),
            400,
            "seconds",
            &["8s"],
        ),
        (
            json!({"model": "kling", "prompt": "x", "seconds": 7}),
            400,
            "seconds",
            &["5"],
        ),
        (
            json!({"model": "veo3", "prompt": "x", "size": "1024x1024"}),
            400,
            "size",
            &["16:9", "9:16"],
        ),
        (
            json!({"model": "veo3", "prompt": "x", "resolution": "8k"}),
            400,
            "resolution",
            &["720p"],
        ),
        (
            json!({"model": "cjwbw/damo-text-to-video:1e205ea73084bd17a0a3b43396e49ba0d6bc2e754e9283b2df49fad2dcf95755", "prompt": "x", "input_reference": image}),
            400,
            "input_reference",
            &["kling"],
        ),
    ];
    for (body, status, param, says) in table {
        let answer = rig.post(VIDEOS, &body).await;
        let error = &answer.json()["error"];
        assert_eq!(answer.status, status, "{body}: {error}");
        assert_eq!(error["param"], param, "{body}: {error}");
        let message = error["message"].as_str().unwrap();
        for word in says {
            assert!(message.contains(word), "{body}: {message}");
        }
    }
    let strict = [AUTHORIZED[0], AUTHORIZED[1], ("x-relay-strict", "1")];
    let mut body = order("veo3", "x");
    body["seed"] = 7.into();
    let refused = rig
        .send(Method::POST, VIDEOS, &strict, body.to_string())
        .await;
    assert_eq!(refused.status, 400);
    assert_eq!(rig.submitted().len(), 0);
    for path in [
        "/video_1/remix",
        "/edits",
        "/extensions",
        "/characters",
        "/characters/c1",
    ] {
        let answer = rig
            .send(Method::POST, &format!("{VIDEOS}{path}"), &AUTHORIZED, "{}")
            .await;
        assert_eq!(answer.status, 501, "{path}");
    }
}

#[tokio::test]
async fn what_upstream_refuses_is_an_error_and_what_fails_later_says_why() {
    let rig = rig();
    let broke = [("authorization", "Bearer broke"), AUTHORIZED[1]];
    let body = order("veo3", "x").to_string();
    let refused = rig.send(Method::POST, VIDEOS, &broke, body).await;
    assert_eq!(refused.status, 402, "{}", refused.text);
    let none = rig.send(Method::GET, VIDEOS, &broke, "").await.json();
    assert_eq!(none["data"], json!([]));

    let body = order(
        "veo3",
        "x [[sim {\"fault\": \"status-failure\", \"polls\": 2}]]",
    );
    let created = rig.post(VIDEOS, &body).await.json();
    let failed = rig.ended(created["id"].as_str().unwrap()).await;
    assert_eq!(failed["status"], "failed");
    assert!(
        !failed["error"]["message"].as_str().unwrap().is_empty(),
        "{failed}"
    );
    let path = format!("/{}/content", failed["id"].as_str().unwrap());
    assert_eq!(rig.video(Method::GET, &path).await.status, 409);
}

#[tokio::test]
async fn chat_with_a_video_model_answers_with_a_link() {
    let rig = rig();
    let picture = base64(&png(64, 64));
    let asked = json!([
        {"type": "text", "text": "let it move"},
        {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{picture}")}},
    ]);
    for stream in [false, true] {
        let body = json!({
            "model": "kling", "stream": stream, "duration": 5,
            "messages": [{"role": "user", "content": asked}],
        });
        let answer = rig.chat(&body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let said = answer.said();
        assert!(said.starts_with("[Watch the video](http"), "{said}");
        assert!(said.contains("videos/"), "{said}");
    }
    assert_eq!(rig.simulator.charges().len(), 2);
    let wrong =
        json!({"model": "kling", "duration": 7, "messages": [{"role": "user", "content": "x"}]});
    assert_eq!(rig.chat(&wrong).await.status, 400);
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A relay that is killed and comes back with the same data.
struct Mortal {
    rig: Option<Rig>,
    simulator: String,
    folder: std::path::PathBuf,
}

impl Mortal {
    fn start(simulator: &simulator::Simulator, name: &str) -> Self {
        let name = format!("videos-{name}-{}", std::process::id());
        let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut mortal = Self {
            rig: None,
            simulator: simulator.url(),
            folder,
        };
        mortal.revive();
        mortal
    }

    /// Ends the process at once, as `kill -9` does, and starts another.
    fn revive(&mut self) {
        self.rig = None;
        let mut command = command();
        command
            .args(["--host", "127.0.0.1", "--port", "0"])
            .args(SOON)
            .env("ONEMIN_BASE_URL", &self.simulator)
            .env("ONEMIN_ASSET_URL", &self.simulator)
            .env("DATA_DIR", &self.folder);
        self.rig = Some(Rig::bare(command));
    }

    fn rig(&self) -> &Rig {
        self.rig.as_ref().unwrap()
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        self.rig = None;
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn a_killed_relay_goes_on_with_its_jobs_and_submits_none_twice() {
    let simulator = simulator::Simulator::start(simulator::Options::default()).unwrap();
    let mut mortal = Mortal::start(&simulator, "killed");
    let accepted = order("kling", "x [[sim {\"id\": \"accepted\", \"polls\": 5}]]");
    let accepted = mortal.rig().post(VIDEOS, &accepted).await.json();
    let accepted = accepted["id"].as_str().unwrap().to_owned();
    // Upstream takes this one and does not say so before the relay dies.
    let slow = order("kling", "x [[sim {\"id\": \"slow\", \"first_ms\": 60000}]]").to_string();
    let submitting = mortal.rig().open(Method::POST, VIDEOS, &AUTHORIZED, slow);
    let _ = tokio::time::timeout(Duration::from_secs(1), submitting).await;
    mortal.revive();
    let rig = mortal.rig();
    assert_eq!(rig.ended(&accepted).await["status"], "completed");
    let listed = rig.video(Method::GET, "").await.json();
    let unsure = listed["data"][0]["id"].as_str().unwrap().to_owned();
    assert_ne!(unsure, accepted);
    let lost = rig.ended(&unsure).await;
    assert_eq!(lost["error"]["code"], "unknown_outcome", "{lost}");
    let posts = simulator
        .journal()
        .matching(|entry| entry.path == "/api/features");
    assert_eq!(posts.len(), 2);
}

#[tokio::test]
async fn no_key_lies_open_in_the_data_folder() {
    let simulator = simulator::Simulator::start(simulator::Options::default()).unwrap();
    let mortal = Mortal::start(&simulator, "sealed");
    let body = order("kling", "x [[sim {\"polls\": 1000}]]");
    assert_eq!(mortal.rig().post(VIDEOS, &body).await.status, 200);
    let mut files = 0;
    for entry in std::fs::read_dir(&mortal.folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let key = b"key-of-tests";
            assert!(
                !bytes.windows(key.len()).any(|part| part == key),
                "{path:?}"
            );
            files += 1;
        }
    }
    assert!(files >= 2, "{files}");
    assert!(!mortal.rig().output().contains("key-of-tests"));
}

/// How many jobs there are, of how many accounts, and how often the relay is killed meanwhile.
#[derive(Clone, Copy)]
struct Many {
    jobs: usize,
    accounts: usize,
    deaths: usize,
}

#[tokio::test]
async fn jobs_end_and_none_is_charged_twice_through_some_deaths() {
    many_jobs(
        Many {
            jobs: 24,
            accounts: 4,
            deaths: 3,
        },
        "some",
    )
    .await;
}

#[tokio::test]
#[ignore = "takes two minutes: cargo test --workspace --test it -- --ignored many_jobs"]
async fn many_jobs_end_and_none_is_charged_twice_through_many_deaths() {
    many_jobs(
        Many {
            jobs: 200,
            accounts: 20,
            deaths: 10,
        },
        "many",
    )
    .await;
}

async fn many_jobs(many: Many, name: &str) {
    let Many {
        jobs,
        accounts,
        deaths,
    } = many;
    let simulator = simulator::Simulator::start(simulator::Options::default()).unwrap();
    let mut mortal = Mortal::start(&simulator, name);
    let each = jobs / deaths;
    for job in 0..jobs {
        if job > 0 && job % each == 0 {
            mortal.revive();
        }
        let key = format!("Bearer key-{}", job % accounts);
        let headers = [("authorization", key.as_str()), AUTHORIZED[1]];
        // The last before each death is still on its way: upstream has taken it and has not said so.
        let is_last = (job + 1) % each == 0;
        let wait = if is_last { 60_000 } else { 0 };
        let directive = json!({"id": format!("job-{job}"), "polls": 4, "first_ms": wait});
        let body = order("kling", &format!("x [[sim {directive}]]")).to_string();
        let sending = mortal.rig().open(Method::POST, VIDEOS, &headers, body);
        let patience = Duration::from_secs(if is_last { 1 } else { 60 });
        match tokio::time::timeout(patience, sending).await {
            Ok(response) => assert_eq!(response.status(), 200, "{job}"),
            Err(_) => assert!(is_last, "{job}"),
        }
    }
    mortal.revive();
    let mut videos = Vec::new();
    for account in 0..accounts {
        let key = format!("Bearer key-{account}");
        let headers = [("authorization", key.as_str()), AUTHORIZED[1]];
        videos.extend(all_ended(mortal.rig(), &headers).await);
    }
    assert_eq!(videos.len(), jobs);
    let mut charged = std::collections::HashMap::new();
    for charge in simulator.charges() {
        *charged.entry(charge.request_id).or_insert(0) += 1;
    }
    assert!(charged.values().all(|times| *times == 1), "{charged:?}");
    for video in &videos {
        let prompt = video["prompt"].as_str().unwrap();
        let (_, id) = prompt.split_once("\"id\":\"").unwrap();
        let id = id.split('"').next().unwrap();
        let number: usize = id.trim_start_matches("job-").parse().unwrap();
        if (number + 1).is_multiple_of(each) {
            // Nobody knows whether it was accepted: it is told as such, and not sent again.
            assert_eq!(video["error"]["code"], "unknown_outcome", "{video}");
        } else {
            assert_eq!(video["status"], "completed", "{video}");
            assert!(charged.contains_key(id), "{id} is not charged: {charged:?}");
        }
    }
}

/// The videos of a caller once all have ended.
async fn all_ended(rig: &Rig, headers: &[(&str, &str)]) -> Vec<Value> {
    let since = Instant::now();
    loop {
        let list = rig
            .send(Method::GET, "/v1/videos?limit=100", headers, "")
            .await;
        let videos = list.json()["data"].as_array().unwrap().clone();
        let is_over = |video: &Value| video["status"] == "completed" || video["status"] == "failed";
        if videos.iter().all(is_over) {
            return videos;
        }
        assert!(since.elapsed() < Duration::from_mins(3), "{list:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
