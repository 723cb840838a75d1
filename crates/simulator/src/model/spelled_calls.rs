//! Calls that a user spells out in plain words: `call get_weather with {"city": "Paris"}`, one a
//! line. A line that begins with `then` waits for the results of the lines before it.

use serde_json::Value;

/// A call that the user wants.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SpelledCall {
    pub(super) name: String,
    /// `None` if the user leaves them to the model.
    pub(super) arguments: Option<Value>,
}

/// The wanted calls, round by round; each round one call if they may not stand side by side.
pub(super) fn rounds(text: &str, one_at_a_time: bool) -> Vec<Vec<SpelledCall>> {
    let mut rounds: Vec<Vec<SpelledCall>> = Vec::new();
    let mut from = 0;
    while let Some(line) = text
        .get(from..)
        .and_then(|rest| rest.split_inclusive('\n').next())
    {
        let rest = text.get(from..).unwrap_or_default();
        let Some((call, then, length)) = call(line, rest) else {
            from += line.len();
            continue;
        };
        from += length.max(line.len());
        match rounds.last_mut() {
            Some(round) if !then && !one_at_a_time => round.push(call),
            _ => rounds.push(vec![call]),
        }
    }
    rounds
}

/// The call that a line begins, whether it waits for those before it, and how many bytes it takes:
/// the arguments may go over several lines.
fn call(line: &str, rest: &str) -> Option<(SpelledCall, bool, usize)> {
    let words = line.trim_start();
    let (then, words) = match word(words, "then") {
        Some(behind) => (true, behind.trim_start()),
        None => (false, words),
    };
    let words = word(words, "call")?.trim_start();
    let end = words
        .find(|c: char| c.is_whitespace())
        .unwrap_or(words.len());
    let name = words.get(..end)?.trim_matches(['`', '"', '.', ',']);
    let behind = words.get(end..)?.trim_start();
    let Some(json) = word(behind, "with") else {
        let alone = behind.is_empty();
        let call = SpelledCall {
            name: name.to_owned(),
            arguments: None,
        };
        return (alone && !name.is_empty()).then_some((call, then, line.len()));
    };
    let start = line.len() - json.len();
    let mut values = serde_json::Deserializer::from_str(rest.get(start..)?).into_iter::<Value>();
    let arguments = values.next()?.ok().filter(Value::is_object)?;
    let call = SpelledCall {
        name: name.to_owned(),
        arguments: Some(arguments),
    };
    Some((call, then, start + values.byte_offset()))
}

/// What stands behind a word, in whatever case it is written.
fn word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    let behind = text.get(word.len()..)?;
    let ends = behind.starts_with(|c: char| c.is_whitespace() || c == ':');
    (head.eq_ignore_ascii_case(word) && ends).then(|| behind.trim_start_matches(':'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::rounds;

    fn shown(text: &str, one: bool) -> Vec<Vec<String>> {
        let show = |call: &super::SpelledCall| match &call.arguments {
            Some(arguments) => format!("{}{arguments}", call.name),
            None => call.name.clone(),
        };
        let rounds = rounds(text, one);
        rounds
            .iter()
            .map(|round| round.iter().map(show).collect())
            .collect()
    }

    #[test]
    fn lines_are_calls_and_then_begins_a_round() {
        let text = "Please:\ncall a with {\"x\": 1}\nCall b with {\n \"y\": [2]\n}\nand talk\nthen call c\n then call: `d` with {}";
        assert_eq!(
            shown(text, false),
            [vec!["a{\"x\":1}", "b{\"y\":[2]}"], vec!["c"], vec!["d{}"]]
        );
        assert_eq!(shown(text, true).len(), 4);
    }

    #[test]
    fn prose_about_calls_spells_none() {
        for text in [
            "",
            "call me later today",
            "recall a with {}",
            "call a with b",
            "call a with {",
            "call a with [1]",
            "I call a with {}",
        ] {
            assert!(rounds(text, false).is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_arguments_come_through(text in ".*", number: i32) {
            let arguments = json!({"text": text, "number": number});
            let said = format!("hi\ncall f with {arguments}\nbye");
            prop_assert_eq!(shown(&said, false), vec![vec![format!("f{arguments}")]]);
        }

        #[test]
        fn no_text_makes_it_panic(text in r"(call|then|with|:| |\n|\{|\}|ü|f){0,16}") {
            let _ = rounds(&text, false);
        }
    }
}
