//! Connections to servers other than 1min.ai: http, and https by the roots that browsers trust.

use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;

/// Connects over either, within a time. Names are looked up by the connector's resolver.
#[must_use]
pub fn over<R>(
    mut connector: HttpConnector<R>,
    timeout: Duration,
) -> HttpsConnector<HttpConnector<R>> {
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(timeout));
    HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector)
}
