//! `POST /api/chat` and `POST /api/generate`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::Request;
use translate::dialect::StreamFormat;
use translate::dialect::ollama;
use translate::dialect::ollama::load::{Decoded, Load};
use translate::failure::Failure;
use translate::reply::ResponseMeta;

use crate::access::Access;
use crate::chat::{self, Api, Chat};
use crate::http::{long_work, reply};
use crate::models::{Models, NameStyle};

const CHAT: Api = Api {
    dialect: ollama::chat::DIALECT,
    name: "ollama.chat",
    names: NameStyle::Tagged,
};

const GENERATE: Api = Api {
    dialect: ollama::generate::DIALECT,
    name: "ollama.generate",
    names: NameStyle::Tagged,
};

/// The next message of a conversation, whole or line by line.
pub async fn chat(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    State(chat): State<Arc<Chat>>,
    request: Request<Body>,
) -> Response {
    let decode = async move |_, body: Bytes, meta| {
        let decoding = || ollama::chat::decode::decode_any(&body);
        let decoded = long_work::run(body.len(), decoding).await?;
        request_or_answer(&models, decoded, meta).await
    };
    Box::pin(chat.run_with(&access, &CHAT, request, decode)).await
}

/// The answer to a prompt, whole or line by line.
pub async fn generate(
    State(access): State<Arc<Access>>,
    State(models): State<Arc<Models>>,
    State(chat): State<Arc<Chat>>,
    request: Request<Body>,
) -> Response {
    let decode = async move |_, body: Bytes, meta| {
        let decoding = || ollama::generate::decode_any(&body);
        let decoded = long_work::run(body.len(), decoding).await?;
        request_or_answer(&models, decoded, meta).await
    };
    Box::pin(chat.run_with(&access, &GENERATE, request, decode)).await
}

/// A turn; a request that asks for none is answered at once.
async fn request_or_answer(
    models: &Models,
    decoded: Decoded,
    meta: ResponseMeta,
) -> Result<chat::Decoded, Failure> {
    match decoded {
        Decoded::Chat(request) => Ok(chat::Decoded::Chat(request)),
        Decoded::Load(load) => {
            let answer = loaded(models, &load, &meta).await?;
            Ok(chat::Decoded::Answered(answer))
        }
    }
}

/// The answer to a request that asks for no turn: the model is there, or it is not.
async fn loaded(models: &Models, load: &Load, meta: &ResponseMeta) -> Result<Response, Failure> {
    let model = models.resolve(&load.model, NameStyle::Tagged).await;
    models.admit(&model).await?;
    let answer = load.answer(meta);
    Ok(if load.streamed {
        reply::stream(StreamFormat::JsonLines, answer.into())
    } else {
        reply::json(200, answer)
    })
}
