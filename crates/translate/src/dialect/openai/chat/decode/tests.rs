use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::chat_request::{
    Attachment, Call, CallResult, Message, Part, Role, Source, Tool, ToolChoice, Tools,
};

mod refused;

/// Decodes a request with these fields beside a model and a message.
fn with(fields: &Value) -> Result<ChatRequest, Failure> {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let (Value::Object(body_fields), Value::Object(fields)) = (&mut body, fields) else {
        panic!("fields are an object");
    };
    body_fields.extend(fields.clone());
    decode(body.to_string().as_bytes()).map(|request| request.chat)
}

/// The messages of a request that has only these.
fn spoken(messages: &Value) -> Result<Vec<Message>, Failure> {
    with(&json!({ "messages": messages })).map(|chat| chat.messages)
}

fn said(role: Role, text: &str) -> Message {
    Message {
        role,
        name: None,
        parts: vec![Part::Text(text.to_owned())],
    }
}

/// The parts of a user message with this content.
fn content(content: &Value) -> Result<Vec<Part>, Failure> {
    let mut messages = spoken(&json!([{"role": "user", "content": content}]))?;
    Ok(messages.remove(0).parts)
}

fn media(source: Source, name: Option<&str>, mime: Option<&str>) -> Attachment {
    Attachment {
        source,
        name: name.map(str::to_owned),
        mime: mime.map(str::to_owned),
    }
}

fn inline(bytes: &'static [u8]) -> Source {
    Source::Inline(Bytes::from_static(bytes))
}

