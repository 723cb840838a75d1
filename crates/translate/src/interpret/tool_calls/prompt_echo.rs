//! Calls that stand in the request: a model that repeats one has quoted it, not made it.
//!
//! The tag we ask for needs no such check, since no text of the request holds it. A call in any
//! other dialect is refused if its very text came in with the user's words, a tool's result or a
//! document. What the assistant itself wrote earlier may be written again.

use aho_corasick::AhoCorasick;

use super::callable_tools::CallableTools;
use crate::chat_request::{ChatRequest, Part, Role, ToolInput};

/// The request's texts that could hold a call.
#[derive(Debug, Default, Clone)]
pub struct PromptEcho {
    texts: Vec<String>,
}

impl PromptEcho {
    /// Gathers the texts of a turn that name a tool and hold something shaped like a call.
    #[must_use]
    pub fn of(chat: &ChatRequest) -> Self {
        let foreign = chat.messages.iter().filter(|m| m.role != Role::Assistant);
        let mut texts: Vec<&str> = Vec::new();
        foreign.for_each(|m| gather(&m.parts, &mut texts));
        texts.extend(
            chat.tools
                .offered
                .iter()
                .filter_map(|t| t.description.as_deref()),
        );
        let schemas: Vec<String> = chat
            .tools
            .offered
            .iter()
            .filter_map(|t| match &t.input {
                ToolInput::Json(schema) => Some(schema.to_string()),
                ToolInput::Text => None,
            })
            .collect();
        texts.extend(schemas.iter().map(String::as_str));
        Self::among(&CallableTools::new(&chat.tools), &texts)
    }

    /// Gathers those of the texts that could hold a call.
    #[must_use]
    pub fn among(declared: &CallableTools, texts: &[&str]) -> Self {
        let names: Vec<&str> = declared.names().collect();
        let Ok(names) = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(names)
        else {
            return Self::default();
        };
        let could = |text: &&&str| {
            text.contains(['<', '{', '[']) || text.contains("Action:") || text.contains("&lt;")
        };
        let texts = texts.iter().filter(could).filter(|t| names.is_match(**t));
        Self {
            texts: texts.map(|t| (*t).to_owned()).collect(),
        }
    }

    /// Whether no text of the request could hold a call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether a call's text stands in the request. White space, escapes and entities are not
    /// minded: a model may quote a JSON result in plain words.
    pub(super) fn holds(&self, call: &str) -> bool {
        let call = normal(call);
        !call.is_empty()
            && self.texts.iter().any(|text| {
                memchr::memmem::find(normal(text).as_bytes(), call.as_bytes()).is_some()
            })
    }
}

fn gather<'t>(parts: &'t [Part], texts: &mut Vec<&'t str>) {
    for part in parts {
        match part {
            Part::Text(text) => texts.push(text),
            Part::Result(result) => gather(&result.parts, texts),
            _ => {}
        }
    }
}

fn normal(text: &str) -> String {
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    text.replace("\\n", "")
        .replace("\\u003c", "<")
        .replace("\\u003e", ">")
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\\')
        .collect()
}
