//! Which answers pages of other origins may read: those of the API, not those of the relay's own page
//! and of what manages it. What browsers are told about it.

use axum::body::Body;
use axum::response::Response;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};

/// Paths, as the routes have them, that only the relay's own page reads.
const CLOSED: [&str; 4] = ["/", "/page", "/admin", "/v1/keys"];

/// Whether browsers keep a path's answers from pages of other origins.
#[must_use]
pub fn is_closed(path: &str) -> bool {
    CLOSED.iter().any(|closed| {
        let rest = path.strip_prefix(closed);
        rest.is_some_and(|rest| rest.is_empty() || (*closed != "/" && rest.starts_with('/')))
    })
}

/// Lets pages of every origin read an answer and its headers.
pub fn open(headers: &mut HeaderMap) {
    for name in [
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
    ] {
        headers.insert(name, HeaderValue::from_static("*"));
    }
}

/// What a browser asks before it sends another origin's request; nothing is granted where it may not
/// read the answer.
#[must_use]
pub fn preflight(asked: &HeaderMap, is_closed: bool) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if is_closed {
        return response;
    }
    let headers = response.headers_mut();
    // A wildcard does not cover `Authorization`, so what is asked for is granted by name.
    let granted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let granted = granted.unwrap_or(HeaderValue::from_static(
        "Authorization, Content-Type, Accept, X-Api-Key",
    ));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, granted);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, DELETE, OPTIONS"),
    );
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("86400"),
    );
    // Pages on the web may reach a relay in the local network only if it says so.
    if asked.contains_key("access-control-request-private-network") {
        headers.insert(
            HeaderName::from_static("access-control-allow-private-network"),
            HeaderValue::from_static("true"),
        );
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_open_and_the_page_is_closed() {
        for (path, closed) in [
            ("/", true),
            ("/page/page.js", true),
            ("/admin/session", true),
            ("/admin", true),
            ("/v1/keys", true),
            ("/v1/keys/abc/rotate", true),
            ("/v1/key", false),
            ("/v1/keysmith", false),
            ("/v1/models", false),
            ("/health", false),
            ("/administrator", false),
        ] {
            assert_eq!(is_closed(path), closed, "{path}");
        }
    }
}
