//! 1min.ai's own API, passed on with the relay's keys and gate: what is paid for goes through a
//! hold, and results are given only to whoever submitted them.

mod records;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::Stream;
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_body_util::Limited;
use onemin::native::{NativePath, Observed, ObservedEnd, Observer, error_body};
use onemin::{ApiKey, Client, Download, NativeBody, NativeRequest, NativeResponse, prices};
use serde_json::{Map, Value};
use translate::dialect::openai::{chat, error};
use translate::dialect::{Dialect, Document};
use translate::failure::{Failure, Kind};

use crate::access::account_id::AccountId;
use crate::failure::of_upstream;
use crate::http::admit::AdmittedRequest;
use crate::http::logged_body::BodyError;
use crate::http::long_work;
use crate::ledger::service::Ledger;
use crate::ledger::{Charge, Hold, NativeCall, PaidCall, Payer};
use crate::models::Models;
use crate::observe::throttle::warn_throttled;
use crate::store::database::Database;
use crate::store::id;
use crate::task;
use records::{NativeRecord, Records};

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
        Kind::ModelNotFound => "UNSUPPORTED_MODEL",
        Kind::OutOfCredits => "INSUFFICIENT_CREDITS",
        Kind::RateLimited => "RATE_LIMITED",
        Kind::Unauthenticated => "UNAUTHORIZED",
        Kind::Forbidden => "FORBIDDEN",
        Kind::NotFound | Kind::MethodNotAllowed => "NOT_FOUND",
        Kind::Invalid | Kind::Unsupported | Kind::TooLarge => "INVALID_REQUEST",
        _ => "UNKNOWN_ERROR",
    };
    Document {
        status: error::document(failure).status,
        body: error_body(code, &failure.message),
    }
}

/// Passes requests on. Clones are handles of one service.
#[derive(Clone)]
pub struct Native {
    client: Client,
    models: Arc<Models>,
    records: Records,
    ledger: Ledger,
    /// The largest file that is taken in, in bytes.
    max_file: u64,
}

/// What a paid request names.
struct Named {
    feature: String,
    model: String,
    fields: Map<String, Value>,
    /// Whether its result is asked for later.
    is_async: bool,
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
            records: Records::new(database),
            ledger,
            max_file,
        }
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
        let query = asked.head.uri.query();
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let copied = |name| asked.head.headers.get(name).cloned();
        let mut request = NativeRequest {
            method,
            path: known,
            target: format!("{path}{query}"),
            content_type: copied(header::CONTENT_TYPE),
            accept: copied(header::ACCEPT),
            body: NativeBody::Empty,
        };
        let payer = asked.payer.clone();
        match known {
            NativePath::Chat | NativePath::Features => {
                let body = asked.read_body().await?;
                let named = long_work::run(body.len(), || named(&body)).await?;
                request.body = NativeBody::Bytes(body);
                self.paid(&payer, request, named).await
            }
            NativePath::Result => self.result(&payer, request, &path).await,
            NativePath::Assets => {
                request.body = self.upload(&asked.head.headers, asked.body)?;
                self.free(&payer.lease()?.key, request).await
            }
            NativePath::Conversations => {
                request.body = NativeBody::Bytes(asked.read_body().await?);
                self.free(&payer.lease()?.key, request).await
            }
            NativePath::List => self.free(&payer.lease()?.key, request).await,
        }
    }

    async fn paid(
        &self,
        payer: &Payer,
        request: NativeRequest,
        named: Named,
    ) -> Result<Response, Failure> {
        if !self.models.permits(&named.model) {
            let name: String = named.model.chars().take(120).collect();
            let message = format!("The model `{name}` may not be used here.");
            return Err(Failure::new(Kind::ModelNotFound, message));
        }
        let call = PaidCall::Native(NativeCall {
            feature: &named.feature,
            model: &named.model,
            fields: &named.fields,
        });
        // What goes on after the answer is settled when its result is asked for.
        let job = named.is_async.then(|| id::draw("native_"));
        let hold = match &job {
            Some(job) => payer.hold_job(call, job).await?,
            None => payer.hold(call).await?,
        };
        // The call goes on if the client leaves: what it costs must be noted.
        let (native, owner) = (self.clone(), payer.caller().id);
        let settling = Settling {
            native: native.clone(),
            owner,
            hold,
            named,
            job,
        };
        let calling = task::spawn(async move { native.call(settling, request).await });
        let lost = |_| Failure::new(Kind::Internal, "The call broke off.").with_retry(false);
        calling.await.map_err(lost)?
    }

    async fn call(
        &self,
        mut settling: Settling,
        request: NativeRequest,
    ) -> Result<Response, Failure> {
        settling.hold.sent();
        let response = match self.client.native(settling.hold.key(), request).await {
            Ok(response) => response,
            Err(error) => {
                settling.hold.settle(Charge::of_error(&error));
                return Err(of_upstream(&error));
            }
        };
        let kind = response.headers.get(header::CONTENT_TYPE);
        let mut observer = Observer::new(response.body.status, kind.map(HeaderValue::as_bytes));
        if is_events(&response.headers) {
            let (status, headers) = (response.body.status, response.headers);
            let watched = Watched {
                download: response.body,
                reading: Some((observer, settling)),
            };
            return Ok(passed(status, &headers, Body::from_stream(watched)));
        }
        let NativeResponse { headers, body } = response;
        let status = body.status;
        match body.bytes(RECORD_BYTES_MAX).await {
            Ok(bytes) => {
                observer.push(&bytes);
                settling.settle(observer.finish()).await;
                Ok(passed(status, &headers, bytes.into()))
            }
            Err(error) => {
                settling.hold.settle(Charge::Unreported);
                Err(of_upstream(&error).with_retry(false))
            }
        }
    }

    /// The record of a job, for whoever submitted it.
    async fn result(
        &self,
        payer: &Payer,
        request: NativeRequest,
        path: &str,
    ) -> Result<Response, Failure> {
        let uuid = path.rsplit('/').next().unwrap_or_default();
        let record = self.records.get(payer.caller().id, uuid).await?;
        let record = record.ok_or_else(|| unknown(path))?;
        let lease = payer.lease_of(record.account_name.as_deref())?;
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
            ObservedEnd::Refused(_) if (200..300).contains(&status) => Some("failed:job"),
            _ => None,
        };
        if let (Some(hold), Some(outcome)) = (&record.hold, outcome) {
            let credits = accounting.credits.map(prices::from_credits);
            let credits = credits.and_then(|credits| i64::try_from(credits).ok());
            if let Err(error) = self.ledger.settle_job(hold, credits, outcome).await {
                warn_throttled!(%error, "the cost of a native job cannot be booked yet");
            }
        }
        Ok(passed(status, &headers, bytes.into()))
    }

    /// A request that costs nothing.
    async fn free(&self, key: &ApiKey, request: NativeRequest) -> Result<Response, Failure> {
        let response = self.client.native(key, request).await;
        let response = response.map_err(|error| of_upstream(&error))?;
        let status = response.body.status;
        let body = Body::from_stream(Watched {
            download: response.body,
            reading: None,
        });
        Ok(passed(status, &response.headers, body))
    }

    /// An upload as it comes, within the limit of files.
    fn upload(&self, headers: &HeaderMap, body: Body) -> Result<NativeBody, Failure> {
        let announced = headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.max_file) {
            let message = format!(
                "The file is larger than {} MiB, the most that this relay takes (MAX_FILE_MB).",
                self.max_file / (1024 * 1024)
            );
            return Err(Failure::new(Kind::TooLarge, message));
        }
        let most = usize::try_from(self.max_file).unwrap_or(usize::MAX);
        Ok(NativeBody::streamed(Limited::new(body, most)))
    }
}

