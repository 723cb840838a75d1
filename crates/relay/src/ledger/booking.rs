//! A group of messages as statements of one transaction: rows, their sums by hour and day, budget
//! counters and the accounts' totals change together or not at all.

mod accounts;
mod counted;
mod sums;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use accounts::Accounts;
use counted::Counted;
use sums::Sums;

use super::counters::Scopes;
use super::hold_rows::{
    delete_counted_holds, delete_holds, expired_holds, holds_of_account, insert_holds,
};
use super::ledger_rows::{insert_row_once, insert_rows, row_values};
use super::period::{Calendar, Periods};
use super::queue::{LoneCall, Message};
use super::row::{CostSource, HoldRow, LedgerRow, RowKind};
use crate::accounts::balance::Balance;
use crate::clock;
use crate::store::StoreError;
use crate::store::database::{Param, Transaction};

/// What the writer remembers of accounts from group to group.
#[derive(Debug, Clone, Default)]
pub struct OpenRows {
    /// Rows whose real cost may still become known, by account.
    rows: HashMap<String, Vec<LedgerRow>>,
    /// Where other processes book, too: what is known of their rows, by account.
    others: Option<HashMap<String, Others>>,
}

/// What other processes have booked for an account.
#[derive(Debug, Clone, Copy)]
struct Others {
    /// What was booked for it when this process wrote last.
    booked: i64,
    /// When it was last found that others had booked, in milliseconds since 1970.
    noticed: i64,
}

impl OpenRows {
    /// Nothing yet, of a database that other processes may share.
    #[must_use]
    pub fn of(is_shared: bool) -> Self {
        Self {
            rows: HashMap::new(),
            others: is_shared.then(HashMap::new),
        }
    }
}

/// Rows of an account whose cost is still open that are remembered.
const OPEN_MAX: usize = 1000;

/// How many times its estimate a request may be said to have cost by the movement of its account's used
/// credits.
const CORRECTION_MAX: i64 = 10;

/// A difference that 1min.ai's rounding makes, in thousandths of a credit.
const ROUNDING: i64 = 1000;

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

/// Whether messages may have been booked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// They were not: rows are written together, and one that is there already undoes all.
    None,
    /// They may, since it is not known whether the transaction before was committed, or they come from
    /// the spool file: rows are written one by one, and those that are there do not count again.
    Possible,
}

/// Books messages within a transaction.
pub struct Booking<'t> {
    transaction: &'t mut Transaction,
    calendar: Calendar,
    open: OpenRows,
    repeats: Repeats,
    /// The values of rows that are still to be written.
    rows: Vec<Param>,
    /// Holds that are over, of which no counter of the database knows.
    settled: Vec<Param>,
    /// Holds that are over, and part of the database's counters.
    settled_counted: Vec<CountedHold>,
    sums: Sums,
    counted: Counted,
    accounts: Accounts,
    /// What is held of accounts, as far as it was looked up: once a group.
    held: HashMap<String, Vec<HoldRow>>,
    corrections: Vec<Correction>,
}

/// A hold that is part of the database's counters.
struct CountedHold {
    id: String,
    key_id: String,
    periods: Arc<Periods>,
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

/// The holds that must be written, and, in their order, the ids of those that need not be since they
/// are settled in the same group.
fn needed(messages: &[Message]) -> (Vec<&HoldRow>, Vec<&str>) {
    let held = messages.iter().filter_map(|message| match message {
        Message::Hold(hold) => Some(&**hold),
        _ => None,
    });
    let held: Vec<&HoldRow> = held.collect();
    if held.is_empty() {
        return (held, Vec::new());
    }
    let settled = messages.iter().filter_map(|message| match message {
        Message::Row(row) => Some(row.settles.iter().map(|hold| hold.id.as_str())),
        _ => None,
    });
    let mut settled: Vec<&str> = settled.flatten().collect();
    settled.sort_unstable();
    let is_over =
        |hold: &&HoldRow| !hold.counted && settled.binary_search(&hold.id.as_str()).is_ok();
    let (skipped, needed): (Vec<_>, Vec<_>) = held.into_iter().partition(is_over);
    let mut skipped: Vec<&str> = skipped.into_iter().map(|hold| hold.id.as_str()).collect();
    skipped.sort_unstable();
    (needed, skipped)
}

impl<'t> Booking<'t> {
    /// Begins a group.
    #[must_use]
    pub fn new(
        transaction: &'t mut Transaction,
        calendar: Calendar,
        scopes: Scopes,
        open: OpenRows,
        repeats: Repeats,
    ) -> Self {
        Self {
            transaction,
            calendar,
            open,
            repeats,
            rows: Vec::new(),
            settled: Vec::new(),
            settled_counted: Vec::new(),
            sums: Sums::default(),
            counted: Counted::new(scopes),
            accounts: Accounts::default(),
            held: HashMap::new(),
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
            let open = self.open.rows.entry(row.account.clone());
            open.or_default().push(row);
        }
        Ok(())
    }

