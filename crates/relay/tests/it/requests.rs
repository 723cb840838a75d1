//! Requests that are wrong, and what is said of them before anything is spent.

use http::Method;
use serde_json::{Value, json};

use crate::rig::{AUTHORIZED, Rig, asks};

#[tokio::test]
async fn a_wrong_request_is_refused_with_the_field_at_fault_and_costs_nothing() {
    let rig = Rig::start();
    let table: [(Value, u16, Option<&str>, &str); 8] = [
        (
            json!({"model": "gpt-4o-mini"}),
            400,
            Some("messages"),
            "1412",
        ),
        (
            json!({"model": "gpt-4o-mini", "messages": []}),
            400,
            Some("messages"),
            "1412",
        ),
        (
            json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": ""}]}),
            400,
            Some("messages"),
            "1423",
        ),
        (
            json!({"model": "gpt-4o-mini", "messages": [{"role": "king", "content": "x"}]}),
            400,
            Some("messages[0].role"),
            "role",
        ),
        (
            json!({"model": "gpt-4o-mini", "messages": "x"}),
            400,
            Some("messages"),
            "",
        ),
        (
            json!({"messages": [{"role": "user", "content": "x"}]}),
            400,
            Some("model"),
            "",
        ),
        (
            json!({"model": "no-such-model", "messages": [{"role": "user", "content": "x"}]}),
            404,
            Some("model"),
            "1002",
        ),
        (
            json!({"model": "gpt-4o-mini", "max_tokens": "x", "messages": [{"role": "user", "content": "x"}]}),
            400,
            Some("max_tokens"),
            "",
        ),
    ];
    for (request, status, param, word) in table {
        let answer = rig.chat(&request).await;
        let error = &answer.json()["error"];
        assert_eq!(
            (answer.status, error["param"].as_str()),
            (status, param),
            "{request} {}",
            answer.text
        );
        assert!(
            error["message"].as_str().unwrap().contains(word),
            "{}",
            answer.text
        );
    }
    for body in ["", "{", "[]", "nonsense", "{\"model\": }"] {
        let answer = rig
            .send(Method::POST, "/v1/chat/completions", &AUTHORIZED, body)
            .await;
        assert_eq!(answer.status, 400, "{body:?} {}", answer.text);
    }
    assert!(rig.asked().is_empty());
}

#[tokio::test]
async fn a_schema_that_cannot_be_held_is_named_as_the_dialect_has_it() {
    let rig = Rig::start();
    let schema = json!({"type": "object", "properties": {"a": {"type": "strin"}}});
    let table = [
        (
            "/v1/chat/completions",
            json!({"messages": [{"role": "user", "content": "x"}],
                "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}),
            "response_format.json_schema.schema",
        ),
        (
            "/v1/responses",
            json!({"input": "x", "text": {"format": {"type": "json_schema", "name": "x", "schema": schema}}}),
            "text.format.schema",
        ),
        (
            "/v1/responses",
            json!({"input": "x", "tools": [{"type": "function", "name": "f", "strict": true, "parameters": schema}]}),
            "tools[0].parameters",
        ),
        (
            "/v1/messages",
            json!({"messages": [{"role": "user", "content": "x"}], "max_tokens": 9,
                "output_config": {"format": {"type": "json_schema", "schema": schema}}}),
            "output_config.format.schema",
        ),
    ];
    for (path, mut body, field) in table {
        body["model"] = "gpt-4o-mini".into();
        let answer = rig.post(path, &body).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        let error = &answer.json()["error"];
        let named = error["param"].as_str().or(error["message"].as_str());
        assert!(named.unwrap().contains(field), "{path}: {error}");
    }
    assert!(rig.asked().is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_attachments_is_named_as_the_dialect_has_it() {
    let rig = Rig::start();
    let content = json!([{"type": "input_image", "image_url": "http://127.0.0.1/a.png"}]);
    let asked = json!({"model": "gpt-4o-mini", "input": [{"role": "user", "content": content}]});
    let answer = rig.post("/v1/responses", &asked).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["param"]),
        (400, &json!("input"))
    );
    let audio =
        json!([{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}]);
    let asked = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": audio}]});
    let answer = rig.post("/v1/chat/completions", &asked).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["param"]),
        (400, &json!("messages"))
    );
}

