//! Pages of an owner's records: those after or before a given id, in either order.

use translate::failure::Failure;

use super::StoreError;
use super::records::{Collection, Listing, Record, is_id};
use crate::account_id::AccountId;

/// Which part of an owner's records is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// The id after which the page begins.
    pub after: Option<String>,
    /// The id before which the page ends.
    pub before: Option<String>,
    /// The most records of the page.
    pub limit: usize,
    /// Whether the newest come first.
    pub newest_first: bool,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The parameter of this name is not an id.
    #[error("`{0}` must be an id from an earlier page.")]
    Cursor(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Cursor(name) => Self::invalid(name, error.to_string()),
            PageError::Store(error) => error.into(),
        }
    }
}

/// Records read at once while those that are wanted are picked out.
const READ: usize = 200;

/// The records of one page in their order, and whether there are more.
///
/// # Errors
/// A cursor that is not an id, or the store.
pub async fn read<R: Record>(
    collection: &Collection<R>,
    owner: AccountId,
    query: &PageQuery,
    is_wanted: impl Fn(&R) -> bool + Send,
) -> Result<(Vec<(String, R)>, bool), PageError> {
    let backwards = query.before.is_some() && query.after.is_none();
    let mut listing = Listing {
        after: cursor(query)?,
        falling: query.newest_first != backwards,
        ..Listing::default()
    };
    let mut page = Vec::new();
    while page.len() <= query.limit {
        listing.limit = READ.min(query.limit + 1);
        let part = collection.list_part(owner, listing.clone()).await?;
        let wanted = part.records.into_iter();
        page.extend(wanted.filter(|(_, record)| is_wanted(record)));
        if part.next.is_none() {
            break;
        }
        listing.after = part.next;
    }
    let has_more = page.len() > query.limit;
    page.truncate(query.limit);
    if backwards {
        page.reverse();
    }
    Ok((page, has_more))
}

fn cursor(query: &PageQuery) -> Result<Option<String>, PageError> {
    let (name, given) = match (&query.after, &query.before) {
        (Some(after), _) => ("after", after),
        (None, Some(before)) => ("before", before),
        (None, None) => return Ok(None),
    };
    if is_id(given) {
        Ok(Some(given.clone()))
    } else {
        Err(PageError::Cursor(name))
    }
}
