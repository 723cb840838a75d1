//! `POST /v1/embeddings`, passed on to the server that the operator names. Without one there is no
//! such route.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::Request;

use crate::app::Relay;
use crate::embeddings::Embeddings;
use crate::http::admit;
use crate::http::body;

/// Embeddings by another server. They may cost its owner something, so only accounts of 1min.ai
/// are served.
pub async fn create(
    relay: Arc<Relay>,
    embeddings: Arc<Embeddings>,
    request: Request<Body>,
) -> Response {
    admit::answer(relay, "embeddings", request, |relay, asked| async move {
        relay
            .known_keys
            .check(&asked.caller.key, asked.owner)
            .await?;
        let body = body::read(asked.body, &asked.head.headers, relay.max_body).await?;
        let answered = embeddings.make(body).await?;
        let mut response = Response::new(Body::from(answered.body));
        *response.status_mut() = answered.status;
        *response.headers_mut() = answered.headers;
        Ok(response)
    })
    .await
}
