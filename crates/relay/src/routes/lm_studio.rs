//! `GET /api/v0/models` and `GET /api/v0/models/{id}`: the models of chat as LM Studio lists them, for
//! clients that discover by its API and chat by OpenAI's.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Request;
use onemin::models::Model;
use serde::Serialize;
use translate::dialect::openai;

use crate::access::Access;
use crate::http::context::RequestContext;
use crate::http::{admit, reply};
use crate::ledger::Payer;
use crate::models::{Models, NameStyle};

#[derive(Serialize)]
struct List<'m> {
    object: &'static str,
    data: Vec<Entry<'m>>,
}

#[derive(Serialize)]
struct Entry<'m> {
    id: &'m str,
    object: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    publisher: &'m str,
    arch: &'m str,
    compatibility_type: &'static str,
    quantization: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_context_length: Option<u64>,
    capabilities: [&'static str; 1],
}

impl<'m> From<&'m Model> for Entry<'m> {
    fn from(model: &'m Model) -> Self {
        let provider = model.provider.as_deref().unwrap_or("unknown");
        Self {
            id: &model.id,
            object: "model",
            kind: if model.sees_images() { "vlm" } else { "llm" },
            publisher: provider,
            arch: provider,
            compatibility_type: "",
            quantization: "",
            state: "loaded",
            max_context_length: model.context,
            capabilities: ["tool_use"],
        }
    }
}

/// The models of chat that may be used.
pub async fn list(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    request: Request<Body>,
) -> Response {
    let (head, _) = request.into_parts();
    admit::answer_anyone(&access, "lm_studio.models", &head, async |payer| {
        let key = payer.as_ref().and_then(Payer::key).cloned();
        if let Some(payer) = payer {
            access.require_known(&payer).await?;
        }
        let mut models = models.for_chat().await;
        if let Some(known) = key {
            models.retain(|model| known.key.permits_model(&model.id));
        }
        Ok(admit::json(&List {
            object: "list",
            data: models.iter().map(Entry::from).collect(),
        }))
    })
    .await
}

/// One model; ids may hold slashes.
pub async fn entry(
    State(models): State<Arc<Models>>,
    Path(id): Path<String>,
    Extension(context): Extension<RequestContext>,
) -> Response {
    let id = models.resolve(&id, NameStyle::Exact).await;
    match models.get(&id).await {
        Ok(model) => admit::json(&Entry::from(&model)),
        Err(failure) => reply::failure(&openai::chat::DIALECT, &failure, context.id),
    }
}
