use serde_json::{Value, json};

use super::*;
use crate::failure::Kind;
use crate::reply::{ReplyCall, Timing, Usage};

fn options(shape: Shape, show_thinking: bool) -> EncodeOptions {
    EncodeOptions {
        model: "gpt-4o-mini:latest".to_owned(),
        shape,
        show_thinking,
    }
}

fn meta() -> ResponseMeta {
    ResponseMeta {
        id: "0123".to_owned(),
        created: 1_700_000_000,
    }
}

fn completion() -> Completion {
    Completion {
        usage: Usage {
            input_tokens: 42,
            output_tokens: 7,
            ..Usage::default()
        },
        at: 1_700_000_009,
        timing: Timing {
            first: Duration::from_millis(2),
            total: Duration::from_millis(5),
        },
    }
}

const EVENTS: [Event<'static>; 7] = [
    Event::Reasoning("Hm.\u{2028}"),
    Event::Text("Let me\nlook."),
    Event::CallStarted {
        index: 0,
        name: "add",
    },
    Event::CallArguments {
        index: 0,
        json: "{\"a\":\n ",
    },
    Event::CallArguments {
        index: 0,
        json: "12345678901234567890}",
    },
    Event::CallEnded { index: 0 },
    Event::Finished(&Finish::Calls),
];

fn lines(options: EncodeOptions, events: &[Event<'_>]) -> Vec<Value> {
    let mut out = Vec::new();
    let mut stream = Box::new(options).stream(meta(), 1);
    assert_eq!(stream.format(), StreamFormat::JsonLines);
    stream.open(&mut out);
    stream.heartbeat(&mut out);
    for event in events {
        stream.event(0, *event, &mut out);
    }
    stream.close(completion(), &mut out);
    read(&out)
}

/// As clients read it: every line is a JSON value.
fn read(out: &[u8]) -> Vec<Value> {
    let text = String::from_utf8(out.to_vec()).unwrap();
    let text = text.strip_suffix('\n').unwrap();
    assert!(!text.contains('\u{2028}'), "{text}");
    let lines = text.split('\n');
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_line_of_a_stream_is_an_object_and_a_call_stands_whole_in_one() {
    let lines = lines(options(Shape::Chat, true), &EVENTS);
    let messages: Vec<&Value> = lines.iter().map(|line| &line["message"]).collect();
    let said = |content: &str| json!({"role": "assistant", "content": content});
    let mut thought = said("");
    thought["thinking"] = "Hm.\u{2028}".into();
    let mut call = said("");
    call["tool_calls"] = serde_json::from_str(
        r#"[{"id": "call_01230000", "function": {"index": 0, "name": "add", "arguments": {"a": 12345678901234567890}}}]"#,
    )
    .unwrap();
    let expected = [said(""), thought, said("Let me\nlook."), call, said("")];
    assert_eq!(messages, expected.iter().collect::<Vec<_>>());
    let (last, pieces) = lines.split_last().unwrap();
    for line in pieces {
        assert_eq!(line["done"], false, "{line}");
        assert_eq!(line["model"], "gpt-4o-mini:latest");
        assert_eq!(line["created_at"], "2023-11-14T22:13:20Z");
        assert_eq!(line.get("done_reason"), None);
    }
    assert_eq!(
        *last,
        json!({"model": "gpt-4o-mini:latest", "created_at": "2023-11-14T22:13:20Z",
            "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop",
            "total_duration": 5_000_000, "load_duration": 1, "prompt_eval_count": 42,
            "prompt_eval_duration": 2_000_000, "eval_count": 7, "eval_duration": 3_000_000})
    );
}

#[test]
fn a_whole_answer_is_what_the_stream_adds_up_to() {
    let mut reply = Reply::default();
    for event in EVENTS {
        reply.collect(event);
    }
    let body = options(Shape::Chat, true).document(&meta(), &[reply], completion());
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["done"], true);
    let message = &body["message"];
    assert_eq!(message["content"], "Let me\nlook.");
    assert_eq!(message["thinking"], "Hm.\u{2028}");
    assert_eq!(message["tool_calls"][0]["function"]["name"], "add");
    assert!(message["tool_calls"][0]["function"]["arguments"].is_object());
}

#[test]
fn thoughts_that_are_not_wanted_are_in_no_form_of_the_answer() {
    for shape in [Shape::Chat, Shape::Generate] {
        let lines = lines(options(shape, false), &EVENTS[..2]);
        assert!(!format!("{lines:?}").contains("Hm."), "{lines:?}");
        let reply = Reply {
            reasoning: "Hm.".to_owned(),
            ..Reply::default()
        };
        let body = options(shape, false).document(&meta(), &[reply], completion());
        assert!(!String::from_utf8(body).unwrap().contains("Hm."));
    }
}

#[test]
fn a_generation_is_a_response_with_an_empty_context_at_its_end() {
    let events = [EVENTS[0], EVENTS[1], Event::Finished(&Finish::Length)];
    let lines = lines(options(Shape::Generate, true), &events);
    assert_eq!(lines[1]["thinking"], "Hm.\u{2028}");
    assert_eq!(lines[2]["response"], "Let me\nlook.");
    for line in &lines {
        assert!(line["response"].is_string(), "{line}");
        assert_eq!(line.get("context").is_some(), line["done"] == true);
    }
    assert_eq!(lines.last().unwrap()["done_reason"], "length");
}

#[test]
fn a_broken_stream_ends_with_an_error_and_no_mark_of_success() {
    let mut out = Vec::new();
    let mut stream = Box::new(options(Shape::Chat, true)).stream(meta(), 1);
    stream.event(0, Event::Text("Be"), &mut out);
    stream.fail(&Failure::new(Kind::Upstream, "broke off"), &mut out);
    let lines = read(&out);
    assert_eq!(lines[1], json!({"error": "broke off"}));
    assert!(lines.iter().all(|line| line["done"] != true), "{lines:?}");
}

#[test]
fn words_of_refusal_are_text() {
    let lines = lines(options(Shape::Chat, true), &[Event::Refusal("I won't.")]);
    assert_eq!(lines[1]["message"]["content"], "I won't.");
    let reply = Reply {
        refusal: "I won't.".to_owned(),
        calls: vec![ReplyCall {
            name: "f".to_owned(),
            arguments: "{}".to_owned(),
        }],
        ..Reply::default()
    };
    let body = options(Shape::Chat, true).document(&meta(), &[reply], completion());
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["message"]["content"], "I won't.");
}

#[test]
fn no_duration_is_zero() {
    let options = options(Shape::Chat, true);
    let body = options.document(&meta(), &[Reply::default()], Completion::default());
    let body: Value = serde_json::from_slice(&body).unwrap();
    for field in [
        "total_duration",
        "load_duration",
        "prompt_eval_duration",
        "eval_duration",
    ] {
        assert!(body[field].as_u64().unwrap() > 0, "{field}");
    }
}
