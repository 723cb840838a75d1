//! The real cause of a refusal, dug out of what upstream hands on from a provider.
//!
//! `details` is a JSON text in live bodies and a list in documented ones. It may repeat the whole
//! request and response of the provider; only the provider's own message and the problems of
//! fields are taken out of it.

use serde_json::Value;

use super::kind::FieldProblem;

/// Why it was refused.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) message: Option<String>,
    /// The provider's status.
    pub(super) status: Option<u16>,
    pub(super) fields: Vec<FieldProblem>,
}

/// Where a provider's message may stand, the likeliest first.
const MESSAGES: [&str; 14] = [
    "/response/data/error/message",
    "/response/data/message",
    "/response/data/error",
    "/response/data/detail",
    "/response/data",
    "/response/message",
    "/data/error/message",
    "/data/message",
    "/error/error/message",
    "/error/message",
    "/error",
    "/message",
    "/detail",
    "/reason",
];

const STATUSES: [&str; 4] = ["/response/status", "/status", "/statusCode", "/error/code"];

/// JSON within JSON within JSON is followed so deep.
const DEPTH_MAX: usize = 3;

impl Cause {
    /// Reads `details`.
    pub(super) fn of_details(details: &Value) -> Self {
        Self::of(details, DEPTH_MAX)
    }

    /// Reads the JSON that a provider's library left in a text, such as `400 {"error":{…}}`.
    pub(super) fn within(text: &str) -> Self {
        let Some((before, json)) = text
            .find('{')
            .and_then(|begin| text.split_at_checked(begin))
        else {
            return Self::default();
        };
        let Some(Ok(value)) = serde_json::Deserializer::from_str(json)
            .into_iter::<Value>()
            .next()
        else {
            return Self::default();
        };
        let status = before
            .split_ascii_whitespace()
            .find_map(|word| status(&Value::from(word)));
        let cause = Self::of(&value, DEPTH_MAX);
        Self {
            status: cause.status.or(status),
            ..cause
        }
    }

    /// This cause, with what it lacks taken from another.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            message: self.message.or(other.message),
            status: self.status.or(other.status),
            fields: if self.fields.is_empty() {
                other.fields
            } else {
                self.fields
            },
        }
    }

    fn of(value: &Value, depth: usize) -> Self {
        match value {
            Value::String(text) => Self::of_text(text, depth),
            Value::Array(problems) => Self::of_problems(problems),
            Value::Object(_) => Self::of_object(value, depth),
            _ => Self::default(),
        }
    }

    fn of_text(text: &str, depth: usize) -> Self {
        let text = text.trim();
        match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Object(_) | Value::Array(_) | Value::String(_))) if depth > 0 => {
                Self::of(&value, depth - 1)
            }
            // A page or a dump of internals is no message.
            _ if text.is_empty() || text.starts_with(['<', '{', '[']) => Self::default(),
            _ => Self {
                message: Some(text.to_owned()),
                ..Self::default()
            },
        }
    }

    fn of_problems(problems: &[Value]) -> Self {
        let fields: Vec<FieldProblem> = problems.iter().filter_map(problem).collect();
        let messages: Vec<&str> = match fields.as_slice() {
            [] => problems.iter().filter_map(Value::as_str).collect(),
            fields => fields
                .iter()
                .map(|problem| problem.message.as_str())
                .collect(),
        };
        let message = Some(messages.join("; ")).filter(|message| !message.is_empty());
        Self {
            message,
            status: None,
            fields,
        }
    }

    fn of_object(value: &Value, depth: usize) -> Self {
        let found = MESSAGES.iter().find_map(|place| {
            let cause = match value.pointer(place)? {
                Value::String(text) => Self::of_text(text, depth),
                Value::Array(problems) => Self::of_problems(problems),
                _ => return None,
            };
            (cause.message.is_some() || !cause.fields.is_empty()).then_some(cause)
        });
        let status = STATUSES
            .iter()
            .find_map(|place| status(value.pointer(place)?));
        let cause = found.unwrap_or_default();
        Self {
            status: cause.status.or(status),
            ..cause
        }
    }
}

/// `{field, message}`, in a few spellings.
fn problem(value: &Value) -> Option<FieldProblem> {
    let text = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| value.get(*name)?.as_str())
            .map(str::to_owned)
    };
    Some(FieldProblem {
        field: text(&["field", "path", "property", "param"]).unwrap_or_default(),
        message: text(&["message", "msg", "error"])?,
    })
}

fn status(value: &Value) -> Option<u16> {
    let status = match value {
        Value::Number(number) => number
            .as_u64()
            .and_then(|status| u16::try_from(status).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    status.filter(|status| (400..600).contains(status))
}
