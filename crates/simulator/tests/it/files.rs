//! Files: what was made can be fetched by its link and its key, in the format and size asked for;
//! links expire and break as ordered; uploads leave nothing behind.

use std::io::BufRead as _;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::Simulator;

use crate::client::{Call, KEY, Reply, feature, fetch, send, start, text_of, uploaded};

/// The first key and the link of an image.
async fn image(sim: &Simulator, directive: &Value) -> (String, String) {
    let prompt = format!("a boat [[sim {directive}]]");
    let body = json!({"type": "IMAGE_GENERATOR", "model": "gpt-image-1-mini", "promptObject": {"prompt": prompt, "quality": "low", "size": "1536x1024"}});
    let record = feature(sim, &body).await.json();
    let url = record["aiRecord"]["temporaryUrl"]
        .as_str()
        .unwrap_or_default();
    (text_of(&record).to_owned(), url.to_owned())
}

async fn made(sim: &Simulator, kind: &str, model: &str, fields: Value) -> Reply {
    let record = feature(
        sim,
        &json!({"type": kind, "model": model, "promptObject": fields}),
    )
    .await
    .json();
    let url = record["aiRecord"]["temporaryUrl"]
        .as_str()
        .unwrap_or_else(|| panic!("no link: {record}"));
    fetch(sim, url).await
}

