//! `/v1/files` as Anthropic shapes it: the entries, their pages, and what its queries are called.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::json;

use crate::dialect::json;
use crate::dialect::time::rfc3339;

/// The entries of a page that was not given a size, and the most that one may have.
pub const PAGE: (usize, usize) = (20, 1000);

/// What the name of a page begins with; the id of the last file before it follows.
const PAGE_PREFIX: &str = "page_";

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type, if the client said.
    pub mime: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// When it was uploaded, in seconds since 1970.
    pub created: u64,
    /// When it will be gone; none is never.
    pub expires: Option<u64>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    filename: &'a str,
    mime_type: &'a str,
    size_bytes: u64,
    created_at: String,
    downloadable: bool,
    expires_at: Option<String>,
}

impl<'a> From<&'a File> for Entry<'a> {
    fn from(file: &'a File) -> Self {
        Self {
            id: &file.id,
            kind: "file",
            filename: &file.name,
            mime_type: file.mime.as_deref().unwrap_or("application/octet-stream"),
            size_bytes: file.bytes,
            created_at: rfc3339(file.created),
            downloadable: true,
            expires_at: file.expires.map(rfc3339),
        }
    }
}

/// One file as JSON text.
#[must_use]
pub fn entry(file: &File) -> Vec<u8> {
    json::text(&Entry::from(file))
}

/// A page of files as JSON text, for clients that ask for the next page by its name and for older
/// ones that ask for what stands after an id.
#[must_use]
pub fn list(files: &[File], has_more: bool) -> Vec<u8> {
    let data: Vec<Entry<'_>> = files.iter().map(Entry::from).collect();
    let id = |file: Option<&File>| file.map(|file| file.id.clone());
    let last = id(files.last());
    json::text(&json!({
        "data": data,
        "has_more": has_more,
        "first_id": id(files.first()),
        "next_page": last.as_ref().filter(|_| has_more).map(|id| format!("{PAGE_PREFIX}{id}")),
        "last_id": last,
    }))
}

/// The answer to a deletion, as JSON text.
#[must_use]
pub fn deleted(id: &str) -> Vec<u8> {
    json::text(&json!({"id": id, "type": "file_deleted"}))
}

/// A pair of a URL's query with a page's name in the words that other lists have for it.
#[must_use]
pub fn query<'q>(name: Cow<'q, str>, value: Cow<'q, str>) -> (Cow<'q, str>, Cow<'q, str>) {
    match &*name {
        "page" => {
            let after = value.strip_prefix(PAGE_PREFIX).unwrap_or(&value).to_owned();
            (Cow::Borrowed("after"), Cow::Owned(after))
        }
        _ => (name, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn file(id: &str) -> File {
        File {
            id: id.to_owned(),
            name: "a.txt".to_owned(),
            mime: Some("text/plain".to_owned()),
            bytes: 5,
            created: 1_735_689_600,
            expires: Some(1_735_693_200),
        }
    }

    #[test]
    fn an_entry_has_every_field_that_the_sdks_require() {
        assert_eq!(
            String::from_utf8(entry(&file("file_1"))).unwrap(),
            r#"{"id":"file_1","type":"file","filename":"a.txt","mime_type":"text/plain","size_bytes":5,"created_at":"2025-01-01T00:00:00Z","downloadable":true,"expires_at":"2025-01-01T01:00:00Z"}"#
        );
    }

    #[test]
    fn a_page_names_the_next_one_in_words_that_ask_for_it() {
        let page: Value = serde_json::from_slice(&list(&[file("a"), file("b")], true)).unwrap();
        let next = page["next_page"].as_str().unwrap();
        let asked = query("page".into(), next.into());
        assert_eq!(asked, ("after".into(), "b".into()));
        assert_eq!(
            (&page["first_id"], &page["last_id"]),
            (&json!("a"), &json!("b"))
        );
        let last: Value = serde_json::from_slice(&list(&[], false)).unwrap();
        assert_eq!(last["next_page"], Value::Null);
        assert_eq!(
            query("limit".into(), "3".into()),
            ("limit".into(), "3".into())
        );
    }
}
