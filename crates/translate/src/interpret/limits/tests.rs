use super::*;
use proptest::prelude::*;

/// The text given and the reason of the end, for an answer that comes in these pieces.
fn cut(pieces: &[&str], stop: &[&str], max_tokens: Option<u64>) -> (String, Finish) {
    let mut limits = Limits::new(&chat_request::OutputLimits {
        max_tokens,
        stop: stop.iter().map(|s| (*s).to_owned()).collect(),
    });
    let (mut text, mut finish) = (String::new(), None);
    let mut sink = |event: Event<'_>| match event {
        Event::Text(t) => {
            assert!(!t.is_empty());
            text.push_str(t);
        }
        Event::Finished(f) => finish = Some(f.clone()),
        other => panic!("{other:?}"),
    };
    for piece in pieces {
        if limits.event(Event::Text(piece), &mut sink) == Flow::Stop {
            break;
        }
    }
    limits.end(&Finish::Stop, &mut sink);
    (text, finish.unwrap())
}

fn stopped(by: &str) -> Finish {
    Finish::StopSequence(by.to_owned())
}

#[test]
fn the_answer_is_cut_before_the_stop_string() {
    let table: &[(&[&str], &[&str], &str, Finish)] = &[
        (&["one two three"], &["two"], "one ", stopped("two")),
        (&["one t", "w", "o three"], &["two"], "one ", stopped("two")),
        (&["one tw"], &["two"], "one tw", Finish::Stop),
        (&["tw", "tw", "o"], &["two"], "tw", stopped("two")),
        (&["aab", "aaab!"], &["aaab"], "aab", stopped("aaab")),
        (&["abcd"], &["bcx", "c"], "ab", stopped("c")),
        (&["abcd"], &["c", "abc"], "", stopped("abc")),
        (&["x\n\nUser: y"], &["\n\n", "User:"], "x", stopped("\n\n")),
        (&["größe"], &["ß"], "grö", stopped("ß")),
        (&["🚀", "🛸"], &["🛸"], "🚀", stopped("🛸")),
        (&["END"], &["END"], "", stopped("END")),
        (&["text"], &[""], "text", Finish::Stop),
        (&["text"], &[], "text", Finish::Stop),
    ];
    for (pieces, stop, text, finish) in table {
        assert_eq!(
            cut(pieces, stop, None),
            ((*text).to_owned(), finish.clone()),
            "{pieces:?} {stop:?}"
        );
    }
}

#[test]
fn the_answer_is_cut_at_the_limit_of_tokens() {
    let long = "one two three four five six";
    assert_eq!(
        cut(&[long], &[], Some(3)),
        ("one two three".to_owned(), Finish::Length)
    );
    assert_eq!(cut(&[long], &[], Some(6)), (long.to_owned(), Finish::Stop));
    assert_eq!(
        cut(&["one", "|two"], &["|"], Some(1)),
        ("one".to_owned(), stopped("|"))
    );
    assert_eq!(
        cut(&["one two three four"], &["four"], Some(2)).1,
        Finish::Length
    );
}

#[test]
fn a_held_beginning_of_a_stop_string_comes_before_a_call() {
    let mut limits = Limits::new(&chat_request::OutputLimits {
        max_tokens: None,
        stop: vec!["STOP".to_owned()],
    });
    let mut seen = Vec::new();
    let mut sink = |event: Event<'_>| seen.push(format!("{event:?}"));
    limits.event(Event::Text("so ST"), &mut sink);
    limits.event(
        Event::CallStarted {
            index: 0,
            name: "f",
        },
        &mut sink,
    );
    limits.event(
        Event::CallArguments {
            index: 0,
            json: "{\"a\":\"STOP\"}",
        },
        &mut sink,
    );
    limits.event(Event::CallEnded { index: 0 }, &mut sink);
    limits.end(&Finish::Calls, &mut sink);
    assert_eq!(
        seen,
        [
            "Text(\"so \")",
            "Text(\"ST\")",
            "CallStarted { index: 0, name: \"f\" }",
            "CallArguments { index: 0, json: \"{\\\"a\\\":\\\"STOP\\\"}\" }",
            "CallEnded { index: 0 }",
            "Finished(Calls)",
        ]
    );
}

/// What the cutter must do, said plainly: the first stop string to be complete, the longer of two.
fn by_definition(text: &str, stops: &[String]) -> (String, Finish) {
    let ends = (1..=text.len()).filter(|end| text.is_char_boundary(*end));
    for end in ends {
        let hit = stops
            .iter()
            .filter(|s| !s.is_empty() && text[..end].ends_with(s.as_str()));
        if let Some(stop) = hit.max_by_key(|s| s.len()) {
            return (text[..end - stop.len()].to_owned(), stopped(stop));
        }
    }
    (text.to_owned(), Finish::Stop)
}

proptest! {
    #[test]
    fn the_cut_is_the_defined_one_wherever_the_text_is_split(
        text in "[abß🚀]{0,24}",
        stops in proptest::collection::vec("[abß🚀]{0,5}", 0..4),
        cuts in proptest::collection::vec(0usize..24, 0..6),
    ) {
        let mut at: Vec<usize> = cuts
            .iter()
            .map(|n| text.char_indices().map(|(i, _)| i).nth(*n).unwrap_or(text.len()))
            .chain([0, text.len()])
            .collect();
        at.sort_unstable();
        let pieces: Vec<&str> = at.windows(2).map(|w| &text[w[0]..w[1]]).collect();
        let stop_refs: Vec<&str> = stops.iter().map(String::as_str).collect();
        prop_assert_eq!(cut(&pieces, &stop_refs, None), by_definition(&text, &stops));
    }
}
