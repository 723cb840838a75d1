//! `/v1/conversations`: what is said over many responses, kept in one place.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Request;
use serde_json::Value;
use translate::dialect::list_query::ListQuery;
use translate::dialect::openai::responses::decode::{full_conversation, missing_conversation};
use translate::dialect::openai::responses::{conversations, items, stored};
use translate::failure::{Failure, Kind};
use translate::reply::ResponseMeta;

use super::responses::page;
use crate::access::Access;
use crate::access::account_id::AccountId;
use crate::clock;
use crate::http::admit::{self, AdmittedRequest};
use crate::http::reply;
use crate::objects::Objects;
use crate::objects::responses::Conversation;
use crate::observe::RequestId;

/// Begins a conversation.
pub async fn create(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "conversations.create",
        request,
        async |mut asked: AdmittedRequest| {
            let owner = asked.caller.id;
            access.require_known(&asked.payer).await?;
            let create = asked.decode_body(conversations::create).await?;
            let stamp = stamp();
            let conversation = Conversation {
                created: stamp.created,
                metadata: create.metadata,
                items: items::numbered(create.items, &stamp),
            };
            let id = format!("conv_{}", stamp.id);
            if conversation.is_full(&[]) {
                return Err(full_conversation(&id).with_param("items"));
            }
            objects.responses.begin(owner, &id, &conversation).await?;
            Ok(object(&id, &conversation))
        },
    )
    .await
}

/// A conversation.
pub async fn get(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "conversations.get",
        request,
        async |asked: AdmittedRequest| {
            Ok(object(&id, &find(&objects, asked.caller.id, &id).await?))
        },
    )
    .await
}

/// Changes a conversation's labels.
pub async fn update(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "conversations.update",
        request,
        async |mut asked: AdmittedRequest| {
            let owner = asked.caller.id;
            let metadata = asked.decode_body(conversations::update).await?;
            let relabel = |c: &mut Conversation| c.metadata.clone_from(&metadata);
            let changed = objects.responses.change(owner, &id, relabel);
            let changed = changed.await?.ok_or_else(|| missing_conversation(&id))?;
            Ok(object(&id, &changed))
        },
    )
    .await
}

/// Forgets a conversation.
pub async fn delete(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "conversations.delete",
        request,
        async |asked: AdmittedRequest| {
            if !objects.responses.forget(asked.caller.id, &id).await? {
                return Err(missing_conversation(&id));
            }
            Ok(reply::json(200, conversations::deleted(&id)))
        },
    )
    .await
}

/// A conversation's items.
pub async fn list_items(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "conversations.items",
        request,
        async |asked: AdmittedRequest| {
            let conversation = find(&objects, asked.caller.id, &id).await?;
            Ok(reply::json(
                200,
                stored::list(&conversations::shown(&conversation.items), &page(&asked)?),
            ))
        },
    )
    .await
}

/// Adds items to a conversation.
pub async fn add_items(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "conversations.items.create",
        request,
        async |mut asked: AdmittedRequest| {
            let owner = asked.caller.id;
            let added = items::numbered(asked.decode_body(conversations::add).await?, &stamp());
            let mut is_full = false;
            let extend = |c: &mut Conversation| {
                is_full = c.is_full(&added);
                if !is_full {
                    c.items.extend(added.iter().cloned());
                }
            };
            let changed = objects.responses.change(owner, &id, extend).await?;
            changed.ok_or_else(|| missing_conversation(&id))?;
            if is_full {
                return Err(full_conversation(&id).with_param("items"));
            }
            let whole = ListQuery {
                newest_first: false,
                ..ListQuery::newest(added.len())
            };
            Ok(reply::json(
                200,
                stored::list(&conversations::shown(&added), &whole),
            ))
        },
    )
    .await
}

/// One item of a conversation.
pub async fn get_item(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path((id, item)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "conversations.items.get",
        request,
        async |asked: AdmittedRequest| {
            let conversation = find(&objects, asked.caller.id, &id).await?;
            let shown = conversations::shown(&conversation.items);
            let found = shown.iter().find(|value| has_id(value, &item));
            found.map(admit::json).ok_or_else(missing_item)
        },
    )
    .await
}

/// Takes an item out of a conversation.
pub async fn delete_item(
    State(access): State<Arc<Access>>,
    State(objects): State<Objects>,
    Path((id, item)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        &access,
        "conversations.items.delete",
        request,
        async |asked: AdmittedRequest| {
            let mut found = false;
            let changed = objects
                .responses
                .change(asked.caller.id, &id, |conversation| {
                    let before = conversation.items.len();
                    conversation.items.retain(|value| !has_id(value, &item));
                    found = conversation.items.len() < before;
                });
            let changed = changed.await?.ok_or_else(|| missing_conversation(&id))?;
            if found {
                Ok(object(&id, &changed))
            } else {
                Err(missing_item())
            }
        },
    )
    .await
}

async fn find(objects: &Objects, owner: AccountId, id: &str) -> Result<Conversation, Failure> {
    let found = objects.responses.conversation(owner, id).await?;
    found.ok_or_else(|| missing_conversation(id))
}

fn object(id: &str, conversation: &Conversation) -> Response {
    reply::json(
        200,
        conversations::object(id, conversation.created, &conversation.metadata),
    )
}

fn has_id(item: &Value, id: &str) -> bool {
    item.get("id").and_then(Value::as_str) == Some(id)
}

fn missing_item() -> Failure {
    Failure::new(
        Kind::NotFound,
        "There is no such item in this conversation.",
    )
}

fn stamp() -> ResponseMeta {
    ResponseMeta {
        id: RequestId::draw().hex(),
        created: clock::now(),
    }
}
