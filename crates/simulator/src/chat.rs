//! `POST /api/chat-with-ai`: from the request to the answer, streaming or not.

mod echo;
mod frames;
pub(crate) mod record;
mod reply;
mod request;
mod stream;
pub(crate) mod usage;

use http::HeaderMap;
use http::request::Parts;
use serde_json::Value;

use crate::account::{self, Purse};
use crate::answer::Answer;
use crate::behavior::Behavior;
use crate::billing::Balance;
use crate::directive::Endpoint;
use crate::fault::{FaultKind, Faults};
use crate::models;
use crate::prices;
use crate::refusal::Refusal;
use crate::script::Script;
use crate::state::State;

use frames::BYTE_ORDER_MARK;
use reply::Reply;
use request::ChatRequest;

const INSTEAD_OF_A_RECORD: &str =
    r#"{"success":false,"error":{"code":"UNKNOWN_ERROR","message":"Something failed upstream"}}"#;

/// Answers a chat request.
pub(crate) fn answer(state: &State, head: &Parts, body: &[u8]) -> Answer {
    let streaming = head
        .uri
        .query()
        .is_some_and(|query| query.split('&').any(|pair| pair == "isStreaming=true"));
    let request = ChatRequest::read(body);
    let prompt = request.as_ref().map_or("", |request| request.prompt());
    let behavior = match Behavior::of(state, Endpoint::Chat, &head.headers, prompt) {
        Ok(behavior) => behavior,
        Err(error) => {
            let refusal = Refusal::bad_directive(&error.to_string());
            return Answer::refusal(refusal, &Script::default(), &Faults::default());
        }
    };
    let (script, faults) = (&behavior.script, &behavior.faults);
    let request = match admit(state, &head.headers, request, streaming, faults) {
        Ok(request) => request,
        Err(Rejection::Status(refusal)) => return Answer::refusal(refusal, script, faults),
        Err(Rejection::Event(message)) => return stream::error(&message, script, faults),
    };
    if faults.has(FaultKind::SuccessFalse) {
        return Answer::json(INSTEAD_OF_A_RECORD, script, faults);
    }
    let reply = Reply::new(state, &request, script, faults);
    let model = request.model.as_deref().unwrap_or_default();
    let cost = cost(model, &reply, script, faults);
    let charge = behavior.charge(&head.headers, body, prices::CHAT, model, cost);
    let balance = state.charge(&charge);
    respond(state, &request, &reply, streaming, balance, script, faults).charged(charge)
}

/// Why a request is not answered, and how that is said.
enum Rejection {
    /// By an HTTP status.
    Status(Refusal),
    /// By one error event on HTTP 200, as streams fail.
    Event(String),
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::Status(refusal)
    }
}

/// Upstream's checks in upstream's order: key, body, model, prompt object.
fn admit(
    state: &State,
    headers: &HeaderMap,
    request: Option<ChatRequest>,
    streaming: bool,
    faults: &Faults,
) -> Result<ChatRequest, Rejection> {
    let purse = account::admit(headers)?;
    if faults.has(FaultKind::CreditsInStream) {
        return Err(if streaming {
            Rejection::Event(record::NO_CREDITS.to_owned())
        } else {
            Refusal::insufficient_credits().into()
        });
    }
    if let Some(refusal) = faults.iter().find_map(Refusal::of_fault) {
        return Err(refusal.into());
    }
    let request = request.ok_or_else(Refusal::invalid_request)?;
    if let Some(kind) = request.foreign_type() {
        return Err(Refusal::unsupported_feature(kind).into());
    }
    let model = request.model.as_deref().filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| Refusal::body_validation("model"))?;
    if models::chat_provider(model).is_none() {
        let refusal = Refusal::unsupported_model(model);
        let event = |refusal: Refusal| Rejection::Event(refusal.message().to_owned());
        return Err(if streaming {
            event(refusal)
        } else {
            refusal.into()
        });
    }
    if !request.has_prompt() {
        return Err(Refusal::prompt_object(faults.has(FaultKind::FlatErrors)).into());
    }
    if purse == Purse::Empty {
        return Err(Refusal::insufficient_credits().into());
    }
    let required = prices::estimate(model, usage::tokens(request.prompt()));
    let left = state.billing().balance(&account::key_hash(headers)).left();
    if required > left {
        return Err(Refusal::too_few_credits(required, left).into());
    }
    Ok(request)
}

/// What the answer costs: nothing if it fails before a model was asked, else all of it, even if it
/// breaks off. What upstream charges for a broken answer is not known.
fn cost(model: &str, reply: &Reply, script: &Script, faults: &Faults) -> u64 {
    if record::failure(faults).is_some() || faults.has(FaultKind::ErrorFirst) {
        return 0;
    }
    let scripted = script.usage.as_ref().and_then(|usage| usage.get("credit"));
    let (input, output) = prices::tokens(model, reply.counts.input(), reply.counts.output);
    scripted
        .and_then(Value::as_u64)
        .unwrap_or(input.saturating_add(output))
}

fn respond(
    state: &State,
    request: &ChatRequest,
    reply: &Reply,
    streaming: bool,
    balance: Balance,
    script: &Script,
    faults: &Faults,
) -> Answer {
    if faults.has(FaultKind::NonSseText) {
        return Answer::whole(
            "text/plain; charset=utf-8",
            reply.text.clone(),
            script,
            faults,
        );
    }
    if streaming && !faults.has(FaultKind::NonSseJson) {
        return stream::answer(state, request, reply, balance, script, faults);
    }
    if faults
        .first_of(&[FaultKind::ErrorFirst, FaultKind::ErrorMidway])
        .is_some()
    {
        return Answer::refusal(Refusal::provider_busy(), script, faults);
    }
    let mut json = record::json(state, request, reply, balance, script, faults);
    if faults.has(FaultKind::ByteOrderMark) {
        json.insert(0, BYTE_ORDER_MARK);
    }
    Answer::json(json, script, faults)
}
