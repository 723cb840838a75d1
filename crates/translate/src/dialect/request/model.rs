//! The model that a request names.

use crate::failure::Failure;

/// Asks for web search where it ends a model's name.
const ONLINE: &str = ":online";

/// A model's name less the suffix that asks for web search, and whether it was there. The suffix
/// alone is a name.
#[must_use]
pub fn model_and_search(name: String) -> (String, bool) {
    match name.strip_suffix(ONLINE) {
        Some(base) if !base.trim().is_empty() => (base.to_owned(), true),
        _ => (name, false),
    }
}

/// The same of a request's `model`; `list` is the endpoint that lists the names.
///
/// # Errors
/// It names none.
pub fn required(name: Option<String>, list: &str) -> Result<(String, bool), Failure> {
    let name = name.filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| missing(list))?;
    Ok(model_and_search(name))
}

/// A request without a model.
#[must_use]
pub fn missing(list: &str) -> Failure {
    let message = format!("`model` is missing: name one of {list} lists.");
    Failure::invalid("model", message)
}

/// The ids that OpenAI's and Anthropic's APIs list.
pub const MODEL_IDS: &str = "the ids that GET /v1/models";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_that_asks_for_a_search_is_no_part_of_the_name() {
        for (name, model, online) in [
            ("gpt-4o:online", "gpt-4o", true),
            ("gpt-4o", "gpt-4o", false),
            (":online", ":online", false),
            ("online", "online", false),
        ] {
            let read = required(Some(name.to_owned()), MODEL_IDS).unwrap();
            assert_eq!(read, (model.to_owned(), online));
        }
        for name in [None, Some(String::new()), Some(" ".to_owned())] {
            let failure = required(name, MODEL_IDS).unwrap_err();
            assert!(
                failure.message.ends_with("GET /v1/models lists."),
                "{}",
                failure.message
            );
        }
    }
}
