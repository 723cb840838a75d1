use super::*;
use crate::chat_request::{Message, Part, Role, Tool, ToolChoice, ToolInput};
use crate::reply::Reply;
use serde_json::json;

fn chat(delivery: Delivery) -> ChatRequest {
    ChatRequest {
        model: "m".to_owned(),
        choices: 1,
        delivery,
        messages: vec![Message {
            role: Role::User,
            name: None,
            parts: vec![Part::Text("What is the weather?".to_owned())],
        }],
        ..ChatRequest::default()
    }
}

fn with_tool(delivery: Delivery) -> ChatRequest {
    let mut chat = chat(delivery);
    chat.tools.offered.push(Tool {
        name: "weather".to_owned(),
        description: None,
        input: ToolInput::Json(json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}).into()),
        strict: false,
    });
    chat
}

fn with_schema(delivery: Delivery, strict: bool) -> ChatRequest {
    let mut chat = chat(delivery);
    chat.output = OutputFormat::Schema {
        name: "x".to_owned(),
        schema: json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false}).into(),
        strict,
    };
    chat
}

/// What the client is given, and what the answer comes to; the same however the text is cut.
fn read(chat: &ChatRequest, attempt: Attempt, text: &str) -> (Reply, Ending) {
    let run = |pieces: &[&str]| {
        let mut interpreter = Interpreter::new(chat, Some(Tags::default()), attempt);
        let mut reply = Reply::default();
        let mut finished = 0;
        let mut sink = |event: Event<'_>| {
            finished += usize::from(matches!(event, Event::Finished(_)));
            reply.collect(event);
        };
        for piece in pieces {
            if interpreter.push(piece, &mut sink) == Flow::Stop {
                break;
            }
        }
        let ending = interpreter.end(&Finish::Stop, &mut sink);
        assert_eq!(
            finished,
            usize::from(matches!(ending, Ending::Finished { .. }))
        );
        (reply, ending)
    };
    let whole = run(&[text]);
    let chars: Vec<String> = text.chars().map(String::from).collect();
    let pieces: Vec<&str> = chars.iter().map(String::as_str).collect();
    assert_eq!(run(&pieces), whole, "{text:?} by character");
    whole
}

const ONE_LEFT: Attempt = Attempt {
    left: 1,
    calls_only: false,
    thoughts: Thoughts::Separate,
};

const LAST: Attempt = Attempt {
    left: 0,
    ..ONE_LEFT
};

const BOTH: [Delivery; 2] = [Delivery::Whole, Delivery::Streamed];

const CALL: &str =
    "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>";
const BAD_CALL: &str =
    "<tool_call>\n{\"name\": \"forecast\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>";
const BROKEN_CALL: &str =
    "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \n</tool_call>";

fn is_failed(ending: &Ending) -> bool {
    matches!(
        ending,
        Ending::Failed(Failure {
            kind: Kind::Unmet,
            retry: Some(false),
            ..
        })
    )
}

