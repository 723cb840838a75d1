//! Which part of a list is wanted: the queries of OpenAI's lists (`after`, `before`) and of Anthropic's
//! (`after_id`, `before_id`).

use crate::failure::Failure;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// The id after which the page begins.
    pub after: Option<String>,
    /// The id before which the page ends.
    pub before: Option<String>,
    /// The most entries of the page.
    pub limit: usize,
    /// Whether the newest come first.
    pub newest_first: bool,
    /// Only files of this purpose.
    pub purpose: Option<String>,
}

impl ListQuery {
    /// The newest entries, so many at most.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self {
            after: None,
            before: None,
            limit,
            newest_first: true,
            purpose: None,
        }
    }

    /// Reads the pairs of a URL's query, already decoded: `standard` entries where no `limit` is
    /// given, `most` at most. Unknown names are passed over, empty values are as good as none.
    ///
    /// # Errors
    /// A value that means nothing.
    pub fn read<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
        standard: usize,
        most: usize,
    ) -> Result<Self, Failure> {
        let mut query = Self::newest(standard);
        for (name, value) in pairs {
            let value = value.as_ref().trim();
            if value.is_empty() {
                continue;
            }
            match name.as_ref() {
                "after" | "after_id" => query.after = Some(value.to_owned()),
                "before" | "before_id" => query.before = Some(value.to_owned()),
                "purpose" => query.purpose = Some(value.to_owned()),
                "limit" => query.limit = limit(value, most)?,
                "order" => query.newest_first = newest_first(value)?,
                _ => {}
            }
        }
        Ok(query)
    }
}

fn limit(value: &str, most: usize) -> Result<usize, Failure> {
    let limit = value.parse().ok().filter(|n| (1..=most).contains(n));
    limit.ok_or_else(|| {
        Failure::invalid(
            "limit",
            format!("`limit` must be a number from 1 to {most}."),
        )
    })
}

fn newest_first(value: &str) -> Result<bool, Failure> {
    match value {
        "desc" => Ok(true),
        "asc" => Ok(false),
        _ => Err(Failure::invalid(
            "order",
            "`order` must be `asc` or `desc`.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_and_what_means_nothing_is_named() {
        let read = |pairs: &[(&str, &str)]| ListQuery::read(pairs.iter().copied(), 20, 100);
        let query = read(&[
            ("limit", "5"),
            ("order", "asc"),
            ("after", "x"),
            ("new", "y"),
        ]);
        let query = query.unwrap();
        assert_eq!(
            (query.limit, query.newest_first, query.after.as_deref()),
            (5, false, Some("x"))
        );
        assert_eq!(read(&[("limit", ""), ("order", "")]).unwrap().limit, 20);
        for (name, value) in [
            ("limit", "0"),
            ("limit", "-1"),
            ("limit", "101"),
            ("limit", "1e2"),
            ("limit", "ten"),
            ("order", "up"),
            ("order", "ASC"),
        ] {
            let failure = read(&[(name, value)]).unwrap_err();
            assert_eq!(failure.param.as_deref(), Some(name), "{value}");
        }
    }
}
