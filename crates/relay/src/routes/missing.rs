//! URLs and methods that do not exist, in the shape that clients understand.

use axum::response::Response;
use http::{HeaderMap, Method, Uri};
use translate::dialect::anthropic;
use translate::dialect::openai::error;
use translate::failure::{Failure, Kind};

use crate::respond;

/// Endpoints of OpenAI's and Anthropic's APIs that 1min.ai has no counterpart for: the beginning of
/// the path, and what is said.
const WITHOUT_COUNTERPART: &[(&str, &str)] = &[
    (
        "embeddings",
        "1min.ai makes no embeddings: point the client's embedding base URL elsewhere, or the relay's EMBEDDINGS_BASE_URL.",
    ),
    ("moderations", "1min.ai has no moderation endpoint."),
    (
        "batches",
        "1min.ai runs no batches: send the requests one by one.",
    ),
    (
        "messages/batches",
        "1min.ai runs no batches: send the requests one by one.",
    ),
    ("fine_tuning", "1min.ai trains no models."),
    (
        "responses/compact",
        "The relay compacts no conversations: let the client summarise them, or begin a new one.",
    ),
    ("realtime", "1min.ai has no realtime sessions."),
    (
        "vector_stores",
        "1min.ai has no vector stores: send documents as file parts.",
    ),
    (
        "uploads",
        "Uploads in parts are not available: use POST /v1/files.",
    ),
    ("evals", "1min.ai runs no evals."),
    ("containers", "1min.ai has no containers."),
    ("videos", "Videos are not available through this API."),
    (
        "organization",
        "This relay administers no organization: see app.1min.ai.",
    ),
];

/// No such URL, or one that 1min.ai has nothing behind.
pub async fn route(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    answer(&failure(&method, &uri), &headers)
}

fn answer(failure: &Failure, headers: &HeaderMap) -> Response {
    if headers.contains_key("anthropic-version") {
        return respond::document(anthropic::error::document(failure));
    }
    respond::document(error::document(failure))
}

fn failure(method: &Method, uri: &Uri) -> Failure {
    let path = shown(uri);
    without_counterpart(&path).unwrap_or_else(|| {
        let message = format!(
            "There is no {method} {path} here. The base URL of this API ends in /v1; docs/parity.md lists its endpoints."
        );
        Failure::new(Kind::NotFound, message)
    })
}

/// The URL exists, the method does not.
pub async fn method(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = shown(&uri);
    let failure = without_counterpart(&path).unwrap_or_else(|| {
        let message = format!("{path} does not take {method}.");
        Failure::new(Kind::MethodNotAllowed, message)
    });
    answer(&failure, &headers)
}

fn shown(uri: &Uri) -> String {
    uri.path().chars().take(120).collect()
}

fn without_counterpart(path: &str) -> Option<Failure> {
    let mut below = path.trim_start_matches('/');
    while let Some(rest) = below.strip_prefix("v1/") {
        below = rest;
    }
    let known = |(begin, _): &&(&str, &str)| {
        below
            .strip_prefix(begin)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let (_, why) = WITHOUT_COUNTERPART.iter().find(known)?;
    Some(Failure::new(Kind::NotImplemented, *why).with_retry(false))
}
