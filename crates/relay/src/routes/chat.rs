//! `POST /v1/chat/completions`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use translate::dialect::openai::chat;

use crate::app::Relay;
use crate::turn::{self, Api, Names};

const CHAT: Api = Api {
    dialect: chat::DIALECT,
    name: "chat.completions",
    names: Names::Exact,
};

/// A chat completion, whole or streamed.
pub async fn completions(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    turn::run(&relay, &CHAT, request).await
}
