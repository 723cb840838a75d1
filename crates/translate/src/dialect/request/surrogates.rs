//! Halves of surrogate pairs, which clients leave in JSON where they cut a text: U+FFFD takes their
//! place, so that the rest can be read. JSON that is well-formed otherwise stays as it is.

/// The escape of U+FFFD.
const REPLACEMENT_ESCAPE: &[u8] = b"fffd";

/// U+FFFD in UTF-8.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// The body without halves of surrogate pairs, be they escaped or in the bytes of UTF-8; none if it
/// has none.
#[must_use]
pub fn replaced(body: &[u8]) -> Option<Vec<u8>> {
    let mut fixed: Option<Vec<u8>> = None;
    let mut put = |at: usize, bytes: &[u8]| {
        let fixed = fixed.get_or_insert_with(|| body.to_vec());
        if let Some(place) = fixed.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    let mut at = 0;
    while let Some(found) = body
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'\\', 0xED, rest))
    {
        at += found;
        match body.get(at..at + 2) {
            Some([b'\\', b'u']) => match (unit(body, at), unit(body, at + 6)) {
                (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => at += 12,
                (Some(0xD800..=0xDFFF), _) => {
                    put(at + 2, REPLACEMENT_ESCAPE);
                    at += 6;
                }
                _ => at += 2,
            },
            Some([0xED, 0xA0..=0xBF]) => {
                put(at, REPLACEMENT);
                at += 3;
            }
            Some([0xED, _]) => at += 1,
            _ => at += 2,
        }
    }
    fixed
}

/// The UTF-16 unit whose escape begins here.
fn unit(body: &[u8], at: usize) -> Option<u16> {
    let escape = body.get(at..at + 6)?;
    let digits = std::str::from_utf8(escape.strip_prefix(b"\\u")?).ok()?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex
        .then(|| u16::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_replaced_and_pairs_stay() {
        for (given, expected) in [
            (r#"{"a":"x\ud83d"}"#, Some(r#"{"a":"x\ufffd"}"#)),
            (r#"{"a":"\uDE00x"}"#, Some(r#"{"a":"\ufffdx"}"#)),
            (
                r#"{"a":"\ud83d\ud83d\ude00"}"#,
                Some(r#"{"a":"\ufffd\ud83d\ude00"}"#),
            ),
            (
                r#"{"a":"\ud83d\n\ude00"}"#,
                Some(r#"{"a":"\ufffd\n\ufffd"}"#),
            ),
            (r#"{"a":"\ud83d\ude00"}"#, None),
            (r#"{"a":"\\ud83d"}"#, None),
            (r#"{"a":"\u00e9퟿"}"#, None),
            (r#"{"a":"\ud8"}"#, None),
            ("\\", None),
        ] {
            let replaced = replaced(given.as_bytes());
            let replaced = replaced.map(|body| String::from_utf8(body).unwrap());
            assert_eq!(replaced.as_deref(), expected, "{given}");
        }
        let bytes = replaced(b"{\"a\":\"\xED\xA0\xBDx\"}").unwrap();
        assert_eq!(bytes, "{\"a\":\"\u{fffd}x\"}".as_bytes());
    }
}