    /// Books messages in their order.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction must be undone.
    pub async fn book(&mut self, messages: &[Message]) -> Result<(), StoreError> {
        let names = messages.iter().map(|message| match message {
            Message::Row(row) => row.account.as_str(),
            Message::Balance { account, .. } => account,
            Message::Hold(_) => "",
        });
        self.accounts
            .load(self.transaction, names.collect::<BTreeSet<&str>>())
            .await?;
        self.notice_others();
        let (held, skipped) = needed(messages);
        insert_holds(self.transaction, &held).await?;
        let ending = messages.iter().filter_map(|message| match message {
            Message::Row(row) => Some(row.id.as_str()),
            _ => None,
        });
        let ending: BTreeSet<&str> = ending.collect();
        for message in messages {
            match message {
                Message::Hold(_) => {}
                Message::Row(row) => self.row(row, &skipped).await?,
                Message::Balance {
                    account,
                    key,
                    balance,
                    alone,
                } => {
                    let call = alone.as_ref().map(|call| (call, &ending));
                    self.balance((account, key), *balance, call).await?;
                }
            }
        }
        Ok(())
    }

    /// Notes for which accounts other processes have booked since this one wrote last.
    fn notice_others(&mut self) {
        let Some(others) = &mut self.open.others else {
            return;
        };
        for (name, booked) in self.accounts.booked() {
            let noticed = clock::now_ms();
            let known = others
                .entry(name.to_owned())
                .or_insert(Others { booked, noticed });
            if known.booked != booked {
                *known = Others { booked, noticed };
            }
        }
    }

