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

use crate::account::{self, Purse};
use crate::answer::Answer;
use crate::behavior::Behavior;
use crate::directive::Endpoint;
use crate::fault::{FaultKind, Faults};
use crate::models;
use crate::refusal::Refusal;
use crate::script::Script;
use crate::state::State;

use reply::Reply;
use request::ChatRequest;

/// Answers a chat request.
pub(crate) fn answer(state: &State, head: &Parts, body: &[u8]) -> Answer {
    let streaming = head
        .uri
        .query()
        .is_some_and(|query| query.split('&').any(|pair| pair == "isStreaming=true"));
    let request = ChatRequest::read(body);
    let prompt = request.as_ref().map_or("", |request| request.prompt());
    let (script, faults) = match Behavior::of(state, Endpoint::Chat, &head.headers, prompt) {
        Ok(behavior) => (behavior.script, behavior.faults),
        Err(error) => {
            let refusal = Refusal::bad_directive(&error.to_string());
            return Answer::refusal(refusal, &Script::default(), &Faults::default());
        }
    };
    match admit(&head.headers, request, streaming, &faults) {
        Ok(request) => respond(state, &request, streaming, &script, &faults),
        Err(Rejection::Status(refusal)) => Answer::refusal(refusal, &script, &faults),
        Err(Rejection::Event(message)) => stream::error(&message, &script, &faults),
    }
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
    Ok(request)
}

fn respond(
    state: &State,
    request: &ChatRequest,
    streaming: bool,
    script: &Script,
    faults: &Faults,
) -> Answer {
    const INSTEAD_OF_A_RECORD: &str = r#"{"success":false,"error":{"code":"UNKNOWN_ERROR","message":"Something failed upstream"}}"#;
    if faults.has(FaultKind::SuccessFalse) {
        return Answer::json(INSTEAD_OF_A_RECORD, script, faults);
    }
    let reply = Reply::new(state, request, script, faults);
    if faults.has(FaultKind::NonSseText) {
        return Answer::whole("text/plain; charset=utf-8", reply.text, script, faults);
    }
    if streaming && !faults.has(FaultKind::NonSseJson) {
        return stream::answer(state, request, &reply, script, faults);
    }
    if faults
        .first_of(&[FaultKind::ErrorFirst, FaultKind::ErrorMidway])
        .is_some()
    {
        return Answer::refusal(Refusal::provider_busy(), script, faults);
    }
    Answer::json(
        record::json(state, request, &reply, script, faults),
        script,
        faults,
    )
}
