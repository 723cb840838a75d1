#![expect(
    clippy::needless_pass_by_value,
    reason = "values are made where they are passed"
)]

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::chat_request::{Call, CallResult, ToolChoice, ToolInput, WebSearch};
use crate::compose::{Wording, compose};
use crate::dialect::anthropic::messages::encode::SIGNATURE;
use crate::reply::{Event, Finish, ResponseMeta};

fn body(fields: Value) -> Vec<u8> {
    let mut body = json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hi"}],
    });
    for (key, value) in fields.as_object().unwrap() {
        body[key] = value.clone();
    }
    serde_json::to_vec(&body).unwrap()
}

fn turn_of(fields: Value) -> ChatRequest {
    decode(&body(fields)).map(|request| request.chat).unwrap()
}

fn refused(fields: &Value) -> Failure {
    match decode(&body(fields.clone())) {
        Err(failure) => failure,
        Ok(request) => panic!("decoded: {:?}", request.chat),
    }
}

macro_rules! testdata {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/testdata/anthropic/",
            $name
        ))
    };
}

/// The rows of a table: two columns, less its comments.
fn rows(table: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once('\t').unwrap())
}

/// The parts of one message with this content.
fn parts(role: &str, content: Value) -> Vec<Part> {
    let messages = json!([{"role": "user", "content": "Hi"}, {"role": role, "content": content}, {"role": "user", "content": "And?"}]);
    turn_of(json!({ "messages": messages }))
        .messages
        .swap_remove(1)
        .parts
}

fn text(words: &str) -> Part {
    Part::Text(words.to_owned())
}

fn media(source: Source, name: Option<&str>, mime: Option<&str>) -> Attachment {
    Attachment {
        source,
        name: name.map(str::to_owned),
        mime: mime.map(str::to_owned),
    }
}

fn hi() -> Source {
    Source::Inline(Bytes::from_static(b"hi"))
}

fn url() -> Source {
    Source::Url("https://example.org/a".to_owned())
}

#[test]
fn the_least_request_is_a_turn() {
    let chat = turn_of(json!({}));
    let expected = ChatRequest {
        model: "claude-sonnet-4-5".to_owned(),
        messages: vec![Message {
            role: Role::User,
            name: None,
            parts: vec![text("Hi")],
        }],
        limits: OutputLimits {
            max_tokens: Some(100),
            stop: Vec::new(),
        },
        choices: 1,
        ..ChatRequest::default()
    };
    assert_eq!(chat, expected);
    assert_eq!(
        turn_of(json!({"stream": true})).delivery,
        Delivery::Streamed
    );
}

#[test]
fn content_blocks_become_parts() {
    let file = || Source::FileId("file_1".to_owned());
    let pdf = Some("application/pdf");
    let table = [
        (json!("Hello"), vec![text("Hello")]),
        (
            json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "b", "citations": null}]),
            vec![text("a"), text("b")],
        ),
        (
            json!([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}]),
            vec![Part::Image(media(hi(), None, Some("image/png")))],
        ),
        (
            json!([{"type": "image", "source": {"type": "base64", "data": "data:image/webp;base64,aGk="}}]),
            vec![Part::Image(media(hi(), None, Some("image/webp")))],
        ),
        (
            json!([{"type": "image", "source": {"type": "url", "url": "https://example.org/a"}}]),
            vec![Part::Image(media(url(), None, None))],
        ),
        (
            json!([{"type": "image", "source": {"type": "file", "file_id": "file_1"}}]),
            vec![Part::Image(media(file(), None, None))],
        ),
        (
            json!([{"type": "document", "title": "Bill", "context": "Ours.", "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="}}]),
            vec![text("Ours."), Part::File(media(hi(), Some("Bill"), pdf))],
        ),
        (
            json!([{"type": "document", "source": {"type": "url", "url": "https://example.org/a"}}]),
            vec![Part::File(media(url(), None, None))],
        ),
        (
            json!([{"type": "document", "source": {"type": "file", "file_id": "file_1"}}]),
            vec![Part::File(media(file(), None, None))],
        ),
        (
            json!([{"type": "document", "title": "A \"b\"\n", "context": "Ours.", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}}]),
            vec![
                text("<document title=\"A b \">"),
                text("Ours."),
                text("hi"),
                text("</document>"),
            ],
        ),
        (
            json!([{"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": "aGk="}}]),
            vec![text("<document>"), text("hi"), text("</document>")],
        ),
        (
            json!([{"type": "document", "source": {"type": "content", "content": [
                {"type": "text", "text": "hi"},
                {"type": "image", "source": {"type": "url", "url": "https://example.org/a"}},
            ]}}]),
            vec![
                text("<document>"),
                text("hi"),
                Part::Image(media(url(), None, None)),
                text("</document>"),
            ],
        ),
        (
            json!([{"type": "document", "source": {"type": "content", "content": "hi"}}]),
            vec![text("<document>"), text("hi"), text("</document>")],
        ),
        (
            json!([{"type": "search_result", "source": "https://example.org", "title": "T", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]}]),
            vec![text(
                "<search_result source=\"https://example.org\" title=\"T\">\nx\ny\n</search_result>",
            )],
        ),
        (
            json!([{"type": "container_upload", "file_id": "file_1"}]),
            vec![Part::File(media(file(), None, None))],
        ),
        (
            json!([{"type": "compaction", "content": "So far: nothing."}, {"type": "compaction", "content": null, "encrypted_content": "x"}]),
            vec![text("So far: nothing.")],
        ),
    ];
    for (content, expected) in table {
        assert_eq!(parts("user", content.clone()), expected, "{content}");
    }
}

