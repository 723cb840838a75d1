//! A group of messages as statements of one transaction: rows, their sums by hour and day, budget
//! counters and the accounts' totals change together or not at all.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::counters::RELAY;
use super::hold_rows::{HOLD_COLUMNS, insert_hold, read_hold};
use super::period::Calendar;
use super::queue::Message;
use super::row::{CostSource, HoldRow, LedgerRow, RowKind};
use crate::accounts::balance::Balance;
use crate::store::StoreError;
use crate::store::database::{Param, Transaction};

const HOUR: i64 = 60 * 60 * 1000;

/// Rows whose real cost may still become known, by account.
pub type OpenRows = HashMap<String, Vec<LedgerRow>>;

/// Rows of an account whose cost is still open that are remembered.
const OPEN_MAX: usize = 1000;

/// A change of a row's cost after it was booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The access key; empty without one.
    pub key_id: String,
    /// When the request began.
    pub at: i64,
    /// By how much the cost differs, in thousandths of a credit.
    pub difference: i64,
}

/// Books messages within a transaction.
pub struct Booking<'t> {
    transaction: &'t mut Transaction,
    calendar: Calendar,
    open: OpenRows,
    sums: BTreeMap<SumKey, Sum>,
    counters: BTreeMap<(String, String), (i64, i64)>,
    booked: BTreeMap<String, i64>,
    corrections: Vec<Correction>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SumKey {
    hour: i64,
    day: String,
    kind: &'static str,
    key_id: String,
    account: String,
    api: String,
    model: String,
    outcome: String,
}

#[derive(Debug, Default)]
struct Sum {
    requests: i64,
    failed: i64,
    input_tokens: i64,
    output_tokens: i64,
    credits: i64,
}

/// What booking has changed besides the database.
#[derive(Debug, Default)]
pub struct Booked {
    /// Rows whose cost is open now.
    pub open: OpenRows,
    /// What budgets in memory have to follow.
    pub corrections: Vec<Correction>,
}

/// The messages that must be written: a hold that is settled in the same group is not.
fn needed(messages: &[Message]) -> (Vec<&Message>, HashSet<&str>) {
    let settled = messages.iter().filter_map(|message| match message {
        Message::Row(row) => Some(row.settles.iter().map(|hold| hold.id.as_str())),
        _ => None,
    });
    let settled: HashSet<&str> = settled.flatten().collect();
    let mut skipped = HashSet::new();
    let needed = messages.iter().filter(|message| match message {
        Message::Hold(hold) if !hold.counted && settled.contains(hold.id.as_str()) => {
            skipped.insert(hold.id.as_str());
            false
        }
        _ => true,
    });
    (needed.collect(), skipped)
}

impl<'t> Booking<'t> {
    /// Begins a group.
    #[must_use]
    pub fn new(transaction: &'t mut Transaction, calendar: Calendar, open: OpenRows) -> Self {
        Self {
            transaction,
            calendar,
            open,
            sums: BTreeMap::new(),
            counters: BTreeMap::new(),
            booked: BTreeMap::new(),
            corrections: Vec::new(),
        }
    }

