//! Makes an upstream's words fit to be shown: no addresses of providers, no ids of requests, no
//! keys, no stack traces, no control characters, and not too long.

use std::net::Ipv4Addr;

/// The longest message, in characters.
const MESSAGE_BYTES_MAX: usize = 800;

const REDACTED: &str = "…";

/// Ends of host names that are no words of a sentence.
const HOST_ENDS: [&str; 8] = [
    ".com",
    ".net",
    ".org",
    ".io",
    ".ai",
    ".dev",
    ".cloud",
    ".internal",
];

/// Beginnings of what providers call keys, organisations and requests.
const SECRET_BEGINS: [&str; 9] = [
    "sk-",
    "sk_",
    "AIza",
    "org-",
    "proj_",
    "req_",
    "req-",
    "chatcmpl-",
    "eyJ",
];

/// Words after which an id comes.
const ID_WORDS: [&str; 9] = [
    "request_id",
    "requestid",
    "request-id",
    "x-request-id",
    "trace_id",
    "traceid",
    "trace-id",
    "cf-ray",
    "ray",
];

/// Makes a text fit to be shown.
pub(super) fn clean(text: &str) -> String {
    let text = text.split("\n    at ").next().unwrap_or_default();
    let mut clean = String::with_capacity(text.len().min(MESSAGE_BYTES_MAX));
    let mut id_expected = Expect::Nothing;
    for word in text.split_inclusive(is_border) {
        let (body, border) = match word.char_indices().next_back() {
            Some((at, last)) if is_border(last) => word.split_at(at),
            _ => (word, ""),
        };
        clean.push_str(&shown(body, &mut id_expected));
        clean.extend(border.chars().map(|c| {
            if c.is_whitespace() || c.is_control() {
                ' '
            } else {
                c
            }
        }));
    }
    let words: Vec<&str> = clean.split_whitespace().collect();
    shortened(&words.join(" "))
}

fn is_border(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'()<>[]{},;`".contains(c)
}

/// Whether the next word is an id.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Nothing,
    /// "request" or "trace" was said; "id" may follow.
    Word,
    Id,
}

fn shown(word: &str, expect: &mut Expect) -> String {
    if word.is_empty() || word == ":" {
        return word.to_owned();
    }
    let small = word.trim_end_matches([':', '.']).to_ascii_lowercase();
    let before = std::mem::replace(expect, Expect::Nothing);
    if ID_WORDS.contains(&small.as_str()) || (before == Expect::Word && small == "id") {
        *expect = Expect::Id;
    } else if matches!(small.as_str(), "request" | "trace" | "ray") {
        *expect = Expect::Word;
    } else if before == Expect::Id && is_id(word) {
        return REDACTED.to_owned();
    }
    match word.split_once([':', '=']) {
        Some((name, id)) if ID_WORDS.contains(&name.to_ascii_lowercase().as_str()) && is_id(id) => {
            word.replace(id, REDACTED)
        }
        _ => without_address(word),
    }
}

fn is_id(word: &str) -> bool {
    word.len() >= 6 && word.bytes().any(|byte| byte.is_ascii_digit())
}

fn without_address(word: &str) -> String {
    if let Some(begin) = word.find("://") {
        let before = word.get(..begin).unwrap_or_default();
        let before = before.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let url = word.get(before.len()..).unwrap_or_default();
        return format!("{before}{}", url_shown(url));
    }
    let host = word.trim_end_matches(['.', ':', '!', '?']);
    let end = word.get(host.len()..).unwrap_or_default();
    if is_secret(host) || is_foreign_host(host) {
        format!("{REDACTED}{end}")
    } else {
        word.to_owned()
    }
}

/// 1min.ai's own addresses may be shown, without what follows a question mark.
fn url_shown(url: &str) -> String {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    let host = shown
        .split("://")
        .nth(1)
        .and_then(|rest| rest.split(['/', ':']).next())
        .unwrap_or_default();
    if is_own(host) {
        shown.to_owned()
    } else {
        REDACTED.to_owned()
    }
}

