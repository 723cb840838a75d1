//! A text written as a JSON string.

use crate::search::{needs_escape, needs_look};

/// Appends a text as a JSON string; the same as any writer of JSON makes of it.
pub fn write(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut left = text.as_bytes();
    while let Some(at) = needs_escape(left)
        && let Some((plain, [byte, rest @ ..])) = left.split_at_checked(at)
    {
        out.extend_from_slice(plain);
        escape(*byte, out);
        left = rest;
    }
    out.extend_from_slice(left);
    out.push(b'"');
}

/// Appends a text as a JSON string that no reader takes for several lines. JSON lets line and
/// paragraph separators stand in strings, and an event stream's own rules know only CR and LF; but
/// readers that cut at whatever Unicode calls a line's end (Python's `str.splitlines`) are common.
pub fn write_on_one_line(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut left = text.as_bytes();
    while let Some(at) = needs_look(left)
        && let Some((plain, begun @ [byte, rest @ ..])) = left.split_at_checked(at)
    {
        out.extend_from_slice(plain);
        let (written, used): (&[u8], usize) = match begun {
            [0xc2, 0x85, ..] => (b"\\u0085", 1),
            [0xe2, 0x80, 0xa8, ..] => (b"\\u2028", 2),
            [0xe2, 0x80, 0xa9, ..] => (b"\\u2029", 2),
            [0xc2 | 0xe2, ..] => (&[*byte], 0),
            _ => {
                escape(*byte, out);
                (&[], 0)
            }
        };
        out.extend_from_slice(written);
        left = rest.get(used..).unwrap_or_default();
    }
    out.extend_from_slice(left);
    out.push(b'"');
}

/// The letter that stands for each control character behind a backslash; `u` is followed by its code.
const LETTERS: [u8; 32] = *b"uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";

#[inline]
fn escape(byte: u8, out: &mut Vec<u8>) {
    let letter = LETTERS.get(usize::from(byte)).copied().unwrap_or(byte);
    out.extend_from_slice(&[b'\\', letter]);
    if letter == b'u' {
        let digit = |half: u8| char::from_digit(u32::from(half), 16).map_or(b'0', |c| c as u8);
        out.extend_from_slice(&[b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn written(write: fn(&str, &mut Vec<u8>), text: &str) -> String {
        let mut out = Vec::new();
        write(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_others_take_for_the_end_of_a_line_is_escaped_on_one_line() {
        let text = "a\nb\r\u{85}c\u{2028}d\u{2029}é€\u{84}\u{2027}";
        let json = written(write_on_one_line, text);
        assert_eq!(json, "\"a\\nb\\r\\u0085c\\u2028d\\u2029é€\u{84}\u{2027}\"");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn every_byte_that_must_be_escaped_is() {
        let text: String = (0..0x80).map(char::from).collect();
        let expected = json!(text).to_string();
        assert_eq!(written(write, &text), expected);
        assert_eq!(written(write_on_one_line, &text), expected);
    }

    proptest! {
        #[test]
        fn a_string_is_written_as_any_writer_does(
            text in prop_oneof![
                any::<String>(),
                "[a-z\"\\\\\n\r\t\u{1}\u{8}\u{c}\u{1f}\u{7f}\u{85}\u{84}é\u{2028}\u{2029}\u{2027}€🚀]{0,120}",
            ]
        ) {
            prop_assert_eq!(written(write, &text), json!(text).to_string());
            let line = written(write_on_one_line, &text);
            let line_ends = ['\u{85}', '\u{2028}', '\u{2029}', '\n', '\r'];
            prop_assert!(!line.contains(line_ends), "{}", line);
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
