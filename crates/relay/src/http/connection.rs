//! One connection of a client: it ends when the client does not move, and when the server stops.

use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::http::router::Service;
use crate::http::shutdown::{self, Phase};

/// A client without an open request is let go so long after the server has begun to stop.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// How long a client may take nothing of its answer.
#[derive(Debug, Clone, Copy)]
pub struct ReadTimeouts {
    /// Until it takes the next byte.
    pub byte: Duration,
    /// Until it has taken so much that more of the answer is asked for.
    pub answer: Duration,
}

/// Who is at the other end, and what is done with its requests.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) service: Service,
    pub(super) peer: SocketAddr,
    /// There are too many connections: only the health check is answered.
    pub(super) is_crowded: bool,
}

impl Client {
    async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        if self.is_crowded {
            return self.service.crowded(request, self.peer).await;
        }
        self.service.call(request, self.peer).await
    }
}

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// How each protocol is spoken.
#[derive(Clone)]
pub(super) struct Builders {
    pub(super) http1: http1::Builder,
    pub(super) http2: http2::Builder<TokioExecutor>,
}

/// Serves a connection until it ends or is let go.
pub(super) async fn serve(
    builders: &Builders,
    protocol: Protocol,
    client: Client,
    stream: TcpStream,
    timeouts: ReadTimeouts,
) {
    let progress = Arc::new(Progress::new());
    let peer = client.peer;
    let socket = ClientSocket {
        socket: TokioIo::new(stream),
        progress: progress.clone(),
    };
    let watched = progress.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (client, open) = (client.clone(), Open::begin(watched.clone()));
        async move {
            // hyper keeps room for this future while the answer is written, and what makes the answer needs
            // thousands of bytes.
            let response = Box::pin(client.answer(request)).await;
            Ok::<_, Infallible>(response.map(|body| WatchedBody { body, open }))
        }
    });
    let patience = Patience {
        progress,
        timeouts,
        is_draining: false,
        quiet: None,
        timer: None,
    };
    match protocol {
        Protocol::Http1 => {
            let connection = builders.http1.serve_connection(socket, service);
            let_work(pin!(connection), patience, peer).await;
        }
        Protocol::Http2 => {
            // Rare, and larger than all that the other holds.
            let connection = builders.http2.serve_connection(socket, service);
            let_work(Box::pin(connection).as_mut(), patience, peer).await;
        }
    }
}

async fn let_work<C>(mut connection: Pin<&mut C>, mut patience: Patience, peer: SocketAddr)
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut phase = shutdown::subscribe();
    if shutdown::is_draining() {
        return;
    }
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "a connection broke");
                }
                return;
            }
            changed = phase.changed() => {
                if changed.is_ok() && *phase.borrow_and_update() == Phase::Draining {
                    patience.is_draining = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
            () = poll_fn(|cx| patience.poll(cx)) => {
                tracing::debug!(%peer, "closing the connection of a client that neither sends nor reads");
                return;
            }
        }
    }
}

/// What is known of how a client takes its answer.
#[derive(Debug)]
struct Progress {
    begun: Instant,
    /// Requests that are not answered in full.
    open: AtomicUsize,
    /// Since when the socket takes nothing, in milliseconds from the beginning; zero if it does.
    stalled: AtomicU64,
    /// Since when the next part of an answer was not asked for, as above.
    unread: AtomicU64,
}

impl Progress {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            open: AtomicUsize::new(0),
            stalled: AtomicU64::new(0),
            unread: AtomicU64::new(0),
        }
    }

    /// The moment as it is kept; never zero.
    fn now(&self) -> u64 {
        let since = self.begun.elapsed().as_millis();
        u64::try_from(since).unwrap_or(u64::MAX).max(1)
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
        written
    }
}

/// A request until its answer is complete or given up.
struct Open(Arc<Progress>);

impl Open {
    fn begin(progress: Arc<Progress>) -> Self {
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

/// Ready when a client is to be let go. The timer is set only while the client does not move.
struct Patience {
    progress: Arc<Progress>,
    timeouts: ReadTimeouts,
    is_draining: bool,
    /// Since when there was nothing to do, while the server stops.
    quiet: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(due) = self.due() else {
            self.timer = None;
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        timer.as_mut().poll(cx)
    }

    fn due(&mut self) -> Option<Instant> {
        let progress = &*self.progress;
        let stalled = progress.since(&progress.stalled);
        let is_quiet =
            self.is_draining && stalled.is_none() && progress.open.load(Ordering::Relaxed) == 0;
        self.quiet = is_quiet.then(|| self.quiet.unwrap_or_else(Instant::now));
        let unread = progress.since(&progress.unread);
        let dues = [
            stalled.map(|since| since + self.timeouts.byte),
            unread.map(|since| since + self.timeouts.answer),
            self.quiet.map(|since| since + QUIET_TIME),
        ];
        dues.into_iter().flatten().min()
    }
}

/// The body of an answer: it notes whether the client asks for more of it.
struct WatchedBody {
    body: Body,
    open: Open,
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let progress = &*self.open.0;
        let since = match &frame {
            Poll::Ready(Some(Ok(_))) => progress.now(),
            Poll::Ready(_) | Poll::Pending => 0,
        };
        progress.unread.store(since, Ordering::Relaxed);
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
struct ClientSocket {
    socket: TokioIo<TcpStream>,
    progress: Arc<Progress>,
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
    use super::*;

    /// The bytes of the future that such a function makes.
    fn future_bytes<A, F>(_: impl FnOnce(A) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_connection_holds_little_besides_its_buffers() {
        type Given = (&'static Builders, Protocol, Client, TcpStream, ReadTimeouts);
        let bytes = future_bytes(|(builders, protocol, client, stream, timeouts): Given| {
            serve(builders, protocol, client, stream, timeouts)
        });
        println!("a connection of a client: {bytes} bytes");
        assert!(bytes <= 2048, "{bytes}");
    }
}
