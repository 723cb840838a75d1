//! How many values a body holds. A few bytes of JSON become a hundred times as much memory when each is
//! kept as a value of its own, and a body of megabytes can be made of nothing else.

use crate::bounds::JSON_VALUES_MAX;
use crate::failure::{Failure, Kind};

/// Refuses a body of too many values, before it is read.
///
/// # Errors
/// There are more than [`JSON_VALUES_MAX`].
pub(super) fn check(body: &[u8]) -> Result<(), Failure> {
    // A value takes two bytes at least, with what parts it from the next.
    if body.len() / 2 < JSON_VALUES_MAX || !holds_more(body, JSON_VALUES_MAX) {
        return Ok(());
    }
    let message = format!("The request body holds more than {JSON_VALUES_MAX} JSON values.");
    Err(Failure::new(Kind::TooLarge, message))
}

/// Whether a text of JSON holds more values than that: one for each comma, and one for each object or
/// array that is opened. What is not JSON is refused when it is read.
fn holds_more(body: &[u8], most: usize) -> bool {
    let mut count = 1_usize;
    let mut rest = body;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b',' | b'[' | b'{' => {
                count += 1;
                if count > most {
                    return true;
                }
            }
            b'"' => match json_strings::end(rest) {
                Some(end) => rest = rest.get(end + 1..).unwrap_or_default(),
                None => return false,
            },
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_what_stands_in_strings_is_not() {
        for (body, count) in [
            (r#""a,b,[{""#, 1),
            ("[1,2,3]", 4),
            (r#"{"a":{"b":[]},"c":"\\",",,":","}"#, 6),
        ] {
            assert!(!holds_more(body.as_bytes(), count), "{body}");
            assert!(
                holds_more(body.as_bytes(), count - 1) || count == 1,
                "{body}"
            );
        }
    }

    #[test]
    fn a_body_of_very_many_values_is_refused_and_a_large_text_is_not() {
        let list = |count: usize| format!("[{}]", vec!["1"; count].join(","));
        assert!(check(list(JSON_VALUES_MAX - 1).as_bytes()).is_ok());
        assert!(check(list(JSON_VALUES_MAX).as_bytes()).is_err());
        let text = format!("[\"{}\"]", ",".repeat(4 * JSON_VALUES_MAX));
        assert!(check(text.as_bytes()).is_ok());
    }
}
