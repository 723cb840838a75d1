//! Whether a request that changes something comes from the relay's own page: a browser sends cookies
//! also with what another site makes it send.

use http::{HeaderMap, Method, header};

/// Whether a request may use the cookie of a session: it changes nothing, or the browser says that
/// the relay's own page sent it.
#[must_use]
pub fn may_use_session(method: &Method, headers: &HeaderMap) -> bool {
    method.is_safe() || is_same_origin(headers)
}

/// Whether the browser says that a request comes from the relay's own page.
#[must_use]
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let origin = headers.get(header::ORIGIN).and_then(|o| o.to_str().ok());
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let (Some(origin), Some(host)) = (origin, host) else {
        return false;
    };
    let authority = origin.split_once("://").map(|(_, rest)| rest);
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// Whether the browser reached the relay by TLS: by what its page's origin says, or a proxy.
#[must_use]
pub fn is_https(headers: &HeaderMap) -> bool {
    let says = |name: &str, begin: &str| {
        let value = headers.get(name).and_then(|v| v.to_str().ok());
        value.is_some_and(|value| value.to_ascii_lowercase().starts_with(begin))
    };
    says("origin", "https://") || says("x-forwarded-proto", "https")
}

#[cfg(test)]
mod tests {
    use http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn only_the_own_page_may_change_something() {
        let host = ("host", "relay.example:5001");
        for (given, same) in [
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (vec![host, ("sec-fetch-site", "same-site")], false),
            (vec![host, ("sec-fetch-site", "cross-site")], false),
            (vec![host, ("sec-fetch-site", "none")], false),
            (vec![host, ("origin", "http://relay.example:5001")], true),
            (vec![host, ("origin", "https://RELAY.example:5001")], true),
            (vec![host, ("origin", "http://relay.example")], false),
            (vec![host, ("origin", "http://evil.example:5001")], false),
            (vec![host, ("origin", "null")], false),
            (vec![host], false),
            (vec![("origin", "http://relay.example:5001")], false),
            (
                vec![
                    host,
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://relay.example:5001"),
                ],
                false,
            ),
        ] {
            let headers = headers(&given);
            assert_eq!(is_same_origin(&headers), same, "{given:?}");
            assert_eq!(may_use_session(&Method::DELETE, &headers), same);
            assert!(may_use_session(&Method::GET, &headers));
        }
    }

    #[test]
    fn https_is_seen_behind_a_proxy() {
        assert!(is_https(&headers(&[("origin", "https://relay.example")])));
        assert!(is_https(&headers(&[("x-forwarded-proto", "https")])));
        assert!(!is_https(&headers(&[("origin", "http://relay.example")])));
        assert!(!is_https(&headers(&[])));
    }
}
