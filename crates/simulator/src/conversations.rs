//! `/api/conversations`: created, listed, read and deleted; chat takes any id.

use std::collections::VecDeque;

use http::Method;
use http::request::Parts;
use serde_json::{Value, json};

use crate::account;
use crate::answer::Answer;
use crate::clock::{iso, now_ms};
use crate::fault::Faults;
use crate::refusal::Refusal;
use crate::script::Script;
use crate::state::State;
use crate::upstream::refused;

/// Conversations remembered; the oldest go first.
const KEPT: usize = 1000;

/// The conversations in the shape of `conversation-create.response.json`, newest last.
#[derive(Debug, Default)]
pub(crate) struct Conversations(VecDeque<Value>);

impl Conversations {
    fn add(&mut self, conversation: Value) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(conversation);
    }

    fn find(&self, id: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|conversation| conversation.get("uuid").is_some_and(|uuid| uuid == id))
    }

    fn list(&self) -> Vec<Value> {
        let short = |c: &Value| json!({"uuid": c["uuid"], "title": c["title"], "status": c["status"], "createdAt": c["createdAt"]});
        self.0.iter().map(short).collect()
    }
}

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
            conversations.0.retain(|other| *other != conversation);
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
