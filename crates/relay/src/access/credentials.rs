//! The 1min.ai key that a client sends.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use onemin::ApiKey;
use translate::failure::{Failure, Kind};

/// The key of 1min.ai's that a credential is, see [`text_of`].
///
/// # Errors
/// A [`Kind::Unauthenticated`] failure, without any part of what was sent.
pub fn key(credential: Option<&str>) -> Result<ApiKey, Failure> {
    ApiKey::parse(credential.ok_or_else(no_key)?).map_err(|_| bad_key())
}

/// The credential of a request as it was sent, whatever it is: `Authorization: Bearer`, as OpenAI's clients
/// send it, `x-api-key`, as Anthropic's do, or `api-key`, as Azure's do and 1min.ai itself has it.
#[must_use]
pub fn text_of(headers: &HeaderMap) -> Option<&str> {
    let filled = |key: &str| !key.is_empty();
    let given = |name| {
        let value = headers.get(name).and_then(text);
        value.map(str::trim).filter(|key| filled(key))
    };
    let bearer = bearer(headers).map(str::trim).filter(|key| filled(key));
    bearer
        .or_else(|| given("x-api-key"))
        .or_else(|| given("api-key"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION).and_then(text)?.trim();
    match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Some(key),
        Some(_) => None,
        // Some clients leave the scheme out.
        None => Some(value).filter(|v| !v.eq_ignore_ascii_case("bearer")),
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

fn no_key() -> Failure {
    Failure::new(
        Kind::Unauthenticated,
        "No API key: send your 1min.ai key as `Authorization: Bearer <key>` (1021). Keys are made at app.1min.ai, Settings, API.",
    )
    .with_retry(false)
}

fn bad_key() -> Failure {
    Failure::new(
        Kind::Unauthenticated,
        "The API key contains invalid characters. Send your 1min.ai key as `Authorization: Bearer <key>` (1020).",
    )
    .with_retry(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_key_is_found_where_clients_put_it() {
        type Row = (
            &'static [(&'static str, &'static str)],
            Option<&'static str>,
        );
        let table: &[Row] = &[
            (&[("authorization", "Bearer abc")], Some("abc")),
            (&[("authorization", "bearer  abc ")], Some("abc")),
            (&[("authorization", "abc")], Some("abc")),
            (&[("x-api-key", "abc")], Some("abc")),
            (&[("api-key", "abc")], Some("abc")),
            (
                &[("authorization", "Bearer "), ("x-api-key", "abc")],
                Some("abc"),
            ),
            (
                &[("authorization", "Bearer abc"), ("x-api-key", "other")],
                Some("abc"),
            ),
            (
                &[("authorization", "Basic YTpi"), ("x-api-key", "abc")],
                Some("abc"),
            ),
            (&[("authorization", "Bearer ")], None),
            (&[("authorization", "Basic YTpi")], None),
            (&[], None),
        ];
        for (pairs, expected) in table {
            let pairs: Vec<_> = pairs.iter().map(|(n, v)| (&**n, &**v)).collect();
            let found = key(text_of(&headers(&pairs))).ok();
            assert_eq!(found.as_ref().map(ApiKey::expose), *expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_refusal_shows_nothing_of_the_key() {
        let refused = key(text_of(&headers(&[("authorization", "Bearer sec\tret")])));
        assert!(!format!("{refused:?}").contains("sec"));
        let good = key(text_of(&headers(&[("authorization", "Bearer secret")]))).unwrap();
        assert!(!format!("{good:?}").contains("secret"));
    }
}
