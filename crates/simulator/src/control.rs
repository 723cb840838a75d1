//! `/_sim/…`: the journal over HTTP, scripts and faults for requests to come. Not a part of
//! 1min.ai.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::alter;
use crate::digest::short;
use crate::directive::DirectiveError;
use crate::fault::FaultKind;
use crate::journal::Entry;
use crate::pending::each;
use crate::state::State;

/// The routes below `/_sim`.
pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/journal", get(journal).delete(clear_journal))
        .route("/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/script", post(add_scripts).delete(clear_scripts))
        .route("/accounts", get(accounts).post(set_account))
        .route("/charges", get(charges))
        .route("/alterations", get(alterations).post(set_alterations))
        .route("/reset", post(reset))
}

/// Which entries are wanted; all fields may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    /// Only entries with a greater number.
    since: u64,
    path: Option<String>,
    outcome: Option<String>,
}

impl Wanted {
    fn fits(&self, entry: &Entry) -> bool {
        let outcome = || json!(entry.outcome);
        entry.seq > self.since
            && self.path.as_ref().is_none_or(|path| *path == entry.path)
            && self
                .outcome
                .as_ref()
                .is_none_or(|wanted| outcome() == wanted.as_str())
    }
}

async fn journal(Shared(state): Shared<Arc<State>>, Query(wanted): Query<Wanted>) -> Response {
    match &state.journal {
        Some(journal) => {
            Json(json!({"entries": journal.matching(|entry| wanted.fits(entry))})).into_response()
        }
        None => (StatusCode::NOT_FOUND, "the journal is switched off\n").into_response(),
    }
}

async fn clear_journal(Shared(state): Shared<Arc<State>>) -> StatusCode {
    if let Some(journal) = &state.journal {
        journal.clear();
    }
    StatusCode::NO_CONTENT
}

async fn faults() -> Json<Value> {
    let explained =
        |kind: &FaultKind| json!({"fault": kind.name(), "explanation": kind.explanation()});
    Json(json!({"faults": FaultKind::ALL.iter().map(explained).collect::<Vec<_>>()}))
}

async fn add_faults(Shared(state): Shared<Arc<State>>, Json(directives): Json<Value>) -> Response {
    done(each(directives, |directive| {
        state.pending().add_fault(directive)
    }))
}

async fn clear_faults(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.pending().clear_faults();
    StatusCode::NO_CONTENT
}

async fn add_scripts(Shared(state): Shared<Arc<State>>, Json(directives): Json<Value>) -> Response {
    done(each(directives, |directive| {
        state.pending().queue(directive)
    }))
}

async fn clear_scripts(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.pending().clear_scripts();
    StatusCode::NO_CONTENT
}

/// What a test sets of an account; what is not given stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountSetting {
    key: String,
    credit_limit: Option<u64>,
    used_credit: Option<u64>,
}

async fn accounts(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    Json(json!({"accounts": state.billing().accounts()}))
}

async fn set_account(
    Shared(state): Shared<Arc<State>>,
    Json(setting): Json<AccountSetting>,
) -> StatusCode {
    let key = short(setting.key.as_bytes());
    let (limit, used) = (setting.credit_limit, setting.used_credit);
    state.billing().set(&key, limit, used);
    StatusCode::NO_CONTENT
}

async fn charges(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    Json(json!({"charges": state.billing().charges()}))
}

async fn alterations(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    let explained = |(id, explanation): (&str, &str)| json!({"id": id, "explanation": explanation, "on": state.altered().contains(id)});
    Json(json!({"alterations": alter::alterations().map(explained).collect::<Vec<_>>()}))
}

/// The ids of the facts that are altered from now on; no others are.
async fn set_alterations(
    Shared(state): Shared<Arc<State>>,
    Json(ids): Json<std::collections::BTreeSet<String>>,
) -> Response {
    if let Some(unknown) = ids.iter().find(|id| !alter::is_known(id)) {
        return (
            StatusCode::BAD_REQUEST,
            format!("no alteration `{unknown}`\n"),
        )
            .into_response();
    }
    *state.altered() = ids;
    StatusCode::NO_CONTENT.into_response()
}

async fn reset(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.reset();
    StatusCode::NO_CONTENT
}

fn done(result: Result<(), DirectiveError>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    }
}
