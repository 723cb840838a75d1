use serde_json::json;

use super::*;
use crate::chat_request::ToolChoice;

fn tool(name: &str, description: &str, schema: Value) -> Tool {
    Tool {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        input: ToolInput::Json(schema.into()),
        strict: false,
    }
}

fn offering(tools: Vec<Tool>) -> Tools {
    Tools {
        offered: tools,
        ..Tools::default()
    }
}

fn signature(schema: Value) -> String {
    let mut text = String::new();
    signature::write(
        &Tool {
            description: None,
            ..tool("f", "", schema)
        },
        &mut text,
    );
    text.trim_end().to_owned()
}

#[test]
fn schemas_become_signatures() {
    for (schema, wanted) in [
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"enum": ["x", "y"]}}, "required": ["a"]}),
            r#"f(a: string, b?: "x"|"y")"#,
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": ["integer", "null"], "minimum": 1, "description": "How many"}}}),
            "f(a?: integer|null /* min 1; How many */)",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}}}}),
            "f(a?: {x: number}[])",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "array", "items": {"enum": [1, 2]}}}}),
            "f(a?: (1|2)[])",
        ),
        (
            json!({"type": "object", "properties": {"m": {"type": "object", "additionalProperties": {"type": "string"}}}}),
            "f(m?: {[key: string]: string})",
        ),
        (
            json!({"type": "object", "properties": {"p": {"$ref": "#/$defs/P"}}, "$defs": {"P": {"type": "object", "properties": {"x": {"type": "boolean"}}}}}),
            "f(p?: {x?: boolean})",
        ),
        (json!({"type": "object", "properties": {}}), "f()"),
        (json!({}), "f()"),
        (
            json!({"type": "object", "properties": {"a": {"allOf": [{"type": "string"}]}}}),
            r#"f(a?: {"allOf":[{"type":"string"}]})"#,
        ),
        (
            json!({"type": "object", "properties": {"a b": {}}}),
            r#"f("a b"?: any)"#,
        ),
    ] {
        assert_eq!(signature(schema.clone()), wanted, "{schema}");
    }
}

#[test]
fn a_schema_that_refers_to_itself_comes_to_an_end() {
    let schema = json!({"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}, "$defs": {"N": {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}}});
    assert_eq!(signature(schema), "f(n?: {next?: N})");
}

#[test]
fn the_choice_is_said_last() {
    let tools = |choice, one_at_a_time| Tools {
        choice,
        one_at_a_time,
        ..offering(vec![tool("f", "", json!({}))])
    };
    let tags = Tags::default();
    assert!(
        reminder(&tools(ToolChoice::Named("f".to_owned()), false), tags).contains("Call f now")
    );
    assert!(reminder(&tools(ToolChoice::Required, true), tags).contains("must call"));
    assert!(reminder(&tools(ToolChoice::Auto, true), tags).contains("Exactly one block"));
    assert_eq!(reminder(&tools(ToolChoice::None, false), tags), "");
    assert_eq!(
        section(&tools(ToolChoice::None, false), tags, Style::Signatures),
        ""
    );
}

#[test]
fn the_section_uses_the_variant_in_force() {
    let tags = Tags::choose(["<tool_call>"]);
    let text = section(
        &offering(vec![tool("f", "", json!({}))]),
        tags,
        Style::JsonSchema,
    );
    assert!(
        text.contains("<tool_call-2>")
            && text.contains("<tool_result-2>")
            && !text.contains("<tool_call>"),
        "{text}"
    );
}

#[test]
fn the_longest_family_decides_and_configuration_comes_first() {
    assert_eq!(Style::for_model("gpt-5", &[]), Style::Signatures);
    assert_eq!(
        Style::for_model("meta/llama-4-scout", &[]),
        Style::JsonSchema
    );
    let rows = [
        ("llama".to_owned(), Style::Signatures),
        ("llama-4".to_owned(), Style::JsonSchema),
    ];
    assert_eq!(Style::for_model("llama-3", &rows), Style::Signatures);
    assert_eq!(Style::for_model("llama-4-scout", &rows), Style::JsonSchema);
}

#[test]
fn definitions_that_multiply_do_not_make_a_signature_grow_without_end() {
    let level = |n: usize| {
        let refer = json!({"$ref": format!("#/$defs/d{}", n + 1)});
        let properties: serde_json::Map<String, Value> =
            (0..40).map(|p| (format!("p{p}"), refer.clone())).collect();
        json!({"type": "object", "properties": properties})
    };
    let mut defs: serde_json::Map<String, Value> =
        (0..8).map(|n| (format!("d{n}"), level(n))).collect();
    defs.insert("d8".to_owned(), json!({"type": "string"}));
    let schema =
        json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": defs});
    let json = schema.to_string();
    assert_eq!(signature(schema), format!("f({json})"));
}

#[test]
fn a_definition_that_is_used_a_few_times_is_still_written_out() {
    let schema = json!({"type": "object", "properties": {"from": {"$ref": "#/$defs/P"}, "to": {"$ref": "#/$defs/P"}, "via": {"type": "array", "items": {"$ref": "#/$defs/P"}}}, "$defs": {"P": {"type": "object", "properties": {"x": {"type": "number", "description": "metres"}}, "required": ["x"]}}});
    let point = "{x: number /* metres */}";
    assert_eq!(
        signature(schema),
        format!("f(from?: {point}, to?: {point}, via?: {point}[])")
    );
}
