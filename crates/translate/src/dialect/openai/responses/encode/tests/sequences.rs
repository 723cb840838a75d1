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

fn seen() -> Value {
    let length = Finish::Length;
    let calls = Finish::Calls;
    let weather = call(0, "weather", "{\"city\":\"Paris\"}");
    let send = call(1, "mail.send", "{}");
    let patch = call(0, "patch", "{\"input\":\"*** Begin Patch\"}");
    let shell = call(1, "local_shell", "{\"command\":[\"ls\"]}");
    let [started, ..] = weather;
    let half = Event::CallArguments {
        index: 0,
        json: "{\"city\":\"Par",
    };
    let searching = || Shape {
        query: Some("What is new?".to_owned()),
        ..shape()
    };
    let summing = || Shape {
        summary: true,
        ..shape()
    };
    let table: Vec<(&str, Shape, Vec<Event<'_>>, End)> = vec![
        (
            "text",
            shape(),
            vec![Event::Text("Hel"), Event::Text("lo"), FINISHED],
            End::Close,
        ),
        ("silence", shape(), vec![FINISHED], End::Close),
        (
            "two parallel calls",
            shape(),
            [
                &[Event::Text("Let me see.")],
                &weather[..],
                &send,
                &[Event::Finished(&calls)],
            ]
            .concat(),
            End::Close,
        ),
        (
            "a custom tool and a local shell",
            shape(),
            [&patch[..], &shell, &[Event::Finished(&calls)]].concat(),
            End::Close,
        ),
        (
            "refusal",
            shape(),
            vec![Event::Refusal("I can"), Event::Refusal("not."), FINISHED],
            End::Close,
        ),
        (
            "text and refusal",
            shape(),
            vec![Event::Text("Well. "), Event::Refusal("No."), FINISHED],
            End::Close,
        ),
        (
            "length",
            shape(),
            vec![Event::Text("Hel"), Event::Finished(&length)],
            End::Close,
        ),
        (
            "length in a call",
            shape(),
            vec![started, half, Event::Finished(&length)],
            End::Close,
        ),
        (
            "filtered",
            shape(),
            vec![Event::Text("Hel"), Event::Finished(&Finish::Filtered)],
            End::Close,
        ),
        (
            "reasoning",
            shape(),
            vec![
                Event::Reasoning("h"),
                Event::Reasoning("m"),
                Event::Text("x"),
                FINISHED,
            ],
            End::Close,
        ),
        (
            "reasoning as a summary",
            summing(),
            vec![
                Event::Reasoning("h"),
                Event::Reasoning("m"),
                Event::Text("x"),
                FINISHED,
            ],
            End::Close,
        ),
        (
            "web search",
            searching(),
            vec![Event::Text("Much."), FINISHED],
            End::Close,
        ),
        ("failed before a word", searching(), vec![], End::Fail),
        (
            "failed in the text",
            shape(),
            vec![Event::Text("Hel")],
            End::Fail,
        ),
        (
            "failed in a call",
            shape(),
            vec![Event::Text("x"), started, half],
            End::Fail,
        ),
    ];
    let mut cases = serde_json::Map::new();
    for (name, shape, events, end) in table {
        let (events, kept) = streamed(shape, &events, &end);
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
