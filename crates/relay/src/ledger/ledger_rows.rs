//! Rows of the ledger in the database.

use super::row::LedgerRow;
use crate::store::StoreError;
use crate::store::database::{ManyRows, Param, Transaction};

const INSERT: ManyRows<'_> = ManyRows {
    head: "INSERT INTO ledger (id, at, kind, key_id, account, api, model, streamed, outcome, \
           status, input_tokens, output_tokens, tokens_by, credits, source, calls, ms, \
           first_byte_ms, note) VALUES",
    width: 19,
    tail: "",
};

/// Writes rows, by their values.
///
/// # Errors
/// [`StoreError`], also if one of them is there already; the transaction must be undone.
pub(super) async fn insert_rows(
    transaction: &mut Transaction,
    values: Vec<Param>,
) -> Result<(), StoreError> {
    transaction.execute_many(INSERT, values).await.map(drop)
}

/// Writes a row, unless it is there already, and tells whether it was.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn insert_row_once(
    transaction: &mut Transaction,
    row: &LedgerRow,
) -> Result<bool, StoreError> {
    let once = ManyRows {
        tail: "ON CONFLICT (at, id) DO NOTHING",
        ..INSERT
    };
    let values = row_values(row).to_vec();
    Ok(transaction.execute_many(once, values).await? > 0)
}

/// The values of a row.
pub(super) fn row_values(row: &LedgerRow) -> [Param; 19] {
    let number = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    [
        row.id.as_str().into(),
        row.at.into(),
        row.kind.as_str().into(),
        row.key_id.as_str().into(),
        row.account.as_str().into(),
        row.api.as_str().into(),
        row.model.as_str().into(),
        i64::from(row.streamed).into(),
        row.outcome.as_str().into(),
        i64::from(row.status).into(),
        number(row.input_tokens).into(),
        number(row.output_tokens).into(),
        row.tokens_by.as_str().into(),
        row.credits.into(),
        row.source.as_str().into(),
        i64::from(row.calls).into(),
        row.ms.into(),
        row.first_byte_ms.into(),
        row.note.as_str().into(),
    ]
}