#[test]
fn results_hold_text_pictures_and_documents() {
    let result = |content: Value, more: Value| {
        let mut block = json!({"type": "tool_result", "tool_use_id": "toolu_1", "cache_control": {"type": "ephemeral"}});
        if !content.is_null() {
            block["content"] = content;
        }
        for (key, value) in more.as_object().unwrap() {
            block[key] = value.clone();
        }
        parts("user", json!([block])).remove(0)
    };
    let expected = |parts: Vec<Part>, is_error: bool| {
        Part::Result(CallResult {
            call_id: "toolu_1".to_owned(),
            name: None,
            parts,
            is_error,
        })
    };
    assert_eq!(
        result(json!("15°"), json!({})),
        expected(vec![text("15°")], false)
    );
    assert_eq!(
        result(json!("no"), json!({"is_error": true})),
        expected(vec![text("no")], true)
    );
    assert_eq!(result(Value::Null, json!({})), expected(vec![], false));
    let blocks = json!([
        {"type": "text", "text": "see"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        {"type": "document", "source": {"type": "url", "url": "https://example.org/a"}},
        {"type": "browser_state", "tabs": []},
    ]);
    let inner = vec![
        text("see"),
        Part::Image(media(hi(), None, Some("image/png"))),
        Part::File(media(url(), None, None)),
    ];
    assert_eq!(result(blocks, json!({})), expected(inner, false));
}

#[test]
fn the_assistants_blocks_become_calls_and_thoughts() {
    let call = |arguments: &str| {
        Part::Call(Call {
            id: "toolu_1".to_owned(),
            name: "f".to_owned(),
            arguments: arguments.to_owned(),
        })
    };
    let table = [
        (
            json!([{"type": "thinking", "thinking": "Hmm.", "signature": SIGNATURE}, {"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "a"}]),
            vec![Part::Reasoning("Hmm.".to_owned()), text("a")],
        ),
        (
            json!([{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"b": 9_007_199_254_740_993_u64, "a": 1.0}, "caller": {"type": "direct"}}]),
            vec![call(r#"{"b":9007199254740993,"a":1.0}"#)],
        ),
        (
            json!([{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]),
            vec![call("{}")],
        ),
        (
            json!([
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result", "url": "https://example.org", "title": "T", "encrypted_content": "x", "page_age": null}]},
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": {"type": "web_search_tool_result_error", "error_code": "unavailable"}},
                {"type": "text", "text": "Found.", "citations": [{"type": "web_search_result_location", "url": "https://example.org"}]},
                {"type": "code_execution_tool_result", "tool_use_id": "s", "content": {"type": "code_execution_result", "stdout": "", "content": []}},
                {"type": "mcp_tool_use", "id": "m", "name": "x", "server_name": "s", "input": {}},
                {"type": "mcp_tool_result", "tool_use_id": "m", "content": "y", "is_error": false},
                {"type": "something_new", "content": [{"type": "deep"}]},
            ]),
            vec![text("Found.")],
        ),
    ];
    for (content, expected) in table {
        assert_eq!(parts("assistant", content.clone()), expected, "{content}");
    }
}

#[test]
fn instructions_come_first_and_may_come_between() {
    let billing = "x-anthropic-billing-header: cc_version=2.1.330.440; cc_entrypoint=sdk-cli;";
    let said = |system: Value| {
        let chat = turn_of(json!({ "system": system }));
        chat.messages
            .into_iter()
            .filter(|m| m.role == Role::System)
            .map(|m| m.parts)
            .collect::<Vec<_>>()
    };
    assert_eq!(said(json!("Be kind.")), [vec![text("Be kind.")]]);
    let blocks = json!([{"type": "text", "text": billing}, {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}, {"type": "text", "text": "b"}]);
    assert_eq!(said(blocks), [vec![text("a"), text("b")]]);
    assert!(
        said(json!("")).is_empty() && said(json!([])).is_empty() && said(Value::Null).is_empty()
    );

    let chat = turn_of(json!({"messages": [
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "Today is Monday.", "clear_at": "next_user_message"},
        {"role": "user", "content": "And?"},
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}], "output_config": {"effort": "low"}},
        {"role": "system", "content": "Today is Tuesday.", "clear_at": "next_user_message"},
    ], "output_config": {"effort": "max"}}));
    let roles: Vec<Role> = chat.messages.iter().map(|m| m.role).collect();
    assert_eq!(roles, [Role::User, Role::User, Role::System, Role::System]);
    assert_eq!(chat.effort.as_deref(), Some("low"));
}

#[test]
fn an_answer_that_was_begun_is_continued() {
    let messages = json!([{"role": "user", "content": "What is the sun?"}, {"role": "assistant", "content": [{"type": "text", "text": "The best answer is ("}]}]);
    let request = decode(&body(json!({ "messages": messages }))).unwrap();
    let last = request.chat.messages.last().unwrap();
    assert_eq!(
        (last.role, last.parts.as_slice()),
        (Role::System, [text(CONTINUE)].as_slice())
    );
    assert!(
        compose(&request.chat, &Wording::default(), 23)
            .text
            .contains("The best answer is (\n")
    );

    let meta = ResponseMeta {
        id: "a".to_owned(),
        created: 0,
    };
    let mut stream = request.encoder.stream(meta, 1);
    let mut out = Vec::new();
    for piece in ["The best answer", " is (B", ")"] {
        stream.event(0, Event::Text(piece), &mut out);
    }
    stream.event(0, Event::Finished(&Finish::Stop), &mut out);
    stream.close(crate::reply::Completion::default(), &mut out);
    let out = String::from_utf8(out).unwrap();
    assert!(
        out.contains(r#""text":"B""#) && !out.contains("answer"),
        "{out}"
    );

    let empty = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " "}]);
    assert_eq!(turn_of(json!({ "messages": empty })).messages.len(), 1);
    let called = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}]);
    assert_eq!(turn_of(json!({ "messages": called })).messages.len(), 2);
}

