//! The front door of every endpoint for callers: the caller is known, counted against the rate limit
//! and logged, and a failure is answered in the client's dialect. Management, usage and sessions of
//! the page have their own, in `routes`.

use std::future::Future;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Request};
use serde::Serialize;
use translate::dialect::Dialect;
use translate::dialect::anthropic::messages;
use translate::dialect::openai::chat;
use translate::failure::{Failure, Kind};

use crate::access::Access;
use crate::access::caller::Caller;
use crate::access::visitor::Visitor;
use crate::http::context::RequestContext;
use crate::http::deployment::Deployment;
use crate::http::event_stream::deferred::DeferredEvents;
use crate::http::event_stream::{self, Heartbeat};
use crate::http::{body, logged_body, long_work, reply};
use crate::ledger::Payer;
use crate::observe::RequestLog;

const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// What a request is answered with.
pub enum Answer {
    /// A response whose head is known.
    Response(Response),
    /// Events that are still to be made.
    Events(DeferredEvents),
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

impl From<DeferredEvents> for Answer {
    fn from(events: DeferredEvents) -> Self {
        Self::Events(events)
    }
}

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
    /// Who calls and pays. None if there is no key and none is needed.
    pub payer: Option<Payer>,
    /// Whether parameters without effect are refused.
    pub strict: bool,
    /// What the server knows of the request.
    pub context: RequestContext,
    /// How the request ends is logged here.
    pub log: RequestLog,
    /// When a silent stream shows that it is alive.
    pub heartbeat: Heartbeat,
    dialect: &'static Dialect,
    /// A response to HEAD has a body that nobody reads.
    is_head: bool,
}

/// A request of a caller with a key.
pub struct AdmittedRequest {
    /// Who calls, whose objects are meant.
    pub caller: Caller,
    /// Who pays.
    pub payer: Payer,
    /// Whether parameters without effect are refused.
    pub strict: bool,
    /// The request without its body.
    pub head: Parts,
    /// Its body.
    pub body: Body,
    /// The largest body, in bytes.
    pub max_body: usize,
}

impl AdmittedRequest {
    /// The whole body.
    ///
    /// # Errors
    /// It is larger than may be, or broke off.
    pub async fn read_body(&mut self) -> Result<Bytes, Failure> {
        let body = std::mem::take(&mut self.body);
        let body = body::read(body, &self.head.headers, self.max_body).await?;
        Ok(match self.head.extensions.get::<Deployment>() {
            Some(deployment) => deployment.put_into(body),
            None => body,
        })
    }

