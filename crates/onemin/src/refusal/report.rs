//! What a refusal says, read from any of the bodies it comes in.

use serde_json::{Map, Value};

use super::catalogue::{self, Evidence};
use super::cause::Cause;
use super::kind::{FieldProblem, Refusal};
use super::privacy;
use crate::drift;
use crate::facts::Fact;
use crate::repaired_json::repaired;

/// What was said, before it is judged.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Report {
    code: Option<String>,
    message: Option<String>,
    cause: Cause,
}

/// The longest code that is believed to be one, in bytes.
const CODE_BYTES_MAX: usize = 80;

impl Report {
    /// Reads a body: JSON in any known shape, a web page, or text.
    pub(crate) fn of_body(body: &[u8]) -> Self {
        match serde_json::from_str(&repaired(body)) {
            Ok(Value::Object(object)) => Self::of_object(object),
            Ok(Value::String(text)) => Self::of_text(&text),
            Ok(Value::Null) => Self::default(),
            Ok(list @ Value::Array(_)) => Self {
                cause: Cause::of_details(&list),
                ..Self::default()
            },
            _ => Self::of_text(&String::from_utf8_lossy(body)),
        }
    }

    /// Reads bare words, or the title of a web page.
    pub(crate) fn of_text(text: &str) -> Self {
        let text = text.trim();
        let message = if text.starts_with('<') {
            page(text)
        } else {
            text.to_owned()
        };
        Self {
            cause: Cause::within(&message),
            message: Some(message).filter(|message| !message.is_empty()),
            code: None,
        }
    }

    /// Reads a JSON object: flat (`errorCode`, `message`, `details`), nested under `error`, a bare
    /// `error` text, or only a `message`.
    pub(crate) fn of_object(mut object: Map<String, Value>) -> Self {
        if let Some(Value::Object(nested)) = object.get_mut("error") {
            let nested = std::mem::take(nested);
            drift::count(Fact::ErrorsFlat);
            object.remove("error");
            return Self::of_object(nested).or(Self::of_object(object));
        }
        let code = ["errorCode", "code"]
            .iter()
            .find_map(|name| code(object.get(*name)?));
        // A framework's own errors have the status' name under `error` and the reason beside it.
        let names: [&str; 3] = if object.contains_key("statusCode") {
            ["message", "error", "errorMessage"]
        } else {
            ["error", "message", "errorMessage"]
        };
        let message = names
            .iter()
            .find_map(|name| words(object.get(*name)?))
            .unwrap_or_default();
        let cause = object
            .get("details")
            .map(Cause::of_details)
            .unwrap_or_default();
        Self {
            code,
            cause: cause.or(Cause::within(&message)),
            message: Some(message).filter(|message| !message.is_empty()),
        }
    }

    /// This report, with what it lacks taken from another.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            code: self.code.or(other.code),
            message: self.message.or(other.message),
            cause: self.cause.or(other.cause),
        }
    }

    /// Looks the report up in the catalogue.
    pub(crate) fn judge(self, status: Option<u16>) -> Refusal {
        let said = [
            self.message.as_deref(),
            self.cause.message.as_deref(),
            self.code.as_deref(),
        ];
        let words = said
            .map(Option::unwrap_or_default)
            .join("\n")
            .to_ascii_lowercase();
        let code = self.code.as_ref().map(|code| code.to_ascii_uppercase());
        let verdict = catalogue::verdict(&Evidence {
            status,
            code: code.as_deref(),
            words: &words,
            provider_status: self.cause.status,
        });
        let provider_status = self.cause.status;
        let fields = self
            .cause
            .fields
            .iter()
            .map(FieldProblem::cleaned)
            .collect();
        Refusal {
            kind: verdict.kind,
            status,
            code: self.code.as_deref().map(privacy::clean),
            message: self.reason(status),
            retry_after: None,
            fields,
            retryable: verdict.retryable,
            charged: verdict.charged,
            provider_status,
        }
    }

    /// The message for people: the real cause in place of a canned line, else beside what was said.
    fn reason(&self, status: Option<u16>) -> String {
        let said = self.message.as_deref().unwrap_or_default();
        let cause = self.cause.message.as_deref().unwrap_or_default();
        let known = said.to_lowercase();
        let reason =
            if cause.is_empty() || known.contains(&cause.to_lowercase()) && !is_wrapped(said) {
                said.to_owned()
            } else if said.is_empty() || is_canned(&known) || is_wrapped(said) {
                cause.to_owned()
            } else {
                format!("{}: {cause}", said.trim_end_matches(['.', ':', ' ']))
            };
        match (privacy::clean(&reason), status) {
            (reason, _) if !reason.is_empty() => reason,
            (_, Some(status)) => format!("no reason was given (HTTP status {status})"),
            _ => "no reason was given".to_owned(),
        }
    }
}

impl FieldProblem {
    fn cleaned(&self) -> Self {
        Self {
            field: privacy::clean(&self.field),
            message: privacy::clean(&self.message),
        }
    }
}

/// A line that is the same whatever has happened.
fn is_canned(words: &str) -> bool {
    [
        "busy",
        "temporary issue",
        "unexpected error",
        "internal server error",
        "something went wrong",
    ]
    .iter()
    .any(|canned| words.contains(canned))
}

/// Whether a provider's JSON stands in the text.
fn is_wrapped(text: &str) -> bool {
    text.contains('{')
}

fn code(value: &Value) -> Option<String> {
    let code = match value {
        Value::String(code) => code.clone(),
        Value::Number(code) => code.to_string(),
        _ => return None,
    };
    (!code.is_empty() && code.len() <= CODE_BYTES_MAX).then_some(code)
}

/// A text, or the texts of a list.
fn words(value: &Value) -> Option<String> {
    let words = match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join("; "),
        _ => return None,
    };
    Some(words).filter(|words| !words.trim().is_empty())
}

/// What a web page says of itself: its title, and the edge's number if it names one.
fn page(html: &str) -> String {
    let between = |from: &str, to: char| {
        let small = html.to_ascii_lowercase();
        let begin = small.find(from)? + from.len();
        let end = small.get(begin..)?.find(to)?;
        Some(html.get(begin..begin + end)?.trim().to_owned())
    };
    // Where files are stored errors are XML.
    if let Some(message) = between("<message>", '<') {
        return message;
    }
    let title = between("<title>", '<').unwrap_or_default();
    match between("error code:", '<')
        .filter(|number| number.chars().all(|c| c.is_ascii_digit()) && !number.is_empty())
    {
        Some(number) if !title.contains(&number) => {
            format!("{title} (error code: {number})").trim().to_owned()
        }
        _ => title,
    }
}
