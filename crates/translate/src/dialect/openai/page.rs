//! A page of a list.

use serde::Serialize;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_page_names_no_ids_and_has_no_more() {
        let page = Page::<()>::new(Vec::new(), false);
        assert_eq!(
            serde_json::to_string(&page).unwrap(),
            r#"{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}"#
        );
    }
}
