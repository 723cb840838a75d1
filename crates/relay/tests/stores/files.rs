//! `/v1/files`, from the form to the prompt that refers to a file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use http::{Method, Request};
use relay::objects::retention;
use relay::store::records::{Key, Value};
use serde_json::json;
use simulator::Simulator;

use crate::bucket::Service;
use crate::rig::{Folder, Form, Rig};
use crate::service::Server;

const ALICE: &str = "alice-key";
const BOB: &str = "bob-key";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_uploaded_looked_at_fetched_and_deleted() {
    let rig = Rig::new(&[]);
    let bytes: Vec<u8> = (0..=255).cycle().take(700_000).collect();
    let form = Form::default()
        .file("na\u{ef}ve plan.bin", &bytes)
        .text("purpose", "assistants")
        .text("expires_after[anchor]", "created_at")
        .text("expires_after[seconds]", "7200");
    let made = rig.upload(ALICE, form).await;
    assert_eq!(made.status, 200, "{}", made.json());
    let file = made.json();
    let id = file["id"].as_str().unwrap();
    assert!(id.starts_with("file-") && id.len() > 30);
    assert_eq!(
        (
            &file["object"],
            &file["bytes"],
            &file["filename"],
            &file["purpose"],
            &file["status"]
        ),
        (
            &json!("file"),
            &json!(700_000),
            &json!("na\u{ef}ve plan.bin"),
            &json!("assistants"),
            &json!("processed")
        )
    );
    let life = file["expires_at"].as_u64().unwrap() - file["created_at"].as_u64().unwrap();
    assert_eq!(life, 7200);

    let path = format!("/v1/files/{id}");
    assert_eq!(rig.get(ALICE, &path).await.json(), file);
    let content = rig.get(ALICE, &format!("{path}/content")).await;
    assert_eq!((content.status, content.body.len()), (200, bytes.len()));
    assert_eq!(content.body, bytes);
    assert_eq!(content.headers["x-content-type-options"], "nosniff");
    assert!(
        content.headers["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment; ")
    );

    let deleted = rig.ask(ALICE, Method::DELETE, &path).await;
    assert_eq!(
        deleted.json(),
        json!({"id": id, "object": "file", "deleted": true})
    );
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::GET, format!("{path}/content")),
    ] {
        let message = rig.ask(ALICE, method, &path).await.refused(404, Some("id"));
        assert!(message.contains(id));
    }
    assert_eq!(rig.folder.contents(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_fetches_or_deletes_anothers_file() {
    let rig = Rig::new(&[]);
    let id = rig.uploaded(ALICE, "secret.txt", b"of alice").await;
    for (method, path) in [
        (Method::GET, format!("/v1/files/{id}")),
        (Method::GET, format!("/v1/files/{id}/content")),
        (Method::DELETE, format!("/v1/files/{id}")),
    ] {
        let unknown = path.replace(&id, "file-unknown");
        let theirs = rig
            .ask(BOB, method.clone(), &path)
            .await
            .refused(404, Some("id"));
        let none = rig
            .ask(BOB, method, &unknown)
            .await
            .refused(404, Some("id"));
        assert_eq!(theirs.replace(&id, "X"), none.replace("file-unknown", "X"));
    }
    assert_eq!(rig.get(BOB, "/v1/files").await.json()["data"], json!([]));
    let cursor = rig.get(BOB, &format!("/v1/files?after={id}")).await;
    assert_eq!((cursor.status, &cursor.json()["data"]), (200, &json!([])));
    let used = rig
        .post(BOB, "/v1/chat/completions", &asking_about(&id))
        .await;
    assert_eq!(used.status, 404, "{}", used.json());
    assert_eq!(
        rig.get(ALICE, &format!("/v1/files/{id}/content"))
            .await
            .body,
        "of alice"
    );
    assert_eq!(rig.get("", "/v1/files").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_stay_their_owners_in_every_api() {
    let rig = Rig::new(&[]);
    let id = rig
        .uploaded(ALICE, "secret.txt", b"the password is swordfish")
        .await;
    let part = |kind: &str| json!([{"role": "user", "content": [{"type": kind, "file_id": id}]}]);
    for (path, body) in [
        ("/v1/chat/completions", asking_about(&id)),
        (
            "/v1/chat/completions",
            json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "?"}], "file_ids": [id]}),
        ),
        (
            "/v1/responses",
            json!({"model": "gpt-4o-mini", "input": part("input_file")}),
        ),
        (
            "/v1/responses",
            json!({"model": "gpt-4o-mini", "input": part("input_image")}),
        ),
        (
            "/v1/images/edits",
            json!({"model": "gpt-image-1", "prompt": "?", "images": [{"file_id": id}]}),
        ),
        (
            "/v1/assistants",
            json!({"model": "gpt-4o-mini", "file_ids": [id]}),
        ),
    ] {
        let answer = rig.post(BOB, path, &body).await;
        assert_eq!(answer.status, 404, "{path} {body}");
        assert!(!format!("{}", answer.json()).contains("swordfish"));
    }
    let listed = rig.get(BOB, "/v1/files").await.json();
    assert_eq!(listed["data"], json!([]));
}

