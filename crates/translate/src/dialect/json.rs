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

/// Appends a text as a JSON string; the same as [`write()`] makes of it, in a fraction of the time.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut left = text.as_bytes();
    while let Some(at) = special(left)
        && let Some((plain, [special, rest @ ..])) = left.split_at_checked(at)
    {
        out.extend_from_slice(plain);
        left = write_special(*special, rest, out);
    }
    out.extend_from_slice(left);
    out.push(b'"');
}

/// Writes a byte that may not stand as it is, and gives what is left behind it.
fn write_special<'r>(byte: u8, rest: &'r [u8], out: &mut Vec<u8>) -> &'r [u8] {
    let (escape, used): (&[u8], usize) = match (byte, rest) {
        (b'"', _) => (b"\\\"", 0),
        (b'\\', _) => (b"\\\\", 0),
        (b'\n', _) => (b"\\n", 0),
        (b'\r', _) => (b"\\r", 0),
        (b'\t', _) => (b"\\t", 0),
        (0x08, _) => (b"\\b", 0),
        (0x0c, _) => (b"\\f", 0),
        (0xc2, [0x85, ..]) => (b"\\u0085", 1),
        (0xe2, [0x80, 0xa8, ..]) => (b"\\u2028", 2),
        (0xe2, [0x80, 0xa9, ..]) => (b"\\u2029", 2),
        (0..0x20, _) => {
            let digit = |half: u8| char::from_digit(u32::from(half), 16).map_or(b'0', |c| c as u8);
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            return rest;
        }
        _ => {
            out.push(byte);
            return rest;
        }
    };
    out.extend_from_slice(escape);
    rest.get(used..).unwrap_or_default()
}

/// Where the first byte is that may not stand as it is in a string, or begins a character that may
/// not: eight bytes are looked at together.
fn special(bytes: &[u8]) -> Option<usize> {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = EACH << 7;
    // The lowest bit of what is found is exact, whatever stands above it.
    let below = |word: u64, bound: u64| word.wrapping_sub(EACH * bound) & !word & HIGH;
    let is = |word: u64, byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    let mut words = bytes.chunks_exact(8);
    let mut before = 0;
    for word in words.by_ref() {
        let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
        let ascii = below(word, 0x20) | is(word, b'"') | is(word, b'\\');
        let found = if word & HIGH == 0 {
            ascii
        } else {
            ascii | is(word, 0xc2) | is(word, 0xe2)
        };
        if found != 0 {
            return Some(before + found.trailing_zeros() as usize / 8);
        }
        before += 8;
    }
    let is_special = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\' | 0xc2 | 0xe2);
    let rest = words.remainder().iter();
    rest.into_iter().position(is_special).map(|at| before + at)
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
            write_string(&text, &mut out);
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