    /// The whole body, decoded: for a large one that is long work.
    ///
    /// # Errors
    /// As [`AdmittedRequest::read_body`], or what `decode` says.
    pub async fn decode_body<T>(
        &mut self,
        decode: impl FnOnce(&[u8]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let body = self.read_body().await?;
        long_work::run(body.len(), || decode(&body)).await
    }
}

/// Whether a client is one of Anthropic's: they name the version of its API.
#[must_use]
pub fn speaks_anthropic(headers: &HeaderMap) -> bool {
    headers.contains_key(ANTHROPIC_VERSION)
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
    access: &Access,
    entrance: Entrance,
    need: KeyNeed,
    head: &Parts,
) -> Result<Admitted, Box<Response>> {
    let context = RequestContext::of(&head.extensions);
    let metrics = access.metrics().cloned();
    let mut admitted = Admitted {
        payer: None,
        strict: access.is_strict(&head.headers),
        log: RequestLog::begin(metrics, context.id, entrance.api),
        heartbeat: access.heartbeat(),
        context,
        dialect: entrance.dialect,
        is_head: head.method == Method::HEAD,
    };
    match identify(access, need, head, &admitted.context, entrance.api).await {
        Ok(payer) => {
            let entry = payer.as_ref().and_then(Payer::entry);
            admitted.log.is_entered_as(entry.cloned());
            admitted.payer = payer;
            Ok(admitted)
        }
        Err(failure) => Err(Box::new(admitted.fail(&failure))),
    }
}

async fn identify(
    access: &Access,
    need: KeyNeed,
    head: &Parts,
    context: &RequestContext,
    api: &'static str,
) -> Result<Option<Payer>, Failure> {
    let headers = &head.headers;
    // Who is signed in to the page sends no key.
    let identified = match head.extensions.get::<Visitor>() {
        Some(visitor) => access.authenticate_visitor(visitor, context, api),
        None => access.authenticate(headers, context, api),
    };
    let payer = match identified {
        Ok(payer) => payer,
        // A key that cannot be one of 1min.ai's is passed over, one of the relay's is not.
        Err(_) if need == KeyNeed::Optional && !access.knows_keys(headers) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let counting = access.count(&payer, context.peer, headers, &context.rate_limit);
    counting.await?;
    Ok(Some(payer))
}

impl Admitted {
    /// Who calls and pays, where a key is required.
    ///
    /// # Errors
    /// [`Kind::Internal`] where it was not.
    pub fn require_payer(&self) -> Result<Payer, Failure> {
        let none = || Failure::new(Kind::Internal, "Internal error: no caller.");
        self.payer.clone().ok_or_else(none)
    }

    /// The response to a request that failed. The log says so.
    #[must_use]
    pub fn fail(&mut self, failure: &Failure) -> Response {
        self.log.failed(failure);
        reply::failure(self.dialect, failure, self.context.id)
    }

    /// The response to a request. The log ends with its last byte, or says why it failed.
    pub async fn finish(mut self, outcome: Result<Answer, Failure>) -> Response {
        let answer = match outcome {
            Ok(answer) => answer,
            Err(failure) => return self.fail(&failure),
        };
        match answer {
            // An answer of 1min.ai's own API is handed on as it is, refusals too.
            Answer::Response(response) if response.status().as_u16() >= 400 => {
                self.log.failed(&passed_on(response.status()));
                response
            }
            Answer::Response(response) if self.is_head => {
                self.log.done();
                response
            }
            Answer::Response(response) => logged_body::answer(response, self.log),
            Answer::Events(events) => {
                let events = events.of_request(self.dialect, self.context.id);
                let begun = event_stream::begin(events, self.log.take(), self.heartbeat).await;
                begun.unwrap_or_else(|failure| self.fail(&failure))
            }
        }
    }
}

/// Answers a caller's request by `work`, in the dialect that its headers tell. `api` is the
/// endpoint's name in the log.
pub async fn answer<W, F, A>(
    access: &Access,
    api: &'static str,
    request: Request<Body>,
    work: W,
) -> Response
where
    W: FnOnce(AdmittedRequest) -> F,
    F: Future<Output = Result<A, Failure>>,
    A: Into<Answer>,
{
    let dialect = dialect(request.headers());
    answer_in(access, Entrance { api, dialect }, request, work).await
}

/// As [`answer`], at an endpoint of one dialect.
pub async fn answer_in<W, F, A>(
    access: &Access,
    entrance: Entrance,
    request: Request<Body>,
    work: W,
) -> Response
where
    W: FnOnce(AdmittedRequest) -> F,
    F: Future<Output = Result<A, Failure>>,
    A: Into<Answer>,
{
    let (head, body) = request.into_parts();
    let admitted = match admit(access, entrance, KeyNeed::Required, &head).await {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let outcome = match admitted.require_payer() {
        Ok(payer) => {
            let request = AdmittedRequest {
                caller: payer.caller().clone(),
                payer,
                strict: admitted.strict,
                head,
                body,
                max_body: access.max_body(),
            };
            work(request).await.map(Into::into)
        }
        Err(failure) => Err(failure),
    };
    admitted.finish(outcome).await
}

/// Answers a request that needs no key by `work`, which is given who pays if there is a key.
pub async fn answer_anyone<W, F, A>(
    access: &Access,
    api: &'static str,
    head: &Parts,
    work: W,
) -> Response
where
    W: FnOnce(Option<Payer>) -> F,
    F: Future<Output = Result<A, Failure>>,
    A: Into<Answer>,
{
    let dialect = dialect(&head.headers);
    answer_anyone_in(access, Entrance { api, dialect }, head, work).await
}

/// As [`answer_anyone`], at an endpoint of one dialect.
pub async fn answer_anyone_in<W, F, A>(
    access: &Access,
    entrance: Entrance,
    head: &Parts,
    work: W,
) -> Response
where
    W: FnOnce(Option<Payer>) -> F,
    F: Future<Output = Result<A, Failure>>,
    A: Into<Answer>,
{
    match admit(access, entrance, KeyNeed::Optional, head).await {
        Ok(admitted) => {
            let outcome = work(admitted.payer.clone()).await;
            admitted.finish(outcome.map(Into::into)).await
        }
        Err(refusal) => *refusal,
    }
}

/// A JSON answer of something that serialises.
#[must_use]
pub fn json(value: &impl Serialize) -> Response {
    reply::json(200, serde_json::to_vec(value).unwrap_or_default())
}

/// What the log says of a failure that was handed on.
fn passed_on(status: http::StatusCode) -> Failure {
    let kind = match status.as_u16() {
        401 => Kind::Unauthenticated,
        402 => Kind::OutOfCredits,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        413 => Kind::TooLarge,
        429 => Kind::RateLimited,
        400..=499 => Kind::Invalid,
        _ => Kind::Upstream,
    };
    Failure::new(kind, format!("1min.ai answered {status}."))
}