    /// Takes up rows whose cost was open when the process before ended.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction must be undone.
    pub async fn load_open(&mut self) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT l.id, l.at, l.key_id, l.account, l.api, l.model, l.outcome, l.credits \
             FROM ledger l JOIN accounts a ON a.name = l.account \
             WHERE l.source IN ('estimated', 'unknown') AND l.at >= a.base_at LIMIT {OPEN_MAX}"
        );
        for row in self.transaction.rows(&sql, Vec::new()).await? {
            let row = LedgerRow {
                id: row.text(0)?,
                at: row.integer(1)?,
                key_id: row.text(2)?,
                account: row.text(3)?,
                api: row.text(4)?,
                model: row.text(5)?,
                outcome: row.text(6)?,
                credits: row.integer(7)?,
                source: CostSource::Estimated,
                ..LedgerRow::default()
            };
            self.open.entry(row.account.clone()).or_default().push(row);
        }
        Ok(())
    }

    /// Books messages in their order.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction must be undone.
    pub async fn book(&mut self, messages: &[Message]) -> Result<(), StoreError> {
        let (needed, skipped) = needed(messages);
        for message in needed {
            match message {
                Message::Hold(hold) => insert_hold(self.transaction, hold).await?,
                Message::Row(row) => self.row(row, &skipped).await?,
                Message::Balance {
                    account,
                    balance,
                    began,
                } => self.balance(account, *balance, *began).await?,
            }
        }
        Ok(())
    }

    /// Books calls whose process died, or whose time is over, as their estimate. `expired` is the
    /// time before which a hold must have expired; none means all but those of jobs.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction must be undone.
    pub async fn give_up_holds(&mut self, expired: Option<i64>) -> Result<usize, StoreError> {
        let (condition, params) = match expired {
            Some(before) => ("expires < $1", vec![Param::from(before)]),
            None => ("job = 0", Vec::new()),
        };
        let sql =
            format!("SELECT {HOLD_COLUMNS} FROM holds WHERE {condition} ORDER BY at LIMIT 1000");
        let rows = self.transaction.rows(&sql, params).await?;
        let count = rows.len();
        for row in &rows {
            let hold = read_hold(row)?;
            if !self.delete_hold(&hold).await? {
                continue;
            }
            let row = LedgerRow {
                id: hold.id,
                at: hold.at,
                key_id: hold.key_id,
                account: hold.account,
                api: hold.api,
                model: hold.model,
                outcome: "lost".to_owned(),
                credits: hold.credits,
                source: CostSource::Unknown,
                calls: 1,
                ..LedgerRow::default()
            };
            self.row(&row, &HashSet::new()).await?;
        }
        Ok(count)
    }

    /// Writes the sums. Gives what has changed besides the database, for when it is committed.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction must be undone.
    pub async fn finish(mut self) -> Result<Booked, StoreError> {
        for (key, sum) in std::mem::take(&mut self.sums) {
            self.write_sum(key, &sum).await?;
        }
        let accounts: Vec<String> = self.booked.keys().cloned().collect();
        for account in accounts {
            self.write_booked(&account).await?;
        }
        // Last, since others wait for them.
        for ((scope, period), (settled, held)) in std::mem::take(&mut self.counters) {
            if settled == 0 && held == 0 {
                continue;
            }
            let sql = "INSERT INTO budget_counters (scope, period, settled, held) \
                       VALUES ($1, $2, $3, $4) ON CONFLICT (scope, period) DO UPDATE SET \
                       settled = budget_counters.settled + $3, held = budget_counters.held + $4";
            let row = vec![scope.into(), period.into(), settled.into(), held.into()];
            self.transaction.execute(sql, row).await?;
        }
        Ok(Booked {
            open: self.open,
            corrections: self.corrections,
        })
    }

    async fn row(&mut self, row: &LedgerRow, unwritten: &HashSet<&str>) -> Result<(), StoreError> {
        if !insert_row(self.transaction, row).await? {
            // It was booked before, when its hold was given up or by a spool that was read twice.
            return Ok(());
        }
        for settled in &row.settles {
            if unwritten.contains(settled.id.as_str()) {
                continue;
            }
            let sql = "DELETE FROM holds WHERE id = $1";
            let params = vec![settled.id.as_str().into()];
            let was_held = self.transaction.execute(sql, params).await? > 0;
            if was_held && settled.counted {
                self.count(&row.key_id, row.at, 0, -settled.credits);
            }
        }
        self.sum(row, 1, row.credits);
        if row.kind == RowKind::Request {
            self.count(&row.key_id, row.at, row.credits, 0);
        }
        if !row.account.is_empty() && row.kind == RowKind::Request {
            *self.booked.entry(row.account.clone()).or_default() += row.credits;
            if row.source.is_open() {
                let open = self.open.entry(row.account.clone()).or_default();
                if open.len() < OPEN_MAX {
                    open.push(row.clone());
                }
            }
        }
        Ok(())
    }

    async fn delete_hold(&mut self, hold: &HoldRow) -> Result<bool, StoreError> {
        let sql = "DELETE FROM holds WHERE id = $1";
        let params = vec![hold.id.as_str().into()];
        let was_held = self.transaction.execute(sql, params).await? > 0;
        if was_held && hold.counted {
            self.count(&hold.key_id, hold.at, 0, -hold.credits);
        }
        Ok(was_held)
    }

    /// Compares what 1min.ai says was used with what was booked since they were compared last.
    async fn balance(
        &mut self,
        account: &str,
        balance: Balance,
        began: Option<i64>,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO accounts (name, created, credit_limit, used_credit, seen) \
                   VALUES ($1, $2, $3, $4, $2) ON CONFLICT (name) DO UPDATE SET \
                   credit_limit = $3, used_credit = $4, seen = $2";
        let row: Vec<Param> = vec![
            account.into(),
            balance.at.into(),
            balance.limit.into(),
            balance.used.into(),
        ];
        self.transaction.execute(sql, row).await?;
        let Some(began) = began else {
            return Ok(());
        };
        self.write_booked(account).await?;
        let sql = "SELECT booked, base_used, base_booked FROM accounts WHERE name = $1";
        let rows = self.transaction.rows(sql, vec![account.into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        let booked = row.integer(0)?;
        let base = row.optional_integer(1)?.zip(row.optional_integer(2)?);
        let open = self.open.remove(account).unwrap_or_default();
        if let Some((base_used, base_booked)) = base.filter(|base| base.0 <= balance.used) {
            let rest = (balance.used - base_used) - (booked - base_booked);
            self.explain(account, balance.at, rest, open).await?;
        }
        self.write_booked(account).await?;
        let sql = "UPDATE accounts SET base_used = $2, base_booked = booked, base_at = $3 \
                   WHERE name = $1";
        let params = vec![account.into(), balance.used.into(), began.into()];
        self.transaction.execute(sql, params).await.map(drop)
    }

    /// Says where a difference comes from: rows whose cost was an estimate, else from outside.
    async fn explain(
        &mut self,
        account: &str,
        at: i64,
        rest: i64,
        open: Vec<LedgerRow>,
    ) -> Result<(), StoreError> {
        if open.is_empty() {
            if rest <= 0 {
                return Ok(());
            }
            let row = LedgerRow {
                id: Uuid::new_v4().simple().to_string(),
                at,
                kind: RowKind::Outside,
                account: account.to_owned(),
                credits: rest,
                source: CostSource::Inferred,
                ..LedgerRow::default()
            };
            return self.row(&row, &HashSet::new()).await;
        }
        let estimated: i64 = open.iter().map(|row| row.credits).sum();
        let shares = shares(&open, (estimated + rest).max(0));
        for (row, share) in open.into_iter().zip(shares) {
            let sql = "UPDATE ledger SET credits = $2, source = 'inferred' \
                       WHERE id = $1 AND source IN ('estimated', 'unknown')";
            let params = vec![row.id.as_str().into(), share.into()];
            if self.transaction.execute(sql, params).await? == 0 {
                continue;
            }
            let difference = share - row.credits;
            self.sum(&row, 0, difference);
            self.count(&row.key_id, row.at, difference, 0);
            *self.booked.entry(account.to_owned()).or_default() += difference;
            self.corrections.push(Correction {
                key_id: row.key_id,
                at: row.at,
                difference,
            });
        }
        Ok(())
    }

    fn sum(&mut self, row: &LedgerRow, requests: i64, credits: i64) {
        let number = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
        let key = SumKey {
            hour: row.at.div_euclid(HOUR) * HOUR,
            day: self.calendar.at(row.at).day.clone(),
            kind: row.kind.as_str(),
            key_id: row.key_id.clone(),
            account: row.account.clone(),
            api: row.api.clone(),
            model: row.model.clone(),
            outcome: row.outcome.clone(),
        };
        let sum = self.sums.entry(key).or_default();
        sum.credits += credits;
        if requests > 0 {
            sum.requests += requests;
            sum.failed += i64::from(row.is_failed());
            sum.input_tokens += number(row.input_tokens);
            sum.output_tokens += number(row.output_tokens);
        }
    }

    fn count(&mut self, key_id: &str, at: i64, settled: i64, held: i64) {
        let periods = self.calendar.at(at);
        for scope in [key_id, RELAY] {
            if scope.is_empty() {
                continue;
            }
            for period in &periods.names {
                let place = (scope.to_owned(), period.clone());
                let counter = self.counters.entry(place).or_default();
                counter.0 += settled;
                counter.1 += held;
            }
        }
    }

    async fn write_booked(&mut self, account: &str) -> Result<(), StoreError> {
        let Some(credits) = self.booked.remove(account).filter(|credits| *credits != 0) else {
            return Ok(());
        };
        let sql = "INSERT INTO accounts (name, created, booked) VALUES ($1, 0, $2) \
                   ON CONFLICT (name) DO UPDATE SET booked = accounts.booked + $2";
        let params = vec![account.into(), credits.into()];
        self.transaction.execute(sql, params).await.map(drop)
    }

    async fn write_sum(&mut self, key: SumKey, sum: &Sum) -> Result<(), StoreError> {
        const COLUMNS: &str = "day, kind, key_id, account, api, model, outcome";
        const SUMS: &str = "requests, failed, input_tokens, output_tokens, credits";
        const ADD: &str = "requests = t.requests + excluded.requests, \
             failed = t.failed + excluded.failed, \
             input_tokens = t.input_tokens + excluded.input_tokens, \
             output_tokens = t.output_tokens + excluded.output_tokens, \
             credits = t.credits + excluded.credits";
        let of_day = [
            Param::from(key.day),
            key.kind.into(),
            key.key_id.into(),
            key.account.into(),
            key.api.into(),
            key.model.into(),
            key.outcome.into(),
            sum.requests.into(),
            sum.failed.into(),
            sum.input_tokens.into(),
            sum.output_tokens.into(),
            sum.credits.into(),
        ];
        let sql = format!(
            "INSERT INTO usage_days AS t ({COLUMNS}, {SUMS}) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT ({COLUMNS}) DO UPDATE SET {ADD}"
        );
        self.transaction.execute(&sql, of_day.to_vec()).await?;
        let of_hour = [&of_day[..], &[Param::from(key.hour)]].concat();
        let sql = format!(
            "INSERT INTO usage_hours AS t ({COLUMNS}, {SUMS}, hour) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
             ON CONFLICT (hour, {COLUMNS}) DO UPDATE SET {ADD}"
        );
        self.transaction.execute(&sql, of_hour).await.map(drop)
    }
}

/// The total, shared by what was estimated for each.
fn shares(rows: &[LedgerRow], total: i64) -> Vec<i64> {
    let estimated: i128 = rows.iter().map(|row| i128::from(row.credits)).sum();
    let count = i128::try_from(rows.len()).unwrap_or(1).max(1);
    let mut shares: Vec<i64> = rows
        .iter()
        .map(|row| {
            let share = if estimated > 0 {
                i128::from(total) * i128::from(row.credits) / estimated
            } else {
                i128::from(total) / count
            };
            i64::try_from(share).unwrap_or(0)
        })
        .collect();
    let given: i64 = shares.iter().sum();
    if let Some(last) = shares.last_mut() {
        *last += total - given;
    }
    shares
}

async fn insert_row(transaction: &mut Transaction, row: &LedgerRow) -> Result<bool, StoreError> {
    let sql = "INSERT INTO ledger (id, at, kind, key_id, account, api, model, streamed, outcome, \
               status, input_tokens, output_tokens, tokens_by, credits, source, calls, ms, \
               first_byte_ms, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
               $13, $14, $15, $16, $17, $18, $19) ON CONFLICT (id) DO NOTHING";
    let number = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    let params: Vec<Param> = vec![
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
    ];
    Ok(transaction.execute(sql, params).await? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_shared_by_the_estimates_and_nothing_is_lost() {
        let row = |credits| LedgerRow {
            credits,
            ..LedgerRow::default()
        };
        for (estimates, total, expected) in [
            (&[100, 300][..], 800, vec![200, 600]),
            (&[1, 1, 1], 100, vec![33, 33, 34]),
            (&[0, 0], 7, vec![3, 4]),
            (&[5], 0, vec![0]),
        ] {
            let rows: Vec<LedgerRow> = estimates.iter().map(|credits| row(*credits)).collect();
            assert_eq!(shares(&rows, total), expected);
        }
    }
}
