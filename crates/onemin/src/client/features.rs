//! Features: one paid request, and polling its job until the result is there.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response};
use tokio::time::Instant;

use super::{API_KEY, Client, JSON, accepted, collect, document, uri, within};
use crate::api_key::ApiKey;
use crate::chat::Answer;
use crate::code;
use crate::drift;
use crate::error::{Error, ProtocolError, TransportError, TransportKind};
use crate::facts::Fact;
use crate::features::{self, Inline, JobState, Kind, Mode, Outcome, Payload};
use crate::images::styles::{self, DzineStyle, RecraftStyle};
use crate::transport::{Body, Outgoing};

/// The largest record, in bytes: it repeats the request, and may hold a long transcript.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The largest file that comes in place of a record, in bytes.
const INLINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Failed polls of a job in a row before it is given up.
const FAILED_POLLS_MAX: u32 = 5;

/// The id of no job. Upstream answers 200 with an empty record, or 401 to a wrong key.
const UNKNOWN_JOB_ID: &str = "00000000-0000-4000-8000-000000000000";

impl Client {
    /// Asks for an image, speech, a transcript or code, and waits for the result. The request is
    /// sent once; a job is polled until it is done or the time is over. Dropping the future stops
    /// the polling, not the job.
    ///
    /// # Errors
    /// Why there is no result. Once the job was taken, [`Error::was_accepted`] says so whatever
    /// happens later.
    pub async fn feature(
        &self,
        key: &ApiKey,
        payload: &Payload,
        mode: Mode,
    ) -> Result<Outcome, Error> {
        let deadline = Instant::now() + self.inner.timeouts.feature;
        let kind = payload.kind;
        let request = self.post(&self.inner.features, key, JSON, payload.to_bytes(mode))?;
        let submitting = async {
            let response = accepted(self.inner.transport.send(request).await?).await?;
            answer(kind, response, self.inner.timeouts.idle).await
        };
        match within(deadline, TransportKind::WholeTimeout, submitting).await? {
            JobState::Done(outcome) => Ok(*outcome),
            JobState::Working { id } => self.job(key, kind, &id, deadline).await,
            JobState::Unknown => Err(ProtocolError::Malformed("a record was expected").into()),
        }
    }

    /// Submits a job, once, and does not wait for its result. It is paid from the moment it is
    /// accepted; an error whose [`Error::was_accepted`] is not certain must not be repeated.
    ///
    /// # Errors
    /// Why there is no job.
    pub async fn submit(&self, key: &ApiKey, payload: &Payload) -> Result<Submitted, Error> {
        let deadline = Instant::now() + self.inner.timeouts.feature;
        let body = payload.to_bytes(Mode::Polled);
        let request = self.post(&self.inner.features, key, JSON, body)?;
        let kind = payload.kind;
        let submitting = async {
            let response = accepted(self.inner.transport.send(request).await?).await?;
            answer(kind, response, self.inner.timeouts.idle).await
        };
        match within(deadline, TransportKind::WholeTimeout, submitting).await? {
            JobState::Done(outcome) => Ok(Submitted::Done(outcome)),
            JobState::Working { id } => Ok(Submitted::Job(id)),
            JobState::Unknown => Err(ProtocolError::Malformed("a record was expected").into()),
        }
    }

    /// Asks once what became of a job, at no cost. It must be asked with the key that submitted it.
    pub async fn poll_job(&self, key: &ApiKey, kind: Kind, id: &str) -> JobPoll {
        if !is_plain(id) {
            return JobPoll::Ended(Error::Invalid("the id of a job is malformed"));
        }
        let deadline = Instant::now() + self.inner.timeouts.small;
        self.poll(key, kind, &format!("/api/results/{id}"), deadline)
            .await
    }

    /// Asks whether upstream knows a key, at no cost: by polling a job that nobody has.
    ///
    /// # Errors
    /// [`Error::Refused`] if it does not; or why it could not be asked.
    pub async fn check_key(&self, key: &ApiKey) -> Result<(), Error> {
        let path = format!("/api/results/{UNKNOWN_JOB_ID}");
        self.get(key, &path).await.map(drop)
    }

    /// Asks for code, by the feature that upstream has for it.
    ///
    /// # Errors
    /// As [`Client::feature`].
    pub async fn code(&self, key: &ApiKey, request: &code::Request) -> Result<Answer, Error> {
        let outcome = self.feature(key, &request.payload(), Mode::Held).await?;
        code::answer(outcome)
    }

    /// The styles of the model `dzine`.
    ///
    /// # Errors
    /// Why there is no list.
    pub async fn dzine_styles(&self, key: &ApiKey) -> Result<Vec<DzineStyle>, Error> {
        let body = self.get(key, "/api/dzine/styles").await?;
        styles::dzine(&body)
    }

    /// The styles of one version of `recraft`, such as `recraftv3`.
    ///
    /// # Errors
    /// Why there is no list.
    pub async fn recraft_styles(
        &self,
        key: &ApiKey,
        task_type: &str,
    ) -> Result<Vec<RecraftStyle>, Error> {
        if !is_plain(task_type) {
            return Err(Error::Invalid("the recraft version is not a valid name"));
        }
        let body = self
            .get(key, &format!("/api/recraft/styles?taskType={task_type}"))
            .await?;
        styles::recraft(&body)
    }