fn is_own(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "1min.ai" || host.ends_with(".1min.ai")
}

fn is_secret(word: &str) -> bool {
    word.len() >= 10 && SECRET_BEGINS.iter().any(|begin| word.starts_with(begin))
}

/// A name like `api.provider.example` or an address, with or without port and path.
fn is_foreign_host(word: &str) -> bool {
    let host = word.split(['/', ':']).next().unwrap_or_default();
    if host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let labels = host.split('.').count();
    let is_name = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let end = HOST_ENDS
        .iter()
        .any(|end| host.to_ascii_lowercase().ends_with(end));
    labels >= 3 && is_name && end && !is_own(host)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_BYTES_MAX) {
        Some((end, _)) => format!("{}{REDACTED}", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::clean;

    #[test]
    fn what_providers_let_slip_is_taken_out_and_the_reason_stays() {
        for (said, shown) in [
            (
                "The size does not match the allowed size 1664*928.",
                "The size does not match the allowed size 1664*928.",
            ),
            ("see https://api.provider.example/v1/x?key=1.", "see …"),
            (
                "post to (https://dashscope.aliyuncs.com/api) failed",
                "post to (…) failed",
            ),
            (
                "Go to https://app.1min.ai/members?token=1 now",
                "Go to https://app.1min.ai/members now",
            ),
            ("not https://1min.ai.evil.example/x", "not …"),
            ("错误：https://api.provider.example/v1", "错误：…"),
            (
                "siehe»https://app.1min.ai/a?b«",
                "siehe»https://app.1min.ai/a",
            ),
            (
                "getaddrinfo ENOTFOUND api.openai.com:443",
                "getaddrinfo ENOTFOUND …",
            ),
            (
                "connect ECONNREFUSED 10.0.0.7:8080.",
                "connect ECONNREFUSED ….",
            ),
            (
                "Model us.anthropic.claude-haiku-4-5-20251001-v1:0 is not supported",
                "Model us.anthropic.claude-haiku-4-5-20251001-v1:0 is not supported",
            ),
            (
                "Model black-forest-labs/flux-1.1-pro is not supported",
                "Model black-forest-labs/flux-1.1-pro is not supported",
            ),
            ("The request ID is missing", "The request ID is missing"),
            (
                "failed (request id: 7f3c1d52-0b6e)",
                "failed (request id: …)",
            ),
            (
                "request_id=00000000; x-request-id:abc123",
                "request_id=…; x-request-id:…",
            ),
            (
                "Include the request ID req_0123456789 please",
                "Include the request ID … please",
            ),
            (
                "{\"request_id\": \"00000000\", \"code\": \"InvalidParameter\"}",
                "{\"request_id\": \"…\", \"code\": \"InvalidParameter\"}",
            ),
            (
                "Incorrect API key: sk-proj-abcdef.",
                "Incorrect API key: ….",
            ),
            (
                "Rate limit in organization org-AbC123456 on tokens",
                "Rate limit in organization … on tokens",
            ),
            (
                "boom\n    at Object.<anonymous> (/srv/app/index.js:1:2)\n    at x",
                "boom",
            ),
            ("a\r\nb\u{0}c\u{1b}[31m", "a b c [31m"),
            ("  ", ""),
        ] {
            assert_eq!(clean(said), shown, "{said:?}");
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        assert_eq!(
            clean(&"é".repeat(5000)).chars().count(),
            super::MESSAGE_BYTES_MAX + 1
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_and_no_address_gets_through(before in ".{0,20}", after in ".{0,20}") {
            for space in [" ", ""] {
                let shown = clean(&format!("{before}{space}https://secret.provider.example/{after}"));
                prop_assert!(!shown.contains("secret.provider.example"));
            }
        }
    }
}
