use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::failure::Kind;
use crate::reply::Usage;
use crate::reply::{Timing, UsageSource};

const USAGE: Usage = Usage {
    input_tokens: 120,
    output_tokens: 7,
    source: UsageSource::Reported,
    credits: Some(42.0),
};
const COMPLETION: Completion = Completion {
    usage: USAGE,
    at: 1_700_000_009,
    timing: Timing {
        first: std::time::Duration::ZERO,
        total: std::time::Duration::ZERO,
    },
};

fn meta() -> ResponseMeta {
    ResponseMeta {
        id: "abc".to_owned(),
        created: 1_700_000_000,
    }
}

fn options(thoughts: Thoughts) -> EncodeOptions {
    EncodeOptions {
        model: "claude-opus-5".to_owned(),
        input_tokens: 100,
        thoughts,
        prefill: String::new(),
        query: None,
    }
}

#[test]
fn a_search_on_demand_stands_before_the_answer_and_is_counted() {
    let searching = || EncodeOptions {
        query: Some("News of \"today\"?".to_owned()),
        ..options(Thoughts::Hidden)
    };
    let reply = Reply {
        text: "None.".to_owned(),
        ..Reply::default()
    };
    let whole = searching().document(&meta(), &[reply], COMPLETION);
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    let direct = serde_json::json!({"type": "direct"});
    let expected = serde_json::json!([
        {"type": "server_tool_use", "id": "srvtoolu_abc", "caller": direct, "name": "web_search", "input": {"query": "News of \"today\"?"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_abc", "caller": direct, "content": []},
        {"type": "text", "text": "None.", "citations": null},
    ]);
    assert_eq!(whole["content"], expected);
    let counted = serde_json::json!({"web_search_requests": 1, "web_fetch_requests": 0});
    assert_eq!(whole["usage"]["server_tool_use"], counted);
    let events = [Event::Text("None."), Event::Finished(&Finish::Stop)];
    let streamed = stream(searching(), &events);
    let data = streamed
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let data: Vec<Value> = data.map(|d| serde_json::from_str(d).unwrap()).collect();
    let begun = data
        .iter()
        .filter(|event| event["type"] == "content_block_start");
    let begun: Vec<_> = begun
        .map(|event| (&event["index"], &event["content_block"]["type"]))
        .collect();
    let kinds = ["server_tool_use", "web_search_tool_result", "text"].map(Value::from);
    let numbers = [0, 1, 2].map(Value::from);
    assert_eq!(begun, numbers.iter().zip(&kinds).collect::<Vec<_>>());
    let input = data
        .iter()
        .find_map(|event| event["delta"]["partial_json"].as_str())
        .unwrap();
    assert_eq!(input, r#"{"query":"News of \"today\"?"}"#);
    let end = data
        .iter()
        .find(|event| event["type"] == "message_delta")
        .unwrap();
    assert_eq!(end["usage"]["server_tool_use"], counted);
}

fn stream(options: EncodeOptions, events: &[Event<'_>]) -> String {
    let mut encoder = Box::new(options).stream(meta(), 1);
    let mut out = Vec::new();
    encoder.open(&mut out);
    for event in events {
        encoder.event(0, *event, &mut out);
    }
    encoder.close(COMPLETION, &mut out);
    String::from_utf8(out).unwrap()
}

fn whole(options: &EncodeOptions, events: &[Event<'_>]) -> Value {
    let mut reply = Reply::default();
    for event in events {
        reply.collect(*event);
    }
    serde_json::from_slice(&options.document(&meta(), &[reply], COMPLETION)).unwrap()
}

/// The frames as their data, each checked to be named as its data says.
fn data(stream: &str) -> Vec<Value> {
    let frames = stream
        .split_terminator("\n\n")
        .filter(|frame| !frame.starts_with(':'));
    let read = frames.map(|frame| {
        let (name, data) = frame.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(
            name.strip_prefix("event: "),
            data["type"].as_str(),
            "{frame}"
        );
        data
    });
    read.collect()
}

/// A stream's frames between its start and its end, one a line, in short.
fn middle(stream: &str) -> Vec<String> {
    let frames = data(stream);
    let line = |frame: &Value| match frame["type"].as_str().unwrap() {
        "content_block_start" => format!("{} start {}", frame["index"], frame["content_block"]),
        "content_block_delta" => format!("{} delta {}", frame["index"], frame["delta"]),
        "content_block_stop" => format!("{} stop", frame["index"]),
        other => other.to_owned(),
    };
    let inner = frames
        .iter()
        .filter(|f| f["type"].as_str().unwrap().starts_with("content_block"));
    inner.map(line).collect()
}

fn end(stream: &str) -> (Value, Value) {
    let frames = data(stream);
    let [.., delta, stop] = frames.as_slice() else {
        panic!("{stream}");
    };
    assert_eq!(*stop, json!({"type": "message_stop"}));
    assert_eq!(delta["type"], "message_delta");
    (delta["delta"].clone(), delta["usage"].clone())
}

#[test]
fn text_is_written_to_the_byte() {
    let events = [
        Event::Text("Hel"),
        Event::Text("lo \"you\"\n"),
        Event::Finished(&Finish::Stop),
    ];
    let expected = concat!(
        "event: message_start\n",
        r#"data: {"type":"message_start","message":{"id":"msg_abc","type":"message","role":"assistant","model":"claude-opus-5","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":100,"output_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":null,"inference_geo":null,"output_tokens_details":null,"server_tool_use":null,"service_tier":null,"speed":null}}}"#,
        "\n\nevent: content_block_start\n",
        r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","citations":null}}"#,
        "\n\nevent: content_block_delta\n",
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}"#,
        "\n\nevent: content_block_delta\n",
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo \"you\"\n"}}"#,
        "\n\nevent: content_block_stop\n",
        r#"data: {"type":"content_block_stop","index":0}"#,
        "\n\nevent: message_delta\n",
        r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null},"usage":{"input_tokens":120,"output_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens_details":null,"server_tool_use":null}}"#,
        "\n\nevent: message_stop\n",
        r#"data: {"type":"message_stop"}"#,
        "\n\n",
    );
    assert_eq!(stream(options(Thoughts::Hidden), &events), expected);
    assert_eq!(
        serde_json::to_string(&whole(&options(Thoughts::Hidden), &events)).unwrap(),
        r#"{"id":"msg_abc","type":"message","role":"assistant","model":"claude-opus-5","content":[{"type":"text","text":"Hello \"you\"\n","citations":null}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":120,"output_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":null,"inference_geo":null,"output_tokens_details":null,"server_tool_use":null,"service_tier":null,"speed":null}}"#
    );
}