fn own(name: &str) -> Value {
    json!({"name": name, "description": "D", "input_schema": {"type": "object", "properties": {"x": {"type": "string"}}}})
}

#[test]
fn the_clients_own_tools_are_offered_as_they_are() {
    let mut strict = own("f");
    strict["strict"] = json!(true);
    strict["type"] = json!("custom");
    strict["cache_control"] = json!({"type": "ephemeral"});
    strict["eager_input_streaming"] = json!(true);
    let tools = turn_of(json!({"tools": [strict, own("g")]})).tools;
    assert_eq!(
        tools.offered[0],
        crate::chat_request::Tool {
            name: "f".to_owned(),
            description: Some("D".to_owned()),
            input: ToolInput::Json(
                json!({"type": "object", "properties": {"x": {"type": "string"}}}).into()
            ),
            strict: true,
        }
    );
    assert!(!tools.offered[1].strict);
    assert_eq!(
        (tools.choice, tools.one_at_a_time),
        (ToolChoice::Auto, false)
    );
}

#[test]
fn anthropics_client_tools_are_spelled_out() {
    for (tool, expected) in rows(testdata!("client_tools.tsv")) {
        let (name, words) = expected.split_once(' ').unwrap();
        let (has, has_not) = words.split_once('!').unwrap_or((words, ""));
        let tool: Value = serde_json::from_str(tool).unwrap();
        let offered = turn_of(json!({ "tools": [tool] })).tools.offered;
        let ToolInput::Json(schema) = &offered[0].input else {
            panic!("{tool}");
        };
        let text = schema.to_string();
        let holds = |word: &str| text.contains(&format!("\"{word}\""));
        assert_eq!(offered[0].name, name, "{tool}");
        assert!(has.split_whitespace().all(holds), "{tool}: {schema}");
        assert!(!has_not.split_whitespace().any(holds), "{tool}: {schema}");
        assert!(jsonschema::validator_for(schema).is_ok(), "{tool}");
    }
}

