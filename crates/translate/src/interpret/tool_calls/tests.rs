use serde_json::json;

use super::*;
use crate::chat_request::{Tool, ToolInput, Tools};
use crate::reply::{Event, Reply};
use crate::tags::Tags;

fn tools() -> Tools {
    let tool = |name: &str, schema| Tool {
        name: name.to_owned(),
        description: None,
        input: ToolInput::Json(schema),
        strict: false,
    };
    Tools {
        offered: vec![
            tool(
                "get_weather",
                json!({"type": "object", "properties": {"location": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}}, "required": ["location"]}).into(),
            ),
            tool(
                "write_file",
                json!({"type": "object", "properties": {"path": {"type": "string"}, "content": {"type": "string"}}, "required": ["path", "content"]}).into(),
            ),
        ],
        ..Tools::default()
    }
}

fn read(text: &str) -> (Reply, Outcome) {
    read_with(&tools(), text)
}

fn read_with(tools: &Tools, text: &str) -> (Reply, Outcome) {
    let mut reply = Reply::default();
    let mut reader = Reader::new(
        tools,
        Tags::default(),
        PromptEcho::default(),
        Options::default(),
    );
    for c in text.chars() {
        reader.push(c.encode_utf8(&mut [0; 4]), &mut |event: Event<'_>| {
            reply.collect(event);
        });
    }
    let outcome = reader.end(false, &mut |event: Event<'_>| reply.collect(event));
    (reply, outcome)
}

#[test]
fn the_form_asked_for_is_read() {
    let (reply, outcome) = read(
        "Let me see.\n\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Paris\"}}\n</tool_call>\n",
    );
    assert_eq!(reply.text, "Let me see.");
    assert_eq!(reply.calls.len(), 1);
    assert_eq!(reply.calls[0].arguments, r#"{"location":"Paris"}"#);
    assert_eq!(
        outcome,
        Outcome {
            calls: 1,
            ..Outcome::default()
        }
    );
}

#[test]
fn a_tool_with_the_name_of_the_tag_does_not_take_the_calls_of_others() {
    let mut tools = tools();
    let schema = json!({"type": "object", "properties": {"id": {"type": "string"}}});
    tools.offered.push(Tool {
        name: "tool_call".to_owned(),
        description: None,
        input: ToolInput::Json(schema.into()),
        strict: false,
    });
    let call = |name: &str, arguments: &str| {
        format!("<tool_call>\n{{\"name\": \"{name}\", \"arguments\": {arguments}}}\n</tool_call>\n")
    };
    let text = call("get_weather", r#"{"location":"Paris"}"#) + &call("tool_call", r#"{"id":"7"}"#);
    let (reply, _) = read_with(&tools, &text);
    let made: Vec<_> = reply
        .calls
        .iter()
        .map(|call| (call.name.as_str(), call.arguments.as_str()))
        .collect();
    let expected = [
        ("get_weather", r#"{"location":"Paris"}"#),
        ("tool_call", r#"{"id":"7"}"#),
    ];
    assert_eq!(made, expected);
}

#[test]
fn a_string_that_is_not_closed_never_takes_in_the_next_call() {
    let first =
        "<tool_call>\n{\"name\": \"write_file\", \"arguments\": {\"path\": \"a}}\n</tool_call>\n";
    let next = "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Paris\"}}\n</tool_call>\n";
    let (reply, outcome) = read(&format!("{first}{next}{next}"));
    assert!(outcome.broke_started_call());
    assert_eq!(outcome.calls, 1);
    assert_eq!(reply.calls[1].arguments, r#"{"location":"Paris"}"#);
    let again = outcome
        .reask_message(&["get_weather"], "<tool_call>")
        .unwrap();
    assert!(
        again.contains("write_file could not be read: a string is not closed"),
        "{again}"
    );
}
