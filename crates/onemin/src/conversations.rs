//! Conversations: `/api/conversations`.
//!
//! Chat needs none. They are for those who want upstream to keep the history. Only creating one is
//! documented.

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, ProtocolError};
use crate::refusal::Refusal;

/// The longest title, in characters, as an older document says.
const TITLE_CHARS_MAX: usize = 91;

/// A conversation to be created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct New {
    /// Its title. Cut to 91 characters; upstream refuses an empty one.
    pub title: String,
    /// The model it is for.
    pub model: String,
    /// Documents: uuids of assets. With them the conversation is of the old type for documents,
    /// which upstream no longer documents and may refuse; attaching files to a chat request is the
    /// way that works.
    pub files: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'n> {
    r#type: &'static str,
    title: &'n str,
    model: &'n str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    file_list: &'n [String],
}

impl New {
    /// The body of the request.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let end = self.title.char_indices().nth(TITLE_CHARS_MAX);
        let title = end.map_or(self.title.as_str(), |(end, _)| {
            self.title.get(..end).unwrap_or_default()
        });
        let body = Body {
            r#type: if self.files.is_empty() {
                "UNIFY_CHAT_WITH_AI"
            } else {
                "CHAT_WITH_PDF"
            },
            title: Some(title)
                .filter(|title| !title.trim().is_empty())
                .unwrap_or("Conversation"),
            model: &self.model,
            file_list: &self.files,
        };
        // Writing texts into memory cannot fail.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// A conversation that upstream keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its id, which a chat request names.
    pub uuid: String,
    /// Its title.
    pub title: Option<String>,
    /// Its type, such as `UNIFY_CHAT_WITH_AI`.
    pub kind: Option<String>,
    /// The model it is for.
    pub model: Option<String>,
    /// When it was created, as upstream writes it.
    pub created_at: Option<String>,
}

impl Conversation {
    fn of(value: &Value) -> Option<Self> {
        let text = |name: &str| {
            let text = value.get(name)?.as_str()?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        Some(Self {
            uuid: text("uuid").or_else(|| text("id"))?,
            title: text("title"),
            kind: text("type"),
            model: text("model"),
            created_at: text("createdAt"),
        })
    }
}

/// Reads the answer to a creation: the conversation stands under its name, or on its own.
///
/// # Errors
/// The refusal that it reports, or that there is no conversation.
pub(crate) fn created(body: &[u8]) -> Result<Conversation, Error> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| malformed())?;
    let found = answer.get("conversation").and_then(Conversation::of);
    found
        .or_else(|| Conversation::of(&answer))
        .ok_or_else(|| not_said(&answer, body))
}

/// Reads a list; entries without an id are passed over.
///
/// # Errors
/// The refusal that it reports, or that it is no list.
pub(crate) fn listed(body: &[u8]) -> Result<Vec<Conversation>, Error> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| malformed())?;
    let list = ["conversations", "conversationList", "data"]
        .iter()
        .find_map(|name| answer.get(*name)?.as_array())
        .or_else(|| answer.as_array());
    let list = list.ok_or_else(|| not_said(&answer, body))?;
    Ok(list.iter().filter_map(Conversation::of).collect())
}

fn malformed() -> ProtocolError {
    ProtocolError::Malformed("a conversation was expected")
}

fn not_said(answer: &Value, body: &[u8]) -> Error {
    let reports = ["error", "errorCode", "message"]
        .iter()
        .any(|name| answer.get(*name).is_some());
    if reports {
        Refusal::from_body(None, body).into()
    } else {
        malformed().into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{New, created, listed};
    use crate::{Error, RefusalKind};

    fn body(new: &New) -> Value {
        serde_json::from_slice(&new.to_bytes()).unwrap()
    }

    #[test]
    fn a_title_is_never_empty_and_never_too_long() {
        for (title, sent) in [
            ("Plans", "Plans".to_owned()),
            ("  ", "Conversation".to_owned()),
            (&"ü".repeat(200), "ü".repeat(91)),
        ] {
            let new = New {
                title: title.into(),
                model: "m".into(),
                ..New::default()
            };
            assert_eq!(
                body(&new),
                json!({"type": "UNIFY_CHAT_WITH_AI", "title": sent, "model": "m"})
            );
        }
    }

    #[test]
    fn an_id_is_found_where_it_stands() {
        for answer in [
            json!({"conversation": {"uuid": "c"}}),
            json!({"uuid": "c"}),
            json!({"conversation": {"id": "c"}}),
        ] {
            assert_eq!(created(answer.to_string().as_bytes()).unwrap().uuid, "c");
        }
        assert!(matches!(created(b"{}"), Err(Error::Protocol(_))));
        assert!(matches!(created(b"<html>"), Err(Error::Protocol(_))));
        let refused = created(br#"{"errorCode":"REQUEST_BODY_VALIDATION_FAILED","message":"no"}"#);
        assert!(matches!(refused, Err(Error::Refused(r)) if r.kind == RefusalKind::InvalidRequest));
    }

    #[test]
    fn a_list_loses_no_entry_to_an_odd_one() {
        let answer =
            json!({"conversations": [{"uuid": "a"}, {"title": "no id"}, 5, {"uuid": "b"}]});
        let ids: Vec<String> = listed(answer.to_string().as_bytes())
            .unwrap()
            .into_iter()
            .map(|c| c.uuid)
            .collect();
        assert_eq!(ids, ["a", "b"]);
        assert!(listed(b"{}").is_err());
        assert!(listed(b"[]").unwrap().is_empty());
    }
}
