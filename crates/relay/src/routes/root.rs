//! `GET /`: a page for a browser, a line for everybody else. `POST /` is a common mistake.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};
use translate::dialect::openai::chat;
use translate::failure::{Failure, Kind};

use crate::access::Access;
use crate::http::context::RequestContext;
use crate::http::reply;
use crate::routes::web::{self, PageMode};

/// Says what this is and where its API begins.
pub async fn page(State(access): State<Arc<Access>>, headers: HeaderMap) -> Response {
    let host = headers
        .get(header::HOST)
        .and_then(|h| h.to_str().ok())
        .unwrap_or("localhost:5001");
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|a| a.to_str().ok())
        .unwrap_or_default();
    if accept.contains("text/html") {
        let mode = PageMode {
            sign_in: access.key_access().admin.is_some(),
            keys: access.key_access().mode().as_str(),
        };
        return web::document(mode, host);
    }
    let text = format!(
        "1min-relay {} works. OpenAI's API begins at http://{host}/v1 (chat: POST http://{host}/v1/chat/completions).\n\
         Ollama is running: programs made for it find its API at http://{host}.\n",
        env!("CARGO_PKG_VERSION")
    );
    text.into_response()
}

/// The original relay's error 1212.
pub async fn wrong_endpoint(Extension(context): Extension<RequestContext>) -> Response {
    let message = "This is not an endpoint (1212): the base URL ends in /v1, chat is POST /v1/chat/completions.";
    let failure = Failure::new(Kind::Invalid, message).with_code("model_not_supported");
    reply::failure(&chat::DIALECT, &failure, context.id)
}
