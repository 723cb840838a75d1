//! How much a stored conversation may hold, however it is kept.

use std::collections::BTreeMap;

use relay::objects::responses::{Conversation, Destination, MAX_CHAIN, MAX_CONVERSATION};
use serde_json::{Value, json};

use crate::rig::Rig;

const ALICE: &str = "alice-key";

fn said(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": text})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_too_long_is_refused_and_not_cut() {
    let rig = Rig::new(&[]);
    let key = onemin::ApiKey::parse(ALICE).unwrap();
    let owner = rig.app.stores.account_ids.of_key(&key);
    let id = |number: usize| format!("resp_{number:032}");
    for number in 0..=MAX_CHAIN {
        let to = Destination {
            owner,
            id: id(number),
            input: vec![said(&format!("Number {number}"))],
            previous: number.checked_sub(1).map(id),
            conversation: None,
            stores: true,
        };
        let response = json!({"id": id(number), "status": "completed", "output": []});
        let stored = rig
            .objects()
            .responses
            .store(to, response.to_string().as_bytes());
        assert!(stored.await);
    }
    let goes_on = |number: usize| json!({"model": "gpt-4o-mini", "input": "Go on", "previous_response_id": id(number)});
    let refused = rig.post(ALICE, "/v1/responses", &goes_on(MAX_CHAIN)).await;
    let message = refused.refused(400, Some("previous_response_id"));
    assert!(message.contains("500"), "{message}");
    let answered = rig
        .post(ALICE, "/v1/responses", &goes_on(MAX_CHAIN - 1))
        .await;
    assert_eq!(answered.status, 200, "{}", answered.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_takes_so_many_items_and_bytes() {
    let rig = Rig::new(&[]);
    let key = onemin::ApiKey::parse(ALICE).unwrap();
    let owner = rig.app.stores.account_ids.of_key(&key);
    let (items, bytes) = MAX_CONVERSATION;
    let begin = async |id: &str, items: Vec<Value>| {
        let conversation = Conversation {
            created: 1,
            metadata: BTreeMap::new(),
            items,
        };
        let begun = rig.objects().responses.begin(owner, id, &conversation);
        begun.await.unwrap();
    };
    begin("conv_many", vec![said("x"); items - 1]).await;
    begin("conv_large", vec![said(&"x".repeat(bytes - 300))]).await;
    let small = |count: usize| json!({"items": vec![said("y"); count]});
    let large = json!({"items": [said(&"y".repeat(300))]});
    for (id, added, status) in [
        ("conv_many", small(2), 413),
        ("conv_many", small(1), 200),
        ("conv_many", small(1), 413),
        ("conv_large", large, 413),
    ] {
        let path = format!("/v1/conversations/{id}/items");
        let answer = rig.post(ALICE, &path, &added).await;
        assert_eq!(answer.status, status, "{id} {}", answer.json());
        if status == 413 {
            answer.refused(413, Some("items"));
        }
    }
    // What an answer has made too large stays, and is not gone on with.
    begin("conv_full", vec![said("x"); items + 1]).await;
    let asked = json!({"model": "gpt-4o-mini", "input": "Go on", "conversation": "conv_full"});
    let refused = rig.post(ALICE, "/v1/responses", &asked).await;
    refused.refused(413, Some("conversation"));
    let read = rig.get(ALICE, "/v1/conversations/conv_full").await;
    assert_eq!(read.status, 200);
}
