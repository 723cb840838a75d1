//! What to answer, and at what pace, as data.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::plan::Plan;

/// Most words that `tokens` generates: a prompt must not be able to exhaust the memory.
pub const MAX_TOKENS: usize = 1_000_000;

/// The answer to one chat request. Whatever is left open, the simulator fills in itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// The exact text.
    pub reply: Option<String>,
    /// The exact deltas of a stream; their sum is the text.
    pub deltas: Option<Vec<String>>,
    /// A generated text of so many deltas of one short word each, at most [`MAX_TOKENS`].
    pub tokens: Option<usize>,
    /// What a model of some family would do, if no text is given.
    pub model: Option<Plan>,
    /// Bytes of text per delta, never cutting inside a character; else one delta a word.
    pub chunk: Option<usize>,
    /// Milliseconds between two events.
    pub delay_ms: Option<u64>,
    /// Milliseconds before the head of the answer.
    pub first_ms: Option<u64>,
    /// Bytes per write to the socket, cutting anywhere.
    pub write: Option<usize>,
    /// Milliseconds between two such writes.
    pub write_ms: Option<u64>,
    /// Fields of `metadata` to set; null takes one away.
    pub usage: Option<Map<String, Value>>,
    /// `metadata.finishReason`.
    pub finish_reason: Option<String>,
    /// How often an asynchronous job is in work, the answer that submits it included.
    pub polls: Option<u32>,
    /// Seconds for which the link to a file is good.
    pub expires: Option<u64>,
}

impl Script {
    /// The deltas of a stream that says `text` under this script.
    #[must_use]
    pub fn split<'a>(&'a self, text: &'a str) -> Vec<&'a str> {
        if let Some(deltas) = &self.deltas {
            return deltas.iter().map(String::as_str).collect();
        }
        match self.chunk {
            Some(bytes) => pieces(text, bytes),
            None => words(text),
        }
    }

    /// The text that the script prescribes, if it does.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let joined = || self.deltas.as_ref().map(|deltas| deltas.concat());
        self.reply
            .clone()
            .or_else(joined)
            .or_else(|| self.tokens.map(generated))
    }
}

/// A duration; a day at most, which is longer than any client waits.
pub(crate) fn time(ms: u64) -> Duration {
    Duration::from_millis(ms).min(Duration::from_hours(24))
}

/// Cuts into pieces of at most `bytes` bytes, but at least one whole character each.
fn pieces(text: &str, bytes: usize) -> Vec<&str> {
    let mut pieces = Vec::with_capacity(text.len() / bytes.max(1) + 1);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at = rest.floor_char_boundary(bytes).max(first.len_utf8());
        let (piece, tail) = rest.split_at(at);
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

/// Cuts after each run of blanks, so that the sum is the text.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::with_capacity(text.len() / 5 + 1);
    let (mut start, mut blank) = (0, false);
    for (at, byte) in text.bytes().enumerate() {
        let space = byte.is_ascii_whitespace();
        if blank && !space {
            words.extend(text.get(start..at));
            start = at;
        }
        blank = space;
    }
    words.extend(text.get(start..).filter(|tail| !tail.is_empty()));
    words
}

fn generated(tokens: usize) -> String {
    const WORDS: [&str; 8] = [
        "one ", "tram ", "in ", "the ", "rain ", "goes ", "by ", "slowly ",
    ];
    WORDS
        .iter()
        .copied()
        .cycle()
        .take(tokens.min(MAX_TOKENS))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Script, pieces, words};

    #[test]
    fn words_keep_the_blanks_behind_them() {
        assert_eq!(words("one  two\n\nthree"), ["one  ", "two\n\n", "three"]);
        assert_eq!(words(""), Vec::<&str>::new());
        assert_eq!(words(" a"), [" ", "a"]);
    }

    #[test]
    fn one_byte_per_delta_still_keeps_characters_whole() {
        assert_eq!(pieces("aü東🚀", 1), ["a", "ü", "東", "🚀"]);
        assert_eq!(pieces("aü東🚀", 0), ["a", "ü", "東", "🚀"]);
    }

    #[test]
    fn generated_text_has_one_delta_per_token() {
        let script = Script {
            tokens: Some(200),
            ..Script::default()
        };
        assert_eq!(script.split(&script.text().unwrap_or_default()).len(), 200);
    }

    proptest! {
        #[test]
        fn pieces_sum_up_to_the_text_and_respect_their_size(text in ".*", bytes in 0_usize..9) {
            let cut = pieces(&text, bytes);
            prop_assert_eq!(cut.concat(), text.clone());
            prop_assert!(cut.iter().all(|p| p.len() <= bytes || p.chars().count() == 1));
            prop_assert_eq!(words(&text).concat(), text);
        }
    }
}
