//! What of a request the answer tells back.

use serde_json::{Map, Value, json};

use crate::dialect::openai::responses::encode::Echo;
use crate::dialect::openai::responses::wire;

/// The name of a schema that was given none.
pub(super) const SCHEMA_NAME: &str = "response";

/// The request's settings, as a response object shows them.
pub(super) fn echo(request: &wire::Request, model: &str, tools: &[Value]) -> Echo {
    let reasoning = request.reasoning.as_ref();
    Echo {
        model: model.to_owned(),
        conversation: request
            .conversation
            .as_ref()
            .map(|conversation| json!({"id": conversation.id})),
        instructions: request.instructions.clone(),
        max_output_tokens: request.max_output_tokens.map(|count| count.0),
        max_tool_calls: request.max_tool_calls.map(|count| count.0),
        metadata: request.metadata.clone().unwrap_or_default(),
        parallel_tool_calls: request.parallel_tool_calls.unwrap_or(true),
        previous_response_id: request.previous_response_id.clone(),
        prompt_cache_key: request.prompt_cache_key.clone(),
        reasoning: json!({
            "effort": reasoning.and_then(|reasoning| reasoning.effort.as_deref()),
            "summary": reasoning.and_then(|reasoning| reasoning.summary.as_deref()),
        }),
        safety_identifier: request.safety_identifier.clone(),
        store: request.store != Some(false),
        temperature: request.temperature.clone().map(Value::Number),
        text: text(request.text.as_ref()),
        tool_choice: tool_choice(request.tool_choice.as_ref()),
        tools: tools.iter().map(tool).collect(),
        top_logprobs: request.top_logprobs.map_or(0, |count| count.0),
        top_p: request.top_p.clone().map(Value::Number),
        truncation: match request.truncation.as_deref() {
            Some("auto") => "auto",
            _ => "disabled",
        },
        user: request.user.clone(),
    }
}

fn text(text: Option<&Map<String, Value>>) -> Value {
    let mut text = text.cloned().unwrap_or_default();
    text.retain(|_, value| !value.is_null());
    let form = text.entry("format");
    let form = form.or_insert_with(|| json!({"type": "text"}));
    if let Value::Object(form) = form
        && form.get("type").and_then(Value::as_str) == Some("json_schema")
    {
        form.retain(|_, value| !value.is_null());
        form.entry("name").or_insert_with(|| json!(SCHEMA_NAME));
    }
    Value::Object(text)
}

/// The choice in this API's own words, also where it was made in those of another.
fn tool_choice(choice: Option<&Value>) -> Value {
    let fields = match choice {
        None | Some(Value::Null) => return json!("auto"),
        Some(Value::Object(fields)) => fields,
        Some(word) if word == "any" => return json!("required"),
        Some(word) => return word.clone(),
    };
    let kind = fields.get("type").and_then(Value::as_str);
    let kind = kind.unwrap_or("function");
    match kind {
        "auto" | "none" | "required" => return json!(kind),
        "any" => return json!("required"),
        _ => {}
    }
    let mut flat = fields.clone();
    flat.insert("type".to_owned(), json!(kind));
    if let Some(Value::Object(inner)) = flat.remove(kind) {
        flat.extend(inner);
    }
    if kind == "allowed_tools" {
        flat.entry("mode").or_insert_with(|| json!("auto"));
    }
    Value::Object(flat)
}

/// A declared tool. Functions show what the reference says is always there.
fn tool(tool: &Value) -> Value {
    let mut tool = tool.clone();
    if let Value::Object(fields) = &mut tool {
        if let Some(Value::Object(function)) = fields.remove("function") {
            fields.extend(function);
        }
        if fields.get("type").and_then(Value::as_str) == Some("function") {
            fields.entry("parameters").or_insert(Value::Null);
            let strict = fields.entry("strict").or_insert(Value::Null);
            if strict.is_null() {
                *strict = json!(false);
            }
        }
    }
    tool
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_without_a_name_is_told_with_the_one_it_gets() {
        let given =
            json!({"format": {"type": "json_schema", "schema": {}, "name": null, "strict": null}});
        let told = json!({"format": {"type": "json_schema", "schema": {}, "name": "response"}});
        assert_eq!(text(given.as_object()), told);
        assert_eq!(text(None), json!({"format": {"type": "text"}}));
    }

    #[test]
    fn a_choice_is_told_in_this_apis_own_words() {
        let function = json!({"type": "function", "name": "f"});
        let allowed = json!({"type": "allowed_tools", "mode": "auto", "tools": [function]});
        let table = [
            (Value::Null, json!("auto")),
            (json!("none"), json!("none")),
            (json!("any"), json!("required")),
            (json!({"type": "any"}), json!("required")),
            (function.clone(), function.clone()),
            (
                json!({"type": "function", "function": {"name": "f"}}),
                function.clone(),
            ),
            (json!({"name": "f"}), function.clone()),
            (allowed.clone(), allowed.clone()),
            (
                json!({"type": "allowed_tools", "allowed_tools": {"tools": [function]}}),
                allowed,
            ),
            (
                json!({"type": "web_search_preview"}),
                json!({"type": "web_search_preview"}),
            ),
        ];
        for (given, told) in table {
            assert_eq!(tool_choice(Some(&given)), told, "{given}");
        }
    }
}
