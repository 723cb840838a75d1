//! Every route that asks for a key either costs credits, and is refused to a key whose budget is used
//! up before anything goes upstream, or costs none. A route that is in neither list fails here.

use std::net::SocketAddr;

use axum::body::Body;
use clap::Parser as _;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use simulator::Simulator;

use super::{Admission, Service, service, table};
use crate::app::App;
use crate::config::Settings;

const ADMIN: &str = "an-admin-key-of-24-letters";

/// Routes that cost no credits.
const FREE: &[&str] = &[
    "GET /v1/models",
    "GET /v1/model/info",
    "GET /v1/models/{*id}",
    "GET /v1/assistants",
    "POST /v1/assistants",
    "GET /v1/assistants/{id}",
    "POST /v1/assistants/{id}",
    "DELETE /v1/assistants/{id}",
    "GET /v1/files",
    "POST /v1/files",
    "GET /v1/files/{id}",
    "DELETE /v1/files/{id}",
    "GET /v1/files/{id}/content",
    "POST /v1/responses/input_tokens",
    "GET /v1/responses/{id}",
    "DELETE /v1/responses/{id}",
    "POST /v1/responses/{id}/cancel",
    "GET /v1/responses/{id}/input_items",
    "POST /v1/conversations",
    "GET /v1/conversations/{id}",
    "POST /v1/conversations/{id}",
    "DELETE /v1/conversations/{id}",
    "GET /v1/conversations/{id}/items",
    "POST /v1/conversations/{id}/items",
    "GET /v1/conversations/{id}/items/{item}",
    "DELETE /v1/conversations/{id}/items/{item}",
    "GET /v1/audio/voices",
    "GET /v1/audio/models",
    "GET /v1/videos",
    "GET /v1/videos/{id}",
    "DELETE /v1/videos/{id}",
    "GET /v1/videos/{id}/content",
    "POST /v1/messages/count_tokens",
    "GET /api/tags",
    "POST /api/pull",
    "GET /api/v0/models",
    // Another server answers these, at no cost in credits.
    "POST /v1/embeddings",
    "POST /api/embed",
    "POST /api/embeddings",
];

/// The head of an image of one pixel, which is all that is looked at.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0\0\0\0\0";

const PNG_URL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAAAAAAAA";

const WAV: &[u8] = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0";

/// A request for something that costs credits.
struct Paid {
    /// The path as the route table has it.
    route: &'static str,
    path: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
}

fn of_json(path: &'static str, body: &Value) -> Paid {
    Paid {
        route: path,
        path,
        content_type: "application/json",
        body: body.to_string().into_bytes(),
    }
}

fn of_native(path: &'static str, body: &Value) -> Paid {
    Paid {
        route: "/1min/{*path}",
        ..of_json(path, body)
    }
}

/// A form with a file and these fields.
fn of_form(path: &'static str, field: &str, file: &[u8], fields: &[(&str, &str)]) -> Paid {
    let mut form = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        form.extend(part.into_bytes());
    }
    let head = format!(
        "--B\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"a\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    form.extend(head.into_bytes());
    form.extend(file);
    form.extend(b"\r\n--B--\r\n");
    Paid {
        route: path,
        path,
        content_type: "multipart/form-data; boundary=B",
        body: form,
    }
}

/// Requests to every route that costs credits.
fn paid_requests() -> Vec<Paid> {
    let model = "gpt-4o-mini";
    let messages = json!([{"role": "user", "content": "Hi."}]);
    let chat = "/v1/chat/completions";
    let asks = |model: &str| json!({"model": model, "messages": messages});
    let streamed = |mut body: Value| {
        body["stream"] = json!(true);
        body
    };
    let with_picture = json!({"model": model, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": PNG_URL}},
    ]}]});
    let response = json!({"model": model, "input": "Hi."});
    let mut message = asks(model);
    message["max_tokens"] = json!(9);
    let drawn = json!({"model": "gpt-image-1", "prompt": "a cat"});
    let mut edited = drawn.clone();
    edited["images"] = json!([{"image_url": PNG_URL}]);
    let edit = [("model", "gpt-image-1"), ("prompt", "a cat")];
    let transcribe = [("model", "whisper-1")];
    let native = |kind: &str, model: &str, field: &str| json!({"type": kind, "model": model, "promptObject": {field: "Hi."}});
    let feature = "/1min/api/features";
    vec![
        of_json(chat, &asks(model)),
        of_json(chat, &streamed(asks(model))),
        of_json(chat, &with_picture),
        of_json(chat, &asks("gpt-image-1")),
        of_json(chat, &asks("tts-1")),
        of_json("/v1/completions", &json!({"model": model, "prompt": "Hi."})),
        of_json("/v1/responses", &response),
        of_json("/v1/responses", &streamed(response.clone())),
        of_json("/v1/messages", &message),
        of_json("/v1/messages", &streamed(message.clone())),
        of_json("/api/chat", &asks(model)),
        of_json("/api/generate", &json!({"model": model, "prompt": "Hi."})),
        of_json("/v1/images/generations", &drawn),
        of_json("/v1/images/edits", &edited),
        of_form("/v1/images/edits", "image", PNG, &edit),
        of_form(
            "/v1/images/variations",
            "image",
            PNG,
            &[("model", "dall-e-2")],
        ),
        of_json(
            "/v1/audio/speech",
            &json!({"model": "tts-1", "input": "Hi.", "voice": "alloy"}),
        ),
        of_form("/v1/audio/transcriptions", "file", WAV, &transcribe),
        of_form("/v1/audio/translations", "file", WAV, &transcribe),
        of_json(
            "/v1/videos",
            &json!({"model": "kling", "prompt": "a cat", "seconds": "5"}),
        ),
        of_native(
            "/1min/api/chat-with-ai",
            &native("UNIFY_CHAT_WITH_AI", model, "prompt"),
        ),
        of_native(feature, &native("TEXT_TO_SPEECH", "tts-1", "text")),
        // Of these nobody knows a price.
        of_native(feature, &native("VOICE_DESIGN", "eleven", "text")),
        of_native(feature, &native("SUMMARIZER", "unlisted", "prompt")),
    ]
}

