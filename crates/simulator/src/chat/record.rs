//! `aiRecord`: the answer of a call without streaming and the data of the event `result`.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::account::{TEAM, USER};
use crate::billing::Balance;
use crate::chat::reply::Reply;
use crate::chat::request::ChatRequest;
use crate::chat::usage::{Metadata, Usage};
use crate::clock::{iso, now_ms};
use crate::fault::{Fault, FaultKind, Faults};
use crate::models;
use crate::script::Script;
use crate::state::State;

/// What is said within an answer, as against a refusal by status, when credits are used up.
pub(crate) const NO_CREDITS: &str =
    "The feature requires 1726 credits, but the Test Office team only has 139 credits";

/// Faults by which a record says on HTTP 200 that there is no answer.
const FAILURES: [FaultKind; 4] = [
    FaultKind::CreditsInResult,
    FaultKind::ModerationInResult,
    FaultKind::StatusFailure,
    FaultKind::StatusFailed,
];

/// The record as JSON text.
pub(crate) fn json(
    state: &State,
    request: &ChatRequest,
    reply: &Reply,
    balance: Balance,
    script: &Script,
    faults: &Faults,
) -> String {
    let outcome = failure(faults).map_or_else(|| success(request, reply, script, faults), failed);
    let prompt_object = echo(request, reply);
    let record = Record {
        uuid: state.uuid(),
        user_id: USER,
        team_id: TEAM,
        team_user: TeamUser::new(balance),
        model: request.model.as_deref().unwrap_or_default(),
        kind: request.kind(),
        metadata: outcome.metadata,
        rating: (),
        feedback: (),
        conversation_id: request.conversation_id(),
        status: outcome.status,
        created_at: iso(now_ms()),
        detail: Detail {
            prompt_object: &prompt_object,
            result_object: outcome.result,
        },
        additional_data: (),
        model_detail: outcome.model_detail,
    };
    serde_json::to_string(&Envelope { record }).unwrap_or_default()
}

/// The fault by which the record fails, if there is one.
pub(crate) fn failure(faults: &Faults) -> Option<&Fault> {
    faults.first_of(&FAILURES)
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "aiRecord")]
    record: Record<'a>,
}

/// Field for field `chat-minimal.response.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    uuid: String,
    user_id: &'static str,
    team_id: &'static str,
    team_user: TeamUser,
    model: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    rating: (),
    feedback: (),
    conversation_id: Option<&'a str>,
    status: &'static str,
    created_at: String,
    #[serde(rename = "aiRecordDetail")]
    detail: Detail<'a>,
    additional_data: (),
    #[serde(skip_serializing_if = "Option::is_none")]
    model_detail: Option<ModelDetail<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TeamUser {
    team_id: &'static str,
    user_id: &'static str,
    user_name: &'static str,
    user_avatar: (),
    status: &'static str,
    role: &'static str,
    credit_limit: u64,
    used_credit: u64,
    created_at: &'static str,
    created_by: &'static str,
    updated_at: &'static str,
    updated_by: &'static str,
}

impl TeamUser {
    pub(crate) fn new(balance: Balance) -> Self {
        Self {
            team_id: TEAM,
            user_id: USER,
            user_name: "Relay Tester",
            user_avatar: (),
            status: "ACTIVE",
            role: "ADMIN",
            credit_limit: balance.credit_limit,
            used_credit: balance.used_credit,
            created_at: "2026-01-05T08:00:00.000Z",
            created_by: "SYSTEM",
            updated_at: "2026-10-01T09:30:00.000Z",
            updated_by: "SYSTEM",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    prompt_object: &'a RawValue,
    result_object: ResultObject<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ResultObject<'a> {
    List(Vec<&'a str>),
    Bare(&'a str),
    Error { code: &'a str, message: &'a str },
}

#[derive(Serialize)]
struct ModelDetail<'a> {
    name: &'a str,
    provider: &'static str,
}

/// What differs between a record that answers and one that fails.
pub(crate) struct Outcome<'a> {
    status: &'static str,
    metadata: Option<Metadata>,
    result: ResultObject<'a>,
    model_detail: Option<ModelDetail<'a>>,
}

fn success<'a>(
    request: &'a ChatRequest,
    reply: &'a Reply,
    script: &Script,
    faults: &Faults,
) -> Outcome<'a> {
    let name = request.model.as_deref().unwrap_or_default();
    let usage = Usage::new(name, reply.counts, script, faults);
    let text = reply.text.as_str();
    Outcome {
        status: "SUCCESS",
        metadata: Metadata::new(usage, script, faults),
        result: if faults.has(FaultKind::StringResult) {
            ResultObject::Bare(text)
        } else {
            ResultObject::List(vec![text])
        },
        model_detail: models::chat_provider(name).map(|provider| ModelDetail { name, provider }),
    }
}

impl Outcome<'_> {
    pub(crate) fn status(&self) -> &'static str {
        self.status
    }

    /// The result object.
    pub(crate) fn result_json(&self) -> Value {
        json!(self.result)
    }
}

/// Metadata is empty and nothing is said about the model, as in `err-200-*.json`.
pub(crate) fn failed(fault: &Fault) -> Outcome<'_> {
    let (code, message) = match fault.kind {
        FaultKind::ModerationInResult => (
            "CONTENT_MODERATION",
            "The request was rejected by content moderation",
        ),
        _ => ("INSUFFICIENT_CREDITS", NO_CREDITS),
    };
    let (code, message) = (
        fault.code.as_deref().unwrap_or(code),
        fault.message.as_deref().unwrap_or(message),
    );
    let in_result = matches!(
        fault.kind,
        FaultKind::CreditsInResult | FaultKind::ModerationInResult
    );
    Outcome {
        status: if fault.kind == FaultKind::StatusFailed {
            "FAILED"
        } else {
            "FAILURE"
        },
        metadata: Some(Metadata::Fields(Map::new())),
        result: if in_result {
            ResultObject::Error { code, message }
        } else {
            ResultObject::List(Vec::new())
        },
        model_detail: None,
    }
}

/// The prompt object as it came, with the two lists that upstream adds. Spliced as text, because a
/// prompt may be large; only one that was written over several lines, which no event could carry,
/// is written anew.
fn echo(request: &ChatRequest, reply: &Reply) -> Box<RawValue> {
    let sites: Vec<_> = reply
        .sites
        .iter()
        .map(|url| json!({"url": url, "content": "…"}))
        .collect();
    let added = format!(
        r#""linkContentList":[],"searchContentList":{}}}"#,
        json!(sites)
    );
    let came = on_one_line(request.prompt_object());
    let fields = came.strip_suffix('}').unwrap_or(&came).trim_end();
    let comma = if fields == "{" { "" } else { "," };
    RawValue::from_string(format!("{fields}{comma}{added}")).unwrap_or_default()
}

fn on_one_line(json: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\n', b'\r', json.as_bytes()).is_none() {
        return Cow::Borrowed(json);
    }
    let value = serde_json::from_str::<Value>(json);
    Cow::Owned(value.map(|value| value.to_string()).unwrap_or_default())
}
