//! Fields of a request's top level, which is read by hand: each at most once, and `null` is the same
//! as absent.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Number;

use super::forms::{Object, Objects};
use crate::bounds::{ENTRIES_MAX, TOOLS_MAX};

/// A request that is read field by field.
pub trait Fields: Default {
    /// What it is, for who sends something else.
    const EXPECTED: &'static str;

    /// Reads the value of a field.
    ///
    /// # Errors
    /// A value of another type, or a field that is given twice.
    fn field<'de, A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error>;
}

/// Reads a request that is one JSON object. Serde's `flatten`, which would keep unknown fields aside,
/// copies the whole request once more.
///
/// # Errors
/// It is none, or [`Fields::field`] says so.
pub fn read<'de, D: Deserializer<'de>, T: Fields>(deserializer: D) -> Result<T, D::Error> {
    struct V<T>(PhantomData<T>);
    impl<'de, T: Fields> Visitor<'de> for V<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(T::EXPECTED)
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
            let mut request = T::default();
            while let Some(key) = map.next_key::<String>()? {
                request.field(key, &mut map)?;
            }
            Ok(request)
        }
    }
    deserializer.deserialize_map(V(PhantomData))
}

/// Numbers without effect here. What is no number is a mistake all the same.
const NUMBERS: [&str; 7] = [
    "temperature",
    "top_p",
    "top_k",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "seed",
];

/// Whether a field that has no effect is a number where it stands.
#[must_use]
pub fn is_number(name: &str) -> bool {
    NUMBERS.contains(&name)
}

/// Reads a number, if there is one.
///
/// # Errors
/// A value of another type.
pub fn number<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Number>, A::Error> {
    map.next_value()
}

/// Reads the value of a field.
///
/// # Errors
/// A value of another type, or a field that is given twice.
pub fn put<'de, A: MapAccess<'de>, T: DeserializeOwned>(
    slot: &mut Option<T>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    *slot = map.next_value()?;
    Ok(())
}

/// As [`put`], for an object: serde alone would take an array of the fields' values for one, too.
///
/// # Errors
/// As for [`put`].
pub fn put_object<'de, A: MapAccess<'de>, T: DeserializeOwned>(
    slot: &mut Option<T>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    let mut object = slot.take().map(Object);
    put(&mut object, name, map)?;
    *slot = object.map(|object| object.0);
    Ok(())
}

/// As [`put_object`], for a list of objects.
///
/// # Errors
/// As for [`put`], and too many of them.
pub fn put_list<'de, A: MapAccess<'de>, T: DeserializeOwned>(
    slot: &mut Option<Vec<T>>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    let (most, what) = match name {
        "tools" | "functions" => (TOOLS_MAX, "tools"),
        _ => (ENTRIES_MAX, "entries"),
    };
    *slot = map.next_value_seed(Objects::new(most, what))?;
    Ok(())
}
