//! Lists that come in pages: what a client asks for, and the page it gets.

use serde::Serialize;

use crate::failure::Failure;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
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

/// One page. `has_more` always stands: without it the official SDKs ask for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    object: &'static str,
    data: Vec<T>,
    first_id: Option<String>,
    last_id: Option<String>,
    has_more: bool,
}

impl<T> Page<T> {
    /// A page of these entries, each with its id.
    #[must_use]
    pub fn new(entries: Vec<(String, T)>, has_more: bool) -> Self {
        let id = |entry: Option<&(String, T)>| entry.map(|(id, _)| id.clone());
        Self {
            object: "list",
            first_id: id(entries.first()),
            last_id: id(entries.last()),
            data: entries.into_iter().map(|(_, entry)| entry).collect(),
            has_more,
        }
    }
}

impl Query {
    /// Reads the pairs of a URL's query. Unknown names are passed over, empty values are as good
    /// as none.
    ///
    /// # Errors
    /// A value that means nothing.
    pub fn read<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
        standard: usize,
        most: usize,
    ) -> Result<Self, Failure> {
        let mut query = Self {
            after: None,
            before: None,
            limit: standard,
            newest_first: true,
            purpose: None,
        };
        for (name, value) in pairs {
            let value = value.as_ref().trim();
            if value.is_empty() {
                continue;
            }
            match name.as_ref() {
                "after" => query.after = Some(value.to_owned()),
                "before" => query.before = Some(value.to_owned()),
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
        let read = |pairs: &[(&str, &str)]| Query::read(pairs.iter().copied(), 20, 100);
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

    #[test]
    fn an_empty_page_names_no_ids_and_has_no_more() {
        let page = Page::<()>::new(Vec::new(), false);
        assert_eq!(
            serde_json::to_string(&page).unwrap(),
            r#"{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}"#
        );
    }
}
