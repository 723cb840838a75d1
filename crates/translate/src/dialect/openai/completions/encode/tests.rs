use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::failure::Kind;
use crate::reply::{Timing, UsageSource};

fn options() -> EncodeOptions {
    EncodeOptions {
        model: "m".to_owned(),
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

fn streamed(options: EncodeOptions, choices: u32, events: &[(u32, Event<'_>)]) -> Vec<Value> {
    let mut stream = Box::new(options).stream(meta(), choices);
    let mut out = Vec::new();
    stream.open(&mut out);
    for (choice, event) in events {
        stream.event(*choice, *event, &mut out);
    }
    stream.close(COMPLETION, &mut out);
    let text = String::from_utf8(out).unwrap();
    let data = text.strip_suffix("data: [DONE]\n\n").unwrap();
    let events = data.split_terminator("\n\n");
    events
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect()
}

fn chunk(text: &str, index: u32, finish: Option<&str>) -> Value {
    json!({
        "id": "cmpl-abc", "object": "text_completion", "created": 1_700_000_000, "model": "m",
        "choices": [{"text": text, "index": index, "logprobs": null, "finish_reason": finish}],
    })
}

fn with(mut chunk: Value, key: &str, value: Value) -> Value {
    chunk[key] = value;
    chunk
}

#[test]
fn a_whole_answer_has_every_field_that_the_reference_requires() {
    let reply = Reply {
        text: " upon a time".to_owned(),
        reasoning: "hm".to_owned(),
        finish: Finish::Length,
        ..Reply::default()
    };
    for (echo, text) in [(None, " upon a time"), (Some("Once"), "Once upon a time")] {
        let options = EncodeOptions {
            echo: echo.map(str::to_owned).into_iter().collect(),
            ..options()
        };
        let document = options.document(&meta(), std::slice::from_ref(&reply), COMPLETION);
        let expected = with(
            chunk(text, 0, Some("length")),
            "usage",
            json!({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}),
        );
        assert_eq!(
            serde_json::from_slice::<Value>(&document).unwrap(),
            expected
        );
    }
}

#[test]
fn a_stream_is_texts_a_finish_for_each_choice_and_done() {
    let events = [
        (0, Event::Reasoning("hm")),
        (0, Event::Text(" upon")),
        (1, Event::Refusal("No.")),
        (0, Event::Text(" a time")),
        (1, Event::Finished(&Finish::Stop)),
        (0, Event::Finished(&Finish::Length)),
    ];
    let options = EncodeOptions {
        echo: vec!["Once".to_owned()],
        ..options()
    };
    let expected = [
        chunk("Once", 0, None),
        chunk("Once", 1, None),
        chunk(" upon", 0, None),
        chunk("No.", 1, None),
        chunk(" a time", 0, None),
        chunk("", 1, Some("stop")),
        chunk("", 0, Some("length")),
    ];
    assert_eq!(streamed(options, 2, &events), expected);
}

#[test]
fn usage_is_a_chunk_of_its_own_and_only_when_asked_for() {
    let asked = EncodeOptions {
        usage: true,
        ..options()
    };
    let events = [(0, Event::Text("x")), (0, Event::Finished(&Finish::Stop))];
    let mut last = chunk("", 0, None);
    last["choices"] = json!([]);
    last["usage"] = json!({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18});
    let expected = [
        with(chunk("x", 0, None), "usage", Value::Null),
        with(chunk("", 0, Some("stop")), "usage", Value::Null),
        last,
    ];
    assert_eq!(streamed(asked, 1, &events), expected);
}

#[test]
fn a_failed_stream_has_an_error_and_no_mark_of_success() {
    let mut stream = Box::new(options()).stream(meta(), 1);
    let mut out = Vec::new();
    stream.open(&mut out);
    stream.event(0, Event::Text("x"), &mut out);
    stream.fail(&Failure::new(Kind::Upstream, "broken"), &mut out);
    let text = String::from_utf8(out).unwrap();
    let (_, last) = text.trim_end().rsplit_once("\n\n").unwrap();
    assert!(
        last.starts_with("data: {\"error\":{\"message\":\"broken\""),
        "{last}"
    );
    assert!(!text.contains("[DONE]"));
}

#[test]
fn each_prompt_is_told_back_before_its_own_answers() {
    let replies = ["1", "2", "3", "4"].map(|text| Reply {
        text: text.to_owned(),
        ..Reply::default()
    });
    let options = EncodeOptions {
        echo: vec!["a".to_owned(), "b".to_owned()],
        ..options()
    };
    let document = options.document(&meta(), &replies, COMPLETION);
    let document: Value = serde_json::from_slice(&document).unwrap();
    let texts: Vec<&str> = (0..4)
        .map(|at| document["choices"][at]["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["a1", "a2", "b3", "b4"]);
}

proptest! {
    #[test]
    fn the_pieces_joined_are_the_whole_text(pieces in prop::collection::vec("\\PC{1,8}|[\\u{2028}\n\r]", 0..6), echo: bool) {
        let options = EncodeOptions { echo: if echo { vec!["Once".to_owned()] } else { Vec::new() }, ..options() };
        let mut events: Vec<(u32, Event<'_>)> = pieces.iter().map(|piece| (0, Event::Text(piece))).collect();
        events.push((0, Event::Finished(&Finish::Stop)));
        let mut reply = Reply::default();
        for (_, event) in &events {
            reply.collect(*event);
        }
        let whole: Value = serde_json::from_slice(&options.document(&meta(), &[reply], COMPLETION)).unwrap();
        let chunks = streamed(options, 1, &events);
        let joined: String = chunks.iter().map(|chunk| chunk["choices"][0]["text"].as_str().unwrap()).collect();
        prop_assert_eq!(&joined, whole["choices"][0]["text"].as_str().unwrap());
    }
}
