//! The shapes round stored responses: pages of items, deletion, the count of a request's tokens.

use serde_json::{Value, json};

use crate::dialect::json;
use crate::dialect::list_query::ListQuery;

/// The items of a page that was not given a size, and the most of one, as OpenAI has it.
pub const PAGE: (usize, usize) = (20, 100);

fn id(item: &Value) -> &str {
    item.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// One page of items, which are given oldest first. Behind an item that is not there, nothing is: it
/// may have been deleted since its page was shown.
#[must_use]
pub fn list(items: &[Value], page: &ListQuery) -> Vec<u8> {
    let mut ordered: Vec<&Value> = items.iter().collect();
    if page.newest_first {
        ordered.reverse();
    }
    let start = match &page.after {
        None => 0,
        Some(after) => {
            let at = ordered.iter().position(|item| id(item) == after);
            at.map_or(ordered.len(), |at| at + 1)
        }
    };
    let rest = ordered.get(start..).unwrap_or_default();
    let shown = rest.get(..page.limit).unwrap_or(rest);
    json::text(&json!({
        "object": "list",
        "data": shown,
        "first_id": shown.first().map_or("", |item| id(item)),
        "last_id": shown.last().map_or("", |item| id(item)),
        "has_more": rest.len() > shown.len(),
    }))
}

/// The answer to `DELETE /v1/responses/{id}`.
#[must_use]
pub fn deleted(id: &str) -> Vec<u8> {
    json::text(&json!({"id": id, "object": "response", "deleted": true}))
}

/// The answer to `POST /v1/responses/input_tokens`.
#[must_use]
pub fn input_tokens(count: u64) -> Vec<u8> {
    json::text(&json!({"object": "response.input_tokens", "input_tokens": count}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(page: &ListQuery) -> (Vec<String>, bool) {
        let items: Vec<Value> = (0..5).map(|n| json!({"id": format!("i{n}")})).collect();
        let list: Value = serde_json::from_slice(&list(&items, page)).unwrap();
        let data = list["data"].as_array().unwrap();
        let ids: Vec<String> = data.iter().map(|item| id(item).to_owned()).collect();
        assert_eq!(
            list["first_id"],
            json!(ids.first().cloned().unwrap_or_default())
        );
        assert_eq!(
            list["last_id"],
            json!(ids.last().cloned().unwrap_or_default())
        );
        (ids, list["has_more"].as_bool().unwrap())
    }

    fn page(query: &[(&str, &str)]) -> ListQuery {
        let (standard, most) = PAGE;
        ListQuery::read(query.iter().copied(), standard, most).unwrap()
    }

    /// A query, the ids of the page, and whether there are more.
    type Row = (
        &'static [(&'static str, &'static str)],
        &'static [&'static str],
        bool,
    );

    #[test]
    fn a_list_is_told_page_by_page() {
        let table: &[Row] = &[
            (&[], &["i4", "i3", "i2", "i1", "i0"], false),
            (&[("order", "asc"), ("limit", "2")], &["i0", "i1"], true),
            (
                &[("order", "asc"), ("limit", "2"), ("after", "i1")],
                &["i2", "i3"],
                true,
            ),
            (
                &[
                    ("order", "asc"),
                    ("limit", "2"),
                    ("after", "i2"),
                    ("include", "x"),
                ],
                &["i3", "i4"],
                false,
            ),
            (&[("after", "i0")], &[], false),
            (&[("after", "i9")], &[], false),
        ];
        for (query, expected, more) in table {
            let expected = expected.iter().map(|id| (*id).to_owned()).collect();
            assert_eq!(ids(&page(query)), (expected, *more), "{query:?}");
        }
    }
}
