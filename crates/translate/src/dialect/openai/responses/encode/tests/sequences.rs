//! Whole streams, event by event, as `testdata/responses/streams.json` has them.
//!
//! The file is what the validating script checks against OpenAI's own types, too. After a change
//! that is meant, `UPDATE_GOLDEN=1 cargo test -p translate whole_streams` writes it anew.

use super::*;

const FILE: &str = include_str!("../../../../../../testdata/responses/streams.json");
const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/testdata/responses/streams.json"
);

const CALLED: Event<'static> = Event::Finished(&Finish::Calls);
const LENGTH: Event<'static> = Event::Finished(&Finish::Length);
const FILTERED: Event<'static> = Event::Finished(&Finish::Filtered);

/// A case's name, how its answer was asked for, and what the model does.
type Case = (&'static str, EncodeOptions, Vec<Event<'static>>);

fn half_a_call() -> [Event<'static>; 2] {
    let [started, ..] = call(0, "weather", "");
    let json = "{\"city\":\"Par";
    [started, Event::CallArguments { index: 0, json }]
}

fn searching() -> EncodeOptions {
    EncodeOptions {
        query: Some("What is new?".to_owned()),
        ..options()
    }
}

fn texts() -> Vec<Case> {
    vec![
        (
            "text",
            options(),
            vec![Event::Text("Hel"), Event::Text("lo"), FINISHED],
        ),
        ("silence", options(), vec![FINISHED]),
        (
            "refusal",
            options(),
            vec![Event::Refusal("I can"), Event::Refusal("not."), FINISHED],
        ),
        (
            "text and refusal",
            options(),
            vec![Event::Text("Well. "), Event::Refusal("No."), FINISHED],
        ),
        ("length", options(), vec![Event::Text("Hel"), LENGTH]),
        ("filtered", options(), vec![Event::Text("Hel"), FILTERED]),
        (
            "web search",
            searching(),
            vec![Event::Text("Much."), FINISHED],
        ),
    ]
}

fn thoughts_and_calls() -> Vec<Case> {
    let thoughts = || {
        vec![
            Event::Reasoning("h"),
            Event::Reasoning("m"),
            Event::Text("x"),
            FINISHED,
        ]
    };
    let summing = EncodeOptions {
        summary: true,
        ..options()
    };
    let weather = call(0, "weather", "{\"city\":\"Paris\"}");
    let send = call(1, "mail.send", "{}");
    let patch = call(0, "patch", "{\"input\":\"*** Begin Patch\"}");
    let shell = call(1, "local_shell", "{\"command\":[\"ls\"]}");
    vec![
        ("reasoning", options(), thoughts()),
        ("reasoning as a summary", summing, thoughts()),
        (
            "two parallel calls",
            options(),
            [
                &[Event::Text("Let me see.")],
                &weather[..],
                &send,
                &[CALLED],
            ]
            .concat(),
        ),
        (
            "a custom tool and a local shell",
            options(),
            [&patch[..], &shell, &[CALLED]].concat(),
        ),
        (
            "length in a call",
            options(),
            [&half_a_call()[..], &[LENGTH]].concat(),
        ),
    ]
}

fn failures() -> Vec<Case> {
    vec![
        ("failed before a word", searching(), vec![]),
        ("failed in the text", options(), vec![Event::Text("Hel")]),
        (
            "failed in a call",
            options(),
            [&[Event::Text("x")], &half_a_call()[..]].concat(),
        ),
    ]
}

fn seen() -> Value {
    let closed = texts().into_iter().chain(thoughts_and_calls());
    let closed = closed.map(|case| (case, End::Close));
    let failed = failures().into_iter().map(|case| (case, End::Fail));
    let mut cases = serde_json::Map::new();
    for ((name, options, events), end) in closed.chain(failed) {
        let (events, kept) = streamed(options, &events, &end);
        check(&events);
        assert_eq!(events.last().unwrap()["response"], kept, "{name}");
        cases.insert(name.to_owned(), json!(events));
    }
    Value::Object(cases)
}

#[test]
fn whole_streams_are_the_sequences_that_openai_sends() {
    let seen = seen();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let text = format!("{seen:#}\n");
        write(&text);
        return;
    }
    let expected: Value = serde_json::from_str(FILE).unwrap();
    let names = |cases: &Value| {
        cases
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&seen), names(&expected));
    for (name, events) in seen.as_object().unwrap() {
        assert_eq!(events, &expected[name], "{name}");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test writes what it compares with"
)]
fn write(text: &str) {
    std::fs::write(PATH, text).unwrap();
}
