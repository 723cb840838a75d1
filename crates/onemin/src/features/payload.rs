//! One paid request of a feature: which feature and model, and the fields of `promptObject`.

use serde::Serialize;
use serde_json::{Map, Value};

use super::kind::Kind;

/// What a feature is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload {
    /// Which feature.
    pub kind: Kind,
    /// Upstream's id of the model.
    pub model: String,
    /// The fields of `promptObject`, by upstream's names.
    pub prompt_object: Map<String, Value>,
    /// Whether `conversationId` says the feature's name, which some documents demand.
    pub names_conversation: bool,
    /// Parameters that have no field at this model, or could not be met exactly.
    pub ignored: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'p> {
    r#type: &'static str,
    model: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<&'static str>,
    prompt_object: &'p Map<String, Value>,
    #[serde(rename = "async", skip_serializing_if = "std::ops::Not::not")]
    is_async: bool,
}

/// How an answer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The connection is held until the answer is there. Upstream's edge ended some such calls
    /// after 20 s (HTTP 522), others took 75 s.
    Held,
    /// The job is submitted, and polled until it is done.
    Polled,
}

impl Payload {
    /// A payload with these fields and nothing else.
    #[must_use]
    pub fn new(kind: Kind, model: impl Into<String>, prompt_object: Map<String, Value>) -> Self {
        Self {
            kind,
            model: model.into(),
            prompt_object,
            names_conversation: false,
            ignored: Vec::new(),
        }
    }

    /// The body of the request.
    #[must_use]
    pub fn to_bytes(&self, mode: Mode) -> Vec<u8> {
        let body = Body {
            r#type: self.kind.as_str(),
            model: &self.model,
            conversation_id: self.names_conversation.then_some(self.kind.as_str()),
            prompt_object: &self.prompt_object,
            is_async: mode == Mode::Polled,
        };
        // Writing texts and numbers into memory cannot fail.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// A parameter that cannot be sent; nothing was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Invalid {
    /// The parameter's name, or a field by upstream's name.
    pub field: String,
    /// What is wrong with it and what is allowed.
    pub message: String,
}

impl Invalid {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// The models to try one after another: the one asked for, then the others of the order.
#[must_use]
pub fn candidates<'m>(asked: &'m str, order: &[&'m str]) -> Vec<&'m str> {
    let others = order.iter().copied().filter(|model| *model != asked);
    std::iter::once(asked)
        .filter(|asked| !asked.is_empty())
        .chain(others)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{Mode, Payload, candidates};
    use crate::features::kind::Kind;

    #[test]
    fn only_what_was_asked_for_is_in_the_body() {
        let fields = Map::from_iter([("prompt".to_owned(), json!("a cat"))]);
        let mut payload = Payload::new(Kind::ImageGenerator, "m", fields);
        let body = |payload: &Payload, mode| {
            serde_json::from_slice::<Value>(&payload.to_bytes(mode)).unwrap()
        };
        let held =
            json!({"type": "IMAGE_GENERATOR", "model": "m", "promptObject": {"prompt": "a cat"}});
        assert_eq!(body(&payload, Mode::Held), held);
        payload.names_conversation = true;
        let polled = body(&payload, Mode::Polled);
        assert_eq!(
            (&polled["async"], &polled["conversationId"]),
            (&json!(true), &json!("IMAGE_GENERATOR"))
        );
    }

    #[test]
    fn the_model_asked_for_comes_first_and_no_model_twice() {
        assert_eq!(candidates("b", &["a", "b", "c"]), ["b", "a", "c"]);
        assert_eq!(candidates("x", &["a"]), ["x", "a"]);
        assert_eq!(candidates("", &["a"]), ["a"]);
    }
}
