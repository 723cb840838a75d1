use serde_json::json;

use super::*;
use crate::chat_request::{ChatRequest, Delivery, Source};
use crate::failure::Kind;

fn decoded(body: &Value) -> Result<ChatRequest, Failure> {
    decode(body.to_string().as_bytes()).map(|decoded| decoded.chat)
}

fn with(messages: &Value) -> Value {
    json!({"model": "gpt-4o-mini", "messages": messages})
}

/// Each result's text with the id of the call it answers, and each call's id with its name.
fn matched(chat: &ChatRequest) -> Vec<(String, String)> {
    let parts = chat.messages.iter().flat_map(|message| &message.parts);
    parts
        .filter_map(|part| match part {
            Part::Call(call) => Some((call.id.clone(), call.name.clone())),
            Part::Result(result) => {
                let Some(Part::Text(text)) = result.parts.first() else {
                    return None;
                };
                Some((result.call_id.clone(), text.clone()))
            }
            _ => None,
        })
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    expected.iter().map(owned).collect()
}

fn call(name: &str, arguments: &Value) -> Value {
    json!({"function": {"name": name, "arguments": arguments}})
}

#[test]
fn a_stream_is_what_is_not_refused() {
    for (stream, delivery) in [
        (json!(null), Delivery::Streamed),
        (json!(true), Delivery::Streamed),
        (json!(false), Delivery::Whole),
    ] {
        let mut body = with(&json!([{"role": "user", "content": "Hi"}]));
        body["stream"] = stream;
        assert_eq!(decoded(&body).unwrap().delivery, delivery, "{body}");
    }
}

#[test]
fn results_without_ids_are_matched_by_tool_and_by_order() {
    let calls = json!([
        call("sun", &json!({"in": "Oslo"})),
        call("rain", &json!({})),
        call("sun", &json!({"in": "Rome"}))
    ]);
    let turn = |results: &Value| {
        let mut messages = json!([
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "", "tool_calls": calls},
        ]);
        let list = messages.as_array_mut().unwrap();
        list.extend(results.as_array().unwrap().iter().cloned());
        matched(&decoded(&with(&messages)).unwrap())
    };
    let made = [("call_1", "sun"), ("call_2", "rain"), ("call_3", "sun")];
    // Home Assistant names no tool.
    let by_order = json!([{"role": "tool", "content": "a"}, {"role": "tool", "content": "b"}, {"role": "tool", "content": "c"}]);
    let results = [("call_1", "a"), ("call_2", "b"), ("call_3", "c")];
    assert_eq!(turn(&by_order), pairs(&[&made[..], &results].concat()));
    // By tool, whatever the order.
    let by_tool = json!([
        {"role": "tool", "tool_name": "rain", "content": "b"},
        {"role": "tool", "tool_name": "sun", "content": "a"},
        {"role": "tool", "tool_name": "sun", "content": "c"},
        {"role": "tool", "tool_name": "snow", "content": "d"},
    ]);
    let results = [("call_2", "b"), ("call_1", "a"), ("call_3", "c"), ("", "d")];
    assert_eq!(turn(&by_tool), pairs(&[&made[..], &results].concat()));
}

#[test]
fn ids_are_kept_where_clients_have_them() {
    let chat = decoded(&with(&json!([
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "tool_calls": [
            {"id": "x", "function": {"name": "sun", "arguments": "{\"in\": \"Oslo\"}"}},
            {"id": "y", "function": {"name": "sun"}},
        ]},
        {"role": "tool", "tool_call_id": "y", "content": "b"},
        {"role": "tool", "tool_call_id": "x", "content": "a"},
    ])))
    .unwrap();
    let expected = [("x", "sun"), ("y", "sun"), ("y", "b"), ("x", "a")];
    assert_eq!(matched(&chat), pairs(&expected));
    let arguments = chat.messages[1].parts.iter().filter_map(|part| match part {
        Part::Call(call) => Some(call.arguments.as_str()),
        _ => None,
    });
    assert_eq!(arguments.collect::<Vec<_>>(), ["{\"in\": \"Oslo\"}", "{}"]);
}

#[test]
fn a_later_turns_results_do_not_answer_an_earlier_turns_calls() {
    let chat = decoded(&with(&json!([
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "tool_calls": [call("sun", &json!({})), call("rain", &json!({}))]},
        {"role": "tool", "content": "a"},
        {"role": "user", "content": "And now?"},
        {"role": "assistant", "tool_calls": [call("wind", &json!({}))]},
        {"role": "tool", "content": "c"},
    ])))
    .unwrap();
    let last = matched(&chat).pop();
    assert_eq!(last, pairs(&[("call_3", "c")]).pop());
}

#[test]
fn images_are_base64_or_what_other_apis_take() {
    let gif = "R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
    let chat = decoded(&with(
        &json!([{"role": "user", "content": "See", "images": [
            gif, format!("data:image/gif;base64,{gif}"), "https://example.org/a.gif",
        ]}]),
    ))
    .unwrap();
    let sources = chat.messages[0].parts.iter().filter_map(|part| match part {
        Part::Image(image) => Some(matches!(image.source, Source::Inline(_))),
        _ => None,
    });
    assert_eq!(sources.collect::<Vec<_>>(), [true, true, false]);
    let body = with(&json!([{"role": "user", "content": "See", "images": [gif, "no base64!"]}]));
    let failure = decoded(&body).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("messages[0].images[1]"));
}

