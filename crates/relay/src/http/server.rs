//! Connections: accepted, served, and let end when the server stops.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::http::connection::{self, Builders, Client, Protocol, ReadTimeouts};
use crate::http::router::Service;
use crate::http::shutdown::{self, Phase};
use crate::observe::throttle::Throttle;
use crate::task;

/// The longest that a request's head may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Between two looks at a beginning that is too short.
const PEEK_AGAIN: Duration = Duration::from_millis(20);

/// The most memory that reading one connection takes, in bytes; hyper's least is 8 kB.
const BUFFER: usize = 64 * 1024;

/// After a failed accept (most often: no file descriptor left), time for connections to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Of the time for open requests, what is kept for telling those that are left that they failed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Connections beyond the usual number: each is served once, and only with the health check.
const SPARE_CONNECTIONS: usize = 32;

/// What the server keeps to.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long open requests may take when the server stops.
    pub grace: Duration,
    /// How long clients may take to read.
    pub read: ReadTimeouts,
    /// Connections at once that are served as usual.
    pub connections: usize,
}

/// Serves until `stop` ends, then lets what is open end for at most the grace.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    stop: impl Future<Output = ()>,
    limits: Limits,
) {
    static NOT_ACCEPTED: Throttle = Throttle::new();
    static CROWDED: Throttle = Throttle::new();
    let builders = builders();
    // Every connection has one of these; when the last is gone, all have ended.
    let (open, mut all_ended) = mpsc::channel::<()>(1);
    let count = Arc::new(());
    let connections = || Arc::strong_count(&count) - 1;
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let is_crowded = connections() >= limits.connections;
                if is_crowded && let Some(left_out) = CROWDED.due() {
                    tracing::warn!(
                        open = connections(),
                        left_out,
                        "too many connections for the open files that are permitted: more are refused"
                    );
                }
                let client = Client {
                    service: service.clone(),
                    peer,
                    is_crowded,
                };
                let (builders, kept) = (builders.clone(), (open.clone(), count.clone()));
                task::spawn(async move {
                    one(&builders, client, stream, limits.read).await;
                    drop(kept);
                });
                if connections() >= limits.connections.saturating_add(SPARE_CONNECTIONS) {
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
            Err(error) => {
                if let Some(left_out) = NOT_ACCEPTED.due() {
                    tracing::warn!(%error, left_out, "a connection could not be accepted");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop((listener, open));
    tracing::info!(
        open = connections(),
        "stopping: no new connections; waiting for open requests"
    );
    shutdown::enter(Phase::Draining);
    let last_words = LAST_WORDS.min(limits.grace / 4);
    let ended = tokio::time::timeout(limits.grace.saturating_sub(last_words), all_ended.recv());
    if ended.await.is_err() {
        tracing::warn!(
            open = connections(),
            "the shutdown timeout is over; requests that are still open are aborted"
        );
        shutdown::enter(Phase::Ending);
        let _ = tokio::time::timeout(last_words, all_ended.recv()).await;
    }
}

/// One connection, once its client has said what it speaks.
async fn one(builders: &Builders, client: Client, stream: TcpStream, timeouts: ReadTimeouts) {
    // Without it an event waits for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let mut phase = shutdown::subscribe();
    let spoke = tokio::select! {
        biased;
        spoke = tokio::time::timeout(HEAD_TIMEOUT, speaks(&stream)) => spoke,
        // Whoever is silent when the server stops is not waited for.
        _ = phase.changed() => return,
    };
    if let Ok(Ok(Some(protocol))) = spoke {
        connection::serve(builders, protocol, client, stream, timeouts).await;
    }
}

/// What the client speaks; none if it has closed without a word. What tells HTTP/1 from 2 waits
/// without a limit of its own.
async fn speaks(stream: &TcpStream) -> std::io::Result<Option<Protocol>> {
    let mut begun = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut begun).await?;
        let bytes = begun.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes == PREFACE {
            return Ok(Some(Protocol::Http2));
        }
        if !PREFACE.starts_with(bytes) {
            return Ok(Some(Protocol::Http1));
        }
        tokio::time::sleep(PEEK_AGAIN).await;
    }
}

fn builders() -> Builders {
    let mut http1 = http1::Builder::new();
    http1
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER);
    let mut http2 = http2::Builder::new(TokioExecutor::new());
    http2.timer(TokioTimer::new());
    Builders { http1, http2 }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn a_client_is_served_once_it_has_said_what_it_speaks() {
        for (bytes, closes, served) in [
            (&b"GE"[..], false, Some(Some(Protocol::Http1))),
            (PREFACE, false, Some(Some(Protocol::Http2))),
            (b"PO", false, Some(Some(Protocol::Http1))),
            (b"PRI /x HTTP/1.1\r\n", false, Some(Some(Protocol::Http1))),
            (b"", false, None),
            (b"PRI * HTTP/2", false, None),
            (b"", true, Some(None)),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
            let (mut near, far) = (near.unwrap(), far.unwrap().0);
            near.write_all(bytes).await.unwrap();
            if closes {
                drop(near.shutdown().await);
            }
            let speaks = tokio::time::timeout(Duration::from_millis(200), speaks(&far)).await;
            assert_eq!(
                speaks.ok().map(Result::unwrap),
                served,
                "{bytes:?} {closes}"
            );
        }
    }
}
