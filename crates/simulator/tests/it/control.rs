//! The control endpoints and their twins in Rust.

use std::path::Path;

use serde_json::{Value, json};

use crate::client::{chat, send, start, text_of, upload};

#[tokio::test]
async fn queued_scripts_answer_in_order_and_by_prompt() {
    let sim = start();
    let directives = r#"[{"replies":["one","two"]},{"reply":"cats only","when":"cat"},{"reply":"always","times":0}]"#;
    assert_eq!(
        send(&sim, "POST /_sim/script", directives).await.status,
        204
    );
    let mut said = Vec::new();
    for prompt in ["x", "x", "a dog", "a cat", "a cat"] {
        said.push(text_of(&chat(&sim, false, prompt).await.json()).to_owned());
    }
    assert_eq!(said, ["one", "two", "always", "cats only", "always"]);
    assert_eq!(send(&sim, "DELETE /_sim/script", "").await.status, 204);
    assert!(text_of(&chat(&sim, false, "x").await.json()).starts_with("You said"));
}

#[tokio::test]
async fn standing_faults_come_and_go() {
    let sim = start();
    let directive = r#"{"fault":"http-503","times":2,"when":"dog"}"#;
    assert_eq!(send(&sim, "POST /_sim/faults", directive).await.status, 204);
    let mut statuses = Vec::new();
    for prompt in ["cat", "dog", "dog", "dog"] {
        statuses.push(chat(&sim, true, prompt).await.status);
    }
    assert_eq!(statuses, [200, 503, 503, 200]);
    sim.set_faults(json!(["http-500"].map(|fault| json!({"fault": fault}))))
        .expect("a fault");
    assert_eq!(chat(&sim, false, "x").await.status, 500);
    assert_eq!(send(&sim, "DELETE /_sim/faults", "").await.status, 204);
    assert_eq!(chat(&sim, false, "x").await.status, 200);
}

#[tokio::test]
async fn standing_faults_can_hit_other_endpoints() {
    let sim = start();
    for endpoint in ["models", "assets", "features", "conversations"] {
        sim.set_faults(json!({"fault": "http-502", "endpoint": endpoint}))
            .expect("a fault");
        let statuses = [
            chat(&sim, false, "x").await.status,
            send(&sim, "GET /models?feature=IMAGE_GENERATOR", "")
                .await
                .status,
            upload(
                &sim,
                "name=\"asset\"; filename=\"a.png\"",
                "image/png",
                b"x",
            )
            .await
            .status,
            send(&sim, "POST /api/features", r#"{"type":"X"}"#)
                .await
                .status,
            send(&sim, "GET /api/conversations", "").await.status,
        ];
        let hit = |name: &str, usual: u16| if name == endpoint { 502 } else { usual };
        let expected = [
            200,
            hit("models", 200),
            hit("assets", 200),
            hit("features", 400),
            hit("conversations", 200),
        ];
        assert_eq!(statuses, expected, "{endpoint}");
    }
    sim.set_faults(json!({"fault": "cut", "endpoint": "any"}))
        .expect("a fault");
    assert!(
        !send(&sim, "GET /models?feature=IMAGE_GENERATOR", "")
            .await
            .complete
    );
}

#[tokio::test]
async fn faults_are_listed_with_an_explanation_each() {
    let sim = start();
    let list = send(&sim, "GET /_sim/faults", "").await.json();
    let faults = list["faults"].as_array().expect("a list");
    assert_eq!(faults.len(), simulator::FaultKind::ALL.len());
    assert!(faults.iter().all(|fault| {
        fault["explanation"]
            .as_str()
            .is_some_and(|text| text.len() > 8)
    }));
}

/// The table is the last thing of its section, so a row too many or in another place shows too.
#[test]
fn the_documentation_has_the_table_of_faults_and_nothing_stale() {
    const HEAD: &str = "| Fault | What goes over the wire |";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/simulator.md");
    let page = std::fs::read_to_string(&file).expect("the page");
    let (before, rest) = page.split_once(HEAD).expect("the table");
    let after = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
    let generated = format!("{before}{}{after}", simulator::FaultKind::markdown());
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        std::fs::write(&file, &generated).expect("the page is written");
    }
    let page = std::fs::read_to_string(&file).expect("the page");
    assert!(
        page == generated,
        "docs/simulator.md is stale: UPDATE_GOLDEN=1 cargo test -p simulator writes its table"
    );
}

#[tokio::test]
async fn nonsense_is_refused_with_a_reason() {
    let sim = start();
    for (head, directive, reason) in [
        ("POST /_sim/faults", r#"{"fault":"no-such"}"#, "no-such"),
        ("POST /_sim/faults", "{}", "name the fault"),
        ("POST /_sim/script", r#"{"replay":"x"}"#, "replay"),
    ] {
        let reply = send(&sim, head, directive).await;
        assert_eq!(reply.status, 400);
        assert!(reply.text().contains(reason), "{}", reply.text());
    }
}

#[tokio::test]
async fn a_reset_forgets_everything() {
    let sim = start();
    sim.script(json!({"reply": "scripted"})).expect("a script");
    sim.add_faults(json!({"fault": "http-500"}))
        .expect("a fault");
    let kept = upload(
        &sim,
        "name=\"asset\"; filename=\"a.png\"",
        "image/png",
        b"x",
    )
    .await
    .json();
    send(
        &sim,
        "POST /api/conversations",
        r#"{"type":"UNIFY_CHAT_WITH_AI","title":"t","model":"m"}"#,
    )
    .await;
    assert_eq!(send(&sim, "POST /_sim/reset", "").await.status, 204);
    assert_eq!(sim.journal().entries().len(), 0);
    assert!(text_of(&chat(&sim, false, "x").await.json()).starts_with("You said"));
    assert_eq!(
        send(&sim, "GET /api/conversations", "").await.json()["conversations"],
        json!([])
    );
    let key = kept["asset"]["key"].as_str().expect("a key");
    assert_eq!(send(&sim, &format!("GET /{key}"), "").await.status, 404);
}

#[tokio::test]
async fn the_journal_can_be_read_filtered_and_cleared_over_http() {
    let sim = start();
    chat(&sim, false, "one").await;
    send(&sim, "GET /models", "").await;
    chat(&sim, false, "two").await;
    let entries = async |query: &str| -> Vec<Value> {
        let list = send(&sim, &format!("GET /_sim/journal{query}"), "")
            .await
            .json();
        list["entries"].as_array().expect("a list").clone()
    };
    assert_eq!(entries("").await.len(), 3);
    assert_eq!(entries("?since=1").await.len(), 2);
    assert_eq!(entries("?path=/models").await[0]["seq"], 2);
    assert_eq!(entries("?outcome=client-left").await.len(), 0);
    assert_eq!(
        entries("?outcome=finished&path=/api/chat-with-ai")
            .await
            .len(),
        2
    );
    assert_eq!(send(&sim, "DELETE /_sim/journal", "").await.status, 204);
    assert_eq!(entries("").await.len(), 0);
}
