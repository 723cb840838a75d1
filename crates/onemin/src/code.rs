//! Writing code by the feature `CODE_GENERATOR`. Chat serves the same models and more; this one
//! never streams.

use serde_json::{Map, Value};

use crate::chat::{Answer, WebSearch, strip_progress};
use crate::error::Error;
use crate::features::{Kind, Outcome, Payload};
use crate::refusal::Refusal;

/// A request for code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// An id from the list of models of this feature.
    pub model: String,
    /// What is to be written.
    pub prompt: String,
    /// Search the web first. Its fields stand flat here, unlike in chat.
    pub web_search: Option<WebSearch>,
}

impl Request {
    /// What is sent.
    #[must_use]
    pub fn payload(&self) -> Payload {
        let mut fields = Map::new();
        fields.insert("prompt".into(), self.prompt.as_str().into());
        if let Some(search) = self.web_search {
            fields.insert("webSearch".into(), true.into());
            let mut number = |name: &str, value: Option<u32>| {
                if let Some(value) = value {
                    fields.insert(name.into(), Value::from(value));
                }
            };
            number("numOfSite", search.sites());
            number("maxWord", search.words());
        }
        let mut payload = Payload::new(Kind::CodeGenerator, self.model.as_str(), fields);
        payload.names_conversation = true;
        payload
    }
}

/// The text of an outcome, without upstream's progress lines.
pub(crate) fn answer(outcome: Outcome) -> Result<Answer, Error> {
    let text = strip_progress(&outcome.text.unwrap_or_default()).into_owned();
    if text.is_empty() {
        return Err(Refusal::no_text().into());
    }
    Ok(Answer {
        text,
        accounting: outcome.accounting,
    })
}
