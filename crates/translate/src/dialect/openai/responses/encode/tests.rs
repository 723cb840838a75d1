use crate::dialect::openai::responses::calls::Callable;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::dialect::openai::responses::calls::Form;
use crate::failure::{Failure, Kind};
use crate::reply::{Completion, Event, Timing, Usage, UsageSource};

mod sequences;

fn echo() -> Echo {
    Echo {
        model: "gpt-4o".to_owned(),
        parallel_tool_calls: true,
        store: true,
        reasoning: json!({"effort": null, "summary": null}),
        text: json!({"format": {"type": "text"}}),
        tool_choice: json!("auto"),
        truncation: "disabled",
        ..Echo::default()
    }
}

fn options() -> EncodeOptions {
    let named = |name: &str, form: Form| Callable {
        form,
        ..Callable::function(name)
    };
    EncodeOptions {
        echo: echo(),
        callables: vec![
            Callable::function("weather"),
            named("patch", Form::Custom),
            named("local_shell", Form::LocalShell),
            Callable {
                offered: "mail.send".to_owned(),
                name: "send".to_owned(),
                namespace: Some("mail".to_owned()),
                form: Form::Function,
            },
        ],
        keep: true,
        ..EncodeOptions::default()
    }
}

fn meta() -> ResponseMeta {
    ResponseMeta {
        id: "abc".to_owned(),
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

/// How a stream is ended.
enum End {
    Close,
    Fail,
}

fn failure() -> Failure {
    Failure::new(
        Kind::Upstream,
        "1min.ai ended its answer before it was complete.",
    )
}

/// The events of a stream, and the response that was kept.
fn streamed(options: EncodeOptions, events: &[Event<'_>], end: &End) -> (Vec<Value>, Value) {
    let mut stream = Events::new(options, meta());
    let mut out = Vec::new();
    stream.open(&mut out);
    for event in events {
        stream.event(0, *event, &mut out);
    }
    match end {
        End::Close => stream.close(COMPLETION, &mut out),
        End::Fail => stream.fail(&failure(), &mut out),
    }
    let text = String::from_utf8(out).unwrap();
    let kept = serde_json::from_slice(stream.response().unwrap()).unwrap();
    (read(&text), kept)
}

/// Reads a stream as clients do: the name of each event is the type that its data has.
fn read(stream: &str) -> Vec<Value> {
    let events = stream.strip_suffix("\n\n").unwrap().split("\n\n");
    let events = events.map(|event| {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name.strip_prefix("event: ").unwrap(), data["type"]);
        data
    });
    events.collect()
}

fn whole(options: &EncodeOptions, events: &[Event<'_>]) -> Value {
    let mut reply = Reply::default();
    for event in events {
        reply.collect(*event);
    }
    serde_json::from_slice(&options.document(&meta(), &[reply], COMPLETION)).unwrap()
}

fn call<'a>(index: usize, name: &'a str, json: &'a str) -> [Event<'a>; 3] {
    [
        Event::CallStarted { index, name },
        Event::CallArguments { index, json },
        Event::CallEnded { index },
    ]
}

const FINISHED: Event<'static> = Event::Finished(&Finish::Stop);

#[test]
fn a_whole_answer_has_every_field_that_the_reference_requires() {
    let expected = json!({
        "id": "resp_abc",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "completed",
        "background": false,
        "completed_at": 1_700_000_009,
        "error": null,
        "incomplete_details": null,
        "output": [{
            "id": "msg_abc00", "type": "message", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hello"}],
        }],
        "usage": {
            "input_tokens": 11,
            "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 18,
        },
        "model": "gpt-4o",
        "conversation": null,
        "instructions": null,
        "max_output_tokens": null,
        "max_tool_calls": null,
        "metadata": {},
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "prompt_cache_key": null,
        "reasoning": {"effort": null, "summary": null},
        "safety_identifier": null,
        "store": true,
        "temperature": null,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": null,
        "truncation": "disabled",
        "user": null,
    });
    assert_eq!(
        whole(&options(), &[Event::Text("Hello"), FINISHED]),
        expected
    );
}

#[test]
fn every_kind_of_answer_has_its_items_and_status() {
    let text = |status: &str, text: &str| {
        json!({"id": "msg_abc00", "type": "message", "status": status, "role": "assistant",
            "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": text}]})
    };
    let calls = [
        &call(0, "weather", "{\"city\":\"Paris\"}")[..],
        &call(1, "patch", "{\"input\":\"*** Begin\"}"),
        &call(2, "mail.send", "{}"),
        &[Event::Finished(&Finish::Calls)],
    ]
    .concat();
    let table: [(&[Event<'_>], Value); 6] = [
        (
            &[Event::Text("Hel"), Event::Finished(&Finish::Length)],
            json!(["incomplete", {"reason": "max_output_tokens"}, [text("incomplete", "Hel")]]),
        ),
        (
            &[Event::Text("Hel"), Event::Finished(&Finish::Filtered)],
            json!(["incomplete", {"reason": "content_filter"}, [text("incomplete", "Hel")]]),
        ),
        (
            &[FINISHED],
            json!(["completed", null, [text("completed", "")]]),
        ),
        (
            &[Event::Refusal("No."), FINISHED],
            json!(["completed", null, [{"id": "msg_abc00", "type": "message", "status": "completed",
                "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}]]),
        ),
        (
            &[Event::Reasoning("hm"), Event::Text("x"), FINISHED],
            json!(["completed", null, [
                {"id": "rs_abc00", "type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
                {"id": "msg_abc01", "type": "message", "status": "completed", "role": "assistant",
                    "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "x"}]},
            ]]),
        ),
        (
            &calls,
            json!(["completed", null, [
                {"id": "fc_abc00", "call_id": "call_abc000000", "type": "function_call", "name": "weather",
                    "arguments": "{\"city\":\"Paris\"}", "status": "completed"},
                {"id": "ctc_abc01", "call_id": "call_abc000001", "type": "custom_tool_call", "name": "patch", "input": "*** Begin"},
                {"id": "fc_abc02", "call_id": "call_abc000002", "type": "function_call", "name": "send", "namespace": "mail",
                    "arguments": "{}", "status": "completed"},
            ]]),
        ),
    ];
    for (events, expected) in table {
        let response = whole(&options(), events);
        let seen = json!([
            response["status"],
            response["incomplete_details"],
            response["output"]
        ]);
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_call_that_was_cut_is_incomplete_and_half_a_command_is_none() {
    let [started, ..] = call(0, "weather", "");
    let cut = |json: &'static str| Event::CallArguments { index: 0, json };
    let length = Event::Finished(&Finish::Length);
    let response = whole(&options(), &[started, cut("{\"city\":\"Par"), length]);
    assert_eq!(response["output"][0]["status"], "incomplete");
    let [started, ..] = call(0, "local_shell", "");
    let response = whole(
        &options(),
        &[
            Event::Text("x"),
            started,
            cut("{\"command\":[\"rm\""),
            length,
        ],
    );
    assert_eq!(response["output"].as_array().unwrap().len(), 1);
}

#[test]
fn ids_of_calls_are_short_enough_for_openai_to_take_them_back() {
    let long = ResponseMeta {
        id: "x".repeat(80),
        created: 0,
    };
    assert_eq!(call_id(&long, 70_000).len(), 40);
    assert_ne!(call_id(&long, 1), call_id(&long, 2));
}

#[test]
fn a_stream_keeps_its_response_only_if_asked_to() {
    let options = EncodeOptions {
        keep: false,
        ..options()
    };
    let mut stream = Events::new(options, meta());
    stream.close(COMPLETION, &mut Vec::new());
    assert_eq!(stream.response(), None);
}

#[test]
fn further_answers_and_what_follows_the_finish_are_not_told() {
    let mut stream = Events::new(options(), meta());
    let mut out = Vec::new();
    stream.event(0, FINISHED, &mut out);
    let told = out.len();
    stream.event(1, Event::Text("x"), &mut out);
    stream.event(0, Event::Text("x"), &mut out);
    assert_eq!(out.len(), told);
}

/// Whatever the model does, in an order that the hub allows.
fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        "\\PC{1,6}|[\\u{2028}\\u{85}\n\r]".prop_map(Act::Text),
        "\\PC{1,6}".prop_map(Act::Reasoning),
        "\\PC{1,6}".prop_map(Act::Refusal),
        (0..4_usize, "\\PC{0,6}").prop_map(|(tool, text)| Act::Call(tool, text)),
    ];
    prop::collection::vec(act, 0..8)
}

#[derive(Debug, Clone)]
enum Act {
    Text(String),
    Reasoning(String),
    Refusal(String),
    Call(usize, String),
}

fn feed(acts: &[Act], finish: &Finish, take: &mut dyn FnMut(Event<'_>)) {
    let mut calls = 0;
    for act in acts {
        match act {
            Act::Text(text) => take(Event::Text(text)),
            Act::Reasoning(text) => take(Event::Reasoning(text)),
            Act::Refusal(text) => take(Event::Refusal(text)),
            Act::Call(tool, text) => {
                let name = ["weather", "patch", "local_shell", "mail.send"][*tool];
                let json = match name {
                    "local_shell" => json!({"command": [text]}),
                    _ => json!({"input": text}),
                };
                for event in call(calls, name, &json.to_string()) {
                    take(event);
                }
                calls += 1;
            }
        }
    }
    take(Event::Finished(finish));
}

fn finish() -> impl Strategy<Value = Finish> {
    prop_oneof![
        Just(Finish::Stop),
        Just(Finish::Length),
        Just(Finish::Calls)
    ]
}

/// Follows a stream as the SDK's accumulator does, with its assertions, and gives the output items
/// that it ends with.
fn followed(events: &[Value]) -> Vec<Value> {
    let mut items: Vec<Value> = Vec::new();
    for event in events {
        let at = usize::try_from(event["output_index"].as_u64().unwrap_or(0)).unwrap();
        match event["type"].as_str().unwrap() {
            "response.output_item.added" => {
                assert_eq!(at, items.len(), "items come in order");
                items.push(event["item"].clone());
            }
            "response.output_text.delta" | "response.refusal.delta" => {
                assert_eq!(items[at]["id"], event["item_id"]);
                let field = if event["type"] == "response.refusal.delta" {
                    "refusal"
                } else {
                    "text"
                };
                let part = usize::try_from(event["content_index"].as_u64().unwrap()).unwrap();
                let text = &mut items[at]["content"][part][field];
                *text = json!(format!(
                    "{}{}",
                    text.as_str().unwrap(),
                    event["delta"].as_str().unwrap()
                ));
            }
            "response.content_part.added" => {
                let part = usize::try_from(event["content_index"].as_u64().unwrap()).unwrap();
                let content = items[at]["content"].as_array_mut().unwrap();
                assert_eq!(part, content.len(), "parts come in order");
                content.push(event["part"].clone());
            }
            "response.content_part.done" => {
                let part = usize::try_from(event["content_index"].as_u64().unwrap()).unwrap();
                if event["part"]["type"] != "reasoning_text" {
                    assert_eq!(items[at]["content"][part], event["part"]);
                }
            }
            "response.function_call_arguments.delta" => {
                assert_eq!(items[at]["type"], "function_call");
                let text = items[at]["arguments"].as_str().unwrap().to_owned();
                items[at]["arguments"] = json!(text + event["delta"].as_str().unwrap());
            }
            "response.function_call_arguments.done" => {
                assert_eq!(items[at]["arguments"], event["arguments"]);
            }
            "response.output_item.done" => {
                assert_eq!(at + 1, items.len(), "one item is open at a time");
                assert_eq!(items[at]["id"], event["item"]["id"]);
                items[at] = event["item"].clone();
            }
            _ => {}
        }
    }
    items
}

fn check(events: &[Value]) {
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], json!(at));
    }
    let terminal = |event: &&Value| {
        matches!(
            event["type"].as_str().unwrap(),
            "response.completed" | "response.incomplete" | "response.failed"
        )
    };
    assert_eq!(events.iter().filter(terminal).count(), 1);
    assert!(terminal(&events.last().unwrap()));
}

proptest! {
    #[test]
    fn a_stream_is_followed_to_the_response_that_ends_it(
        acts in acts(), finish in finish(), summary: bool, query in prop::option::of("\\PC{0,5}"),
    ) {
        let options = EncodeOptions { query, summary, ..options() };
        let mut stream = Events::new(options.clone(), meta());
        let mut out = Vec::new();
        stream.open(&mut out);
        let mut reply = Reply::default();
        feed(&acts, &finish, &mut |event| {
            stream.event(0, event, &mut out);
            reply.collect(event);
        });
        stream.close(COMPLETION, &mut out);
        let events = read(std::str::from_utf8(&out).unwrap());
        check(&events);
        let last = &events.last().unwrap()["response"];
        prop_assert_eq!(&json!(followed(&events)), &last["output"]);
        let kept: Value = serde_json::from_slice(stream.response().unwrap()).unwrap();
        prop_assert_eq!(last, &kept);
        // A whole answer gathers each kind; a stream keeps the order in which things came.
        let whole: Value = serde_json::from_slice(&options.document(&meta(), &[reply], COMPLETION)).unwrap();
        prop_assert_eq!(texts(&whole), texts(last));
        prop_assert_eq!(&whole["status"], &last["status"]);
        prop_assert_eq!(&whole["usage"], &last["usage"]);
    }

    #[test]
    fn a_stream_that_fails_anywhere_ends_once(acts in acts(), cut in 0..20_usize, searching: bool) {
        let options = EncodeOptions { query: searching.then(String::new), ..options() };
        let mut stream = Events::new(options, meta());
        let mut out = Vec::new();
        stream.open(&mut out);
        let mut fed = 0;
        feed(&acts, &Finish::Stop, &mut |event| {
            if fed < cut {
                stream.event(0, event, &mut out);
                fed += 1;
            }
        });
        stream.fail(&failure(), &mut out);
        let events = read(std::str::from_utf8(&out).unwrap());
        check(&events);
        let response = &events.last().unwrap()["response"];
        prop_assert_eq!(&response["status"], "failed");
        prop_assert_eq!(&response["error"]["message"], &json!(failure().message));
        prop_assert_eq!(&response["usage"], &Value::Null);
    }
}

/// Every text of a kind, joined.
fn texts(response: &Value) -> [String; 3] {
    let output = response["output"].as_array().unwrap();
    let parts = output.iter().flat_map(|item| {
        let lists =
            [&item["content"], &item["summary"]].map(|list| list.as_array().into_iter().flatten());
        lists.into_iter().flatten()
    });
    let parts: Vec<&Value> = parts.collect();
    [
        ["output_text", "text"],
        ["refusal", "refusal"],
        ["_text", "text"],
    ]
    .map(|[kind, field]| {
        let of_kind = |part: &&&Value| match part["type"].as_str().unwrap() {
            "reasoning_text" | "summary_text" => kind == "_text",
            other => other == kind,
        };
        parts
            .iter()
            .filter(of_kind)
            .map(|part| part[field].as_str().unwrap())
            .collect()
    })
}
