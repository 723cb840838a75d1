//! `aiRecord` of a feature: the one of chat, with keys of files and the link to the first of them.

use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::account::{TEAM, USER};
use crate::assets::{self, File};
use crate::chat::record::{TeamUser, failed};
use crate::clock::{iso, now_ms};
use crate::fault::{Faults, Kind};
use crate::features::product::Product;
use crate::features::request::FeatureRequest;
use crate::models;
use crate::state::State;
use crate::storage;
use crate::wishes::Wishes;

/// Credits that a picture costs, as in the refusal that was captured.
const FILE_CREDITS: u64 = 4800;

/// A finished record.
#[derive(Debug)]
pub(crate) struct Record {
    fields: Map<String, Value>,
    /// The link to the first file.
    url: Option<String>,
    /// Whether the link stands beside the record instead of within.
    outside: bool,
}

impl Record {
    /// Keeps the files and writes the record, failed if a fault wants it so.
    pub(super) fn new(
        state: &State,
        head: &Parts,
        request: &FeatureRequest,
        product: Product,
        wishes: &Wishes,
    ) -> Self {
        let faults = &wishes.faults;
        let failure = crate::chat::record::failure(faults);
        let metadata = metadata(&product, request, wishes);
        let credits = metadata.get("credit").and_then(Value::as_u64);
        let (result, key) = match failure {
            Some(fault) => (failed(fault).result_json(), None),
            None => kept(state, product, wishes),
        };
        let cost = key.as_ref().map_or(credits.unwrap_or(0), |_| FILE_CREDITS);
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
        let url = key.map(|key| storage::signed_url(&head.headers, &key, wishes.script.expires));
        Self {
            fields: fields(state, request, status, &metadata, &detail, cost, faults),
            url: url.filter(|_| !faults.has(Kind::NoUrl)),
            outside: faults.has(Kind::UrlOutside),
        }
    }

    pub(super) fn uuid(&self) -> &str {
        self.fields
            .get("uuid")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The record as an answer: in work while polls are left, then as it is.
    pub(super) fn shown(&self, polls: u32) -> Value {
        let mut fields = self.fields.clone();
        if polls > 0 {
            fields.insert("status".to_owned(), "PROCESSING".into());
            fields.insert("metadata".to_owned(), json!({}));
            if let Some(detail) = fields
                .get_mut("aiRecordDetail")
                .and_then(Value::as_object_mut)
            {
                detail.insert("resultObject".to_owned(), json!([]));
                detail.remove("errorMessage");
            }
            return json!({"aiRecord": fields});
        }
        let url = self.url.as_deref().map(Value::from);
        if self.outside {
            return json!({"aiRecord": fields, "temporaryUrl": url});
        }
        fields.extend(url.map(|url| ("temporaryUrl".to_owned(), url)));
        json!({"aiRecord": fields})
    }
}

fn fields(
    state: &State,
    request: &FeatureRequest,
    status: &str,
    metadata: &Value,
    detail: &Value,
    cost: u64,
    faults: &Faults,
) -> Map<String, Value> {
    let model = request.model().unwrap_or_default();
    let kind = request.kind().unwrap_or_default();
    let provider = models::provider(model, kind).map(str::to_uppercase);
    let record = json!({
        "uuid": state.uuid(),
        "userId": USER,
        "teamId": TEAM,
        "teamUser": TeamUser::new(state.spend(cost)),
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
    if faults.has(Kind::NoMetadata) {
        fields.remove("metadata");
    }
    fields
}

/// Usage for text that a language model wrote, a note about moderation for `OpenAI`'s pictures, else
/// nothing.
fn metadata(product: &Product, request: &FeatureRequest, wishes: &Wishes) -> Value {
    let (script, faults) = (&wishes.script, &wishes.faults);
    let pictures = request
        .model()
        .is_some_and(|model| model.starts_with("gpt-image"));
    if faults.has(Kind::NullMetadata) {
        Value::Null
    } else if crate::chat::record::failure(faults).is_some() {
        json!({})
    } else if let Some(usage) = product.usage(request, script, faults) {
        json!(usage)
    } else if pictures && request.kind() == Some("IMAGE_GENERATOR") {
        json!({"resultModeration": {"status": "unknown"}})
    } else {
        json!({})
    }
}

/// The result object, and the key of the first file.
fn kept(state: &State, product: Product, wishes: &Wishes) -> (Value, Option<String>) {
    if wishes.faults.has(Kind::EmptyText) {
        return (json!([]), None);
    }
    let list: Vec<String> = match product {
        Product::Texts(texts) => {
            let bare = wishes.faults.has(Kind::StringResult);
            return match texts.as_slice() {
                [text] if bare => (json!(text), None),
                texts => (json!(texts), None),
            };
        }
        Product::Files(files) => files
            .into_iter()
            .map(|file| keep(state, file, wishes))
            .collect(),
    };
    let first = list.first().cloned();
    (json!(list), first)
}

fn keep(state: &State, file: File, wishes: &Wishes) -> String {
    let number = state.number();
    let uuid = state.uuid();
    let mut assets = state.assets();
    assets::keep_made(&mut assets, uuid, number, file, wishes.file_faults.clone())
}
