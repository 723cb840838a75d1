//! Requests that are wrong, and what is said of them: each before anything is paid.

use bytes::Bytes;
use serde_json::Value;

use crate::form::{FORM, Form};
use crate::rig::Rig;

/// A type of body.
pub(crate) const JSON: &str = "application/json";

/// Path, type of the body, body; status, field at fault, words that are in the message.
pub(crate) type Row = (
    &'static str,
    &'static str,
    Bytes,
    u16,
    Option<&'static str>,
    &'static [&'static str],
);

pub(crate) fn json_row(
    path: &'static str,
    body: &Value,
    param: &'static str,
    says: &'static [&'static str],
) -> Row {
    let body = body.to_string().into();
    (path, JSON, body, 400, Some(param), says)
}

pub(crate) fn form_row(
    path: &'static str,
    form: Form,
    param: &'static str,
    says: &'static [&'static str],
) -> Row {
    (path, FORM, form.whole(), 400, Some(param), says)
}

/// Sends every row; upstream must not have been asked for anything paid.
pub(crate) async fn all_refused(rig: &Rig, rows: Vec<Row>) {
    let mut wrong = Vec::new();
    for (path, kind, body, status, param, says) in rows {
        let shown = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
        let answer = rig.typed(path, kind, body).await;
        let error = answer.json()["error"].clone();
        let message = error["message"].as_str().unwrap_or_default();
        let is_right = answer.status == status
            && error["param"].as_str() == param
            && error["type"] == "invalid_request_error"
            && says.iter().all(|word| message.contains(word));
        if !is_right {
            wrong.push(format!(
                "{path} {kind} {shown}\n  {} {}\n  {says:?}",
                answer.status, answer.text
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let paid = rig.simulator.journal();
    let paid = paid.matching(|entry| entry.path == "/api/features");
    assert!(paid.is_empty(), "{paid:?}");
}
