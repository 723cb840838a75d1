//! `/v1/conversations`: what is said over many responses, kept in one place.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::Request;
use serde_json::Value;
use translate::dialect::openai::responses::decode::missing_conversation;
use translate::dialect::openai::responses::{conversations, items, stored};
use translate::failure::{Failure, Kind};
use translate::reply::ResponseMeta;

use super::responses::page;
use crate::access::account_id::AccountId;
use crate::app::Relay;
use crate::clock;
use crate::http::admit::{self, AdmittedRequest};
use crate::http::body;
use crate::http::reply;
use crate::objects::responses::Conversation;
use crate::observe::RequestId;

/// Begins a conversation.
pub async fn create(State(relay): State<Arc<Relay>>, request: Request<Body>) -> Response {
    admit::answer(
        relay,
        "conversations.create",
        request,
        async |relay, asked: AdmittedRequest| {
            let owner = asked.owner;
            relay.known_keys.check(&asked.caller.key, owner).await?;
            let create = conversations::create(&read(&relay, asked).await?)?;
            let stamp = stamp();
            let conversation = Conversation {
                created: stamp.created,
                metadata: create.metadata,
                items: items::numbered(create.items, &stamp),
            };
            let id = format!("conv_{}", stamp.id);
            relay
                .objects
                .responses
                .begin(owner, &id, &conversation)
                .await?;
            Ok(object(&id, &conversation))
        },
    )
    .await
}

/// A conversation.
pub async fn get(
    State(relay): State<Arc<Relay>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        relay,
        "conversations.get",
        request,
        async |relay, asked: AdmittedRequest| {
            Ok(object(&id, &find(&relay, asked.owner, &id).await?))
        },
    )
    .await
}

/// Changes a conversation's labels.
pub async fn update(
    State(relay): State<Arc<Relay>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        relay,
        "conversations.update",
        request,
        async |relay, asked: AdmittedRequest| {
            let owner = asked.owner;
            let metadata = conversations::update(&read(&relay, asked).await?)?;
            let relabel = |c: &mut Conversation| c.metadata.clone_from(&metadata);
            let changed = relay.objects.responses.change(owner, &id, relabel);
            let changed = changed.await?.ok_or_else(|| missing_conversation(&id))?;
            Ok(object(&id, &changed))
        },
    )
    .await
}

/// Forgets a conversation.
pub async fn delete(
    State(relay): State<Arc<Relay>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        relay,
        "conversations.delete",
        request,
        async |relay, asked: AdmittedRequest| {
            if !relay.objects.responses.forget(asked.owner, &id).await? {
                return Err(missing_conversation(&id));
            }
            Ok(reply::json(200, conversations::deleted(&id)))
        },
    )
    .await
}

/// A conversation's items.
pub async fn list_items(
    State(relay): State<Arc<Relay>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        relay,
        "conversations.items",
        request,
        async |relay, asked: AdmittedRequest| {
            let conversation = find(&relay, asked.owner, &id).await?;
            Ok(reply::json(
                200,
                stored::list(&conversations::shown(&conversation.items), &page(&asked)?)?,
            ))
        },
    )
    .await
}

/// Adds items to a conversation.
pub async fn add_items(
    State(relay): State<Arc<Relay>>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        relay,
        "conversations.items.create",
        request,
        async |relay, asked: AdmittedRequest| {
            let owner = asked.owner;
            let added = items::numbered(conversations::add(&read(&relay, asked).await?)?, &stamp());
            let extend = |c: &mut Conversation| c.items.extend(added.iter().cloned());
            let changed = relay.objects.responses.change(owner, &id, extend).await?;
            changed.ok_or_else(|| missing_conversation(&id))?;
            let whole = stored::Page {
                ascending: true,
                limit: added.len(),
                ..stored::Page::default()
            };
            Ok(reply::json(
                200,
                stored::list(&conversations::shown(&added), &whole)?,
            ))
        },
    )
    .await
}

/// One item of a conversation.
pub async fn get_item(
    State(relay): State<Arc<Relay>>,
    Path((id, item)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        relay,
        "conversations.items.get",
        request,
        async |relay, asked: AdmittedRequest| {
            let conversation = find(&relay, asked.owner, &id).await?;
            let shown = conversations::shown(&conversation.items);
            let found = shown.iter().find(|value| has_id(value, &item));
            found.map(admit::json).ok_or_else(missing_item)
        },
    )
    .await
}

/// Takes an item out of a conversation.
pub async fn delete_item(
    State(relay): State<Arc<Relay>>,
    Path((id, item)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    admit::answer(
        relay,
        "conversations.items.delete",
        request,
        async |relay, asked: AdmittedRequest| {
            let mut found = false;
            let changed = relay
                .objects
                .responses
                .change(asked.owner, &id, |conversation| {
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

async fn read(relay: &Relay, asked: AdmittedRequest) -> Result<Bytes, Failure> {
    body::read(asked.body, &asked.head.headers, relay.max_body).await
}

async fn find(relay: &Relay, owner: AccountId, id: &str) -> Result<Conversation, Failure> {
    let found = relay.objects.responses.conversation(owner, id).await?;
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
