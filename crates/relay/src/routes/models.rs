//! `GET /v1/models` and `GET /v1/models/{id}`: OpenAI's entries, with what 1min.ai says beside.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderValue;
use http::header::HeaderName;
use onemin::catalogue::Source;
use onemin::models::Model;
use serde::Serialize;
use serde_json::Value;
use translate::dialect::openai::error;

use crate::app::Relay;
use crate::respond;

/// All models that may be used.
pub async fn list(State(relay): State<Arc<Relay>>) -> Response {
    let (models, source) = relay.catalogue.list().await;
    let list = List {
        object: "list",
        data: models.iter().map(Entry::from).collect(),
    };
    let mut response = respond::json(200, serde_json::to_vec(&list).unwrap_or_default());
    let source = HeaderValue::from_static(match source {
        Source::Live => "live",
        Source::Stale => "stale",
        Source::BuiltIn => "built-in",
    });
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-relay-models"), source);
    response
}

/// One model; ids may hold slashes.
pub async fn entry(State(relay): State<Arc<Relay>>, Path(id): Path<String>) -> Response {
    match relay.catalogue.get(&id).await {
        Ok(model) => respond::json(
            200,
            serde_json::to_vec(&Entry::from(&model)).unwrap_or_default(),
        ),
        Err(failure) => respond::document(error::document(&failure)),
    }
}

#[derive(Serialize)]
struct List<'m> {
    object: &'static str,
    data: Vec<Entry<'m>>,
}

/// OpenAI's four fields first; the others are named as `OpenRouter` and Open WebUI name them.
#[derive(Serialize)]
struct Entry<'m> {
    id: &'m str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
    name: &'m str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    features: &'m [String],
    architecture: Modalities<'m>,
    capabilities: Capabilities,
    #[serde(skip_serializing_if = "Value::is_null")]
    credits: &'m Value,
}

#[derive(Serialize)]
struct Modalities<'m> {
    #[serde(skip_serializing_if = "Option::is_none")]
    input_modalities: Option<&'m [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_modalities: Option<&'m [String]>,
}

#[derive(Serialize)]
struct Capabilities {
    vision: bool,
}

impl<'m> From<&'m Model> for Entry<'m> {
    fn from(model: &'m Model) -> Self {
        Self {
            id: &model.id,
            object: "model",
            created: created(model),
            owned_by: "1minai",
            name: &model.name,
            provider: model.provider.as_deref(),
            context_length: model.context,
            max_output_tokens: model.max_output,
            features: &model.features,
            architecture: Modalities {
                input_modalities: model.inputs.as_deref(),
                output_modalities: model.outputs.as_deref(),
            },
            capabilities: Capabilities {
                vision: model.sees_images(),
            },
            credits: &model.credit_metadata,
        }
    }
}

/// Seconds since 1970; 0 where upstream does not say.
fn created(model: &Model) -> u64 {
    let time = model
        .created_at
        .as_deref()
        .and_then(|at| humantime::parse_rfc3339_weak(at).ok());
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs())
}