async fn send(service: &Service, key: &str, sent: Paid) -> (http::response::Parts, String) {
    let request = Request::builder().method(Method::POST).uri(sent.path);
    let request = request.header("authorization", format!("Bearer {key}"));
    let request = request.header("content-type", sent.content_type);
    let request = request.body(Body::from(sent.body)).unwrap();
    let peer = SocketAddr::from(([127, 0, 0, 1], 5000));
    let (head, body) = service.answer(request, peer).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head, String::from_utf8_lossy(&body).into_owned())
}

fn relay(simulator: &Simulator, folder: &std::path::Path) -> App {
    let url = simulator.url();
    let flags = [
        "relay",
        "--onemin-base-url",
        &url,
        "--onemin-asset-url",
        &url,
        "--embeddings-base-url=http://127.0.0.1:9",
        "--counters=process",
        "--relay-secret=sixteen characters",
        "--onemin-api-keys=family=key-a",
        "--admin-key",
        ADMIN,
        "--native",
    ];
    let mut settings = Settings::try_parse_from(flags).unwrap();
    settings.store.data_dir = Some(folder.to_owned());
    App::new(&settings).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_paid_route_refuses_a_key_whose_budget_is_used_up() {
    let simulator = Simulator::start(simulator::Options::default()).unwrap();
    let name = format!("relay-paid-{}", uuid::Uuid::new_v4().simple());
    let folder = std::env::temp_dir().join(name);
    let app = relay(&simulator, &folder);
    app.start_sharing().await;
    let service = service(app.state.clone());
    for route in table(&app.state) {
        let name = format!("{} {}", route.method, route.path);
        let wants_key = [Admission::Key, Admission::OptionalKey].contains(&route.admission);
        let is_paid_path = |path: &str| paid_requests().iter().any(|paid| paid.route == path);
        let is_paid = is_paid_path(route.path) && route.method == Method::POST;
        if let Some(rest) = route.path.strip_prefix("/admin/api/try") {
            let same = format!("/v1{rest}");
            let is_free = FREE.contains(&format!("{} {same}", route.method).as_str());
            assert!(
                is_free || is_paid_path(&same),
                "{name} is checked as {same} is"
            );
        }
        assert_eq!(
            wants_key,
            is_paid != FREE.contains(&name.as_str()),
            "{name}: if it costs credits, it needs a request here, else a line in FREE"
        );
    }
    let fields = json!({"name": "empty", "budgets": [{"per": "day", "credits": 0}]});
    let (head, made) = send(&service, ADMIN, of_json("/v1/keys", &fields)).await;
    assert_eq!(head.status, 200, "{made}");
    let made: Value = serde_json::from_str(&made).unwrap();
    let key = made["key"].as_str().unwrap();
    for paid in paid_requests() {
        let name = format!("{} {}", paid.path, String::from_utf8_lossy(&paid.body));
        let (head, body) = send(&service, key, paid).await;
        assert_eq!(head.status, 402, "{name}: {body}");
        assert_eq!(head.headers["x-should-retry"], "false", "{name}");
        assert!(body.contains("The budget resets at"), "{name}: {body}");
    }
    assert!(simulator.charges().is_empty());
    let journal = simulator.journal();
    let seen = journal.matching(|entry| !entry.path.contains("models"));
    assert!(seen.is_empty(), "something was asked or uploaded: {seen:?}");
    let _ = std::fs::remove_dir_all(&folder);
}
