//! Bytes to upstream and back by HTTP/1.1: pooled connections, one request, its body as it comes.
//!
//! Everything above reads a body through [`Body`] alone, so that what is below can be exchanged.

mod authorities;
mod connect;
mod connection;
mod outgoing;
mod pool;

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, header};
use http_body::Body as _;
use hyper::body::Incoming;

use crate::error::{ConnectFailure, TransportError, TransportKind};
pub use authorities::Authorities;
use connect::Connector;
pub(crate) use connect::Settings;
use connection::{Connection, NoResponse};
pub(crate) use outgoing::{BoxError, Outgoing};
use pool::{Origin, Pool};

/// How long the end of a body may take after the answer's, for its connection to be used again.
const END_OF_BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// A pool of connections.
#[derive(Debug)]
pub(crate) struct Transport {
    connector: Connector,
    pool: Arc<Pool>,
}

impl Transport {
    pub(crate) fn new(settings: &Settings) -> Result<Self, crate::error::Error> {
        Ok(Self {
            connector: Connector::new(settings)?,
            pool: Arc::default(),
        })
    }

    /// Sends a request and waits for the head of the response. A request whose pooled connection
    /// had died before a byte of it was written is sent on another.
    pub(crate) async fn send(
        &self,
        mut request: Box<Request<Outgoing>>,
    ) -> Result<Response<Body>, TransportError> {
        let address = request.uri().clone();
        let no_host = || TransportError::new(TransportKind::Connect(ConnectFailure::Name));
        let origin = Origin::of(&address).ok_or_else(no_host)?;
        in_origin_form(&mut request);
        loop {
            let pooled = self.pool.take(&origin);
            let is_pooled = pooled.is_some();
            let mut connection = match pooled {
                Some(connection) => connection,
                None => Box::pin(self.connected(address.clone())).await?,
            };
            match connection.exchange(*request).await {
                Err(NoResponse::Unsent(unsent, _)) if is_pooled => request = unsent,
                Err(why) => return Err(why.into()),
                Ok(response) => {
                    let lease = Lease {
                        connection,
                        origin,
                        pool: Arc::clone(&self.pool),
                    };
                    return Ok(response.map(|incoming| Body::new(incoming, lease)));
                }
            }
        }
    }

    async fn connected(&self, address: Uri) -> Result<Box<Connection>, TransportError> {
        let socket = self.connector.connect(address).await?;
        match Connection::over(socket).await {
            Ok(connection) => Ok(Box::new(connection)),
            Err(error) => Err(
                TransportError::new(TransportKind::Connect(ConnectFailure::Other)).caused_by(error),
            ),
        }
    }
}

/// As a request stands on a connection: the path alone, the host in a header.
fn in_origin_form(request: &mut Request<Outgoing>) {
    if !request.headers().contains_key(header::HOST)
        && let Some(host) = host_header(request.uri())
    {
        request.headers_mut().insert(header::HOST, host);
    }
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
}

/// The header that names the host of an address.
pub(crate) fn host_header(uri: &Uri) -> Option<HeaderValue> {
    HeaderValue::try_from(host(uri)?).ok()
}

/// The host as the header says it: without the port that goes without saying.
fn host(uri: &Uri) -> Option<String> {
    let host = uri.host()?;
    let is_https = uri.scheme() == Some(&Scheme::HTTPS);
    let usual = if is_https { 443 } else { 80 };
    let port = uri.port_u16().filter(|port| *port != usual);
    Some(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

impl From<NoResponse> for TransportError {
    fn from(why: NoResponse) -> Self {
        let (kind, error) = match why {
            NoResponse::Unsent(_, error) => (TransportKind::NotSent, error),
            NoResponse::Failed(error) if error.is_user() => (TransportKind::Source, error),
            NoResponse::Failed(error) => (TransportKind::Broken, error),
        };
        Self::new(kind).caused_by(error)
    }
}

/// The body of a response. Dropping it before its end closes the connection.
#[derive(Debug)]
pub(crate) struct Body {
    incoming: Incoming,
    /// Until the body has ended.
    lease: Option<Lease>,
}

/// A connection, and where it goes back to.
#[derive(Debug)]
struct Lease {
    connection: Box<Connection>,
    origin: Origin,
    pool: Arc<Pool>,
}

impl Body {
    fn new(incoming: Incoming, lease: Lease) -> Self {
        let lease = Some(lease);
        let mut body = Self { incoming, lease };
        body.settle();
        body
    }

    /// How many bytes are still to come, if that was announced.
    pub(crate) fn length(&self) -> Option<u64> {
        self.incoming.size_hint().exact()
    }

    /// The next bytes, or None at the end.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        while let Some(lease) = &mut self.lease {
            match std::task::ready!(lease.connection.poll_body(cx, &mut self.incoming)) {
                None => self.release(),
                Some(Err(error)) => {
                    self.lease = None;
                    let broken = TransportError::new(TransportKind::Broken).caused_by(error);
                    return Poll::Ready(Some(Err(broken)));
                }
                Some(Ok(frame)) => {
                    self.settle();
                    // What is no data is a trailer.
                    if let Ok(bytes) = frame.into_data() {
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
            }
        }
        Poll::Ready(None)
    }

    /// As [`Body::poll`].
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, TransportError>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    /// Reads the end of a body of which nothing more is needed, so that its connection can be used
    /// again. That is most often there already; else a task waits for it.
    pub(crate) fn finish(mut self) {
        let rest = self.poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(None | Some(Err(_))) = rest {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            #[expect(
                clippy::disallowed_methods,
                reason = "nobody waits for the rest of the body"
            )]
            runtime.spawn(tokio::time::timeout(END_OF_BODY_TIMEOUT, async move {
                while self.next().await.is_some_and(|read| read.is_ok()) {}
            }));
        }
    }

    /// Gives the connection back if nothing more will come.
    fn settle(&mut self) {
        if self.incoming.is_end_stream() {
            self.release();
        }
    }

    fn release(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.pool.put(lease.origin, lease.connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_is_said_without_the_usual_port() {
        for (address, expected) in [
            ("https://api.1min.ai/api/assets", "api.1min.ai"),
            ("https://api.1min.ai:443/", "api.1min.ai"),
            ("http://api.1min.ai:80/", "api.1min.ai"),
            ("http://api.1min.ai:443/", "api.1min.ai:443"),
            ("http://user:word@127.0.0.1:8080/", "127.0.0.1:8080"),
            ("https://[::1]:8443/", "[::1]:8443"),
        ] {
            assert_eq!(host(&address.parse().unwrap()).unwrap(), expected);
        }
    }
}
