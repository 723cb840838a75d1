use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::chat_request::{Attachment, Call, CallResult, Source, Tool, ToolChoice, ToolInput};
use crate::dialect::openai::responses::calls::Form;

mod codex;
mod refused;

/// Decodes a request with these fields beside a model and an input.
fn with(fields: &Value) -> Result<Decoded, Failure> {
    continued(fields, &History::default())
}

fn continued(fields: &Value, past: &History) -> Result<Decoded, Failure> {
    let mut body = json!({"model": "m", "input": "hi"});
    let fields = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    read(body.to_string().as_bytes())?.continued(past)
}

fn chat(fields: &Value) -> ChatRequest {
    with(fields).unwrap().chat
}

/// The messages of a request with these input items.
fn spoken(input: &Value) -> Result<Vec<Message>, Failure> {
    with(&json!({ "input": input })).map(|decoded| decoded.chat.messages)
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message {
        role,
        name: None,
        parts,
    }
}

fn said(role: Role, text: &str) -> Message {
    message(role, vec![Part::Text(text.to_owned())])
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::Call(Call {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    })
}

fn result(call_id: &str, text: &str, is_error: bool) -> Message {
    message(
        Role::Tool,
        vec![Part::Result(CallResult {
            call_id: call_id.to_owned(),
            name: None,
            parts: vec![Part::Text(text.to_owned())],
            is_error,
        })],
    )
}

fn media(source: Source, name: Option<&str>, mime: Option<&str>) -> Attachment {
    Attachment {
        source,
        name: name.map(str::to_owned),
        mime: mime.map(str::to_owned),
    }
}

fn function(name: &str) -> Tool {
    Tool {
        name: name.to_owned(),
        description: None,
        input: ToolInput::Json(json!({"type": "object", "properties": {}}).into()),
        strict: false,
    }
}

#[test]
fn a_plain_request_is_a_plain_turn() {
    let expected = ChatRequest {
        model: "m".to_owned(),
        messages: vec![said(Role::User, "hi")],
        choices: 1,
        ..ChatRequest::default()
    };
    assert_eq!(chat(&json!({})), expected);
    assert_eq!(
        chat(&json!({"input": [{"role": "user", "content": "hi"}]})),
        expected
    );
    let nulls = [
        "instructions",
        "stream",
        "store",
        "background",
        "previous_response_id",
        "conversation",
        "prompt",
        "max_output_tokens",
        "max_tool_calls",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "text",
        "reasoning",
        "include",
        "metadata",
        "truncation",
        "temperature",
        "top_p",
        "top_logprobs",
        "prompt_cache_key",
        "safety_identifier",
        "user",
        "anything",
    ];
    let nulls = nulls
        .iter()
        .map(|name| ((*name).to_owned(), Value::Null))
        .collect();
    assert_eq!(chat(&Value::Object(nulls)), expected);
}

#[test]
fn every_item_has_its_place_in_the_conversation() {
    let messages = spoken(&json!([
        {"role": "developer", "content": "Be brief."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "weather?"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary",
            "content": [{"type": "output_text", "text": "Let me see.", "annotations": []}]},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{\"city\":\"Paris\"}"},
        {"type": "function_call", "call_id": "c2", "name": "send", "namespace": "mail", "arguments": {"a": 1}},
        {"type": "function_call_output", "call_id": "c1", "output": "18 °C"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "sent"}]},
        {"type": "custom_tool_call", "call_id": "c3", "name": "patch", "input": "*** \"x\""},
        {"type": "custom_tool_call_output", "call_id": "c3", "output": "done"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "user", "content": "why?"},
    ]));
    let expected = [
        said(Role::System, "Be brief."),
        said(Role::User, "weather?"),
        message(
            Role::Assistant,
            vec![
                Part::Text("Let me see.".to_owned()),
                call("c1", "weather", "{\"city\":\"Paris\"}"),
                call("c2", "mail.send", "{\"a\":1}"),
            ],
        ),
        result("c1", "18 °C", false),
        result("c2", "sent", false),
        message(
            Role::Assistant,
            vec![call("c3", "patch", "{\"input\":\"*** \\\"x\\\"\"}")],
        ),
        result("c3", "done", false),
        message(Role::Assistant, vec![Part::Refusal("No.".to_owned())]),
        said(Role::User, "why?"),
    ];
    assert_eq!(messages.unwrap(), expected);
}

