//! `/v1/responses`: answers, and what is kept of them.

mod durable;
mod keeping;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::Request;
use translate::compose::{Wording, compose};
use translate::dialect::anthropic::messages::count::input_tokens as tokens_of;
use translate::dialect::list_query::ListQuery;
use translate::dialect::openai::responses::decode::{
    self, History, ResponsesRequest, full_conversation, long_chain, missing_conversation,
    missing_previous, missing_response,
};
use translate::dialect::openai::responses::{DIALECT, encode, items, stored};
use translate::dialect::{self};
use translate::failure::Failure;
use translate::reply::ResponseMeta;

use crate::access::Access;
use crate::access::account_id::AccountId;
use crate::chat::{self, Api, Chat};
use crate::http::admit::{self, AdmittedRequest};
use crate::http::long_work;
use crate::http::reply;
use crate::models::NameStyle;
use crate::objects::Objects;
use crate::objects::responses::{Destination, HistoryError, MAX_CHAIN, References};
use durable::StoringSlot;
use keeping::Keeping;

const RESPONSES: Api = Api {
    dialect: DIALECT,
    name: "responses",
    names: NameStyle::Exact,
};

/// A response, whole or streamed.
pub async fn create(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    State(service): State<Arc<Chat>>,
    request: Request<Body>,
) -> Response {
    let slot = StoringSlot::default();
    let waited_for = slot.clone();
    let decode = async move |owner, body: Bytes, stamp| {
        let decoding = decode_with_past(&objects, owner, body, stamp, waited_for);
        let decoded = decoding.await?;
        Ok(chat::Decoded::Chat(Box::new(decoded)))
    };
    let response = Box::pin(service.run_with(&access, &RESPONSES, request, decode)).await;
    durable::answer(response, slot).await
}

/// Decodes a request together with what it refers to; its answer is kept where it asks for that.
async fn decode_with_past(
    objects: &Objects,
    owner: AccountId,
    body: Bytes,
    stamp: ResponseMeta,
    slot: StoringSlot,
) -> Result<dialect::DecodedRequest, Failure> {
    let bytes = body.len();
    let asked = long_work::run(bytes, || decode::read(&body)).await?;
    let history = history(objects, owner, &asked).await?;
    let mut to = Destination {
        owner,
        id: encode::response_id(&stamp),
        input: Vec::new(),
        previous: asked.previous_response_id().map(str::to_owned),
        conversation: asked.conversation().map(str::to_owned),
        stores: asked.stores(),
    };
    let decoding = || {
        let mut decoded = asked.continued(&history)?;
        let input = items::numbered(std::mem::take(&mut decoded.input), &stamp);
        Ok::<_, Failure>((decoded, input))
    };
    let (mut decoded, input) = long_work::run(bytes, decoding).await?;
    to.input = input;
    decoded.options.keep = to.stores || to.conversation.is_some();
    let keeping = Keeping::new(decoded.options, to, objects.responses.clone(), slot);
    Ok(dialect::DecodedRequest {
        chat: decoded.chat,
        further: Vec::new(),
        encoder: Box::new(keeping),
    })
}

/// What the store has of what a request refers to.
async fn history(
    objects: &Objects,
    owner: AccountId,
    request: &ResponsesRequest,
) -> Result<History, Failure> {
    let references = References {
        previous: request.previous_response_id(),
        conversation: request.conversation(),
        items: request.references().collect(),
    };
    let found = objects.responses.history(owner, references).await;
    let found = found.map_err(|error| match error {
        HistoryError::NoResponse(id) => missing_previous(&id),
        HistoryError::NoConversation(id) => missing_conversation(&id).with_param("conversation"),
        HistoryError::LongChain(id) => long_chain(&id, MAX_CHAIN),
        HistoryError::FullConversation(id) => full_conversation(&id).with_param("conversation"),
        HistoryError::Store(error) => error.into(),
    })?;
    Ok(History {
        items: found.items,
        referred: found.referenced,
    })
}

/// A stored response.
pub async fn get(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "responses.get",
        request,
        async |asked: AdmittedRequest| {
            refuse_stream(&asked)?;
            let stored = objects.responses.get(asked.caller.id, &id).await?;
            let stored = stored.ok_or_else(|| missing_response(&id))?;
            Ok(admit::json(&stored.response))
        },
    )
    .await
}

/// What is stored is whole: there are no events of it to be told again.
fn refuse_stream(asked: &AdmittedRequest) -> Result<(), Failure> {
    let query = asked.head.uri.query().unwrap_or_default();
    let streamed = url::form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "stream" && matches!(&*value, "true" | "1"));
    if !streamed {
        return Ok(());
    }
    let message = "A stored response cannot be streamed: leave `stream` out.";
    Err(Failure::invalid("stream", message))
}

/// Forgets a response.
pub async fn delete(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "responses.delete",
        request,
        async |asked: AdmittedRequest| {
            if !objects.responses.delete(asked.caller.id, &id).await? {
                return Err(missing_response(&id));
            }
            Ok(reply::json(200, stored::deleted(&id)))
        },
    )
    .await
}

/// What was asked of a response, item by item.
pub async fn input_items(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "responses.input_items",
        request,
        async |asked: AdmittedRequest| {
            let stored = objects.responses.get(asked.caller.id, &id).await?;
            let input = stored.ok_or_else(|| missing_response(&id))?.input;
            Ok(reply::json(200, stored::list(&input, &page(&asked)?)))
        },
    )
    .await
}

/// The page of a list that a URL's query asks for.
///
/// # Errors
/// A query that asks for what cannot be.
pub fn page(asked: &AdmittedRequest) -> Result<ListQuery, Failure> {
    let query = asked.head.uri.query().unwrap_or_default();
    let (standard, most) = stored::PAGE;
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    ListQuery::read(pairs, standard, most)
}

/// There is nothing in the background that could be cancelled.
pub async fn cancel(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "responses.cancel",
        request,
        async |asked: AdmittedRequest| {
            let stored = objects.responses.get(asked.caller.id, &id).await?;
            stored.ok_or_else(|| missing_response(&id))?;
            let message = "Only background responses can be cancelled, and this relay runs none.";
            Err::<Response, _>(Failure::invalid("id", message))
        },
    )
    .await
}

/// How many tokens a request's prompt would have, by our estimate: upstream is not asked.
pub async fn input_tokens(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "responses.input_tokens",
        request,
        async |mut asked: AdmittedRequest| {
            let body = asked.read_body().await?;
            let reading = || decode::read_for_counting(&body);
            let read = long_work::run(body.len(), reading).await?;
            let history = history(&objects, asked.caller.id, &read).await?;
            let counting = || {
                let chat = read.continued(&history)?.chat;
                let prompt = compose(&chat, &Wording::default(), 0);
                Ok::<_, Failure>(tokens_of(&chat, &prompt.text))
            };
            let count = long_work::run(body.len(), counting).await?;
            Ok(reply::json(200, stored::input_tokens(count)))
        },
    )
    .await
}
