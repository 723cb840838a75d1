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
    /// How many calls held something of it when it was read.
    held: i64,
    limit: Option<i64>,
    used: Option<i64>,
    seen: Option<i64>,
    /// Used credits, the ledger's sum and the time when both were compared last.
    base_used: Option<i64>,
    base_booked: Option<i64>,
    base_at: Option<i64>,
    /// A digest of the key whose numbers were compared.
    base_key: Option<String>,
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
                       RETURNING booked, credit_limit, used_credit, seen, base_used, base_booked, base_at, base_key, \
                       (SELECT COUNT(*) FROM holds WHERE account = $1)";
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
                base_key: row.optional_text(7)?,
                held: row.integer(8)?,
            };
            self.0.insert(name.to_owned(), account);
        }
        Ok(())
    }

    /// What is booked for each account with what the group adds so far.
    pub(super) fn booked(&self) -> impl Iterator<Item = (&str, i64)> {
        let accounts = self.0.iter();
        accounts.map(|(name, account)| (name.as_str(), account.booked + account.added))
    }

    /// Adds to what was booked for an account that was loaded.
    pub(super) fn book(&mut self, name: &str, credits: i64) {
        if let Some(account) = self.0.get_mut(name) {
            account.added += credits;
        }
    }

    /// Whether anything was held of an account when it was read.
    #[must_use]
    pub(super) fn is_held(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|account| account.held > 0)
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
    /// last; none if they were not, or 1min.ai's number fell, or is that of another key.
    #[must_use]
    pub(super) fn unexplained(&self, name: &str, key: &str, used: i64) -> Option<i64> {
        let account = self.0.get(name)?;
        // Rows of before the column have none.
        if account.base_key.as_ref().is_some_and(|known| known != key) {
            return None;
        }
        let (base_used, base_booked) = account.base_used.zip(account.base_booked)?;
        let booked = account.booked + account.added;
        (base_used <= used).then_some((used - base_used) - (booked - base_booked))
    }

    /// Notes that both were compared by what was said to a call that began at a time.
    pub(super) fn compared(&mut self, name: &str, key: &str, used: i64, began: i64) {
        if let Some(account) = self.0.get_mut(name) {
            account.base_key = Some(key.to_owned());
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
                       seen = $5, base_used = $6, base_booked = $7, base_at = $8, base_key = $9 WHERE name = $1";
            let params: Vec<Param> = vec![
                name.into(),
                (account.booked + account.added).into(),
                account.limit.into(),
                account.used.into(),
                account.seen.into(),
                account.base_used.into(),
                account.base_booked.into(),
                account.base_at.into(),
                account.base_key.into(),
            ];
            transaction.execute(sql, params).await?;
        }
        Ok(())
    }
}
