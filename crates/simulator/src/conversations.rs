//! `/api/conversations`: created, listed, read and deleted; chat takes any id.

pub(crate) mod store;

use http::Method;
use http::request::Parts;
use serde_json::{Value, json};

use crate::account;
use crate::answer::Answer;
use crate::answer::refused;
use crate::clock::{iso, now_ms};
use crate::fault::Faults;
use crate::refusal::Refusal;
use crate::script::Script;
use crate::state::State;

/// Answers a request to `/api/conversations` or to one of them.
pub(crate) fn answer(
    state: &State,
    method: &Method,
    id: Option<&str>,
    head: &Parts,
    body: &[u8],
    faults: &Faults,
) -> Answer {
    let checked = account::admit(&head.headers).and_then(|_| {
        match faults.iter().find_map(Refusal::of_fault) {
            Some(refusal) => Err(refusal),
            None => handle(state, method, id, head, body),
        }
    });
    match checked {
        Ok(body) => Answer::json(body.to_string(), &Script::default(), faults),
        Err(refusal) => refused(refusal, faults),
    }
}

fn handle(
    state: &State,
    method: &Method,
    id: Option<&str>,
    head: &Parts,
    body: &[u8],
) -> Result<Value, Refusal> {
    let mut conversations = state.conversations();
    let missing = || Refusal::not_found(method, head.uri.path());
    match (method, id) {
        (&Method::POST, None) => {
            let conversation = create(&state.uuid(), body)?;
            conversations.add(conversation.clone());
            Ok(json!({"conversation": conversation}))
        }
        (&Method::GET, None) => Ok(json!({"conversations": conversations.list()})),
        (&Method::GET, Some(id)) => {
            let conversation = conversations.find(id).ok_or_else(missing)?;
            Ok(json!({"conversation": conversation}))
        }
        (&Method::DELETE, Some(id)) => {
            let conversation = conversations.find(id).cloned().ok_or_else(missing)?;
            conversations.remove(&conversation);
            Ok(json!({"conversation": conversation}))
        }
        _ => Err(missing()),
    }
}

fn create(uuid: &str, body: &[u8]) -> Result<Value, Refusal> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::invalid_request())?;
    let required = |field| match body.get(field).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(Refusal::body_validation(field)),
    };
    let (kind, title, model) = (required("type")?, required("title")?, required("model")?);
    if kind != "UNIFY_CHAT_WITH_AI" {
        return Err(Refusal::unsupported_feature(kind));
    }
    Ok(json!({
        "uuid": uuid,
        "title": title,
        "type": kind,
        "model": model,
        "status": "ACTIVE",
        "createdAt": iso(now_ms()),
        "metadata": {},
        "conversationFile": [],
    }))
}
