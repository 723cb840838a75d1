//! `/v1/assistants`, and what an assistant means as a model.

use http::Method;
use serde_json::json;

use crate::rig::Rig;

const ALICE: &str = "alice-key";
const BOB: &str = "bob-key";

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_is_made_changed_listed_and_deleted_by_its_owner_alone() {
    let rig = Rig::new(&[]);
    let file = rig.uploaded(ALICE, "facts.txt", b"facts").await;
    let body =
        json!({"name": "Tutor", "instructions": "Teach.", "model": "gpt-4o", "file_ids": [file]});
    let made = rig.post(ALICE, "/v1/assistants", &body).await;
    assert_eq!(made.status, 200, "{}", made.json());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("asst_"));
    let path = format!("/v1/assistants/{id}");
    assert_eq!(rig.get(ALICE, &path).await.json(), made.json());

    let changed = rig
        .post(ALICE, &path, &json!({"instructions": "Ask."}))
        .await
        .json();
    assert_eq!(
        (&changed["name"], &changed["instructions"]),
        (&json!("Tutor"), &json!("Ask."))
    );
    assert_eq!(changed["created_at"], made.json()["created_at"]);
    let other = rig.post(ALICE, "/v1/assistants", &json!({})).await.json();
    assert_eq!(other["model"], "gpt-4o-mini");
    let page = rig.get(ALICE, "/v1/assistants?limit=1").await.json();
    assert_eq!(
        (&page["data"][0], &page["has_more"]),
        (&other, &json!(true))
    );
    let page = rig
        .get(
            ALICE,
            &format!("/v1/assistants?after={}", other["id"].as_str().unwrap()),
        )
        .await
        .json();
    assert_eq!(
        (&page["data"], &page["has_more"]),
        (&json!([changed]), &json!(false))
    );

    for (method, body) in [
        (Method::GET, None),
        (Method::POST, Some(json!({"name": "mine"}))),
        (Method::DELETE, None),
    ] {
        let answer = match body {
            Some(body) => rig.post(BOB, &path, &body).await,
            None => rig.ask(BOB, method, &path).await,
        };
        answer.refused(404, Some("id"));
    }
    assert_eq!(
        rig.get(BOB, "/v1/assistants").await.json()["data"],
        json!([])
    );
    let gone = rig.ask(ALICE, Method::DELETE, &path).await.json();
    assert_eq!(
        gone,
        json!({"id": id, "object": "assistant.deleted", "deleted": true})
    );
    rig.get(ALICE, &path).await.refused(404, Some("id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_refused_when_it_is_set() {
    let rig = Rig::new(&[]);
    let bobs = rig.uploaded(BOB, "bobs.txt", b"of bob").await;
    for (body, status, param) in [
        (json!({"model": "no-such-model"}), 404, "model"),
        (json!({"file_ids": ["file-unknown"]}), 404, "file_ids"),
        (json!({"file_ids": [bobs]}), 404, "file_ids"),
        (
            json!({"tool_resources": {"code_interpreter": {"file_ids": [bobs]}}}),
            404,
            "file_ids",
        ),
        (json!({"metadata": []}), 400, "metadata"),
    ] {
        rig.post(ALICE, "/v1/assistants", &body)
            .await
            .refused(status, Some(param));
    }
    assert_eq!(
        rig.get(ALICE, "/v1/assistants").await.json()["data"],
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn as_a_model_it_means_what_was_set_and_nothing_to_others() {
    let rig = Rig::new(&[]);
    let file = rig.uploaded(ALICE, "facts.txt", b"facts").await;
    let body = json!({"instructions": "Teach.", "model": "gpt-4o", "file_ids": [file]});
    let made = rig.post(ALICE, "/v1/assistants", &body).await.json();
    let id = made["id"].as_str().unwrap();
    let owner = |key| {
        rig.app
            .stores
            .account_ids
            .of_key(&onemin::ApiKey::parse(key).unwrap())
    };
    let found = rig
        .objects()
        .assistants
        .resolve(owner(ALICE), id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            found.model.as_str(),
            found.instructions.as_deref(),
            found.file_ids
        ),
        ("gpt-4o", Some("Teach."), vec![file])
    );
    for (key, model) in [
        (BOB, id),
        (ALICE, "gpt-4o"),
        (ALICE, "asst_unknown"),
        (ALICE, "asst_/../x"),
    ] {
        assert_eq!(
            rig.objects()
                .assistants
                .resolve(owner(key), model)
                .await
                .unwrap(),
            None
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_are_told_that_they_are_no_more() {
    let rig = Rig::new(&[]);
    for path in [
        "/v1/threads",
        "/v1/threads/runs",
        "/v1/threads/thread_1/runs/run_1/steps",
    ] {
        for method in [Method::GET, Method::POST] {
            let message = rig.ask(ALICE, method, path).await.refused(501, None);
            assert!(message.contains("2026-08-26"));
        }
    }
}