#[test]
fn no_message_is_a_model_to_load() {
    for (body, reason) in [
        (json!({"model": "m"}), "load"),
        (json!({"model": "m", "messages": []}), "load"),
        (
            json!({"model": "m", "messages": [], "keep_alive": 0}),
            "unload",
        ),
    ] {
        let Ok(Decoded::Load(load)) = decode_any(body.to_string().as_bytes()) else {
            panic!("{body}");
        };
        let meta = crate::reply::ResponseMeta {
            id: String::new(),
            created: 0,
        };
        let answer: Value = serde_json::from_slice(&load.answer(&meta)).unwrap();
        assert_eq!(answer["done_reason"], reason);
        assert_eq!(answer["done"], true);
        assert_eq!(answer["message"]["content"], "");
    }
    assert_eq!(
        decoded(&json!({"model": "m"})).unwrap_err().kind,
        Kind::Invalid
    );
}

#[test]
fn what_is_wrong_is_named_by_its_place() {
    for (body, param) in [
        (
            with(&json!([{"role": "robot", "content": "x"}])),
            "messages[0].role",
        ),
        (
            with(&json!([{"role": "user", "content": 1}])),
            "messages[0].content",
        ),
        (with(&json!([{"role": "user", "content": " "}])), "messages"),
        (
            json!({"messages": [{"role": "user", "content": "x"}]}),
            "model",
        ),
        (
            json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": [{"type": "function"}]}),
            "tools[0].function",
        ),
        (
            json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": [{"function": {"name": "a b"}}]}),
            "tools[0].function.name",
        ),
        (
            json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "options": {"stop": 1}}),
            "options.stop",
        ),
    ] {
        let failure = decoded(&body).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some(param), "{body}");
    }
}

#[test]
fn a_hosted_tool_is_passed_over() {
    let mut body = with(&json!([{"role": "user", "content": "x"}]));
    body["tools"] = json!([{"type": "web_search"}, {"type": "function", "function": {"name": "f", "parameters": null}}]);
    let chat = decoded(&body).unwrap();
    assert_eq!(chat.ignored, ["web_search"]);
    assert_eq!(chat.tools.offered.len(), 1);
}

#[test]
fn a_request_for_another_endpoint_loads_no_model() {
    for (field, value, endpoint) in [
        ("prompt", json!("Hi"), "POST /api/generate"),
        (
            "input",
            json!([{"role": "user", "content": "Hi"}]),
            "POST /v1/responses",
        ),
    ] {
        let body = json!({"model": "m", field: value});
        let failure = decode_any(body.to_string().as_bytes()).err().unwrap();
        assert!(failure.message.contains(endpoint), "{}", failure.message);
    }
    for body in [
        json!({"model": "m"}),
        json!({"model": "m", "prompt": "", "input": null}),
    ] {
        assert!(
            matches!(
                decode_any(body.to_string().as_bytes()),
                Ok(Decoded::Load(_))
            ),
            "{body}"
        );
    }
}

#[test]
fn tools_in_the_forms_of_other_apis_are_taken() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let offer = |tool: Value| {
        let mut body = with(&json!([{"role": "user", "content": "Hi"}]));
        body["tools"] = json!([tool]);
        decoded(&body)
    };
    let nested = json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}});
    let nested = offer(nested).unwrap().tools;
    for tool in [
        json!({"type": "function", "name": "f", "description": "d", "parameters": schema}),
        json!({"name": "f", "description": "d", "input_schema": schema}),
        json!({"type": "custom", "name": "f", "description": "d", "input_schema": schema}),
    ] {
        assert_eq!(offer(tool).unwrap().tools, nested);
    }
    for tool in [
        json!({"type": "function", "title": "f"}),
        json!({"type": "function", "function": {"name": "f", "parameters": {"type": "array"}}}),
    ] {
        assert!(offer(tool).is_err());
    }
}

#[test]
fn more_tools_than_are_looked_through_are_refused() {
    let with_tools = |count: usize| {
        let tool = |n: usize| json!({"type": "function", "function": {"name": format!("f{n}"), "parameters": {}}});
        let mut body = with(&json!([{"role": "user", "content": "Hi"}]));
        body["tools"] = (0..count).map(tool).collect();
        decoded(&body)
    };
    assert!(with_tools(bounds::TOOLS_MAX).is_ok());
    let failure = with_tools(bounds::TOOLS_MAX + 1).unwrap_err();
    assert_eq!(failure.param.as_deref(), Some("tools"));
}

#[test]
fn names_without_effect_are_noted_within_bounds() {
    let mut body = with(&json!([{"role": "user", "content": "Hi"}]));
    let tools = (0..1000).map(|n| json!({"type": format!("t{n}")}));
    let options = (0..1000).map(|n| (format!("o{n}"), json!(1)));
    body["tools"] = tools.collect();
    body["options"] = Value::Object(options.collect());
    let chat = decoded(&body).unwrap();
    assert_eq!(chat.ignored.len(), bounds::IGNORED_NAMES_MAX + 1);
}
