//! 1min.ai's own API, passed on with the relay's keys and gate: what is paid for goes through a
//! hold, results are given only to whoever submitted them, and what lies at an account of the pool is
//! used with that account.

mod paid;
mod places;
mod records;
pub mod retention;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::Stream;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{LengthLimitError, Limited};
use onemin::native::{self, ErrorCode, Named, NativePath, Observed, ObservedEnd, Observer};
use onemin::{Client, Download, Invalid, NativeBody, NativeRequest, Refusal, prices};
use translate::dialect::openai::{chat, error};
use translate::dialect::{Dialect, Document};
use translate::failure::{Failure, Kind};
use translate::quote::quote;

use crate::access::keys::Use;
use crate::accounts::Lease;
use crate::failure::{file_too_large, of_upstream};
use crate::http::admit::AdmittedRequest;
use crate::http::logged_body::BodyError;
use crate::http::long_work;
use crate::ledger::Payer;
use crate::ledger::service::Ledger;
use crate::models::Models;
use crate::observe::throttle::warn_throttled;
use crate::store::StoreError;
use crate::store::database::Database;
use places::Places;
use records::Records;

/// What the paths of 1min.ai stand below.
pub const BASE: &str = "/1min";

/// The largest answer that is held until its record is noted, in bytes.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Errors in 1min.ai's own shape. Nothing is decoded in it.
pub static DIALECT: Dialect = Dialect {
    decode: |_| {
        Err(Failure::new(
            Kind::Internal,
            "Native requests are passed on.",
        ))
    },
    failure: failure_document,
    fields: chat::DIALECT.fields,
};

fn failure_document(failure: &Failure, _: Option<&str>) -> Document {
    let code = match failure.kind {
        Kind::ModelNotFound => ErrorCode::UnsupportedModel,
        Kind::OutOfCredits => ErrorCode::InsufficientCredits,
        Kind::RateLimited => ErrorCode::RateLimited,
        Kind::Unauthenticated => ErrorCode::Unauthorized,
        Kind::Forbidden => ErrorCode::Forbidden,
        Kind::NotFound | Kind::MethodNotAllowed => ErrorCode::NotFound,
        Kind::Invalid | Kind::Unsupported | Kind::TooLarge => ErrorCode::InvalidRequest,
        _ => ErrorCode::UnknownError,
    };
    Document {
        status: error::document(failure).status,
        body: native::error_body(code, &failure.message),
    }
}

/// Passes requests on. Clones are handles of one service.
#[derive(Clone)]
pub struct Native {
    client: Client,
    models: Arc<Models>,
    records: Records,
    places: Places,
    ledger: Ledger,
    /// The largest file that is taken in, in bytes.
    max_file: u64,
}

/// A request as it came, whose body may be sent again.
struct Incoming {
    method: Method,
    path: NativePath,
    /// The path and the query.
    target: String,
    content_type: Option<HeaderValue>,
    accept: Option<HeaderValue>,
}

impl Incoming {
    fn with(&self, body: NativeBody) -> NativeRequest {
        NativeRequest {
            method: self.method.clone(),
            path: self.path,
            target: self.target.clone(),
            content_type: self.content_type.clone(),
            accept: self.accept.clone(),
            body,
        }
    }
}

impl Native {
    /// Native requests by this client. Opens nothing.
    #[must_use]
    pub fn new(
        client: Client,
        models: Arc<Models>,
        database: Database,
        ledger: Ledger,
        max_file: u64,
    ) -> Self {
        Self {
            client,
            models,
            records: Records::new(database.clone()),
            places: Places::new(database),
            ledger,
            max_file,
        }
    }