fn weather() -> Value {
    json!({"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}})
}

#[test]
fn a_plain_request_is_a_plain_turn() {
    let chat = with(&json!({})).unwrap();
    let expected = ChatRequest {
        model: "m".to_owned(),
        messages: vec![said(Role::User, "hi")],
        choices: 1,
        ..ChatRequest::default()
    };
    assert_eq!(chat, expected);
}

#[test]
fn null_is_the_same_as_absent() {
    let names = [
        "stream",
        "stream_options",
        "n",
        "stop",
        "max_tokens",
        "max_completion_tokens",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "functions",
        "function_call",
        "response_format",
        "reasoning_effort",
        "web_search_options",
        "web_search",
        "num_of_site",
        "max_word",
        "new_input",
        "temperature",
        "top_p",
        "logprobs",
        "logit_bias",
        "seed",
        "user",
        "metadata",
        "anything",
    ];
    let nulls = names
        .iter()
        .map(|name| ((*name).to_owned(), Value::Null))
        .collect();
    assert_eq!(with(&Value::Object(nulls)), with(&json!({})));
}

#[test]
fn every_role_has_its_place() {
    for (role, expected) in [
        ("system", Role::System),
        ("developer", Role::System),
        ("user", Role::User),
        ("assistant", Role::Assistant),
    ] {
        let messages = spoken(&json!([{"role": role, "content": "x", "name": "Ann"}])).unwrap();
        let named = Message {
            name: Some("Ann".to_owned()),
            ..said(expected, "x")
        };
        assert_eq!(messages, [named], "{role}");
    }
    let nameless = spoken(&json!([{"role": "user", "content": "x", "name": ""}])).unwrap();
    assert_eq!(nameless, [said(Role::User, "x")]);
}

#[test]
fn results_of_tools_and_functions_are_results() {
    let messages = spoken(&json!([
        {"role": "tool", "tool_call_id": "call_1", "content": "18 °C"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "function", "name": "weather", "content": "19 °C"},
        {"role": "tool", "tool_call_id": "call_3", "content": null},
    ]));
    let result = |call_id: &str, name: Option<&str>, texts: &[&str]| Message {
        role: Role::Tool,
        name: None,
        parts: vec![Part::Result(CallResult {
            call_id: call_id.to_owned(),
            name: name.map(str::to_owned),
            parts: texts.iter().map(|t| Part::Text((*t).to_owned())).collect(),
            is_error: false,
        })],
    };
    let expected = [
        result("call_1", None, &["18 °C"]),
        result("call_2", None, &["a", "b"]),
        result("", Some("weather"), &["19 °C"]),
        result("call_3", None, &[]),
    ];
    assert_eq!(messages.unwrap(), expected);
}

#[test]
fn calls_of_the_history_are_kept_as_they_stand() {
    let messages = spoken(&json!([
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": null, "refusal": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":  1.50}"}},
            {"id": "c2", "type": "function", "function": {"name": "f", "arguments": {"a": 9_007_199_254_740_993_u64, "b": {}}}},
            {"id": "c3", "type": "function", "function": {"name": "f", "arguments": null}},
            {"id": "c4", "type": "function", "function": {"name": "f", "arguments": "not json"}},
            {"id": "c5", "type": "custom", "custom": {"name": "patch", "input": "a \"b\""}},
            {"function": {"name": "f"}},
        ]},
        {"role": "assistant", "content": "Well.", "tool_calls": [], "function_call": {"name": "g", "arguments": "{}"}},
        {"role": "assistant", "content": "", "refusal": "No."},
    ]))
    .unwrap();
    let call = |id: &str, name: &str, arguments: &str| {
        Part::Call(Call {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
        })
    };
    let calls = [
        call("c1", "f", "{\"a\":  1.50}"),
        call("c2", "f", r#"{"a":9007199254740993,"b":{}}"#),
        call("c3", "f", ""),
        call("c4", "f", "not json"),
        call("c5", "patch", r#"{"input":"a \"b\""}"#),
        call("", "f", ""),
    ];
    assert_eq!(messages[1].parts, calls);
    assert_eq!(
        messages[2].parts,
        [Part::Text("Well.".to_owned()), call("", "g", "{}")]
    );
    assert_eq!(
        messages[3].parts,
        [Part::Text(String::new()), Part::Refusal("No.".to_owned())]
    );
}

#[test]
fn content_is_a_string_or_parts() {
    let text = |text: &str| Part::Text(text.to_owned());
    let table: Vec<(Value, Vec<Part>)> = vec![
        (json!("plain"), vec![text("plain")]),
        (
            json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
            vec![text("a"), text("b")],
        ),
        (
            json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]),
            vec![text("a")],
        ),
        (
            json!([{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}]),
            vec![text("a"), Part::Refusal("no".to_owned())],
        ),
        (
            json!([{"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "high"}}]),
            vec![Part::Image(media(
                Source::Url("https://example.org/a.png".to_owned()),
                None,
                None,
            ))],
        ),
        (
            json!([{"type": "image_url", "image_url": " HTTP://example.org/a?b=c:d "}]),
            vec![Part::Image(media(
                Source::Url("HTTP://example.org/a?b=c:d".to_owned()),
                None,
                None,
            ))],
        ),
        (
            json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}]),
            vec![Part::Image(media(inline(b"hi"), None, Some("image/png")))],
        ),
        (
            json!([{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="}}]),
            vec![Part::File(media(
                inline(b"hi"),
                Some("a.pdf"),
                Some("application/pdf"),
            ))],
        ),
        (
            json!([{"type": "file", "file": {"file_data": "aGk"}}]),
            vec![Part::File(media(inline(b"hi"), None, None))],
        ),
        (
            json!([{"type": "file", "file": {"file_id": "file-1", "file_data": null}}]),
            vec![Part::File(media(
                Source::FileId("file-1".to_owned()),
                None,
                None,
            ))],
        ),
        (
            json!([{"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}]),
            vec![Part::Audio(media(inline(b"hi"), None, Some("audio/wav")))],
        ),
        (
            json!([{"type": "input_audio", "input_audio": {"data": "data:audio/mpeg;base64,aGk="}}]),
            vec![Part::Audio(media(inline(b"hi"), None, Some("audio/mpeg")))],
        ),
    ];
    for (written, parts) in table {
        assert_eq!(content(&written).unwrap(), parts, "{written}");
    }
}

#[test]
fn a_further_input_of_the_original_relay_is_a_last_message() {
    let chat = with(&json!({"new_input": "more"})).unwrap();
    assert_eq!(
        chat.messages,
        [said(Role::User, "hi"), said(Role::User, "more")]
    );
    assert_eq!(with(&json!({"new_input": ""})).unwrap().messages.len(), 1);
}

#[test]
fn files_of_the_original_relay_belong_to_the_last_question() {
    let chat = with(&json!({
        "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
        "file_ids": ["file-1", "file-2"],
    }))
    .unwrap();
    let files = ["file-1", "file-2"].map(|id| Part::uploaded(id.to_owned()));
    assert_eq!(chat.messages[0].parts[1..], files);
    assert_eq!(chat.messages[1].parts.len(), 1);
    assert!(chat.ignored.is_empty());
}

#[test]
fn the_interpreter_of_code_is_no_function() {
    let chat = with(&json!({
        "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}],
        "tool_choice": {"type": "code_interpreter"},
    }))
    .unwrap();
    assert!(chat.code && chat.tools.offered.is_empty());
    assert!(
        with(&json!({"tools": [{"type": "code_interpreter"}], "tool_choice": "required"})).is_ok()
    );
    assert!(!with(&json!({})).unwrap().code);
}

#[test]
fn simple_parameters_are_kept_for_models_of_other_work() {
    let chat = with(&json!({
        "size": "1024x1024", "seed": 7, "niji": true, "guidance": 3.5, "user": "u", "style": null,
        "lora": {"a": 1}, "list": [1], "long": "x".repeat(5000), "audio": {"voice": "nova", "format": "wav"}
    }))
    .unwrap();
    let extra_params = json!({"size": "1024x1024", "seed": 7, "niji": true, "guidance": 3.5, "voice": "nova", "response_format": "wav"});
    assert_eq!(
        serde_json::to_value(&chat.extra_params).unwrap(),
        extra_params
    );
    assert_eq!(
        chat.ignored,
        [
            "size", "seed", "niji", "guidance", "lora", "list", "long", "audio"
        ]
    );
}

#[test]
fn tools_are_functions_and_custom_tools() {
    let chat = with(&json!({"tools": [
        {"type": "function", "function": {"name": "a.b-c_d", "description": "Does.", "parameters": {"type": "object", "x": 1}, "strict": true}},
        {"type": "function", "function": {"name": "bare", "parameters": null, "strict": null}},
        {"type": "custom", "custom": {"name": "patch", "description": "Patches."}},
        {"type": "custom", "custom": {"name": "sum", "format": {"type": "text"}}},
        {"type": "custom", "custom": {"name": "calc", "description": "Counts.", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: NUMBER"}}}},
    ], "parallel_tool_calls": false}))
    .unwrap();
    let tool = |name: &str, description: Option<&str>, input: ToolInput, strict: bool| Tool {
        name: name.to_owned(),
        description: description.map(str::to_owned),
        input,
        strict,
    };
    let expected = Tools {
        offered: vec![
            tool(
                "a.b-c_d",
                Some("Does."),
                ToolInput::Json(json!({"type": "object", "x": 1}).into()),
                true,
            ),
            tool(
                "bare",
                None,
                ToolInput::Json(json!({"type": "object", "properties": {}}).into()),
                false,
            ),
            tool("patch", Some("Patches."), ToolInput::Text, false),
            tool("sum", None, ToolInput::Text, false),
            tool(
                "calc",
                Some("Counts.\nThe input must match this lark grammar:\nstart: NUMBER"),
                ToolInput::Text,
                false,
            ),
        ],
        choice: ToolChoice::Auto,
        one_at_a_time: true,
    };
    assert_eq!(chat.tools, expected);
}

#[test]
fn the_older_functions_are_tools() {
    let functions = json!([{"name": "f", "parameters": {"type": "object"}}, {"name": "g"}]);
    let table = [
        (json!("auto"), ToolChoice::Auto),
        (json!("none"), ToolChoice::None),
        (json!({"name": "g"}), ToolChoice::Named("g".to_owned())),
    ];
    for (asked, choice) in table {
        let chat =
            with(&json!({"functions": functions, "function_call": asked, "tools": []})).unwrap();
        assert_eq!(chat.tools.choice, choice);
        assert!(chat.tools.one_at_a_time, "there is one `function_call`");
        let names: Vec<&str> = chat
            .tools
            .offered
            .iter()
            .map(|tool| tool.name.as_str())
            .collect();
        assert_eq!(names, ["f", "g"]);
    }
}

#[test]
fn every_form_of_tool_choice_is_read() {
    let tools = json!([weather(), {"type": "custom", "custom": {"name": "patch"}}]);
    let allowed = |names: &[&str], required| ToolChoice::Allowed {
        names: names.iter().map(|n| (*n).to_owned()).collect(),
        required,
    };
    let table = [
        (json!(null), ToolChoice::Auto),
        (json!("auto"), ToolChoice::Auto),
        (json!("none"), ToolChoice::None),
        (json!("required"), ToolChoice::Required),
        (
            json!({"type": "function", "function": {"name": "weather"}}),
            ToolChoice::Named("weather".to_owned()),
        ),
        (
            json!({"type": "custom", "custom": {"name": "patch"}}),
            ToolChoice::Named("patch".to_owned()),
        ),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "weather"}}]}}),
            allowed(&["weather"], false),
        ),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "weather"}}]}}),
            allowed(&["weather"], true),
        ),
    ];
    for (asked, choice) in table {
        let chat = with(&json!({"tools": tools, "tool_choice": asked})).unwrap();
        assert_eq!(chat.tools.choice, choice, "{asked}");
    }
}

