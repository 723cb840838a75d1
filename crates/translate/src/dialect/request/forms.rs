//! JSON values in the forms that requests give them: read so that an error can name what is wrong.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::bounds::ENTRIES_MAX;

/// The largest whole number that every reader of JSON agrees on: 2^53 - 1 (RFC 8259, section 6).
const MAX_COUNT: f64 = 9_007_199_254_740_991.0;

/// A whole number that counts something. `3.0` and `3e0` are three: some languages write all
/// numbers as floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(deserializer)?;
        if let Some(n) = number.as_u64() {
            return Ok(Self(n));
        }
        match number.as_f64() {
            Some(n) if n < 0.0 => Err(D::Error::custom("must not be negative")),
            Some(n) if n.fract() != 0.0 => Err(D::Error::custom("must be a whole number")),
            Some(n) if n <= MAX_COUNT => Ok(Self(whole(n))),
            _ => Err(D::Error::custom("is too large")),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole, not negative and small"
)]
fn whole(n: f64) -> u64 {
    n as u64
}

/// A JSON object. Serde alone would take an array of the fields' values for one, too.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(V(PhantomData))
    }
}

/// For `deserialize_with`: an object, or null.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|object| object.0))
}

/// For `deserialize_with`: an array of objects, or null.
pub fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    Objects::new(ENTRIES_MAX, "entries").deserialize(deserializer)
}

/// An array of so many objects at most, or null: what goes beyond is not built.
#[derive(Debug)]
pub struct Objects<T> {
    most: usize,
    what: &'static str,
    of: PhantomData<T>,
}

impl<T> Objects<T> {
    /// At most so many; `what` they are is said of those that are too many.
    #[must_use]
    pub fn new(most: usize, what: &'static str) -> Self {
        let of = PhantomData;
        Self { most, what, of }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Objects<T> {
    type Value = Option<Vec<T>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Objects<T> {
    type Value = Option<Vec<T>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }
    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        let entry = |object: Object<T>| object.0;
        entries(seq, entry, (self.most, self.what)).map(Some)
    }
}

/// The entries of a list of messages, input items or content parts, each made into what is kept of it.
///
/// # Errors
/// One cannot be read, or there are more than [`ENTRIES_MAX`]; then the rest is not built.
pub fn list<'de, A: SeqAccess<'de>, R: Deserialize<'de>, T>(
    seq: A,
    entry: impl Fn(R) -> T,
) -> Result<Vec<T>, A::Error> {
    entries(seq, entry, (ENTRIES_MAX, "entries"))
}

fn entries<'de, A: SeqAccess<'de>, R: Deserialize<'de>, T>(
    mut seq: A,
    entry: impl Fn(R) -> T,
    (most, what): (usize, &str),
) -> Result<Vec<T>, A::Error> {
    let mut list = Vec::new();
    while let Some(read) = seq.next_element()? {
        if list.len() >= most {
            return Err(A::Error::custom(format_args!(
                "takes at most {most} {what}"
            )));
        }
        list.push(entry(read));
    }
    Ok(list)
}

/// A string or an array of strings.
#[derive(Debug)]
pub enum OneOrMany {
    /// One string.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of strings")
            }
            fn visit_str<E>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<OneOrMany, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany::Many)
            }
        }
        deserializer.deserialize_any(V)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_any_spelling_of_a_whole_number() {
        let table: &[(&str, Result<u64, &str>)] = &[
            ("0", Ok(0)),
            ("7", Ok(7)),
            ("7.0", Ok(7)),
            ("1e2", Ok(100)),
            ("-0", Ok(0)),
            ("-0.0", Ok(0)),
            ("18446744073709551615", Ok(u64::MAX)),
            ("1.5", Err("must be a whole number")),
            ("-1", Err("must not be negative")),
            ("-1.5", Err("must not be negative")),
            ("1e30", Err("is too large")),
            ("1e999", Err("is too large")),
            ("99999999999999999999999999", Err("is too large")),
        ];
        for (json, expected) in table {
            let read = serde_json::from_str::<Count>(json).map(|count| count.0);
            match (read, expected) {
                (Ok(n), Ok(wanted)) => assert_eq!(n, *wanted, "{json}"),
                (Err(error), Err(words)) => {
                    assert!(error.to_string().starts_with(words), "{json}: {error}");
                }
                (read, _) => panic!("{json}: {read:?}"),
            }
        }
    }

    #[test]
    fn an_array_is_no_object() {
        #[derive(Debug, Deserialize)]
        struct Pair {
            a: u8,
        }
        assert_eq!(
            serde_json::from_str::<Object<Pair>>(r#"{"a": 1}"#)
                .unwrap()
                .0
                .a,
            1
        );
        assert!(serde_json::from_str::<Object<Pair>>("[1]").is_err());
    }
}
