//! The front door of every endpoint: the caller is known, counted against the rate limit and
//! logged, and a failure is answered in the client's dialect.

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

/// What the front door has to know of an endpoint.
#[derive(Clone, Copy)]
pub struct Entrance {
    /// Its name in the log and in metrics.
    pub api: &'static str,
    /// What its clients speak.
    pub dialect: &'static Dialect,
}

/// A request that came in: what is needed to answer it, and to log how it ended.
pub struct Admitted {
    /// Who calls and pays, whose records are meant. None if there is no key and none is needed.
    pub account: Option<(Caller, AccountId)>,
    /// Whether parameters without effect are refused.
    pub strict: bool,
    /// What the server knows of the request.
    pub context: RequestContext,
    /// How the request ends is logged here.
    pub log: RequestLog,
    dialect: &'static Dialect,
    /// A response to HEAD has a body that nobody reads.
    is_head: bool,
}

/// A request of a caller with a key.
pub struct AdmittedRequest {
    /// Who pays.
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

/// Whether an endpoint answers without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyNeed {
    /// A request without a key is refused.
    Required,
    /// A request without a key is answered. One with a key is checked and counted as any other.
    Optional,
}

/// Lets a request in, or gives the response that refuses it.
///
/// # Errors
/// The response: no key, a key that cannot be one, or a rate limit that is reached.
pub async fn admit(
    relay: &Relay,
    entrance: Entrance,
    need: KeyNeed,
    head: &Parts,
) -> Result<Admitted, Box<Response>> {
    let context = RequestContext::of(&head.extensions);
    let mut admitted = Admitted {
        account: None,
        strict: relay.policy(&head.headers).strict,
        log: RequestLog::begin(relay.metrics.clone(), context.id, entrance.api),
        context,
        dialect: entrance.dialect,
        is_head: head.method == Method::HEAD,
    };
    match identify(relay, need, head, &admitted.context).await {
        Ok(account) => {
            admitted.account = account;
            Ok(admitted)
        }
        Err(failure) => Err(Box::new(admitted.fail(&failure))),
    }
}

async fn identify(
    relay: &Relay,
    need: KeyNeed,
    head: &Parts,
    context: &RequestContext,
) -> Result<Option<(Caller, AccountId)>, Failure> {
    let caller = match credentials::caller(&head.headers) {
        Ok(caller) => caller,
        Err(_) if need == KeyNeed::Optional => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let owner = relay.account_ids.of_key(&caller.key);
    relay.count(owner, context, &head.headers).await?;
    Ok(Some((caller, owner)))
}

impl Admitted {
    /// Who calls, where a key is required.
    ///
    /// # Errors
    /// [`Kind::Internal`] where it was not.
    pub fn require_account(&self) -> Result<(Caller, AccountId), Failure> {
        let none = || Failure::new(Kind::Internal, "The endpoint needs a key and did not ask.");
        self.account.clone().ok_or_else(none)
    }

    /// The response to a request that failed. The log says so.
    #[must_use]
    pub fn fail(&mut self, failure: &Failure) -> Response {
        self.log.failed(failure);
        reply::failure(self.dialect, failure, self.context.id)
    }

    /// The response to a request. The log ends with its last byte, or says why it failed.
    #[must_use]
    pub fn finish(mut self, outcome: Result<Response, Failure>) -> Response {
        match outcome {
            Ok(response) if self.is_head => {
                self.log.done();
                response
            }
            Ok(response) => logged_body::answer(response, self.log),
            Err(failure) => self.fail(&failure),
        }
    }
}

/// Answers a caller's request by `work`, in the dialect that its headers tell. `api` is the
/// endpoint's name in the log.
pub async fn answer<W, F>(
    relay: Arc<Relay>,
    api: &'static str,
    request: Request<Body>,
    work: W,
) -> Response
where
    W: FnOnce(Arc<Relay>, AdmittedRequest) -> F,
    F: Future<Output = Result<Response, Failure>>,
{
    let dialect = dialect(request.headers());
    answer_in(relay, Entrance { api, dialect }, request, work).await
}

/// As [`answer`], at an endpoint of one dialect.
pub async fn answer_in<W, F>(
    relay: Arc<Relay>,
    entrance: Entrance,
    request: Request<Body>,
    work: W,
) -> Response
where
    W: FnOnce(Arc<Relay>, AdmittedRequest) -> F,
    F: Future<Output = Result<Response, Failure>>,
{
    let (head, body) = request.into_parts();
    let admitted = match admit(&relay, entrance, KeyNeed::Required, &head).await {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let outcome = match admitted.require_account() {
        Ok((caller, owner)) => {
            let request = AdmittedRequest {
                caller,
                owner,
                strict: admitted.strict,
                head,
                body,
            };
            work(relay, request).await
        }
        Err(failure) => Err(failure),
    };
    admitted.finish(outcome)
}

/// Answers a request that needs no key by `work`, which is given the caller if there is a key.
pub async fn answer_anyone<W, F>(
    relay: Arc<Relay>,
    api: &'static str,
    head: &Parts,
    work: W,
) -> Response
where
    W: FnOnce(Arc<Relay>, Option<(Caller, AccountId)>) -> F,
    F: Future<Output = Result<Response, Failure>>,
{
    let dialect = dialect(&head.headers);
    let entrance = Entrance { api, dialect };
    match admit(&relay, entrance, KeyNeed::Optional, head).await {
        Ok(admitted) => {
            let outcome = work(relay, admitted.account.clone()).await;
            admitted.finish(outcome)
        }
        Err(refusal) => *refusal,
    }
}

/// A JSON answer of something that serialises.
#[must_use]
pub fn json(value: &impl Serialize) -> Response {
    reply::json(200, serde_json::to_vec(value).unwrap_or_default())
}
