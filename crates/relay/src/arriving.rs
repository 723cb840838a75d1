//! A request's body as it arrives. What an answer leaves unread is still taken off the wire for a
//! while: a client that writes before it reads would otherwise find a broken connection in the
//! place of its answer. The answer does not wait for that.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderMap;
use http::header;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;

/// For how long an unread body is still taken, and how many bytes of it.
const DRAIN_TIME: Duration = Duration::from_secs(20);
const DRAINED: usize = 1 << 30;

/// A body whose rest is drained when it is dropped.
pub struct Arriving<B: Body + Send + Unpin + 'static> {
    body: Option<B>,
    ended: bool,
    /// The client sends nothing before it is told to go on.
    waits: bool,
}

impl<B: Body + Send + Unpin + 'static> Arriving<B> {
    /// The body of a request with these headers.
    #[must_use]
    pub fn new(body: B, headers: &HeaderMap) -> Self {
        Self {
            body: Some(body),
            ended: false,
            waits: headers.contains_key(header::EXPECT),
        }
    }
}

impl<B: Body + Send + Unpin + 'static> Body for Arriving<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.waits = false;
        let Some(body) = self.body.as_mut() else {
            return Poll::Ready(None);
        };
        let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
        self.ended = !matches!(frame, Some(Ok(_)));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl<B: Body + Send + Unpin + 'static> Drop for Arriving<B> {
    fn drop(&mut self) {
        if self.ended || self.waits || self.is_end_stream() {
            return;
        }
        if let (Some(body), Ok(runtime)) = (self.body.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(tokio::time::timeout(DRAIN_TIME, drain(body)));
        }
    }
}

async fn drain<B: Body + Unpin>(mut body: B) {
    let mut left = DRAINED;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, bytes::Buf::remaining));
        if left == 0 {
            break;
        }
    }
}
