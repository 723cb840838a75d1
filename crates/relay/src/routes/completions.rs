//! `POST /v1/completions`, OpenAI's older API.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use translate::dialect::openai::completions;

use crate::access::Access;
use crate::chat::{Api, Chat};
use crate::models::NameStyle;

const COMPLETIONS: Api = Api {
    dialect: completions::DIALECT,
    name: "completions",
    names: NameStyle::Exact,
};

/// What follows a text, whole or streamed.
pub async fn create(
    State(access): State<Arc<Access>>,
    State(chat): State<Arc<Chat>>,
    request: Request<Body>,
) -> Response {
    chat.run(&access, &COMPLETIONS, request).await
}
