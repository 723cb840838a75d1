//! The text inside JSON strings, taken without building values.
//!
//! A server that cuts text by UTF-16 units may send half of a pair in one string and half in the
//! next. General JSON readers refuse that; here the halves find each other.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::repaired_json::lossy;

/// Memory that is kept for the next string with escapes, in bytes.
const SCRATCH_BYTES_KEPT: usize = 2048;

/// Reads the strings of one text.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    /// The first half of a pair, whose second half may begin the next string.
    high: Option<u16>,
    scratch: String,
}

#[derive(Deserialize)]
struct Content<'d> {
    #[serde(borrow, default)]
    content: Option<&'d RawValue>,
}

/// An event with a piece of text, as 1min.ai writes it: before the text and behind it.
const CONTENT_EVENT: (&[u8], &[u8]) = (b"event: content\ndata: {\"content\":\"", b"\"}\n\n");

/// The text of the whole event at the beginning of the bytes, and the event's length; none if it is
/// another event, is written in another way or has escapes.
pub(crate) fn plain_content(bytes: &[u8]) -> Option<(&str, usize)> {
    let (before, behind) = CONTENT_EVENT;
    let begun = bytes.strip_prefix(before)?;
    let (text, rest) = begun.split_at_checked(json_strings::needs_escape(begun)?)?;
    let is_whole = rest.starts_with(behind);
    let text = is_whole.then(|| str::from_utf8(text).ok())??;
    Some((text, before.len() + text.len() + behind.len()))
}

impl Fragments {
    /// Whether half of a pair was the last.
    pub(crate) fn is_within_pair(&self) -> bool {
        self.high.is_some()
    }

