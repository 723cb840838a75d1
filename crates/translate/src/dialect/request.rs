//! What every dialect's decoder does alike: JSON errors that name the field, media, the original
//! relay's checks of a conversation.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::data_uri::{self, Data};
use crate::chat_request::{Attachment, Message, Part, Role, Source};
use crate::failure::{Failure, FieldPath, Kind};

pub mod forms;
pub mod model;
pub mod passed_on;
pub mod slot;
pub mod surrogates;
mod values;

/// Parses a request's body. A byte order mark before it is passed over, as RFC 8259 permits, and half
/// of a surrogate pair becomes U+FFFD: clients cut texts where they like.
///
/// # Errors
/// Malformed JSON with its place, a field of the wrong type with its path, or more values than are
/// taken.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    values::check(body)?;
    // A text that is known to be UTF-8 as a whole is read with less work than one whose strings are looked at
    // one by one.
    let read = match str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    };
    let error = match read {
        Ok(request) => return Ok(request),
        Err(error) => error,
    };
    let Some(readable) = surrogates::replaced(body) else {
        return Err(explain::<T>(body, &error));
    };
    serde_json::from_slice(&readable).map_err(|error| explain::<T>(&readable, &error))
}

/// Fields that carry the conversation in some API, and the endpoint that takes them.
const CONVERSATIONS: [(&str, &str); 3] = [
    ("messages", "POST /v1/chat/completions"),
    ("input", "POST /v1/responses"),
    ("prompt", "POST /v1/completions"),
];

/// A failure for lack of a conversation, with the endpoint for which the request was made if it is
/// another one: `given` are the names of fields that mean nothing here.
#[must_use]
pub fn with_endpoint_of(failure: Failure, given: &[String]) -> Failure {
    let is_given = |(field, _): &&(&str, &str)| given.iter().any(|name| name == field);
    match CONVERSATIONS.iter().find(is_given) {
        Some((field, endpoint)) => Failure {
            message: format!("{} `{field}` is for {endpoint}.", failure.message),
            ..failure
        },
        None => failure,
    }
}

/// The most characters of a question that a search shows.
const MAX_QUESTION: usize = 200;

/// What a search is for, as far as anybody knows: what the person said last.
#[must_use]
pub fn question(messages: &[Message]) -> String {
    let said = messages
        .iter()
        .rev()
        .find(|message| message.role == Role::User);
    let texts = said
        .into_iter()
        .flat_map(|message| &message.parts)
        .filter_map(|part| match part {
            Part::Text(text) => Some(text.trim()),
            _ => None,
        });
    let text = texts.collect::<Vec<_>>().join(" ");
    text.chars().take(MAX_QUESTION).collect()
}

/// Whether a conversation ends with the results of calls. Upstream searches before the model
/// answers, and the model has no say in it: so a hosted search, which is only an offer, is made for
/// a question and not again with every result on the way to its answer.
#[must_use]
pub fn answers_calls(messages: &[Message]) -> bool {
    let is_result = |part: &Part| matches!(part, Part::Result(_));
    messages
        .last()
        .is_some_and(|last| last.parts.iter().any(is_result))
}

fn explain<T: DeserializeOwned>(body: &[u8], error: &serde_json::Error) -> Failure {
    if body.trim_ascii().is_empty() {
        return Failure::new(
            Kind::Invalid,
            "The request body is empty: send a JSON object.",
        );
    }
    let words = error.to_string();
    if words.starts_with("recursion limit") {
        return Failure::new(Kind::Invalid, "The request body is nested too deeply.");
    }
    if !error.is_data() {
        return Failure::new(
            Kind::Invalid,
            format!("The request body is not valid JSON: {words}."),
        );
    }
    wrong_value(&path_of_error::<T>(body), body, without_place(&words))
}

/// Only a request that failed is read a second time, with the path kept.
fn path_of_error<T: DeserializeOwned>(body: &[u8]) -> Path {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let tracked: Result<T, _> = serde_path_to_error::deserialize(&mut deserializer);
    match tracked {
        Err(error) => error.path().iter().map(step).collect(),
        Ok(_) => Path::new(),
    }
}

/// The way from the body's root to a value.
type Path = Vec<Step>;

enum Step {
    Item(usize),
    Field(String),
}

fn step(segment: &Segment) -> Step {
    match segment {
        Segment::Seq { index } => Step::Item(*index),
        Segment::Map { key } => Step::Field(key.clone()),
        Segment::Enum { variant } => Step::Field(variant.clone()),
        Segment::Unknown => Step::Field("?".to_owned()),
    }
}

fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Item(index) => text.extend(["[", &index.to_string(), "]"]),
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => text.extend([".", name]),
        }
    }
    text
}

