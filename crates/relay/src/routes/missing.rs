//! URLs and methods that do not exist, in the shape that clients understand.

use axum::Extension;
use axum::response::Response;
use http::{HeaderMap, Method, Uri, header};
use translate::dialect::anthropic::messages;
use translate::dialect::ollama;
use translate::dialect::openai::chat;
use translate::failure::{Failure, Kind};
use translate::quote::quote;

use crate::http::context::RequestContext;
use crate::http::{admit, reply};

const NO_EMBEDDINGS: &str = "1min.ai makes no embeddings: point the client's embedding base URL elsewhere, or the relay's EMBEDDINGS_BASE_URL.";

const MODELS_STAY: &str = "The models are 1min.ai's: they cannot be made, copied or deleted here.";

/// Endpoints of OpenAI's, Anthropic's and Ollama's APIs that 1min.ai has no counterpart for: the beginning of
/// the path (with a slash at its end: only what is below), and what is said.
const WITHOUT_COUNTERPART: &[(&str, &str)] = &[
    ("embeddings", NO_EMBEDDINGS),
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
        "complete",
        "1min.ai has no text completions: use POST /v1/messages.",
    ),
    (
        "chat/completions/",
        "Chat completions are not kept here: those of POST /v1/responses are.",
    ),
    (
        "responses/compact",
        "Compaction is not supported: let the client summarise the conversation, or begin a new one.",
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
    ("skills", "1min.ai has no skills."),
    ("chatkit", "1min.ai has no sessions for ChatKit."),
    ("live", "1min.ai has no live sessions."),
    ("agents", "1min.ai runs no agents: let the client run them."),
    (
        "sessions",
        "1min.ai runs no agents: let the client run them.",
    ),
    (
        "environments",
        "1min.ai runs no agents: let the client run them.",
    ),
    (
        "audio/voices",
        "1min.ai has no custom voices: docs/media.md lists the available ones.",
    ),
    ("api/create", MODELS_STAY),
    ("api/copy", MODELS_STAY),
    ("api/push", MODELS_STAY),
    ("api/delete", MODELS_STAY),
    ("api/blobs", MODELS_STAY),
    ("api/embed", NO_EMBEDDINGS),
    ("api/embeddings", NO_EMBEDDINGS),
    (
        "prompts",
        "No prompts are kept here: send their text in the request.",
    ),
    (
        "organization",
        "This relay administers no organization: see app.1min.ai.",
    ),
];

/// No such URL, or one that 1min.ai has nothing behind.
pub async fn route(
    method: Method,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Response {
    answer(&failure(&method, &context.uri), &context, &headers)
}

/// Whether a URL's path is text. Handlers that take a part of it expect that.
pub fn is_readable(uri: &Uri) -> bool {
    // Most paths have nothing to decode.
    if uri
        .path()
        .bytes()
        .all(|byte| byte.is_ascii() && byte != b'%')
    {
        return true;
    }
    let decoded = url::form_urlencoded::parse(uri.path().as_bytes());
    !decoded
        .into_iter()
        .any(|(name, value)| [name, value].iter().any(|text| text.contains('\u{fffd}')))
}

/// A URL whose path is no text.
pub fn unreadable(context: &RequestContext, headers: &HeaderMap) -> Response {
    let failure = Failure::new(Kind::Invalid, "The URL's path is not UTF-8.");
    answer(&failure, context, headers)
}

/// A URL that holds a key where it may not.
pub fn key_in_url(context: &RequestContext, headers: &HeaderMap) -> Response {
    let message = "This relay takes no key from the URL, or not this one: send it as `Authorization: Bearer <key>`, or let the operator set KEYS_IN_URLS.";
    let failure = Failure::new(Kind::NotFound, message).with_retry(false);
    answer(&failure, context, headers)
}

fn answer(failure: &Failure, context: &RequestContext, headers: &HeaderMap) -> Response {
    refuse(failure, context, admit::speaks_anthropic(headers))
}

/// The answer to a request that no handler has. Anthropic's clients name their version, and ask for
/// what nobody else has.
pub fn refuse(failure: &Failure, context: &RequestContext, speaks_anthropic: bool) -> Response {
    let anthropics = ["messages", "complete"];
    let path = below(context.uri.path());
    let first = path.split('/').next().unwrap_or_default();
    let dialect = if anthropics.contains(&first) {
        &messages::DIALECT
    } else if first == "api" {
        &ollama::chat::DIALECT
    } else if speaks_anthropic {
        &messages::DIALECT
    } else {
        &chat::DIALECT
    };
    reply::failure(dialect, failure, context.id)
}

fn failure(method: &Method, uri: &Uri) -> Failure {
    let path = shown(uri);
    without_counterpart(&path).unwrap_or_else(|| {
        let method = quote(method.as_str());
        let message = format!(
            "Unknown URL: {method} {path}. The base URL is http://HOST:PORT/v1 for OpenAI clients, and the same without /v1 for Anthropic and Ollama clients."
        );
        Failure::new(Kind::NotFound, message)
    })
}

/// The URL exists, the method does not.
pub async fn method(
    method: Method,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Response {
    let path = shown(&context.uri);
    let failure = match without_counterpart(&path) {
        Some(failure) => failure,
        None if wants_websocket(&headers) => {
            let message = format!("{path} has no WebSocket: send the request by POST over HTTP.");
            Failure::new(Kind::UpgradeRefused, message).with_retry(false)
        }
        None => {
            let method = quote(method.as_str());
            let message = format!("{path} does not take {method}.");
            Failure::new(Kind::MethodNotAllowed, message)
        }
    };
    answer(&failure, &context, &headers)
}

/// Whether a client tries a WebSocket first, as Codex does. It goes on over HTTP at once when it is
/// told that there is none.
fn wants_websocket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

fn shown(uri: &Uri) -> String {
    quote(uri.path()).into_owned()
}

fn without_counterpart(path: &str) -> Option<Failure> {
    let below = below(path);
    let known = |(begin, _): &&(&str, &str)| {
        let rest = below.strip_prefix(begin);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || begin.ends_with('/'))
    };
    let (_, why) = WITHOUT_COUNTERPART.iter().find(known)?;
    Some(Failure::new(Kind::NotImplemented, *why).with_retry(false))
}

/// A path below the base URL, in whichever way the client built it.
fn below(path: &str) -> &str {
    let mut below = path.trim_start_matches('/');
    while let Some(rest) = below.strip_prefix("v1/") {
        below = rest;
    }
    below
}