/// What is done when a paid answer has ended.
struct Settling {
    native: Native,
    owner: AccountId,
    hold: Hold,
    named: Named,
    /// The id of the hold, if it is that of a job.
    job: Option<String>,
}

impl Settling {
    async fn settle(self, observed: Observed) {
        let Self {
            native,
            owner,
            hold,
            named,
            job,
        } = self;
        // Only the hold of a job outlives its call.
        let works = matches!(observed.end, ObservedEnd::Working) && job.is_some();
        if let Some(uuid) = &observed.accounting.record_id {
            let record = NativeRecord {
                uuid: uuid.clone(),
                owner,
                account_name: hold.lease().name().map(str::to_owned),
                feature: named.feature,
                model: named.model,
                hold: job.filter(|_| works),
            };
            if let Err(error) = native.records.insert(&record).await {
                warn_throttled!(%error, "a native record could not be stored: its result cannot be fetched");
            }
            let _ = native.records.sweep().await;
        }
        match observed.end {
            ObservedEnd::Working if works => hold.leave_to_job(),
            ObservedEnd::Done => hold.answered(&observed.accounting),
            ObservedEnd::Refused(refusal) if refusal.charged == onemin::Charged::No => {
                // The account's availability changes; the client gets upstream's own answer.
                if let Ok(hold) = hold.refused(onemin::Error::Refused(refusal)) {
                    hold.settle(Charge::Nothing);
                }
            }
            ObservedEnd::Refused(_) | ObservedEnd::Working | ObservedEnd::Unknown => {
                hold.settle(Charge::Unreported);
            }
        }
    }
}

/// A body that is passed on as it comes and read along. Dropped early, its hold counts as unreported.
struct Watched {
    download: Download,
    reading: Option<(Observer, Settling)>,
}

impl Stream for Watched {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = std::task::ready!(self.download.poll_next(cx));
        Poll::Ready(match next {
            Some(Ok(bytes)) => {
                if let Some((observer, _)) = &mut self.reading {
                    observer.push(&bytes);
                }
                Some(Ok(bytes))
            }
            ended => {
                if let Some((observer, settling)) = self.reading.take() {
                    task::spawn(settling.settle(observer.finish()));
                }
                ended.map(|next| next.map_err(|error| BodyError(of_upstream(&error))))
            }
        })
    }
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

fn is_events(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// What a body names. What else it holds is upstream's business.
fn named(body: &[u8]) -> Result<Named, Failure> {
    let object = serde_json::from_slice::<Map<String, Value>>(body);
    let mut object =
        object.map_err(|_| Failure::new(Kind::Invalid, "The body must be a JSON object."))?;
    let mut text = |name: &str| match object.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Failure::invalid(
            name,
            format!("`{name}` must be a string."),
        )),
    };
    let (feature, model) = (text("type")?, text("model")?);
    let is_async = object.remove("async") == Some(Value::Bool(true));
    let fields = match object.remove("promptObject") {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    Ok(Named {
        feature,
        model,
        fields,
        is_async,
    })
}

/// No path, or none that an API key may use.
fn unknown(path: &str) -> Failure {
    let path: String = path.chars().take(120).collect();
    Failure::new(Kind::NotFound, format!("Cannot find {path}"))
}
