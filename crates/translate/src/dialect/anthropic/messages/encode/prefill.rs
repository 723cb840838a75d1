//! Drops the beginning of an answer that the client gave itself, should the model repeat it.

use std::borrow::Cow;

/// Watches the beginning of an answer that comes in pieces; where they are cut does not matter.
#[derive(Debug, Default)]
pub(super) struct Prefill {
    /// The given beginning, less white space around it.
    given: String,
    /// What has come and may still be a repetition.
    held: String,
    past: bool,
}

impl Prefill {
    pub(super) fn new(given: &str) -> Self {
        let given = given.trim().to_owned();
        Self {
            past: given.is_empty(),
            given,
            held: String::new(),
        }
    }

    /// Whether all that comes is passed on as it is.
    pub(super) fn is_past(&self) -> bool {
        self.past
    }

    /// More of the answer: gives what of it belongs to the client.
    pub(super) fn pass<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        if self.past {
            return Cow::Borrowed(text);
        }
        self.held.push_str(text);
        let said = self.held.trim_start();
        if self.given.starts_with(said) && said.len() < self.given.len() {
            return Cow::Borrowed("");
        }
        self.past = true;
        let news = said.strip_prefix(self.given.as_str()).map(str::to_owned);
        Cow::Owned(news.unwrap_or_else(|| std::mem::take(&mut self.held)))
    }

    /// What was held back when the answer ended before it had repeated all that was given.
    pub(super) fn rest(&mut self) -> String {
        if self.past {
            return String::new();
        }
        self.past = true;
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(given: &str, pieces: &[&str]) -> String {
        let mut prefill = Prefill::new(given);
        let mut text: String = pieces
            .iter()
            .map(|piece| prefill.pass(piece).into_owned())
            .collect();
        text.push_str(&prefill.rest());
        text
    }

    #[test]
    fn only_what_follows_the_given_beginning_is_passed_on() {
        let table = [
            ("", "Hello", "Hello"),
            ("The best answer is (", "B)", "B)"),
            ("The best answer is (", "The best answer is (B)", "B)"),
            ("{", "\n{\"a\": 1}", "\"a\": 1}"),
            ("```json\n", "```json\n{}", "\n{}"),
            ("The best", "The worst", "The worst"),
            ("The best answer", "The best", "The best"),
            ("The best answer", "", ""),
            ("yes", "  yes, indeed", ", indeed"),
            ("no", "   maybe", "   maybe"),
        ];
        for (given, said, expected) in table {
            assert_eq!(answer(given, &[said]), expected, "{given:?} then {said:?}");
        }
    }

    proptest! {
        #[test]
        fn where_the_answer_is_cut_does_not_matter(given in "[ab (]{0,6}", said in "[ab (]{0,12}", at in 0usize..12) {
            let at = at.min(said.len());
            prop_assert_eq!(answer(&given, &[&said[..at], &said[at..]]), answer(&given, &[&said]));
        }
    }
}
