//! The list of models: which there are for a feature, and what they can do.
//!
//! The live list is the only one to trust; it changes every month. Entries are read with patience:
//! one odd entry never loses the others.

mod builtin;
mod model;

use serde_json::Value;

pub(crate) use builtin::builtin;
pub use model::{Feature, Model};

use crate::drift;
use crate::error::{Error, ProtocolError};
use crate::facts::Fact;
use crate::refusal::Refusal;

/// The entry that stands for "no model".
const NO_MODEL: &str = "NOT_APPLICABLE";

/// Reads an entry of the list; None if it cannot be used.
fn read_entry(entry: &Value, feature: Feature) -> Option<Model> {
    let text = |name: &str| {
        entry
            .get(name)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    if text("modelId").is_none() || text("status").is_none() {
        drift::count(Fact::ModelsListed);
    }
    let id = text("modelId")?;
    let active = text("status").is_none_or(|status| status.eq_ignore_ascii_case("ACTIVE"));
    let features = entry.get("features").and_then(texts);
    let serves = features
        .as_ref()
        .is_none_or(|of| of.is_empty() || of.iter().any(|f| f == feature.as_str()));
    if id == NO_MODEL || !active || !serves {
        return None;
    }
    let costs = entry.get("creditMetadata");
    let count = |name: &str| costs?.get(name).and_then(count);
    let owned = |name: &str| text(name).map(str::to_owned);
    Some(Model {
        id: id.to_owned(),
        name: text("name").unwrap_or(id).to_owned(),
        provider: owned("provider").or_else(|| owned("group")),
        features: features.unwrap_or_default(),
        inputs: entry.pointer("/modality/INPUT").and_then(texts),
        outputs: entry.pointer("/modality/OUTPUT").and_then(texts),
        context: count("CONTEXT"),
        max_output: count("MAX_OUTPUT_TOKEN"),
        credit_metadata: costs.cloned().unwrap_or_default(),
        deprecation_date: owned("deprecationDate"),
        cutoff_date: owned("cutoffDate"),
        created_at: owned("createdAt"),
    })
}

/// The models of a list's body that can be used for a feature.
///
/// # Errors
/// The refusal it reports, or that it is no list, or that the list is empty.
pub fn usable(body: &[u8], feature: Feature) -> Result<Vec<Model>, Error> {
    let malformed = ProtocolError::Malformed("a list of models was expected");
    let list: Value = serde_json::from_slice(body).map_err(|_| malformed.clone())?;
    let entries = match &list {
        Value::Array(entries) => Some(entries),
        list => list.get("models").and_then(Value::as_array),
    };
    let Some(entries) = entries else {
        let reports = ["error", "errorCode", "message"]
            .iter()
            .any(|name| list.get(*name).is_some());
        return Err(if reports {
            Refusal::from_body(None, body).into()
        } else {
            malformed.into()
        });
    };
    let mut models: Vec<Model> = Vec::with_capacity(entries.len());
    let mut seen = std::collections::HashSet::new();
    models.extend(
        entries
            .iter()
            .filter_map(|entry| read_entry(entry, feature))
            .filter(|m| seen.insert(m.id.clone())),
    );
    if models.is_empty() {
        return Err(ProtocolError::Malformed("the list of models is empty").into());
    }
    Ok(models)
}

/// The texts of a list; None if it is no list.
fn texts(value: &Value) -> Option<Vec<String>> {
    let list = value.as_array()?;
    Some(
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is finite and not negative, and the cast saturates"
)]
fn count(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (number.is_finite() && number >= 1.0).then_some(number as u64)
}

#[cfg(test)]
mod tests;
