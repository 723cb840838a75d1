//! Answers out: where the neutral meets HTTP.

use std::fmt::Display;

use axum::body::Body;
use axum::response::Response;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use translate::dialect::{Dialect, Document, StreamFormat};
use translate::failure::Failure;
use translate::reply::Usage;

use crate::decimal;
use crate::ledger::cost_slot::CostSlot;
use crate::ledger::service::whole;
use crate::observe::RequestId;

/// The length of a body, if the headers before it say it.
#[must_use]
pub fn announced(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Headers of an answer, for which room is made at once.
const HEADERS: usize = 12;

/// Bytes behind a body that are worth a copy to be given back while its client reads.
const SLACK_MAX: usize = 64 * 1024;

/// A JSON answer.
#[must_use]
pub fn json(status: u16, mut body: Vec<u8>) -> Response {
    if body.capacity() - body.len() > SLACK_MAX {
        body.shrink_to_fit();
    }
    let mut response = Response::new(Body::from(body));
    *response.headers_mut() = HeaderMap::with_capacity(HEADERS);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// A dialect's document.
#[must_use]
pub fn document(document: Document) -> Response {
    json(document.status, document.body)
}

/// A failure in a dialect's words.
#[must_use]
pub fn failure(dialect: &Dialect, failure: &Failure, id: RequestId) -> Response {
    let mut response = document((dialect.failure)(failure, Some(&id.to_string())));
    let headers = response.headers_mut();
    if let Some(seconds) = failure.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    // Official SDKs heed this header and would otherwise repeat by status.
    if let Some(retry) = failure.retry {
        let value = HeaderValue::from_static(if retry { "true" } else { "false" });
        headers.insert(HeaderName::from_static("x-should-retry"), value);
    }
    response
}

/// A whole answer, with what it cost, and whether it has the form that was asked for.
#[must_use]
pub fn answer(body: Vec<u8>, usage: Usage, in_form: bool) -> Response {
    let mut response = json(200, body);
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("x-relay-usage"),
        HeaderValue::from_static(usage.source.as_str()),
    );
    credits_header(headers, usage.credits);
    if !in_form {
        headers.insert(
            HeaderName::from_static("x-relay-schema"),
            HeaderValue::from_static("failed"),
        );
    }
    response
}

/// Tells a client what its answer cost, if upstream says so.
pub fn credits_header(headers: &mut HeaderMap, credits: Option<f64>) {
    let Some(credits) = credits else { return };
    let mut text = String::new();
    if decimal::write(credits, &mut text).is_ok()
        && let Ok(credits) = HeaderValue::try_from(text)
    {
        headers.insert(HeaderName::from_static("x-relay-credits"), credits);
    }
}

/// Tells a client what its request was estimated to cost, and what is left of its budget.
pub fn costs(headers: &mut HeaderMap, costs: &CostSlot) {
    let amounts = [
        ("x-relay-credits-estimate", costs.estimate()),
        ("x-relay-credits-left", costs.left()),
    ];
    for (name, credits) in amounts {
        if let Some(credits) = credits {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from(whole(credits)),
            );
        }
    }
}

/// Tells a client which model did the work: not always the one that was asked for.
pub fn model_header(headers: &mut HeaderMap, model: &str) {
    if let Ok(model) = HeaderValue::try_from(model) {
        headers.insert(HeaderName::from_static("x-relay-model"), model);
    }
}

/// What a streamed answer cost and who counted, as a comment: its headers are gone before anybody
/// knows, and no dialect's events have a place for it.
pub fn usage_comment(usage: Usage, out: &mut Vec<u8>) {
    let credits = usage.credits.filter(|credits| credits.is_finite());
    let credits = credits.map(|credits| format!("\"credits\":{credits},"));
    let (credits, source) = (credits.unwrap_or_default(), usage.source.as_str());
    let line = comment(format_args!("{{{credits}\"usage\":\"{source}\"}}"));
    out.extend_from_slice(line.as_bytes());
}

/// A sign of life in a stream of server-sent events. It ends no event, so that it rides before the
/// next one.
pub const KEEPALIVE_COMMENT: &[u8] = b": keep-alive\n";

/// What the relay itself says in a stream, as JSON in a comment.
#[must_use]
pub fn comment(json: impl Display) -> String {
    format!(": x-relay {json}\n")
}

/// The type of a stream's body.
#[must_use]
pub fn stream_type(format: StreamFormat) -> HeaderValue {
    HeaderValue::from_static(match format {
        StreamFormat::Events => "text/event-stream; charset=utf-8",
        StreamFormat::JsonLines => "application/x-ndjson",
    })
}

/// A stream of server-sent events.
#[must_use]
pub fn events(body: Body) -> Response {
    stream(StreamFormat::Events, body)
}

/// A stream. The last header keeps nginx and its kin from collecting it.
#[must_use]
pub fn stream(format: StreamFormat, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, stream_type(format));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

/// Tells a client which parameters had no effect.
pub fn ignored_header(headers: &mut HeaderMap, names: &[String]) {
    if !names.is_empty()
        && let Ok(names) = HeaderValue::try_from(header_list(names))
    {
        headers.insert(HeaderName::from_static("x-relay-ignored"), names);
    }
}

/// The most bytes of names in one header: clients give up on a head that is too large.
const MAX_NAMES: usize = 1024;

/// Names as a header can bear them. One that it cannot, or that is too many, stands as an ellipsis.
fn header_list(names: &[String]) -> String {
    let mut text = String::new();
    for name in names {
        let plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic());
        let name = if plain { name } else { "..." };
        let is_full = text.len() + name.len() > MAX_NAMES;
        if !text.is_empty() {
            text.push_str(", ");
        }
        if is_full {
            text.push_str("...");
            break;
        }
        text.push_str(name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use translate::reply::UsageSource;

    #[test]
    fn credits_keep_their_fraction_and_are_left_out_when_unknown() {
        for (credits, source, expected) in [
            (
                Some(3.0),
                UsageSource::Reported,
                r#"{"credits":3,"usage":"reported"}"#,
            ),
            (
                Some(1.5),
                UsageSource::Estimated,
                r#"{"credits":1.5,"usage":"estimated"}"#,
            ),
            (
                Some(0.0),
                UsageSource::Reported,
                r#"{"credits":0,"usage":"reported"}"#,
            ),
            (
                Some(f64::NAN),
                UsageSource::Reported,
                r#"{"usage":"reported"}"#,
            ),
            (None, UsageSource::Reported, r#"{"usage":"reported"}"#),
        ] {
            let usage = Usage {
                credits,
                source,
                ..Usage::default()
            };
            let mut out = Vec::new();
            usage_comment(usage, &mut out);
            let expected = format!(": x-relay {expected}\n");
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }

    #[test]
    fn names_of_ignored_parameters_fit_into_a_header() {
        let names = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        assert_eq!(header_list(&names(&["seed", "top_p"])), "seed, top_p");
        let odd = names(&["seed", "a\r\nSet-Cookie: b", "\u{fc}n\u{ef}"]);
        assert_eq!(header_list(&odd), "seed, ..., ...");
        let many: Vec<String> = (0..5000).map(|n| format!("unknown_{n}")).collect();
        let text = header_list(&many);
        assert!(text.len() < 1100 && text.ends_with(", ..."), "{text}");
        assert!(HeaderValue::try_from(text).is_ok());
    }
}
