//! A client that leaves takes its upstream requests with it.

use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::json;

use crate::rig::{Rig, asks};

#[tokio::test]
async fn a_client_that_leaves_a_stream_cancels_upstream_at_once() {
    let rig = Rig::start();
    for n in [1, 3] {
        rig.simulator.reset();
        let request = asks(
            &json!({"tokens": 500, "delay_ms": 20}),
            &json!({"stream": true, "n": n}),
        );
        let mut body = rig.chat_stream(&request).await;
        body.frame().await.unwrap().unwrap();
        drop(body);
        let took = rig.left().await.expect("upstream is told");
        assert!(took < 100, "{took} ms");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(
            rig.asked().iter().all(simulator::Entry::client_left),
            "{n} answers"
        );
    }
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_a_whole_answer_cancels_upstream_at_once() {
    let rig = Rig::start();
    for directive in [json!({"first_ms": 5000}), json!({"fault": "silent"})] {
        rig.simulator.reset();
        let request = asks(&directive, &json!({}));
        let gone = tokio::time::timeout(Duration::from_millis(300), rig.chat(&request)).await;
        assert!(gone.is_err());
        let took = rig.left().await.expect("upstream is told");
        assert!(took < 100, "{took} ms");
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_the_first_word_cancels_upstream_at_once() {
    let rig = Rig::start();
    let request = asks(&json!({"first_ms": 5000}), &json!({"stream": true}));
    let gone = tokio::time::timeout(Duration::from_millis(300), rig.chat(&request)).await;
    assert!(gone.is_err());
    let took = rig.left().await.expect("upstream is told");
    assert!(took < 100, "{took} ms");
}
