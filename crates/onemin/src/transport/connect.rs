//! Sockets: TCP, TLS where the address says so, within one time limit for both.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tower::Service as _;

use super::Authorities;
use crate::error::{ConnectFailure, Error, TransportError, TransportKind};

/// How connections are made.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) authorities: Authorities,
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
    /// Hosts that cannot be reached: since when that is tried, and when it last failed.
    unreachable: Arc<Mutex<HashMap<String, Unreachable>>>,
}

#[derive(Debug, Clone, Copy)]
struct Unreachable {
    since: Instant,
    failed: Instant,
}

/// An attempt that begins so soon after one that took its whole time is the same wait: the request
/// that was told first in vain what it needs to know beforehand does not wait a second time.
const SAME_WAIT: Duration = Duration::from_secs(1);

impl Connector {
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(settings.nodelay);
        tcp.set_keepalive(Some(TCP_KEEPALIVE));
        tcp.set_connect_timeout(Some(settings.connect_timeout));
        let tls = HttpsConnectorBuilder::new()
            .with_tls_config(settings.authorities.client_config()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self {
            tls,
            limit: settings.connect_timeout,
            unreachable: Arc::default(),
        })
    }

    /// A new socket to the host of an address.
    pub(super) async fn connect(&self, address: Uri) -> Result<Socket, TransportError> {
        let host = address.authority().map(ToString::to_string);
        let mut attempt = Attempt {
            connector: self,
            begun: Instant::now(),
            host: host.unwrap_or_default(),
            is_connected: false,
        };
        let deadline = attempt.since() + self.limit;
        let mut tls = self.tls.clone();
        let connecting = async {
            poll_fn(|cx| tls.poll_ready(cx)).await?;
            tls.call(address).await
        };
        match tokio::time::timeout_at(deadline, connecting).await {
            Ok(Ok(socket)) => {
                attempt.succeeded();
                Ok(socket)
            }
            Ok(Err(error)) => {
                let is_late = attempt.begun.elapsed() >= self.limit;
                let kind = if is_late {
                    TransportKind::ConnectTimeout
                } else {
                    TransportKind::Connect(failure(&*error))
                };
                Err(TransportError::new(kind).caused_by(error))
            }
            Err(late) => Err(TransportError::new(TransportKind::ConnectTimeout).caused_by(late)),
        }
    }

    fn unreachable(&self) -> MutexGuard<'_, HashMap<String, Unreachable>> {
        // A panic while the lock was held can at worst have lost a note.
        self.unreachable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no connection, by the first cause that tells.
fn failure(error: &(dyn StdError + 'static)) -> ConnectFailure {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref() {
            return match tls {
                rustls::Error::InvalidCertificate(_) => ConnectFailure::Certificate,
                _ => ConnectFailure::Tls,
            };
        }
        let io = error.downcast_ref::<io::Error>();
        match io.map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => return ConnectFailure::Refused,
            Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
                return ConnectFailure::Unreachable;
            }
            // The connector has no type for it.
            None if error.to_string() == "dns error" => return ConnectFailure::Name,
            _ => {}
        }
        // What an I/O error is made of is not its source, but that one's source is.
        let within = io.and_then(io::Error::get_ref);
        cause = match within {
            Some(within) => Some(within),
            None => error.source(),
        };
    }
    ConnectFailure::Other
}

/// One attempt to connect. One that was waited for in vain leaves a note.
struct Attempt<'c> {
    connector: &'c Connector,
    begun: Instant,
    host: String,
    is_connected: bool,
}

impl Attempt<'_> {
    /// When the wait began that this attempt is a part of.
    fn since(&self) -> Instant {
        let known = self.connector.unreachable().get(&self.host).copied();
        match known {
            Some(known) if self.begun < known.failed + SAME_WAIT => known.since,
            _ => self.begun,
        }
    }

    fn succeeded(&mut self) {
        self.is_connected = true;
        self.connector.unreachable().remove(&self.host);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        // Who left or was refused at once has not waited.
        if self.is_connected || self.begun.elapsed() < SAME_WAIT {
            return;
        }
        let since = self.since();
        let failed = Instant::now();
        self.connector
            .unreachable()
            .insert(self.host.clone(), Unreachable { since, failed });
    }
}
