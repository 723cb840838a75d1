//! JSON documents whose text was damaged on the way: bytes that are no UTF-8, halves of surrogate
//! pairs, a byte order mark. One such character must not cost the answer around it.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::drift;
use crate::facts::Fact;

/// Finds how an escaped unit of UTF-16 begins.
static UNIT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\\u"));

/// What some servers write before a text; RFC 8259 lets readers pass over it.
pub(crate) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// An escape of half a surrogate pair: `\u` and four digits.
const ESCAPE_BYTES: usize = 6;

/// What stands for a character that cannot be read.
const REPLACEMENT_ESCAPE: &str = "\\ufffd";

/// The document with U+FFFD in place of every byte sequence that is no UTF-8 and of every escaped
/// half of a surrogate pair, as the reader of streamed text does it, and without a byte order mark before
/// it. A sound document is borrowed.
pub(crate) fn repaired(document: &[u8]) -> Cow<'_, str> {
    let marked = document.strip_prefix(BYTE_ORDER_MARK);
    let repaired = match lossy(marked.unwrap_or(document)) {
        Cow::Borrowed(text) => with_whole_pairs(text),
        Cow::Owned(text) => match with_whole_pairs(&text) {
            Cow::Borrowed(_) => Cow::Owned(text),
            Cow::Owned(whole) => Cow::Owned(whole),
        },
    };
    if matches!(repaired, Cow::Owned(_)) || marked.is_some() {
        drift::count(Fact::SoundText);
    }
    repaired
}

/// A text with U+FFFD in place of what is no UTF-8. Sound text is checked many bytes at a time, which
/// the standard library's own conversion does not do.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn with_whole_pairs(text: &str) -> Cow<'_, str> {
    let document = text.as_bytes();
    if UNIT.find(document).is_none() {
        return Cow::Borrowed(text);
    }
    let mut whole = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(left) = document.get(at..)
        && let Some(found) = memchr::memchr(b'\\', left)
    {
        at += found;
        let escape = document.get(at..).unwrap_or_default();
        at += match unit(escape) {
            Some(0xD800..=0xDBFF)
                if matches!(
                    escape.get(ESCAPE_BYTES..).and_then(unit),
                    Some(0xDC00..=0xDFFF)
                ) =>
            {
                2 * ESCAPE_BYTES
            }
            Some(0xD800..=0xDFFF) => {
                whole.push_str(text.get(copied..at).unwrap_or_default());
                whole.push_str(REPLACEMENT_ESCAPE);
                copied = at + ESCAPE_BYTES;
                ESCAPE_BYTES
            }
            // The second byte may be a backslash of its own.
            _ => 2,
        };
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    whole.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(whole)
}

/// The UTF-16 unit of an escape at the beginning of the bytes.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::repaired;

    #[test]
    fn what_cannot_be_read_is_replaced() {
        for (document, expected) in [
            (b"{\"a\":\"Gr\xfc\xdfe\"}".as_slice(), "Gr\u{fffd}\u{fffd}e"),
            (b"{\"a\":\"cut \xe2\x82\"}", "cut \u{fffd}"),
            (br#"{"a":"\ud83d"}"#, "\u{fffd}"),
            (br#"{"a":"\ude80!"}"#, "\u{fffd}!"),
            (br#"{"a":"\ud83d\ud83d\ude80"}"#, "\u{fffd}\u{1f680}"),
            (br#"{"a":"\\ud83d \n"}"#, "\\ud83d \n"),
            (b"{\"a\":\"\xff\\ud83d\"}", "\u{fffd}\u{fffd}"),
            (b"\xef\xbb\xbf{\"a\":\"\xef\xbb\xbfb\"}", "\u{feff}b"),
        ] {
            let read: Value = serde_json::from_str(&repaired(document)).unwrap();
            assert_eq!(read["a"], expected, "{}", document.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn a_sound_document_is_borrowed(text in any::<String>()) {
            let document = json!({"a": text}).to_string();
            prop_assert!(matches!(repaired(document.as_bytes()), Cow::Borrowed(_)));
        }

        #[test]
        fn any_bytes_within_a_text_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..32);
            let bytes: Vec<u8> = bytes.into_iter().filter(plain).collect();
            let document = [b"\"".as_slice(), &bytes, b"\""].concat();
            let read: String = serde_json::from_str(&repaired(&document)).unwrap();
            prop_assert_eq!(read, String::from_utf8_lossy(&bytes));
        }
    }
}
