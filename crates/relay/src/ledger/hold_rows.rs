//! Holds as rows of the database.

use std::collections::HashSet;

use super::row::HoldRow;
use crate::store::StoreError;
use crate::store::database::{ManyRows, Param, Row, Transaction};

/// The columns of a hold, as [`read_hold`] reads them.
pub(super) const HOLD_COLUMNS: &str =
    "id, request, key_id, account, api, model, credits, at, expires, counted, job";

/// Reads the columns of a hold.
///
/// # Errors
/// [`StoreError`].
pub(super) fn read_hold(row: &Row) -> Result<HoldRow, StoreError> {
    Ok(HoldRow {
        id: row.text(0)?,
        request: row.text(1)?,
        key_id: row.text(2)?,
        account: row.text(3)?,
        api: row.text(4)?,
        model: row.text(5)?,
        credits: row.integer(6)?,
        at: row.integer(7)?,
        expires: row.integer(8)?,
        counted: row.integer(9)? != 0,
        job: row.integer(10)? != 0,
    })
}

/// The query for the holds of jobs, in the columns of [`read_hold`].
#[must_use]
pub(super) fn jobs_query() -> String {
    format!("SELECT {HOLD_COLUMNS} FROM holds WHERE job = 1")
}

/// The hold of an id, if it is held.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn find_hold(
    transaction: &mut Transaction,
    id: &str,
) -> Result<Option<HoldRow>, StoreError> {
    let sql = format!("SELECT {HOLD_COLUMNS} FROM holds WHERE id = $1");
    let rows = transaction.rows(&sql, vec![id.into()]).await?;
    rows.first().map(read_hold).transpose()
}

/// What is held of an account.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn holds_of_account(
    transaction: &mut Transaction,
    account: &str,
) -> Result<Vec<HoldRow>, StoreError> {
    let sql = format!("SELECT {HOLD_COLUMNS} FROM holds WHERE account = $1");
    let rows = transaction.rows(&sql, vec![account.into()]).await?;
    rows.iter().map(read_hold).collect()
}

/// Some of the holds that have expired before a time, the oldest first; without a time, of all but
/// those of jobs.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn expired_holds(
    transaction: &mut Transaction,
    before: Option<i64>,
) -> Result<Vec<HoldRow>, StoreError> {
    let (condition, params) = match before {
        Some(before) => ("expires < $1", vec![Param::from(before)]),
        None => ("job = 0", Vec::new()),
    };
    let sql = format!("SELECT {HOLD_COLUMNS} FROM holds WHERE {condition} ORDER BY at LIMIT 1000");
    let rows = transaction.rows(&sql, params).await?;
    rows.iter().map(read_hold).collect()
}

/// Writes holds; those that are there stay.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn insert_holds(
    transaction: &mut Transaction,
    holds: &[&HoldRow],
) -> Result<(), StoreError> {
    let head = format!("INSERT INTO holds ({HOLD_COLUMNS}) VALUES");
    let many = ManyRows {
        head: &head,
        width: 11,
        tail: "ON CONFLICT (id) DO NOTHING",
    };
    let values = holds.iter().flat_map(|hold| hold_values(hold)).collect();
    transaction.execute_many(many, values).await.map(drop)
}

/// Deletes holds by their ids.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn delete_holds(
    transaction: &mut Transaction,
    ids: Vec<Param>,
) -> Result<(), StoreError> {
    let many = ManyRows {
        head: "DELETE FROM holds WHERE id IN (VALUES",
        width: 1,
        tail: ")",
    };
    transaction.execute_many(many, ids).await.map(drop)
}

/// Deletes holds by their ids, and tells which of them were there: of those that are counted, only
/// these may be given back.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn delete_counted_holds(
    transaction: &mut Transaction,
    ids: Vec<Param>,
) -> Result<HashSet<String>, StoreError> {
    let many = ManyRows {
        head: "DELETE FROM holds WHERE id IN (VALUES",
        width: 1,
        tail: ") RETURNING id",
    };
    let rows = transaction.rows_of_many(many, ids).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// The values of a hold's columns.
fn hold_values(hold: &HoldRow) -> [Param; 11] {
    [
        hold.id.as_str().into(),
        hold.request.as_str().into(),
        hold.key_id.as_str().into(),
        hold.account.as_str().into(),
        hold.api.as_str().into(),
        hold.model.as_str().into(),
        hold.credits.into(),
        hold.at.into(),
        hold.expires.into(),
        i64::from(hold.counted).into(),
        i64::from(hold.job).into(),
    ]
}
