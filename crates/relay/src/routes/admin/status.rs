//! What is in force and how it goes: settings, health, budgets of the whole relay.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::Request;
use serde_json::json;

use crate::access::Access;
use crate::doctor::Inspection;
use crate::ledger::counters::RELAY;
use crate::management::keys::budget_entries;
use crate::routes::management::managed;

/// `GET /admin/api/settings`: without secrets.
pub async fn settings(
    State(access): State<Arc<Access>>,
    State(inspection): State<Arc<Inspection>>,
    request: Request<Body>,
) -> Response {
    managed(&access, "admin.settings", request, async |_, _| {
        Ok(json!({"data": inspection.settings_in_force}))
    })
    .await
}

/// `GET /admin/api/health`: what `--doctor` says. It costs no credits.
pub async fn health(
    State(access): State<Arc<Access>>,
    State(inspection): State<Arc<Inspection>>,
    request: Request<Body>,
) -> Response {
    managed(&access, "admin.health", request, async |_, _| {
        Ok(json!({"data": inspection.examine().await}))
    })
    .await
}

/// `GET /admin/api/budgets`: those of the whole relay.
pub async fn budgets(State(access): State<Arc<Access>>, request: Request<Body>) -> Response {
    managed(&access, "admin.budgets", request, async |_, _| {
        let ledger = &access.key_access().gate.ledger;
        let budgets = ledger.relay_budgets();
        if budgets.is_empty() {
            return Ok(json!({"data": []}));
        }
        let (counters, periods) = ledger.counters_of(RELAY).await?;
        Ok(json!({"data": budget_entries(budgets, &counters, &periods)}))
    })
    .await
}
