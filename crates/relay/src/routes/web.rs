//! The page for people at `/`: usage, keys, models and a place to try one. Its files are part of the
//! binary, and its content security policy lets a browser load nothing else.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};

/// The document; `{…}` are filled in by [`document`].
const DOCUMENT: &str = include_str!("web/index.html");

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The other files: name, media type, content.
const FILES: [(&str, &str, &str); 14] = [
    ("api.js", SCRIPT, include_str!("web/api.js")),
    ("chart.js", SCRIPT, include_str!("web/chart.js")),
    ("connect.js", SCRIPT, include_str!("web/connect.js")),
    ("dom.js", SCRIPT, include_str!("web/dom.js")),
    ("format.js", SCRIPT, include_str!("web/format.js")),
    ("icon.svg", "image/svg+xml", include_str!("web/icon.svg")),
    ("keys.js", SCRIPT, include_str!("web/keys.js")),
    ("models.js", SCRIPT, include_str!("web/models.js")),
    ("overview.js", SCRIPT, include_str!("web/overview.js")),
    ("page.css", STYLE, include_str!("web/page.css")),
    ("page.js", SCRIPT, include_str!("web/page.js")),
    ("requests.js", SCRIPT, include_str!("web/requests.js")),
    ("settings.js", SCRIPT, include_str!("web/settings.js")),
    ("try.js", SCRIPT, include_str!("web/try.js")),
];

/// Nothing but the page's own files and answers; images and speech that a model made are data and
/// blobs. Text never becomes markup or script.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

/// One validator for all files: they change together, with the binary.
static VERSION: LazyLock<HeaderValue> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    hash.update(DOCUMENT);
    for (.., content) in FILES {
        hash.update(content);
    }
    let mut tag = String::from("\"");
    for byte in hash.finalize().iter().take(8) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"1\""))
});

/// What the page has to know before it asks anything.
#[derive(Debug, Clone, Copy)]
pub struct PageMode {
    /// Whether one can sign in.
    pub sign_in: bool,
    /// Whose keys clients send: `off` is 1min.ai's own, `on` the relay's, `both` either.
    pub keys: &'static str,
}

/// The document, for a browser that called the relay by this host.
#[must_use]
pub fn document(mode: PageMode, host: &str) -> Response {
    let text = DOCUMENT
        .replace("{host}", &escaped(host))
        .replace("{version}", env!("CARGO_PKG_VERSION"))
        .replace("{sign_in}", if mode.sign_in { "true" } else { "false" })
        .replace("{keys}", mode.keys);
    let mut response = file_of("text/html; charset=utf-8", text);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `GET /page/{name}`: a file of the page.
pub async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some((_, media_type, content)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let is_known = headers.get(header::IF_NONE_MATCH) == Some(&*VERSION);
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file_of(media_type, *content)
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, VERSION.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn file_of(media_type: &'static str, content: impl Into<Body>) -> Response {
    let mut response = Response::new(content.into());
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A header is not to be trusted inside HTML.
fn escaped(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || ".:-[]".contains(*c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a person can read, and a small device can load.
    const LARGEST: usize = 80_000;

    #[test]
    fn the_page_is_small() {
        let files: usize = FILES.iter().map(|(.., content)| content.len()).sum();
        let all = DOCUMENT.len() + files;
        assert!(all <= LARGEST, "{all} bytes");
    }

    #[test]
    fn every_file_that_is_named_is_there() {
        let texts = FILES.iter().map(|(.., content)| *content).chain([DOCUMENT]);
        let mut named = 0;
        for text in texts {
            let links = text.split("\"page/").skip(1);
            let imports = text.split("from \"./").skip(1);
            for name in links.chain(imports) {
                let name = name.split('"').next().unwrap();
                assert!(FILES.iter().any(|(known, ..)| *known == name), "{name}");
                named += 1;
            }
        }
        assert!(named > FILES.len());
    }

    #[test]
    fn no_file_makes_markup_or_script_of_text() {
        for (name, _, content) in FILES {
            for word in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
            ] {
                assert!(!content.contains(word), "{word} in {name}");
            }
        }
    }

    #[test]
    fn a_hostile_host_is_no_markup() {
        assert_eq!(escaped("<script>x</script>:1"), "scriptxscript:1");
    }
}
