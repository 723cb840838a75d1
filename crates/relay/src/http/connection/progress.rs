//! How a client takes its answers: noted by the socket and by the body of each answer, of which no more
//! is made than the client takes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Frame, SizeHint};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// So much of an answer may wait to be written before more of it is made, in bytes. hyper would queue
/// several times as much for each client that reads slowly.
const UNWRITTEN_BYTES: usize = 16 * 1024;

/// What is known of how a client takes its answer.
#[derive(Debug)]
pub(super) struct Progress {
    begun: Instant,
    /// Requests that are not answered in full.
    open: AtomicUsize,
    /// Since when the socket takes nothing, in milliseconds from the beginning; zero if it does.
    stalled: AtomicU64,
    /// Since when the next part of an answer was not asked for, likewise.
    unread: AtomicU64,
    /// Bytes of an answer that were given since the socket last took any.
    unwritten: AtomicUsize,
    /// What waits for the socket to take bytes.
    writable: AtomicWaker,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            open: AtomicUsize::new(0),
            stalled: AtomicU64::new(0),
            unread: AtomicU64::new(0),
            unwritten: AtomicUsize::new(0),
            writable: AtomicWaker::new(),
        }
    }

    /// The moment as it is kept; never zero.
    fn now(&self) -> u64 {
        let since = self.begun.elapsed().as_millis();
        u64::try_from(since).unwrap_or(u64::MAX).max(1)
    }

    /// Since when the socket takes nothing.
    pub(super) fn stalled(&self) -> Option<Instant> {
        self.since(&self.stalled)
    }

    /// Since when the next part of an answer was not asked for.
    pub(super) fn unread(&self) -> Option<Instant> {
        self.since(&self.unread)
    }

    /// Whether a request is not answered in full.
    pub(super) fn has_open_requests(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    fn since(&self, kept: &AtomicU64) -> Option<Instant> {
        match kept.load(Ordering::Relaxed) {
            0 => None,
            since => Some(self.begun + Duration::from_millis(since)),
        }
    }

    fn wrote<T>(&self, written: Poll<T>) -> Poll<T> {
        let is_stalled = self.stalled.load(Ordering::Relaxed) > 0;
        if written.is_pending() != is_stalled {
            let since = if is_stalled { 0 } else { self.now() };
            self.stalled.store(since, Ordering::Relaxed);
        }
        if written.is_ready() {
            self.unwritten.store(0, Ordering::Relaxed);
            self.writable.wake();
        }
        written
    }

    /// Whether what was given of an answer has first to be written.
    fn is_full(&self) -> bool {
        self.stalled.load(Ordering::Relaxed) > 0
            || self.unwritten.load(Ordering::Relaxed) >= UNWRITTEN_BYTES
    }

    fn gave(&self, frame: &Frame<Bytes>) {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let unwritten = self.unwritten.load(Ordering::Relaxed);
        self.unwritten
            .store(unwritten.saturating_add(bytes), Ordering::Relaxed);
        self.unread.store(self.now(), Ordering::Relaxed);
    }
}

/// A request until its answer is complete or given up.
pub(super) struct Open(Arc<Progress>);

impl Open {
    pub(super) fn begin(progress: Arc<Progress>) -> Self {
        progress.open.fetch_add(1, Ordering::Relaxed);
        Self(progress)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.unread.store(0, Ordering::Relaxed);
    }
}

/// The body of an answer: it notes whether the client asks for more of it, and gives more only when
/// little waits to be written.
pub(super) struct WatchedBody {
    pub(super) body: Body,
    pub(super) open: Open,
    /// Whether it waits for what was given to be written. With HTTP/2 a client says by itself how much it
    /// takes of each answer.
    pub(super) waits: bool,
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let progress = &*self.open.0;
        if self.waits && progress.is_full() {
            progress.writable.register(cx.waker());
            if progress.unread().is_none() {
                progress.unread.store(progress.now(), Ordering::Relaxed);
            }
            return Poll::Pending;
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let progress = &*self.open.0;
        match &frame {
            Poll::Ready(Some(Ok(frame))) => progress.gave(frame),
            Poll::Ready(_) | Poll::Pending => progress.unread.store(0, Ordering::Relaxed),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The socket: it notes whether the client takes what is written.
pub(super) struct ClientSocket {
    pub(super) socket: TokioIo<TcpStream>,
    pub(super) progress: Arc<Progress>,
}

impl Read for ClientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buffer)
    }
}

impl Write for ClientSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.progress.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.progress.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::AtomicBool;
    use std::task::{Wake, Waker};

    use http_body::Body as _;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// An answer without an end, a kilobyte a frame, and what it takes part in.
    fn endless(waits: bool) -> (WatchedBody, Arc<Progress>) {
        let frames = std::iter::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b'x'; 1024])));
        let progress = Arc::new(Progress::new());
        let body = WatchedBody {
            body: Body::from_stream(futures_util::stream::iter(frames)),
            open: Open::begin(progress.clone()),
            waits,
        };
        (body, progress)
    }

    /// Frames that are given until there is none, at most 100.
    fn given(body: &mut WatchedBody, waker: &Waker) -> usize {
        let mut cx = Context::from_waker(waker);
        let frames = std::iter::from_fn(|| match Pin::new(&mut *body).poll_frame(&mut cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => None,
        });
        frames.take(100).count()
    }

    #[test]
    fn no_more_of_an_answer_is_made_than_its_client_takes() {
        let woken = Arc::new(Woken::default());
        let was_woken = || woken.0.swap(false, Ordering::Relaxed);
        let waker = Waker::from(woken.clone());
        let (mut body, progress) = endless(true);
        assert_eq!(given(&mut body, &waker), 16);
        assert!(progress.unread().is_some());
        assert!(!was_woken());

        let _ = progress.wrote(Poll::Ready(()));
        assert!(was_woken());
        assert_eq!(given(&mut body, &waker), 16);

        let _ = progress.wrote(Poll::Ready(()));
        let _ = progress.wrote::<()>(Poll::Pending);
        assert!(was_woken());
        assert_eq!(given(&mut body, &waker), 0, "the socket takes nothing");
        assert!(progress.unread().is_some());
        let _ = progress.wrote(Poll::Ready(()));
        assert!(was_woken());
        assert_eq!(given(&mut body, &waker), 16);

        let (mut body, _) = endless(false);
        assert_eq!(given(&mut body, &waker), 100, "h2 has windows of its own");
    }
}
