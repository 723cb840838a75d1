//! Pages of an owner's records, as OpenAI's lists come.

use translate::dialect::openai::page::Query;
use translate::failure::Failure;

use super::state::{Collection, Listing, Record, is_id};
use crate::access::account_id::AccountId;

/// Records read at once while those that are wanted are picked out.
const READ: usize = 200;

/// The records of one page in their order, and whether there are more.
///
/// # Errors
/// A cursor that is no id, or the store.
pub async fn read<R: Record>(
    collection: &Collection<R>,
    owner: AccountId,
    query: &Query,
    is_wanted: impl Fn(&R) -> bool + Send,
) -> Result<(Vec<(String, R)>, bool), Failure> {
    let backwards = query.before.is_some() && query.after.is_none();
    let mut listing = Listing {
        after: cursor(query)?,
        falling: query.newest_first != backwards,
        ..Listing::default()
    };
    let mut page = Vec::new();
    while page.len() <= query.limit {
        listing.limit = READ.min(query.limit + 1);
        let found = collection.list(owner, listing.clone()).await?;
        let is_last = found.len() < listing.limit;
        listing.after = found.last().map(|(id, _)| id.clone());
        page.extend(found.into_iter().filter(|(_, record)| is_wanted(record)));
        if is_last {
            break;
        }
    }
    let has_more = page.len() > query.limit;
    page.truncate(query.limit);
    if backwards {
        page.reverse();
    }
    Ok((page, has_more))
}

fn cursor(query: &Query) -> Result<Option<String>, Failure> {
    let (name, given) = match (&query.after, &query.before) {
        (Some(after), _) => ("after", after),
        (None, Some(before)) => ("before", before),
        (None, None) => return Ok(None),
    };
    if is_id(given) {
        Ok(Some(given.clone()))
    } else {
        let message = format!("`{name}` must be an id from an earlier page.");
        Err(Failure::invalid(name, message))
    }
}
