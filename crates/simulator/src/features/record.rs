//! `aiRecord` of a feature: the one of chat, with keys of files and the link to the first of them.

use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::account::{TEAM, USER};
use crate::assets::store::{self, File};
use crate::behavior::Behavior;
use crate::billing::Balance;
use crate::chat::record::{TeamUser, failed};
use crate::clock::{iso, now_ms};
use crate::fault::{FaultKind, Faults};
use crate::features::jobs::Record;
use crate::features::product::Product;
use crate::features::request::FeatureRequest;
use crate::models;
use crate::state::State;
use crate::storage;

/// Keeps the files and writes the record, failed if a fault wants it so.
pub(super) fn build(
    state: &State,
    head: &Parts,
    request: &FeatureRequest,
    product: Product,
    behavior: &Behavior,
    balance: Balance,
) -> Record {
    let faults = &behavior.faults;
    let failure = crate::chat::record::failure(faults);
    let metadata = metadata(&product, request, behavior);
    let (result, key) = match failure {
        Some(fault) => (failed(fault).result_json(), None),
        None => kept(state, product, behavior),
    };
    let status = failure.map_or("SUCCESS", |fault| failed(fault).status());
    let mut detail = json!({
        "promptObject": request.prompt_object(),
        "resultObject": result,
    });
    if let (Some(fault), Some(detail)) = (failure, detail.as_object_mut()) {
        let message = fault
            .message
            .as_deref()
            .unwrap_or("The provider rejected the request.");
        detail.insert("errorMessage".to_owned(), message.into());
    }
    let url = key.map(|key| storage::signed_url(&head.headers, &key, behavior.script.expires));
    Record {
        fields: fields(state, request, status, &metadata, &detail, balance, faults),
        url: url.filter(|_| !faults.has(FaultKind::NoUrl)),
        outside: faults.has(FaultKind::UrlOutside),
    }
}

fn fields(
    state: &State,
    request: &FeatureRequest,
    status: &str,
    metadata: &Value,
    detail: &Value,
    balance: Balance,
    faults: &Faults,
) -> Map<String, Value> {
    let model = request.model().unwrap_or_default();
    let kind = request.kind().unwrap_or_default();
    let provider = models::provider(model, kind).map(str::to_uppercase);
    let record = json!({
        "uuid": state.uuid(),
        "userId": USER,
        "teamId": TEAM,
        "teamUser": TeamUser::new(balance),
        "model": model,
        "type": kind,
        "metadata": metadata,
        "rating": null,
        "feedback": null,
        "conversationId": request.conversation_id(),
        "status": status,
        "createdAt": iso(now_ms()),
        "aiRecordDetail": detail,
        "additionalData": null,
        "modelDetail": {"name": model, "provider": provider},
    });
    let mut fields = record.as_object().cloned().unwrap_or_default();
    if faults.has(FaultKind::NoMetadata) {
        fields.remove("metadata");
    }
    fields
}

/// Usage for text that a language model wrote, a note about moderation for `OpenAI`'s images, else
/// nothing.
fn metadata(product: &Product, request: &FeatureRequest, behavior: &Behavior) -> Value {
    let (script, faults) = (&behavior.script, &behavior.faults);
    let images = request
        .model()
        .is_some_and(|model| model.starts_with("gpt-image"));
    if faults.has(FaultKind::NullMetadata) {
        Value::Null
    } else if crate::chat::record::failure(faults).is_some() {
        json!({})
    } else if let Some(usage) = product.usage(request, script, faults) {
        json!(usage)
    } else if images && request.kind() == Some("IMAGE_GENERATOR") {
        json!({"resultModeration": {"status": "unknown"}})
    } else {
        json!({})
    }
}

/// The result object, and the key of the first file.
fn kept(state: &State, product: Product, behavior: &Behavior) -> (Value, Option<String>) {
    if behavior.faults.has(FaultKind::EmptyText) {
        return (json!([]), None);
    }
    let list: Vec<String> = match product {
        Product::Texts(texts) => {
            let bare = behavior.faults.has(FaultKind::StringResult);
            return match texts.as_slice() {
                [text] if bare => (json!(text), None),
                texts => (json!(texts), None),
            };
        }
        Product::Files(files) => files
            .into_iter()
            .map(|file| keep(state, file, behavior))
            .collect(),
    };
    let first = list.first().cloned();
    (json!(list), first)
}

fn keep(state: &State, file: File, behavior: &Behavior) -> String {
    let number = state.number();
    let uuid = state.uuid();
    let mut assets = state.assets();
    store::keep_made(
        &mut assets,
        uuid,
        number,
        file,
        behavior.file_faults.clone(),
    )
}
