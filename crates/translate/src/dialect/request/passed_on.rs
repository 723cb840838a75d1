//! Bodies that are passed on but for one field: none of their values is built.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::bounds::ENTRIES_MAX;
use crate::dialect::json;
use crate::failure::Failure;

/// The fields of a body that is one JSON object, as they are written.
#[derive(Debug)]
pub struct PassedOn(Vec<(String, Box<RawValue>)>);

impl PassedOn {
    /// Reads the body of a request. Its values are not counted, as embeddings of many tokens are
    /// asked for in hundreds of thousands of numbers.
    ///
    /// # Errors
    /// It is no JSON object.
    pub fn read(body: &[u8]) -> Result<Self, Failure> {
        // What cannot be read is looked through in full to say why, for which its values count.
        serde_json::from_slice(body).or_else(|_| super::parse(body))
    }

    /// The body with this text in a field.
    #[must_use]
    pub fn with(&self, name: &str, text: &str) -> Vec<u8> {
        let mut out = vec![b'{'];
        let mut is_put = false;
        for (field, value) in &self.0 {
            if field != name {
                member(field, value.get().as_bytes(), &mut out);
            } else if !std::mem::replace(&mut is_put, true) {
                member(name, &json::text(&Value::from(text)), &mut out);
            }
        }
        if !is_put {
            member(name, &json::text(&Value::from(text)), &mut out);
        }
        out.push(b'}');
        out
    }
}

fn member(name: &str, value: &[u8], out: &mut Vec<u8>) {
    if out.len() > 1 {
        out.push(b',');
    }
    json::write(name, out);
    out.push(b':');
    out.extend_from_slice(value);
}

impl<'de> Deserialize<'de> for PassedOn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = PassedOn;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PassedOn, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    if fields.len() >= ENTRIES_MAX {
                        return Err(A::Error::custom(format_args!(
                            "has more than {ENTRIES_MAX} fields"
                        )));
                    }
                    fields.push(field);
                }
                Ok(PassedOn(fields))
            }
        }
        deserializer.deserialize_map(V)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::JSON_VALUES_MAX;

    #[test]
    fn one_field_is_put_in_place_and_the_others_are_as_they_were() {
        for (body, expected) in [
            ("{}", r#"{"m":"a\"b"}"#),
            (
                r#"{ "n" : 1.0, "o": [1, {"m": 2}]}"#,
                r#"{"n":1.0,"o":[1, {"m": 2}],"m":"a\"b"}"#,
            ),
            (r#"{"\u006d":1,"x":2,"m":3}"#, r#"{"m":"a\"b","x":2}"#),
            (
                "\u{feff}{\"x\":\"\\ud83d\"}",
                r#"{"x":"\ud83d","m":"a\"b"}"#,
            ),
        ] {
            let written = PassedOn::read(body.as_bytes()).unwrap().with("m", "a\"b");
            assert_eq!(String::from_utf8(written).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn very_many_values_pass_and_what_is_no_object_is_told() {
        let numbers = vec!["1"; 2 * JSON_VALUES_MAX].join(",");
        assert!(PassedOn::read(format!(r#"{{"input":[{numbers}]}}"#).as_bytes()).is_ok());
        for (body, words) in [
            ("[1]".to_owned(), "must be an object"),
            ("{".to_owned(), "not valid JSON"),
            (format!("[{numbers}]"), "JSON values"),
            (
                format!("{{{}}}", vec![r#""a":1"#; ENTRIES_MAX + 1].join(",")),
                "fields",
            ),
        ] {
            let failure = PassedOn::read(body.as_bytes()).unwrap_err();
            assert!(failure.message.contains(words), "{}", failure.message);
        }
    }
}
