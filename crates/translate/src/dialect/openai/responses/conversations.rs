//! `/v1/conversations`: what is asked, and the shapes of what is answered. Its items are input and
//! output items of responses; lists of them are [pages](super::stored::list).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::decode::check_items;
use crate::dialect::json;
use crate::dialect::openai::metadata;
use crate::dialect::request;
use crate::failure::Failure;

/// The most items that one request may add, as OpenAI has it.
const MAX_ITEMS: usize = 20;

/// The client's labels.
pub type Metadata = BTreeMap<String, String>;

/// What creates a conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Create {
    /// What stands in it from the start.
    pub items: Vec<Value>,
    /// The client's labels.
    pub metadata: Metadata,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    items: Option<Vec<Map<String, Value>>>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

/// Reads the body of `POST /v1/conversations`, which may be empty.
///
/// # Errors
/// A field of the wrong type, or an item that could not be part of a conversation.
pub fn create(body: &[u8]) -> Result<Create, Failure> {
    if body.trim_ascii().is_empty() {
        return Ok(Create::default());
    }
    let body: Body = request::parse(body)?;
    Ok(Create {
        items: items(body.items)?,
        metadata: labels(body.metadata)?,
    })
}

/// Reads the body of `POST /v1/conversations/{id}`: the labels that take the place of the old.
///
/// # Errors
/// A field of the wrong type.
pub fn update(body: &[u8]) -> Result<Metadata, Failure> {
    let body: Body = request::parse(body)?;
    labels(body.metadata)
}

fn labels(labels: Option<Metadata>) -> Result<Metadata, Failure> {
    let labels = labels.unwrap_or_default();
    metadata::check(&labels)?;
    Ok(labels)
}

/// Reads the body of `POST /v1/conversations/{id}/items`.
///
/// # Errors
/// A missing field or one of the wrong type, or an item that could not be part of a conversation.
pub fn add(body: &[u8]) -> Result<Vec<Value>, Failure> {
    let body: Body = request::parse(body)?;
    if body.items.as_ref().is_none_or(Vec::is_empty) {
        return Err(Failure::invalid("items", "`items` is missing or empty."));
    }
    items(body.items)
}

fn items(items: Option<Vec<Map<String, Value>>>) -> Result<Vec<Value>, Failure> {
    let items: Vec<Value> = items
        .unwrap_or_default()
        .into_iter()
        .map(Value::Object)
        .collect();
    if items.len() > MAX_ITEMS {
        return Err(Failure::invalid(
            "items",
            format!("`items` takes at most {MAX_ITEMS} items at a time."),
        ));
    }
    check_items(&items, &"items")?;
    Ok(items)
}

/// A conversation's items as a list of them shows them: like those of a response, but that the
/// output of a custom tool has no status here.
#[must_use]
pub fn shown(items: &[Value]) -> Vec<Value> {
    let mut items = items.to_vec();
    for item in &mut items {
        if let Value::Object(fields) = item
            && fields.get("type").and_then(Value::as_str) == Some("custom_tool_call_output")
        {
            fields.remove("status");
        }
    }
    items
}

/// A conversation. `created` is in seconds since 1970.
#[must_use]
pub fn object(id: &str, created: u64, metadata: &Metadata) -> Vec<u8> {
    json::text(&json!({
        "id": id,
        "object": "conversation",
        "created_at": created,
        "metadata": metadata,
    }))
}

/// The answer to `DELETE /v1/conversations/{id}`.
#[must_use]
pub fn deleted(id: &str) -> Vec<u8> {
    json::text(&json!({"id": id, "object": "conversation.deleted", "deleted": true}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_begins_with_items_and_labels_or_with_nothing() {
        let body =
            br#"{"items": [{"role": "user", "content": "hi"}], "metadata": {"topic": "demo"}}"#;
        let expected = Create {
            items: vec![json!({"role": "user", "content": "hi"})],
            metadata: [("topic".to_owned(), "demo".to_owned())].into(),
        };
        assert_eq!(create(body).unwrap(), expected);
        for nothing in ["", "{}", r#"{"items": null, "metadata": null}"#] {
            assert_eq!(create(nothing.as_bytes()).unwrap(), Create::default());
        }
    }

    #[test]
    fn labels_beyond_openais_bounds_are_refused() {
        let many: Metadata = (0..17).map(|n| (n.to_string(), String::new())).collect();
        let body = json!({ "metadata": many }).to_string();
        for refused in [
            create(body.as_bytes()).map(|_| ()),
            update(body.as_bytes()).map(|_| ()),
        ] {
            assert_eq!(refused.unwrap_err().param.as_deref(), Some("metadata"));
        }
    }

    #[test]
    fn a_custom_tools_output_has_no_status_in_a_conversation() {
        let output =
            json!({"type": "custom_tool_call_output", "id": "a", "call_id": "c", "output": "o"});
        let message = json!({"type": "message", "id": "b", "status": "completed"});
        let mut stored = output.clone();
        stored["status"] = json!("completed");
        assert_eq!(shown(&[stored, message.clone()]), [output, message]);
    }

    #[test]
    fn what_cannot_be_kept_is_refused_with_its_place() {
        let many = json!({"items": vec![json!({"role": "user", "content": "x"}); 21]}).to_string();
        let table = [
            (r#"{"items": []}"#, "items"),
            (r#"{"items": {}}"#, "items"),
            (r#"{"items": [7]}"#, "items[0]"),
            (
                r#"{"items": [{"role": "user", "content": 7}]}"#,
                "items[0].content",
            ),
            (r#"{"items": [{"type": "odd"}]}"#, "items[0].type"),
            (r#"{"metadata": {"a": 1}}"#, "metadata.a"),
            (many.as_str(), "items"),
        ];
        for (body, param) in table {
            let failure = add(body.as_bytes()).unwrap_err();
            assert_eq!(
                failure.param.as_deref(),
                Some(param),
                "{body}: {}",
                failure.message
            );
        }
    }
}