#[test]
fn a_computers_screen_has_a_size() {
    let computer = json!({"type": "computer_20250124", "name": "computer", "display_width_px": 1024, "display_height_px": 768});
    let offered = turn_of(json!({"tools": [computer]})).tools.offered;
    assert!(
        offered[0]
            .description
            .as_ref()
            .unwrap()
            .contains("1024 by 768")
    );
}

#[test]
fn web_search_becomes_upstreams() {
    let some = |sites| Some(WebSearch { sites, words: None });
    let table = [
        (
            json!({"type": "web_search_20250305", "name": "web_search"}),
            json!(null),
            some(None),
        ),
        (
            json!({"type": "web_search_20260318", "name": "web_search", "max_uses": 5}),
            json!(null),
            some(Some(5)),
        ),
        (
            json!({"type": "web_search_20260209", "name": "web_search", "max_uses": 900}),
            json!({"type": "auto"}),
            some(Some(10)),
        ),
        (
            json!({"type": "web_search_20250305", "name": "web_search"}),
            json!({"type": "tool", "name": "web_search"}),
            some(None),
        ),
        (
            json!({"type": "web_search_20250305", "name": "web_search"}),
            json!({"type": "any"}),
            some(None),
        ),
        (
            json!({"type": "web_search_20250305", "name": "web_search"}),
            json!({"type": "none"}),
            None,
        ),
        (
            json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 0}),
            json!(null),
            None,
        ),
    ];
    let answering = json!([{"role": "user", "content": "q"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]}]);
    let search = json!({"type": "web_search_20250305", "name": "web_search"});
    for (choice, expected) in [
        (json!({"type": "auto"}), None),
        (json!({"type": "tool", "name": "web_search"}), some(None)),
    ] {
        let chat =
            turn_of(json!({"messages": answering, "tools": [search], "tool_choice": choice}));
        assert_eq!(chat.search, expected, "{choice}");
    }
    for (tool, choice, search) in table {
        let chat = turn_of(json!({"tools": [tool], "tool_choice": choice}));
        assert_eq!(chat.search, search, "{tool} {choice}");
        assert!(
            chat.tools.offered.is_empty()
                && matches!(chat.tools.choice, ToolChoice::Auto | ToolChoice::None)
        );
    }
    let narrow = json!({"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["example.org"], "blocked_domains": [], "user_location": {"type": "approximate"}});
    let ignored = turn_of(json!({ "tools": [own("f"), narrow] })).ignored;
    assert_eq!(
        ignored,
        ["tools[1].allowed_domains", "tools[1].user_location"]
    );
    let online = turn_of(json!({"model": "claude-opus-5:online"}));
    assert_eq!(
        (online.model.as_str(), online.search),
        ("claude-opus-5", some(None))
    );
}

#[test]
fn tools_whose_loading_is_deferred_are_offered_once_the_conversation_has_them() {
    let deferred = |name: &str| {
        let mut tool = own(name);
        tool["defer_loading"] = json!(true);
        tool
    };
    let names = |fields: Value| {
        let offered = turn_of(fields).tools.offered;
        offered
            .into_iter()
            .map(|tool| tool.name)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let tools = json!([own("find"), deferred("a"), deferred("b"), deferred("c")]);
    assert_eq!(names(json!({ "tools": tools })), "find");
    let found = json!([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "find", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "tool_reference", "tool_name": "b"}]}]},
    ]);
    assert_eq!(names(json!({"tools": tools, "messages": found})), "find b");
    let called = json!([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "c", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "ok"}]},
    ]);
    assert_eq!(names(json!({"tools": tools, "messages": called})), "find c");
    let changed = json!([
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": [
            {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": own("new")}},
            {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "a"}},
            {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "find"}},
        ]},
    ]);
    assert_eq!(names(json!({"tools": tools, "messages": changed})), "a new");
    assert_eq!(
        names(json!({"tools": tools, "tool_choice": {"type": "tool", "name": "c"}})),
        "find c"
    );
    let searched = json!([{"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}, deferred("a"), deferred("b")]);
    assert_eq!(names(json!({ "tools": searched })), "a b");
}

#[test]
fn choices_are_decoded() {
    let table = [
        (json!(null), ToolChoice::Auto, false),
        (json!({"type": "auto"}), ToolChoice::Auto, false),
        (
            json!({"type": "auto", "disable_parallel_tool_use": true}),
            ToolChoice::Auto,
            true,
        ),
        (
            json!({"type": "any", "disable_parallel_tool_use": true}),
            ToolChoice::Required,
            true,
        ),
        (
            json!({"type": "tool", "name": "f"}),
            ToolChoice::Named("f".to_owned()),
            false,
        ),
        (json!({"type": "none"}), ToolChoice::None, false),
        (json!("any"), ToolChoice::Required, false),
    ];
    for (choice, expected, one) in table {
        let tools = turn_of(json!({"tools": [own("f")], "tool_choice": choice})).tools;
        assert_eq!(
            (tools.choice, tools.one_at_a_time),
            (expected, one),
            "{choice}"
        );
    }
}

#[test]
fn thinking_is_an_effort() {
    let table = [
        (json!({}), None),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}),
            Some("low"),
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 10_000}}),
            Some("medium"),
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 31_999}}),
            Some("high"),
        ),
        (
            json!({"thinking": {"type": "adaptive", "display": "omitted"}}),
            None,
        ),
        (json!({"thinking": {"type": "between_tools"}}), None),
        (json!({"thinking": {"type": "disabled"}}), Some("none")),
        (
            json!({"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}}),
            Some("none"),
        ),
        (
            json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}),
            Some("xhigh"),
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "output_config": {"effort": "max"}}),
            Some("max"),
        ),
    ];
    for (fields, effort) in table {
        assert_eq!(
            turn_of(fields.clone()).effort.as_deref(),
            effort,
            "{fields}"
        );
    }
}

