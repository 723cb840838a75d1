//! The paths of requests as the routes have them: clients build URLs on bases with and without `/v1`.

use http::Uri;

/// The URL without the slashes too many that come from a base URL that ends in one. None if there
/// are none.
#[must_use]
pub fn without_empty_segments(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let is_bare = path == "/" || !(path.contains("//") || path.ends_with('/'));
    if is_bare {
        return None;
    }
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut bare: String = segments.flat_map(|segment| ["/", segment]).collect();
    if bare.is_empty() {
        bare.push('/');
    }
    if let Some(query) = uri.query() {
        bare.extend(["?", query]);
    }
    bare.parse().ok()
}

/// Whether a path is not below `/v1`: Ollama's API is below `/api`.
fn is_of_root(path: &str) -> bool {
    let trees = ["/page/", "/admin/", "/api/", "/1min/"];
    ["/", "/health", "/metrics"].contains(&path) || trees.iter().any(|tree| path.starts_with(tree))
}

/// The URL below `/v1`. Clients build URLs in three ways: on a base with `/v1`, on one without, and
/// (those that add `/v1` themselves to a base that has it) with both. All mean the same. None if
/// the URL is canonical.
#[must_use]
pub fn canonical(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let canonical = match path.strip_prefix("/v1/") {
        Some(rest) if rest.starts_with("v1/") || rest.starts_with("api/") => format!("/{rest}"),
        Some(_) => return None,
        None if path.starts_with("/api/v1/") => path.replacen("/api", "", 1),
        // LM Studio's own API beside OpenAI's differs in its list of models alone.
        None if path.starts_with("/api/v0/") && !path.starts_with("/api/v0/models") => {
            path.replacen("/api/v0", "/v1", 1)
        }
        // Azure's newer paths.
        None if path.starts_with("/openai/v1/") => path.replacen("/openai", "", 1),
        None if path.starts_with("/openai/") => path.replacen("/openai", "/v1", 1),
        None if path == "/v1" || is_of_root(path) => return None,
        None => format!("/v1{path}"),
    };
    let query = uri.query().map(|query| format!("?{query}"));
    format!("{canonical}{}", query.unwrap_or_default())
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many_are_taken_out() {
        let table = [
            ("/v1/models", None),
            ("/v1/models?after_id=a//b/", None),
            ("/", None),
            ("/v1//chat/completions", Some("/v1/chat/completions")),
            ("//v1/models/", Some("/v1/models")),
            ("/v1/models/?limit=3", Some("/v1/models?limit=3")),
            ("//", Some("/")),
        ];
        for (given, bare) in table {
            let bare: Option<Uri> = bare.map(|bare| bare.parse().unwrap());
            let given = Uri::builder().path_and_query(given).build().unwrap();
            assert_eq!(without_empty_segments(&given), bare, "{given}");
        }
    }

    #[test]
    fn bases_with_and_without_a_version_mean_the_same() {
        let table = [
            ("/v1/models", None),
            ("/models", Some("/v1/models")),
            ("/models?limit=3", Some("/v1/models?limit=3")),
            ("/v1/v1/models", Some("/v1/models")),
            ("/v1/v1/v1/models", Some("/v1/v1/models")),
            ("/v1", None),
            ("/", None),
            ("/health", None),
            ("/metrics", None),
            ("/page/page.js", None),
            ("/admin/api/keys", None),
            ("/pages", Some("/v1/pages")),
            ("/v1/health", None),
            ("/api/chat", None),
            ("/v1/api/chat", Some("/api/chat")),
            ("/api/v1/models", Some("/v1/models")),
            ("/api/v0/models", None),
            ("/api/v0/chat/completions", Some("/v1/chat/completions")),
            ("/openai/v1/responses", Some("/v1/responses")),
            (
                "/openai/responses?api-version=preview",
                Some("/v1/responses?api-version=preview"),
            ),
        ];
        for (given, expected) in table {
            let expected: Option<Uri> = expected.map(|uri| uri.parse().unwrap());
            let given = Uri::builder().path_and_query(given).build().unwrap();
            assert_eq!(canonical(&given), expected, "{given}");
        }
    }
}
