use crate::reply::Finish;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::failure::{Failure, Kind};
use crate::reply::{Completion, Event, Timing, Usage, UsageSource};

fn options() -> EncodeOptions {
    EncodeOptions {
        model: "gpt-4o".to_owned(),
        ..EncodeOptions::default()
    }
}

fn meta() -> ResponseMeta {
    ResponseMeta {
        id: "abc123".to_owned(),
        created: 1_700_000_000,
    }
}

const USAGE: Usage = Usage {
    input_tokens: 11,
    output_tokens: 7,
    source: UsageSource::Reported,
    credits: Some(3.0),
};
const COMPLETION: Completion = Completion {
    usage: USAGE,
    at: 1_700_000_009,
    timing: Timing {
        first: std::time::Duration::ZERO,
        total: std::time::Duration::ZERO,
    },
};

/// A complete stream of these events.
fn streamed(options: EncodeOptions, choices: u32, events: &[(u32, Event<'_>)]) -> String {
    let mut chunks = Box::new(options).stream(meta(), choices);
    let mut out = Vec::new();
    chunks.open(&mut out);
    for (choice, event) in events {
        chunks.event(*choice, *event, &mut out);
    }
    chunks.close(COMPLETION, &mut out);
    String::from_utf8(out).unwrap()
}

/// The data of a stream's events, as a reader cuts it that takes any of Unicode's line ends.
fn data(stream: &str) -> Vec<&str> {
    let events = stream.strip_suffix("\n\n").unwrap().split("\n\n");
    events
        .map(|event| event.strip_prefix("data: ").unwrap())
        .collect()
}

fn chunks(stream: &str) -> Vec<Value> {
    let data = data(stream);
    let (done, chunks) = data.split_last().unwrap();
    assert_eq!(*done, "[DONE]");
    chunks
        .iter()
        .map(|json| serde_json::from_str(json).unwrap())
        .collect()
}

/// What a client that joins the deltas of a choice ends with; each part once, as SDKs demand.
fn joined(chunks: &[Value], choice: u64) -> Value {
    let mut joined = json!({});
    for chunk in chunks {
        for part in chunk["choices"].as_array().unwrap() {
            if part["index"] == choice {
                join(&mut joined, &part["delta"]);
            }
        }
    }
    joined
}

fn join(into: &mut Value, delta: &Value) {
    for (key, value) in delta.as_object().unwrap() {
        match (&mut into[key.as_str()], value) {
            (slot @ Value::Null, Value::Array(_)) => {
                *slot = json!([]);
                join_list(slot, value);
            }
            (slot @ Value::Null, value) => *slot = value.clone(),
            (Value::String(text), Value::String(more)) => text.push_str(more),
            (slot @ Value::Object(_), Value::Object(_)) => join(slot, value),
            (slot @ Value::Array(_), Value::Array(_)) => join_list(slot, value),
            (slot, value) => panic!("{slot} and {value}"),
        }
    }
}

fn join_list(into: &mut Value, deltas: &Value) {
    for delta in deltas.as_array().unwrap() {
        let index = usize::try_from(delta["index"].as_u64().unwrap()).unwrap();
        let mut delta = delta.clone();
        delta.as_object_mut().unwrap().remove("index");
        let list = into.as_array_mut().unwrap();
        assert!(index <= list.len(), "calls come in order");
        if index == list.len() {
            list.push(json!({}));
        }
        join(&mut list[index], &delta);
    }
}

fn finishes(chunks: &[Value], choice: u64) -> Vec<Value> {
    let parts = chunks
        .iter()
        .flat_map(|chunk| chunk["choices"].as_array().unwrap());
    let reasons = parts
        .filter(|part| part["index"] == choice)
        .map(|part| part["finish_reason"].clone());
    reasons.filter(|reason| !reason.is_null()).collect()
}

fn whole(options: &EncodeOptions, replies: &[Reply]) -> Value {
    serde_json::from_slice(&options.document(&meta(), replies, COMPLETION)).unwrap()
}

fn reply(events: &[Event<'_>]) -> Reply {
    let mut reply = Reply::default();
    for event in events {
        reply.collect(*event);
    }
    reply
}

#[test]
fn a_whole_answer_has_every_field_that_the_reference_requires() {
    let reply = reply(&[Event::Text("Hello"), Event::Finished(&Finish::Stop)]);
    let expected = json!({
        "id": "chatcmpl-abc123",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o",
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "refusal": null, "annotations": []},
            "logprobs": null,
            "finish_reason": "stop",
        }],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    });
    assert_eq!(whole(&options(), &[reply]), expected);
}

