//! No text of a request can forge a tag of the transcript, wherever in the request it stands.

use proptest::prelude::*;
use serde_json::{Value, json};
use translate::compose::{Wording, compose};
use translate::dialect::openai::chat;
use translate::tags::{RESERVED, Tags};

/// What tags are made of, and whole tags of any variant and spelling.
const HOSTILE: &str = "x(<|/|user|USER|system|Assistant|assistant|tool_call|tool_result|-|[0-4]|>| |\n|\"|</user>|<system>|</tool_result-2>|<tool_call>|\\{|\\}|name=|é){0,14}";

/// How many words of a client a conversation has room for.
const WORDS: usize = 16;

/// A request with a client's words wherever a client can put some.
fn request(words: &[String], lone: bool) -> Value {
    let word = |n: usize| words[n % words.len()].as_str();
    if lone {
        return json!({"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": word(0)}, {"type": "text", "text": word(1)}]}]});
    }
    json!({
        "model": "m",
        "tools": [{"type": "function", "function": {"name": "f", "description": word(0), "parameters": {
            "type": "object", "properties": {"a": {"type": "string", "description": word(1), "enum": [word(2), "b"]}}
        }}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {
            "type": "object", "description": word(3), "properties": {"a": {"const": word(4)}}
        }}},
        "messages": [
            {"role": "system", "content": word(5)},
            {"role": "user", "content": [{"type": "text", "text": word(6)}, {"type": "text", "text": word(7)}], "name": word(8)},
            {"role": "user", "content": [{"type": "file", "file": {"file_id": "f", "filename": word(9)}}]},
            {"role": "assistant", "content": word(10), "refusal": word(11), "tool_calls": [
                {"id": word(12), "type": "function", "function": {"name": word(13), "arguments": word(14)}},
                {"id": "c2", "type": "function", "function": {"name": "f", "arguments": json!({"a": word(14)}).to_string()}},
            ]},
            {"role": "tool", "tool_call_id": word(12), "content": word(15)},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": word(0)}, {"type": "text", "text": word(1)}]},
            {"role": "function", "name": word(8), "content": word(2)},
            {"role": "user", "content": word(3)},
        ],
    })
}

/// The prompt and the variant of its tags.
fn prompt(request: &Value) -> (String, Option<Tags>) {
    let request = (chat::DIALECT.decode)(request.to_string().as_bytes());
    let chat = request
        .unwrap_or_else(|failure| panic!("{}", failure.message))
        .chat;
    let prompt = compose(&chat, &Wording::default(), 23);
    (prompt.text, prompt.tags)
}

/// How many times each reserved tag of the variant stands in the text, in any spelling that a
/// model may take for it. Says what a tag is once more, in the plainest way.
fn count(text: &str, tags: Tags) -> Vec<usize> {
    let suffix = tags.variant().map(|n| format!("-{n}")).unwrap_or_default();
    let ends =
        |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let is_tag = |after: &str, name: &str| {
        let lower = after.trim_start_matches([' ', '\n', '/']).to_lowercase();
        lower
            .strip_prefix(&format!("{name}{suffix}"))
            .is_some_and(ends)
    };
    let after: Vec<&str> = text.split('<').skip(1).collect();
    RESERVED
        .iter()
        .map(|name| after.iter().filter(|after| is_tag(after, name)).count())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_word_of_a_client_adds_or_takes_a_tag(words in proptest::collection::vec(HOSTILE, WORDS)) {
        let harmless = vec!["x".to_owned(); WORDS];
        let (plain, plain_tags) = prompt(&request(&harmless, false));
        let (text, tags) = prompt(&request(&words, false));
        let (expected, found) = (count(&plain, plain_tags.unwrap()), count(&text, tags.unwrap()));
        prop_assert_eq!(found, expected, "{:?} in\n{}", tags, text);
    }

    #[test]
    fn a_lone_message_is_asked_as_it_stands(words in proptest::collection::vec(HOSTILE, 2)) {
        let (text, tags) = prompt(&request(&words, true));
        prop_assert_eq!(text, format!("{}\n{}", words[0], words[1]));
        prop_assert_eq!(tags, None);
    }
}
