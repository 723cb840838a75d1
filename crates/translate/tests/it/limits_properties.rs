//! Where an answer ends early, through the whole chain of interpreting, however it is cut.

use proptest::prelude::*;
use translate::chat_request::{ChatRequest, Message, OutputLimits, Part, Role};
use translate::compose::{Wording, compose};
use translate::interpret::{Attempt, Flow, Interpreter};
use translate::reply::{Event, Finish};

use super::cases::{cuts, pieces};

/// A turn with these limits; with a history its prompt is a transcript.
fn chat(stop: &[String], max_tokens: Option<u64>, history: bool) -> ChatRequest {
    let said = |role, text: &str| Message {
        role,
        name: None,
        parts: vec![Part::Text(text.to_owned())],
    };
    let mut messages = vec![said(Role::User, "Go on.")];
    if history {
        messages.insert(0, said(Role::System, "Be brief."));
    }
    ChatRequest {
        model: "m".to_owned(),
        messages,
        limits: OutputLimits {
            max_tokens,
            stop: stop.to_vec(),
        },
        choices: 1,
        ..ChatRequest::default()
    }
}

/// The text given and the finish.
fn answer(chat: &ChatRequest, pieces: &[&str]) -> (String, Finish) {
    let mut interpreter = Interpreter::new(
        chat,
        compose(chat, &Wording::default(), 23).tags,
        Attempt::default(),
    );
    let (mut text, mut finish) = (String::new(), None);
    let mut sink = |event: Event<'_>| match event {
        Event::Text(more) => text.push_str(more),
        Event::Finished(why) => assert!(finish.replace(why.clone()).is_none(), "one finish"),
        other => panic!("{other:?}"),
    };
    for piece in pieces {
        if interpreter.push(piece, &mut sink) == Flow::Stop {
            break;
        }
    }
    interpreter.end(&Finish::Stop, &mut sink);
    (text, finish.unwrap())
}

/// The end as it is defined: at the first place where one of the strings is complete, the longest
/// that is.
fn cut(text: &str, stops: &[String]) -> (String, Finish) {
    for end in 0..=text.len() {
        let complete = stops
            .iter()
            .filter(|stop| !stop.is_empty() && text.as_bytes()[..end].ends_with(stop.as_bytes()));
        if let Some(stop) = complete.max_by_key(|stop| stop.len()) {
            return (
                text[..end - stop.len()].to_owned(),
                Finish::StopSequence(stop.clone()),
            );
        }
    }
    (text.to_owned(), Finish::Stop)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_ends_before_the_first_stop_string_at_any_cut(
        text in "x[abß🚀 \n]{0,24}",
        stops in proptest::collection::vec("[abß🚀 \n]{0,5}", 0..4),
        history in any::<bool>(),
    ) {
        let chat = chat(&stops, None, history);
        let expected = cut(&text, &stops);
        for cuts in cuts(&text) {
            prop_assert_eq!(&answer(&chat, &pieces(&text, &cuts)), &expected, "cut at {:?}", cuts);
        }
    }

    #[test]
    fn a_limit_of_tokens_gives_the_same_beginning_at_any_cut(
        text in "x(one|two| |\n|7|42|ß|日本|🚀|\\.|a){0,24}",
        max_tokens in 1u64..12,
        history in any::<bool>(),
    ) {
        let limited = chat(&[], Some(max_tokens), history);
        let whole = answer(&limited, &[&text]);
        prop_assert!(text.starts_with(&whole.0));
        prop_assert_eq!(whole.1 == Finish::Length, whole.0.len() < text.len());
        let more = answer(&chat(&[], Some(max_tokens + 1), history), &[&text]);
        prop_assert!(more.0.len() >= whole.0.len());
        for cuts in cuts(&text) {
            prop_assert_eq!(&answer(&limited, &pieces(&text, &cuts)), &whole, "cut at {:?}", cuts);
        }
    }
}
