//! `POST /api/features`: images, sound, transcripts and code, at once or by a job that is asked
//! after at `GET /api/results/{id}`.

mod image;
pub(crate) mod jobs;
mod product;
mod record;
mod request;
mod rules;
mod speech;
mod transcript;
mod values;
mod video;

use http::request::Parts;
use serde_json::Value;

use crate::account::{self, Purse};
use crate::answer::Answer;
use crate::answer::refused;
use crate::behavior::Behavior;
use crate::chat::record::failure;
use crate::directive::Endpoint;
use crate::fault::{FaultKind, Faults};
use crate::models;
use crate::refusal::Refusal;
use crate::script::Script;
use crate::state::State;

use product::Product;
use request::FeatureRequest;

/// Bytes from which on a record is not kept, so that many long prompts do not fill the memory.
const RECORD_BYTES_MAX: usize = 256 * 1024;

/// Answers a request for a feature.
pub(crate) fn answer(state: &State, head: &Parts, body: &[u8]) -> Answer {
    const INSTEAD_OF_A_RECORD: &str = r#"{"success":false,"error":{"code":"UNKNOWN_ERROR","message":"Something failed upstream"}}"#;
    let request = FeatureRequest::read(body);
    let prompt = request.as_ref().map_or("", FeatureRequest::prompt);
    let behavior = match Behavior::of(state, Endpoint::Features, &head.headers, prompt) {
        Ok(behavior) => behavior,
        Err(error) => {
            return refused(
                Refusal::bad_directive(&error.to_string()),
                &Faults::default(),
            );
        }
    };
    let (script, faults) = (&behavior.script, &behavior.faults);
    let request = match admit(state, head, request, faults) {
        Ok(request) => request,
        Err(refusal) => return Answer::refusal(refusal, script, faults),
    };
    if faults.has(FaultKind::SuccessFalse) {
        return Answer::json(INSTEAD_OF_A_RECORD, script, faults);
    }
    let product = Product::new(state, &request, script);
    let cost = match failure(faults) {
        Some(_) => 0,
        None => product.credits(state, &request),
    };
    let (kind, model) = (request.kind(), request.model());
    let (kind, model) = (kind.unwrap_or_default(), model.unwrap_or_default());
    let charge = behavior.charge(&head.headers, body, kind, model, cost);
    let balance = state.charge(&charge);
    if let (true, Some(file)) = (faults.has(FaultKind::BinaryAnswer), product.first_file()) {
        return Answer::whole(file.mime, file.bytes.clone(), script, faults).charged(charge);
    }
    let record = record::build(state, head, &request, product, &behavior, balance);
    let polls = if request.is_async() {
        script.polls.unwrap_or(1)
    } else {
        0
    };
    let shown = record.shown(polls).to_string();
    if shown.len() < RECORD_BYTES_MAX {
        state.jobs().add(record, polls);
    }
    Answer::json(shown, script, faults).charged(charge)
}

/// Upstream's checks in upstream's order: key, body, type, model, prompt object, credits.
fn admit(
    state: &State,
    head: &Parts,
    request: Option<FeatureRequest>,
    faults: &Faults,
) -> Result<FeatureRequest, Refusal> {
    let purse = account::admit(&head.headers)?;
    if let Some(refusal) = faults.iter().find_map(Refusal::of_fault) {
        return Err(refusal);
    }
    let request = request.ok_or_else(Refusal::invalid_request)?;
    let kind = request
        .kind()
        .ok_or_else(|| Refusal::body_validation("type"))?;
    if !rules::FEATURES.contains(&kind) {
        return Err(Refusal::unsupported_feature(kind));
    }
    let model = request
        .model()
        .ok_or_else(|| Refusal::body_validation("model"))?;
    let provider =
        models::provider(model, kind).ok_or_else(|| Refusal::unsupported_model_for(model, kind))?;
    if request.prompt_object().is_none() {
        return Err(Refusal::prompt_object(faults.has(FaultKind::FlatErrors)));
    }
    rules::check(state, &request, kind, model, provider)?;
    if purse == Purse::Empty {
        return Err(Refusal::insufficient_credits());
    }
    let required = product::credits(state, &request);
    let key = account::key_hash(&head.headers);
    let left = state.billing().balance(&key).left();
    if required > left {
        return Err(Refusal::too_few_credits(required, left));
    }
    Ok(request)
}

/// Answers `GET /api/results/{id}`: a record, or null for an id that nobody knows.
pub(crate) fn result(state: &State, head: &Parts, id: &str, faults: &Faults) -> Answer {
    if let Err(refusal) = account::admit(&head.headers) {
        return refused(refusal, faults);
    }
    if let Some(refusal) = faults.iter().find_map(Refusal::of_fault) {
        return refused(refusal, faults);
    }
    let found = state.jobs().poll(id);
    let body = found.unwrap_or_else(|| serde_json::json!({"aiRecord": Value::Null}));
    Answer::json(body.to_string(), &Script::default(), faults)
}

/// Answers the lists of styles, which are the fixtures'.
pub(crate) fn styles(head: &Parts, list: &'static str, faults: &Faults) -> Answer {
    let refusal = account::admit(&head.headers)
        .err()
        .or_else(|| faults.iter().find_map(Refusal::of_fault));
    match refusal {
        Some(refusal) => refused(refusal, faults),
        None => Answer::json(list, &Script::default(), faults),
    }
}
