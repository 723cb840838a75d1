//! Ids of a response and its items.

use crate::reply::ResponseMeta;

/// The id of the response to a request.
#[must_use]
pub fn response_id(meta: &ResponseMeta) -> String {
    format!("resp_{}", meta.id)
}

pub(super) fn item_id(prefix: &str, meta: &ResponseMeta, index: usize) -> String {
    format!("{prefix}_{}{index:02x}", meta.id)
}

/// The most characters of the stamp that go into a call's id: OpenAI's own service refuses
/// histories with ids of more than 40 characters, and a conversation may be continued there.
const MAX_STAMP: usize = 29;

pub(super) fn call_id(meta: &ResponseMeta, call: usize) -> String {
    let meta = meta.id.get(..MAX_STAMP).unwrap_or(&meta.id);
    format!("call_{meta}{call:06x}")
}