#[test]
fn calls_of_the_clients_own_tools_read_as_the_model_made_them() {
    let messages = spoken(&json!([
        {"role": "user", "content": "go"},
        {"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "status": "completed",
            "action": {"type": "exec", "command": ["ls"], "env": {}, "timeout_ms": null}},
        {"type": "local_shell_call_output", "id": "c1", "output": "a.txt"},
        {"type": "shell_call", "call_id": "c2", "action": {"commands": ["ls", "false"]}},
        {"type": "shell_call_output", "call_id": "c2", "output": [
            {"stdout": "a.txt", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}},
            {"stdout": "", "stderr": "bad", "outcome": {"type": "exit", "exit_code": 1}},
            {"stdout": "slow", "stderr": "", "outcome": {"type": "timeout"}},
        ]},
        {"type": "apply_patch_call", "call_id": "c3", "status": "completed",
            "operation": {"type": "delete_file", "path": "a.txt"}},
        {"type": "apply_patch_call_output", "call_id": "c3", "status": "failed", "output": "no such file"},
        {"type": "apply_patch_call_output", "call_id": "c4", "status": "completed"},
    ]));
    let shell = CallResult {
        call_id: "c2".to_owned(),
        name: None,
        parts: [
            "a.txt",
            "\n[stderr]\nbad\n[exit code 1]",
            "slow\n[timed out]",
        ]
        .map(|text| Part::Text(text.to_owned()))
        .to_vec(),
        is_error: false,
    };
    let expected = [
        said(Role::User, "go"),
        message(
            Role::Assistant,
            vec![call("c1", "local_shell", "{\"command\":[\"ls\"]}")],
        ),
        result("c1", "a.txt", false),
        message(
            Role::Assistant,
            vec![call("c2", "shell", "{\"commands\":[\"ls\",\"false\"]}")],
        ),
        message(Role::Tool, vec![Part::Result(shell)]),
        message(
            Role::Assistant,
            vec![call(
                "c3",
                "apply_patch",
                "{\"type\":\"delete_file\",\"path\":\"a.txt\"}",
            )],
        ),
        result("c3", "no such file", true),
        result("c4", "The patch is applied.", false),
    ];
    assert_eq!(messages.unwrap(), expected);
}

#[test]
fn pictures_and_files_come_by_url_in_line_or_by_id() {
    let png = Source::Inline(Bytes::from_static(b"hi"));
    let url = |url: &str| Source::Url(url.to_owned());
    let id = || Source::FileId("file_1".to_owned());
    let table = [
        (
            json!({"type": "input_image", "image_url": "https://example.org/a.png", "detail": "low"}),
            Part::Image(media(url("https://example.org/a.png"), None, None)),
        ),
        (
            json!({"type": "input_image", "image_url": {"url": "data:image/png;base64,aGk="}}),
            Part::Image(media(png.clone(), None, Some("image/png"))),
        ),
        (
            json!({"type": "input_image", "file_id": "file_1", "image_url": null}),
            Part::Image(media(id(), None, None)),
        ),
        (
            json!({"type": "input_file", "file_id": "file_1"}),
            Part::File(media(id(), None, None)),
        ),
        (
            json!({"type": "input_file", "file_data": "data:application/pdf;base64,aGk=", "filename": "a.pdf"}),
            Part::File(media(png.clone(), Some("a.pdf"), Some("application/pdf"))),
        ),
        (
            json!({"type": "input_file", "file_data": "aGk="}),
            Part::File(media(png.clone(), None, None)),
        ),
        (
            json!({"type": "input_file", "file_url": "https://example.org/a.pdf"}),
            Part::File(media(url("https://example.org/a.pdf"), None, None)),
        ),
        (
            json!({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}}),
            Part::Audio(media(png.clone(), None, Some("audio/mp3"))),
        ),
    ];
    for (part, expected) in table {
        let messages = spoken(&json!([{"role": "user", "content": [part]}])).unwrap();
        assert_eq!(messages, [message(Role::User, vec![expected])], "{part}");
    }
    let output = json!([{"type": "function_call_output", "call_id": "c", "output": [
        {"type": "input_image", "image_url": "data:image/png;base64,aGk="}]}]);
    let result = CallResult {
        call_id: "c".to_owned(),
        name: None,
        parts: vec![Part::Image(media(png, None, Some("image/png")))],
        is_error: false,
    };
    assert_eq!(
        spoken(&output).unwrap(),
        [message(Role::Tool, vec![Part::Result(result)])]
    );
}