#[test]
fn a_stream_is_role_deltas_finish_and_done() {
    let stream = streamed(
        options(),
        1,
        &[
            (0, Event::Text("Hel")),
            (0, Event::Text("lo")),
            (0, Event::Finished(&Finish::Stop)),
        ],
    );
    let chunk = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-abc123\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\
            \"model\":\"gpt-4o\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\
            \"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let expected = [
        chunk(
            "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}",
            "null",
        ),
        chunk("{\"content\":\"Hel\"}", "null"),
        chunk("{\"content\":\"lo\"}", "null"),
        chunk("{}", "\"stop\""),
        "data: [DONE]\n\n".to_owned(),
    ];
    assert_eq!(stream, expected.concat());
}

#[test]
fn usage_is_a_chunk_of_its_own_and_only_when_asked_for() {
    let asked = EncodeOptions {
        usage: true,
        ..options()
    };
    let chunks = chunks(&streamed(
        asked,
        1,
        &[(0, Event::Text("x")), (0, Event::Finished(&Finish::Stop))],
    ));
    let (last, others) = chunks.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(
        last["usage"],
        json!({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18})
    );
    assert_eq!(others.len(), 3);
    for chunk in others {
        let fields = chunk.as_object().unwrap();
        assert_eq!(fields.get("usage"), Some(&Value::Null));
    }
    let unasked = self::chunks(&streamed(
        options(),
        1,
        &[(0, Event::Finished(&Finish::Stop))],
    ));
    assert!(unasked.iter().all(|chunk| chunk.get("usage").is_none()));
}

#[test]
fn every_chunk_is_of_one_answer() {
    let stream = streamed(
        options(),
        2,
        &[(0, Event::Text("a")), (1, Event::Text("b"))],
    );
    for chunk in chunks(&stream) {
        assert_eq!(chunk["id"], "chatcmpl-abc123");
        assert_eq!(chunk["created"], 1_700_000_000);
        assert_eq!(chunk["model"], "gpt-4o");
        assert_eq!(chunk["object"], "chat.completion.chunk");
    }
}

#[test]
fn several_answers_are_told_apart_by_their_index() {
    let events = [
        (1, Event::Text("b")),
        (0, Event::Text("a")),
        (1, Event::Text("B")),
        (2, Event::Finished(&Finish::Length)),
        (1, Event::Finished(&Finish::Stop)),
        (0, Event::Text("A")),
        (0, Event::Finished(&Finish::Filtered)),
    ];
    let chunks = chunks(&streamed(options(), 3, &events));
    for (index, chunk) in chunks.iter().take(3).enumerate() {
        assert_eq!(chunk["choices"][0]["index"], index);
        assert_eq!(chunk["choices"][0]["delta"]["role"], "assistant");
    }
    for (choice, text, finish) in [
        (0, "aA", "content_filter"),
        (1, "bB", "stop"),
        (2, "", "length"),
    ] {
        assert_eq!(
            joined(&chunks, choice),
            json!({"role": "assistant", "content": text, "refusal": null})
        );
        assert_eq!(finishes(&chunks, choice), [finish]);
    }
    let replies: Vec<Reply> = (0..3)
        .map(|n| reply(&[Event::Text(["a", "b", "c"][n])]))
        .collect();
    let whole = whole(&options(), &replies);
    for (index, text) in ["a", "b", "c"].into_iter().enumerate() {
        assert_eq!(whole["choices"][index]["index"], index);
        assert_eq!(whole["choices"][index]["message"]["content"], text);
    }
}

const TWO_CALLS: &[Event<'_>] = &[
    Event::Text("Let me see."),
    Event::CallStarted {
        index: 0,
        name: "weather",
    },
    Event::CallArguments {
        index: 0,
        json: "{\"city\":",
    },
    Event::CallArguments {
        index: 0,
        json: "\"Köln\"}",
    },
    Event::CallEnded { index: 0 },
    Event::CallStarted {
        index: 1,
        name: "patch",
    },
    Event::CallArguments {
        index: 1,
        json: "{\"input\":\"a \\\"b\\\"",
    },
    Event::CallArguments {
        index: 1,
        json: "\\n\"}",
    },
    Event::CallEnded { index: 1 },
    Event::Finished(&Finish::Calls),
];

fn with_custom() -> EncodeOptions {
    EncodeOptions {
        custom_tools: vec!["patch".to_owned()],
        ..options()
    }
}

