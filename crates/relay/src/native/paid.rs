//! Native requests that cost credits: held, sent, read along, settled.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::Stream;
use http::HeaderMap;
use http::header::{self, HeaderValue};
use onemin::native::{Named, NativePath, Observed, ObservedEnd, Observer};
use onemin::{Charged, Download, Error, NativeBody, NativeResponse};
use serde_json::Value;
use translate::failure::{Failure, Kind};
use translate::tokens;

use super::records::NativeRecord;
use super::{Incoming, Native, RECORD_BYTES_MAX, passed};
use crate::accounts::Lease;
use crate::failure::of_upstream;
use crate::http::logged_body::BodyError;
use crate::ledger::{Charge, Hold, NativeCall, PaidCall, PaidError, Payer};
use crate::observe::throttle::warn_throttled;
use crate::store::id;
use crate::task;

impl Native {
    /// Asks leave for a request, and sends it.
    pub(super) async fn paid(
        &self,
        payer: &Payer,
        incoming: Incoming,
        body: Bytes,
        named: Named,
    ) -> Result<Response, Failure> {
        if !self.models.permits(&named.model) {
            let name: String = named.model.chars().take(120).collect();
            let message = format!("The model `{name}` may not be used here.");
            return Err(Failure::new(Kind::ModelNotFound, message));
        }
        let is_tied = self.go_to_account(payer, &named).await?;
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
        let prompt = named.fields.get("prompt").and_then(Value::as_str);
        let input_tokens = tokens::from_bytes(prompt.map_or(0, str::len) as u64);
        // The call goes on if the client leaves: what it costs must be noted.
        let paid = Paid {
            native: self.clone(),
            payer: payer.clone(),
            hold,
            named,
            job,
            is_tied,
            input_tokens,
        };
        let calling = task::spawn(paid.call(incoming, body));
        let lost = |_| Failure::new(Kind::Internal, "The call broke off.").with_retry(false);
        calling.await.map_err(lost)?
    }
}

/// A paid request under way.
struct Paid {
    native: Native,
    payer: Payer,
    hold: Hold,
    named: Named,
    /// The id of the hold, if it is that of a job.
    job: Option<String>,
    /// Whether it names what lies at its account: no other can do it.
    is_tied: bool,
    /// About how long its prompt is.
    input_tokens: u64,
}