#[test]
fn a_demanded_call_needs_something_to_call() {
    for fields in [
        json!({"tool_choice": "required"}),
        json!({"tool_choice": "required", "tools": []}),
        json!({"tool_choice": {"type": "function", "function": {"name": "weather"}}}),
    ] {
        let failure = with(&fields).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some("tool_choice"), "{fields}");
    }
    for fields in [
        json!({"tool_choice": "auto"}),
        json!({"tool_choice": "none"}),
    ] {
        assert!(with(&fields).is_ok());
    }
    let searching =
        with(&json!({"tool_choice": "required", "tools": [{"type": "web_search"}]})).unwrap();
    assert_eq!(
        (searching.tools.choice, searching.search),
        (ToolChoice::Auto, Some(WebSearch::default()))
    );
}

#[test]
fn the_wanted_output_is_read() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "number"}}});
    let wanted = |name: &str, strict| OutputFormat::Schema {
        name: name.to_owned(),
        schema: schema.clone().into(),
        strict,
    };
    let table = [
        (json!({"type": "text"}), OutputFormat::Text),
        (json!({"type": "json_object"}), OutputFormat::Json),
        (
            json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": true}}),
            wanted("n", true),
        ),
        (
            json!({"type": "json_schema", "json_schema": {"schema": schema, "strict": null}}),
            wanted("response", false),
        ),
    ];
    for (format, output) in table {
        assert_eq!(
            with(&json!({"response_format": format})).unwrap().output,
            output
        );
    }
}