#[test]
fn calls_are_streamed_with_their_names_once_and_each_argument_once() {
    let events: Vec<(u32, Event<'_>)> = TWO_CALLS.iter().map(|event| (0, *event)).collect();
    let stream = streamed(with_custom(), 1, &events);
    let chunks = chunks(&stream);
    let joined = joined(&chunks, 0);
    assert_eq!(joined["content"], "Let me see.");
    assert_eq!(
        joined["tool_calls"],
        json!([
            {"id": "call_abc123000000", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Köln\"}"}},
            {"id": "call_abc123000001", "type": "custom", "custom": {"name": "patch", "input": "a \"b\"\n"}},
        ])
    );
    assert_eq!(finishes(&chunks, 0), ["tool_calls"]);
    let message = &whole(&with_custom(), &[reply(TWO_CALLS)])["choices"][0];
    assert_eq!(
        message["message"]["tool_calls"], joined["tool_calls"],
        "whole and streamed answers agree"
    );
    assert_eq!(message["message"]["content"], "Let me see.");
    assert_eq!(message["finish_reason"], "tool_calls");
}

#[test]
fn calls_of_several_answers_do_not_mix() {
    let mut events = Vec::new();
    for event in TWO_CALLS {
        events.extend([(0, *event), (1, *event)]);
    }
    let chunks = chunks(&streamed(with_custom(), 2, &events));
    let [first, second] = [joined(&chunks, 0), joined(&chunks, 1)];
    for call in 0..2 {
        assert_ne!(
            first["tool_calls"][call]["id"],
            second["tool_calls"][call]["id"]
        );
        for field in ["function", "custom"] {
            assert_eq!(
                first["tool_calls"][call][field],
                second["tool_calls"][call][field]
            );
        }
    }
    assert_eq!(first["tool_calls"][1]["custom"]["input"], "a \"b\"\n");
}

#[test]
fn ids_of_calls_differ_within_and_between_answers() {
    let ids: Vec<String> = (0..20)
        .flat_map(|choice| (0..300).map(move |call| call_id(&meta(), choice, call)))
        .collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len());
    let long = ResponseMeta {
        id: "x".repeat(64),
        created: 0,
    };
    assert_eq!(call_id(&long, 1, 2).len(), 40);
}