    /// Polls a job until it is done.
    async fn job(
        &self,
        key: &ApiKey,
        kind: Kind,
        id: &str,
        deadline: Instant,
    ) -> Result<Outcome, Error> {
        if !is_plain(id) {
            return Err(ProtocolError::Malformed("the id of a job was expected").into());
        }
        let path = format!("/api/results/{id}");
        let mut failed = 0;
        let mut wait = Duration::ZERO;
        for poll in 0.. {
            let pause = wait.max(features::poll_pause(self.inner.timeouts.poll, poll));
            tokio::time::sleep_until((Instant::now() + pause).min(deadline)).await;
            if Instant::now() >= deadline {
                break;
            }
            wait = match self.poll(key, kind, &path, deadline).await {
                JobPoll::Done(outcome) => return Ok(*outcome),
                JobPoll::Ended(error) => return Err(error),
                JobPoll::Failed(error) if failed == FAILED_POLLS_MAX => return Err(error),
                JobPoll::Failed(error) => {
                    failed += 1;
                    asked_to_wait(&error)
                }
                JobPoll::Working => {
                    failed = 0;
                    Duration::ZERO
                }
            };
        }
        Err(TransportError::new(TransportKind::WholeTimeout).into())
    }

    async fn poll(&self, key: &ApiKey, kind: Kind, path: &str, deadline: Instant) -> JobPoll {
        let asking = within(deadline, TransportKind::WholeTimeout, self.get(key, path));
        match asking.await {
            Ok(body) => match features::read(kind, &body) {
                Ok(JobState::Done(outcome)) => JobPoll::Done(outcome),
                Ok(JobState::Working { .. }) => JobPoll::Working,
                // The job may not be known yet everywhere.
                Ok(JobState::Unknown) => {
                    JobPoll::Failed(ProtocolError::Malformed("the job is not known").into())
                }
                // The record tells the job's state; anything else is about the poll itself.
                Err(error @ Error::Refused(_)) if features::is_record(&body) => {
                    JobPoll::Ended(error)
                }
                Err(error) => JobPoll::failed(error),
            },
            Err(error) => {
                if matches!(&error, Error::Refused(refusal) if refusal.status == Some(404)) {
                    drift::count(Fact::ResultUnknown);
                }
                JobPoll::failed(error)
            }
        }
    }

    /// The body of something that can be had for nothing.
    pub(super) async fn get(&self, key: &ApiKey, path: &str) -> Result<Vec<u8>, Error> {
        self.small(Method::GET, key, path, Outgoing::Empty).await
    }

    /// A small request that costs nothing.
    pub(super) async fn small(
        &self,
        method: Method,
        key: &ApiKey,
        path: &str,
        body: Outgoing,
    ) -> Result<Vec<u8>, Error> {
        let deadline = Instant::now() + self.inner.timeouts.small;
        let address = uri(&self.inner.base, path)?;
        let request = self.request(method, address, JSON, |headers| {
            headers.insert(API_KEY, key.header()?);
            if !matches!(body, Outgoing::Empty) {
                headers.insert(CONTENT_TYPE, JSON);
            }
            Ok(body)
        })?;
        let asking = async {
            let response = accepted(self.inner.transport.send(request).await?).await?;
            document(
                response.into_body(),
                RECORD_BYTES_MAX,
                self.inner.timeouts.idle,
            )
            .await
        };
        within(deadline, TransportKind::WholeTimeout, asking).await
    }
}

/// What was submitted.
#[derive(Debug)]
pub enum Submitted {
    /// A job of this id, which is being worked on.
    Job(String),
    /// It was done at once.
    Done(Box<Outcome>),
}

/// What one poll of a job showed.
#[derive(Debug)]
pub enum JobPoll {
    /// It is being worked on, or waits for it.
    Working,
    /// It is done.
    Done(Box<Outcome>),
    /// The job has failed, or polling again cannot help (a wrong key).
    Ended(Error),
    /// The poll failed, or upstream does not know the job (yet); the job may be fine.
    Failed(Error),
}

impl JobPoll {
    fn failed(error: Error) -> Self {
        let error = error.after_acceptance();
        if is_final(&error) {
            Self::Ended(error)
        } else {
            Self::Failed(error)
        }
    }
}

/// A record, or a file in its place.
async fn answer(kind: Kind, response: Response<Body>, idle: Duration) -> Result<JobState, Error> {
    let content_type = response.headers().get(CONTENT_TYPE).cloned();
    let content_type = content_type
        .as_ref()
        .and_then(|value| HeaderValue::to_str(value).ok());
    let Some(content_type) = content_type.filter(|of| is_file(kind, of)) else {
        return features::read(
            kind,
            &document(response.into_body(), RECORD_BYTES_MAX, idle).await?,
        );
    };
    let bytes = Bytes::from(collect(response.into_body(), INLINE_BYTES_MAX, idle).await?);
    drift::count(Fact::FileRecords);
    if bytes.is_empty() {
        return Err(ProtocolError::Malformed("the file is empty").into());
    }
    let inline = Inline {
        content_type: content_type.to_owned(),
        bytes,
    };
    Ok(JobState::Done(Box::new(Outcome {
        inline: Some(inline),
        ..Outcome::default()
    })))
}

fn is_file(kind: Kind, content_type: &str) -> bool {
    let small = content_type.trim_start().to_ascii_lowercase();
    let files = ["audio/", "image/", "video/", "application/octet-stream"];
    !kind.gives_text() && files.iter().any(|begin| small.starts_with(begin))
}

/// Whether polling again cannot help.
fn is_final(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if !refusal.retryable)
}

fn asked_to_wait(error: &Error) -> Duration {
    match error {
        Error::Refused(refusal) => refusal.retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

/// Whether a text can stand in an address as it is.
pub(super) fn is_plain(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !id.is_empty() && id.len() <= 128 && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn no_id_leads_elsewhere() {
        assert!(is_plain("d9b6f3a0-4c1e-4d72-8b55-7e6f5a4d3c99"));
        for id in ["", "..", "a/b", "a?b", "a b", "ä"] {
            assert!(!is_plain(id), "{id}");
        }
    }
}