#[tokio::test]
async fn a_stored_response_cannot_be_streamed() {
    let rig = Rig::start();
    let made = rig
        .post(
            "/v1/responses",
            &json!({"model": "gpt-4o-mini", "input": "hi"}),
        )
        .await
        .json();
    let path = format!("/v1/responses/{}", made["id"].as_str().unwrap());
    for (query, status) in [("", 200), ("?stream=false", 200), ("?stream=true", 400)] {
        let answer = rig
            .send(Method::GET, &format!("{path}{query}"), &AUTHORIZED, "")
            .await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text);
    }
}

#[tokio::test]
async fn keys_are_asked_for_and_never_shown() {
    let rig = Rig::start();
    let request = asks(&json!({"reply": "Hi"}), &json!({})).to_string();
    let with = |headers: &'static [(&'static str, &'static str)]| {
        rig.send(
            Method::POST,
            "/v1/chat/completions",
            headers,
            request.clone(),
        )
    };
    let none = with(&[]).await;
    assert_eq!(
        (none.status, none.json()["error"]["code"].as_str()),
        (401, Some("invalid_api_key"))
    );
    assert!(none.text.contains("1021"));
    let bad = with(&[("authorization", "Bearer invalid-secret-of-mine")]).await;
    assert_eq!(bad.status, 401);
    assert!(!bad.text.contains("secret-of-mine"), "{}", bad.text);
    assert_eq!(with(&[("x-api-key", "good")]).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_even_while_it_is_still_written() {
    let rig = Rig::with(&["--max-body-mb", "1"]);
    let large = "x".repeat(8 << 20);
    let answer = rig
        .send(Method::POST, "/v1/chat/completions", &AUTHORIZED, large)
        .await;
    assert_eq!(
        (answer.status, answer.json()["error"]["code"].as_str()),
        (413, Some("request_too_large"))
    );
}

/// A request with its body in gzip.
fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_compressed_body_is_read_in_every_api() {
    let rig = Rig::start();
    let chat = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 50});
    let responses = json!({"model": "gpt-4o-mini", "input": "Hi"});
    for (path, body) in [
        ("/v1/chat/completions", &chat),
        ("/v1/messages", &chat),
        ("/v1/responses", &responses),
    ] {
        let body = body.to_string();
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        let zstd = ruzstd::encoding::compress_to_vec(body.as_bytes(), level);
        for (coding, bytes) in [("gzip", gzip(body.as_bytes())), ("zstd", zstd)] {
            let headers = [AUTHORIZED[0], ("content-encoding", coding)];
            let answer = rig.send(Method::POST, path, &headers, bytes).await;
            assert_eq!(answer.status, 200, "{path} {coding}: {}", answer.text);
        }
        for (coding, status) in [("br", 415), ("gzip", 400), ("zstd", 400)] {
            let headers = [AUTHORIZED[0], ("content-encoding", coding)];
            let answer = rig.send(Method::POST, path, &headers, "x").await;
            assert_eq!(answer.status, status, "{path} {coding}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_body_that_unfolds_beyond_the_limit_is_refused() {
    let rig = Rig::with(&["--max-body-mb", "1"]);
    let bomb = gzip(&vec![b' '; 200 << 20]);
    let headers = [AUTHORIZED[0], ("content-encoding", "gzip")];
    let answer = rig
        .send(Method::POST, "/v1/chat/completions", &headers, bomb)
        .await;
    assert_eq!(answer.status, 413, "{}", answer.text);
}

#[tokio::test]
async fn a_websocket_is_refused_as_such() {
    let rig = Rig::start();
    let headers = [
        AUTHORIZED[0],
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let answer = rig.send(Method::GET, "/v1/responses", &headers, "").await;
    assert_eq!(answer.status, 426, "{}", answer.text);
}

#[tokio::test]
async fn a_deep_or_wide_request_does_no_harm() {
    let rig = Rig::start();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = format!(
        r#"{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":"x"}}],"metadata":{deep}}}"#
    );
    let answer = rig
        .send(Method::POST, "/v1/chat/completions", &AUTHORIZED, body)
        .await;
    assert!([200, 400].contains(&answer.status), "{}", answer.status);
    let many: Vec<Value> = (0..20_000)
        .map(|n| json!({"role": "user", "content": n.to_string()}))
        .collect();
    let answer = rig
        .chat(&json!({"model": "gpt-4o-mini", "messages": many}))
        .await;
    assert_eq!(answer.status, 200);
}
