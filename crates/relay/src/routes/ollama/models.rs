//! `/api/version`, `/api/tags`, `/api/show`, `/api/ps`, `/api/pull`: what a client learns before it
//! asks.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use onemin::models::Model;
use sha2::{Digest as _, Sha256};
use translate::dialect::StreamFormat;
use translate::dialect::ollama;
use translate::dialect::ollama::models::{self as wire, PULLED, RUNNING, VERSION};
use translate::failure::Failure;

use crate::access::Access;
use crate::http::admit::{self, AdmittedRequest, Entrance};
use crate::http::body;
use crate::http::context::RequestContext;
use crate::http::reply;
use crate::ledger::Payer;
use crate::models::{Models, NameStyle};

/// The largest body of a request about a model, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// The version of Ollama whose API this is.
pub async fn version() -> Response {
    reply::json(200, format!("{{\"version\":\"{VERSION}\"}}").into_bytes())
}

/// The models in memory.
pub async fn running() -> Response {
    reply::json(200, RUNNING.as_bytes().to_vec())
}

/// The models of chat that may be used. A key that is sent is looked at: by this request clients
/// learn whether it is good.
pub async fn list(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    request: Request<Body>,
) -> Response {
    let (head, _) = request.into_parts();
    let entrance = entrance("ollama.tags");
    admit::answer_anyone_in(&access, entrance, &head, async |payer: Option<Payer>| {
        let key = payer.as_ref().and_then(Payer::key).cloned();
        if let Some(payer) = payer {
            access.require_known(&payer).await?;
        }
        let mut models = models.for_chat().await;
        if let Some(known) = key {
            models.retain(|model| known.key.permits_model(&model.id));
        }
        let models: Vec<_> = models.iter().map(described).collect();
        Ok(reply::json(200, wire::tags(&models)))
    })
    .await
}

/// One model. Clients ask for every one of the list, one after the other: that is not counted.
pub async fn show(
    State(models): State<Arc<Models>>,
    Extension(context): Extension<RequestContext>,
    request: Request<Body>,
) -> Response {
    let (head, body) = request.into_parts();
    let shown = async {
        let body = body::read(body, &head.headers, MAX_BODY).await?;
        let model = named(&models, &wire::request(&body)?).await?;
        Ok::<_, Failure>(reply::json(200, wire::show(&described(&model))))
    };
    let dialect = &ollama::chat::DIALECT;
    let refused = |failure: Failure| reply::failure(dialect, &failure, context.id);
    shown.await.unwrap_or_else(refused)
}

/// A pull of a model: what is listed is there.
pub async fn pull(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    request: Request<Body>,
) -> Response {
    let entrance = entrance("ollama.pull");
    let work = async |mut asked: AdmittedRequest| {
        let pulled = asked.decode_body(wire::request).await?;
        named(&models, &pulled).await?;
        Ok(if pulled.streamed {
            reply::stream(StreamFormat::JsonLines, PULLED.into())
        } else {
            reply::json(200, PULLED.as_bytes().to_vec())
        })
    };
    admit::answer_in(&access, entrance, request, work).await
}

async fn named(models: &Models, asked: &wire::ModelRequest) -> Result<Model, Failure> {
    let id = models.resolve(&asked.model, NameStyle::Tagged).await;
    models.get(&id).await
}

fn entrance(api: &'static str) -> Entrance {
    Entrance {
        api,
        dialect: &ollama::chat::DIALECT,
    }
}

fn described(model: &Model) -> wire::Model {
    let digest = Sha256::digest(model.id.as_bytes());
    let modified = model.created_at.as_deref();
    let modified = modified.and_then(|time| humantime::parse_rfc3339_weak(time).ok());
    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    wire::Model {
        id: model.id.clone(),
        display_name: model.name.clone(),
        provider: model.provider.clone(),
        context_length: model.context,
        vision: model.sees_images(),
        modified: modified.map_or(0, |since| since.as_secs()),
        digest: digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
    }
}
