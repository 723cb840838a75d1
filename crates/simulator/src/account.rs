//! API keys: any key is good unless its name says otherwise.
//!
//! | key begins with | answer |
//! |---|---|
//! | (none, empty), `invalid`, `unknown` | 401, the key never existed |
//! | `inactive` | 401, the key is switched off |
//! | `deleted` | 401, the key was deleted |
//! | `broke` | 406 for whatever costs credits |

use http::HeaderMap;

use crate::digest::short;
use crate::refusal::Refusal;

/// The team that every key belongs to, and its member.
pub(crate) const TEAM: &str = "c0a8e1d4-71f2-4f57-9b3c-0d5e6f7a8b22";
pub(crate) const USER: &str = "3b1f6a0e-58d4-4a0f-8a2c-6f0d9b7e1c11";

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purse {
    Full,
    Empty,
}

/// Reads the `API-KEY` header; nothing else is accepted, in particular not `Authorization`.
pub(crate) fn admit(headers: &HeaderMap) -> Result<Purse, Refusal> {
    let key = key(headers).unwrap_or_default();
    if key.is_empty() || key.starts_with("invalid") || key.starts_with("unknown") {
        Err(Refusal::unknown_key())
    } else if key.starts_with("inactive") {
        Err(Refusal::key_inactive())
    } else if key.starts_with("deleted") {
        Err(Refusal::key_deleted())
    } else if key.starts_with("broke") {
        Ok(Purse::Empty)
    } else {
        Ok(Purse::Full)
    }
}

/// The key's hash, by which accounts and the journal call it.
pub(crate) fn key_hash(headers: &HeaderMap) -> String {
    short(key(headers).unwrap_or_default().as_bytes())
}

/// The key as it was sent.
pub(crate) fn key(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("api-key")
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{Purse, admit};

    #[test]
    fn only_the_header_api_key_opens_the_door() {
        let cases = [
            ("api-key", "abc", Some(Purse::Full)),
            ("api-key", "broke-1", Some(Purse::Empty)),
            ("api-key", "", None),
            ("api-key", "invalid-key", None),
            ("api-key", "unknown", None),
            ("api-key", "inactive", None),
            ("api-key", "deleted-7", None),
            ("authorization", "Bearer abc", None),
            ("x-api-key", "abc", None),
        ];
        for (name, value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a header value"));
            assert_eq!(admit(&headers).ok(), expected, "{name}: {value}");
        }
    }
}
