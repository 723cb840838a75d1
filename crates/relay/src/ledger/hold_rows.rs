//! Holds as rows of the database.

use super::row::HoldRow;
use crate::store::StoreError;
use crate::store::database::{Param, Row, Transaction};

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

/// Writes a hold; one that is there stays.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn insert_hold(
    transaction: &mut Transaction,
    hold: &HoldRow,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO holds ({HOLD_COLUMNS}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING"
    );
    transaction.execute(&sql, hold_params(hold)).await.map(drop)
}

/// The values of a hold's columns.
fn hold_params(hold: &HoldRow) -> Vec<Param> {
    vec![
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