#[test]
fn the_past_stands_between_the_instructions_and_the_input() {
    let past = History {
        items: vec![
            json!({"id": "msg_1", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]}),
            json!({"id": "msg_2", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]}),
        ],
        referred: [(
            "msg_9".to_owned(),
            json!({"id": "msg_9", "role": "user", "content": "z"}),
        )]
        .into(),
    };
    let fields = json!({
        "instructions": "Be kind.", "previous_response_id": "resp_1",
        "input": [
            {"type": "item_reference", "id": "msg_9"}, {"id": "msg_1"}, {"type": "item_reference", "id": "rs_1"},
            {"role": "user", "content": "c"},
        ],
    });
    let decoded = continued(&fields, &past).unwrap();
    let expected = [
        said(Role::System, "Be kind."),
        said(Role::User, "a"),
        said(Role::Assistant, "b"),
        said(Role::User, "z"),
        said(Role::User, "a"),
        said(Role::User, "c"),
    ];
    assert_eq!(decoded.chat.messages, expected);
    assert_eq!(
        decoded.input,
        [
            past.referred["msg_9"].clone(),
            past.items[0].clone(),
            fields["input"][3].clone()
        ]
    );
    let continuation = continued(
        &json!({"input": null, "previous_response_id": "resp_1"}),
        &past,
    );
    assert_eq!(continuation.unwrap().input, Vec::<Value>::new());
}

#[test]
fn a_request_says_what_of_the_past_it_needs_and_what_is_to_be_kept() {
    let asked = |fields: Value| {
        let mut body = json!({"model": "m", "input": [{"type": "item_reference", "id": "msg_1"}, {"id": "fc_1"},
            {"role": "user", "content": "x", "id": "msg_2"}]});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        read(body.to_string().as_bytes()).unwrap()
    };
    let plain = asked(json!({}));
    assert_eq!(plain.references().collect::<Vec<_>>(), ["msg_1", "fc_1"]);
    assert_eq!(
        (
            plain.previous_response_id(),
            plain.conversation(),
            plain.stores()
        ),
        (None, None, true)
    );
    assert_eq!(
        asked(json!({"previous_response_id": "resp_1"})).previous_response_id(),
        Some("resp_1")
    );
    assert_eq!(
        asked(json!({"conversation": "conv_1"})).conversation(),
        Some("conv_1")
    );
    assert_eq!(
        asked(json!({"conversation": {"id": "conv_1"}})).conversation(),
        Some("conv_1")
    );
    assert!(!asked(json!({"store": false})).stores());
}