#[test]
fn limits_are_read_in_every_form() {
    let table = [
        (json!({"stop": "a"}), None, vec!["a"]),
        (
            json!({"stop": ["a", "b", "c", "d"]}),
            None,
            vec!["a", "b", "c", "d"],
        ),
        (json!({"stop": []}), None, vec![]),
        (json!({"stop": ""}), None, vec![]),
        (json!({"stop": ["", "x"]}), None, vec!["x"]),
        (json!({"max_tokens": 7}), Some(7), vec![]),
        (json!({"max_tokens": 7.0}), Some(7), vec![]),
        (json!({"max_completion_tokens": 8}), Some(8), vec![]),
        (
            json!({"max_tokens": 7, "max_completion_tokens": 8}),
            Some(8),
            vec![],
        ),
    ];
    for (fields, max_tokens, stop) in table {
        let stop = stop.into_iter().map(str::to_owned).collect();
        assert_eq!(
            with(&fields).unwrap().limits,
            OutputLimits { max_tokens, stop },
            "{fields}"
        );
    }
}

#[test]
fn delivery_and_number_of_answers_are_read() {
    assert_eq!(
        with(&json!({"stream": true})).unwrap().delivery,
        Delivery::Streamed
    );
    assert_eq!(
        with(&json!({"stream": false, "stream_options": {"include_usage": true}}))
            .unwrap()
            .delivery,
        Delivery::Whole
    );
    assert_eq!(with(&json!({"n": 3})).unwrap().choices, 3);
    assert_eq!(with(&json!({"n": 1.0})).unwrap().choices, 1);
    assert_eq!(
        with(&json!({"reasoning_effort": "high"}))
            .unwrap()
            .effort
            .as_deref(),
        Some("high")
    );
}

