//! How many values a body holds. A few bytes of JSON become a hundred times as much memory when each is
//! kept as a value of its own, and a body of megabytes can be made of nothing else.

use crate::bounds::JSON_VALUES_MAX;
use crate::failure::{Failure, Kind};
use crate::quote::quote;

/// Refuses a body of too many values, before it is read.
///
/// # Errors
/// There are more than [`JSON_VALUES_MAX`]; the field is named in which they became too many.
pub(super) fn check(body: &[u8]) -> Result<(), Failure> {
    // What is counted takes a byte each: most bodies cannot hold so many.
    if body.len() < JSON_VALUES_MAX {
        return Ok(());
    }
    let Some(excess) = excess(body, JSON_VALUES_MAX) else {
        return Ok(());
    };
    let words = format!("The request body holds more than {JSON_VALUES_MAX} JSON values");
    let name: Option<String> = excess
        .field
        .and_then(|field| serde_json::from_slice(field).ok());
    Err(match name {
        Some(name) => {
            let name = quote(&name);
            let message = format!("{words}: `{name}` has too many.");
            Failure::invalid(name, message)
        }
        None => Failure::new(Kind::Invalid, format!("{words}.")),
    })
}

/// Where values became too many.
#[derive(Debug, PartialEq, Eq)]
struct Excess<'b> {
    /// The field of the body's own object, in its quotation marks.
    field: Option<&'b [u8]>,
}

/// Where a text of JSON comes to hold more values than that: one for each comma, and one for each
/// object or array that is opened. What is not JSON is refused when it is read.
fn excess(body: &[u8], most: usize) -> Option<Excess<'_>> {
    let mut count = 1_usize;
    let mut depth = 0_usize;
    let mut last_string = None;
    let mut field = None;
    let mut rest = body;
    while let Some((&byte, behind)) = rest.split_first() {
        let start = rest;
        rest = behind;
        match byte {
            b',' | b'[' | b'{' => {
                depth += usize::from(byte != b',');
                count += 1;
                if count > most {
                    return Some(Excess { field });
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 1 => field = last_string,
            b'"' => {
                let end = json_strings::end(rest)?;
                rest = rest.get(end + 1..).unwrap_or_default();
                if depth == 1 {
                    last_string = start.get(..end + 2);
                }
            }
            _ => {}
        }
    }
    None
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
            assert_eq!(excess(body.as_bytes(), count), None, "{body}");
            assert!(
                excess(body.as_bytes(), count - 1).is_some() || count == 1,
                "{body}"
            );
        }
    }

    #[test]
    fn the_field_is_named_in_which_they_are_too_many() {
        for (body, most, field) in [
            (r#"{"a":"x","b":[1,{"c":2},3],"d":4}"#, 6, Some("\"b\"")),
            (r#"{"a":"x","b":[1,{"c":2},3],"d":4}"#, 2, Some("\"a\"")),
            (r#"{"b" : {"c": ["d", "e"]}}"#, 4, Some("\"b\"")),
            (r#"{"\u0062:\"":[1,2]}"#, 3, Some(r#""\u0062:\"""#)),
            ("[1,2,3]", 2, None),
        ] {
            let found = excess(body.as_bytes(), most).unwrap().field;
            assert_eq!(found, field.map(str::as_bytes), "{body}");
        }
    }

    #[test]
    fn a_body_of_very_many_values_is_refused_and_a_large_text_is_not() {
        let list = |count: usize| format!("[{}]", vec!["1"; count].join(","));
        assert!(check(list(JSON_VALUES_MAX - 1).as_bytes()).is_ok());
        let failure = check(list(JSON_VALUES_MAX).as_bytes()).unwrap_err();
        assert_eq!((failure.kind, failure.param), (Kind::Invalid, None));
        let named = format!(r#"{{"\u0061":{}}}"#, list(JSON_VALUES_MAX));
        let failure = check(named.as_bytes()).unwrap_err();
        assert_eq!(failure.param.as_deref(), Some("a"));
        let text = format!("[\"{}\"]", ",".repeat(4 * JSON_VALUES_MAX));
        assert!(check(text.as_bytes()).is_ok());
    }
}