const TWO_CALLS: [Event<'static>; 9] = [
    Event::Text("Let me see."),
    Event::CallStarted {
        index: 0,
        name: "get_weather",
    },
    Event::CallArguments {
        index: 0,
        json: "{\"city\":",
    },
    Event::CallArguments {
        index: 0,
        json: " \"Paris\"}",
    },
    Event::CallEnded { index: 0 },
    Event::CallStarted {
        index: 1,
        name: "now",
    },
    Event::CallArguments {
        index: 1,
        json: "{}",
    },
    Event::CallEnded { index: 1 },
    Event::Finished(&Finish::Calls),
];

#[test]
fn two_parallel_calls_are_blocks_of_their_own() {
    let text = stream(options(Thoughts::Hidden), &TWO_CALLS);
    assert_eq!(
        middle(&text),
        [
            r#"0 start {"type":"text","text":"","citations":null}"#,
            r#"0 delta {"type":"text_delta","text":"Let me see."}"#,
            "0 stop",
            r#"1 start {"type":"tool_use","id":"toolu_abc00","caller":{"type":"direct"},"name":"get_weather","input":{}}"#,
            r#"1 delta {"type":"input_json_delta","partial_json":"{\"city\":"}"#,
            r#"1 delta {"type":"input_json_delta","partial_json":" \"Paris\"}"}"#,
            "1 stop",
            r#"2 start {"type":"tool_use","id":"toolu_abc01","caller":{"type":"direct"},"name":"now","input":{}}"#,
            r#"2 delta {"type":"input_json_delta","partial_json":"{}"}"#,
            "2 stop",
        ]
    );
    assert_eq!(end(&text).0["stop_reason"], "tool_use");
    let message = whole(&options(Thoughts::Hidden), &TWO_CALLS);
    assert_eq!(
        message["content"],
        json!([
            {"type": "text", "text": "Let me see.", "citations": null},
            {"type": "tool_use", "id": "toolu_abc00", "caller": {"type": "direct"}, "name": "get_weather", "input": {"city": "Paris"}},
            {"type": "tool_use", "id": "toolu_abc01", "caller": {"type": "direct"}, "name": "now", "input": {}},
        ])
    );
    assert_eq!(message["stop_reason"], "tool_use");
}

