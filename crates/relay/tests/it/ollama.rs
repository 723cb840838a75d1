//! Ollama's API over the wire.

use http::Method;
use serde_json::{Value, json};

use crate::rig::{AUTHORIZED, Answer, Rig};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// The lines of a stream, as clients read them: each is a JSON value, none is empty.
fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let text = answer.text.strip_suffix('\n').unwrap();
    let lines = text.split('\n');
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line:?}")))
        .collect()
}

fn replies(rig: &Rig, texts: &[&str]) {
    rig.simulator.reset();
    rig.simulator.script(json!({"replies": texts})).unwrap();
}

fn chat(text: &str, more: &Value) -> Value {
    let mut body =
        json!({"model": "gpt-4o-mini:latest", "messages": [{"role": "user", "content": text}]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_chat_is_answered_line_by_line_and_whole() {
    let rig = Rig::start();
    replies(&rig, &["Grüße,\n\"Welt\"\u{2028}"; 4]);
    let streamed = rig.post("/api/chat", &chat("Hi", &json!({}))).await;
    let all = lines(&streamed);
    let said: String = all
        .iter()
        .map(|l| l["message"]["content"].as_str().unwrap())
        .collect();
    assert_eq!(said, "Grüße,\n\"Welt\"\u{2028}");
    let (last, pieces) = all.split_last().unwrap();
    assert!(pieces.iter().all(|line| line["done"] == false), "{all:?}");
    assert_eq!(
        (&last["done"], &last["done_reason"]),
        (&json!(true), &json!("stop"))
    );
    assert!(last["eval_duration"].as_u64().unwrap() > 0, "{last}");
    assert!(last["eval_count"].as_u64().unwrap() > 0, "{last}");
    assert_eq!(last["model"], "gpt-4o-mini:latest");

    let whole = rig
        .post("/api/chat", &chat("Hi", &json!({"stream": false})))
        .await;
    assert_eq!(whole.header("content-type"), Some("application/json"));
    assert!(whole.header("x-relay-credits").is_some());
    let whole = whole.json();
    assert_eq!(whole["message"]["content"], said.as_str());
    assert_eq!(whole["done"], true);
    let models = rig
        .asked()
        .into_iter()
        .map(|entry| entry.body["model"].clone());
    assert!(models.into_iter().all(|model| model == "gpt-4o-mini"));

    let prompt = json!({"model": "gpt-4o-mini", "prompt": "Hi"});
    let generated = lines(&rig.post("/api/generate", &prompt).await);
    let text: String = generated
        .iter()
        .map(|l| l["response"].as_str().unwrap())
        .collect();
    assert_eq!(text, said);
    assert_eq!(generated.last().unwrap()["context"], json!([]));
    let whole = rig
        .post(
            "/v1/api/generate",
            &json!({"model": "gpt-4o-mini", "prompt": "Hi", "stream": false}),
        )
        .await;
    assert_eq!(whole.json()["response"], said.as_str());
}

#[tokio::test]
async fn a_call_has_its_arguments_as_an_object_and_its_result_finds_it() {
    let rig = Rig::start();
    let call =
        "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>";
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]);
    for stream in [true, false] {
        replies(&rig, &[call, "Sunny."]);
        let more = json!({"stream": stream, "tools": tools});
        let answer = rig
            .post("/api/chat", &chat("Weather in Paris?", &more))
            .await;
        let message = if stream {
            let lines = lines(&answer);
            let with_call = lines
                .iter()
                .filter(|line| line["message"].get("tool_calls").is_some());
            let with_call: Vec<_> = with_call.collect();
            assert_eq!(with_call.len(), 1, "{lines:?}");
            assert_eq!(lines.last().unwrap()["done_reason"], "stop");
            with_call[0]["message"].clone()
        } else {
            answer.json()["message"].clone()
        };
        let function = &message["tool_calls"][0]["function"];
        assert_eq!(function["name"], "weather");
        assert_eq!(function["arguments"], json!({"city": "Paris"}));
        let history = json!([
            {"role": "user", "content": "Weather in Paris?"},
            message,
            {"role": "tool", "content": "18 °C"},
        ]);
        let body =
            json!({"model": "gpt-4o-mini", "messages": history, "tools": tools, "stream": false});
        let answer = rig.post("/api/chat", &body).await;
        assert_eq!(answer.json()["message"]["content"], "Sunny.");
        let prompt = rig.asked().pop().unwrap().prompt().unwrap().to_owned();
        assert!(prompt.contains("<tool_result name=\"weather\""), "{prompt}");
    }
}

#[tokio::test]
async fn a_schema_holds_or_the_request_fails() {
    let rig = Rig::start();
    let format = json!({"type": "object", "properties": {"open": {"type": "boolean"}}, "required": ["open"]});
    for stream in [true, false] {
        let more = json!({"stream": stream, "format": format, "options": {"num_ctx": 8192}, "keep_alive": -1});
        replies(&rig, &["Sure: ```json\n{\"open\": \"true\"}\n```"]);
        let answer = rig.post("/api/chat", &chat("Is it open?", &more)).await;
        let text: String = if stream {
            let lines = lines(&answer);
            lines
                .iter()
                .map(|l| l["message"]["content"].as_str().unwrap())
                .collect()
        } else {
            answer.json()["message"]["content"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({"open": true})
        );
        assert_eq!(answer.header("x-relay-ignored"), None);
        replies(&rig, &["no"; 9]);
        let answer = rig.post("/api/chat", &chat("Is it open?", &more)).await;
        assert_eq!(answer.status, 502, "{}", answer.text);
        assert!(answer.json()["error"].is_string());
    }
}

#[tokio::test]
async fn silence_is_bridged_by_whole_objects_and_a_break_is_an_error_line() {
    let rig = Rig::with(&["--heartbeat", "0.05"]);
    rig.simulator
        .script(json!({"reply": "Late.", "first_ms": 400}))
        .unwrap();
    let answer = rig.post("/api/chat", &chat("Hi", &json!({}))).await;
    let beats = lines(&answer);
    assert!(beats.len() > 3, "{beats:?}");
    assert_eq!(beats[0]["message"]["content"], "");
    let said: String = beats
        .iter()
        .map(|l| l["message"]["content"].as_str().unwrap())
        .collect();
    assert_eq!(said, "Late.");

    let broken = chat(
        "Hi. [[sim {\"reply\": \"one two three four\", \"delay_ms\": 60, \"fault\": \"error-midway\"}]]",
        &json!({}),
    );
    let answer = rig.post("/api/chat", &broken).await;
    let all = lines(&answer);
    assert!(all.last().unwrap()["error"].is_string(), "{all:?}");
    assert!(all.iter().all(|line| line["done"] != true), "{all:?}");
}

#[tokio::test]
async fn a_model_is_loaded_without_a_call() {
    let rig = Rig::start();
    for (path, body, reason) in [
        (
            "/api/chat",
            json!({"model": "gpt-4o-mini", "messages": []}),
            "load",
        ),
        (
            "/api/chat",
            json!({"model": "gpt-4o-mini", "keep_alive": 0, "stream": false}),
            "unload",
        ),
        (
            "/api/generate",
            json!({"model": "gpt-4o-mini:latest"}),
            "load",
        ),
        (
            "/api/generate",
            json!({"model": "gpt-4o-mini", "keep_alive": "0s"}),
            "unload",
        ),
    ] {
        let answer = rig.post(path, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["done_reason"], reason, "{body}");
    }
    let answer = rig
        .post("/api/chat", &json!({"model": "llama-of-nobody"}))
        .await;
    assert_eq!(answer.status, 404);
    assert!(rig.asked().is_empty());
}

#[tokio::test]
async fn models_are_listed_and_described() {
    let rig = Rig::with(&["--rate-limit-per-minute", "2"]);
    let tags = rig.get("/api/tags").await.json();
    let models = tags["models"].as_array().unwrap();
    assert!(models.len() > 20, "{tags}");
    let ids: Vec<_> = models.iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert!(ids.contains(&"gpt-4o-mini"), "{ids:?}");
    assert!(
        !ids.contains(&"tts-1") && !ids.contains(&"gpt-image-1"),
        "{ids:?}"
    );
    for model in models {
        assert_eq!(model["name"], model["model"]);
        assert_eq!(model["digest"].as_str().unwrap().len(), 64);
        // Every model, without a key and beyond the limit of requests.
        let asked = json!({"model": model["name"]}).to_string();
        let shown = rig.send(Method::POST, "/api/show", &JSON, asked).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        let shown = shown.json();
        let info = &shown["model_info"];
        let family = info["general.architecture"].as_str().unwrap();
        let has_length = info.get(format!("{family}.context_length")).is_some();
        assert!(has_length || model["name"] != "gpt-4o-mini", "{shown}");
        assert_eq!(shown["capabilities"], model["capabilities"]);
    }
    let tagged = json!({"name": "gpt-4o-mini:latest"}).to_string();
    assert_eq!(
        rig.send(Method::POST, "/api/show", &JSON, tagged)
            .await
            .status,
        200
    );
    assert_eq!(rig.get("/api/version").await.json()["version"], "0.18.3");
    assert_eq!(rig.get("/api/ps").await.json(), json!({"models": []}));
    let root = rig.get("/").await;
    assert!(root.text.contains("Ollama is running"), "{}", root.text);
    assert_eq!(rig.send(Method::HEAD, "/", &[], "").await.status, 200);
    let wrong = [("authorization", "Bearer invalid-key")];
    let refused = rig.send(Method::GET, "/api/tags", &wrong, "").await;
    assert_eq!(refused.status, 401);
    assert!(refused.json()["error"].is_string());
}

#[tokio::test]
async fn what_is_not_there_is_said_as_ollama_says_it() {
    let rig = Rig::start();
    for (path, body, status) in [
        (
            "/api/chat",
            chat("Hi", &json!({"model": "llama-of-nobody"})),
            404,
        ),
        ("/api/show", json!({"model": "llama-of-nobody"}), 404),
        ("/api/pull", json!({"model": "llama-of-nobody"}), 404),
        (
            "/api/generate",
            json!({"model": "gpt-4o-mini", "prompt": "a", "suffix": "b"}),
            400,
        ),
        ("/api/chat", json!([]), 400),
        ("/api/create", json!({"model": "mine"}), 501),
        ("/api/copy", json!({}), 501),
        ("/api/push", json!({}), 501),
        ("/api/blobs/sha256:0123", json!({}), 501),
        ("/api/embed", json!({"model": "e", "input": "a"}), 501),
        ("/api/embeddings", json!({"model": "e", "prompt": "a"}), 501),
        ("/api/nothing", json!({}), 404),
    ] {
        let answer = rig.post(path, &body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(
            answer.json()["error"].is_string(),
            "{path}: {}",
            answer.text
        );
    }
    let answer = rig
        .post(
            "/api/chat",
            &chat("Hi", &json!({"model": "llama-of-nobody"})),
        )
        .await;
    assert!(answer.text.contains("not found"), "{}", answer.text);
    let deleted = rig
        .send(Method::DELETE, "/api/delete", &AUTHORIZED, "{}")
        .await;
    assert_eq!(deleted.status, 501);
    let keyless = rig.send(Method::POST, "/api/chat", &JSON, "{}").await;
    assert_eq!(keyless.status, 401);
    let pulled = rig
        .post("/api/pull", &json!({"model": "gpt-4o-mini"}))
        .await;
    assert_eq!(lines(&pulled), [json!({"status": "success"})]);
}

#[tokio::test]
async fn a_picture_goes_along() {
    let rig = Rig::start();
    let gif = "R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
    let body = json!({"model": "gpt-4o", "stream": false, "messages": [
        {"role": "user", "content": "What is it?", "images": [gif]}]});
    let answer = rig.post("/api/chat", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let asked = rig.asked().pop().unwrap().body;
    assert!(asked.to_string().contains("images/"), "{asked}");
}
