//! Responses and conversations: what a request may refer to as soon as its client has seen it.

use http::Method;
use serde_json::{Value, json};

use crate::rig::{AUTHORIZED, Rig};

const CALL: &str = "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call>";

fn asks(conversation: &str, input: &Value, stream: bool) -> Value {
    json!({
        "model": "gpt-4o-mini", "conversation": conversation, "input": input, "stream": stream,
        "tools": [{"type": "function", "name": "add", "parameters": {"type": "object"}}],
    })
}

async fn conversation(rig: &Rig) -> String {
    let begun = rig.post("/v1/conversations", &json!({})).await.json();
    begun["id"].as_str().unwrap().to_owned()
}

async fn items(rig: &Rig, conversation: &str) -> Vec<Value> {
    let path = format!("/v1/conversations/{conversation}/items?order=asc&limit=100");
    let list = rig.send(Method::GET, &path, &AUTHORIZED, "").await.json();
    list["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_conversation_holds_a_call_before_its_output_is_sent() {
    let rig = Rig::start();
    let conversation = conversation(&rig).await;
    for turn in 0..12 {
        let stream = turn % 2 == 0;
        rig.simulator
            .script(json!({"replies": [CALL, "done"]}))
            .unwrap();
        let first = asks(&conversation, &json!(format!("Sum {turn}.")), stream);
        let first = rig.post("/v1/responses", &first).await.text;
        let (_, rest) = first.split_once("\"call_id\":\"").unwrap();
        let call_id = rest.split('"').next().unwrap();
        let output = json!([{"type": "function_call_output", "call_id": call_id, "output": "42"}]);
        let second = rig
            .post("/v1/responses", &asks(&conversation, &output, false))
            .await;
        assert_eq!(second.status, 200, "{}", second.text);
    }
    let kinds: Vec<Value> = items(&rig, &conversation)
        .await
        .into_iter()
        .map(|item| item["type"].clone())
        .collect();
    let turn = [
        "message",
        "function_call",
        "function_call_output",
        "message",
    ];
    assert_eq!(json!(kinds), json!(turn.repeat(12)));
}

#[tokio::test]
async fn what_failed_is_not_said_in_a_conversation() {
    let rig = Rig::start();
    let conversation = conversation(&rig).await;
    let fault = json!({"tokens": 30, "delay_ms": 5, "fault": "cut", "after": 4});
    let broken = asks(&conversation, &json!(format!("Hi. [[sim {fault}]]")), true);
    let answer = rig.post("/v1/responses", &broken).await.text;
    assert!(answer.contains("event: response.failed"), "{answer}");
    assert!(items(&rig, &conversation).await.is_empty());
}

#[tokio::test]
async fn only_what_is_there_could_be_cancelled() {
    let rig = Rig::start();
    let response = rig
        .post(
            "/v1/responses",
            &json!({"model": "gpt-4o-mini", "input": "Hi."}),
        )
        .await
        .json();
    let id = response["id"].as_str().unwrap();
    for (id, status) in [(id, 400), ("resp_none", 404)] {
        let path = format!("/v1/responses/{id}/cancel");
        assert_eq!(rig.post(&path, &json!({})).await.status, status, "{id}");
    }
}
