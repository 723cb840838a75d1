//! A request's whole way: entered in the journal, read, answered by its endpoint, played.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::response::Response;
use http::request::Parts;
use http::{Method, Request, StatusCode};
use serde_json::Value;

use crate::answer::{Answer, Hold};
use crate::directive::Endpoint;
use crate::fault::Faults;
use crate::journal::{Outcome, Ticket, body_note};
use crate::playback::{Playback, ResetFlag};
use crate::refusal::Refusal;
use crate::script::Script;
use crate::server::HangUp;
use crate::state::State;
use crate::{account, assets, chat, conversations, models};

/// Largest request body taken, in bytes: the edge's limit.
pub(crate) const BODY_LIMIT: usize = 100 * 1024 * 1024;

/// Answers one request to 1min.ai.
pub(crate) async fn answer(Shared(state): Shared<Arc<State>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let ticket = Ticket::open(state.journal.as_ref(), &head);
    let reset = head.extensions.get::<ResetFlag>().cloned();
    let answer = match axum::body::to_bytes(body, BODY_LIMIT).await {
        Ok(body) => route(&state, head, body, &ticket).await,
        Err(_) => refused(Refusal::too_large(), &Faults::default()),
    };
    play(answer, reset, ticket).await
}

async fn route(state: &State, head: Parts, body: Bytes, ticket: &Ticket) -> Answer {
    let path = head.uri.path().trim_end_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    if segments != ["api", "assets"] {
        ticket.body(|| body_note(&body));
    }
    let faults = |endpoint| Faults::new(state.orders().take_faults(endpoint, ""));
    match (&head.method, segments.as_slice()) {
        (&Method::POST, ["api", "chat-with-ai"]) => chat::answer(state, &head, &body),
        (&Method::POST, ["api", "assets"]) => {
            assets::upload(state, head, body, &faults(Endpoint::Assets), ticket).await
        }
        (&Method::POST, ["api", "features"]) => features(&head, &body, &faults(Endpoint::Features)),
        (&Method::GET, ["models"]) => models::list(&head, &faults(Endpoint::Models)),
        (method, ["api", "conversations", id @ ..]) if id.len() < 2 => {
            let faults = faults(Endpoint::Conversations);
            conversations::answer(state, method, id.first().copied(), &head, &body, &faults)
        }
        (&Method::GET, ["images" | "audios" | "videos" | "documents", _]) => {
            assets::download(state, &path)
        }
        (method, _) => refused(Refusal::not_found(method, &path), &Faults::default()),
    }
}

/// What `/api/features` says to chat, which it does no longer serve, and to types it never knew.
fn features(head: &Parts, body: &[u8], faults: &Faults) -> Answer {
    if let Err(refusal) = account::admit(&head.headers) {
        return refused(refusal, faults);
    }
    if let Some(refusal) = faults.iter().find_map(Refusal::of_fault) {
        return refused(refusal, faults);
    }
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let refusal = body.map_or_else(Refusal::invalid_request, |body| {
        match body.get("type").and_then(Value::as_str) {
            Some(kind) => Refusal::unsupported_feature(kind),
            None => Refusal::body_validation("type"),
        }
    });
    refused(refusal, faults)
}

pub(crate) fn refused(refusal: Refusal, faults: &Faults) -> Answer {
    Answer::refusal(refusal, &Script::default(), faults)
}

async fn play(answer: Answer, reset: Option<ResetFlag>, mut ticket: Ticket) -> Response {
    match answer.hold {
        Hold::Nothing => {}
        Hold::Wait(time) => tokio::time::sleep(time).await,
        // Dropped with the connection.
        Hold::Silent => std::future::pending().await,
        Hold::HangUp => {
            ticket.end(Outcome::Torn);
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(HangUp);
            return response;
        }
    }
    ticket.status(answer.status);
    let mut response = Response::new(Body::new(Playback::new(answer.steps, reset, ticket)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    response
}
