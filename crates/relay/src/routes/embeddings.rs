//! `POST /v1/embeddings`, passed on to the server that the operator names. Without one there is no
//! such route.

use axum::body::Body;
use axum::response::Response;
use http::Request;

use crate::access::Access;
use crate::embeddings::Embeddings;
use crate::http::admit::{self, AdmittedRequest};

/// Embeddings by another server. They may cost its owner something, so only accounts of 1min.ai
/// are served.
pub async fn create(access: &Access, embeddings: &Embeddings, request: Request<Body>) -> Response {
    admit::answer(
        access,
        "embeddings",
        request,
        async |mut asked: AdmittedRequest| {
            access.require_known(&asked.payer).await?;
            let body = asked.read_body().await?;
            let answered = embeddings.make(body).await?;
            let mut response = Response::new(Body::from(answered.body));
            *response.status_mut() = answered.status;
            *response.headers_mut() = answered.headers;
            Ok(response)
        },
    )
    .await
}