    /// Forgets records and places that are too old.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sweep(&self) -> Result<(), StoreError> {
        self.records.sweep().await?;
        self.places.sweep().await
    }

    /// Answers a request to a path below [`BASE`].
    ///
    /// # Errors
    /// A path that no API key may use, what may not be done here, or no answer of upstream.
    pub async fn answer(&self, mut asked: AdmittedRequest) -> Result<Response, Failure> {
        let path = asked.head.uri.path().strip_prefix(BASE).unwrap_or_default();
        let path = format!("/{}", path.trim_matches('/'));
        let method = asked.head.method.clone();
        let known = NativePath::of(&method, &path).ok_or_else(|| unknown(&path))?;
        let payer = asked.payer.clone();
        if let Some(known) = payer.key() {
            known.key.check_use(Use::Native)?;
        }
        let query = asked.head.uri.query();
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let copied = |name| asked.head.headers.get(name).cloned();
        let incoming = Incoming {
            method,
            path: known,
            target: format!("{path}{query}"),
            content_type: copied(header::CONTENT_TYPE),
            accept: copied(header::ACCEPT),
        };
        match known {
            NativePath::Chat | NativePath::Features => {
                let body = asked.read_body().await?;
                let reading = || Named::read(&body).map_err(invalid);
                let named = long_work::run(body.len(), reading).await?;
                self.paid(&payer, incoming, body, named).await
            }
            NativePath::Result => self.result(&payer, &incoming, &path).await,
            NativePath::Assets => {
                payer.check_room().await?;
                let body = self.upload(&asked.head.headers, asked.body)?;
                self.store(&payer, incoming.with(body)).await
            }
            NativePath::Conversations => {
                payer.check_room().await?;
                let body = NativeBody::Bytes(asked.read_body().await?);
                self.store(&payer, incoming.with(body)).await
            }
            NativePath::List => self.list(&payer, incoming.with(NativeBody::Empty)).await,
        }
    }

    /// The record of a job, for whoever submitted it.
    async fn result(
        &self,
        payer: &Payer,
        incoming: &Incoming,
        path: &str,
    ) -> Result<Response, Failure> {
        let uuid = path.rsplit('/').next().unwrap_or_default();
        let record = self.records.get(payer.caller().id, uuid).await?;
        let record = record.ok_or_else(|| unknown(path))?;
        let lease = payer.lease_of(record.account_name.as_deref())?;
        let request = incoming.with(NativeBody::Empty);
        let response = self.client.native(&lease.key, request).await;
        let response = response.map_err(|error| of_upstream(&error))?;
        let kind = response.headers.get(header::CONTENT_TYPE);
        let mut observer = Observer::new(response.body.status, kind.map(HeaderValue::as_bytes));
        let (status, headers) = (response.body.status, response.headers);
        let bytes = response.body.bytes(RECORD_BYTES_MAX).await;
        let bytes = bytes.map_err(|error| of_upstream(&error))?;
        observer.push(&bytes);
        let Observed { accounting, end } = observer.finish();

        let outcome = match &end {
            ObservedEnd::Done => Some("answered"),
            // A job that failed was accepted, and may have been charged.
            ObservedEnd::Refused(_) if is_success(status) => Some("failed:job"),
            _ => None,
        };
        if let (Some(hold), Some(outcome)) = (&record.hold, outcome) {
            let credits = accounting.credits.map(prices::from_credits);
            let credits = credits.and_then(|credits| i64::try_from(credits).ok());
            if let Err(error) = self.ledger.settle_job(hold, credits, outcome).await {
                warn_throttled!(%error, "the cost of a native job cannot be booked yet");
            }
        }
        if let ObservedEnd::Refused(refusal) = &end
            && let Some(failure) = refused(&lease, refusal)
        {
            return Err(failure);
        }
        if matches!(end, ObservedEnd::Done) {
            let account = record.account_name.as_deref();
            self.note_places(payer, account, NativePath::Result, &bytes)
                .await;
        }
        Ok(passed(status, &headers, bytes.into()))
    }

    /// A request that stores something at the account, at no cost.
    async fn store(&self, payer: &Payer, request: NativeRequest) -> Result<Response, Failure> {
        let path = request.path;
        let lease = payer.lease()?;
        let response = self.client.native(&lease.key, request).await;
        let response = response.map_err(|error| {
            if exceeds_limit(&error) {
                file_too_large(self.max_file)
            } else {
                of_upstream(&error)
            }
        })?;
        let (status, headers) = (response.body.status, response.headers);
        let bytes = response.body.bytes(RECORD_BYTES_MAX).await;
        let bytes = bytes.map_err(|error| of_upstream(&error))?;
        if is_success(status) {
            self.note_places(payer, lease.name(), path, &bytes).await;
        } else if let Some(failure) = refused(&lease, &Refusal::from_body(Some(status), &bytes)) {
            return Err(failure);
        }
        Ok(passed(status, &headers, bytes.into()))
    }

    /// A list that costs nothing.
    async fn list(&self, payer: &Payer, request: NativeRequest) -> Result<Response, Failure> {
        let lease = payer.lease()?;
        let response = self.client.native(&lease.key, request).await;
        let response = response.map_err(|error| of_upstream(&error))?;
        let status = response.body.status;
        if !is_success(status) {
            let bytes = response.body.bytes(RECORD_BYTES_MAX).await;
            let bytes = bytes.map_err(|error| of_upstream(&error))?;
            return match refused(&lease, &Refusal::from_body(Some(status), &bytes)) {
                Some(failure) => Err(failure),
                None => Ok(passed(status, &response.headers, bytes.into())),
            };
        }
        let body = Body::from_stream(Passing(response.body));
        Ok(passed(status, &response.headers, body))
    }

    /// Notes at which account of the pool lies what an answer names. Who pays with a key of 1min.ai's
    /// has no other account.
    async fn note_places(
        &self,
        payer: &Payer,
        account: Option<&str>,
        path: NativePath,
        answer: &[u8],
    ) {
        let Some(account) = account else {
            return;
        };
        let ids = native::stored(path, answer);
        if ids.is_empty() {
            return;
        }
        let owner = payer.caller().id;
        if let Err(error) = self.places.insert(owner, account, &ids).await {
            warn_throttled!(%error, "the account of a stored thing is not noted: a request that names it may go to another");
        }
    }

    /// Makes the account the payer's at which lies what a request names, and tells whether it names
    /// anything.
    async fn go_to_account(&self, payer: &Payer, named: &Named) -> Result<bool, Failure> {
        if payer.key().is_none() {
            return Ok(false);
        }
        let owner = payer.caller().id;
        let accounts = self.places.accounts(owner, &named.references).await?;
        match accounts.as_slice() {
            [] => Ok(false),
            [account] => {
                payer.choose_account(account)?;
                Ok(true)
            }
            several => {
                let message = format!(
                    "The request names files or conversations of {} 1min.ai accounts, but all must be in one account: upload them again through the relay.",
                    several.len()
                );
                Err(Failure::new(Kind::Conflict, message).with_retry(false))
            }
        }
    }

    /// An upload as it comes, within the limit of files.
    fn upload(&self, headers: &HeaderMap, body: Body) -> Result<NativeBody, Failure> {
        let announced = headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.max_file) {
            return Err(file_too_large(self.max_file));
        }
        let most = usize::try_from(self.max_file).unwrap_or(usize::MAX);
        Ok(NativeBody::streamed(Limited::new(body, most)))
    }
}

