//! The single rows of the ledger, for people. Credits are
//! thousandths, times milliseconds since 1970.

use super::usage::{credits, moment};
use crate::store::StoreError;
use crate::store::database::{Database, Param, Row};

/// The most requests of an answer.
pub const PAGE_MAX: u32 = 1000;

/// Which requests are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsQuery {
    /// From when.
    pub from: i64,
    /// Until when, not included.
    pub to: i64,
    /// Only this access key; none for all.
    pub key_id: Option<String>,
    /// Only this model.
    pub model: Option<String>,
    /// Only this endpoint.
    pub api: Option<String>,
    /// Only ends that begin so: `answered`, `failed`, `refused:out_of_credits`, ….
    pub outcome: Option<String>,
    /// The request after which the list goes on.
    pub after: Option<String>,
    /// The most requests.
    pub limit: u32,
    /// Whether what was spent outside and changes of keys are listed, too.
    pub all_kinds: bool,
}

/// A row for people.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ListedRow {
    /// Its id.
    pub id: String,
    /// When it began, in RFC 3339.
    pub time: String,
    /// `request`, `outside`, `admin`.
    pub kind: String,
    /// The access key, if there is one.
    pub key: Option<String>,
    /// The account, if it is one of the operator's.
    pub account: Option<String>,
    /// The endpoint.
    pub api: String,
    /// The model, if one was named.
    pub model: Option<String>,
    /// Whether it was streamed.
    pub streamed: bool,
    /// How it ended.
    pub end: String,
    /// The status.
    pub status: i64,
    /// Tokens read.
    pub tokens_in: i64,
    /// Tokens written.
    pub tokens_out: i64,
    /// Who counted them.
    pub tokens_source: Option<String>,
    /// What it cost, in credits.
    pub credits: f64,
    /// How that is known.
    pub source: String,
    /// Paid calls.
    pub upstream_calls: i64,
    /// How long it took.
    pub ms: i64,
    /// Until the first byte.
    pub first_byte_ms: Option<i64>,
    /// For the operator.
    pub note: String,
}

/// The newest requests first.
///
/// # Errors
/// [`StoreError`].
pub async fn rows(database: &Database, query: &RowsQuery) -> Result<Vec<ListedRow>, StoreError> {
    let mut params: Vec<Param> = vec![query.from.into(), query.to.into()];
    let mut conditions = vec!["at >= $1 AND at < $2".to_owned()];
    let mut when = |condition: &str, value: Param, params: &mut Vec<Param>| {
        params.push(value);
        conditions.push(condition.replace('?', &format!("${}", params.len())));
    };
    if let Some(key_id) = &query.key_id {
        when("key_id = ?", key_id.as_str().into(), &mut params);
    }
    if let Some(model) = &query.model {
        when("model = ?", model.as_str().into(), &mut params);
    }
    if let Some(api) = &query.api {
        when("api = ?", api.as_str().into(), &mut params);
    }
    if let Some(outcome) = &query.outcome {
        let length = i64::try_from(outcome.len()).unwrap_or(0);
        when(
            "substr(outcome, 1, CAST(? AS INTEGER)) =",
            length.into(),
            &mut params,
        );
        params.push(outcome.as_str().into());
        if let Some(last) = conditions.last_mut() {
            *last = format!("{last} ${}", params.len());
        }
    }
    if !query.all_kinds {
        conditions.push("kind = 'request'".to_owned());
    }
    if let Some(after) = &query.after {
        params.push(after.as_str().into());
        let place = params.len();
        conditions.push(format!(
            "(at, id) < (SELECT at, id FROM ledger WHERE at >= $1 AND at < $2 AND id = ${place})"
        ));
    }
    let limit = query.limit.clamp(1, PAGE_MAX + 1);
    let sql = format!(
        "SELECT id, at, kind, key_id, account, api, model, streamed, outcome, status, \
         input_tokens, output_tokens, tokens_by, credits, source, calls, ms, first_byte_ms, note \
         FROM ledger WHERE {} ORDER BY at DESC, id DESC LIMIT {limit}",
        conditions.join(" AND ")
    );
    let rows = database.rows(sql, params).await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &Row) -> Result<ListedRow, StoreError> {
    let given = |column| -> Result<Option<String>, StoreError> {
        Ok(Some(row.text(column)?).filter(|text| !text.is_empty()))
    };
    Ok(ListedRow {
        id: row.text(0)?,
        time: moment(row.integer(1)?),
        kind: row.text(2)?,
        key: given(3)?,
        account: given(4)?,
        api: row.text(5)?,
        model: given(6)?,
        streamed: row.integer(7)? != 0,
        end: row.text(8)?,
        status: row.integer(9)?,
        tokens_in: row.integer(10)?,
        tokens_out: row.integer(11)?,
        tokens_source: given(12)?,
        credits: credits(row.integer(13)?),
        source: row.text(14)?,
        upstream_calls: row.integer(15)?,
        ms: row.integer(16)?,
        first_byte_ms: row.optional_integer(17)?,
        note: row.text(18)?,
    })
}
