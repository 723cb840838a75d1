//! Reads what tests want: `[[sim {…}]]` in a prompt, the header `x-sim`, bodies of the control
//! endpoint. One flat JSON object says both what to answer and how to misbehave.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fault::{ErrorShape, Fault, FaultKind};
use crate::model::plan::Plan;
use crate::script::Script;

const OPEN: &str = "[[sim";
const CLOSE: &str = "]]";

/// A directive that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum DirectiveError {
    /// It is not the JSON object that is expected.
    #[error("not a directive: {0}")]
    Malformed(#[from] serde_json::Error),
    /// There is no such fault.
    #[error("no fault is called {0:?}; GET /_sim/faults lists them")]
    UnknownFault(String),
    /// A standing fault was ordered without a name.
    #[error("name the fault: {{\"fault\": \"…\"}}; GET /_sim/faults lists them")]
    NoFault,
    /// The JSON is not followed by `]]`.
    #[error("a directive ends with ]]")]
    Unclosed,
    /// `replies` stands where only one request can be meant.
    #[error("replies works in POST /_sim/script only")]
    RepliesHere,
}

/// Which endpoints a global fault hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// `POST /api/chat-with-ai`
    #[default]
    Chat,
    /// `POST /api/assets`
    Assets,
    /// `GET /models`
    Models,
    /// `/api/features`
    Features,
    /// `/api/results/{id}`
    Results,
    /// Downloads, by signed link or by key.
    Files,
    /// `/api/conversations`
    Conversations,
    /// All of them.
    Any,
}

/// Everything that can be said in one directive.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Directive {
    /// Only requests whose prompt holds this text are meant (global ones only).
    pub when: Option<String>,
    /// Only requests with this API key are meant (global ones only).
    pub key: Option<String>,
    /// The id under which the request is charged; see [`crate::Charge`].
    pub id: Option<String>,
    /// For how many requests it holds (global ones only): 0 means for all. A script holds for one
    /// request unless said otherwise, a fault until it is taken back.
    pub times: Option<u32>,
    /// Which endpoint a fault hits (global ones only); chat unless said otherwise.
    pub endpoint: Endpoint,
    /// See [`Script::reply`].
    pub reply: Option<String>,
    /// One script for each, in this order (queue only).
    pub replies: Vec<String>,
    /// See [`Script::deltas`].
    pub deltas: Option<Vec<String>>,
    /// See [`Script::tokens`].
    pub tokens: Option<usize>,
    /// See [`Script::model`].
    pub model: Option<Plan>,
    /// See [`Script::chunk`].
    pub chunk: Option<usize>,
    /// See [`Script::delay_ms`].
    pub delay_ms: Option<u64>,
    /// See [`Script::first_ms`].
    pub first_ms: Option<u64>,
    /// See [`Script::write`].
    pub write: Option<usize>,
    /// See [`Script::write_ms`].
    pub write_ms: Option<u64>,
    /// See [`Script::usage`].
    pub usage: Option<Map<String, Value>>,
    /// See [`Script::finish_reason`].
    pub finish_reason: Option<String>,
    /// See [`Script::polls`].
    pub polls: Option<u32>,
    /// See [`Script::expires`].
    pub expires: Option<u64>,
    /// Faults of the files that this request makes, when they are fetched.
    pub file: Option<Box<Self>>,
    /// Name of a fault.
    pub fault: Option<String>,
    /// Names of several faults at once; the parameters hold for each.
    pub faults: Vec<String>,
    /// See [`Fault::after`].
    pub after: Option<usize>,
    /// See [`Fault::status`]; without a fault it means `http-error`.
    pub status: Option<u16>,
    /// See [`Fault::retry_after`].
    pub retry_after: Option<u64>,
    /// See [`Fault::message`].
    pub message: Option<String>,
    /// See [`Fault::code`].
    pub code: Option<String>,
    /// See [`Fault::shape`].
    pub shape: Option<ErrorShape>,
    /// See [`Fault::ms`].
    pub ms: Option<u64>,
    /// See [`Fault::bytes`].
    pub bytes: Option<usize>,
}

impl Directive {
    /// Reads one from its JSON object.
    pub fn from_json(json: Value) -> Result<Self, DirectiveError> {
        Ok(Self::deserialize(json)?)
    }

    /// The part that says what to answer.
    #[must_use]
    pub fn script(&self) -> Script {
        Script {
            reply: self.reply.clone(),
            deltas: self.deltas.clone(),
            tokens: self.tokens,
            model: self.model.clone(),
            chunk: self.chunk,
            delay_ms: self.delay_ms,
            first_ms: self.first_ms,
            write: self.write,
            write_ms: self.write_ms,
            usage: self.usage.clone(),
            finish_reason: self.finish_reason.clone(),
            polls: self.polls,
            expires: self.expires,
        }
    }

    /// The part that says how to misbehave.
    pub fn faults(&self) -> Result<Vec<Fault>, DirectiveError> {
        let implied = self.status.map(|_| FaultKind::HttpError.name());
        let given = self.fault.iter().chain(&self.faults).map(String::as_str);
        let mut names: Vec<&str> = given.collect();
        if names.is_empty() {
            names.extend(implied);
        }
        names
            .into_iter()
            .map(|name| self.fault_named(name))
            .collect()
    }

    /// The part that says how its files misbehave.
    pub fn file_faults(&self) -> Result<Vec<Fault>, DirectiveError> {
        match &self.file {
            Some(file) => file.faults(),
            None => Ok(Vec::new()),
        }
    }