/// Says what is wrong with a value, from what serde says of it.
fn wrong_value(path: &[Step], body: &[u8], reason: &str) -> Failure {
    let path_text = written(path);
    let within = |field: &str| {
        if path_text.is_empty() {
            field.to_owned()
        } else {
            format!("{path_text}.{field}")
        }
    };
    if let Some(field) = quoted(reason, "missing field `") {
        let field = within(field);
        return Failure::invalid(&field, format!("`{field}` is missing."));
    }
    if let Some(field) = quoted(reason, "duplicate field `") {
        let field = within(field);
        return Failure::invalid(&field, format!("`{field}` is given twice."));
    }
    let expected = reason
        .rsplit_once(", expected ")
        .filter(|_| reason.starts_with("invalid "))
        .map(|(_, expected)| expected);
    let problem = match expected {
        Some(expected) => format!(
            "must be {}, not {}",
            in_json_words(expected),
            given(path, body)
        ),
        None => reason.to_owned(),
    };
    if path_text.is_empty() {
        return Failure::new(Kind::Invalid, format!("The request body {problem}."));
    }
    Failure::invalid(&path_text, format!("`{path_text}` {problem}."))
}

fn quoted<'t>(reason: &'t str, head: &str) -> Option<&'t str> {
    reason.strip_prefix(head)?.split('`').next()
}

fn in_json_words(expected: &str) -> &str {
    match expected {
        "a sequence" => "an array",
        "a map" => "an object",
        "a JSON number" | "f32" | "f64" => "a number",
        "i32" | "i64" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of zero or more",
        "any value" => "a value",
        other if other.starts_with("struct ") => "an object",
        other => other,
    }
}

/// What stands at a path.
fn given(path: &[Step], body: &[u8]) -> &'static str {
    let root: Result<Value, _> = serde_json::from_slice(body);
    let value = root.as_ref().ok().and_then(|root| {
        path.iter().try_fold(root, |value, step| match step {
            Step::Item(index) => value.get(index),
            Step::Field(name) => value.get(name),
        })
    });
    match value {
        None => "this",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a string",
        Some(Value::Array(_)) => "an array",
        Some(Value::Object(_)) => "an object",
    }
}

/// The words of an error of `serde_json` without the line and column, which are those of the end
/// of the value and help nobody who has its path.
fn without_place(words: &str) -> &str {
    words
        .rsplit_once(" at line ")
        .map_or(words, |(reason, _)| reason)
}

/// An image by URL: an http(s) address, or a data URI whose bytes are taken out.
///
/// # Errors
/// A data URI that cannot be decoded, or an address of another scheme.
pub fn picture(url: String, path: FieldPath<'_>) -> Result<Attachment, Failure> {
    if data_uri::is_data_uri(&url) {
        let data = data_uri::parse(&url).filter(|data| !data.bytes.is_empty());
        let message =
            "The data URI is empty or cannot be decoded: write data:<type>;base64,<bytes>.";
        let data = data.ok_or_else(|| Failure::invalid(path.to_string(), message))?;
        return Ok(Attachment {
            source: Source::Inline(data.bytes),
            name: None,
            mime: data.mime,
        });
    }
    let scheme = url
        .trim_start()
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Err(Failure::invalid(
            path.to_string(),
            "An image must be an http(s) URL or a data URI.",
        ));
    }
    let bare = url.trim().len() == url.len();
    Ok(Attachment {
        source: Source::Url(if bare { url } else { url.trim().to_owned() }),
        name: None,
        mime: None,
    })
}

/// Bytes inside the request: a data URI, or bare base64. None if there are none.
#[must_use]
pub fn inline(text: &str) -> Option<Data> {
    let data = if data_uri::is_data_uri(text) {
        data_uri::parse(text)
    } else {
        data_uri::base64(text).map(|bytes| Data { mime: None, bytes })
    };
    data.filter(|data| !data.bytes.is_empty())
}

/// Refuses a conversation without messages, and one whose last word is empty: upstream answers an
/// empty prompt with a greeting, which would be charged and help nobody.
///
/// # Errors
/// The original relay's errors 1412 (no messages) and 1423 (empty last message).
pub fn check_messages(messages: &[Message], field: &str) -> Result<(), Failure> {
    let Some(last) = messages.last() else {
        return Err(Failure::invalid(
            field,
            format!("`{field}` is missing or empty: give at least one message (1412)."),
        ));
    };
    let said = messages.iter().any(|m| m.parts.iter().any(says));
    if !said || (last.role == Role::User && !last.parts.iter().any(says)) {
        return Err(Failure::invalid(
            field,
            format!("The last of `{field}` is empty: give it text, an image or a file (1423)."),
        ));
    }
    Ok(())
}

fn says(part: &Part) -> bool {
    match part {
        Part::Text(text) | Part::Refusal(text) => !text.trim().is_empty(),
        Part::Reasoning(_) => false,
        Part::Image(_) | Part::File(_) | Part::Audio(_) | Part::Call(_) | Part::Result(_) => true,
    }
}