#[tokio::test]
async fn link_and_key_give_the_same_picture_of_the_wanted_size() {
    let sim = start();
    let (key, url) = image(&sim, &json!({})).await;
    let by_link = fetch(&sim, &url).await;
    let by_key = fetch(&sim, &format!("/{key}")).await;
    assert_eq!((by_link.status, by_key.status), (200, 200));
    assert_eq!(by_link.body, by_key.body);
    assert_eq!(by_link.headers["content-type"], "image/png");
    assert!(by_link.body.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!(by_link.body[16..24], [0, 0, 6, 0, 0, 0, 4, 0]);
}

#[tokio::test]
async fn pictures_and_sounds_begin_as_their_format_does() {
    let sim = start();
    let image = |format: &str| json!({"prompt": "x", "quality": "low", "output_format": format, "size": "1024x1024"});
    let sound = |format: &str| json!({"text": "Good morning.", "voice": "alloy", "response_format": format});
    let cases: [(&str, &str, Value, &str, &[u8]); 12] = [
        (
            "IMAGE_GENERATOR",
            "gpt-image-1",
            image("jpeg"),
            "image/jpeg",
            b"\xff\xd8\xff",
        ),
        (
            "IMAGE_GENERATOR",
            "gpt-image-1",
            image("webp"),
            "image/webp",
            b"RIFF",
        ),
        (
            "IMAGE_GENERATOR",
            "recraft",
            json!({"prompt": "x", "task_type": "recraftv4_vector"}),
            "image/svg+xml",
            b"<svg",
        ),
        (
            "TEXT_TO_SPEECH",
            "tts-1",
            sound("mp3"),
            "audio/mpeg",
            b"\xff\xfb",
        ),
        (
            "TEXT_TO_SPEECH",
            "tts-1",
            sound("wav"),
            "audio/wav",
            b"RIFF",
        ),
        (
            "TEXT_TO_SPEECH",
            "tts-1",
            sound("opus"),
            "audio/ogg",
            b"OggS",
        ),
        (
            "TEXT_TO_SPEECH",
            "tts-1",
            sound("aac"),
            "audio/aac",
            b"\xff\xf1",
        ),
        (
            "TEXT_TO_SPEECH",
            "tts-1",
            sound("flac"),
            "audio/flac",
            b"fLaC",
        ),
        ("TEXT_TO_SPEECH", "tts-1", sound("pcm"), "audio/pcm", b""),
        (
            "TEXT_TO_SPEECH",
            "qwen3-tts-flash",
            json!({"text": "x", "voice": "Cherry"}),
            "audio/wav",
            b"RIFF",
        ),
        (
            "TEXT_TO_SPEECH",
            "elevenlabs-tts",
            json!({"text": "x", "voice_id": "v", "model_id": "m"}),
            "audio/mpeg",
            b"\xff\xfb",
        ),
        (
            "VOICE_DESIGN",
            "elevenlabs-voice-design",
            json!({"text": "x", "voice_description": "v"}),
            "audio/mpeg",
            b"\xff\xfb",
        ),
    ];
    for (kind, model, fields, mime, start) in cases {
        let file = made(&sim, kind, model, fields.clone()).await;
        assert_eq!(file.headers["content-type"], mime, "{model} {fields}");
        assert!(
            file.complete && file.body.starts_with(start),
            "{model} {fields}"
        );
    }
}

#[tokio::test]
async fn what_was_made_can_be_used_as_if_it_was_uploaded() {
    let sim = start();
    let (key, _) = image(&sim, &json!({})).await;
    let body =
        json!({"type": "IMAGE_VARIATOR", "model": "clipdrop", "promptObject": {"imageUrl": key}});
    assert_eq!(feature(&sim, &body).await.status, 200);
}

#[tokio::test]
async fn a_link_is_good_for_its_time_and_its_key_only() {
    let sim = start();
    let (key, url) = image(&sim, &json!({})).await;
    assert!(url.contains("X-Amz-Expires=604800"), "{url}");
    let other = url.replace("X-Amz-Expires=604800", "X-Amz-Expires=604801");
    let (_, late) = image(&sim, &json!({"expires": 0})).await;
    let bare = format!("/asset.1min.ai/{key}");
    for (url, code, message) in [
        (other, "SignatureDoesNotMatch", "signature"),
        (
            url.replace(".png?", ".jpg?"),
            "SignatureDoesNotMatch",
            "signature",
        ),
        (late, "AccessDenied", "Request has expired"),
        (bare, "AccessDenied", "Access Denied"),
    ] {
        let reply = fetch(&sim, &url).await;
        assert_eq!(
            (reply.status, reply.headers["content-type"].as_str()),
            (403, "application/xml")
        );
        assert!(
            reply.text().contains(code) && reply.text().contains(message),
            "{}",
            reply.text()
        );
    }
    sim.reset();
    let gone = fetch(&sim, &url).await;
    assert!(
        gone.status == 404 && gone.text().contains("NoSuchKey"),
        "{}",
        gone.text()
    );
}

#[tokio::test]
async fn links_can_be_missing_or_misplaced() {
    let sim = start();
    let (key, url) = image(&sim, &json!({"fault": "no-url"})).await;
    assert!(url.is_empty() && fetch(&sim, &format!("/{key}")).await.status == 200);
    let body = json!({"type": "IMAGE_GENERATOR", "model": "gpt-image-1", "promptObject": {"prompt": "[[sim {\"fault\":\"url-outside\"}]]", "quality": "low"}});
    let record = feature(&sim, &body).await.json();
    assert!(record["aiRecord"].get("temporaryUrl").is_none());
    let url = record["temporaryUrl"].as_str().expect("a link");
    assert_eq!(fetch(&sim, url).await.status, 200);
}

#[tokio::test]
async fn link_and_key_are_refused_each_by_its_own_fault() {
    let sim = start();
    for (fault, by_link, by_key) in [("url-forbidden", 403, 200), ("cdn-forbidden", 200, 403)] {
        let (key, url) = image(&sim, &json!({"file": {"fault": fault}})).await;
        let statuses = (
            fetch(&sim, &url).await.status,
            fetch(&sim, &format!("/{key}")).await.status,
        );
        assert_eq!(statuses, (by_link, by_key), "{fault}");
        let (key, url) = image(&sim, &json!({})).await;
        sim.set_faults(json!({"fault": fault, "endpoint": "files"}))
            .expect("a fault");
        let statuses = (
            fetch(&sim, &url).await.status,
            fetch(&sim, &format!("/{key}")).await.status,
        );
        assert_eq!(statuses, (by_link, by_key), "{fault}");
        sim.clear_faults();
    }
}

#[tokio::test]
async fn downloads_break_slow_down_and_grow_as_ordered() {
    let sim = start();
    let get = async |directive: Value| {
        fetch(&sim, &image(&sim, &json!({"file": directive})).await.1).await
    };
    let whole = get(json!({})).await;
    let cut = get(json!({"fault": "cut"})).await;
    assert!(!cut.complete && cut.body.len() < whole.body.len() && cut.status == 200);
    assert_eq!(get(json!({"fault": "http-503"})).await.status, 503);
    let begun = std::time::Instant::now();
    assert!(
        get(json!({"fault": "slow-stream", "ms": 20}))
            .await
            .complete
    );
    assert!(begun.elapsed() >= Duration::from_millis(7 * 20));
    let huge = get(json!({"fault": "huge-file", "bytes": 3_000_000})).await;
    assert!(huge.complete && huge.body.starts_with(b"\x89PNG"));
    assert!(huge.body.len() > 3_000_000 && huge.body.ends_with(&[0; 10_000]));
}

#[tokio::test]
async fn a_feature_can_answer_with_the_bytes_themselves() {
    let sim = start();
    let text = "Hi [[sim {\"fault\":\"binary-answer\"}]]";
    let body = json!({"type": "TEXT_TO_SPEECH", "model": "tts-1", "promptObject": {"text": text, "voice": "nova"}});
    let reply = feature(&sim, &body).await;
    assert_eq!(reply.headers["content-type"], "audio/mpeg");
    assert!(reply.body.starts_with(b"\xff\xfb"));
}

/// The simulator as a program of its own, ended when dropped.
struct Program(std::process::Child);

impl Program {
    fn start() -> (Self, std::net::SocketAddr) {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_1min-simulator"))
            .args(["--port", "0"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("the program");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        std::io::BufReader::new(output)
            .read_line(&mut line)
            .expect("a line");
        let address = line.trim().rsplit('/').next().expect("an address");
        (Self(child), address.parse().expect("an address"))
    }

    /// The most kilobytes that it ever had in memory.
    fn peak(&self) -> usize {
        let path = format!("/proc/{}/status", self.0.id());
        let status = std::fs::read_to_string(path).expect("Linux");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .expect("a size");
        let size = line.split_whitespace().nth(1).expect("a number");
        size.parse().expect("a number")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn large_uploads_pass_through_without_filling_the_memory() {
    const SIZE: usize = 100_000_000;
    let (program, address) = Program::start();
    let piece = vec![b'x'; 1_000_000];
    let head = "--b0\r\nContent-Disposition: form-data; name=\"asset\"; filename=\"long.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n";
    let tail = "\r\n--b0--\r\n";
    let length = (head.len() + SIZE + tail.len()).to_string();
    for _ in 0..3 {
        let mut call = Call::begin(address, "POST /api/assets", &FORM, &length).await;
        call.write(head.as_bytes()).await;
        for _ in 0..SIZE / piece.len() {
            call.write(&piece).await;
        }
        call.write(tail.as_bytes()).await;
        let reply = call.reply().await.expect("an answer");
        assert_eq!(reply.json()["asset"]["size"], SIZE);
    }
    assert!(program.peak() < 40_000, "{} kB", program.peak());
}

/// Headers of an upload.
const FORM: [(&str, &str); 2] = [
    ("API-KEY", KEY),
    ("content-type", "multipart/form-data; boundary=b0"),
];

#[tokio::test]
async fn a_large_file_is_known_by_its_length_and_hash_only() {
    let sim = start();
    let key = uploaded(&sim, "large.png", "image/png", &vec![b'x'; 1_048_577]).await;
    let entry = sim.journal().entries().pop().expect("an entry");
    assert_eq!(entry.body["length"], 1_048_577);
    assert_eq!(entry.body["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(fetch(&sim, &format!("/{key}")).await.status, 404);
    let small = uploaded(&sim, "small.png", "image/png", &vec![b'x'; 1_048_576]).await;
    assert_eq!(
        fetch(&sim, &format!("/{small}")).await.body.len(),
        1_048_576
    );
}

#[tokio::test]
async fn an_upload_without_end_is_refused() {
    let sim = start();
    let head = "--b0\r\nContent-Disposition: form-data; name=\"asset\"; filename=\"a.mp3\"\r\n\r\n";
    let length = (200_000_000).to_string();
    let mut call = Call::begin(sim.addr(), "POST /api/assets", &FORM, &length).await;
    call.write(head.as_bytes()).await;
    let piece = vec![b'x'; 1_000_000];
    for _ in 0..120 {
        if !call.try_write(&piece).await {
            break;
        }
    }
    let refused = sim
        .journal()
        .wait_for(|entry| entry.status == Some(413), Duration::from_secs(5))
        .await;
    assert!(refused.is_some());
    assert_eq!(send(&sim, "GET /models", "").await.status, 200);
}