fn asking_about(id: &str) -> serde_json::Value {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is in it?"}, {"type": "file", "file": {"file_id": id}}]}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_in_both_orders_and_always_say_whether_there_is_more() {
    let rig = Rig::new(&[]);
    let mut ids = Vec::new();
    for n in 0..7 {
        let purpose = if n % 2 == 0 { "batch" } else { "vision" };
        let form = Form::default().text("purpose", purpose).file("f.txt", b"x");
        ids.push(
            rig.upload(ALICE, form).await.json()["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let page = async |query: &str| {
        let page = rig.get(ALICE, &format!("/v1/files{query}")).await.json();
        let data = page["data"].as_array().unwrap();
        let found: Vec<_> = data
            .iter()
            .map(|f| ids.iter().position(|id| *id == f["id"]).unwrap())
            .collect();
        assert_eq!(page["object"], "list");
        assert_eq!(
            page["first_id"],
            data.first().map_or(json!(null), |f| f["id"].clone())
        );
        assert_eq!(
            page["last_id"],
            data.last().map_or(json!(null), |f| f["id"].clone())
        );
        (found, page["has_more"].as_bool().unwrap())
    };
    let after = |n: usize| format!("after={}", ids[n]);
    assert_eq!(page("").await, (vec![6, 5, 4, 3, 2, 1, 0], false));
    assert_eq!(page("?order=asc&limit=3").await, (vec![0, 1, 2], true));
    assert_eq!(
        page(&format!("?order=asc&limit=4&{}", after(2))).await,
        (vec![3, 4, 5, 6], false)
    );
    assert_eq!(
        page(&format!("?limit=2&{}", after(3))).await,
        (vec![2, 1], true)
    );
    assert_eq!(
        page(&format!("?limit=2&{}", after(0))).await,
        (vec![], false)
    );
    assert_eq!(page("?purpose=vision").await, (vec![5, 3, 1], false));
    assert_eq!(page("?purpose=vision&limit=2").await, (vec![5, 3], true));
    assert_eq!(
        page(&format!("?limit=2&before={}", ids[3])).await,
        (vec![5, 4], true)
    );
    for (query, param) in [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("order=up", "order"),
        ("after=a%2Fb", "after"),
    ] {
        rig.get(ALICE, &format!("/v1/files?{query}"))
            .await
            .refused(400, Some(param));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_upload_is_told_what_is_wrong_and_leaves_nothing() {
    let rig = Rig::new(&["--max-file-mb", "1"]);
    let form = Form::default;
    let big = vec![b'x'; 1024 * 1024 + 1];
    let table = [
        (
            form().text("purpose", "user_data").file("a.txt", b""),
            400,
            Some("file"),
            "empty",
        ),
        (
            form().text("purpose", "user_data"),
            400,
            Some("file"),
            "`file`",
        ),
        (
            form()
                .text("purpose", "x")
                .part("name=\"document\"; filename=\"a\"", b"abc"),
            400,
            Some("purpose"),
            "user_data",
        ),
        (
            form().part("name=\"document\"; filename=\"a\"", b"abc"),
            400,
            Some("file"),
            "`document`",
        ),
        (
            form().file("a", b"a").file("b", b"b"),
            400,
            Some("file"),
            "two parts",
        ),
        (
            form().file("a", b"a").text("purpose", "everything"),
            400,
            Some("purpose"),
            "fine-tune",
        ),
        (
            form().file("a", b"a").text("expires_after[seconds]", "60"),
            400,
            Some("expires_after"),
            "3600",
        ),
        (
            form().file("a", &big).text("purpose", "user_data"),
            413,
            Some("file"),
            "1 MiB",
        ),
        (
            (0..70).fold(form(), |form, n| form.text(&n.to_string(), "x")),
            400,
            None,
            "64",
        ),
    ];
    for (form, status, param, says) in table {
        let message = rig.upload(ALICE, form).await.refused(status, param);
        assert!(message.contains(says), "{message}");
    }
    let exact = form().file("a", &big[1..]);
    assert_eq!(rig.upload(ALICE, exact).await.status, 200);

    let send = async |content_type: &str, body: Body| {
        let request = Request::post("/v1/files").header("authorization", "Bearer alice-key");
        rig.send(
            request
                .header("content-type", content_type)
                .body(body)
                .unwrap(),
        )
        .await
    };
    let boundary = "multipart/form-data; boundary=BOUNDARY";
    for (content_type, body) in [
        ("application/json", Body::from("{}")),
        ("multipart/form-data", Body::from("x")),
        (boundary, Body::empty()),
        (boundary, Body::from("no form")),
        (boundary, form().file("a.txt", b"cut off").cut()),
        (
            "multipart/form-data; boundary=OTHER",
            form().file("a.txt", b"abc").cut(),
        ),
    ] {
        let status = send(content_type, body).await.status;
        assert_eq!(status, 400, "{content_type}");
    }
    let listed = rig.get(ALICE, "/v1/files").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rig.folder.contents(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_only_names() {
    let rig = Rig::new(&[]);
    for (name, kept) in [
        ("../../../etc/passwd", "passwd"),
        ("..\\\\..\\\\boot.ini", "boot.ini"),
        ("%2e%2e%2fx", "%2e%2e%2fx"),
        ("", "file"),
    ] {
        let id = rig.uploaded(ALICE, name, b"x").await;
        assert_eq!(
            rig.get(ALICE, &format!("/v1/files/{id}")).await.json()["filename"],
            kept
        );
        assert_eq!(
            rig.get(ALICE, &format!("/v1/files/{id}/content"))
                .await
                .body,
            "x"
        );
    }
    for id in [
        "..",
        "%2e%2e",
        "file-%2f..%2f..",
        "%00",
        "*",
        "file-\u{20ac}",
    ] {
        let id: String = id
            .bytes()
            .map(|b| {
                if b.is_ascii() {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect();
        let status = rig.get(ALICE, &format!("/v1/files/{id}")).await.status;
        assert_eq!(status, 404, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn upstream_gets_a_file_when_a_prompt_refers_to_it_and_only_once() {
    let rig = Rig::new(&[]);
    let id = rig
        .uploaded(ALICE, "notes.md", "# Notes \u{20ac}".as_bytes())
        .await;
    let uploads = || {
        rig.simulator
            .journal()
            .matching(|entry| entry.path == "/api/assets")
            .len()
    };
    assert_eq!(uploads(), 0);
    for _ in 0..2 {
        let answer = rig
            .post(ALICE, "/v1/chat/completions", &asking_about(&id))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        assert_eq!(uploads(), 1);
    }
    let journal = rig.simulator.journal();
    let asked = journal
        .matching(|entry| entry.path.contains("chat"))
        .pop()
        .unwrap();
    let attachments = &asked.body["promptObject"]["attachments"];
    assert_eq!(
        attachments["files"].as_array().map(Vec::len),
        Some(1),
        "{}",
        asked.body
    );
    let garbage = rig.uploaded(ALICE, "x.bin", b"\xff\xfe\x00\x01").await;
    let answer = rig
        .post(ALICE, "/v1/chat/completions", &asking_about(&garbage))
        .await;
    assert_eq!(answer.status, 400, "{}", answer.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_room_for_so_much_and_gets_it_back_by_deleting() {
    let rig = Rig::new(&["--max-account-files-mb", "1"]);
    let half = vec![b'x'; 600 * 1024];
    let id = rig.uploaded(ALICE, "one", &half).await;
    let refused = rig.upload(ALICE, Form::default().file("two", &half)).await;
    assert!(
        refused
            .refused(413, Some("file"))
            .contains("MAX_ACCOUNT_FILES_MB")
    );
    rig.uploaded(BOB, "bobs", &half).await;
    rig.ask(ALICE, Method::DELETE, &format!("/v1/files/{id}"))
        .await;
    rig.uploaded(ALICE, "two", &half).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_data_folder_a_large_file_is_refused_for_good() {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let nowhere = Folder(PathBuf::from("/proc/no/such/folder"));
    let rig = Rig::over(Arc::new(simulator), Arc::new(nowhere), &[]);
    rig.uploaded(ALICE, "small", &vec![b'x'; 8 << 20]).await;
    let large = vec![b'x'; (8 << 20) + 1];
    let refused = rig.upload(ALICE, Form::default().file("f", &large)).await;
    let message = refused.refused(413, Some("file"));
    assert!(message.contains("8 MiB") && message.contains("DATA_DIR"));
    assert_eq!(refused.json()["error"]["code"], "file_too_large");
    assert!(!refused.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_hides_no_other() {
    let rig = Rig::new(&[]);
    let key = onemin::ApiKey::parse(ALICE).unwrap();
    let owner = rig.app.stores.account_ids.of_key(&key);
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(rig.uploaded(ALICE, &number.to_string(), b"x").await);
    }
    let records = &rig.app.stores.records;
    for id in [&ids[1], &ids[5]] {
        let of_a_later_version = Value {
            text: r#"{"format":2}"#.to_owned(),
            expires: None,
        };
        let place = Key {
            table: "files",
            owner,
            id: id.clone(),
        };
        records.put(place, of_a_later_version).await.unwrap();
    }
    let good = [6, 4, 3, 2, 0].map(|number| json!(ids[number]));
    for limit in 1..=6 {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/files?order=desc&limit={limit}{after}");
            let page = rig.get(ALICE, &path).await.json();
            let data = page["data"].as_array().unwrap().clone();
            found.extend(data.iter().map(|file| file["id"].clone()));
            if page["has_more"] != true {
                break;
            }
            after = format!("&after={}", page["last_id"].as_str().unwrap());
        }
        assert_eq!(found, good, "{limit}");
    }
    let newest = rig.objects().files.newest(owner, 3).await.unwrap();
    assert_eq!(newest, [6, 4, 3].map(|number| ids[number].clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_files_of_one_account_can_go_at_once_and_anothers_stay() {
    let rig = Rig::new(&[]);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(rig.uploaded(ALICE, "x", b"x").await);
    }
    rig.uploaded(BOB, "y", b"y").await;
    let key = onemin::ApiKey::parse(ALICE).unwrap();
    let owner = rig.app.stores.account_ids.of_key(&key);
    let newest = rig.objects().files.newest(owner, 2).await.unwrap();
    assert_eq!(newest, [ids[2].clone(), ids[1].clone()]);
    assert_eq!(rig.objects().files.delete_all(owner).await.unwrap(), 3);
    assert_eq!(rig.objects().files.delete_all(owner).await.unwrap(), 0);
    assert_eq!(rig.folder.contents(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_outlive_the_relay_and_are_their_owners_afterwards() {
    let rig = Rig::new(&[]);
    let id = rig.uploaded(ALICE, "kept.txt", b"kept").await;
    let (simulator, folder) = (rig.simulator.clone(), rig.folder.clone());
    drop(rig);
    let again = Rig::over(simulator, folder, &[]);
    assert_eq!(
        again
            .get(ALICE, &format!("/v1/files/{id}/content"))
            .await
            .body,
        "kept"
    );
    assert_eq!(again.get(BOB, &format!("/v1/files/{id}")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_a_folder() {
    let rig = Rig::new(&[]);
    let id = rig.uploaded(ALICE, "x.txt", b"x").await;
    let second = rig.replica(&[]);
    let found = second.get(ALICE, "/v1/files").await.json();
    assert_eq!(found["data"][0]["id"], json!(id));
    let other = second.uploaded(ALICE, "y.txt", b"y").await;
    let entry = rig.get(ALICE, &format!("/v1/files/{other}")).await;
    assert_eq!(entry.status, 200);
    drop(rig);
    let found = second.get(ALICE, &format!("/v1/files/{id}/content")).await;
    assert_eq!((found.status, &*found.body), (200, &b"x"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_lie_in_a_bucket_when_one_is_configured() {
    let bucket = Service::start().await;
    let rig = Rig::new(&[
        "--s3-bucket",
        "relay",
        "--s3-endpoint",
        &bucket.endpoint,
        "--s3-access-key-id",
        "id",
        "--s3-secret-access-key",
        "secret",
    ]);
    let bytes = vec![b'x'; 6_000_000];
    let id = rig.uploaded(ALICE, "x.txt", &bytes).await;
    assert_eq!(rig.folder.contents(), 0);
    assert_eq!(
        rig.get(ALICE, &format!("/v1/files/{id}/content"))
            .await
            .body,
        bytes
    );
    let used = rig
        .post(ALICE, "/v1/chat/completions", &asking_about(&id))
        .await;
    assert_eq!(used.status, 200, "{}", used.json());
    rig.upload(
        ALICE,
        Form::default()
            .file("a", &bytes)
            .text("purpose", "none such"),
    )
    .await
    .refused(400, Some("purpose"));
    rig.ask(ALICE, Method::DELETE, &format!("/v1/files/{id}"))
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(bucket.left(), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_entries_in_postgres_and_a_dead_postgres_is_said_in_time() {
    let Some(mut postgres) = Server::postgres() else {
        return;
    };
    let url = postgres.url();
    let flags = [
        "--database-url",
        &url,
        "--relay-secret",
        "the same in all replicas",
    ];
    let one = Rig::new(&flags);
    let two = one.replica(&flags);
    let id = one.uploaded(ALICE, "shared.txt", b"shared").await;
    assert_eq!(
        two.get(ALICE, &format!("/v1/files/{id}/content"))
            .await
            .body,
        "shared"
    );
    assert_eq!(two.get(BOB, &format!("/v1/files/{id}")).await.status, 404);
    postgres.stop();
    let began = std::time::Instant::now();
    let answer = two.get(ALICE, "/v1/files").await;
    assert_eq!(
        (answer.status, answer.headers.contains_key("retry-after")),
        (503, true)
    );
    assert!(began.elapsed() < Duration::from_secs(4));
    let chat = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]});
    assert_eq!(
        two.post(ALICE, "/v1/chat/completions", &chat).await.status,
        200
    );
    postgres.go_on();
    assert_eq!(two.get(ALICE, &format!("/v1/files/{id}")).await.status, 200);
    postgres.kill();
    assert_eq!(two.get(ALICE, "/v1/files").await.status, 503);
    postgres.start();
    // What was acknowledged is there again.
    assert_eq!(two.get(ALICE, &format!("/v1/files/{id}")).await.status, 200);
    one.uploaded(ALICE, "after.txt", b"after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_files_are_deleted_by_one_replica_at_a_time() {
    let rig = Rig::new(&["--file-retention-days", "1"]);
    let id = rig.uploaded(ALICE, "new.txt", b"new").await;
    assert_eq!(retention::round(rig.objects()).await.unwrap(), Some(0));
    assert_eq!(rig.get(ALICE, &format!("/v1/files/{id}")).await.status, 200);
    let at_once = Some(Duration::ZERO);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(rig.objects().files.delete_old(None).await.unwrap(), 0);
    assert_eq!(rig.objects().files.delete_old(at_once).await.unwrap(), 1);
    assert_eq!(rig.folder.contents(), 0);
    let rounds = join_all((0..8).map(|_| retention::round(rig.objects()))).await;
    let done = rounds
        .iter()
        .filter(|round| round.as_ref().unwrap().is_some())
        .count();
    assert!((1..8).contains(&done), "{done}");
}

/// Memory that this process holds, in MiB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_flat_while_large_files_come_and_go() {
    const SIZE: usize = 100 * 1024 * 1024;
    let rig = Rig::new(&[]);
    let upload = async || {
        let piece = Bytes::from(vec![7; 64 * 1024]);
        let head = Bytes::from_static(b"--BOUNDARY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"big\"\r\n\r\n");
        let tail = Bytes::from_static(b"\r\n--BOUNDARY--\r\n");
        let middle = stream::repeat(piece.clone()).take(SIZE / piece.len());
        let all = stream::iter([head])
            .chain(middle)
            .chain(stream::iter([tail]));
        let request = Request::post("/v1/files").header("authorization", "Bearer alice-key");
        let request = request.header("content-type", "multipart/form-data; boundary=BOUNDARY");
        let body = Body::from_stream(all.map(Ok::<_, std::io::Error>));
        rig.send(request.body(body).unwrap()).await.json()
    };
    let before = memory();
    let uploads = async { join_all((0..6).map(|_| upload())).await };
    let mut most = before;
    let uploads = tokio::select! {
        uploads = uploads => uploads,
        () = async { loop { tokio::time::sleep(Duration::from_millis(5)).await; most = most.max(memory()); } } => unreachable!(),
    };
    assert!(
        uploads.iter().all(|file| file["bytes"] == SIZE),
        "{uploads:?}"
    );
    assert!(most < before + 80, "{before} to {most} MiB");
}
