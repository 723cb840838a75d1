//! The JSON Schema of a tool's arguments, alike in all dialects.

use serde_json::Value;

use crate::failure::{Failure, FieldPath, echo};

/// Checks that a value can be the schema of arguments, which are an object: a JSON Schema, whose
/// `type` (if it has one) is or has `object`. No call could be made of a tool with another one.
///
/// # Errors
/// It cannot; `path` is at fault.
pub(super) fn check(schema: &Value, path: FieldPath<'_>) -> Result<(), Failure> {
    if !schema.is_object() && !schema.is_boolean() {
        let message = format!("`{path}` must be a JSON Schema: an object.");
        return Err(Failure::invalid(path.to_string(), message));
    }
    let kind = match schema.get("type") {
        Some(Value::String(kind)) if kind != "object" => kind.clone(),
        Some(kinds @ Value::Array(list)) if !list.iter().any(|kind| kind == "object") => {
            kinds.to_string()
        }
        _ => return Ok(()),
    };
    let message = format!(
        "Invalid schema: the `type` of `{path}` must be `object`, since arguments are an object, not `{}`.",
        echo(&kind)
    );
    Err(Failure::invalid(path.to_string(), message).with_code("invalid_function_parameters"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_an_object_or_there_is_nothing_to_call() {
        let good = [
            json!({}),
            json!(true),
            json!({"type": "object"}),
            json!({"type": ["object", "null"]}),
            json!({"anyOf": [{"type": "object"}]}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}),
        ];
        for schema in good {
            assert_eq!(check(&schema, &"p"), Ok(()), "{schema}");
        }
        let bad = [
            json!("object"),
            json!(["object"]),
            json!(null),
            json!({"type": "array"}),
            json!({"type": "string"}),
            json!({"type": ["string", "null"]}),
        ];
        for schema in bad {
            let failure = check(&schema, &"p").unwrap_err();
            assert_eq!(failure.param.as_deref(), Some("p"), "{schema}");
        }
    }
}
