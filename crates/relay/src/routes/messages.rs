//! `POST /v1/messages` and `POST /v1/messages/count_tokens`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Request};
use translate::dialect::anthropic::messages;
use translate::failure::Failure;

use crate::access::credentials;
use crate::app::Relay;
use crate::chat::{self, Api};
use crate::http::reply;
use crate::models::NameStyle;

const MESSAGES: Api = Api {
    dialect: messages::DIALECT,
    name: "messages",
    names: NameStyle::Families,
};

/// A message, whole or streamed.
pub async fn create(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    chat::run(&relay, &MESSAGES, request).await
}

/// How many tokens a request's prompt would have, by our estimate: upstream is not asked.
pub async fn count_tokens(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    match count(&relay, &head.headers, body).await {
        Ok(count) => reply::json(200, count),
        Err(failure) => reply::failure(&messages::DIALECT, &failure),
    }
}

async fn count(relay: &Relay, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Failure> {
    credentials::caller(headers)?;
    let body = reply::read(body, headers, relay.max_body).await?;
    messages::count::count_tokens(&body)
}