#[test]
fn tools_of_every_kind_are_offered() {
    let decoded = with(&json!({"tools": [
        {"type": "function", "name": "f", "description": "does f", "strict": true,
            "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}},
        {"type": "function", "function": {"name": "g"}},
        {"type": "custom", "name": "patch", "description": "edits",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: /x/"}},
        {"type": "namespace", "name": "mail", "description": "mails", "tools": [{"type": "function", "name": "send"}]},
        {"type": "namespace", "name": "functions", "description": "", "tools": [{"type": "custom", "name": "exec"}]},
        {"type": "shell"},
        {"type": "tool_search", "execution": "server"},
        {"type": "function", "name": "g", "description": "again"},
    ]}));
    let decoded = decoded.unwrap();
    let custom = |name: &str, description: Option<&str>| Tool {
        name: name.to_owned(),
        description: description.map(str::to_owned),
        input: ToolInput::Text,
        strict: false,
    };
    let expected = [
        Tool {
            description: Some("does f".to_owned()),
            input: ToolInput::Json(
                json!({"type": "object", "properties": {"a": {"type": "string"}}}).into(),
            ),
            strict: true,
            ..function("f")
        },
        custom(
            "patch",
            Some("edits\nThe input must match this lark grammar:\nstart: /x/"),
        ),
        function("mail.send"),
        custom("exec", None),
        Tool {
            name: "shell".to_owned(),
            description: Form::Shell.description().map(str::to_owned),
            input: Form::Shell.input(),
            strict: false,
        },
        Tool {
            description: Some("again".to_owned()),
            ..function("g")
        },
    ];
    assert_eq!(decoded.chat.tools.offered, expected);
    let callables = decoded.options.callables.iter();
    let callables: Vec<_> = callables
        .map(|c| (c.name.as_str(), c.namespace.as_deref(), c.form))
        .collect();
    let expected = [
        ("f", None, Form::Function),
        ("patch", None, Form::Custom),
        ("send", Some("mail"), Form::Function),
        ("exec", Some("functions"), Form::Custom),
        ("shell", None, Form::Shell),
        ("g", None, Form::Function),
    ];
    assert_eq!(callables, expected);
}

#[test]
fn a_choice_names_tools_as_the_client_knows_them() {
    let named = |name: &str| ToolChoice::Named(name.to_owned());
    let allowed = |names: &[&str], required| ToolChoice::Allowed {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        required,
    };
    let table = [
        (json!("auto"), ToolChoice::Auto),
        (json!("none"), ToolChoice::None),
        (json!("required"), ToolChoice::Required),
        (json!({"type": "function", "name": "f"}), named("f")),
        (
            json!({"type": "function", "function": {"name": "f"}}),
            named("f"),
        ),
        (
            json!({"type": "function", "name": "send", "namespace": "mail"}),
            named("mail.send"),
        ),
        (json!({"type": "custom", "name": "patch"}), named("patch")),
        (json!({"type": "apply_patch"}), named("apply_patch")),
        (json!({"type": "web_search"}), ToolChoice::Auto),
        (
            json!({"type": "allowed_tools", "mode": "required", "tools": [
                {"type": "function", "name": "f"}, {"type": "apply_patch"}, {"type": "web_search"}]}),
            allowed(&["f", "apply_patch"], true),
        ),
        (
            json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "custom", "name": "patch"}]}),
            allowed(&["patch"], false),
        ),
    ];
    for (choice, expected) in table {
        let chat = chat(
            &json!({"tool_choice": choice, "parallel_tool_calls": false, "tools": [
                {"type": "function", "name": "f"}, {"type": "custom", "name": "patch"}, {"type": "apply_patch"},
                {"type": "namespace", "name": "mail", "tools": [{"type": "function", "name": "send"}]},
            ]}),
        );
        assert_eq!(chat.tools.choice, expected, "{choice}");
        assert!(chat.tools.one_at_a_time);
    }
}

