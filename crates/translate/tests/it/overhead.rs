//! What the tool section costs in tokens, beside the schemas' own text.

use serde_json::{Value, json};
use tiktoken_rs::o200k_base;
use translate::chat_request::{Tool, ToolInput, Tools};
use translate::compose::tools::{Style, reminder, section};
use translate::tags::Tags;

/// Tools as agents have them: a few kinds, each with its own names and words.
fn realistic(count: usize) -> Vec<Tool> {
    let file = include_str!("../../testdata/realistic_tools.json");
    let kinds: Vec<Value> = serde_json::from_str(file).unwrap();
    let tool = |at: usize| {
        let kind = &kinds[at % kinds.len()];
        let round = at / kinds.len();
        let name = kind["name"].as_str().unwrap();
        Tool {
            name: if round == 0 {
                name.to_owned()
            } else {
                format!("{name}_{round}")
            },
            description: kind["description"].as_str().map(str::to_owned),
            input: ToolInput::Json(kind["parameters"].clone().into()),
            strict: false,
        }
    };
    (0..count).map(tool).collect()
}

/// The schemas' own text, minified, as a native API would be given it.
fn schema_text(tools: &[Tool]) -> String {
    let function = |tool: &Tool| {
        let ToolInput::Json(parameters) = &tool.input else {
            unreachable!()
        };
        json!({"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": **parameters}})
    };
    Value::Array(tools.iter().map(function).collect()).to_string()
}

#[test]
fn the_tool_section_costs_at_most_a_third_more_than_the_schemas() {
    let tokens = o200k_base().unwrap();
    let count = |text: &str| tokens.encode_ordinary(text).len();
    println!("| tools | schema text | signatures | | JSON Schema | |");
    for n in [1, 16, 64] {
        let offered = realistic(n);
        let schemas = count(&schema_text(&offered));
        let tools = Tools {
            offered,
            ..Tools::default()
        };
        let tags = Tags::default();
        let cost = |style| count(&section(&tools, tags, style)) + count(&reminder(&tools, tags));
        let (signatures, json_schema) = (cost(Style::Signatures), cost(Style::JsonSchema));
        let ratio = |cost: usize| cost as f64 / schemas as f64;
        println!(
            "| {n} | {schemas} | {signatures} | {:.2}x | {json_schema} | {:.2}x |",
            ratio(signatures),
            ratio(json_schema)
        );
        assert!(
            ratio(signatures) <= 1.3,
            "{n} tools: {signatures} tokens for {schemas}"
        );
    }
}
