use super::*;

/// Fields of a request, the field at fault, and words of the message.
type Row = (Value, &'static str, &'static str);

fn check(table: &[Row]) {
    for (fields, param, words) in table {
        let failure = with(fields).unwrap_err();
        assert_eq!(failure.kind, Kind::Invalid, "{fields}");
        assert_eq!(
            failure.param.as_deref(),
            Some(*param),
            "{fields}: {}",
            failure.message
        );
        assert!(
            failure.message.contains(words),
            "{fields}: {}",
            failure.message
        );
    }
}

#[test]
fn a_setting_that_cannot_be_is_refused_with_its_field() {
    check(&[
        (json!({"model": null}), "model", "is missing"),
        (
            json!({"model": 5}),
            "model",
            "`model` must be a string, not a number",
        ),
        (
            json!({"temperature": "hot"}),
            "temperature",
            "`temperature` must be a number, not a string",
        ),
        (json!({"top_p": []}), "top_p", "must be a number"),
        (
            json!({"metadata": {"a": "x".repeat(513)}}),
            "metadata",
            "at most 512 characters",
        ),
        (json!({"input": null}), "input", "(1412)"),
        (json!({"input": []}), "input", "(1412)"),
        (json!({"input": " "}), "input", "(1423)"),
        (
            json!({"input": 7}),
            "input",
            "`input` must be a string or an array of input items, not a number",
        ),
        (
            json!({"input": ["x"]}),
            "input[0]",
            "`input[0]` must be an object, not a string",
        ),
        (json!({"background": true}), "background", "not available"),
        (json!({"prompt": {"id": "p"}}), "prompt", "not available"),
        (
            json!({"previous_response_id": "r", "conversation": "c"}),
            "previous_response_id",
            "not both",
        ),
        (
            json!({"conversation": {"name": "c"}}),
            "conversation.id",
            "is missing",
        ),
        (
            json!({"max_output_tokens": 0}),
            "max_output_tokens",
            "at least 1",
        ),
        (
            json!({"metadata": {"a": 1}}),
            "metadata.a",
            "must be a string, not a number",
        ),
        (
            json!({"stream": "yes"}),
            "stream",
            "must be a boolean, not a string",
        ),
        (
            json!({"reasoning": "low"}),
            "reasoning",
            "must be an object, not a string",
        ),
        (
            json!({"text": "json"}),
            "text",
            "must be an object, not a string",
        ),
        (
            json!({"text": {"format": "json"}}),
            "text.format",
            "must be an object, not a string",
        ),
        (
            json!({"text": {"format": {}}}),
            "text.format.type",
            "is missing",
        ),
        (
            json!({"text": {"format": {"type": "xml"}}}),
            "text.format.type",
            "Invalid text format `xml`",
        ),
        (
            json!({"text": {"format": {"type": "json_schema", "name": "s"}}}),
            "text.format.schema",
            "needs a `schema`",
        ),
        (
            json!({"text": {"format": {"type": "json_schema", "schema": []}}}),
            "text.format.schema",
            "must be a JSON Schema",
        ),
    ]);
}

