//! `GET /v1/model/info`: the models as `LiteLLM`'s proxy lists them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use onemin::models::{Feature, Model};
use onemin::prices::ChatPrice;
use serde::Serialize;

use crate::access::Access;
use crate::http::admit;
use crate::ledger::Payer;
use crate::models::Models;

/// What each kind of model does, in `LiteLLM`'s words, and the endpoint that serves it.
const MODES: [(Feature, &str, &str); 4] = [
    (Feature::Chat, "chat", "/v1/chat/completions"),
    (
        Feature::ImageGenerator,
        "image_generation",
        "/v1/images/generations",
    ),
    (Feature::TextToSpeech, "audio_speech", "/v1/audio/speech"),
    (
        Feature::SpeechToText,
        "audio_transcription",
        "/v1/audio/transcriptions",
    ),
];

#[derive(Serialize)]
struct List<'m> {
    data: Vec<Entry<'m>>,
}

#[derive(Serialize)]
struct Entry<'m> {
    model_name: &'m str,
    litellm_params: Params<'m>,
    model_info: Info<'m>,
}

#[derive(Serialize)]
struct Params<'m> {
    model: &'m str,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "LiteLLM's fields")]
struct Info<'m> {
    id: &'m str,
    db_model: bool,
    key: &'m str,
    mode: &'static str,
    max_tokens: Option<u64>,
    max_input_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
    input_cost_per_token: Option<f64>,
    output_cost_per_token: Option<f64>,
    litellm_provider: &'static str,
    supports_vision: bool,
    supports_function_calling: bool,
    supports_response_schema: bool,
    supports_tool_choice: bool,
    supports_web_search: bool,
    supported_endpoints: [&'static str; 1],
}

/// The models that may be used.
pub async fn list(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    request: Request<Body>,
) -> Response {
    let (head, _) = request.into_parts();
    admit::answer_anyone(&access, "model.info", &head, async |payer| {
        let key = payer.as_ref().and_then(Payer::key).cloned();
        if let Some(payer) = payer {
            access.require_known(&payer).await?;
        }
        let (mut models, _) = models.list().await;
        if let Some(known) = key {
            models.retain(|model| known.key.permits_model(&model.id));
        }
        Ok(admit::json(&List {
            data: models.iter().filter_map(entry).collect(),
        }))
    })
    .await
}

/// A model; none if `LiteLLM` has no word for what it does.
fn entry(model: &Model) -> Option<Entry<'_>> {
    let serves = |(feature, ..): &&(Feature, &str, &str)| model.serves(*feature);
    let (feature, mode, endpoint) = MODES.iter().find(serves)?;
    let chats = *feature == Feature::Chat;
    let price = ChatPrice::of(&model.credit_metadata).filter(|_| chats);
    let price = price.map(ChatPrice::dollars_per_million_tokens);
    Some(Entry {
        model_name: &model.id,
        litellm_params: Params { model: &model.id },
        model_info: Info {
            id: &model.id,
            db_model: false,
            key: &model.id,
            mode,
            max_tokens: model.max_output,
            max_input_tokens: model.context,
            max_output_tokens: model.max_output,
            input_cost_per_token: price.map(|(input, _)| input / 1e6),
            output_cost_per_token: price.map(|(_, output)| output / 1e6),
            litellm_provider: "openai",
            supports_vision: chats && model.sees_images(),
            supports_function_calling: chats,
            supports_response_schema: chats,
            supports_tool_choice: chats,
            supports_web_search: chats,
            supported_endpoints: [endpoint],
        },
    })
}