#[test]
fn web_search_is_asked_for_in_many_ways() {
    let search = |sites, words| Some(WebSearch { sites, words });
    let table = [
        (json!({}), None),
        (json!({"web_search": false, "num_of_site": 3}), None),
        (json!({"web_search": true}), search(None, None)),
        (
            json!({"web_search": true, "num_of_site": 3, "max_word": 200}),
            search(Some(3), Some(200)),
        ),
        (json!({"web_search_options": {}}), search(None, None)),
        (
            json!({"web_search_options": {"search_context_size": "low"}}),
            search(Some(2), Some(500)),
        ),
        (
            json!({"web_search_options": {"search_context_size": "medium"}}),
            search(None, None),
        ),
        (
            json!({"web_search_options": {"search_context_size": "high"}, "num_of_site": 9}),
            search(Some(9), Some(3000)),
        ),
        (
            json!({"tools": [{"type": "retrieval"}]}),
            search(None, None),
        ),
        (
            json!({"tools": [{"type": "web_search", "search_context_size": "low"}]}),
            search(None, None),
        ),
        (
            json!({"tools": [{"type": "web_search_preview"}]}),
            search(None, None),
        ),
        (
            json!({"tools": [{"type": "web_search_preview_2025_03_11"}]}),
            search(None, None),
        ),
        (
            json!({"tools": [{"type": "web_search"}], "tool_choice": "none"}),
            None,
        ),
        (
            json!({"tools": [{"type": "web_search"}], "tool_choice": "none", "web_search": true}),
            search(None, None),
        ),
    ];
    for (fields, expected) in table {
        let chat = with(&fields).unwrap();
        assert_eq!(chat.search, expected, "{fields}");
        assert!(chat.tools.offered.is_empty());
    }
    let answering = json!([{"role": "user", "content": "q"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "x"}]);
    for (fields, expected) in [
        (json!({"tools": [{"type": "web_search"}]}), None),
        (
            json!({"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}}),
            search(None, None),
        ),
        (json!({"web_search_options": {}}), search(None, None)),
    ] {
        let mut fields = fields;
        fields["messages"] = answering.clone();
        assert_eq!(with(&fields).unwrap().search, expected, "{fields}");
    }
    let chat = with(&json!({"model": "gpt-4o:online"})).unwrap();
    assert_eq!(
        (chat.model.as_str(), chat.search),
        ("gpt-4o", Some(WebSearch::default()))
    );
    let located =
        with(&json!({"web_search_options": {"user_location": {"type": "approximate"}}})).unwrap();
    assert_eq!(located.ignored, ["web_search_options.user_location"]);
}

#[test]
fn what_has_no_effect_is_named_in_order_and_labels_are_not() {
    let chat = with(&json!({
        "top_p": 0.5, "temperature": 0, "user": "u", "frequency_penalty": -2, "metadata": {"a": "b"}, "logprobs": true,
        "top_logprobs": 2, "seed": 42, "store": true, "logit_bias": {"50256": -100}, "presence_penalty": 1,
        "service_tier": "auto", "modalities": ["text"], "safety_identifier": "s", "prompt_cache_key": "k",
        "prediction": {"type": "content", "content": "x"}, "verbosity": "low", "made_up": [[{"deep": 1}]]
    }))
    .unwrap();
    let expected = [
        "top_p",
        "temperature",
        "frequency_penalty",
        "logprobs",
        "top_logprobs",
        "seed",
        "logit_bias",
        "presence_penalty",
        "modalities",
        "verbosity",
        "made_up",
    ];
    assert_eq!(chat.ignored, expected);
    assert!(
        with(&json!({"logprobs": false}))
            .unwrap()
            .ignored
            .is_empty()
    );
    let twice =
        br#"{"model": "m", "messages": [{"role": "user", "content": "x"}], "seed": 1, "seed": 2}"#;
    assert_eq!(decode(twice).unwrap().chat.ignored, ["seed"]);
}

#[test]
fn what_is_unusual_and_legal_is_taken() {
    let deep = format!("{}{}", "[".repeat(40_000), "]".repeat(40_000));
    let bodies = [
        "\u{feff}{\"model\": \"m\", \"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}".to_owned(),
        r#" {"messages": [{"content": "\ud83d\ude80 \u0000", "role": "user"}], "model": "m"} "#.to_owned(),
        format!(r#"{{"model": "m", "messages": [{{"role": "user", "content": "x", "extra": {deep}}}], "also": {deep}}}"#),
        r#"{"model": "m", "messages": [{"role": "user", "content": "x"}], "seed": 123456789012345678901234567890e99999}"#.to_owned(),
    ];
    for body in bodies {
        let failure = decode(body.as_bytes()).err();
        assert!(failure.is_none(), "{failure:?}");
    }
}

#[test]
fn the_shape_of_the_answer_follows_the_request() {
    let written = |fields: &Value| {
        let mut body =
            json!({"model": "gpt-4o:online", "messages": [{"role": "user", "content": "hi"}]});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let request = decode(body.to_string().as_bytes()).unwrap();
        let meta = crate::reply::ResponseMeta {
            id: "x".to_owned(),
            created: 1,
        };
        let mut out = Vec::new();
        let mut chunks = request.encoder.stream(meta, 1);
        for index in 0..2 {
            let name = ["f", "p"][index];
            chunks.event(
                0,
                crate::reply::Event::CallStarted { index, name },
                &mut out,
            );
            chunks.event(0, crate::reply::Event::CallEnded { index }, &mut out);
        }
        chunks.close(crate::reply::Completion::default(), &mut out);
        String::from_utf8(out).unwrap()
    };
    let tools = json!([{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "p"}}]);
    let plain = written(&json!({ "tools": tools }));
    assert!(plain.contains("\"model\":\"gpt-4o\""), "{plain}");
    assert!(
        plain.contains("\"type\":\"function\"") && plain.contains("\"type\":\"custom\""),
        "{plain}"
    );
    assert!(
        !plain.contains("prompt_tokens") && !plain.contains("function_call"),
        "{plain}"
    );
    assert!(written(&json!({"stream_options": {"include_usage": true}})).contains("prompt_tokens"));
    assert!(
        written(&json!({"functions": [{"name": "f"}]}))
            .contains("\"function_call\":{\"name\":\"f\"")
    );
}

#[test]
fn a_flat_tool_is_taken_and_a_merely_offered_one_is_passed_over_by_name() {
    let grammar = json!({"type": "grammar", "syntax": "lark", "definition": "start: x"});
    let flat = with(&json!({"tools": [
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true},
        {"type": "custom", "name": "c", "format": grammar},
        {"type": "image_generation"},
    ], "tool_choice": "auto"}))
    .unwrap();
    let nested = with(&json!({"tools": [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true}},
        {"type": "custom", "custom": {"name": "c", "format": {"type": "grammar", "grammar": grammar}}},
    ]}))
    .unwrap();
    assert_eq!(flat.tools, nested.tools);
    assert_eq!(flat.ignored, ["image_generation"]);
}

