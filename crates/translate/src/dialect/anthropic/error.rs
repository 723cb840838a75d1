//! Anthropic's error object: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

use std::borrow::Cow;

use serde::Serialize;

use crate::dialect::{Document, json};
use crate::failure::{Failure, Kind};

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: Object<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Object<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
}

/// What official clients act upon.
#[derive(Serialize)]
struct Details<'a> {
    error_code: &'a str,
}

/// The code of a request that goes on from a thread that is not kept.
pub const THREAD_NOT_FOUND: &str = "thread_not_found";

/// A failure as an HTTP answer that names the request. Official clients read the id from the
/// header `request-id`; the body repeats it.
#[must_use]
pub fn document(failure: &Failure, request_id: Option<&str>) -> Document {
    let (status, _) = shape(failure.kind);
    Document {
        status,
        body: object(failure, request_id),
    }
}

/// A failure as the JSON text of the error object, for bodies and for `event: error` in a stream.
#[must_use]
pub fn object(failure: &Failure, request_id: Option<&str>) -> Vec<u8> {
    let (_, kind) = shape(failure.kind);
    let envelope = Envelope {
        kind: "error",
        error: Object {
            kind,
            message: message(failure),
            details: details(failure),
        },
        request_id,
    };
    json::text(&envelope)
}

/// Only a code that is Anthropic's own; others would mean nothing, or something else.
fn details(failure: &Failure) -> Option<Details<'_>> {
    let error_code = failure.code.as_deref()?;
    (error_code == THREAD_NOT_FOUND).then_some(Details { error_code })
}

/// By which clients of Anthropic's know that a conversation must be compacted.
const TOO_LONG: &str = "prompt is too long";

/// The shape has no place for the field at fault, so the message begins with it, as Anthropic's do.
fn message(failure: &Failure) -> Cow<'_, str> {
    if failure.kind == Kind::ContextTooLong && !failure.message.contains(TOO_LONG) {
        return Cow::Owned(format!("{TOO_LONG}: {}", failure.message));
    }
    match &failure.param {
        Some(param) if !failure.message.contains(param.as_str()) => {
            Cow::Owned(format!("{param}: {}", failure.message))
        }
        _ => Cow::Borrowed(&failure.message),
    }
}

/// The status and `type` that Anthropic's clients know for a kind of failure.
fn shape(kind: Kind) -> (u16, &'static str) {
    const REQUEST: &str = "invalid_request_error";
    match kind {
        Kind::Invalid | Kind::Unsupported | Kind::ContentRefused | Kind::ContextTooLong => {
            (400, REQUEST)
        }
        Kind::Unauthenticated => (401, "authentication_error"),
        Kind::OutOfCredits => (402, "billing_error"),
        Kind::Forbidden => (403, "permission_error"),
        Kind::ModelNotFound | Kind::NotFound => (404, "not_found_error"),
        Kind::MethodNotAllowed => (405, REQUEST),
        Kind::UnsupportedMediaType => (415, REQUEST),
        Kind::UpgradeRefused => (426, REQUEST),
        Kind::Conflict => (409, REQUEST),
        Kind::TooLarge => (413, "request_too_large"),
        Kind::RateLimited => (429, "rate_limit_error"),
        Kind::Unmet | Kind::Upstream | Kind::Internal => (500, "api_error"),
        Kind::NotImplemented => (501, "api_error"),
        Kind::UpstreamTimeout => (504, "timeout_error"),
        Kind::Overloaded => (529, "overloaded_error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(failure: &Failure) -> String {
        String::from_utf8(document(failure, None).body).unwrap()
    }

    #[test]
    fn a_failure_becomes_the_error_object() {
        assert_eq!(
            text(&Failure::new(Kind::Overloaded, "busy \"now\"")),
            r#"{"type":"error","error":{"type":"overloaded_error","message":"busy \"now\""}}"#
        );
        let named = document(&Failure::new(Kind::RateLimited, "slow"), Some("req_1"));
        assert_eq!(
            (
                named.status,
                String::from_utf8(named.body).unwrap().as_str()
            ),
            (
                429,
                r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"},"request_id":"req_1"}"#
            )
        );
    }

    #[test]
    fn a_code_of_anthropics_own_stands_in_the_details() {
        let lost = Failure::new(Kind::NotFound, "Gone.").with_code(THREAD_NOT_FOUND);
        assert!(text(&lost).contains(r#""details":{"error_code":"thread_not_found"}"#));
        let other = Failure::new(Kind::NotFound, "Gone.").with_code("file_not_found");
        assert!(!text(&other).contains("details"));
    }

    #[test]
    fn a_prompt_that_is_too_long_is_said_in_the_words_that_clients_look_for() {
        for message in ["At most 8192 tokens.", "1min.ai: prompt is too long"] {
            let words = text(&Failure::new(Kind::ContextTooLong, message));
            assert_eq!(words.matches("prompt is too long").count(), 1, "{words}");
            assert!(words.contains(message), "{words}");
        }
    }

    #[test]
    fn the_field_at_fault_is_in_the_message_once() {
        let named = Failure::invalid("max_tokens", "`max_tokens` is missing.");
        assert!(text(&named).contains(r#""message":"`max_tokens` is missing.""#));
        let unnamed = Failure::invalid("tools[0].name", "Too long.");
        assert!(text(&unnamed).contains(r#""message":"tools[0].name: Too long.""#));
    }

    #[test]
    fn every_kind_has_the_status_and_type_that_clients_know() {
        let table = [
            (Kind::Invalid, 400, "invalid_request_error"),
            (Kind::Unsupported, 400, "invalid_request_error"),
            (Kind::ContentRefused, 400, "invalid_request_error"),
            (Kind::ContextTooLong, 400, "invalid_request_error"),
            (Kind::Unauthenticated, 401, "authentication_error"),
            (Kind::OutOfCredits, 402, "billing_error"),
            (Kind::Forbidden, 403, "permission_error"),
            (Kind::ModelNotFound, 404, "not_found_error"),
            (Kind::NotFound, 404, "not_found_error"),
            (Kind::MethodNotAllowed, 405, "invalid_request_error"),
            (Kind::UnsupportedMediaType, 415, "invalid_request_error"),
            (Kind::UpgradeRefused, 426, "invalid_request_error"),
            (Kind::Conflict, 409, "invalid_request_error"),
            (Kind::TooLarge, 413, "request_too_large"),
            (Kind::RateLimited, 429, "rate_limit_error"),
            (Kind::Unmet, 500, "api_error"),
            (Kind::Upstream, 500, "api_error"),
            (Kind::Internal, 500, "api_error"),
            (Kind::NotImplemented, 501, "api_error"),
            (Kind::UpstreamTimeout, 504, "timeout_error"),
            (Kind::Overloaded, 529, "overloaded_error"),
        ];
        for (kind, status, word) in table {
            let document = document(&Failure::new(kind, "x"), None);
            assert_eq!(document.status, status, "{kind:?}");
            let body = String::from_utf8(document.body).unwrap();
            assert!(
                body.contains(&format!("{{\"type\":\"{word}\"")),
                "{kind:?}: {body}"
            );
        }
    }
}
