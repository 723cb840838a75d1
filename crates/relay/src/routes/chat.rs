//! `POST /v1/chat/completions`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use translate::dialect::openai;

use crate::access::Access;
use crate::chat::{Api, Chat};
use crate::models::NameStyle;

const CHAT: Api = Api {
    dialect: openai::chat::DIALECT,
    name: "chat.completions",
    names: NameStyle::Exact,
};

/// A chat completion, whole or streamed.
pub async fn completions(
    State(access): State<Arc<Access>>,
    State(chat): State<Arc<Chat>>,
    request: Request<Body>,
) -> Response {
    chat.run(&access, &CHAT, request).await
}
