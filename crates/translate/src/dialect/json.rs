//! Writing JSON that no reader takes for several lines.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Appends a value as compact JSON.
pub fn write(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    // Our own types written into memory cannot fail.
    let _ = value.serialize(&mut Serializer::with_formatter(out, OneLine));
}

/// A value as compact JSON.
#[must_use]
pub fn text(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

/// JSON lets line and paragraph separators stand in strings, and an event stream's own rules know
/// only CR and LF; but readers that cut at whatever Unicode calls a line's end (Python's
/// `str.splitlines`) are common.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        // The first bytes of U+0085, and of U+2028 and U+2029.
        while let Some(at) = memchr::memchr2(0xC2, 0xE2, rest.as_bytes()) {
            let (before, from) = rest.split_at(at);
            let mut chars = from.chars();
            let escape = match chars.next() {
                Some('\u{85}') => "\\u0085",
                Some('\u{2028}') => "\\u2028",
                Some('\u{2029}') => "\\u2029",
                _ => from
                    .get(..from.len() - chars.as_str().len())
                    .unwrap_or_default(),
            };
            out.write_all(before.as_bytes())?;
            out.write_all(escape.as_bytes())?;
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_string_is_written_as_any_value_is(
            text in prop_oneof![
                any::<String>(),
                "[a-z\"\\\\\n\t\u{1}\u{7f}\u{85}\u{84}é\u{2028}\u{2029}\u{2027}€🚀]{0,40}",
            ]
        ) {
            let mut out = Vec::new();
            json_strings::write_on_one_line(&text, &mut out);
            prop_assert_eq!(String::from_utf8(out), String::from_utf8(super::text(&text)));
        }
    }

    #[test]
    fn a_string_with_any_of_unicodes_line_ends_is_one_line() {
        let said = "a\nb\r\u{85}c\u{2028}d\u{2029}é€";
        let json = String::from_utf8(text(said)).unwrap();
        assert_eq!(json, r#""a\nb\r\u0085c\u2028d\u2029é€""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), said);
    }
}
