//! One connection of a client: it ends when the client does not move, and when the server stops.

mod progress;

use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::http::router::Service;
use crate::http::shutdown::{self, Phase};
use progress::{ClientSocket, Open, Progress, WatchedBody};

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
            Ok::<_, Infallible>(response.map(|body| WatchedBody {
                body,
                open,
                waits: protocol == Protocol::Http1,
            }))
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
        let stalled = progress.stalled();
        let is_quiet = self.is_draining && stalled.is_none() && !progress.has_open_requests();
        self.quiet = is_quiet.then(|| self.quiet.unwrap_or_else(Instant::now));
        let dues = [
            stalled.map(|since| since + self.timeouts.byte),
            progress.unread().map(|since| since + self.timeouts.answer),
            self.quiet.map(|since| since + QUIET_TIME),
        ];
        dues.into_iter().flatten().min()
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
