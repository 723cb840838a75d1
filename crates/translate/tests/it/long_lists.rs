//! Lists that are too long are refused by their names in every dialect, and are not built.

use translate::bounds::{ENTRIES_MAX, JSON_VALUES_MAX, TOOLS_MAX};
use translate::dialect::anthropic::messages;
use translate::dialect::ollama;
use translate::dialect::openai::{chat, completions, responses};
use translate::failure::{Failure, Kind};

fn refusal(decoder: &str, body: &str) -> Option<Failure> {
    let body = body.as_bytes();
    match decoder {
        "chat" => chat::decode::decode(body).err(),
        "completions" => completions::decode::decode(body).err(),
        "responses" => responses::decode::decode(body).err(),
        "conversations" => responses::conversations::create(body).err(),
        "messages" => messages::decode::decode(body).err(),
        "count" => messages::decode::decode_for_count(body).err(),
        "ollama" => ollama::chat::decode::decode(body).err(),
        other => panic!("{other}"),
    }
}

/// A body whose list at `[]` has this many entries.
fn body(template: &str, entry: &str, count: usize) -> String {
    let entries = vec![entry; count].join(",");
    let body = template.replacen("[]", &format!("[{entries}]"), 1);
    format!(r#"{{"model":"m","max_tokens":9,{body}}}"#)
}

const MESSAGE: &str = r#"{"role":"user","content":"a"}"#;
const TEXT: &str = r#"{"type":"text","text":"a"}"#;

#[test]
fn a_list_that_is_too_long_is_named() {
    let parts = r#""messages":[{"role":"user","content":[]}]"#;
    let table = [
        ("chat", r#""messages":[]"#, MESSAGE, "messages"),
        ("chat", parts, TEXT, "messages[0].content"),
        ("messages", r#""messages":[]"#, MESSAGE, "messages"),
        ("messages", parts, TEXT, "messages[0].content"),
        (
            "messages",
            r#""system":[],"messages":[{"role":"user","content":"a"}]"#,
            TEXT,
            "system",
        ),
        ("count", r#""messages":[]"#, MESSAGE, "messages"),
        ("ollama", r#""messages":[]"#, MESSAGE, "messages"),
        ("responses", r#""input":[]"#, MESSAGE, "input"),
        (
            "responses",
            r#""input":[{"role":"user","content":[]}]"#,
            r#"{"type":"input_text","text":"a"}"#,
            "input[0].content",
        ),
    ];
    for (decoder, template, entry, field) in table {
        let fits = refusal(decoder, &body(template, entry, ENTRIES_MAX));
        assert!(fits.is_none(), "{decoder} {field}: {fits:?}");
        let failure = refusal(decoder, &body(template, entry, ENTRIES_MAX + 1)).unwrap();
        assert_eq!(failure.kind, Kind::Invalid, "{decoder} {field}");
        assert_eq!(failure.param.as_deref(), Some(field), "{decoder}");
        assert_eq!(
            failure.message,
            format!("`{field}` takes at most {ENTRIES_MAX} entries."),
            "{decoder}"
        );
    }
}

#[test]
fn tools_beyond_those_that_are_taken_are_not_read() {
    let template = r#""tools":[],"messages":[{"role":"user","content":"a"}]"#;
    let chats = r#"{"type":"function","function":{"name":"f"}}"#;
    let anthropics = r#"{"name":"f","input_schema":{"type":"object"}}"#;
    for (decoder, entry) in [("chat", chats), ("messages", anthropics)] {
        for count in [TOOLS_MAX + 1, ENTRIES_MAX + 1] {
            let failure = refusal(decoder, &body(template, entry, count)).unwrap();
            assert_eq!(failure.param.as_deref(), Some("tools"), "{decoder}");
            let words = format!("`tools` takes at most {TOOLS_MAX} tools.");
            assert_eq!(failure.message, words, "{decoder}");
        }
    }
}

#[test]
fn a_field_of_too_many_values_is_named_whether_it_has_an_effect_or_not() {
    for decoder in [
        "chat",
        "completions",
        "responses",
        "conversations",
        "messages",
        "count",
        "ollama",
    ] {
        for field in ["metadata", "x"] {
            let template = format!("\"{field}\":[]");
            let failure = refusal(decoder, &body(&template, "[]", JSON_VALUES_MAX / 2)).unwrap();
            assert_eq!(failure.kind, Kind::Invalid, "{decoder} {field}");
            assert_eq!(failure.param.as_deref(), Some(field), "{decoder}");
        }
    }
}
