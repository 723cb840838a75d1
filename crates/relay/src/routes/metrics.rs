//! `GET /metrics`: numbers for Prometheus, where the operator wants them.

use axum::response::{IntoResponse as _, Response};
use http::header;

use crate::access::Access;
use crate::management::gauges;
use crate::observe::metrics::{CONTENT_TYPE, Metrics};

/// All numbers.
pub async fn metrics(metrics: &Metrics, access: &Access) -> Response {
    let shared = gauges::registry(access.key_access()).await;
    let text = metrics.text_with(&shared);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}
