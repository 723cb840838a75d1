//! What messages and log lines repeat of a request: never more than its beginning.

use std::borrow::Cow;

/// Characters of a request that one message, field name or log line repeats.
pub const QUOTE_CHARS_MAX: usize = 200;

/// The beginning of a text, with an ellipsis where it was cut.
#[must_use]
pub fn cut(text: &str, chars: usize) -> Cow<'_, str> {
    // No text has more characters than bytes.
    if text.len() <= chars {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(chars) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// As [`cut`], for what a message or a log line repeats of a request.
#[must_use]
pub fn quote(text: &str) -> Cow<'_, str> {
    cut(text, QUOTE_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        for (text, expected) in [
            ("", ""),
            ("abc", "abc"),
            ("äöü", "äöü"),
            ("abcd", "abc…"),
            ("äöüß", "äöü…"),
        ] {
            assert_eq!(cut(text, 3), expected);
        }
    }
}
