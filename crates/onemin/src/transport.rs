//! Bytes to upstream and back: pooled connections, one request, its body as it comes.
//!
//! Everything above reads a body through [`Body`] alone, so that what is below can be exchanged.

mod connect;
mod outgoing;

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::error::{TransportError, TransportKind};
use connect::{Timed, TimedOut};
pub(crate) use outgoing::{BoxError, Outgoing};

/// How connections are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    pub(crate) nodelay: bool,
    pub(crate) http2: bool,
}

/// Connections that are not used for so long are closed; upstream's edge closes them itself later.
const IDLE_CONNECTION: Duration = Duration::from_secs(75);

/// The most memory that reading and writing one connection takes, in bytes.
const BUFFER: usize = 64 * 1024;

/// A pool of connections.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: Client<Timed<hyper_rustls::HttpsConnector<HttpConnector>>, Outgoing>,
}

impl Transport {
    pub(crate) fn new(settings: Settings) -> Result<Self, crate::Error> {
        let connector = connect::connector(settings)?;
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .http1_max_buf_size(BUFFER)
            .http2_adaptive_window(true)
            .build(connector);
        Ok(Self { client })
    }

    /// Sends a request and waits for the head of the response. A request whose pooled connection
    /// had died before a byte of it was written is sent again on another.
    pub(crate) async fn send(
        &self,
        request: Request<Outgoing>,
    ) -> Result<Response<Body>, TransportError> {
        match self.client.request(request).await {
            Ok(response) => Ok(response.map(Body)),
            Err(error) => Err(failure(error)),
        }
    }
}

fn failure(error: hyper_util::client::legacy::Error) -> TransportError {
    let kind = if cause::<TimedOut>(&error).is_some() {
        TransportKind::ConnectTimeout
    } else if error.is_connect() {
        TransportKind::Connect
    } else {
        match cause::<hyper::Error>(&error) {
            // Only a request that was handed back unsent counts as canceled.
            Some(error) if error.is_canceled() => TransportKind::NotSent,
            Some(error) if error.is_user() => TransportKind::Source,
            _ => TransportKind::Broken,
        }
    };
    TransportError::new(kind).caused_by(error)
}

fn cause<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The body of a response. Dropping it before its end closes the connection.
#[derive(Debug)]
pub(crate) struct Body(Incoming);

impl Body {
    /// The next bytes, or None at the end.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            let frame = std::task::ready!(Pin::new(&mut self.0).poll_frame(cx));
            return Poll::Ready(match frame {
                None => None,
                Some(Err(error)) => Some(Err(
                    TransportError::new(TransportKind::Broken).caused_by(error)
                )),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => Some(Ok(bytes)),
                    Err(_trailers) => continue,
                },
            });
        }
    }

    /// As [`Body::poll`].
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, TransportError>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }
}