#[test]
fn the_web_is_searched_for_a_question_and_not_again_for_each_result() {
    let sized = |sites, words| Some(WebSearch { sites, words });
    let answering = json!([{"role": "user", "content": "q"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"}]);
    let table = [
        (
            json!({"tools": [{"type": "web_search"}]}),
            sized(None, None),
        ),
        (
            json!({"tools": [{"type": "web_search_preview_2025_03_11", "search_context_size": "low"}]}),
            sized(Some(2), Some(500)),
        ),
        (
            json!({"tools": [{"type": "web_search", "search_context_size": "high"}], "tool_choice": "required"}),
            sized(Some(6), Some(3000)),
        ),
        (json!({"model": "m:online"}), sized(None, None)),
        (
            json!({"tools": [{"type": "web_search"}], "input": answering}),
            None,
        ),
        (
            json!({"tools": [{"type": "web_search"}], "input": answering, "tool_choice": {"type": "web_search"}}),
            sized(None, None),
        ),
        (
            json!({"tools": [{"type": "web_search"}], "tool_choice": "none"}),
            None,
        ),
        (
            json!({"tools": [{"type": "web_search", "external_web_access": false}]}),
            None,
        ),
        (
            json!({"tools": [{"type": "web_search", "external_web_access": true}]}),
            sized(None, None),
        ),
        (json!({}), None),
    ];
    for (fields, expected) in table {
        let decoded = with(&fields).unwrap();
        assert_eq!(decoded.chat.search, expected, "{fields}");
        assert_eq!(decoded.options.query.is_some(), expected.is_some());
        assert_eq!(decoded.chat.model, "m");
    }
    let located = chat(
        &json!({"tools": [{"type": "web_search", "filters": {}, "user_location": {"city": "Bonn"}}]}),
    );
    assert_eq!(
        located.ignored,
        ["tools[0].filters", "tools[0].user_location"]
    );
    let kept = chat(&json!({"tools": [{"type": "web_search", "external_web_access": false}]}));
    assert_eq!(kept.ignored, ["tools[0]"]);
    let query = with(&json!({"input": "x".repeat(300), "tools": [{"type": "web_search"}]}))
        .unwrap()
        .options
        .query;
    assert_eq!(query.unwrap().len(), 200);
}

#[test]
fn settings_have_their_place_and_what_has_no_effect_is_named() {
    let chat = chat(&json!({
        "stream": true, "max_output_tokens": 50, "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}, "strict": true}},
        "temperature": 0.5, "top_p": 1, "top_logprobs": 2, "max_tool_calls": 3, "truncation": "auto",
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs"], "metadata": {"a": "b"},
        "prompt_cache_key": "k", "safety_identifier": "s", "user": "u", "service_tier": "flex",
        "stream_options": {"include_obfuscation": false}, "client_metadata": {}, "seed": 1, "store": false,
    }));
    let expected = ChatRequest {
        model: "m".to_owned(),
        messages: vec![said(Role::User, "hi")],
        output: OutputFormat::Schema {
            name: "s".to_owned(),
            schema: json!({"type": "object"}).into(),
            strict: true,
        },
        limits: OutputLimits {
            max_tokens: Some(50),
            stop: Vec::new(),
        },
        effort: Some("low".to_owned()),
        choices: 1,
        delivery: Delivery::Streamed,
        ignored: [
            "seed",
            "temperature",
            "top_p",
            "top_logprobs",
            "max_tool_calls",
            "truncation",
            "text.verbosity",
            "include.message.output_text.logprobs",
        ]
        .map(str::to_owned)
        .to_vec(),
        ..ChatRequest::default()
    };
    assert_eq!(chat, expected);
    let json = self::chat(&json!({"text": {"format": {"type": "json_object"}}}));
    assert_eq!(json.output, OutputFormat::Json);
}

#[test]
fn a_response_tells_back_what_was_asked() {
    let decoded = with(&json!({
        "instructions": "Be kind.", "metadata": {"a": "b"}, "temperature": 0.5, "store": false,
        "reasoning": {"effort": "low", "summary": "auto"}, "text": {"verbosity": "low"},
        "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}],
        "tool_choice": {"type": "function", "name": "f"}, "conversation": "conv_1",
    }));
    let options = decoded.unwrap().options;
    assert!(options.summary && !options.keep);
    let echo = serde_json::to_value(&options.echo).unwrap();
    let shown = json!({
        "model": "m", "conversation": {"id": "conv_1"}, "instructions": "Be kind.", "max_output_tokens": null,
        "max_tool_calls": null, "metadata": {"a": "b"}, "parallel_tool_calls": true, "previous_response_id": null,
        "prompt_cache_key": null, "reasoning": {"effort": "low", "summary": "auto"}, "store": false, "safety_identifier": null,
        "temperature": 0.5, "text": {"verbosity": "low", "format": {"type": "text"}},
        "tool_choice": {"type": "function", "name": "f"},
        "tools": [{"type": "function", "name": "f", "parameters": null, "strict": false}, {"type": "web_search"}],
        "top_logprobs": 0, "top_p": null, "truncation": "disabled", "user": null,
    });
    assert_eq!(echo, shown);
}

#[test]
fn items_of_tools_that_openai_runs_are_passed_over_and_named() {
    let chat = chat(&json!({"input": [
        {"role": "user", "content": "hi"},
        {"type": "file_search_call", "id": "fs_1", "queries": []},
        {"type": "mcp_call", "id": "m1"}, {"type": "mcp_call", "id": "m2"},
    ]}));
    assert_eq!(chat.messages, [said(Role::User, "hi")]);
    assert_eq!(chat.ignored, ["input.file_search_call", "input.mcp_call"]);
}

#[test]
fn settings_may_change_within_the_input() {
    let update = |fields: Value| {
        let mut item = json!({"type": "configuration_update"});
        item.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        item
    };
    let text = json!({"format": {"type": "text"}});
    let schema =
        json!({"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}});
    for (items, effort, has_form) in [
        (vec![], Some("low"), false),
        (
            vec![json!({"reasoning": {"effort": "high"}})],
            Some("high"),
            false,
        ),
        (
            vec![
                json!({"text": schema}),
                json!({"reasoning": {"effort": "none"}}),
            ],
            Some("none"),
            true,
        ),
        (
            vec![json!({"text": schema}), json!({"text": text})],
            Some("low"),
            false,
        ),
    ] {
        let updates = items.into_iter().map(update);
        let input = std::iter::once(json!({"role": "user", "content": "hi"})).chain(updates);
        let input: Vec<Value> = input.collect();
        let chat = chat(&json!({"input": input, "reasoning": {"effort": "low"}}));
        assert_eq!(chat.messages, [said(Role::User, "hi")]);
        assert_eq!(chat.effort.as_deref(), effort);
        assert_eq!(chat.output != OutputFormat::Text, has_form);
    }
}

#[test]
fn tokens_can_be_counted_without_a_model() {
    let asked = read_for_counting(br#"{"input": "hi"}"#).unwrap();
    assert_eq!(
        asked.continued(&History::default()).unwrap().chat.messages,
        [said(Role::User, "hi")]
    );
}

#[test]
fn a_hosted_tool_that_is_merely_offered_is_passed_over_by_name() {
    let chat = chat(&json!({"tools": [
        {"type": "image_generation"},
        {"type": "programmatic_tool_calling"},
        {"type": "function", "name": "f", "parameters": {"type": "object"}},
    ], "tool_choice": "auto"}));
    assert_eq!(chat.tools.offered.len(), 1);
    assert_eq!(
        chat.ignored,
        ["image_generation", "programmatic_tool_calling"]
    );
}

#[test]
fn what_can_be_read_of_a_compaction_stays_and_the_rest_is_named() {
    for (item, text) in [
        (
            json!({"type": "compaction", "encrypted_content": "x"}),
            None,
        ),
        (
            json!({"type": "compaction", "summary": [{"type": "summary_text", "text": "They met."}], "encrypted_content": "x"}),
            Some("They met."),
        ),
        (
            json!({"type": "compaction_summary", "content": "They met."}),
            Some("They met."),
        ),
    ] {
        let body = json!({"model": "m", "input": [item, {"role": "user", "content": "And?"}]});
        let chat = decode(body.to_string().as_bytes()).ok().unwrap().chat;
        let kept = chat.messages.first().map(|message| format!("{message:?}"));
        let kept = kept.filter(|_| chat.messages.len() == 2);
        assert_eq!(kept.is_some(), text.is_some(), "{item}");
        assert!(
            kept.is_none_or(|kept| kept.contains(text.unwrap_or_default())),
            "{item}"
        );
        let named = chat.ignored.iter().any(|name| name == "input.compaction");
        assert_eq!(named, text.is_none(), "{item}");
    }
}

#[test]
fn tools_in_the_form_of_the_messages_api_are_taken() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let own = json!({"type": "function", "name": "f", "description": "d", "parameters": schema});
    let own = chat(&json!({"tools": [own]}));
    for tool in [
        json!({"name": "f", "description": "d", "input_schema": schema}),
        json!({"type": "custom", "name": "f", "description": "d", "input_schema": schema}),
    ] {
        assert_eq!(chat(&json!({"tools": [tool]})).tools, own.tools);
    }
}

#[test]
fn allowed_tools_that_name_none_cannot_be_demanded() {
    let offer = |mode: &str| {
        with(&json!({
            "tools": [{"type": "function", "name": "f"}],
            "tool_choice": {"type": "allowed_tools", "mode": mode, "tools": [{"type": "function"}]},
        }))
    };
    assert!(offer("auto").is_ok());
    let failure = offer("required").err().unwrap();
    assert_eq!(failure.param.as_deref(), Some("tool_choice"));
}

#[test]
fn an_offer_to_compact_is_named() {
    let offer = json!({"context_management": [{"type": "compaction", "compact_threshold": 1000}]});
    assert_eq!(chat(&offer).ignored, ["context_management"]);
}
