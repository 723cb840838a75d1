//! What was booked for accounts, and what 1min.ai says they have used.

use std::collections::{BTreeMap, BTreeSet};

use crate::accounts::balance::Balance;
use crate::clock;
use crate::store::StoreError;
use crate::store::database::{Param, Transaction};

/// The accounts of a group of messages, as the database has them and as the group changes them.
#[derive(Debug, Default)]
pub(super) struct Accounts(BTreeMap<String, Account>);

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Account {
    /// What the ledger's rows of it cost.
    booked: i64,
    /// What of that the group adds.
    added: i64,
    limit: Option<i64>,
    used: Option<i64>,
    seen: Option<i64>,
    /// Used credits, the ledger's sum and the time when both were compared last.
    base_used: Option<i64>,
    base_booked: Option<i64>,
    base_at: Option<i64>,
}

impl Accounts {
    /// Reads accounts that the group changes; they are locked until it is written. Those that are not
    /// there yet are made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn load(
        &mut self,
        transaction: &mut Transaction,
        names: BTreeSet<&str>,
    ) -> Result<(), StoreError> {
        // In one order, so that processes do not wait for each other in a circle.
        for name in names {
            if name.is_empty() || self.0.contains_key(name) {
                continue;
            }
            let sql = "INSERT INTO accounts (name, created) VALUES ($1, $2) \
                       ON CONFLICT (name) DO UPDATE SET booked = accounts.booked \
                       RETURNING booked, credit_limit, used_credit, seen, base_used, base_booked, base_at";
            let params: Vec<Param> = vec![name.into(), clock::now_ms().into()];
            let rows = transaction.rows(sql, params).await?;
            let Some(row) = rows.first() else {
                continue;
            };
            let account = Account {
                booked: row.integer(0)?,
                added: 0,
                limit: row.optional_integer(1)?,
                used: row.optional_integer(2)?,
                seen: row.optional_integer(3)?,
                base_used: row.optional_integer(4)?,
                base_booked: row.optional_integer(5)?,
                base_at: row.optional_integer(6)?,
            };
            self.0.insert(name.to_owned(), account);
        }
        Ok(())
    }

    /// Adds to what was booked for an account that was loaded.
    pub(super) fn book(&mut self, name: &str, credits: i64) {
        if let Some(account) = self.0.get_mut(name) {
            account.added += credits;
        }
    }

    /// Takes in what 1min.ai said of an account.
    pub(super) fn seen(&mut self, name: &str, balance: Balance) {
        if let Some(account) = self.0.get_mut(name) {
            account.limit = balance.limit;
            account.used = Some(balance.used);
            account.seen = Some(balance.at);
        }
    }

    /// By how much the used credits have moved more than what was booked since both were compared
    /// last; none if they were not, or 1min.ai's number fell.
    #[must_use]
    pub(super) fn unexplained(&self, name: &str, used: i64) -> Option<i64> {
        let account = self.0.get(name)?;
        let (base_used, base_booked) = account.base_used.zip(account.base_booked)?;
        let booked = account.booked + account.added;
        (base_used <= used).then_some((used - base_used) - (booked - base_booked))
    }

    /// Notes that both were compared by what was said to a call that began at a time.
    pub(super) fn compared(&mut self, name: &str, used: i64, began: i64) {
        if let Some(account) = self.0.get_mut(name) {
            account.base_used = Some(used);
            account.base_booked = Some(account.booked + account.added);
            account.base_at = Some(began);
        }
    }

    /// Writes them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn write(self, transaction: &mut Transaction) -> Result<(), StoreError> {
        for (name, account) in self.0 {
            let sql = "UPDATE accounts SET booked = $2, credit_limit = $3, used_credit = $4, \
                       seen = $5, base_used = $6, base_booked = $7, base_at = $8 WHERE name = $1";
            let params: Vec<Param> = vec![
                name.into(),
                (account.booked + account.added).into(),
                account.limit.into(),
                account.used.into(),
                account.seen.into(),
                account.base_used.into(),
                account.base_booked.into(),
                account.base_at.into(),
            ];
            transaction.execute(sql, params).await?;
        }
        Ok(())
    }
}
