//! Lists of styles, which two models have.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, ProtocolError};
use crate::refusal::Refusal;

/// Whether a model draws in styles that only upstream's list names.
#[must_use]
pub fn are_listed(model: &str) -> bool {
    super::aliases::current_id(model) == "dzine"
}

impl DzineStyle {
    /// Whether a client's word means this style.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        let word = word.trim();
        self.style_code == word || self.name.eq_ignore_ascii_case(word)
    }

    /// The fields of a request that asks for it.
    pub fn fields(&self) -> impl Iterator<Item = (String, Value)> {
        let base = self.base_model.as_deref();
        let base = base.map(|base| ("style_base_model".to_owned(), base.into()));
        let code = ("style_code".to_owned(), self.style_code.as_str().into());
        std::iter::once(code).chain(base)
    }
}

/// A style of the model `dzine`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DzineStyle {
    /// For people.
    #[serde(default)]
    pub name: String,
    /// What the field `style_code` takes.
    pub style_code: String,
    /// What the field `style_base_model` takes.
    #[serde(default)]
    pub base_model: Option<String>,
}

/// A style of the model `recraft`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecraftStyle {
    /// The version that has it.
    #[serde(default)]
    pub model: Option<String>,
    /// What the field `style` takes.
    pub style: String,
}

/// # Errors
/// The refusal that the body reports, or that it is no list.
pub(crate) fn dzine(body: &[u8]) -> Result<Vec<DzineStyle>, Error> {
    list(body)
}

/// # Errors
/// The refusal that the body reports, or that it is no list.
pub(crate) fn recraft(body: &[u8]) -> Result<Vec<RecraftStyle>, Error> {
    list(body)
}

/// Reads a list; entries that are not as expected are passed over.
fn list<S: DeserializeOwned>(body: &[u8]) -> Result<Vec<S>, Error> {
    let malformed = || ProtocolError::Malformed("a list of styles was expected");
    let answer: Value = serde_json::from_slice(body).map_err(|_| malformed())?;
    match answer.get("styleList").and_then(Value::as_array) {
        Some(entries) => Ok(entries
            .iter()
            .filter_map(|entry| S::deserialize(entry).ok())
            .collect()),
        None if answer.get("message").is_some() || answer.get("error").is_some() => {
            Err(Refusal::from_body(None, body).into())
        }
        None => Err(malformed().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{dzine, recraft};

    #[test]
    fn styles_are_read_and_odd_entries_passed_over() {
        let body = br#"{"styleList":[{"name":"Paper cut","style_code":"S1","base_model":"S"},{"name":"odd"},7]}"#;
        let styles = dzine(body).unwrap();
        assert_eq!((styles.len(), styles[0].style_code.as_str()), (1, "S1"));
        assert!(styles[0].is("paper CUT") && styles[0].is("S1") && !styles[0].is("S2"));
        assert_eq!(styles[0].fields().count(), 2);
        assert!(recraft(body).unwrap().is_empty());
        assert!(recraft(b"{}").is_err());
        assert!(recraft(br#"{"errorCode":"X","message":"no"}"#).is_err());
    }
}