    /// The text of `{"content":"…"}`, or of a bare JSON string. Without escapes it is borrowed.
    /// None if it is neither.
    pub(crate) fn content<'s>(&'s mut self, data: &'s [u8]) -> Option<&'s str> {
        let inner = data
            .strip_prefix(b"{\"content\":\"")
            .and_then(|data| data.strip_suffix(b"\"}"));
        if let Some(inner) = inner {
            match memchr::memchr2(b'"', b'\\', inner) {
                None if self.high.is_none() => return Some(self.plain(inner)),
                _ => {
                    if self.decode(inner).is_some() {
                        return Some(&self.scratch);
                    }
                }
            }
        }
        let data = lossy(data);
        let raw = if data.trim_start().starts_with('"') {
            serde_json::from_str::<&RawValue>(&data).ok()?
        } else {
            match serde_json::from_str::<Content<'_>>(&data).ok()?.content {
                Some(raw) => raw,
                None => return Some(""),
            }
        };
        self.decode(inside(raw.get())?.as_bytes())?;
        Some(&self.scratch)
    }

    /// Whether these data have a text under `content`.
    pub(crate) fn is_content(data: &str) -> bool {
        serde_json::from_str::<Content<'_>>(data).is_ok_and(|data| data.content.is_some())
    }

    fn plain<'s>(&'s mut self, inner: &'s [u8]) -> &'s str {
        match lossy(inner) {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => {
                self.scratch = text;
                &self.scratch
            }
        }
    }

    /// Decodes into the scratch; None (and no change) if it is not the inside of a JSON string.
    fn decode(&mut self, inner: &[u8]) -> Option<()> {
        self.scratch.clear();
        self.scratch.shrink_to(SCRATCH_BYTES_KEPT);
        let before = self.high;
        let decoded = self.append(inner);
        if decoded.is_none() {
            self.high = before;
        }
        decoded
    }

    fn append(&mut self, inner: &[u8]) -> Option<()> {
        let mut left = inner;
        while let Some(at) = json_strings::end_or_escape(left) {
            let (text, escape) = left.split_at(at);
            self.text(text);
            left = self.escape(escape.strip_prefix(b"\\")?)?;
        }
        self.text(left);
        Some(())
    }

    fn text(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.end_half();
            self.scratch.push_str(&lossy(bytes));
        }
    }

    fn escape<'b>(&mut self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let (letter, left) = bytes.split_first()?;
        let character = match letter {
            b'"' | b'\\' | b'/' => char::from(*letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (digits, left) = left.split_at_checked(4)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                let unit = u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
                self.unit(unit);
                return Some(left);
            }
            _ => return None,
        };
        self.end_half();
        self.scratch.push(character);
        Some(left)
    }

    fn unit(&mut self, unit: u16) {
        if let (Some(high), 0xDC00..=0xDFFF) = (self.high, unit) {
            self.high = None;
            self.scratch
                .extend(char::decode_utf16([high, unit]).flatten());
        } else {
            self.end_half();
            match unit {
                0xD800..=0xDBFF => self.high = Some(unit),
                _ => self
                    .scratch
                    .push(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)),
            }
        }
    }

    /// A half without its other half.
    fn end_half(&mut self) {
        if self.high.take().is_some() {
            self.scratch.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// What stands between the quotes of a raw JSON string.
fn inside(raw: &str) -> Option<&str> {
    raw.trim().strip_prefix('"')?.strip_suffix('"')
}

/// The text of a raw JSON string; None if it is something else.
pub(crate) fn string(raw: &str) -> Option<String> {
    let inside = inside(raw)?;
    if json_strings::end_or_escape(inside.as_bytes()).is_none() {
        return Some(inside.to_owned());
    }
    let mut fragments = Fragments::default();
    fragments.append(inside.as_bytes())?;
    fragments.end_half();
    Some(fragments.scratch)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Fragments, string};

    fn read(data: &str) -> Option<String> {
        Fragments::default()
            .content(data.as_bytes())
            .map(str::to_owned)
    }

    #[test]
    fn content_is_read_in_every_spelling() {
        for (data, text) in [
            (r#"{"content":"Jup"}"#, Some("Jup")),
            (r#"{"content":""}"#, Some("")),
            (r#"{"content":"Grüße 🚀"}"#, Some("Grüße 🚀")),
            (
                r#"{"content":"a\n\t\"\\\/\u00e9\ud83d\ude80"}"#,
                Some("a\n\t\"\\/é🚀"),
            ),
            (r#"{ "content" : "a\n" }"#, Some("a\n")),
            (
                r#"{"id":1,"content":"a","more":{"content":"b"}}"#,
                Some("a"),
            ),
            (r#"{"content":"a","model":"m"}"#, Some("a")),
            (r#"{"content":null}"#, Some("")),
            (r#"{"other":"a"}"#, Some("")),
            (r#""bare\n""#, Some("bare\n")),
            (r#"{"content":"\ud83d!"}"#, Some("\u{fffd}!")),
            (r#"{"content":"\ude80"}"#, Some("\u{fffd}")),
            (r#"{"content":5}"#, None),
            (r#"{"content":"cut"#, None),
            (r#"{"content":"\x"}"#, None),
            (r#"{"content":"\u12"}"#, None),
            (r#"{"content":"\u+123"}"#, None),
            ("not json", None),
            ("", None),
        ] {
            assert_eq!(read(data).as_deref(), text, "{data}");
        }
    }

    #[test]
    fn halves_of_a_pair_in_two_strings_find_each_other() {
        let mut fragments = Fragments::default();
        let mut text = String::new();
        for data in [
            r#"{"content":"a\ud83d"}"#,
            r#"{"content":"\ude80b"}"#,
            r#"{"content":"\ud83d"}"#,
            r#"{"content":"c"}"#,
        ] {
            text += fragments.content(data.as_bytes()).unwrap();
        }
        assert_eq!(text, "a🚀b\u{fffd}c");
    }

    proptest! {
        #[test]
        fn what_a_json_writer_writes_is_read_back(text in any::<String>()) {
            prop_assert_eq!(read(&json!({"content": text}).to_string()), Some(text.clone()));
            prop_assert_eq!(string(&json!(text).to_string()), Some(text));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let data = [b"{\"content\":\"".as_slice(), &bytes, b"\"}"].concat();
            let _ = Fragments::default().content(&data);
            let _ = Fragments::default().content(&bytes);
        }
    }
}