/// Whether an upload broke off because it is longer than files may be.
fn exceeds_limit(error: &onemin::Error) -> bool {
    let reason: &(dyn std::error::Error + 'static) = error;
    let mut reasons = std::iter::successors(Some(reason), |reason| reason.source());
    reasons.any(<dyn std::error::Error>::is::<LengthLimitError>)
}

/// A body that is passed on as it comes.
struct Passing(Download);

impl Stream for Passing {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = std::task::ready!(self.0.poll_next(cx));
        Poll::Ready(next.map(|next| next.map_err(|error| BodyError(of_upstream(&error)))))
    }
}

/// What is told in the place of an answer to an unpaid call that refuses an account of the pool, which
/// is noted.
fn refused(lease: &Lease, refusal: &Refusal) -> Option<Failure> {
    let failure = lease.untold(refusal)?;
    if let Some(account) = &lease.pooled {
        account.refused(refusal, "");
    }
    Some(failure)
}

/// Upstream's answer as its client gets it.
fn passed(status: u16, from: &HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    for name in [header::CONTENT_TYPE, header::RETRY_AFTER] {
        if let Some(value) = from.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// No path, or none that an API key may use.
fn unknown(path: &str) -> Failure {
    let path = quote(path);
    Failure::new(Kind::NotFound, format!("Cannot find {path}"))
}

fn invalid(error: Invalid) -> Failure {
    let message = format!("`{}`: {}.", error.field, error.message);
    Failure::invalid(error.field, message)
}
