//! OpenAI's error object: `{"error": {"message", "type", "param", "code"}}`.

use serde::Serialize;

use crate::dialect::{Document, json};
use crate::failure::{Failure, Kind};

#[derive(Serialize)]
struct Envelope<'a> {
    error: Object<'a>,
}

#[derive(Serialize)]
struct Object<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

/// A failure as an HTTP answer.
#[must_use]
pub fn document(failure: &Failure) -> Document {
    let (status, ..) = shape(failure.kind);
    Document {
        status,
        body: object(failure),
    }
}

/// A failure as the JSON text of the error object, for bodies and for events in a stream.
#[must_use]
pub fn object(failure: &Failure) -> Vec<u8> {
    let (_, kind, code) = shape(failure.kind);
    let envelope = Envelope {
        error: Object {
            message: &failure.message,
            kind,
            param: failure.param.as_deref(),
            code: failure.code.as_deref().or(code),
        },
    };
    json::text(&envelope)
}

/// The status that a kind of failure is answered with.
#[must_use]
pub fn status(kind: Kind) -> u16 {
    shape(kind).0
}

/// The status, `type` and `code` that OpenAI's clients know for a kind of failure.
///
/// Spent credits are 402, not OpenAI's 429: the official SDKs, LangChain and most agents repeat a
/// 429 with growing pauses, which cannot help before a top-up.
fn shape(kind: Kind) -> (u16, &'static str, Option<&'static str>) {
    const REQUEST: &str = "invalid_request_error";
    match kind {
        Kind::Invalid => (400, REQUEST, None),
        Kind::Unsupported => (400, REQUEST, Some("unsupported_parameter")),
        Kind::Unauthenticated => (401, REQUEST, Some("invalid_api_key")),
        Kind::Forbidden => (403, "permission_error", Some("forbidden")),
        Kind::ModelNotFound => (404, REQUEST, Some("model_not_found")),
        Kind::NotFound => (404, REQUEST, Some("not_found")),
        Kind::MethodNotAllowed => (405, REQUEST, Some("method_not_allowed")),
        Kind::UnsupportedMediaType => (415, REQUEST, Some("unsupported_content_encoding")),
        Kind::UpgradeRefused => (426, REQUEST, Some("upgrade_refused")),
        Kind::Conflict => (409, REQUEST, Some("conflict")),
        Kind::TooLarge => (413, REQUEST, Some("request_too_large")),
        Kind::ContextTooLong => (400, REQUEST, Some("context_length_exceeded")),
        Kind::RateLimited => (429, "rate_limit_error", Some("rate_limit_exceeded")),
        Kind::OutOfCredits => (402, "insufficient_quota", Some("insufficient_quota")),
        Kind::ContentRefused => (400, REQUEST, Some("content_policy_violation")),
        Kind::Unmet => (502, "upstream_schema_error", Some("upstream_schema_error")),
        Kind::NotImplemented => (501, REQUEST, Some("not_implemented")),
        Kind::Upstream => (502, "server_error", Some("upstream_error")),
        Kind::UpstreamTimeout => (504, "server_error", Some("upstream_timeout")),
        Kind::Overloaded => (503, "server_error", Some("overloaded")),
        Kind::Internal => (500, "server_error", Some("internal_error")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_becomes_the_error_object_with_its_status() {
        let failure = Failure::invalid("messages[0].content", "wrong \"type\"");
        let document = document(&failure);
        assert_eq!(document.status, 400);
        assert_eq!(
            String::from_utf8(document.body).unwrap(),
            r#"{"error":{"message":"wrong \"type\"","type":"invalid_request_error","param":"messages[0].content","code":null}}"#
        );
    }

    #[test]
    fn a_more_exact_code_takes_the_place_of_the_kinds_own() {
        let failure = Failure::new(Kind::Upstream, "no").with_code("model_not_supported");
        assert!(
            String::from_utf8(object(&failure))
                .unwrap()
                .contains("\"code\":\"model_not_supported\"")
        );
    }
}
