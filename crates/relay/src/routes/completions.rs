//! `POST /v1/completions`, OpenAI's older API.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use translate::dialect::openai::completions;

use crate::app::Relay;
use crate::chat::{self, Api};
use crate::models::NameStyle;

const COMPLETIONS: Api = Api {
    dialect: completions::DIALECT,
    name: "completions",
    names: NameStyle::Exact,
};

/// What follows a text, whole or streamed.
pub async fn create(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    chat::run(&relay, &COMPLETIONS, request).await
}