#[test]
fn thoughts_are_shown_if_they_were_asked_for() {
    let table = [
        (json!(null), Thoughts::Hidden),
        (json!({"type": "disabled"}), Thoughts::Hidden),
        (
            json!({"type": "enabled", "budget_tokens": 2000}),
            Thoughts::Shown,
        ),
        (
            json!({"type": "adaptive", "display": "summarized"}),
            Thoughts::Shown,
        ),
        (
            json!({"type": "adaptive", "display": "omitted"}),
            Thoughts::Omitted,
        ),
    ];
    for (thinking, expected) in table {
        let thinking: Option<wire::Thinking> = serde_json::from_value(thinking).unwrap();
        assert_eq!(thoughts(thinking.as_ref()), expected, "{thinking:?}");
    }
}

#[test]
fn structured_outputs_are_promised() {
    let format = json!({"type": "json_schema", "schema": {"type": "object"}});
    for fields in [
        json!({"output_config": {"format": format}}),
        json!({"output_format": format}),
    ] {
        let expected = OutputFormat::Schema {
            name: "response".to_owned(),
            schema: json!({"type": "object"}).into(),
            strict: true,
        };
        assert_eq!(turn_of(fields.clone()).output, expected, "{fields}");
    }
    assert_eq!(
        turn_of(json!({"output_config": {"effort": "low", "format": null}})).output,
        OutputFormat::Text
    );
}

#[test]
fn what_has_no_effect_is_named_or_passed_over() {
    let silent = json!({"metadata": {"user_id": "u"}, "service_tier": "auto", "betas": ["x"], "cache_control": {"type": "ephemeral"}, "inference_geo": "us", "speed": "standard", "temperature": null, "container": null, "mcp_servers": [], "stop_sequences": null, "tools": [], "thread": {"type": "create"}});
    assert!(turn_of(silent).ignored.is_empty());
    let document = json!({"type": "document", "citations": {"enabled": true}, "source": {"type": "text", "data": "x"}});
    let named = json!({"temperature": 1, "top_p": 0.9, "top_k": 5, "context_management": {"edits": []}, "container": "c", "speed": "fast", "frobnicate": [1], "output_config": {"task_budget": {"type": "tokens", "total": 1}}, "messages": [{"role": "user", "content": [document]}]});
    let mut ignored = turn_of(named).ignored;
    ignored.sort();
    let expected = [
        "citations",
        "container",
        "context_management",
        "frobnicate",
        "output_config.task_budget",
        "speed",
        "temperature",
        "top_k",
        "top_p",
    ];
    assert_eq!(ignored, expected);
}