#[test]
fn a_tool_or_choice_that_cannot_be_is_refused_with_its_field() {
    let hosted = |kind: &'static str| (json!({"tools": [{"type": kind}]}), "tools[0].type", kind);
    check(&[
        hosted("file_search"),
        hosted("code_interpreter"),
        hosted("mcp"),
        hosted("computer_use_preview"),
        (
            json!({"tools": [{"type": "image_generation"}], "tool_choice": {"type": "image_generation"}}),
            "tool_choice",
            "image_generation",
        ),
        (
            json!({"tools": [{"type": "image_generation"}], "tool_choice": "required"}),
            "tool_choice",
            "no tools are offered",
        ),
        (
            json!({"tools": [{"type": "computer_use_preview", "environment": "browser"}]}),
            "tools[0].type",
            "computer_use_preview",
        ),
        (
            json!({"tools": [{"name": "f"}]}),
            "tools[0].type",
            "is missing",
        ),
        (
            json!({"tools": ["f"]}),
            "tools[0]",
            "must be an object, not a string",
        ),
        (
            json!({"tools": [["function", "f"]]}),
            "tools[0]",
            "must be an object, not an array",
        ),
        (
            json!({"tools": [{"type": "function"}]}),
            "tools[0].name",
            "name has 1 to",
        ),
        (
            json!({"tools": [{"type": "function", "name": 5}]}),
            "tools[0].name",
            "must be a string, not a number",
        ),
        (
            json!({"tools": [{"type": "function", "name": "f", "parameters": "{}"}]}),
            "tools[0].parameters",
            "must be a JSON Schema",
        ),
        (
            json!({"tools": [{"type": "function", "function": {"name": "f g"}}]}),
            "tools[0].function.name",
            "name has 1 to",
        ),
        (
            json!({"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "mcp"}]}]}),
            "tools[0].tools[0].type",
            "mcp",
        ),
        (
            json!({"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]}),
            "tools[0].environment.type",
            "container_auto",
        ),
        (
            json!({"tool_choice": "required"}),
            "tool_choice",
            "no tools are offered",
        ),
        (
            json!({"tool_choice": {"type": "function", "name": "f"}}),
            "tool_choice",
            "not among",
        ),
        (
            json!({"tool_choice": "sometimes"}),
            "tool_choice",
            "Invalid tool choice",
        ),
    ]);
}

#[test]
fn an_item_that_cannot_be_is_refused_with_its_place() {
    let item = |item: Value| json!({"input": [{"role": "user", "content": "x"}, item]});
    check(&[
        (
            item(json!({"content": "x"})),
            "input[1].role",
            "needs a `role`",
        ),
        (
            item(json!({"role": "tool", "content": "x"})),
            "input[1].role",
            "Invalid role `tool`",
        ),
        (
            item(json!({"role": "user", "content": 5})),
            "input[1].content",
            "must be a string or an array of content parts, not a number",
        ),
        (
            item(json!({"type": "computer_call"})),
            "input[1].type",
            "`computer_call` cannot be taken",
        ),
        (
            item(json!({"type": "compaction_trigger"})),
            "input[1]",
            "Compaction is not supported",
        ),
        (
            item(json!({"type": "item_reference", "id": "msg_1"})),
            "input[1]",
            "no stored item `msg_1`",
        ),
        (
            item(json!({"type": "function_call", "call_id": "c"})),
            "input[1].name",
            "which tool",
        ),
        (
            item(json!({"type": "function_call_output", "call_id": "c", "output": 5})),
            "input[1].output",
            "must be a string or an array",
        ),
        (
            item(json!({"type": "function_call_output", "call_id": "c", "output": ["x"]})),
            "input[1].output[0]",
            "must be an object, not a string",
        ),
        (
            item(json!({"type": "function_call_output", "output": [{"type": "input_text"}]})),
            "input[1].output[0].text",
            "needs `text`",
        ),
        (
            item(json!({"type": "additional_tools", "tools": [{"type": "mcp"}]})),
            "input[1].tools[0].type",
            "mcp",
        ),
    ]);
}

#[test]
fn a_part_that_cannot_be_is_refused_with_its_place() {
    let part = |part: Value| json!({"input": [{"role": "user", "content": [part]}]});
    check(&[
        (
            part(json!({"text": "x"})),
            "input[0].content[0].type",
            "is missing",
        ),
        (
            part(json!({"type": "video"})),
            "input[0].content[0].type",
            "Invalid content part type `video`",
        ),
        (
            part(json!({"type": "input_text", "text": 5})),
            "input[0].content[0].text",
            "must be a string, not a number",
        ),
        (
            part(json!({"type": "input_image"})),
            "input[0].content[0].image_url",
            "needs `image_url`",
        ),
        (
            part(json!({"type": "input_image", "image_url": "ftp://x"})),
            "input[0].content[0].image_url",
            "http(s)",
        ),
        (
            part(json!({"type": "input_file"})),
            "input[0].content[0]",
            "needs `file_data`",
        ),
        (
            part(json!({"type": "input_file", "file_data": "%"})),
            "input[0].content[0].file_data",
            "base64",
        ),
        (
            part(json!({"type": "input_file", "file_url": "aGk="})),
            "input[0].content[0].file_url",
            "http(s)",
        ),
        (
            part(json!({"type": "input_audio", "input_audio": {"data": ""}})),
            "input[0].content[0].input_audio.data",
            "empty",
        ),
    ]);
}

#[test]
fn what_is_not_kept_is_said_in_the_words_that_clients_know() {
    let decode = |fields: Value| {
        let mut body = json!({"model": "m", "input": "hi"});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        decode(body.to_string().as_bytes()).map(|_| ()).unwrap_err()
    };
    let previous = decode(json!({"previous_response_id": "resp_9"}));
    assert_eq!(previous, missing_previous("resp_9"));
    assert_eq!(
        previous.code.as_deref(),
        Some("previous_response_not_found")
    );
    let conversation = decode(json!({"conversation": "conv_9"}));
    assert_eq!(
        (conversation.kind, conversation.param.as_deref()),
        (Kind::NotFound, Some("conversation"))
    );
    assert_eq!(missing_response("resp_9").kind, Kind::NotFound);
}
