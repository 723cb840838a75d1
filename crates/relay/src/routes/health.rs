//! `GET /health`: whether the relay itself is well. It does not ask upstream: a health check that
//! depends on another service restarts a good relay for that service's trouble.

use axum::response::Response;

use crate::http::reply;

/// Says that the relay serves.
pub async fn health() -> Response {
    reply::json(
        200,
        format!(
            "{{\"status\":\"ok\",\"version\":\"{}\"}}",
            env!("CARGO_PKG_VERSION")
        )
        .into_bytes(),
    )
}
