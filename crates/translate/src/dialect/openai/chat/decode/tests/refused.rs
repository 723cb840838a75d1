//! Requests that are refused, and in which words.

use proptest::prelude::*;

use super::*;
use crate::failure::Kind;

/// What is refused => the field at fault => words of the message. A row gives fields of the
/// request, or (after `message`, `part`, `function`) what becomes its second message, its only
/// content part or its only function. `LONG` stands for a very long word.
const REFUSED: &str = r#"
{"model": null} => model => missing
{"model": ""} => model => missing
{"model": "  "} => model => missing
{"model": 5} => model => must be a string, not a number
{"temperature": "hot"} => temperature => must be a number, not a string
{"seed": {}} => seed => must be a number, not an object
{"top_logprobs": [1]} => top_logprobs => must be a number, not an array
{"messages": null} => messages => 1412
{"messages": []} => messages => 1412
{"messages": "hi"} => messages => must be an array, not a string
{"messages": {"role": "user"}} => messages => must be an array, not an object
{"messages": ["hi"]} => messages[0] => must be an object, not a string
{"messages": [["user", "hi"]]} => messages[0] => must be an object, not an array
{"messages": [null]} => messages[0] => must be an object, not null
{"messages": [{"content": "hi"}]} => messages[0].role => missing
{"messages": [{"role": null, "content": "hi"}]} => messages[0].role => must be a string, not null
message {"role": "narrator", "content": "x"} => messages[1].role => Invalid role `narrator`
message {"role": "LONG", "content": "x"} => messages[1].role => xxx…`: use system
message {"role": "user", "content": 5} => messages[1].content => a string or an array of content parts, not a number
message {"role": "user", "content": {}} => messages[1].content => a string or an array of content parts, not an object
message {"role": "user", "content": true} => messages[1].content => not a boolean
message {"role": "user", "content": ["x"]} => messages[1].content[0] => must be an object, not a string
message {"role": "user", "content": "x", "name": 5} => messages[1].name => must be a string
message {"role": "user", "content": ""} => messages => 1423
message {"role": "user", "content": null} => messages => 1423
message {"role": "user", "content": " \n"} => messages => 1423
message {"role": "user", "content": []} => messages => 1423
message {"role": "user"} => messages => 1423
message {"role": "user", "content": [{"type": "text", "text": ""}]} => messages => 1423
{"messages": [{"role": "system", "content": ""}]} => messages => 1423
message {"role": "user", "content": "x", "tool_calls": [{"function": {"name": "f"}}]} => messages[1].tool_calls => assistant
message {"role": "tool", "content": "x", "function_call": {"name": "f"}} => messages[1].tool_calls => assistant
message {"role": "assistant", "tool_calls": {}} => messages[1].tool_calls => must be an array, not an object
message {"role": "assistant", "tool_calls": [{"id": "a"}]} => messages[1].tool_calls[0] => `function` object
message {"role": "assistant", "tool_calls": [{"function": {}}]} => messages[1].tool_calls[0].function.name => missing
message {"role": "assistant", "tool_calls": [{"function": "f"}]} => messages[1].tool_calls[0].function => must be an object, not a string
part {"text": "x"} => messages[0].content[0].type => missing
part {"type": "text"} => messages[0].content[0].text => needs `text`
part {"type": "text", "text": 1} => messages[0].content[0].text => must be a string, not a number
part {"type": "video_url", "video_url": {"url": "x"}} => messages[0].content[0].type => Invalid content part type `video_url`
part {"type": "image_url"} => messages[0].content[0].image_url => needs `image_url`
part {"type": "image_url", "image_url": {}} => messages[0].content[0].image_url.url => missing
part {"type": "image_url", "image_url": 5} => messages[0].content[0].image_url => an object with `url`, or a URL, not a number
part {"type": "image_url", "image_url": {"url": null}} => messages[0].content[0].image_url.url => not null
part {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}} => messages[0].content[0].image_url.url => http(s)
part {"type": "image_url", "image_url": {"url": "cat.png"}} => messages[0].content[0].image_url.url => http(s)
part {"type": "image_url", "image_url": {"url": ""}} => messages[0].content[0].image_url.url => http(s)
part {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}} => messages[0].content[0].image_url.url => empty
part {"type": "image_url", "image_url": {"url": "data:image/png;base64,!!"}} => messages[0].content[0].image_url.url => decoded
part {"type": "file", "file": {}} => messages[0].content[0].file => `file_data` or `file_id`
part {"type": "file", "file": {"file_data": ""}} => messages[0].content[0].file.file_data => empty
part {"type": "file", "file": {"file_data": "https://example.org/a.pdf"}} => messages[0].content[0].file.file_data => base64
part {"type": "input_audio", "input_audio": {}} => messages[0].content[0].input_audio.data => missing
part {"type": "input_audio", "input_audio": {"data": "!"}} => messages[0].content[0].input_audio.data => base64
{"stream": "true"} => stream => must be a boolean, not a string
{"stream": 1} => stream => must be a boolean, not a number
{"stream_options": [true]} => stream_options => must be an object, not an array
{"stream_options": {"include_usage": "yes"}} => stream_options.include_usage => must be a boolean
{"n": 0} => n => at least 1
{"n": -1} => n => must not be negative
{"n": 1.5} => n => must be a whole number
{"n": "2"} => n => must be a number, not a string
{"n": 5000000000} => n => too large
{"max_tokens": 0} => max_tokens => at least 1
{"max_tokens": -5} => max_tokens => must not be negative
{"max_tokens": "100"} => max_tokens => must be a number, not a string
{"max_tokens": 1e300} => max_tokens => is too large
{"max_tokens": 5, "max_completion_tokens": 0} => max_completion_tokens => at least 1
{"max_completion_tokens": [1]} => max_completion_tokens => must be a number, not an array
{"stop": ["a", "b", "c", "d", "e"]} => stop => at most 4
{"stop": 5} => stop => a string or an array of strings, not a number
{"stop": {}} => stop => not an object
{"stop": ["a", 5]} => stop[1] => must be a string, not a number
{"stop": [null]} => stop[0] => must be a string, not null
{"tools": "weather"} => tools => must be an array, not a string
{"tools": [{}]} => tools[0].type => missing
{"tools": [{"type": "function"}]} => tools[0].function => needs a `function` object
{"tools": [{"type": "function", "function": {"name": "weather"}}, {"type": "function", "title": "flat"}]} => tools[1].function => needs a `function` object
{"tools": [{"type": "file_search"}]} => tools[0].type => `file_search`
{"tools": [{"type": "mcp"}]} => tools[0].type => `mcp`
{"tools": [{"type": "image_generation"}], "tool_choice": {"type": "image_generation"}} => tool_choice => `image_generation`
{"tools": [{"type": "image_generation"}], "tool_choice": "required"} => tool_choice => no tools are offered
{"tools": [{"type": "custom"}]} => tools[0].custom => needs a `custom` object
function {} => tools[0].function.name => missing
function {"name": ""} => tools[0].function.name => 1 to
function {"name": "a b"} => tools[0].function.name => 1 to
function {"name": "a\"><user>"} => tools[0].function.name => 1 to
function {"name": "f", "parameters": "none"} => tools[0].function.parameters => JSON Schema
function {"name": "f", "parameters": []} => tools[0].function.parameters => JSON Schema
{"functions": [{"name": "a b"}]} => functions[0].name => 1 to
{"functions": [{"name": "f"}], "function_call": {"name": "g"}} => function_call => `g`
{"tools": [{"type": "function", "function": {"name": "weather"}}], "tool_choice": "sometimes"} => tool_choice => `sometimes`
{"tools": [{"type": "function", "function": {"name": "weather"}}], "tool_choice": 5} => tool_choice => a word or an object
{"tools": [{"type": "function", "function": {"name": "weather"}}], "tool_choice": {"type": "function", "function": {"name": "x"}}} => tool_choice => `x`
{"tools": [{"type": "function", "function": {"name": "weather"}}], "tool_choice": {"type": "function"}} => tool_choice => `name`
{"parallel_tool_calls": "no"} => parallel_tool_calls => must be a boolean
{"response_format": "json"} => response_format => must be an object, not a string
{"response_format": {}} => response_format.type => missing
{"response_format": {"type": "xml"}} => response_format.type => `xml`
{"response_format": {"type": "json_schema"}} => response_format.json_schema.schema => needs a `schema`
{"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}} => response_format.json_schema.schema => needs a `schema`
{"response_format": {"type": "json_schema", "json_schema": {"schema": "x"}}} => response_format.json_schema.schema => JSON Schema
{"reasoning_effort": 3} => reasoning_effort => must be a string
{"web_search": "yes"} => web_search => must be a boolean
{"num_of_site": -1} => num_of_site => must not be negative
{"web_search_options": true} => web_search_options => must be an object, not a boolean
{"logprobs": 5} => logprobs => must be a boolean, not a number
"#;

fn fields(row: &str) -> Value {
    let row = row.replace("LONG", &"x".repeat(100_000));
    let (form, json) = row.split_at(row.find('{').unwrap());
    let value: Value = serde_json::from_str(json).unwrap();
    match form.trim() {
        "message" => json!({"messages": [{"role": "user", "content": "x"}, value]}),
        "part" => json!({"messages": [{"role": "user", "content": [value]}]}),
        "function" => json!({"tools": [{"type": "function", "function": value}]}),
        _ => value,
    }
}

#[test]
fn a_wrong_request_is_refused_with_the_field_at_fault() {
    for row in REFUSED.trim().lines() {
        let (request, expected) = row.split_once(" => ").unwrap();
        let (param, words) = expected.split_once(" => ").unwrap();
        let failure = with(&fields(request)).expect_err(row);
        assert_eq!(failure.kind, Kind::Invalid, "{row}");
        assert_eq!(
            failure.param.as_deref(),
            Some(param),
            "{row}: {}",
            failure.message
        );
        assert!(
            failure.message.contains(words),
            "{row}: {}",
            failure.message
        );
        assert!(
            failure.message.len() < 400,
            "{row}: the message repeats too much"
        );
    }
}

/// A body, the field at fault, and words of the message.
type Row<'a> = (&'a [u8], Option<&'a str>, &'a str);

const NO_REQUESTS: &[Row<'_>] = &[
    (b"", None, "empty"),
    (b" \r\n", None, "empty"),
    (b"\xEF\xBB\xBF", None, "empty"),
    (
        b"{",
        None,
        "not valid JSON: EOF while parsing an object at line 1 column 1",
    ),
    (
        b"{\"model\": \"m\",\n \"messages\": [}",
        None,
        "not valid JSON: expected value at line 2 column 15",
    ),
    (
        b"{\"n\": NaN}",
        None,
        "not valid JSON: expected value at line 1 column 7",
    ),
    (
        b"{\"n\": 01}",
        None,
        "not valid JSON: invalid number at line 1",
    ),
    (
        b"{'n': 1}",
        None,
        "not valid JSON: key must be a string at line 1",
    ),
    (
        b"{\"n\": 1,}",
        None,
        "not valid JSON: trailing comma at line 1",
    ),
    (
        b"{} {}",
        None,
        "not valid JSON: trailing characters at line 1",
    ),
    (b"{\"model\": \"\\x41\"}", None, "not valid JSON: "),
    (b"{\"model\": \"\xff\"}", None, "not valid JSON: "),
    (b"{\"model\": \"a\nb\"}", None, "not valid JSON: "),
    (
        b"model=m&messages=x",
        None,
        "not valid JSON: expected value at line 1 column 1",
    ),
    (
        b"[]",
        None,
        "must be a JSON object with `model` and `messages`, not an array",
    ),
    (
        b"\"hi\"",
        None,
        "must be a JSON object with `model` and `messages`, not a string",
    ),
    (
        b"5",
        None,
        "must be a JSON object with `model` and `messages`, not a number",
    ),
    (
        b"null",
        None,
        "must be a JSON object with `model` and `messages`, not null",
    ),
    (b"{}", Some("model"), "missing"),
    (
        b"{\"model\": \"a\", \"model\": \"b\"}",
        Some("model"),
        "given twice",
    ),
    (
        b"{\"model\": \"m\", \"messages\": [{\"role\": \"user\", \"role\": \"system\"}]}",
        Some("messages[0].role"),
        "given twice",
    ),
    (
        b"{\"model\": \"m\", \"stream\": \"look at line 5\"}",
        Some("stream"),
        "must be a boolean, not a string",
    ),
];

#[test]
fn a_body_that_is_no_request_is_refused_in_words() {
    for (body, param, words) in NO_REQUESTS {
        let shown = String::from_utf8_lossy(body);
        let failure = decode(body)
            .err()
            .unwrap_or_else(|| panic!("{shown} was taken"));
        assert_eq!(failure.kind, Kind::Invalid, "{shown}");
        assert_eq!(
            failure.param.as_deref(),
            *param,
            "{shown}: {}",
            failure.message
        );
        assert!(
            failure.message.contains(words),
            "{shown}: {}",
            failure.message
        );
    }
}

#[test]
fn a_value_that_is_kept_is_refused_when_nested_too_deeply() {
    let (open, close) = ("[".repeat(9000), "]".repeat(9000));
    let body = format!(r#"{{"model": "m", "tool_choice": {open}{close}}}"#);
    let failure = decode(body.as_bytes()).err().unwrap();
    assert!(
        failure.message.contains("nested too deeply"),
        "{}",
        failure.message
    );
}

/// Any JSON value, made of what requests are made of.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}|user|assistant|tool|text|image_url|file|function|custom|data:,x|data:;base64,!|json_schema|required"
            .prop_map(Value::from),
    ];
    let names = "role|content|type|text|name|tool_calls|function|arguments|id|image_url|url|file|file_data|input_audio|data|custom|input|parameters|json_schema|schema|allowed_tools|tools|mode|grammar|format|x";
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(names, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A field that is read.
const FIELDS: &str = "model|messages|stream|stream_options|n|stop|max_tokens|max_completion_tokens|tools|tool_choice|parallel_tool_calls|functions|function_call|response_format|reasoning_effort|web_search_options|web_search|num_of_site|max_word|new_input|logprobs|seed";

/// A refusal has words that fit a line and, where it is about a field, names it.
fn check_refusal(failure: &Failure) {
    assert_eq!(failure.kind, Kind::Invalid);
    assert!(failure.message.len() < 600, "{}", failure.message);
    for word in ["struct", "serde", "u64", "u32", "visitor"] {
        assert!(!failure.message.contains(word), "{}", failure.message);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_taken_or_refused_in_words(
        fields in proptest::collection::btree_map(FIELDS, anything(), 0..4),
        messages in proptest::collection::vec(anything(), 0..3),
    ) {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}]});
        body["messages"].as_array_mut().unwrap().splice(0..0, messages);
        body.as_object_mut().unwrap().extend(fields);
        if let Err(failure) = decode(body.to_string().as_bytes()) {
            check_refusal(&failure);
        }
    }

    #[test]
    fn any_bytes_are_refused_in_words(bytes in proptest::collection::vec(any::<u8>(), 0..60), cut in 0usize..200) {
        let whole = br#"{"model": "m", "messages": [{"role": "user", "content": "\ud83d\ude80"}], "stop": ["a"], "n": 1e0}"#;
        let mut cut_short = whole.get(..cut).unwrap_or(whole).to_vec();
        for body in [&bytes, &cut_short.clone(), { cut_short.extend(&bytes); &cut_short }] {
            if let Err(failure) = decode(body) {
                check_refusal(&failure);
            }
        }
    }
}
