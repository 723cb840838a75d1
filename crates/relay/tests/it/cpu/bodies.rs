//! Bodies that ask for as much work as their size can.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::BODY_BYTES;

/// As many as make up a body, numbered.
fn many(one: impl Fn(usize) -> String) -> String {
    let mut all = String::with_capacity(BODY_BYTES + 4096);
    for number in 0.. {
        if all.len() >= BODY_BYTES {
            break;
        }
        if number > 0 {
            all.push(',');
        }
        all.push_str(&one(number));
    }
    all
}

fn long() -> String {
    "a".repeat(BODY_BYTES)
}

/// A JSON object with what is given, over a request that is good without it.
pub(super) fn with(base: &str, more: &str) -> String {
    format!("{},{more}}}", base.trim_end_matches('}'))
}

/// Routes with JSON bodies, each with a body that is good.
pub(super) const ROUTES: [(&str, &str); 14] = [
    (
        "/v1/chat/completions",
        r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi."}]}"#,
    ),
    (
        "/v1/completions",
        r#"{"model":"gpt-4o-mini","prompt":"Hi."}"#,
    ),
    ("/v1/responses", r#"{"model":"gpt-4o-mini","input":"Hi."}"#),
    (
        "/v1/responses/input_tokens",
        r#"{"model":"gpt-4o-mini","input":"Hi."}"#,
    ),
    (
        "/v1/messages",
        r#"{"model":"gpt-4o-mini","max_tokens":9,"messages":[{"role":"user","content":"Hi."}]}"#,
    ),
    (
        "/v1/messages/count_tokens",
        r#"{"model":"gpt-4o-mini","max_tokens":9,"messages":[{"role":"user","content":"Hi."}]}"#,
    ),
    ("/v1/conversations", r#"{"metadata":{"a":"b"}}"#),
    ("/v1/assistants", r#"{"model":"gpt-4o-mini"}"#),
    (
        "/v1/audio/speech",
        r#"{"model":"tts-1","input":"Hi.","voice":"alloy"}"#,
    ),
    (
        "/v1/images/generations",
        r#"{"model":"dall-e-3","prompt":"A cat."}"#,
    ),
    ("/v1/videos", r#"{"model":"sora-2","prompt":"A cat."}"#),
    (
        "/api/chat",
        r#"{"model":"gpt-4o-mini","stream":false,"messages":[{"role":"user","content":"Hi."}]}"#,
    ),
    (
        "/api/generate",
        r#"{"model":"gpt-4o-mini","stream":false,"prompt":"Hi."}"#,
    ),
    (
        "/v1/images/edits",
        r#"{"model":"dall-e-2","prompt":"A cat."}"#,
    ),
];

/// What can be done to every body.
pub(super) fn mutations() -> Vec<(&'static str, String)> {
    let deep = "[".repeat(100) + &"]".repeat(100);
    vec![
        ("a long model", format!("\"model\":\"{}\"", long())),
        ("a long parameter", format!("\"{}\":1", long())),
        ("a long value", format!("\"user\":\"{}\"", long())),
        ("unknown parameters", many(|n| format!("\"p{n}\":1"))),
        ("numbers", format!("\"seed\":[{}]", many(|n| n.to_string()))),
        (
            "a long number",
            format!("\"seed\":{}", "9".repeat(BODY_BYTES)),
        ),
        (
            "a deep value",
            format!("\"user\":[{}]", many(|_| deep.clone())),
        ),
        (
            "too deep a value",
            format!("\"user\":{}", "[".repeat(BODY_BYTES)),
        ),
        ("one field again", many(|_| "\"x\":null".to_owned())),
        (
            "metadata",
            format!("\"metadata\":{{{}}}", many(|n| format!("\"k{n}\":\"v\""))),
        ),
        (
            "stop strings",
            format!("\"stop\":[{}]", many(|n| format!("\"s{n}\""))),
        ),
        (
            "stop sequences",
            format!("\"stop_sequences\":[{}]", many(|n| format!("\"s{n}\""))),
        ),
        (
            "included",
            format!("\"include\":[{}]", many(|n| format!("\"i{n}\""))),
        ),
        (
            "files",
            format!("\"file_ids\":[{}]", many(|n| format!("\"file-{n}\""))),
        ),
        (
            "an unknown tool",
            format!("\"tools\":[{}]", many(|n| format!("{{\"type\":\"t{n}\"}}"))),
        ),
        (
            "a choice",
            format!("\"tool_choice\":{{\"type\":\"{}\"}}", long()),
        ),
        (
            "an odd type",
            format!("\"messages\":[{}],\"input\":{{}}", many(|_| "7".to_owned())),
        ),
        (
            "prompts",
            format!("\"prompt\":[{}]", many(|_| "\"a\"".to_owned())),
        ),
        (
            "options",
            format!("\"options\":{{{}}}", many(|n| format!("\"o{n}\":1"))),
        ),
        (
            "images",
            format!("\"images\":[{}]", many(|n| format!("\"http://a/{n}\""))),
        ),
        ("a cut document", format!("\"x\":\"{}", long())),
        ("no text", format!("\"x\":\"{}\\ud800\"", long())),
    ]
}

/// Tools in the words of each API.
fn tools(tool: impl Fn(usize) -> Value) -> String {
    many(|n| tool(n).to_string())
}

fn closed(properties: &str, required: &str) -> String {
    format!(
        "{{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{{{properties}}},\"required\":[{required}]}}"
    )
}

/// Schemas that ask for much work.
fn schemas() -> Vec<(&'static str, String)> {
    let half = |one: &dyn Fn(usize) -> String| {
        let all = many(one);
        let end = all.get(..all.len() / 2).unwrap().rfind(',').unwrap();
        all.get(..end).unwrap().to_owned()
    };
    let references = half(&|n| format!("\"p{n}\":{{\"$ref\":\"#/$defs/d\"}}"));
    let definition = half(&|n| format!("\"q{n}\":{{\"type\":\"string\"}}"));
    let chain = many(|n| format!("\"d{n}\":{{\"$ref\":\"#/$defs/d{}\"}}", n + 1));
    let union = (0..12).fold(String::new(), |mut all, n| {
        let next = format!("{{\"$ref\":\"#/$defs/d{}\"}}", n + 1);
        let _ = write!(
            all,
            "\"d{n}\":{{\"anyOf\":[{}]}},",
            vec![next; 12].join(",")
        );
        all
    });
    vec![
        (
            "properties",
            closed(
                &half(&|n| format!("\"p{n}\":{{\"type\":\"string\"}}")),
                &half(&|n| format!("\"p{n}\"")),
            ),
        ),
        ("required", closed("", &many(|n| format!("\"p{n}\"")))),
        (
            "an enumeration",
            format!("{{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"a\"],\"properties\":{{\"a\":{{\"enum\":[{}]}}}}}}", many(|n| format!("\"e{n}\""))),
        ),
        (
            "enumerated objects",
            format!("{{\"enum\":[{}]}}", many(|n| format!("{{\"a\":{n}}}"))),
        ),
        ("types", format!("{{\"type\":[{}]}}", many(|_| "\"string\"".to_owned()))),
        (
            "patterns",
            format!(
                "{{\"type\":\"object\",\"properties\":{{{}}}}}",
                many(|n| format!("\"p{n}\":{{\"pattern\":\"^[\\\\w.]{{1,90}}$\"}}"))
            ),
        ),
        (
            "a large pattern",
            "{\"type\":\"object\",\"properties\":{\"a\":{\"pattern\":\"((\\\\w{1,99}){1,99}){1,99}\"}}}".to_owned(),
        ),
        (
            "patterns that look around",
            patterns(r"^(?=.*\\p{L})(?!.*\\p{N}).{1,"),
        ),
        ("patterns of Unicode", patterns(r"x\\p{L}{1,")),
        ("patterns of many looks", patterns(r"^(?=.*(\\p{L}{1,99}){1,99}).{1,")),
        ("ordinary patterns", patterns("^[a-z0-9_-]{1,")),
        ("alternatives of patterns", alternatives_of_patterns()),
        (
            "a pattern of control characters",
            format!("{{\"type\":\"object\",\"properties\":{{\"a\":{{\"pattern\":\"{}\"}}}}}}", r"\\cA".repeat(BODY_BYTES / 4)),
        ),
        (
            "patterns of names",
            format!("{{\"type\":\"object\",\"patternProperties\":{{{}}}}}", many(|n| format!("\"^p{n}\":{{}}"))),
        ),
        (
            "references to one",
            format!("{{\"type\":\"object\",\"properties\":{{{references}}},\"$defs\":{{\"d\":{{\"type\":\"object\",\"properties\":{{{definition}}}}}}}}}"),
        ),
        ("a chain", format!("{{\"$ref\":\"#/$defs/d0\",\"$defs\":{{{chain}}}}}")),
        (
            "unions of unions",
            format!("{{\"$ref\":\"#/$defs/d0\",\"$defs\":{{{union}\"d12\":{{}}}}}}"),
        ),
        (
            "one anchor again",
            format!("{{\"anyOf\":[{}]}}", many(|_| "{\"$anchor\":\"a\",\"$ref\":\"#a\"}".to_owned())),
        ),
        (
            "deep objects with long names",
            (0..9).fold("{}".to_owned(), |inner, _| {
                closed(&format!("\"{}\":{inner}", "n".repeat(BODY_BYTES / 9)), "")
            }),
        ),
        ("a wrong keyword", format!("{{\"type\":\"{}\"}}", long())),
        (
            "alternatives",
            format!("{{\"anyOf\":[{}]}}", many(|n| closed(&format!("\"p{n}\":{{\"type\":\"string\"}}"), &format!("\"p{n}\"")))),
        ),
        ("all of", format!("{{\"allOf\":[{}]}}", many(|n| format!("{{\"minLength\":{n}}}")))),
    ]
}

/// As many patterns as make up a body, each with another number, of a strict schema.
fn patterns(begin: &str) -> String {
    let count = BODY_BYTES / (begin.len() + 50);
    let property = |n: usize| {
        format!(
            "\"p{n}\":{{\"type\":\"string\",\"pattern\":\"{begin}{}}}$\"}}",
            n + 1
        )
    };
    let list = |one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join(",");
    closed(&list(&property), &list(&|n| format!("\"p{n}\"")))
}

/// Each of which is compiled with all definitions when it is chosen among.
fn alternatives_of_patterns() -> String {
    let definition =
        |n: usize| format!("\"d{n}\":{{\"type\":\"string\",\"pattern\":\"x[^a]{{{n}}}\"}}");
    let definitions: Vec<String> = (1..100).map(definition).collect();
    let option = |n: usize| format!("{{\"type\":\"object\",\"required\":[\"p{n}\"]}}");
    let options: Vec<String> = (0..300).map(option).collect();
    format!(
        "{{\"$defs\":{{{}}},\"anyOf\":[{}]}}",
        definitions.join(","),
        options.join(",")
    )
}

const CHAT: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi."}]}"#;
const RESPONSES: &str = r#"{"model":"gpt-4o-mini","input":"Hi."}"#;
const OLLAMA: &str =
    r#"{"model":"gpt-4o-mini","stream":false,"messages":[{"role":"user","content":"Hi."}]}"#;
const MESSAGES: &str =
    r#"{"model":"gpt-4o-mini","max_tokens":9,"messages":[{"role":"user","content":"Hi."}]}"#;

/// Where an API's turns are asked for.
fn path(api: &str) -> &'static str {
    match api {
        "chat" => "/v1/chat/completions",
        "responses" => "/v1/responses",
        "ollama" => "/api/chat",
        _ => "/v1/messages",
    }
}

/// A route, what its body is called, and the body.
pub(super) type Named = (&'static str, String, String);

fn of(api: &str, name: &str, body: String) -> Named {
    (path(api), format!("{api}: {name}"), body)
}

fn flat(n: usize) -> Value {
    json!({"type": "function", "name": format!("f{n}")})
}

/// Tools, and the choice among them.
fn tool_bodies() -> Vec<Named> {
    let function = |n: usize| json!({"type": "function", "function": {"name": format!("f{n}")}});
    let custom = |n: usize| json!({"name": format!("f{n}"), "input_schema": {}});
    let allowed = |n: usize| json!({"type": "function", "name": "f0", "n": n});
    let mut all = Vec::new();
    all.push(of(
        "chat",
        "tools",
        with(CHAT, &format!("\"tools\":[{}]", tools(function))),
    ));
    all.push(of(
        "chat",
        "one tool again",
        with(CHAT, &format!("\"tools\":[{}]", tools(|_| function(0)))),
    ));
    all.push(of(
        "responses",
        "tools",
        with(RESPONSES, &format!("\"tools\":[{}]", tools(flat))),
    ));
    all.push(of(
        "ollama",
        "tools",
        with(OLLAMA, &format!("\"tools\":[{}]", tools(function))),
    ));
    all.push(of(
        "ollama",
        "hosted tools",
        with(
            OLLAMA,
            &format!("\"tools\":[{}]", many(|n| format!("{{\"type\":\"t{n}\"}}"))),
        ),
    ));
    all.push(of(
        "responses",
        "one tool again",
        with(RESPONSES, &format!("\"tools\":[{}]", tools(|_| flat(0)))),
    ));
    all.push(of(
        "messages",
        "tools",
        with(MESSAGES, &format!("\"tools\":[{}]", tools(custom))),
    ));
    all.push(of(
        "chat",
        "allowed tools",
        with(
            CHAT,
            &format!(
                "\"tools\":[{}],\"tool_choice\":{{\"type\":\"allowed_tools\",\"tools\":[{}]}}",
                function(0),
                tools(allowed)
            ),
        ),
    ));
    all.push(of(
        "responses",
        "allowed tools",
        with(
            RESPONSES,
            &format!(
                "\"tools\":[{}],\"tool_choice\":{{\"type\":\"allowed_tools\",\"tools\":[{}]}}",
                flat(0),
                tools(allowed)
            ),
        ),
    ));
    all
}

/// Schemas of tools and answers.
fn schema_bodies() -> Vec<Named> {
    let mut all = Vec::new();
    for (name, schema) in schemas() {
        all.push(of(
            "chat",
            &format!("tool with {name}"),
            with(
                CHAT,
                &format!(
                    "\"tools\":[{{\"type\":\"function\",\"function\":{{\"name\":\"f\",\"strict\":true,\"parameters\":{schema}}}}}]"
                ),
            ),
        ));
        all.push(of(
            "chat",
            &format!("loose tool with {name}"),
            with(
                CHAT,
                &format!(
                    "\"tools\":[{{\"type\":\"function\",\"function\":{{\"name\":\"f\",\"parameters\":{schema}}}}}]"
                ),
            ),
        ));
        all.push(of(
            "chat",
            &format!("answer with {name}"),
            with(
                CHAT,
                &format!(
                    "\"response_format\":{{\"type\":\"json_schema\",\"json_schema\":{{\"name\":\"a\",\"schema\":{schema}}}}}"
                ),
            ),
        ));
        all.push(of(
            "responses",
            &format!("answer with {name}"),
            with(
                RESPONSES,
                &format!(
                    "\"text\":{{\"format\":{{\"type\":\"json_schema\",\"name\":\"a\",\"strict\":true,\"schema\":{schema}}}}}"
                ),
            ),
        ));
        all.push(of(
            "ollama",
            &format!("answer with {name}"),
            with(OLLAMA, &format!("\"format\":{schema}")),
        ));
        all.push(of(
            "messages",
            &format!("tool with {name}"),
            with(
                MESSAGES,
                &format!(
                    "\"tools\":[{{\"name\":\"f\",\"strict\":true,\"input_schema\":{schema}}}]"
                ),
            ),
        ));
        all.push(of(
            "messages",
            &format!("answer with {name}"),
            with(
                MESSAGES,
                &format!("\"output_format\":{{\"type\":\"json_schema\",\"schema\":{schema}}}"),
            ),
        ));
    }
    all
}

fn messages(all: &str) -> String {
    format!("{{\"model\":\"gpt-4o-mini\",\"max_tokens\":9,\"messages\":[{all}]}}")
}

fn input(all: &str) -> String {
    format!("{{\"model\":\"gpt-4o-mini\",\"input\":[{all}]}}")
}

/// Many messages, and much text.
fn message_bodies() -> Vec<Named> {
    let mut all = Vec::new();
    for (name, message) in [
        ("messages", json!({"role": "user", "content": "a"})),
        (
            "markup",
            json!({"role": "user", "content": "<user-2></ system>"}),
        ),
        ("roles", json!({"role": "king", "content": "a"})),
    ] {
        all.push(of("chat", name, messages(&many(|_| message.to_string()))));
        all.push(of(
            "messages",
            name,
            messages(&many(|_| message.to_string())),
        ));
        all.push(of("responses", name, input(&many(|_| message.to_string()))));
    }
    let text = format!("<{}", many(|n| format!("<user-{n}>")));
    for api in ["chat", "messages"] {
        all.push(of(
            api,
            "tags",
            messages(&json!({"role": "user", "content": text}).to_string()),
        ));
        all.push(of(
            api,
            "parts",
            messages(&format!(
                "{{\"role\":\"user\",\"content\":[{}]}}",
                many(|_| "{\"type\":\"text\",\"text\":\"a\"}".to_owned())
            )),
        ));
    }
    all
}

/// Calls, their results, and references to what was said.
fn history_bodies() -> Vec<Named> {
    let mut all = Vec::new();
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let calls = |id: &dyn Fn(usize) -> String| {
        let all = many(|n| {
            format!(
                "{},{}",
                call(&id(n)),
                json!({"role": "tool", "tool_call_id": id(n), "content": "x"})
            )
        });
        // Calls of one message, then their results.
        let values: Vec<Value> = serde_json::from_str(&format!("[{all}]")).unwrap();
        let (calls, results): (Vec<Value>, Vec<Value>) = values
            .into_iter()
            .partition(|value| value.get("function").is_some());
        let question = json!({"role": "user", "content": "Hi."});
        let calling = json!({"role": "assistant", "tool_calls": calls});
        let mut all = vec![question, calling];
        all.extend(results);
        json!({"model": "gpt-4o-mini", "messages": all}).to_string()
    };
    all.push(of("chat", "calls", calls(&|n| format!("c{n}"))));
    all.push(of("chat", "calls of one id", calls(&|_| "c".to_owned())));
    for (name, result) in [
        (
            "results of unknown calls",
            json!({"role": "tool", "tool_call_id": "none", "content": "x"}),
        ),
        (
            "results of unknown tools",
            json!({"role": "tool", "tool_name": "none", "content": "x"}),
        ),
        (
            "results of the last",
            json!({"role": "tool", "tool_name": "last", "content": "x"}),
        ),
    ] {
        let calls =
            many(|n| json!({"function": {"name": format!("f{n}"), "arguments": {}}}).to_string());
        let results = many(|_| result.to_string());
        all.push(of(
            "ollama",
            name,
            with(
                r#"{"model":"gpt-4o-mini","stream":false}"#,
                &format!("\"messages\":[{{\"role\":\"assistant\",\"tool_calls\":[{calls},{{\"function\":{{\"name\":\"last\"}}}}]}},{results},{{\"role\":\"user\",\"content\":\"Hi.\"}}]"),
            ),
        ));
    }
    all.push(of(
        "responses",
        "outputs",
        input(&many(|n| {
            json!({"type": "function_call_output", "call_id": format!("c{n}"), "output": "x"})
                .to_string()
        })),
    ));
    all.push(of(
        "responses",
        "references",
        input(&many(|n| {
            json!({"type": "item_reference", "id": format!("msg_{n}")}).to_string()
        })),
    ));
    all.push(of(
        "responses",
        "thoughts",
        input(&many(|n| {
            json!({"type": "reasoning", "id": format!("rs_{n}"), "summary": []}).to_string()
        })),
    ));
    all.push(of(
        "responses",
        "offered later",
        input(&many(|n| {
            json!({"type": "additional_tools", "tools": [flat(n)]}).to_string()
        })),
    ));
    all.push(of(
        "messages",
        "uses",
        messages(&many(|n| {
            json!({"role": "assistant", "content": [{"type": "tool_use", "id": format!("t{n}"), "name": format!("f{n}"), "input": {}}]}).to_string()
        })),
    ));
    all
}

/// Prompts with flags.
fn prompt_bodies() -> Vec<Named> {
    let mut bodies: Vec<Named> = Vec::new();
    for (flag, name) in [
        ("--no a ", "negatives"),
        ("--ar 1:1 ", "ratios"),
        ("--fast ", "modes"),
        ("-- ", "dashes"),
    ] {
        let prompt = flag.repeat(BODY_BYTES / flag.len());
        for model in ["midjourney", "dall-e-3"] {
            bodies.push((
                "/v1/images/generations",
                format!("{model}: {name}"),
                json!({"model": model, "prompt": prompt}).to_string(),
            ));
        }
    }
    bodies
}

/// What asks for much work in one API alone.
pub(super) fn particular() -> Vec<Named> {
    let all = [
        tool_bodies(),
        schema_bodies(),
        message_bodies(),
        history_bodies(),
        prompt_bodies(),
    ];
    all.into_iter().flatten().collect()
}