#[test]
fn thoughts_text_and_calls_are_told_apart() {
    for delivery in BOTH {
        let text = format!(
            "<assistant>\n<think>hm</think>Let me see.\n{CALL}\n</assistant>\n<user>\nThanks!"
        );
        let (reply, ending) = read(&with_tool(delivery), ONE_LEFT, &text);
        assert_eq!(ending, Ending::Finished { in_form: true });
        assert_eq!(
            (reply.reasoning.as_str(), reply.text.trim(), reply.finish),
            ("hm", "Let me see.", Finish::Calls)
        );
        let calls: Vec<_> = reply
            .calls
            .iter()
            .map(|c| (c.name.as_str(), c.arguments.as_str()))
            .collect();
        assert_eq!(calls, [("weather", r#"{"city":"Paris"}"#)]);
    }
}

#[test]
fn a_call_that_cannot_be_read_is_asked_for_again_and_then_honest_text() {
    for delivery in BOTH {
        let (_, ending) = read(&with_tool(delivery), ONE_LEFT, BAD_CALL);
        let Ending::Ask { correction, next } = ending else {
            panic!("{ending:?}");
        };
        assert!(
            correction.contains("forecast") && next.left == 0 && !next.calls_only,
            "{correction}"
        );
        let (reply, ending) = read(&with_tool(delivery), LAST, "It is sunny.");
        assert_eq!(
            (reply.text.as_str(), ending),
            ("It is sunny.", Ending::Finished { in_form: true })
        );
    }
}

#[test]
fn a_call_that_was_begun_in_a_stream_and_is_broken_fails_it() {
    let (_, ending) = read(&with_tool(Delivery::Streamed), ONE_LEFT, BROKEN_CALL);
    assert!(is_failed(&ending), "{ending:?}");
    let (reply, ending) = read(&with_tool(Delivery::Whole), ONE_LEFT, BROKEN_CALL);
    assert!(
        matches!(ending, Ending::Ask { .. }) && reply == Reply::default(),
        "{ending:?}"
    );
}

#[test]
fn after_text_was_streamed_another_attempt_gives_only_calls() {
    let chat = with_tool(Delivery::Streamed);
    let (reply, ending) = read(&chat, ONE_LEFT, &format!("Let me see.\n{BAD_CALL}"));
    assert_eq!(reply.text.trim(), "Let me see.");
    let Ending::Ask { next, .. } = ending else {
        panic!("{ending:?}");
    };
    assert!(next.calls_only);
    let (reply, _) = read(&chat, next, &format!("Let me see.\n{CALL}"));
    assert_eq!(
        (reply.text.as_str(), reply.calls.len(), reply.finish),
        ("", 1, Finish::Calls)
    );
}

#[test]
fn a_demanded_call_is_asked_for_and_its_lack_is_a_failure() {
    for delivery in BOTH {
        let mut chat = with_tool(delivery);
        chat.tools.choice = ToolChoice::Required;
        let (reply, ending) = read(&chat, ONE_LEFT, "It is sunny.");
        assert!(
            matches!(
                ending,
                Ending::Ask {
                    next: Attempt {
                        calls_only: false,
                        ..
                    },
                    ..
                }
            ),
            "{ending:?}"
        );
        assert_eq!(reply, Reply::default());
        let (reply, ending) = read(&chat, LAST, "It is sunny.");
        assert!(
            is_failed(&ending) && reply == Reply::default(),
            "{ending:?}"
        );
        let (reply, _) = read(&chat, LAST, &format!("So: {CALL}"));
        assert_eq!((reply.text.trim(), reply.calls.len()), ("So:", 1));
    }
}

#[test]
fn json_is_found_repaired_and_checked() {
    for delivery in BOTH {
        for strict in [true, false] {
            let (reply, ending) = read(
                &with_schema(delivery, strict),
                ONE_LEFT,
                "Sure: ```json\n{'a': 1,}\n``` done",
            );
            assert_eq!(
                (reply.text.as_str(), ending),
                (r#"{"a":1}"#, Ending::Finished { in_form: true })
            );
        }
    }
}

#[test]
fn an_answer_that_is_not_in_form_is_asked_for_again_and_never_passed_off() {
    for (delivery, strict) in [
        (Delivery::Whole, true),
        (Delivery::Whole, false),
        (Delivery::Streamed, true),
        (Delivery::Streamed, false),
    ] {
        let chat = with_schema(delivery, strict);
        let (reply, ending) = read(&chat, ONE_LEFT, "The answer is one.");
        assert!(
            matches!(ending, Ending::Ask { .. }) && reply == Reply::default(),
            "{ending:?}"
        );
        let (reply, ending) = read(&chat, LAST, "The answer is one.");
        if delivery == Delivery::Whole && !strict {
            assert_eq!(
                (reply.text.as_str(), ending),
                ("The answer is one.", Ending::Finished { in_form: false })
            );
        } else {
            assert!(
                is_failed(&ending) && reply == Reply::default(),
                "{ending:?}"
            );
        }
    }
}

#[test]
fn a_refusal_in_words_is_no_failure_of_form() {
    for delivery in BOTH {
        let (reply, ending) = read(
            &with_schema(delivery, true),
            ONE_LEFT,
            "I'm sorry, I can't help with that.",
        );
        assert_eq!(
            (reply.text.as_str(), reply.refusal.as_str()),
            ("", "I'm sorry, I can't help with that.")
        );
        assert_eq!(ending, Ending::Finished { in_form: true });
    }
}

#[test]
fn calls_win_over_a_form() {
    for delivery in BOTH {
        let mut chat = with_tool(delivery);
        chat.output = OutputFormat::Json;
        let (reply, ending) = read(&chat, ONE_LEFT, &format!("One moment.\n{CALL}"));
        assert_eq!(
            (reply.text.trim(), reply.calls.len(), reply.finish),
            ("One moment.", 1, Finish::Calls)
        );
        assert_eq!(ending, Ending::Finished { in_form: true });
    }
}

#[test]
fn an_answer_cut_by_a_limit_keeps_what_there_is() {
    let mut chat = with_schema(Delivery::Whole, true);
    chat.limits.max_tokens = Some(3);
    let mut interpreter = Interpreter::new(&chat, None, ONE_LEFT);
    let mut reply = Reply::default();
    let flow = interpreter.push("{\"a\": 1234567890123456789, \"b\"", &mut |event| {
        reply.collect(event);
    });
    assert_eq!(flow, Flow::Stop);
    let ending = interpreter.end(&Finish::Stop, &mut |event| reply.collect(event));
    assert_eq!(
        (reply.finish, ending),
        (Finish::Length, Ending::Finished { in_form: true })
    );
    assert!(!reply.text.is_empty() && !reply.text.contains('}'));
}

#[test]
fn text_before_a_demanded_call_that_was_cut_is_kept() {
    for (delivery, choice) in BOTH.iter().flat_map(|delivery| {
        [ToolChoice::Auto, ToolChoice::Required].map(|choice| (*delivery, choice))
    }) {
        let mut chat = with_tool(delivery);
        chat.tools.choice = choice;
        let text =
            "Let me look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Par";
        let (reply, ending) = read(&chat, ONE_LEFT, text);
        assert_eq!(
            (reply.text.trim(), reply.finish, ending),
            (
                "Let me look.",
                Finish::Length,
                Ending::Finished { in_form: true }
            ),
            "{delivery:?} {:?}",
            chat.tools.choice
        );
    }
}

#[test]
fn a_little_of_what_follows_the_answer_is_read_so_that_upstream_can_say_its_cost() {
    let mut interpreter = Interpreter::new(&chat(Delivery::Streamed), Some(Tags::default()), LAST);
    let mut reply = Reply::default();
    assert_eq!(
        interpreter.push("Hi.</assistant>", &mut |event| reply.collect(event)),
        Flow::Continue
    );
    assert_eq!(
        interpreter.push("\n<user>\nMore?", &mut |event| reply.collect(event)),
        Flow::Continue
    );
    assert_eq!(
        interpreter.push(&"x".repeat(400), &mut |event| reply.collect(event)),
        Flow::Stop
    );
    assert_eq!(reply.text, "Hi.");
}
