//! A request's body as it arrives. What an answer leaves unread is still taken off the wire for a
//! while: a client that writes before it reads would otherwise find a broken connection in the
//! place of its answer. The answer does not wait for that.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderMap;
use http::header;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, Sleep};

use crate::http::shutdown;
use crate::task;

/// For how long an unread body is still taken, and how many bytes of it.
const DRAIN_TIME: Duration = Duration::from_secs(20);
const DRAIN_BYTES_MAX: usize = 1 << 30;

/// For how long a client may send nothing of a body that is waited for.
const MOST_SILENCE: Duration = Duration::from_mins(1);

/// The same while the server stops.
const SILENCE_AT_THE_END: Duration = Duration::from_secs(2);

/// A body whose rest is drained when it is dropped.
pub struct DrainOnDropBody<B: Body + Send + Unpin + 'static> {
    body: Option<B>,
    /// Runs while nothing comes.
    silence: Option<Pin<Box<Sleep>>>,
    ended: bool,
    /// The client sends nothing before it is told to go on.
    waits: bool,
}

impl<B: Body + Send + Unpin + 'static> DrainOnDropBody<B> {
    /// The body of a request with these headers.
    #[must_use]
    pub fn new(body: B, headers: &HeaderMap) -> Self {
        Self {
            body: Some(body),
            silence: None,
            ended: false,
            waits: headers.contains_key(header::EXPECT),
        }
    }
}

/// Why a body ends early.
type Error = Box<dyn std::error::Error + Send + Sync>;

impl<B> Body for DrainOnDropBody<B>
where
    B: Body<Error: Into<Error>> + Send + Unpin + 'static,
{
    type Data = B::Data;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Error>>> {
        self.waits = false;
        let Some(body) = self.body.as_mut() else {
            return Poll::Ready(None);
        };
        let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
            let silence = || Box::pin(tokio::time::sleep(MOST_SILENCE));
            let silence = self.silence.get_or_insert_with(silence);
            if shutdown::is_draining() {
                let due = silence.deadline().min(Instant::now() + SILENCE_AT_THE_END);
                if due < silence.deadline() {
                    silence.as_mut().reset(due);
                }
            }
            std::task::ready!(silence.as_mut().poll(cx));
            self.body = None;
            return Poll::Ready(Some(Err("no data arrived in time".into())));
        };
        self.silence = None;
        self.ended = !matches!(frame, Some(Ok(_)));
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl<B: Body + Send + Unpin + 'static> Drop for DrainOnDropBody<B> {
    fn drop(&mut self) {
        if self.ended || self.waits || self.body.as_ref().is_none_or(Body::is_end_stream) {
            return;
        }
        if let Some(body) = self.body.take() {
            task::spawn_from_drop(
                async move { tokio::time::timeout(DRAIN_TIME, drain(body)).await },
            );
        }
    }
}

async fn drain<B: Body + Unpin>(mut body: B) {
    let mut left = DRAIN_BYTES_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, bytes::Buf::remaining));
        if left == 0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::StreamExt as _;
    use futures_util::stream;
    use http_body_util::StreamBody;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_nothing_more_is_not_waited_for() {
        let begun = Frame::data(Bytes::from_static(b"{"));
        let frames = stream::iter([Ok::<_, std::io::Error>(begun)]).chain(stream::pending());
        let mut body = DrainOnDropBody::new(StreamBody::new(frames), &HeaderMap::new());
        assert!(body.frame().await.unwrap().is_ok());
        let waited = Instant::now();
        assert!(body.frame().await.unwrap().is_err());
        assert_eq!(waited.elapsed().as_secs(), MOST_SILENCE.as_secs());
        assert!(body.frame().await.is_none());
    }
}
