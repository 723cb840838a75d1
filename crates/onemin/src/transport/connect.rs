//! Sockets: TCP, TLS where the address says so, within one time limit for both.

use std::future::poll_fn;
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service as _;

use crate::error::{Error, TransportError, TransportKind};

/// How connections are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    pub(crate) nodelay: bool,
}

/// Silence on a connection after which the system asks whether the other side is still there.
const TCP_KEEPALIVE: Duration = Duration::from_mins(1);

/// A TCP connection, with TLS or without.
pub(super) type Socket = MaybeHttpsStream<TokioIo<TcpStream>>;

#[derive(Debug, Clone)]
pub(super) struct Connector {
    tls: HttpsConnector<HttpConnector>,
    limit: Duration,
}

impl Connector {
    pub(super) fn new(settings: Settings) -> Result<Self, Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(settings.nodelay);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        tcp.set_connect_timeout(Some(settings.connect_timeout));
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|_| Error::Invalid("TLS could not be set up"))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let limit = settings.connect_timeout;
        Ok(Self { tls, limit })
    }

    /// A new socket to the host of an address.
    pub(super) async fn connect(&self, address: Uri) -> Result<Socket, TransportError> {
        let mut tls = self.tls.clone();
        let connecting = async {
            poll_fn(|cx| tls.poll_ready(cx)).await?;
            tls.call(address).await
        };
        match tokio::time::timeout(self.limit, connecting).await {
            Ok(Ok(socket)) => Ok(socket),
            Ok(Err(error)) => Err(TransportError::new(TransportKind::Connect).caused_by(error)),
            Err(late) => Err(TransportError::new(TransportKind::ConnectTimeout).caused_by(late)),
        }
    }
}
