//! Streams whose events come late: one job of minutes makes them all, or makes what they carry.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream};
use futures_util::{StreamExt as _, future};
use http::HeaderMap;
use serde_json::{Map, Number, Value};
use translate::dialect::Dialect;
use translate::failure::Failure;

use super::{EventSource, Progress};
use crate::http::reply;
use crate::observe::{RequestId, RequestLog};

/// What a job has made.
pub struct MadeEvents {
    /// What the response's headers tell of it, as far as they are not sent.
    pub headers: HeaderMap,
    events: BoxStream<'static, Result<Bytes, Failure>>,
}

impl MadeEvents {
    /// Events that are there.
    #[must_use]
    pub fn whole(headers: HeaderMap, events: Vec<u8>) -> Self {
        Self::stream(headers, stream::once(future::ready(Ok(events.into()))))
    }

    /// Events that go on coming.
    #[must_use]
    pub fn stream(
        headers: HeaderMap,
        events: impl Stream<Item = Result<Bytes, Failure>> + Send + 'static,
    ) -> Self {
        let events = events.boxed();
        Self { headers, events }
    }
}

type Making = Pin<Box<dyn Future<Output = Result<MadeEvents, Failure>> + Send>>;

enum State {
    Making(Making),
    Made(MadeEvents),
}

/// Events of a job. Dropping them drops the job.
pub struct DeferredEvents {
    state: State,
    /// The headers are gone, and what they would have told is told in a comment.
    is_late: bool,
}

impl DeferredEvents {
    /// The events that this job makes.
    #[must_use]
    pub fn new(making: impl Future<Output = Result<MadeEvents, Failure>> + Send + 'static) -> Self {
        Self {
            state: State::Making(Box::pin(making)),
            is_late: false,
        }
    }

    /// The events of a request with this id, whose failures are told in this dialect.
    pub(in crate::http) fn of_request(
        self,
        dialect: &'static Dialect,
        id: RequestId,
    ) -> impl EventSource + Unpin {
        OfRequest {
            events: self,
            dialect,
            id,
        }
    }
}

struct OfRequest {
    events: DeferredEvents,
    dialect: &'static Dialect,
    id: RequestId,
}

impl EventSource for OfRequest {
    fn open(&mut self, _out: &mut Vec<u8>) {}

    fn headers(&mut self, headers: &mut HeaderMap) {
        if let State::Made(made) = &mut self.events.state {
            headers.extend(std::mem::take(&mut made.headers));
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        log: &mut RequestLog,
        out: &mut Vec<u8>,
    ) -> Poll<Result<Progress, Failure>> {
        loop {
            match &mut self.events.state {
                State::Making(making) => {
                    let made = std::task::ready!(making.as_mut().poll(cx))?;
                    if self.events.is_late {
                        too_late_for_headers(&made.headers, out);
                    }
                    self.events.state = State::Made(made);
                }
                State::Made(made) => {
                    let Some(events) = std::task::ready!(made.events.poll_next_unpin(cx)) else {
                        return Poll::Ready(Ok(Progress::Done(None)));
                    };
                    out.extend_from_slice(&events?);
                    log.first_byte();
                    return Poll::Ready(Ok(Progress::More));
                }
            }
        }
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        let document = (self.dialect.failure)(failure, Some(&self.id.to_string()));
        out.extend_from_slice(b"event: error\ndata: ");
        out.extend_from_slice(&document.body);
        out.extend_from_slice(b"\n\n");
    }

    fn heartbeat(&mut self, out: &mut Vec<u8>) {
        self.events.is_late = true;
        out.extend_from_slice(reply::KEEPALIVE_COMMENT);
    }
}

/// What the response's headers would have told, as the comment that chat's streams have.
fn too_late_for_headers(headers: &HeaderMap, out: &mut Vec<u8>) {
    let fields = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-relay-")?;
        let value = value.to_str().ok()?;
        let credits = (name == "credits").then(|| value.parse::<Number>().ok());
        let value = credits
            .flatten()
            .map_or_else(|| value.into(), Value::Number);
        Some((name.to_owned(), value))
    });
    let fields: Map<String, Value> = fields.collect();
    if !fields.is_empty() {
        out.extend_from_slice(reply::comment(Value::from(fields)).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;
    use http_body_util::BodyExt as _;
    use translate::dialect::anthropic::messages;
    use translate::dialect::openai::chat;
    use translate::failure::Kind;

    use super::*;
    use crate::http::event_stream::{Heartbeat, begin};

    #[test]
    fn what_headers_cannot_tell_any_more_is_a_comment() {
        let mut out = Vec::new();
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", HeaderValue::from_static("no-cache"));
        too_late_for_headers(&headers, &mut out);
        assert_eq!(out, b"");
        headers.insert("x-relay-credits", HeaderValue::from_static("4800.5"));
        headers.insert("x-relay-ignored", HeaderValue::from_static("seed, n"));
        too_late_for_headers(&headers, &mut out);
        let comment = ": x-relay {\"credits\":4800.5,\"ignored\":\"seed, n\"}\n";
        assert_eq!(out, comment.as_bytes());
    }

    fn log() -> RequestLog {
        RequestLog::begin(None, RequestId::draw(), "test")
    }

    fn headers() -> HeaderMap {
        let credits = HeaderValue::from_static("7");
        HeaderMap::from_iter([("x-relay-credits".parse().unwrap(), credits)])
    }

    /// A job that takes so long, and what it makes; its events break off at the end.
    fn events(delay: Duration, dialect: &'static Dialect) -> impl EventSource + Unpin {
        let making = async move {
            tokio::time::sleep(delay).await;
            let broken = Failure::new(Kind::Upstream, "The audio broke off.");
            let events = [Ok(Bytes::from_static(b"data: {}\n\n")), Err(broken)];
            Ok(MadeEvents::stream(headers(), stream::iter(events)))
        };
        DeferredEvents::new(making).of_request(dialect, RequestId::draw())
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_in_time_tells_its_headers_and_a_late_one_a_comment() {
        let heartbeat = Heartbeat(Duration::from_secs(15));
        for (seconds, header, before) in [
            (1, Some("7"), ""),
            (
                40,
                None,
                ": keep-alive\n: keep-alive\n: x-relay {\"credits\":7}\n",
            ),
        ] {
            let events = events(Duration::from_secs(seconds), &chat::DIALECT);
            let response = begin(events, log(), heartbeat).await.unwrap();
            let credits = response.headers().get("x-relay-credits");
            assert_eq!(credits.map(|credits| credits.to_str().unwrap()), header);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let failed =
                "data: {}\n\nevent: error\ndata: {\"error\":{\"message\":\"The audio broke off.\"";
            assert!(body.starts_with(&format!("{before}{failed}")), "{body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_within_a_stream_is_told_in_the_clients_dialect() {
        let events = events(Duration::ZERO, &messages::DIALECT);
        let heartbeat = Heartbeat(Duration::ZERO);
        let response = begin(events, log(), heartbeat).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            body.contains("event: error\ndata: {\"type\":\"error\",\"error\":"),
            "{body}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_before_anything_is_sent_is_a_failure() {
        let making = async { Err(Failure::new(Kind::Overloaded, "Busy.")) };
        let events = DeferredEvents::new(making).of_request(&chat::DIALECT, RequestId::draw());
        let heartbeat = Heartbeat(Duration::from_secs(15));
        let failure = begin(events, log(), heartbeat).await.err().unwrap();
        assert_eq!(failure.kind, Kind::Overloaded);
    }
}
