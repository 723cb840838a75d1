//! Input items in the form in which they are stored and listed: each with an id, a status, and its
//! content as parts.

use serde_json::{Map, Value, json};

use crate::reply::ResponseMeta;

/// The items of a request, as they are stored. Ids that the client gave are kept; the others are
/// made from the request's stamp and differ from those of the answer's items.
#[must_use]
pub fn numbered(items: Vec<Value>, meta: &ResponseMeta) -> Vec<Value> {
    let numbered = items.into_iter().enumerate();
    numbered.map(|(at, item)| normal(item, at, meta)).collect()
}

fn normal(item: Value, at: usize, meta: &ResponseMeta) -> Value {
    let Value::Object(mut item) = item else {
        return item;
    };
    item.retain(|_, value| !value.is_null());
    let kind = item
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or("message")
        .to_owned();
    let mut normal = Map::with_capacity(item.len() + 3);
    let id = item
        .remove("id")
        .filter(|id| id.as_str().is_some_and(|id| !id.is_empty()));
    normal.insert(
        "id".to_owned(),
        id.unwrap_or_else(|| json!(format!("{}_{}i{at:02x}", prefix(&kind), meta.id))),
    );
    normal.insert("type".to_owned(), json!(kind));
    normal.append(&mut item);
    if has_status(&kind) {
        normal.entry("status").or_insert_with(|| json!("completed"));
    }
    match kind.as_str() {
        "message" => message(&mut normal),
        "reasoning" => {
            normal.entry("summary").or_insert_with(|| json!([]));
        }
        "function_call" => {
            if let Some(arguments) = normal
                .get_mut("arguments")
                .filter(|arguments| !arguments.is_string())
            {
                *arguments = json!(arguments.to_string());
            }
            normal.entry("arguments").or_insert_with(|| json!(""));
        }
        "function_call_output" | "custom_tool_call_output" => output(&mut normal),
        _ => {}
    }
    Value::Object(normal)
}

/// What ids of items of a type begin with.
fn prefix(kind: &str) -> &'static str {
    match kind {
        "message" => "msg",
        "reasoning" => "rs",
        "function_call" => "fc",
        "function_call_output" => "fco",
        "custom_tool_call" => "ctc",
        "custom_tool_call_output" => "ctco",
        "local_shell_call" => "lsh",
        "shell_call" => "sh",
        "shell_call_output" => "sho",
        "apply_patch_call" => "apc",
        "apply_patch_call_output" => "apco",
        "tool_search_call" => "tsc",
        "tool_search_output" => "tso",
        "additional_tools" => "at",
        "configuration_update" => "cu",
        "web_search_call" => "ws",
        _ => "item",
    }
}

fn has_status(kind: &str) -> bool {
    !matches!(
        kind,
        "reasoning" | "additional_tools" | "compaction" | "configuration_update"
    )
}

fn message(item: &mut Map<String, Value>) {
    let assistant = item.get("role").and_then(Value::as_str) == Some("assistant");
    let content = match item.remove("content") {
        Some(Value::String(text)) => vec![json!({"type": "text", "text": text})],
        Some(Value::Array(parts)) => parts,
        _ => Vec::new(),
    };
    let parts = content.into_iter().map(|part| self::part(part, assistant));
    item.insert("content".to_owned(), parts.collect());
}

/// `output` as parts, where it is no plain text.
fn output(item: &mut Map<String, Value>) {
    let output = match item.remove("output") {
        Some(Value::Array(parts)) => parts
            .into_iter()
            .map(|part| self::part(part, false))
            .collect(),
        Some(output) => output,
        None => json!(""),
    };
    item.insert("output".to_owned(), output);
}

/// A content part under its own name and with the fields that the reference requires.
fn part(part: Value, assistant: bool) -> Value {
    let Value::Object(mut part) = part else {
        return part;
    };
    part.retain(|_, value| !value.is_null());
    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
    let kind = match (kind, assistant) {
        ("text" | "input_text" | "output_text", true) => "output_text",
        ("text" | "input_text" | "output_text", false) => "input_text",
        ("image_url" | "input_image", _) => "input_image",
        ("file" | "input_file", _) => "input_file",
        _ => return Value::Object(part),
    };
    part.insert("type".to_owned(), json!(kind));
    match kind {
        "output_text" => {
            part.entry("annotations").or_insert_with(|| json!([]));
        }
        "input_text" => {
            part.retain(|key, _| !matches!(key.as_str(), "annotations" | "logprobs"));
        }
        "input_image" => {
            if let Some(url) = part
                .get("image_url")
                .and_then(|url| url.get("url"))
                .cloned()
            {
                part.insert("image_url".to_owned(), url);
            }
            part.entry("detail").or_insert_with(|| json!("auto"));
        }
        _ => {}
    }
    Value::Object(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(item: Value) -> Value {
        let meta = ResponseMeta {
            id: "abc".to_owned(),
            created: 0,
        };
        numbered(vec![item], &meta).remove(0)
    }

    #[test]
    fn items_are_stored_with_all_that_a_list_of_them_shows() {
        let table = [
            (
                json!({"role": "user", "content": "hi"}),
                json!({"id": "msg_abci00", "type": "message", "role": "user", "status": "completed",
                    "content": [{"type": "input_text", "text": "hi"}]}),
            ),
            (
                json!({"role": "assistant", "content": "hi", "type": "message", "id": null}),
                json!({"id": "msg_abci00", "type": "message", "role": "assistant", "status": "completed",
                    "content": [{"type": "output_text", "text": "hi", "annotations": []}]}),
            ),
            (
                json!({"id": "msg_1", "role": "user", "content": [
                    {"type": "input_image", "image_url": "https://example.org/a.png", "file_id": null}]}),
                json!({"id": "msg_1", "type": "message", "role": "user", "status": "completed", "content": [
                    {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "auto"}]}),
            ),
            (
                json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "status": "incomplete"}),
                json!({"id": "fc_abci00", "type": "function_call", "call_id": "c", "name": "f",
                    "arguments": "{}", "status": "incomplete"}),
            ),
            (
                json!({"type": "function_call_output", "call_id": "c", "output": "18"}),
                json!({"id": "fco_abci00", "type": "function_call_output", "call_id": "c", "output": "18",
                    "status": "completed"}),
            ),
            (
                json!({"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "output_text", "text": "x"}]}),
                json!({"id": "ctco_abci00", "type": "custom_tool_call_output", "call_id": "c",
                    "output": [{"type": "input_text", "text": "x"}], "status": "completed"}),
            ),
            (
                json!({"type": "reasoning", "encrypted_content": "…"}),
                json!({"id": "rs_abci00", "type": "reasoning", "encrypted_content": "…", "summary": []}),
            ),
        ];
        for (given, expected) in table {
            assert_eq!(stored(given.clone()), expected, "{given}");
            assert_eq!(
                stored(expected.clone()),
                expected,
                "what is stored stays as it is"
            );
        }
    }
}
