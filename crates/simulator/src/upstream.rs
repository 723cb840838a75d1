//! A request's whole way: entered in the journal, read, answered by its endpoint, played.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::Response;
use http::request::Parts;
use http::{Method, Request, StatusCode};

use crate::answer::{Answer, Hold, refused};
use crate::directive::Endpoint;
use crate::fault::Faults;
use crate::journal::{Outcome, Ticket, body_note};
use crate::playback::{Playback, ResetFlag};
use crate::refusal::Refusal;
use crate::server::HangUp;
use crate::state::State;
use crate::{account, alter, assets, chat, conversations, features, models, storage};

/// Largest request body taken, in bytes: the edge's limit.
pub(crate) const BODY_LIMIT: usize = 100 * 1024 * 1024;

/// Largest upload taken, in bytes: a file of 100 MiB and the form around it.
pub(crate) const UPLOAD_LIMIT: usize = 101 * 1024 * 1024;

const DZINE_STYLES: &str = include_str!("../../../fixtures/onemin/dzine-styles.response.json");
const RECRAFT_STYLES: &str = include_str!("../../../fixtures/onemin/recraft-styles.response.json");

/// Answers one request to 1min.ai.
pub(crate) async fn answer(Shared(state): Shared<Arc<State>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let ticket = Ticket::open(state.journal.as_ref(), &head);
    let reset = head.extensions.get::<ResetFlag>().cloned();
    let answer = if is_upload(&head) {
        let faults = Faults::new(state.pending().take_faults(
            Endpoint::Assets,
            "",
            account::key(&head.headers),
        ));
        assets::upload(&state, head.clone(), body, &faults, &ticket).await
    } else {
        match axum::body::to_bytes(body, BODY_LIMIT).await {
            Ok(body) => route(&state, &head, &body, &ticket),
            Err(_) => refused(Refusal::too_large(), &Faults::default()),
        }
    };
    let answer = alter::apply(&state.altered(), &head, answer);
    play(answer, reset, ticket).await
}

/// Uploads are read piece by piece, so that none of them takes more memory than is kept of it.
fn is_upload(head: &Parts) -> bool {
    head.method == Method::POST && head.uri.path().trim_end_matches('/') == "/api/assets"
}

fn route(state: &State, head: &Parts, body: &[u8], ticket: &Ticket) -> Answer {
    let path = head.uri.path().trim_end_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    ticket.body(|| body_note(body));
    let faults = |endpoint| {
        Faults::new(
            state
                .pending()
                .take_faults(endpoint, "", account::key(&head.headers)),
        )
    };
    match (&head.method, segments.as_slice()) {
        (&Method::POST, ["api", "chat-with-ai"]) => chat::answer(state, head, body),
        (&Method::POST, ["api", "features"]) => features::answer(state, head, body),
        (&Method::GET, ["api", "results", id]) => {
            features::result(state, head, id, &faults(Endpoint::Results))
        }
        (&Method::GET, ["api", "dzine", "styles"]) => {
            features::styles(head, DZINE_STYLES, &faults(Endpoint::Features))
        }
        (&Method::GET, ["api", "recraft", "styles"]) => {
            features::styles(head, RECRAFT_STYLES, &faults(Endpoint::Features))
        }
        (&Method::GET, ["models"]) => models::list(head, &faults(Endpoint::Models)),
        (method, ["api", "conversations", id @ ..]) if id.len() < 2 => {
            let faults = faults(Endpoint::Conversations);
            conversations::answer(state, method, id.first().copied(), head, body, &faults)
        }
        (&Method::GET, ["images" | "audios" | "videos" | "documents", _]) => {
            storage::public(state, &head.headers, &path, faults(Endpoint::Files))
        }
        (&Method::GET, ["asset.1min.ai", folder, name]) => {
            let key = format!("{folder}/{name}");
            storage::signed(state, head, &key, faults(Endpoint::Files))
        }
        (method, _) => refused(Refusal::not_found(method, &path), &Faults::default()),
    }
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
    ticket.charged(answer.charge.as_ref());
    let mut response = Response::new(Body::new(Playback::new(answer.steps, reset, ticket)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    response
}
