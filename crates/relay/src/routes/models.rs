//! `GET /v1/models` and `GET /v1/models/{id}`: OpenAI's entries, with what 1min.ai says beside.

mod prices;

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::header::{HeaderName, HeaderValue};
use http::{Request, Uri};
use onemin::catalogue::Source;
use onemin::models::{Feature, Model};
use serde::Serialize;
use serde_json::Value;
use translate::dialect::anthropic;
use translate::dialect::anthropic::models::Lifecycle;
use translate::failure::Failure;

use crate::access::Access;
use crate::http::admit::{self, speaks_anthropic};
use crate::http::reply;
use crate::ledger::Payer;
use crate::models::{Models, NameStyle};
use prices::{TokenDollars, TokenPrices, UnitPrices};

/// All models that may be used; in Anthropic's shape for a client that names its version.
pub async fn list(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    request: Request<Body>,
) -> Response {
    let (head, _) = request.into_parts();
    admit::answer_anyone(&access, "models.list", &head, async |payer| {
        let key = payer.as_ref().and_then(Payer::key).cloned();
        let known = check_key(&access, payer);
        let (known, (mut models, source)) = tokio::join!(known, models.list());
        known?;
        if let Some(known) = key {
            models.retain(|model| known.key.permits_model(&model.id));
        }
        let mut response = if speaks_anthropic(&head.headers) {
            anthropic_page(&models, &head.uri)?
        } else {
            admit::json(&List {
                object: "list",
                data: models.iter().map(Entry::from).collect(),
            })
        };
        let source = HeaderValue::from_static(match source {
            Source::Live => "live",
            Source::Stale => "stale",
            Source::BuiltIn => "built-in",
        });
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("x-relay-models"), source);
        Ok(response)
    })
    .await
}

fn anthropic_page(models: &[Model], uri: &Uri) -> Result<Response, Failure> {
    let entries: Vec<_> = models.iter().map(for_anthropic).collect();
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query: Vec<_> = query.into_owned().collect();
    let query = query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let query = anthropic::models::Query::of(query)?;
    Ok(reply::json(200, anthropic::models::list(&entries, &query)))
}

/// One model; ids may hold slashes.
pub async fn entry(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    let (head, _) = request.into_parts();
    admit::answer_anyone(&access, "models.get", &head, async |payer| {
        let key = payer.as_ref().and_then(Payer::key).cloned();
        check_key(&access, payer).await?;
        let anthropic = speaks_anthropic(&head.headers);
        let names = if anthropic {
            NameStyle::Families
        } else {
            NameStyle::Exact
        };
        let id = models.resolve(&id, names).await;
        if let Some(known) = key {
            known.key.check_model(&id)?;
        }
        let model = models.get(&id).await?;
        Ok(if anthropic {
            reply::json(200, anthropic::models::entry(&for_anthropic(&model)))
        } else {
            admit::json(&Entry::from(&model))
        })
    })
    .await
}

/// Refuses a key that upstream does not know: clients list the models to learn whether a key is
/// good. Without a key the list is public, as upstream's is.
async fn check_key(access: &Access, payer: Option<Payer>) -> Result<(), Failure> {
    match payer {
        Some(payer) => access.require_known(&payer).await,
        None => Ok(()),
    }
}

fn for_anthropic(model: &Model) -> anthropic::models::Model {
    let retires = seconds(model.deprecation_date.as_deref());
    anthropic::models::Model {
        id: model.id.clone(),
        display_name: model.name.clone(),
        created: seconds(model.created_at.as_deref()).unwrap_or(0),
        max_input_tokens: model.context,
        max_tokens: model.max_output,
        lifecycle: match retires {
            Some(_) => Lifecycle::Deprecated,
            None => Lifecycle::Active,
        },
        retires,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pricing: Option<TokenDollars>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supported_parameters: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_provider: Option<TopProvider>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credits_per_1k: Option<TokenPrices>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credits_per_unit: Option<UnitPrices>,
    #[serde(skip_serializing_if = "Value::is_null")]
    credits: &'m Value,
}

/// What a chat completion may ask of a model of chat, in `OpenRouter`'s words: the relay does it for
/// all of them alike.
const CHAT_PARAMETERS: [&str; 11] = [
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "structured_outputs",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "n",
    "include_reasoning",
    "web_search_options",
];

/// The limits of who serves a model.
#[derive(Serialize)]
struct TopProvider {
    context_length: Option<u64>,
    max_completion_tokens: Option<u64>,
    is_moderated: bool,
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
        let credits_per_1k = prices::by_token(model);
        let chats = model.serves(Feature::Chat);
        Self {
            id: &model.id,
            object: "model",
            created: seconds(model.created_at.as_deref()).unwrap_or(0),
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
            pricing: prices::in_dollars(model),
            supported_parameters: chats.then_some(&CHAT_PARAMETERS),
            top_provider: chats.then_some(TopProvider {
                context_length: model.context,
                max_completion_tokens: model.max_output,
                is_moderated: false,
            }),
            credits_per_1k,
            credits_per_unit: match credits_per_1k {
                Some(_) => None,
                None => prices::by_unit(model),
            },
            credits: &model.credit_metadata,
        }
    }
}

/// A time as upstream writes it, in seconds since 1970.
fn seconds(time: Option<&str>) -> Option<u64> {
    let time = humantime::parse_rfc3339_weak(time?).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
