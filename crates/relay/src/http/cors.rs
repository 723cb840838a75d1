//! Which answers pages of other origins may read: those of the API, not those of the relay's own page
//! and of what manages it.

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