#[test]
fn numbers_in_a_calls_input_keep_every_digit() {
    let call = "{\"id\": 12345678901234567890123, \"x\": 1.10}";
    let events = [
        Event::CallStarted {
            index: 0,
            name: "f",
        },
        Event::CallArguments {
            index: 0,
            json: call,
        },
        Event::CallEnded { index: 0 },
        Event::Finished(&Finish::Calls),
    ];
    let mut reply = Reply::default();
    for event in events {
        reply.collect(event);
    }
    let body = String::from_utf8(options(Thoughts::Hidden).document(&meta(), &[reply], COMPLETION))
        .unwrap();
    assert!(body.contains(&format!("\"input\":{call}")), "{body}");
}

#[test]
fn thoughts_are_shown_as_they_were_asked_for() {
    let events = [
        Event::Reasoning("Hmm, "),
        Event::Reasoning("two."),
        Event::Text("2"),
        Event::Finished(&Finish::Stop),
    ];
    let seal = r#"0 delta {"type":"signature_delta","signature":"MW1pbi1yZWxheQ=="}"#;
    let start = r#"0 start {"type":"thinking","thinking":"","signature":""}"#;
    let said = |index: u32| {
        [
            format!(r#"{index} start {{"type":"text","text":"","citations":null}}"#),
            format!(r#"{index} delta {{"type":"text_delta","text":"2"}}"#),
            format!("{index} stop"),
        ]
    };
    let thought =
        |text: &str| format!(r#"0 delta {{"type":"thinking_delta","thinking":"{text}"}}"#);
    let table = [
        (Thoughts::Hidden, vec![], 0),
        (
            Thoughts::Omitted,
            vec![start.to_owned(), seal.to_owned(), "0 stop".to_owned()],
            1,
        ),
        (
            Thoughts::Shown,
            vec![
                start.to_owned(),
                thought("Hmm, "),
                thought("two."),
                seal.to_owned(),
                "0 stop".to_owned(),
            ],
            1,
        ),
    ];
    for (thoughts, mut expected, index) in table {
        expected.extend(said(index));
        assert_eq!(
            middle(&stream(options(thoughts), &events)),
            expected,
            "{thoughts:?}"
        );
    }
    let block = |thoughts| whole(&options(thoughts), &events)["content"][0].clone();
    assert_eq!(block(Thoughts::Hidden)["type"], "text");
    assert_eq!(
        block(Thoughts::Omitted),
        json!({"type": "thinking", "thinking": "", "signature": SIGNATURE})
    );
    assert_eq!(
        block(Thoughts::Shown),
        json!({"type": "thinking", "thinking": "Hmm, two.", "signature": SIGNATURE})
    );
}

#[test]
fn every_end_has_its_stop_reason() {
    let refusal = json!({"type": "refusal", "category": null, "explanation": null});
    let table = [
        (vec![], Finish::Stop, "end_turn", Value::Null, Value::Null),
        (
            vec![Event::Text("a")],
            Finish::Stop,
            "end_turn",
            Value::Null,
            Value::Null,
        ),
        (
            vec![Event::Text("a")],
            Finish::Length,
            "max_tokens",
            Value::Null,
            Value::Null,
        ),
        (
            vec![Event::Text("a")],
            Finish::StopSequence("END".to_owned()),
            "stop_sequence",
            json!("END"),
            Value::Null,
        ),
        (
            vec![Event::Text("a")],
            Finish::Filtered,
            "refusal",
            Value::Null,
            refusal.clone(),
        ),
        (
            vec![Event::Refusal("I cannot.")],
            Finish::Stop,
            "refusal",
            Value::Null,
            refusal,
        ),
        (
            vec![Event::Refusal("I can")],
            Finish::Length,
            "max_tokens",
            Value::Null,
            Value::Null,
        ),
    ];
    for (mut events, finish, reason, sequence, details) in table {
        events.push(Event::Finished(&finish));
        let (delta, usage) = end(&stream(options(Thoughts::Hidden), &events));
        let message = whole(&options(Thoughts::Hidden), &events);
        for place in [&delta, &message] {
            assert_eq!(place["stop_reason"], reason, "{events:?}");
            assert_eq!(place["stop_sequence"], sequence, "{events:?}");
            assert_eq!(place["stop_details"], details, "{events:?}");
        }
        assert_eq!(
            (
                usage["input_tokens"].as_u64(),
                usage["output_tokens"].as_u64()
            ),
            (Some(120), Some(7))
        );
    }
}

#[test]
fn a_call_that_is_cut_is_closed_all_the_same() {
    let events = [
        Event::CallStarted {
            index: 0,
            name: "f",
        },
        Event::CallArguments {
            index: 0,
            json: "{\"a\": \"b",
        },
        Event::Finished(&Finish::Length),
    ];
    let text = stream(options(Thoughts::Hidden), &events);
    assert_eq!(middle(&text).last().unwrap(), "0 stop");
    assert_eq!(end(&text).0["stop_reason"], "max_tokens");
    let message = whole(&options(Thoughts::Hidden), &events);
    assert_eq!(message["content"][0]["input"], json!({}));
}

#[test]
fn words_of_refusal_are_text() {
    let events = [
        Event::Refusal("I "),
        Event::Refusal("cannot."),
        Event::Finished(&Finish::Stop),
    ];
    let text = stream(options(Thoughts::Hidden), &events);
    assert_eq!(middle(&text).len(), 4);
    assert_eq!(
        whole(&options(Thoughts::Hidden), &events)["content"][0]["text"],
        "I cannot."
    );
}

#[test]
fn a_stream_that_fails_ends_with_the_error_and_no_mark_of_success() {
    let mut encoder = Events::new(options(Thoughts::Hidden), meta());
    let mut out = Vec::new();
    encoder.open(&mut out);
    encoder.event(0, Event::Text("Hel"), &mut out);
    let before = out.len();
    encoder.fail(&Failure::new(Kind::Overloaded, "busy"), &mut out);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        &text[before..],
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n"
    );
    assert!(!text.contains("message_stop") && !text.contains("message_delta"));
}

#[test]
fn a_sign_of_life_is_a_ping() {
    let mut out = Vec::new();
    Events::new(options(Thoughts::Hidden), meta()).heartbeat(&mut out);
    assert_eq!(out, b"event: ping\ndata: {\"type\":\"ping\"}\n\n");
}

#[test]
fn what_the_client_began_is_not_repeated() {
    let begun = EncodeOptions {
        prefill: "The best answer is (".to_owned(),
        ..options(Thoughts::Hidden)
    };
    let table: [&[Event<'_>]; 3] = [
        &[Event::Text("B)"), Event::Finished(&Finish::Stop)],
        &[
            Event::Text("The best "),
            Event::Text("answer is (B)"),
            Event::Finished(&Finish::Stop),
        ],
        &[
            Event::Text("The best answer is ("),
            Event::Text("B)"),
            Event::Finished(&Finish::Stop),
        ],
    ];
    for events in table {
        let text = stream(begun.clone(), events);
        assert_eq!(joined(&data(&text)).0, "B)", "{events:?}");
        assert_eq!(
            whole(&begun, events)["content"][0]["text"],
            "B)",
            "{events:?}"
        );
    }
    let short = [Event::Text("The best"), Event::Finished(&Finish::Stop)];
    assert_eq!(joined(&data(&stream(begun.clone(), &short))).0, "The best");
    assert_eq!(whole(&begun, &short)["content"][0]["text"], "The best");
}

/// All text, and each call's input, of the deltas.
fn joined(frames: &[Value]) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut calls: Vec<String> = Vec::new();
    for frame in frames {
        if frame["content_block"]["type"] == "tool_use" {
            calls.push(String::new());
        }
        if let Some(more) = frame["delta"]["text"].as_str() {
            text.push_str(more);
        }
        if let (Some(call), Some(more)) =
            (calls.last_mut(), frame["delta"]["partial_json"].as_str())
        {
            call.push_str(more);
        }
    }
    (text, calls)
}

#[derive(Debug, Clone)]
enum Step {
    Text(String),
    Reasoning(String),
    Refusal(String),
    Call(String, Vec<String>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let text = "(?s).{1,8}";
    let step = prop_oneof![
        text.prop_map(Step::Text),
        text.prop_map(Step::Reasoning),
        text.prop_map(Step::Refusal),
        ("[a-z]{1,5}", prop::collection::vec("[a-z]{1,4}", 0..3))
            .prop_map(|(name, values)| Step::Call(name, values)),
    ];
    prop::collection::vec(step, 0..8)
}

/// Feeds the steps as events: to a stream, and collected.
fn feed(steps: &[Step], encoder: &mut dyn StreamEncoder, reply: &mut Reply, out: &mut Vec<u8>) {
    let mut give = |event: Event<'_>| {
        encoder.event(0, event, out);
        reply.collect(event);
    };
    let mut index = 0;
    for step in steps {
        match step {
            Step::Text(text) => give(Event::Text(text)),
            Step::Reasoning(text) => give(Event::Reasoning(text)),
            Step::Refusal(text) => give(Event::Refusal(text)),
            Step::Call(name, values) => {
                give(Event::CallStarted { index, name });
                give(Event::CallArguments {
                    index,
                    json: "{\"a\":[",
                });
                for (at, value) in values.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    give(Event::CallArguments {
                        index,
                        json: &format!("{comma}\"{value}\""),
                    });
                }
                give(Event::CallArguments { index, json: "]}" });
                give(Event::CallEnded { index });
                index += 1;
            }
        }
    }
    give(Event::Finished(if index > 0 {
        &Finish::Calls
    } else {
        &Finish::Stop
    }));
}

proptest! {
    #[test]
    fn a_stream_says_what_the_whole_says(steps in steps(), thoughts in 0usize..3) {
        let thoughts = [Thoughts::Hidden, Thoughts::Omitted, Thoughts::Shown][thoughts];
        let mut encoder = Events::new(options(thoughts), meta());
        let (mut reply, mut out) = (Reply::default(), Vec::new());
        encoder.open(&mut out);
        feed(&steps, &mut encoder, &mut reply, &mut out);
        encoder.close(COMPLETION, &mut out);
        let frames = data(std::str::from_utf8(&out).unwrap());

        let count = |kind: &str| frames.iter().filter(|f| f["type"] == kind).count();
        prop_assert_eq!((count("message_start"), count("message_delta"), count("message_stop"), count("error")), (1, 1, 1, 0));
        let mut open = None;
        let mut next = 0;
        for frame in &frames {
            match frame["type"].as_str().unwrap() {
                "content_block_start" => {
                    prop_assert_eq!((open, frame["index"].as_u64()), (None, Some(next)));
                    open = Some(next);
                }
                "content_block_delta" => prop_assert_eq!(frame["index"].as_u64(), open),
                "content_block_stop" => {
                    prop_assert_eq!(frame["index"].as_u64(), open);
                    open = None;
                    next += 1;
                }
                _ => prop_assert_eq!(open, None),
            }
        }

        let message: Value = serde_json::from_slice(&options(thoughts).document(&meta(), &[reply.clone()], COMPLETION)).unwrap();
        let (_, calls) = joined(&frames);
        let inputs: Vec<Value> = calls.iter().map(|call| serde_json::from_str(call).unwrap()).collect();
        let content = message["content"].as_array().unwrap();
        let used: Vec<Value> = content.iter().filter(|b| b["type"] == "tool_use").map(|b| b["input"].clone()).collect();
        prop_assert_eq!(inputs, used);
        let of = |field: &str| frames.iter().filter_map(|f| f["delta"][field].as_str()).collect::<String>();
        let shown = if thoughts == Thoughts::Shown { reply.reasoning.as_str() } else { "" };
        prop_assert_eq!(of("thinking"), shown);
        prop_assert_eq!(of("text").len(), reply.text.len() + reply.refusal.len());
        let (delta, _) = end(std::str::from_utf8(&out).unwrap());
        prop_assert_eq!(&delta["stop_reason"], &message["stop_reason"]);
    }
}
