//! What of a request the answer tells back.

use serde_json::{Map, Value, json};

use crate::dialect::openai::responses::encode::Echo;
use crate::dialect::openai::responses::wire;

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
        temperature: number(request.temperature.as_ref()),
        text: text(request.text.as_ref()),
        tool_choice: match request.tool_choice.as_ref() {
            None | Some(Value::Null) => json!("auto"),
            Some(choice) => choice.clone(),
        },
        tools: tools.iter().map(tool).collect(),
        top_logprobs: request.top_logprobs.map_or(0, |count| count.0),
        top_p: number(request.top_p.as_ref()),
        truncation: match request.truncation.as_deref() {
            Some("auto") => "auto",
            _ => "disabled",
        },
        user: request.user.clone(),
    }
}

fn number(value: Option<&Value>) -> Option<Value> {
    value.filter(|value| value.is_number()).cloned()
}

fn text(text: Option<&Map<String, Value>>) -> Value {
    let mut text = text.cloned().unwrap_or_default();
    text.retain(|_, value| !value.is_null());
    let form = text.entry("format");
    form.or_insert_with(|| json!({"type": "text"}));
    Value::Object(text)
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
