//! `POST /v1/messages` and `POST /v1/messages/count_tokens`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use translate::dialect::anthropic::messages;

use crate::access::Access;
use crate::chat::{Api, Chat};
use crate::http::admit::{self, AdmittedRequest, Entrance};
use crate::http::long_work;
use crate::http::reply;
use crate::models::NameStyle;

const MESSAGES: Api = Api {
    dialect: messages::DIALECT,
    name: "messages",
    names: NameStyle::Families,
};

/// A message, whole or streamed.
pub async fn create(
    State(access): State<Arc<Access>>,
    State(chat): State<Arc<Chat>>,
    request: Request<Body>,
) -> Response {
    chat.run(&access, &MESSAGES, request).await
}

/// How many tokens a request's prompt would have, by our estimate: upstream is not asked.
pub async fn count_tokens(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    let entrance = Entrance {
        api: "messages.count_tokens",
        dialect: &messages::DIALECT,
    };
    admit::answer_in(
        &access,
        entrance,
        request,
        async |mut asked: AdmittedRequest| {
            let body = asked.read_body().await?;
            let counting = || messages::count::count_tokens(&body);
            let count = long_work::run(body.len(), counting).await?;
            Ok(reply::json(200, count))
        },
    )
    .await
}
