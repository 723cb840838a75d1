//! Connections: accepted, served, and let end when the server stops.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::http::router::Service;

/// A client that takes longer to send its request's head is no client.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Between two looks at a beginning that is too short.
const PEEK_AGAIN: Duration = Duration::from_millis(20);

/// The most memory that reading one connection takes, in bytes; hyper's least is 8 kB.
const BUFFER: usize = 64 * 1024;

/// After a failed accept (most often: no file descriptor left), time for connections to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` ends, then lets what is open end for at most `grace`.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    stop: impl Future<Output = ()>,
    grace: Duration,
) {
    let graceful = GracefulShutdown::new();
    let builder = builder();
    let (running, run) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let service = service.clone();
                connection(&builder, &graceful, run.clone(), service, stream, peer);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop((listener, running));
    tracing::info!(
        open = graceful.count(),
        "stopping: no new connections, open requests may end"
    );
    if tokio::time::timeout(grace, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("the time for open requests is over; what is left is cut off");
    }
}

/// Whether the client says anything, and enough to tell HTTP/1 from 2: what tells them apart
/// waits without a limit of its own.
async fn speaks(stream: &TcpStream) -> std::io::Result<bool> {
    let mut begun = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut begun).await?;
        let said = begun.get(..length).unwrap_or_default();
        if length == 0 || length == PREFACE.len() || !PREFACE.starts_with(said) {
            return Ok(length > 0);
        }
        tokio::time::sleep(PEEK_AGAIN).await;
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER)
        .http2()
        .timer(TokioTimer::new());
    builder
}

fn connection(
    builder: &Builder<TokioExecutor>,
    graceful: &GracefulShutdown,
    mut run: watch::Receiver<()>,
    service: Service,
    stream: TcpStream,
    peer: SocketAddr,
) {
    // Without it an event waits for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        async move { Ok::<Response, Infallible>(service.call(request, peer).await) }
    });
    let builder = builder.clone();
    let watcher = graceful.watcher();
    tokio::spawn(async move {
        let spoke = tokio::select! {
            biased;
            spoke = tokio::time::timeout(HEAD_TIMEOUT, speaks(&stream)) => spoke,
            // Whoever is silent when the server stops is not waited for.
            _ = run.changed() => return,
        };
        if !matches!(spoke, Ok(Ok(true))) {
            return;
        }
        let serving = builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        if let Err(error) = watcher.watch(serving).await {
            tracing::debug!(%peer, %error, "a connection broke");
        }
    });
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn a_client_is_served_once_it_has_said_what_it_speaks() {
        for (said, closes, served) in [
            (&b"GE"[..], false, Some(true)),
            (PREFACE, false, Some(true)),
            (b"PO", false, Some(true)),
            (b"", false, None),
            (b"PRI * HTTP/2", false, None),
            (b"", true, Some(false)),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
            let (mut near, far) = (near.unwrap(), far.unwrap().0);
            near.write_all(said).await.unwrap();
            if closes {
                drop(near.shutdown().await);
            }
            let speaks = tokio::time::timeout(Duration::from_millis(200), speaks(&far)).await;
            assert_eq!(speaks.ok().map(Result::unwrap), served, "{said:?} {closes}");
        }
    }
}
