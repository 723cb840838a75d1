//! `GET /metrics`: numbers for Prometheus, where the operator wants them.

use axum::response::{IntoResponse as _, Response};
use http::header;

use crate::observe::metrics::{CONTENT_TYPE, Metrics};

/// All numbers.
#[must_use]
pub fn metrics(metrics: &Metrics) -> Response {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics.text()).into_response()
}
