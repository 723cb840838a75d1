//! Connections: TCP, TLS where the address says so, within one time limit for both.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tower::Service;

use super::{BoxError, Settings};
use crate::Error;

/// Silence on a connection after which the system asks whether the other side is still there.
const KEEP_ALIVE: Duration = Duration::from_mins(1);

pub(super) fn connector(settings: Settings) -> Result<Timed<HttpsConnector<HttpConnector>>, Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(settings.nodelay);
    tcp.set_keepalive(Some(KEEP_ALIVE));
    tcp.set_connect_timeout(Some(settings.connect_timeout));
    let tls = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
        .map_err(|_| Error::Invalid("TLS could not be set up"))?
        .https_or_http()
        .enable_http1();
    let inner = if settings.http2 {
        tls.enable_http2().wrap_connector(tcp)
    } else {
        tls.wrap_connector(tcp)
    };
    Ok(Timed {
        inner,
        limit: settings.connect_timeout,
    })
}

/// A connector with a time limit.
#[derive(Debug, Clone)]
pub(super) struct Timed<C> {
    inner: C,
    limit: Duration,
}

/// The limit is over.
#[derive(Debug, thiserror::Error)]
#[error("no connection within the time allowed")]
pub(super) struct TimedOut;

impl<C> Service<Uri> for Timed<C>
where
    C: Service<Uri, Error: Into<BoxError>, Future: Send + 'static>,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.limit, self.inner.call(uri));
        Box::pin(async move {
            match connecting.await {
                Ok(connected) => connected.map_err(Into::into),
                Err(_) => Err(TimedOut.into()),
            }
        })
    }
}