#[test]
fn tools_and_calls_in_the_form_of_the_messages_api_are_taken_as_cursor_sends_them() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let nested = with(&json!({"tools": [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}},
    ], "tool_choice": {"type": "function", "function": {"name": "f"}}}));
    let nested = nested.unwrap();
    for tool in [
        json!({"name": "f", "description": "d", "input_schema": schema}),
        json!({"type": "custom", "name": "f", "description": "d", "input_schema": schema}),
        json!({"name": "f", "description": "d", "parameters": schema}),
        json!({"function": {"name": "f", "description": "d", "parameters": schema}}),
    ] {
        let given = with(&json!({"tools": [tool], "tool_choice": {"type": "tool", "name": "f"}}));
        let given = given.unwrap();
        assert_eq!(given.tools, nested.tools, "{tool}");
    }
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": "Add."},
        {"role": "assistant", "content": [
            {"type": "text", "text": "So:"},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "42"}], "is_error": true},
            {"type": "text", "text": "Go on."},
        ]},
    ]});
    let chat = decode(body.to_string().as_bytes()).unwrap().chat;
    let call = Call {
        id: "t1".to_owned(),
        name: "f".to_owned(),
        arguments: r#"{"a":1}"#.to_owned(),
    };
    assert_eq!(chat.messages[1].parts[1], Part::Call(call));
    let result = CallResult {
        call_id: "t1".to_owned(),
        name: None,
        parts: vec![Part::Text("42".to_owned())],
        is_error: true,
    };
    assert_eq!(chat.messages[2].parts[0], Part::Result(result));
    let attachment = |source: Source, name: Option<&str>, mime: Option<&str>| Attachment {
        source,
        name: name.map(str::to_owned),
        mime: mime.map(str::to_owned),
    };
    let hi = Source::Inline("hi".into());
    for (part, expected) in [
        (
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}),
            Part::Image(attachment(hi.clone(), None, Some("image/png"))),
        ),
        (
            json!({"type": "image", "source": {"type": "url", "url": "https://a.b/c.png"}}),
            Part::Image(attachment(
                Source::Url("https://a.b/c.png".to_owned()),
                None,
                None,
            )),
        ),
        (
            json!({"type": "document", "title": "T", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}}),
            Part::File(attachment(hi, Some("T"), Some("text/plain"))),
        ),
        (
            json!({"type": "document", "source": {"type": "file", "file_id": "file_1"}}),
            Part::File(attachment(Source::FileId("file_1".to_owned()), None, None)),
        ),
        (
            json!({"type": "thinking", "thinking": "Hm.", "signature": "x"}),
            Part::Reasoning("Hm.".to_owned()),
        ),
        (
            json!({"type": "redacted_thinking", "data": "x"}),
            Part::Reasoning(String::new()),
        ),
    ] {
        let messages = json!([{"role": "user", "content": [{"type": "text", "text": "a"}, part]}]);
        let body = json!({"model": "m", "messages": messages});
        let chat = decode(body.to_string().as_bytes()).unwrap().chat;
        assert_eq!(chat.messages[0].parts[1], expected, "{part}");
    }
    for messages in [
        json!([{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "*"}}]}]),
        json!([{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "file:///a"}}]}]),
        json!([{"role": "user", "content": [{"type": "document", "source": {"type": "xml"}}]}]),
        json!([{"role": "user", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}]),
        json!([{"role": "assistant", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "1"}]}]),
        json!([{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [
            {"type": "tool_result", "tool_use_id": "u", "content": "1"},
        ]}]}]),
    ] {
        let body = json!({"model": "m", "messages": messages});
        assert!(decode(body.to_string().as_bytes()).is_err(), "{body}");
    }
}
