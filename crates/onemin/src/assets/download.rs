//! A stored file that is coming.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::error::{Error, ProtocolError, TransportError, TransportKind};
use crate::transport;

/// A file as it comes. Its bytes are read by [`Download::next`], or as the [`Body`] that it is;
/// they come no faster than they are read. Dropping it ends the request.
#[derive(Debug)]
pub struct Download {
    /// The status of the response, of the 2xx.
    pub status: u16,
    /// The type that the host says, which for some files is no better than
    /// `application/octet-stream`.
    pub content_type: Option<String>,
    /// The length that the host says, in bytes: of the part, where only a part comes.
    pub length: Option<u64>,
    /// Which part of the file comes, as the host says it; None if it is the whole.
    pub content_range: Option<String>,
    body: Option<transport::Body>,
    idle: Duration,
    /// How long upstream may be waited for altogether. Bytes that come one by one keep each wait short.
    left: Duration,
    waiting: Option<Waiting>,
    taken: u64,
    /// Why it broke off, until that was said.
    broken: Option<TransportError>,
}

/// A wait for more bytes.
#[derive(Debug)]
struct Waiting {
    since: Instant,
    end: Pin<Box<Sleep>>,
}

impl Download {
    /// Each wait for more bytes may take `idle`, and all together `whole`; how long whoever takes them
    /// takes does not count.
    pub(crate) fn new(
        response: http::Response<transport::Body>,
        idle: Duration,
        whole: Duration,
    ) -> Self {
        let header = |name: http::HeaderName| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        Self {
            status: response.status().as_u16(),
            content_type: header(http::header::CONTENT_TYPE),
            length: header(http::header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            content_range: header(http::header::CONTENT_RANGE),
            body: Some(response.into_body()),
            idle,
            left: whole,
            waiting: None,
            taken: 0,
            broken: None,
        }
    }

    /// The next bytes, or None at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The whole file, if it is not larger than so many bytes.
    ///
    /// # Errors
    /// [`ProtocolError::BodyTooLarge`], or why it did not come.
    pub async fn bytes(mut self, most: usize) -> Result<Bytes, Error> {
        let too_large = || Error::from(ProtocolError::BodyTooLarge(most));
        if self.length.is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let mut whole = Vec::new();
        while let Some(next) = self.next().await {
            whole.extend_from_slice(&next?);
            if whole.len() > most {
                return Err(too_large());
            }
        }
        Ok(whole.into())
    }

    /// [`Download::next`] for those who poll.
    ///
    /// That it broke off is said one poll late: a server drops what it has not yet sent when a body
    /// fails, and a client that got no head of a response may repeat a paid request.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(error) = self.broken.take() {
            return self.fail(error);
        }
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        match body.poll(cx) {
            Poll::Ready(Some(Ok(bytes))) => {
                if let Some(waiting) = self.waiting.take() {
                    let waited = waiting.since.elapsed().min(self.idle);
                    self.left = self.left.saturating_sub(waited);
                }
                self.taken += bytes.len() as u64;
                Poll::Ready(Some(Ok(bytes)))
            }
            Poll::Ready(None) => {
                self.body = None;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                self.broken = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => {
                let most = self.idle.min(self.left);
                let waiting = self.waiting.get_or_insert_with(|| {
                    let since = Instant::now();
                    let end = Box::pin(tokio::time::sleep_until(since + most));
                    Waiting { since, end }
                });
                std::task::ready!(waiting.end.as_mut().poll(cx));
                let kind = if most < self.idle {
                    TransportKind::WholeTimeout
                } else {
                    TransportKind::IdleTimeout
                };
                self.fail(TransportError::new(kind))
            }
        }
    }

    fn fail(&mut self, error: TransportError) -> Poll<Option<Result<Bytes, Error>>> {
        self.body = None;
        Poll::Ready(Some(Err(error.into())))
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.poll_next(cx)
            .map(|next| next.map(|read| read.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, |length| {
            SizeHint::with_exact(length.saturating_sub(self.taken))
        })
    }
}