#[test]
fn counts_may_be_written_as_floats() {
    let chat = turn_of(
        json!({"max_tokens": 64.0, "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3.0}]}),
    );
    assert_eq!(chat.limits.max_tokens, Some(64));
    assert_eq!(chat.search.unwrap().sites, Some(3));
}

#[test]
fn stop_sequences_are_limits() {
    let limits = turn_of(json!({"stop_sequences": ["END", "\n\nHuman:"], "max_tokens": 5})).limits;
    assert_eq!((limits.stop.len(), limits.max_tokens), (2, Some(5)));
}

#[test]
fn a_wrong_request_is_refused_with_the_field_at_fault() {
    for (param, fields) in rows(testdata!("refused.tsv")) {
        let fields = serde_json::from_str(fields).unwrap();
        assert_eq!(refused(&fields).param.as_deref(), Some(param), "{fields}");
    }
    let fetch = json!([{"type": "web_fetch_20250910", "name": "web_fetch"}, own("f")]);
    let demanded = json!({"tools": fetch, "tool_choice": {"type": "tool", "name": "web_fetch"}});
    let message = refused(&demanded).message;
    assert!(message.contains("web_fetch_20250910"), "{message}");
    let lost = refused(&json!({"thread": {"type": "continue", "previous_message_id": "msg_1"}}));
    assert_eq!(lost.code.as_deref(), Some("thread_not_found"));
}

#[test]
fn pictures_do_not_weigh_in_the_first_count_of_tokens() {
    let count = |fields: Value| {
        let body = body(fields);
        let chat = decode(&body).unwrap().chat;
        input_tokens(body.len(), &chat)
    };
    let data = "A".repeat(400_000);
    let image = json!([{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}]}]);
    assert!(count(json!({ "messages": image })) < 100);
    let words = json!([{"role": "user", "content": "word ".repeat(4_000)}]);
    assert!(count(json!({ "messages": words })) > 4_000);
}

/// What Claude Code 2.1 sends for the first turn of a session, its long texts cut short.
#[test]
fn a_request_of_claude_code_is_understood() {
    let request = decode(testdata!("claude_code.json").as_bytes()).unwrap();
    let chat = &request.chat;
    assert_eq!(
        (chat.model.as_str(), chat.delivery),
        ("claude-opus-5-5", Delivery::Streamed)
    );
    let names: Vec<&str> = chat
        .tools
        .offered
        .iter()
        .map(|tool| tool.name.as_str())
        .collect();
    assert_eq!(names, ["Bash", "Edit", "Read", "ToolSearch"]);
    assert_eq!(
        (chat.effort.as_deref(), chat.limits.max_tokens),
        (Some("medium"), Some(128_000))
    );
    assert_eq!(chat.ignored, ["context_management"]);
    let roles: Vec<Role> = chat.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::System]);
    let prompt = compose(chat, &Wording::default(), 23).text;
    assert!(
        !prompt.contains("billing") && prompt.contains("say hi"),
        "{prompt}"
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(text in "(?s).{0,40}") {
        let _ = decode(text.as_bytes());
        let _ = decode(&body(json!({"system": text, "tool_choice": text, "tools": [{"type": text, "name": text}]})));
        let _ = decode(&body(json!({"messages": [{"role": "user", "content": [{"type": text, "text": text, "source": text}]}]})));
    }
}

#[test]
fn a_server_tool_that_is_merely_offered_is_passed_over_by_name() {
    let chat = turn_of(json!({"tools": [
        {"type": "advisor_20260301", "name": "advisor", "model": "x"},
        {"type": "web_fetch_20260318", "name": "web_fetch", "max_uses": 5, "citations": {"enabled": true}},
        own("f"),
    ], "tool_choice": {"type": "any"}}));
    assert_eq!(chat.tools.offered.len(), 1);
    assert_eq!(chat.tools.choice, ToolChoice::Required);
    assert_eq!(chat.ignored, ["advisor_20260301", "web_fetch_20260318"]);
    let alone = turn_of(json!({"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}));
    assert_eq!((alone.tools.offered.len(), alone.search), (0, None));
}

#[test]
fn tools_in_openais_forms_are_taken() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let own = json!({"name": "f", "description": "d", "input_schema": schema});
    let own = turn_of(json!({"tools": [own]}));
    for tool in [
        json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}}),
        json!({"type": "function", "name": "f", "description": "d", "parameters": schema}),
    ] {
        assert_eq!(turn_of(json!({"tools": [tool]})).tools, own.tools);
    }
    let bare = json!({"type": "function", "function": {"name": "f"}});
    assert_eq!(turn_of(json!({"tools": [bare]})).tools.offered.len(), 1);
    let list = json!({"tools": [{"name": "f", "input_schema": {"type": "array"}}]});
    assert!(refused(&list).message.contains("input_schema"));
}