    /// Books calls whose process died, or whose time is over, as their estimate. `expired` is the
    /// time before which a hold must have expired; none means all but those of jobs. Each call books a
    /// part of them, and tells how many.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction must be undone.
    pub async fn give_up_holds(&mut self, expired: Option<i64>) -> Result<usize, StoreError> {
        let holds = expired_holds(self.transaction, expired).await?;
        let count = holds.len();
        let names = holds.iter().map(|hold| hold.account.as_str()).collect();
        self.accounts.load(self.transaction, names).await?;
        let ids = holds.iter().map(|hold| hold.id.as_str().into()).collect();
        let deleted = delete_counted_holds(self.transaction, ids).await?;
        for hold in holds {
            if !deleted.contains(&hold.id) {
                continue;
            }
            if hold.counted {
                let periods = self.calendar.at(hold.at);
                self.counted.add(&hold.key_id, &periods, 0, -hold.credits);
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
            self.row(&row, &[]).await?;
        }
        Ok(count)
    }

    /// Writes what was gathered. Gives what has changed besides the database, for when it is committed.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction must be undone.
    pub async fn finish(mut self) -> Result<Booked, StoreError> {
        self.write_rows().await?;
        delete_holds(self.transaction, self.settled).await?;
        if !self.settled_counted.is_empty() {
            let ids = self.settled_counted.iter().map(|hold| hold.id.as_str());
            let ids = ids.map(Param::from).collect();
            let deleted = delete_counted_holds(self.transaction, ids).await?;
            for hold in &self.settled_counted {
                if deleted.contains(&hold.id) {
                    self.counted
                        .add(&hold.key_id, &hold.periods, 0, -hold.credits);
                }
            }
        }
        self.sums.write(self.transaction).await?;
        if let Some(others) = &mut self.open.others {
            for (name, booked) in self.accounts.booked() {
                if let Some(known) = others.get_mut(name) {
                    known.booked = booked;
                }
            }
        }
        self.accounts.write(self.transaction).await?;
        // Last, since others wait for them.
        self.counted.write(self.transaction).await?;
        Ok(Booked {
            open: self.open,
            corrections: self.corrections,
        })
    }

    /// Books a row; `unwritten` are the ids of holds, in their order, that are not in the database.
    async fn row(&mut self, row: &LedgerRow, unwritten: &[&str]) -> Result<(), StoreError> {
        match self.repeats {
            Repeats::None => self.rows.extend(row_values(row)),
            Repeats::Possible => {
                if !insert_row_once(self.transaction, row).await? {
                    return Ok(());
                }
            }
        }
        let periods = self.calendar.at(row.at);
        for settled in &row.settles {
            if settled.counted {
                self.settled_counted.push(CountedHold {
                    id: settled.id.clone(),
                    key_id: row.key_id.clone(),
                    periods: periods.clone(),
                    credits: settled.credits,
                });
            } else if unwritten.binary_search(&settled.id.as_str()).is_err() {
                self.settled.push(settled.id.as_str().into());
            }
        }
        self.sums.count(row, &periods);
        if row.kind != RowKind::Request {
            return Ok(());
        }
        self.counted.add(&row.key_id, &periods, row.credits, 0);
        self.accounts.book(&row.account, row.credits);
        if !row.account.is_empty() && row.source.is_open() {
            let open = self.open.rows.entry(row.account.clone()).or_default();
            if open.len() < OPEN_MAX {
                open.push(row.clone());
            }
        }
        Ok(())
    }

    async fn write_rows(&mut self) -> Result<(), StoreError> {
        insert_rows(self.transaction, std::mem::take(&mut self.rows)).await
    }

    /// Compares what 1min.ai says was used with what was booked since they were compared last.
    async fn balance(
        &mut self,
        (account, key): (&str, &str),
        balance: Balance,
        alone: Option<(&LoneCall, &BTreeSet<&str>)>,
    ) -> Result<(), StoreError> {
        self.accounts.seen(account, balance);
        let Some((call, ending)) = alone else {
            return Ok(());
        };
        // What others hold of the account is booked later: jobs, and calls of other processes. The
        // numbers may have it already, so they are compared when nothing is open.
        if self.accounts.is_held(account) {
            if !self.held.contains_key(account) {
                let held = holds_of_account(self.transaction, account).await?;
                self.held.insert(account.to_owned(), held);
            }
            let held = self.held.get(account).map_or(&[][..], Vec::as_slice);
            let is_other =
                |request: &String| *request != call.request && !ending.contains(request.as_str());
            let mut before = held.iter().filter(|hold| hold.at < balance.at);
            if before.any(|hold| hold.job || is_other(&hold.request)) {
                return Ok(());
            }
        }
        // Of what another process has booked meanwhile, the numbers may lack a part.
        let others = self.open.others.as_ref();
        let noticed = others.and_then(|others| Some(others.get(account)?.noticed));
        if noticed.is_some_and(|noticed| call.began <= noticed) {
            return Ok(());
        }
        let open = self.open.rows.remove(account).unwrap_or_default();
        if let Some(rest) = self.accounts.unexplained(account, key, balance.used) {
            self.explain(account, balance.at, rest, open).await?;
        }
        self.accounts
            .compared(account, key, balance.used, call.began);
        Ok(())
    }

    /// Books what was spent at 1min.ai by others; less than nothing if that was thought of too much.
    async fn outside(&mut self, account: &str, at: i64, credits: i64) -> Result<(), StoreError> {
        let row = LedgerRow {
            id: Uuid::new_v4().simple().to_string(),
            at,
            kind: RowKind::Outside,
            account: account.to_owned(),
            credits,
            source: CostSource::Inferred,
            ..LedgerRow::default()
        };
        self.row(&row, &[]).await
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
            // A negative one takes back what was thought to come from outside; less than a credit is
            // rounding.
            if (-ROUNDING..=0).contains(&rest) {
                return Ok(());
            }
            return self.outside(account, at, rest).await;
        }
        // Some of them may be of this group.
        self.write_rows().await?;
        let estimated: i64 = open.iter().map(|row| row.credits).sum();
        let total = estimated + rest;
        let shares = shares(&open, total.max(0));
        let beyond = total - shares.iter().sum::<i64>();
        if beyond != 0 {
            self.outside(account, at, beyond).await?;
        }
        for (row, share) in open.into_iter().zip(shares) {
            let sql = "UPDATE ledger SET credits = $3, source = 'inferred' \
                       WHERE at = $1 AND id = $2 AND source IN ('estimated', 'unknown')";
            let params = vec![row.at.into(), row.id.as_str().into(), share.into()];
            if self.transaction.execute(sql, params).await? == 0 {
                continue;
            }
            let difference = share - row.credits;
            let periods = self.calendar.at(row.at);
            self.sums.correct(&row, &periods, difference);
            self.counted.add(&row.key_id, &periods, difference, 0);
            self.accounts.book(account, difference);
            self.corrections.push(Correction {
                key_id: row.key_id,
                at: row.at,
                difference,
            });
        }
        Ok(())
    }
}

/// The total, shared by what was estimated for each. No row is said to have cost more than
/// [`CORRECTION_MAX`] times its estimate: what is beyond that is no request's.
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
    if estimated > 0 {
        for (share, row) in shares.iter_mut().zip(rows) {
            *share = (*share).min(row.credits.saturating_mul(CORRECTION_MAX));
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_shared_by_the_estimates_up_to_ten_times_of_them() {
        let row = |credits| LedgerRow {
            credits,
            ..LedgerRow::default()
        };
        for (estimates, total, expected) in [
            (&[100, 300][..], 800, vec![200, 600]),
            (&[20, 20, 20], 100, vec![33, 33, 34]),
            (&[0, 0], 7, vec![3, 4]),
            (&[5], 0, vec![0]),
            (&[5, 15], 1000, vec![50, 150]),
        ] {
            let rows: Vec<LedgerRow> = estimates.iter().map(|credits| row(*credits)).collect();
            assert_eq!(shares(&rows, total), expected);
        }
    }
}