#[test]
fn a_client_of_the_older_functions_gets_one_function_call() {
    let legacy = EncodeOptions {
        legacy_functions: true,
        ..options()
    };
    let events: Vec<(u32, Event<'_>)> = TWO_CALLS.iter().map(|event| (0, *event)).collect();
    let chunks = chunks(&streamed(legacy.clone(), 1, &events));
    let joined = joined(&chunks, 0);
    let called = json!({"name": "weather", "arguments": "{\"city\":\"Köln\"}"});
    assert_eq!(joined["function_call"], called);
    assert!(joined.get("tool_calls").is_none());
    assert_eq!(finishes(&chunks, 0), ["function_call"]);
    let choice = &whole(&legacy, &[reply(TWO_CALLS)])["choices"][0];
    assert_eq!(choice["message"]["function_call"], called);
    assert!(choice["message"].get("tool_calls").is_none());
    assert_eq!(choice["finish_reason"], "function_call");
}

#[test]
fn content_is_null_only_where_something_else_was_said() {
    let call = Event::CallStarted {
        index: 0,
        name: "f",
    };
    let table: [(&[Event<'_>], Value); 4] = [
        (&[], json!("")),
        (&[call], Value::Null),
        (&[Event::Refusal("No.")], Value::Null),
        (&[Event::Reasoning("Hm.")], json!("")),
    ];
    for (events, content) in table {
        let whole = whole(&options(), &[reply(events)]);
        assert_eq!(
            whole["choices"][0]["message"]["content"], content,
            "{events:?}"
        );
    }
}

#[test]
fn refusals_and_thoughts_have_fields_of_their_own() {
    let events = [
        Event::Reasoning("Hm, "),
        Event::Reasoning("no."),
        Event::Refusal("I "),
        Event::Refusal("won't."),
    ];
    let streamed = streamed(options(), 1, &events.map(|event| (0, event)));
    let message = &whole(&options(), &[reply(&events)])["choices"][0]["message"];
    for message in [&joined(&chunks(&streamed), 0), message] {
        assert_eq!(message["reasoning_content"], "Hm, no.");
        assert_eq!(message["refusal"], "I won't.");
    }
    let silent = &whole(&options(), &[Reply::default()])["choices"][0]["message"];
    assert!(silent.get("reasoning_content").is_none());
}

#[test]
fn every_finish_has_its_word() {
    let table = [
        (Finish::Stop, "stop"),
        (Finish::StopSequence("END".to_owned()), "stop"),
        (Finish::Length, "length"),
        (Finish::Calls, "tool_calls"),
        (Finish::Filtered, "content_filter"),
    ];
    for (finish, word) in table {
        let event = Event::Finished(&finish);
        assert_eq!(
            finishes(&chunks(&streamed(options(), 1, &[(0, event)])), 0),
            [word]
        );
        assert_eq!(
            whole(&options(), &[reply(&[event])])["choices"][0]["finish_reason"],
            word
        );
    }
}

#[test]
fn a_failed_stream_ends_with_the_error_and_no_mark_of_success() {
    let mut stream = Box::new(options()).stream(meta(), 2);
    let mut out = Vec::new();
    stream.open(&mut out);
    stream.event(0, Event::Text("Hal"), &mut out);
    stream.event(1, Event::Finished(&Finish::Stop), &mut out);
    stream.heartbeat(&mut out);
    stream.fail(
        &Failure::new(Kind::Upstream, "Cut \"short\"\nby upstream."),
        &mut out,
    );
    let text = String::from_utf8(out).unwrap();
    assert!(
        !text.contains("[DONE]") && !text.contains("\"finish_reason\":\"stop\""),
        "{text}"
    );
    assert!(text.contains("\n\n: keep-alive\ndata: "), "{text}");
    let last = text
        .trim_end()
        .rsplit("\n\n")
        .next()
        .unwrap()
        .strip_prefix(": keep-alive\ndata: ")
        .unwrap();
    let error: Value = serde_json::from_str(last).unwrap();
    assert_eq!(error["error"]["message"], "Cut \"short\"\nby upstream.");
    assert_eq!(error["error"]["type"], "server_error");
}

#[test]
fn a_custom_tools_text_is_taken_out_of_its_object() {
    for (arguments, input) in [
        (r#"{"input": "a\nb"}"#, "a\nb"),
        (r#"{"input": ""}"#, ""),
        (r#"{"text": "a"}"#, r#"{"text": "a"}"#),
        (r#"{"input": 5}"#, r#"{"input": 5}"#),
        (r#"{"input": "cut"#, r#"{"input": "cut"#),
        ("", ""),
    ] {
        assert_eq!(custom_input(arguments), input);
    }
}

#[test]
fn odd_characters_survive_and_never_end_a_line() {
    let odd = "\u{0}\u{1}\t\r\n\u{b}\u{c}\u{1c}\u{7f}\u{85}\u{a0}\u{2027}\u{2028}\u{2029}\u{202a}\"\\\u{fffd}é€🚀'</script>";
    let stream = streamed(
        options(),
        1,
        &[
            (0, Event::Text(odd)),
            (0, Event::Text("\"")),
            (0, Event::Text("\\")),
        ],
    );
    let line_end = |c: char| {
        matches!(
            c,
            '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    assert!(!stream.contains(line_end), "{stream:?}");
    assert_eq!(joined(&chunks(&stream), 0)["content"], format!("{odd}\"\\"));
    let odd_model = EncodeOptions {
        model: "a\"\n\u{2028}b".to_owned(),
        ..options()
    };
    assert_eq!(
        chunks(&streamed(odd_model, 1, &[]))[0]["model"],
        "a\"\n\u{2028}b"
    );
}

proptest! {
    #[test]
    fn any_text_cut_anywhere_survives(
        text in "(\\PC|[\u{0}-\u{20}\"\\\\\u{85}\u{2028}]){0,60}",
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        kind in 0usize..4,
    ) {
        let borders: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut at: Vec<usize> = cuts.iter().map(|cut| borders[cut.index(borders.len())]).chain([0, text.len()]).collect();
        at.sort_unstable();
        at.dedup();
        let event = |piece| match kind {
            0 => Event::Text(piece),
            1 => Event::Reasoning(piece),
            2 => Event::Refusal(piece),
            _ => Event::CallArguments { index: 0, json: piece },
        };
        let mut events = Vec::new();
        if kind == 3 {
            events.push((0, Event::CallStarted { index: 0, name: "f" }));
        }
        events.extend(at.windows(2).map(|w| (0, event(&text[w[0]..w[1]]))));
        let joined = joined(&chunks(&streamed(options(), 1, &events)), 0);
        let found = match kind {
            0 => &joined["content"],
            1 => &joined["reasoning_content"],
            2 => &joined["refusal"],
            _ => &joined["tool_calls"][0]["function"]["arguments"],
        };
        prop_assert_eq!(found.as_str().unwrap_or_default(), text);
    }
}
