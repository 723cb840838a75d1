//! `/1min/…`: 1min.ai's own API, passed on.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::Request;

use crate::access::Access;
use crate::http::admit::{self, AdmittedRequest, Entrance};
use crate::native::{DIALECT, Native};

/// Passes a request on to 1min.ai.
pub async fn forward(access: Arc<Access>, native: Native, request: Request<Body>) -> Response {
    let entrance = Entrance {
        api: "native",
        dialect: &DIALECT,
    };
    admit::answer_in(
        &access,
        entrance,
        request,
        async |asked: AdmittedRequest| native.answer(asked).await,
    )
    .await
}
