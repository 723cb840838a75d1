//! An answer means the same whether it is given whole or as a stream: the same calls, the same text,
//! the same end.

use serde_json::Value;
use translate::chat_request::{ChatRequest, Delivery};
use translate::interpret::{Attempt, Ending, Flow, Interpreter};
use translate::reply::{Event, Finish, Reply};
use translate::tags::Tags;

use super::cases::{folder, pieces};
use super::tool_cases::tools;

fn answer(text: &str, delivery: Delivery, left: u32) -> (Reply, Ending) {
    answer_to(&[text], delivery, left)
}

/// The answer that comes in these pieces.
fn answer_to(pieces: &[&str], delivery: Delivery, left: u32) -> (Reply, Ending) {
    let chat = ChatRequest {
        model: "m".to_owned(),
        choices: 1,
        delivery,
        tools: tools(),
        ..ChatRequest::default()
    };
    let attempt = Attempt {
        left,
        ..Attempt::default()
    };
    let mut reply = Reply::default();
    let mut interpreter = Interpreter::new(&chat, Some(Tags::default()), attempt);
    let mut take = |event: Event<'_>| reply.collect(event);
    for piece in pieces {
        if interpreter.push(piece, &mut take) == Flow::Stop {
            break;
        }
    }
    let ending = interpreter.end(&Finish::Stop, &mut take);
    (reply, ending)
}

/// The calls with their arguments as values: a whole answer has them in the schema's order.
fn calls(reply: &Reply) -> Vec<(&str, Option<Value>)> {
    let calls = reply.calls.iter();
    calls
        .map(|call| {
            (
                call.name.as_str(),
                serde_json::from_str(&call.arguments).ok(),
            )
        })
        .collect()
}

#[test]
fn no_way_of_giving_an_answer_has_fewer_calls_than_another() {
    let mut failures = Vec::new();
    for (dialect, cases) in folder("tool_cases") {
        for case in &cases {
            let (whole, whole_end) = answer(&case.text, Delivery::Whole, 0);
            let (streamed, streamed_end) = answer(&case.text, Delivery::Streamed, 0);
            let name = format!("{dialect} / {}", case.name);
            // Characters, and pieces of odd lengths; the reader alone is tried at every cut.
            for length in [1, 3, 7] {
                let borders = case.text.char_indices().skip(length).step_by(length);
                let borders: Vec<usize> = borders.map(|(at, _)| at).collect();
                let cut = answer_to(&pieces(&case.text, &borders), Delivery::Streamed, 0);
                if cut != (streamed.clone(), streamed_end.clone()) {
                    failures.push(format!("{name}: pieces of {length} give {cut:?}"));
                }
            }
            if whole_end != streamed_end {
                failures.push(format!(
                    "{name}: {whole_end:?} whole, {streamed_end:?} streamed"
                ));
                continue;
            }
            // What a failed stream gave before is void.
            if matches!(whole_end, Ending::Failed(_)) {
                continue;
            }
            // An answer that was cut in a call has its beginning only where it is streamed.
            let names = |reply: &Reply| -> Vec<String> {
                let made = calls(reply).into_iter().filter(|(_, json)| json.is_some());
                made.map(|(name, _)| name.to_owned()).collect()
            };
            if names(&whole) != names(&streamed) || whole.text != streamed.text {
                failures.push(format!(
                    "{name}: {:?} {:?} whole, {:?} {:?} streamed",
                    calls(&whole),
                    whole.text,
                    calls(&streamed),
                    streamed.text
                ));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

const TWO: &str = "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Paris\"}}\n</tool_call>\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"days\": \"many\"}}\n</tool_call>";

#[test]
fn a_call_whose_arguments_do_not_match_is_asked_again_and_given_on_the_last_attempt() {
    let (reply, ending) = answer(TWO, Delivery::Whole, 1);
    assert!(
        matches!(&ending, Ending::Ask { correction, .. } if correction.contains("get_weather")),
        "{ending:?}"
    );
    assert!(reply.calls.is_empty(), "{reply:?}");
    for delivery in [Delivery::Whole, Delivery::Streamed] {
        let (reply, ending) = answer(TWO, delivery, 0);
        assert_eq!(ending, Ending::Finished { in_form: true });
        assert_eq!(reply.calls.len(), 2, "{reply:?}");
        assert_eq!(
            serde_json::from_str::<Value>(&reply.calls[1].arguments).unwrap(),
            serde_json::json!({"days": "many"})
        );
    }
}

#[test]
fn a_value_that_never_began_is_asked_for_again_and_then_an_honest_failure() {
    let text = "<tool_call>\n{\"name\": \"write_file\", \"arguments\": {\"path\": \"/etc/x\", \"content\": }}\n</tool_call>";
    let (_, ending) = answer(text, Delivery::Whole, 1);
    assert!(matches!(ending, Ending::Ask { .. }), "{ending:?}");
    for delivery in [Delivery::Whole, Delivery::Streamed] {
        let (_, ending) = answer(text, delivery, 0);
        assert!(matches!(ending, Ending::Failed(_)), "{ending:?}");
    }
}
