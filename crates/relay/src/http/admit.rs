//! What all endpoints have in common that are no turns: the caller is known and counted, the outcome
//! is logged, a failure takes the client's shape.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method, Request};
use serde::Serialize;
use translate::dialect::Dialect;
use translate::dialect::anthropic::messages;
use translate::dialect::openai::chat;
use translate::failure::{Failure, Kind};

use crate::access::account_id::AccountId;
use crate::access::credentials::{self, Caller};
use crate::app::Relay;
use crate::http::context::RequestContext;
use crate::http::{logged_body, reply};
use crate::observe::RequestLog;

/// A request whose caller is known and may ask.
pub struct Asked {
    /// Who asks.
    pub caller: Caller,
    /// Whose records are meant.
    pub owner: AccountId,
    /// Whether parameters without effect are refused.
    pub strict: bool,
    /// The request without its body.
    pub head: Parts,
    /// Its body.
    pub body: Body,
}

/// Whether a client is one of Anthropic's: they name the version of its API.
#[must_use]
pub fn speaks_anthropic(headers: &HeaderMap) -> bool {
    headers.contains_key("anthropic-version")
}

/// What a client speaks, where the URL does not say it.
#[must_use]
pub fn dialect(headers: &HeaderMap) -> &'static Dialect {
    if speaks_anthropic(headers) {
        &messages::DIALECT
    } else {
        &chat::DIALECT
    }
}

/// Answers a request by `work`. `api` is its name in the log.
pub async fn answer<W, F>(
    relay: Arc<Relay>,
    api: &'static str,
    request: Request<Body>,
    work: W,
) -> Response
where
    W: FnOnce(Arc<Relay>, Asked) -> F,
    F: Future<Output = Result<Response, Failure>>,
{
    let dialect = dialect(request.headers());
    let Some(context) = request.extensions().get::<RequestContext>().cloned() else {
        let message = "The request did not come through the router.";
        return reply::failure(dialect, &Failure::new(Kind::Internal, message));
    };
    let mut record = RequestLog::begin(relay.metrics.clone(), context.id, api);
    // Its answer's body is never asked for.
    let is_head = request.method() == Method::HEAD;
    match admitted(relay, context, request, work).await {
        Ok(response) if is_head => {
            record.done();
            response
        }
        Ok(response) => logged_body::answer(response, record),
        Err(failure) => {
            record.failed(&failure);
            reply::failure(dialect, &failure)
        }
    }
}

async fn admitted<W, F>(
    relay: Arc<Relay>,
    context: RequestContext,
    request: Request<Body>,
    work: W,
) -> Result<Response, Failure>
where
    W: FnOnce(Arc<Relay>, Asked) -> F,
    F: Future<Output = Result<Response, Failure>>,
{
    let (head, body) = request.into_parts();
    let caller = credentials::caller(&head.headers)?;
    let owner = relay.account_ids.of_key(&caller.key);
    relay.admit(owner, &context, &head.headers).await?;
    let asked = Asked {
        strict: relay.policy(&head.headers).strict,
        caller,
        owner,
        head,
        body,
    };
    work(relay, asked).await
}

/// A JSON answer of something that serialises.
#[must_use]
pub fn json(value: &impl Serialize) -> Response {
    reply::json(200, serde_json::to_vec(value).unwrap_or_default())
}
