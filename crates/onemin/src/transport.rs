//! Bytes to upstream and back: pooled connections, one request, its body as it comes.
//!
//! Everything above reads a body through [`Body`] alone, so that what is below can be exchanged.

mod bell;
mod connect;
mod connection;
mod outgoing;
mod pool;

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service as _;

use crate::error::{TransportError, TransportKind};
use connect::{Timed, TimedOut};
use connection::{Connection, NoResponse};
pub(crate) use outgoing::{BoxError, Outgoing};
use pool::{IDLE_CONNECTION, Origin, Pool};

/// How connections are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    pub(crate) nodelay: bool,
    pub(crate) http2: bool,
}

/// A pool of connections.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    /// HTTP/1.1: one request at a time on a connection, moved by who waits for the answer.
    Own(Timed<HttpsConnector<HttpConnector>>, Arc<Pool>),
    /// Where HTTP/2 is offered, many requests may share a connection, which has its own task.
    Shared(Box<Client<Timed<HttpsConnector<HttpConnector>>, Outgoing>>),
}

impl Transport {
    pub(crate) fn new(settings: Settings) -> Result<Self, crate::Error> {
        let connector = connect::connector(settings)?;
        let way = if settings.http2 {
            let client = Client::builder(TokioExecutor::new())
                .pool_idle_timeout(IDLE_CONNECTION)
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .http2_adaptive_window(true)
                .build(connector);
            Way::Shared(Box::new(client))
        } else {
            Way::Own(connector, Arc::default())
        };
        Ok(Self { way })
    }

    /// Sends a request and waits for the head of the response. A request whose pooled connection
    /// had died before a byte of it was written is sent again on another.
    pub(crate) async fn send(
        &self,
        request: Request<Outgoing>,
    ) -> Result<Response<Body>, TransportError> {
        match &self.way {
            Way::Own(connector, pool) => send(connector, pool, request).await,
            Way::Shared(client) => match client.request(request).await {
                Ok(response) => Ok(response.map(|incoming| Body {
                    incoming,
                    own: None,
                })),
                Err(error) => Err(failure(error)),
            },
        }
    }
}

async fn send(
    connector: &Timed<HttpsConnector<HttpConnector>>,
    pool: &Arc<Pool>,
    mut request: Request<Outgoing>,
) -> Result<Response<Body>, TransportError> {
    let no_host = || TransportError::new(TransportKind::Connect);
    let address = request.uri().clone();
    let origin = Origin::of(&address).ok_or_else(no_host)?;
    in_origin_form(&mut request, &origin);
    loop {
        let pooled = pool.take(&origin);
        let is_new = pooled.is_none();
        let mut connection = match pooled {
            Some(connection) => connection,
            None => Box::pin(connected(connector, address.clone())).await?,
        };
        match connection.exchange(request).await {
            Ok(response) => {
                return Ok(response.map(|incoming| Body::begin(incoming, connection, pool, origin)));
            }
            Err(NoResponse::Unsent(unsent, _)) if !is_new => request = *unsent,
            Err(NoResponse::Unsent(_, error)) => {
                return Err(TransportError::new(TransportKind::NotSent).caused_by(error));
            }
            Err(NoResponse::Failed(error)) => {
                return Err(TransportError::new(kind(&error)).caused_by(error));
            }
        }
    }
}

/// As a request stands on a connection: the path alone, the host in a header.
fn in_origin_form(request: &mut Request<Outgoing>, origin: &Origin) {
    let path = request.uri().path_and_query().cloned();
    let path = path.unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    if let Ok(host) = HeaderValue::from_str(origin.authority().as_str()) {
        request.headers_mut().entry(header::HOST).or_insert(host);
    }
}

async fn connected(
    connector: &Timed<HttpsConnector<HttpConnector>>,
    address: Uri,
) -> Result<Box<Connection>, TransportError> {
    let socket = connector.clone().call(address).await.map_err(|error| {
        let kind = if cause::<TimedOut>(error.as_ref()).is_some() {
            TransportKind::ConnectTimeout
        } else {
            TransportKind::Connect
        };
        TransportError::new(kind).caused_by(error)
    })?;
    match Connection::over(socket).await {
        Ok(connection) => Ok(Box::new(connection)),
        Err(error) => Err(TransportError::new(TransportKind::Connect).caused_by(error)),
    }
}

fn kind(error: &hyper::Error) -> TransportKind {
    if error.is_canceled() {
        // Only a request that was handed back unsent counts as canceled.
        TransportKind::NotSent
    } else if error.is_user() {
        TransportKind::Source
    } else {
        TransportKind::Broken
    }
}

fn failure(error: hyper_util::client::legacy::Error) -> TransportError {
    let kind = if cause::<TimedOut>(&error).is_some() {
        TransportKind::ConnectTimeout
    } else if error.is_connect() {
        TransportKind::Connect
    } else {
        cause::<hyper::Error>(&error).map_or(TransportKind::Broken, kind)
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
pub(crate) struct Body {
    incoming: Incoming,
    /// What moves it, until its end; none if that is a task.
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    connection: Box<Connection>,
    pool: Arc<Pool>,
    origin: Origin,
}

impl Body {
    fn begin(
        incoming: Incoming,
        connection: Box<Connection>,
        pool: &Arc<Pool>,
        origin: Origin,
    ) -> Self {
        let pool = pool.clone();
        let own = Some(Own {
            connection,
            pool,
            origin,
        });
        let mut body = Self { incoming, own };
        body.settle();
        body
    }

    /// The next bytes, or None at the end.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            let frame = match &mut self.own {
                Some(own) => own.connection.poll_body(cx, &mut self.incoming),
                None => Pin::new(&mut self.incoming).poll_frame(cx),
            };
            return Poll::Ready(match std::task::ready!(frame) {
                None => {
                    self.release();
                    None
                }
                Some(Err(error)) => Some(Err(
                    TransportError::new(TransportKind::Broken).caused_by(error)
                )),
                Some(Ok(frame)) => {
                    self.settle();
                    match frame.into_data() {
                        Ok(bytes) => Some(Ok(bytes)),
                        Err(_trailers) => continue,
                    }
                }
            });
        }
    }

    /// Releases the connection if nothing more will come.
    fn settle(&mut self) {
        if self.incoming.is_end_stream() {
            self.release();
        }
    }

    fn release(&mut self) {
        if let Some(own) = self.own.take() {
            own.pool.put(own.origin, own.connection);
        }
    }

    /// As [`Body::poll`].
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, TransportError>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }
}
