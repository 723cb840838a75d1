//! Conversations, and deleting.

use onemin::conversations::New;
use onemin::{Deletion, Error, RefusalKind};
use serde_json::Value;

use super::server::{Server, json, response};
use super::{client, fixture, key};

#[tokio::test]
async fn a_conversation_is_created_as_it_was_captured() {
    let server = Server::with(vec![vec![json(
        200,
        &fixture("conversation-create.response.json"),
    )]])
    .await;
    let client = client(&server);
    let plain = New {
        title: "Relay session 1".into(),
        model: "gpt-4o-mini".into(),
        files: Vec::new(),
    };
    let with_files = New {
        title: "Report chat".into(),
        files: vec!["a4d2c6e8-1357-4bdf-8ace-02468ace1344".into()],
        ..plain.clone()
    };
    for (new, name) in [
        (plain, "conversation-create.request.json"),
        (with_files, "conversation-create-with-files.request.json"),
    ] {
        let made = client.create_conversation(&key(), &new).await.unwrap();
        assert_eq!(made.uuid, "5e0b7c9a-2d14-4c3f-b6a8-9f1e2d3c4b33");
        assert_eq!(made.kind.as_deref(), Some("UNIFY_CHAT_WITH_AI"));
        let asked = server.asked();
        let last = asked.last().unwrap();
        assert!(
            last.head
                .starts_with("POST /api/conversations HTTP/1.1\r\n")
        );
        assert_eq!(last.header("content-type"), Some("application/json"));
        let captured: Value = serde_json::from_slice(&fixture(name)).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&last.body).unwrap(),
            captured,
            "{name}"
        );
    }
}

#[tokio::test]
async fn conversations_are_listed() {
    let server = Server::with(vec![vec![json(
        200,
        &fixture("conversation-list.response.json"),
    )]])
    .await;
    let list = client(&server).conversations(&key()).await.unwrap();
    assert_eq!(list[0].title.as_deref(), Some("Relay session 1"));
    assert!(
        server.asked()[0]
            .head
            .starts_with("GET /api/conversations HTTP/1.1\r\n")
    );
}

#[tokio::test]
async fn a_deletion_says_what_became_of_it() {
    let missing = br#"{"message":"Cannot DELETE"}"#;
    for (reply, expected) in [
        (json(200, b"{}"), Deletion::Deleted),
        (response(204, "", b""), Deletion::Deleted),
        (json(404, missing), Deletion::NotThere),
        (json(405, missing), Deletion::NotThere),
    ] {
        let server = Server::with(vec![vec![reply]]).await;
        let client = client(&server);
        assert_eq!(
            client.delete_conversation(&key(), "5e0b").await.unwrap(),
            expected
        );
        assert_eq!(client.delete_asset(&key(), "11d0").await.unwrap(), expected);
        let asked = server.asked();
        assert!(
            asked[0]
                .head
                .starts_with("DELETE /api/conversations/5e0b HTTP/1.1\r\n")
        );
        assert!(
            asked[1]
                .head
                .starts_with("DELETE /api/assets/11d0 HTTP/1.1\r\n")
        );
    }
}

#[tokio::test]
async fn a_refused_deletion_or_a_strange_id_is_an_error() {
    let server = Server::with(vec![vec![json(401, &fixture("err-401-key-deleted.json"))]]).await;
    let client = client(&server);
    match client.delete_asset(&key(), "11d0").await {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.kind, RefusalKind::Unauthenticated),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        client.delete_asset(&key(), "../x").await,
        Err(Error::Invalid(_))
    ));
    assert_eq!(server.asked().len(), 1);
}
