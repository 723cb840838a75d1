//! `POST /v1/chat/completions`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use translate::dialect::openai;

use crate::app::Relay;
use crate::chat::{self, Api};
use crate::models::NameStyle;

const CHAT: Api = Api {
    dialect: openai::chat::DIALECT,
    name: "chat.completions",
    names: NameStyle::Exact,
};

/// A chat completion, whole or streamed.
pub async fn completions(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    chat::run(&relay, &CHAT, request).await
}
