//! What holds for every text and every call, and how the work grows.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use translate::compose::tools::render_call;
use translate::interpret::tool_calls::{Options, PromptEcho, Reader};
use translate::reply::{Event, Reply};
use translate::tags::Tags;

use super::cases::pieces;
use super::tool_cases::{read, tools};

fn reply(text: &str, cuts: &[usize]) -> Reply {
    read(
        &tools(),
        Tags::default(),
        PromptEcho::default(),
        Options::default(),
        false,
        &pieces(text, cuts),
    )
    .reply
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,16}".prop_map(Value::from),
        r#"(</?tool_call>|[\\"'{}\[\],:]|\n|```|</?parameter>|x){0,8}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(".{0,8}", inner, 0..5)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// Texts made of everything that markers and Markdown are made of, but no declared tool's name.
const SHAPES: &str = r#"(<tool_call>|</tool_call>|<function=|<invoke name="|">|\[TOOL_CALLS\]|<\||\|>|```|`|\{"name": "|", "arguments": \{|\}|\{|\]|\[|"|'|\n|    | |> |a|launch|é|Action:|<|/|=|,|:|\(|\)){0,30}"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_text_without_a_declared_tool_passes_unchanged(text in SHAPES) {
        let reply = reply(&text, &[]);
        prop_assert!(reply.calls.is_empty());
        prop_assert_eq!(reply.text, text);
    }

    #[test]
    fn any_text_passes_unchanged_without_a_declared_tool(text in "\\PC{0,80}") {
        let reply = reply(&text, &[]);
        prop_assert_eq!(reply.text, text);
    }

    #[test]
    fn cuts_do_not_matter(text in proptest::string::string_regex(&SHAPES.replace("launch", "get_time|get_weather|location")).unwrap(), cut in any::<prop::sample::Index>()) {
        let borders: Vec<usize> = text.char_indices().skip(1).map(|(at, _)| at).collect();
        let whole = reply(&text, &[]);
        prop_assert_eq!(&reply(&text, &borders), &whole);
        if !borders.is_empty() {
            prop_assert_eq!(&reply(&text, &[borders[cut.index(borders.len())]]), &whole);
        }
    }

    #[test]
    fn any_arguments_survive_being_written_and_read(
        arguments in proptest::collection::btree_map(".{0,10}", value(), 0..5), lead in "[a-z ]{0,12}"
    ) {
        let arguments: Map<String, Value> = arguments.into_iter().collect();
        let json = Value::Object(arguments).to_string();
        let text = format!("{lead}\n{}\n{}", render_call("search", &json, Tags::default()), render_call("get_time", "", Tags::default()));
        let borders: Vec<usize> = text.char_indices().skip(1).map(|(at, _)| at).collect();
        for cuts in [Vec::new(), borders] {
            let reply = reply(&text, &cuts);
            prop_assert_eq!(reply.calls.len(), 2);
            prop_assert_eq!(&reply.calls[0].arguments, &json);
            prop_assert_eq!(reply.text.trim_end(), lead.trim_end());
        }
    }
}