impl Paid {
    async fn call(mut self, incoming: Incoming, body: Bytes) -> Result<Response, Failure> {
        loop {
            self.hold.sent();
            let request = incoming.with(NativeBody::Bytes(body.clone()));
            let sending = self.native.client.native(self.hold.key(), request);
            let response = match sending.await {
                Ok(response) => response,
                Err(error) => {
                    self.hold.settle(Charge::of_error(&error));
                    return Err(of_upstream(&error));
                }
            };
            let kind = response.headers.get(header::CONTENT_TYPE);
            let mut observer = Observer::new(response.body.status, kind.map(HeaderValue::as_bytes));
            let NativeResponse { headers, mut body } = response;
            let status = body.status;
            let (bytes, rest) = if is_events(&headers) {
                // The first event may say that the account is refused.
                (
                    body.next().await.unwrap_or_else(|| Ok(Bytes::new())),
                    Some(body),
                )
            } else {
                (body.bytes(RECORD_BYTES_MAX).await, None)
            };
            let bytes = match bytes {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.hold.settle(Charge::Unreported);
                    return Err(of_upstream(&error).with_retry(false));
                }
            };
            observer.push(&bytes);
            if let Some(download) = rest
                && observer.refusal().is_none()
            {
                self.read(&observer);
                let lease = self.hold.lease().clone();
                let watched = Watched {
                    first: Some(bytes),
                    download,
                    lease,
                    reading: Some((observer, self)),
                };
                return Ok(passed(status, &headers, Body::from_stream(watched)));
            }
            match self.ended(observer.finish(), incoming.path, &bytes).await {
                // Another account is asked.
                Ended::Next(next) => self = *next,
                Ended::Passed => return Ok(passed(status, &headers, bytes.into())),
                Ended::Untold(failure) => return Err(failure),
            }
        }
    }

    /// Notes what was read of the answer so far.
    fn read(&mut self, observer: &Observer) {
        let read = tokens::from_bytes(observer.text_bytes());
        self.hold.read(self.input_tokens, read);
    }

    /// Settles a request whose answer has come, or gives it with the hold for another account.
    async fn ended(mut self, observed: Observed, path: NativePath, answer: &[u8]) -> Ended {
        let untold = match &observed.end {
            ObservedEnd::Refused(refusal) => self.hold.lease().untold(refusal),
            _ => None,
        };
        let refusal = match observed.end {
            ObservedEnd::Refused(refusal) if refusal.charged == Charged::No => refusal,
            _ => {
                let account = self.hold.lease().name().map(str::to_owned);
                self.native
                    .note_places(&self.payer, account.as_deref(), path, answer)
                    .await;
                self.settle(observed).await;
                return untold.map_or(Ended::Passed, Ended::Untold);
            }
        };
        // The account's availability changes. Where no other can do it, the client gets upstream's own
        // answer, unless that speaks of an account of the pool.
        let hold = match self.hold.refused(Error::Refused(refusal)) {
            Ok(hold) => hold,
            Err(PaidError::Refused(failure)) => return Ended::Untold(failure),
            Err(_) => return untold.map_or(Ended::Passed, Ended::Untold),
        };
        if self.is_tied {
            hold.settle(Charge::Nothing);
            return untold.map_or(Ended::Passed, Ended::Untold);
        }
        self.hold = hold;
        if let Some(job) = &self.job {
            let account = self.hold.lease().name().unwrap_or_default();
            if let Err(error) = self.native.ledger.move_job(job, account).await {
                warn_throttled!(%error, "the account of a native job is not noted");
            }
        }
        Ended::Next(Box::new(self))
    }

    async fn settle(self, observed: Observed) {
        let Self {
            native,
            payer,
            hold,
            named,
            job,
            ..
        } = self;
        // Only the hold of a job outlives its call.
        let works = matches!(observed.end, ObservedEnd::Working) && job.is_some();
        if let Some(uuid) = &observed.accounting.record_id {
            let record = NativeRecord {
                uuid: uuid.clone(),
                owner: payer.caller().id,
                account_name: hold.lease().name().map(str::to_owned),
                feature: named.feature,
                model: named.model,
                hold: job.filter(|_| works),
            };
            if let Err(error) = native.records.insert(&record).await {
                warn_throttled!(%error, "a native record could not be stored: its result cannot be fetched");
            }
        }
        match observed.end {
            ObservedEnd::Working if works => hold.leave_to_job(),
            ObservedEnd::Done => hold.answered(&observed.accounting),
            ObservedEnd::Refused(refusal) if refusal.charged == Charged::No => {
                if let Ok(hold) = hold.refused(Error::Refused(refusal)) {
                    hold.settle(Charge::Nothing);
                }
            }
            ObservedEnd::Refused(_) | ObservedEnd::Working | ObservedEnd::Unknown => {
                hold.settle(Charge::Unreported);
            }
        }
    }
}

/// What becomes of a request whose answer has come.
enum Ended {
    /// Another account is asked.
    Next(Box<Paid>),
    /// The client gets the answer as it is.
    Passed,
    /// The answer speaks of an account of the pool: the client gets this in its place.
    Untold(Failure),
}

/// A stream of events that is passed on as it comes and read along. Dropped early, its hold counts as
/// unreported, and as what was read if that costs more.
struct Watched {
    /// What was read of it before it was passed on.
    first: Option<Bytes>,
    /// The account that pays.
    lease: Lease,
    download: Download,
    reading: Option<(Observer, Paid)>,
}

impl Stream for Watched {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            return Poll::Ready(Some(Ok(first)));
        }
        let next = std::task::ready!(self.download.poll_next(cx));
        Poll::Ready(match next {
            Some(Ok(bytes)) => {
                let Self { lease, reading, .. } = &mut *self;
                let observed = reading.as_mut().and_then(|(observer, paid)| {
                    observer.push(&bytes);
                    paid.read(observer);
                    observer.refusal()
                });
                match observed.and_then(|refusal| lease.untold(refusal)) {
                    Some(failure) => {
                        if let Some((observer, paid)) = reading.take() {
                            task::spawn(paid.settle(observer.finish()));
                        }
                        Some(Err(BodyError(failure)))
                    }
                    None => Some(Ok(bytes)),
                }
            }
            ended => {
                if let Some((observer, paid)) = self.reading.take() {
                    task::spawn(paid.settle(observer.finish()));
                }
                ended.map(|next| next.map_err(|error| BodyError(of_upstream(&error))))
            }
        })
    }
}

fn is_events(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}
