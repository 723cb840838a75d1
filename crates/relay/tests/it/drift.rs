//! Answers of 1min.ai that are otherwise than it is taken to be: they are used all the same, and
//! counted by fact.

use http::Method;
use serde_json::{Value, json};

use crate::form::png;
use crate::rig::{AUTHORIZED, Rig};

/// What is altered.
enum Change {
    /// A switch of the simulator.
    Alteration(&'static str),
    /// A fault of the simulator.
    Fault(Value),
}

/// What is asked.
#[derive(Clone, Copy)]
enum Asks {
    Chat,
    Streamed,
    Refused,
    WithImage,
    Image,
    Models,
}

impl Asks {
    async fn send(self, rig: &Rig, number: usize) {
        let chat = |model: &str, stream: bool, content: Value| {
            json!({"model": model, "stream": stream,
                "messages": [{"role": "user", "content": content}]})
        };
        let words = json!(format!("Hi {number}."));
        match self {
            Self::Chat => drop(rig.chat(&chat("gpt-4o-mini", false, words)).await),
            Self::Streamed => drop(rig.chat(&chat("gpt-4o-mini", true, words)).await),
            Self::Refused => {
                let broke = [("authorization", "Bearer broke"), AUTHORIZED[1]];
                let body = chat("gpt-4o-mini", false, words).to_string();
                rig.send(Method::POST, "/v1/chat/completions", &broke, body)
                    .await;
            }
            Self::WithImage => {
                use base64::Engine as _;
                let picture = png(8 + u32::try_from(number).unwrap(), 8);
                let picture = base64::engine::general_purpose::STANDARD.encode(picture);
                let url = format!("data:image/png;base64,{picture}");
                let content = json!([{"type": "image_url", "image_url": {"url": url}}]);
                rig.chat(&chat("gpt-4o-mini", false, content)).await;
            }
            Self::Image => {
                let body = json!({"model": "gpt-image-1", "prompt": "a cat", "quality": "low"});
                rig.post("/v1/images/generations", &body).await;
            }
            Self::Models => drop(rig.send(Method::GET, "/v1/models", &AUTHORIZED, "").await),
        }
    }
}

impl Rig {
    async fn drift(&self, fact: &str) -> u64 {
        let metrics = self.get("/metrics").await.text;
        let name = format!("relay_upstream_drift_total{{fact=\"{fact}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |count| count.parse().unwrap())
    }
}

#[tokio::test]
async fn each_answer_that_differs_is_counted_by_its_fact() {
    use Asks::{Chat, Image, Refused, Streamed, WithImage};
    use Change::{Alteration, Fault};
    let rows = [
        (Alteration("errors-flat"), Refused, "errors-flat"),
        (Alteration("chat-text-place"), Chat, "chat-text-place"),
        (Alteration("chat-usage"), Chat, "chat-usage"),
        (Fault(json!({"fault": "no-metadata"})), Chat, "chat-usage"),
        (Alteration("chat-price-rule"), Chat, "chat-price-rule"),
        (Alteration("chat-price-rule"), Streamed, "chat-price-rule"),
        (Alteration("asset-names"), WithImage, "asset-names"),
        (Alteration("stream-events"), Streamed, "stream-events"),
        (Alteration("stream-usage"), Streamed, "stream-usage"),
        (Alteration("async-processing"), Image, "async-processing"),
        (Alteration("async-processing"), Image, "record-state"),
        (Alteration("media-no-credits"), Image, "media-no-credits"),
        (Alteration("signed-url"), Image, "signed-url"),
        (
            Fault(json!({"fault": "no-url", "endpoint": "features"})),
            Image,
            "signed-url",
        ),
        (
            Fault(json!({"fault": "binary-answer", "endpoint": "features"})),
            Image,
            "file-records",
        ),
        (
            Fault(json!({"fault": "repeated-final"})),
            Streamed,
            "no-repeated-text",
        ),
        (
            Fault(json!({"fault": "error-first", "shape": "nested"})),
            Streamed,
            "stream-error-shape",
        ),
        (
            Fault(json!({"fault": "error-first", "shape": "text"})),
            Streamed,
            "stream-error-shape",
        ),
        (
            Fault(json!({"fault": "non-sse-text"})),
            Streamed,
            "body-types",
        ),
        (
            Fault(json!({"fault": "rate-limited"})),
            Chat,
            "rate-limited",
        ),
    ];
    let rig = Rig::with(&["--metrics", "--job-poll=0.1"]);
    // As it is, nothing differs.
    let mut number = 0;
    for asks in [Chat, Streamed, Refused, WithImage, Image, Asks::Models] {
        asks.send(&rig, number).await;
        number += 1;
    }
    let metrics = rig.get("/metrics").await.text;
    assert!(
        !metrics.contains("relay_upstream_drift_total{"),
        "{metrics}"
    );
    let mut wrong = Vec::new();
    for (change, asks, fact) in rows {
        rig.simulator.reset();
        let name = match &change {
            Alteration(id) => {
                rig.simulator.alter(&[id]).unwrap();
                (*id).to_owned()
            }
            Fault(fault) => {
                rig.simulator.set_faults(json!([fault])).unwrap();
                fault.to_string()
            }
        };
        let before = rig.drift(fact).await;
        number += 1;
        asks.send(&rig, number).await;
        if rig.drift(fact).await == before {
            wrong.push(format!("{name}: {fact} is not counted"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