    fn fault_named(&self, name: &str) -> Result<Fault, DirectiveError> {
        let unknown = || DirectiveError::UnknownFault(name.to_owned());
        Ok(Fault {
            kind: FaultKind::from_name(name).ok_or_else(unknown)?,
            after: self.after,
            status: self.status,
            retry_after: self.retry_after,
            message: self.message.clone(),
            code: self.code.clone(),
            shape: self.shape,
            ms: self.ms,
            bytes: self.bytes,
        })
    }
}

/// The last directive that stands in a prompt, as its JSON object.
pub(crate) fn last_in(prompt: &str) -> Result<Option<Map<String, Value>>, DirectiveError> {
    let mut last = None;
    for (_, found) in occurrences(prompt) {
        last = Some(found);
    }
    last.transpose().map(|found| found.map(|(json, _)| json))
}

/// The prompt without its directives.
pub(crate) fn without(prompt: &str) -> String {
    let mut text = String::new();
    let mut from = 0;
    for (start, found) in occurrences(prompt) {
        let Ok((_, end)) = found else { continue };
        text.push_str(prompt.get(from..start).unwrap_or_default());
        from = end;
    }
    text.push_str(prompt.get(from..).unwrap_or_default());
    text
}

type Found = Result<(Map<String, Value>, usize), DirectiveError>;

/// Every place where `[[sim {` stands, with the object read there and where the directive ends.
/// What stands inside another directive's text is not one.
fn occurrences(prompt: &str) -> Vec<(usize, Found)> {
    let mut all = Vec::new();
    let mut from = 0;
    while let Some(start) = find(prompt, from) {
        from = start + OPEN.len();
        let rest = prompt.get(from..).unwrap_or_default();
        if !rest.trim_start().starts_with('{') {
            continue;
        }
        let found = read(rest).map(|(json, length)| (json, from + length));
        if let Ok((_, end)) = &found {
            from = *end;
        }
        all.push((start, found));
    }
    all
}

fn find(prompt: &str, from: usize) -> Option<usize> {
    let rest = prompt.as_bytes().get(from..)?;
    memchr::memmem::find(rest, OPEN.as_bytes()).map(|at| from + at)
}

/// Reads `{…}]]` and tells how many bytes it took.
fn read(text: &str) -> Found {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    let Some(json) = values.next() else {
        return Err(DirectiveError::Unclosed);
    };
    let (json, end) = (json?, values.byte_offset());
    let rest = text.get(end..).unwrap_or_default();
    let blank = rest.len() - rest.trim_start().len();
    if rest.trim_start().starts_with(CLOSE) {
        Ok((json, end + blank + CLOSE.len()))
    } else {
        Err(DirectiveError::Unclosed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Directive, last_in, without};
    use crate::fault::FaultKind;

    fn last(prompt: &str) -> serde_json::Value {
        last_in(prompt)
            .expect("well formed")
            .map_or(json!(null), Into::into)
    }

    #[test]
    fn the_last_directive_of_a_prompt_wins() {
        let prompt = r#"<user>[[sim {"reply":"a"}]]</user> b [[sim {"reply":"c"}]] d"#;
        assert_eq!(last(prompt), json!({"reply": "c"}));
        assert_eq!(without(prompt), "<user></user> b  d");
    }

    #[test]
    fn a_directive_within_a_directive_is_text() {
        let prompt = r#"[[sim {"reply":"say [[sim {\"reply\":\"x\"}]]"} ]]"#;
        assert_eq!(
            last(prompt),
            json!({"reply": "say [[sim {\"reply\":\"x\"}]]"})
        );
        assert_eq!(without(prompt), "");
    }

    #[test]
    fn prose_about_directives_is_none() {
        assert_eq!(last("write [[sim …]] or [[sim"), json!(null));
        assert_eq!(last("[[sim"), json!(null));
        assert_eq!(without("a [[sim b"), "a [[sim b");
    }

    #[test]
    fn a_broken_directive_is_told() {
        assert!(last_in(r#"[[sim {"reply": }]]"#).is_err());
        assert!(last_in(r#"[[sim {"reply": "x"} and so on"#).is_err());
        assert!(last_in(r#"[[sim {"reply": "#).is_err());
    }

    #[test]
    fn unknown_fields_and_faults_are_refused() {
        assert!(Directive::from_json(json!({"replay": "x"})).is_err());
        let wrong = Directive::from_json(json!({"fault": "x"})).expect("an object");
        assert!(wrong.faults().is_err());
    }

    #[test]
    fn a_bare_status_means_an_error_of_that_status() {
        let bare = Directive::from_json(json!({"status": 418})).expect("an object");
        let faults = bare.faults().expect("implied");
        assert_eq!(
            faults.first().map(|f| (f.kind, f.status)),
            Some((FaultKind::HttpError, Some(418)))
        );
    }

    proptest! {
        #[test]
        fn no_prompt_makes_it_panic(prompt in r#"(\[\[sim|\]\]|\{|\}|"|:| |reply|ü){0,20}"#) {
            let _ = last_in(&prompt);
            let _ = without(&prompt);
        }

        #[test]
        fn any_reply_comes_through(reply in ".*", before in "[a-z\n ]*", after in ".*") {
            let prompt = format!("{before}[[sim {}]]", json!({"reply": reply}));
            prop_assert_eq!(last(&prompt), json!({"reply": reply}));
            let _ = without(&(prompt + &after));
        }
    }
}