/// The time that a processor gave to this thread: a machine that is busy with others does not matter.
fn worked() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// How much work a text is in pieces of this many bytes.
fn time(text: &str, size: usize) -> Duration {
    let cuts: Vec<usize> = (size..text.len().max(size))
        .step_by(size)
        .filter(|at| text.is_char_boundary(*at))
        .collect();
    let pieces = pieces(text, &cuts);
    let before = worked();
    let mut reader = Reader::new(
        &tools(),
        Tags::default(),
        PromptEcho::default(),
        Options::default(),
    );
    for piece in pieces {
        reader.push(piece, &mut |_: Event<'_>| {});
    }
    reader.end(false, &mut |_: Event<'_>| {});
    worked().saturating_sub(before)
}

/// A name and a text that grows.
type Shape = (&'static str, fn(usize) -> String);

/// Calls that do not end, in each other.
fn open_calls() -> [Shape; 6] {
    [
        ("calls in open parameters", |n| {
            "<function_calls><invoke name=\"search\"><parameter name=\"tags\">".repeat(n)
        }),
        ("invokes in open parameters", |n| {
            "<invoke name=\"search\"><parameter name=\"tags\">".repeat(n)
        }),
        ("functions in open parameters", |n| {
            "<function=search><parameter=tags>".repeat(n)
        }),
        ("wrapped functions in open parameters", |n| {
            "<tool_call><function=search><parameter=tags>".repeat(n)
        }),
        ("keys and values", |n| {
            "<tool_call>search<arg_key>tags</arg_key><arg_value>".repeat(n)
        }),
        ("other invokes in open parameters", |n| {
            "<\u{ff5c}DSML\u{ff5c}invoke name=\"search\"><\u{ff5c}DSML\u{ff5c}parameter name=\"tags\">".repeat(n)
        }),
    ]
}

#[test]
fn work_grows_with_the_text_and_no_faster() {
    let call = |n: usize| {
        render_call(
            "write_file",
            &json!({"path": "a", "content": "{\"x\": [1, \"y\"]}\n".repeat(n)}).to_string(),
            Tags::default(),
        )
    };
    let shapes: [Shape; 15] = [
        ("prose", |n| "All is well, 1 < 2 and [x] `y`.\n".repeat(n)),
        ("angle brackets", |n| "<".repeat(n * 16)),
        ("openers", |n| "<tool_call>".repeat(n * 2)),
        ("half envelopes", |n| "<tool_call>{\"name\": \"".repeat(n)),
        ("open strings", |n| {
            "<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"location\": \"".repeat(n / 4)
        }),
        ("arguments first", |n| {
            format!(
                "<tool_call>{{\"arguments\": {{\"x\": \"{}\"}}, \"name\": \"get_time\"}}",
                "x".repeat(n * 16)
            )
        }),
        ("braces", |n| {
            format!(
                "<tool_call>{{\"name\": \"get_weather\", \"arguments\": {}",
                "{".repeat(n * 8)
            )
        }),
        ("nested objects", |n| {
            format!(
                "<tool_call>{{\"name\": \"get_weather\", \"arguments\": {}",
                "{\"a\":".repeat(n * 4)
            )
        }),
        ("fences", |n| {
            "```json\n{\"name\": \"get_weather\", \"arguments\": {}}\n".repeat(n / 2)
        }),
        ("bare list", |n| {
            format!(
                "[{}",
                "{\"name\": \"get_weather\", \"arguments\": {\"location\": \"x\"}},".repeat(n / 4)
            )
        }),
        ("python", |n| {
            format!("[get_weather(location=\"{}\")", "x".repeat(n * 16))
        }),
        ("parameters", |n| {
            format!(
                "<function=write_file>\n<parameter=content>\n{}",
                "</parameter> x\n".repeat(n)
            )
        }),
        ("data parameter", |n| {
            format!(
                "<function=search>\n<parameter=tags>\n[{}",
                "\"x\", ".repeat(n * 2)
            )
        }),
        ("keys in a string", |n| {
            let members: Vec<String> = (0..n * 8).map(|key| format!(r#"\"{key}\":1"#)).collect();
            format!(
                "<tool_call>{{\"name\": \"get_weather\", \"arguments\": \"{{{}}}\"}}",
                members.join(",")
            )
        }),
        ("quotes", |n| {
            format!(
                "<tool_call>{{\"name\": \"get_weather\", \"arguments\": {{\"location\": \"{}",
                "\"x\", ".repeat(n * 2)
            )
        }),
    ];
    for (name, shape) in shapes.into_iter().chain(open_calls()) {
        let (small, large) = (shape(250), shape(2_000));
        let (fast, slow) = (time(&small, 7), time(&large, 7));
        let per_byte = |t: Duration, text: &str| t.as_secs_f64() / text.len() as f64 * 1e9;
        println!(
            "{name:20} {:8.0} ns/byte at {:7} bytes, {:8.0} at {:7}",
            per_byte(fast, &small),
            small.len(),
            per_byte(slow, &large),
            large.len()
        );
        assert!(
            slow < fast * 24 + Duration::from_millis(300),
            "{name}: {fast:?} for {} bytes, {slow:?} for {}",
            small.len(),
            large.len()
        );
    }
    let megabyte = call(50_000);
    let elapsed = time(&megabyte, 4);
    println!(
        "a call of {} bytes in pieces of 4: {elapsed:?}",
        megabyte.len()
    );
    assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
}

/// Calls and values that begin and do not end, in every form that has a tag for each value, and
/// values whose end cannot be told for long: `write_file` takes text, `search` data and text, `f` is
/// no tool.
const UNCLOSED: [&str; 22] = [
    "<invoke name=\"f\"><parameter name=\"a\">",
    "<invoke name=\"search\"><parameter name=\"tags\">",
    "<invoke name=\"write_file\"><parameter name=\"content\">",
    "<function_calls><invoke name=\"f\"><parameter name=\"a\">",
    "<function=f><parameter=a>",
    "<function=f>\n<parameter=a>\n",
    "<function=search><parameter=tags>",
    "<function=write_file><parameter=content>",
    "<tool_call><function=f><parameter=a>",
    "<tool_call>f<arg_key>a</arg_key><arg_value>",
    "<tool_call>search<arg_key>tags</arg_key><arg_value>",
    "<tool_call>f<arg_key>",
    "<｜DSML｜invoke name=\"f\"><｜DSML｜parameter name=\"a\">",
    "<｜DSML｜function_calls><｜DSML｜invoke name=\"search\"><｜DSML｜parameter name=\"tags\" string=\"false\">",
    "```xml\n<function=search><parameter=tags>\n```\n\n",
    "    <function=search><parameter=tags>\n\n",
    "`<invoke name=\"search\"><parameter name=\"tags\">`\n\n",
    "<search><tags>",
    "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": ]}",
    "<tool_call>{\"name\": \"get_weather\", \"arguments\": \"{\\\"a\\\": ",
    "</parameter>",
    "<parameter=a>",
];

/// What is said once before something that repeats.
const LEADS: [(&str, &str); 7] = [
    ("<function=f><parameter=a>x</parameter>", " "),
    (
        "<function=write_file><parameter=content>x</parameter>",
        "\n",
    ),
    ("<function=f><parameter=a>", "x"),
    ("<function=f><parameter=", "a "),
    ("<invoke name=\"f\"><parameter name=\"", "a "),
    ("<tool_call>f<arg_key>", "a "),
    (
        "<tool_call>{\"name\": \"get_time\", \"arguments\": {}, \"x\": \"",
        "a ",
    ),
];

#[test]
fn calls_that_do_not_end_are_read_in_proportion_to_their_text() {
    let repeated = UNCLOSED.iter().map(|unit| ("", *unit, ""));
    let closed = UNCLOSED
        .iter()
        .map(|unit| ("", *unit, "</parameter></arg_value>"));
    let led = LEADS.iter().map(|(lead, unit)| (*lead, *unit, ""));
    for (lead, unit, tail) in repeated.chain(closed).chain(led) {
        let text = |bytes: usize| format!("{lead}{}{tail}", unit.repeat(bytes / unit.len()));
        let (small, large) = (text(12 << 10), text(128 << 10));
        for size in [5, usize::MAX] {
            let (fast, slow) = (time(&small, size), time(&large, size));
            println!("{fast:10.1?} {slow:10.1?} {size:20} {lead:?} {unit:?} {tail:?}");
            // Eleven times the text; with the square of it, a hundred and fourteen times the work.
            assert!(
                slow < fast * 24 + Duration::from_millis(300),
                "{lead:?} {unit:?} {tail:?} in pieces of {size}: {fast:?}, then {slow:?}"
            );
        }
    }
}

#[test]
fn a_started_call_flows_before_it_is_complete() {
    let mut events = Vec::new();
    let mut reader = Reader::new(
        &tools(),
        Tags::default(),
        PromptEcho::default(),
        Options::default(),
    );
    let text = "Sure. <tool_call>\n{\"name\": \"write_file\", \"arguments\": {\"path\": \"a\", \"content\": \"one two th";
    reader.push(text, &mut |event: Event<'_>| {
        events.push(format!("{event:?}"));
    });
    assert_eq!(events[0], "Text(\"Sure.\")");
    assert_eq!(events[1], "CallStarted { index: 0, name: \"write_file\" }");
    assert!(events[2].contains("one two th"), "{events:?}");
}

#[test]
fn only_what_could_begin_a_marker_is_held() {
    for (text, given) in [
        ("Hello <", "Hello"),
        ("Hello <b", "Hello <b"),
        ("Hello <tool", "Hello"),
        ("a < b", "a < b"),
        ("x[0] and [y", "x[0] and [y"),
        ("`code` is `x", "`code` is `x"),
        ("Hello ", "Hello"),
    ] {
        let mut reply = Reply::default();
        let mut reader = Reader::new(
            &tools(),
            Tags::default(),
            PromptEcho::default(),
            Options::default(),
        );
        reader.push(text, &mut |event: Event<'_>| reply.collect(event));
        assert_eq!(reply.text, given, "{text}");
    }
}
