//! Accounts in the database: sealed keys, and what 1min.ai said of each account last.

use crate::access::keys::store::changed;
use crate::clock;
use crate::store::StoreError;
use crate::store::database::{Database, Param};

/// Accounts in a database.
#[derive(Clone)]
pub struct AccountStore(Database);

/// An account as it is kept. Credits in thousandths, times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// Its name.
    pub name: String,
    /// Its key, sealed; none for accounts that the settings name.
    pub sealed: Option<String>,
    /// What may be used in all, as 1min.ai said last.
    pub credit_limit: Option<i64>,
    /// What was used.
    pub used_credit: Option<i64>,
    /// When that was said.
    pub seen: Option<i64>,
    /// What the ledger has booked.
    pub booked: i64,
}

impl AccountStore {
    /// Accounts in this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self(database)
    }

    /// The database that it is in.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.0
    }

    /// All accounts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self) -> Result<Vec<AccountRecord>, StoreError> {
        let sql = "SELECT name, sealed, credit_limit, used_credit, seen, booked FROM accounts \
                   ORDER BY created, name";
        let rows = self.0.rows(sql.to_owned(), Vec::new()).await?;
        let read = rows.iter().map(|row| {
            Ok(AccountRecord {
                name: row.text(0)?,
                sealed: row.optional_text(1)?,
                credit_limit: row.optional_integer(2)?,
                used_credit: row.optional_integer(3)?,
                seen: row.optional_integer(4)?,
                booked: row.integer(5)?,
            })
        });
        read.collect()
    }

    /// Keeps an account's sealed key. Another key of a known name begins its comparison with
    /// 1min.ai's numbers anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add(&self, name: String, sealed: String) -> Result<(), StoreError> {
        self.0
            .transaction(move |transaction| {
                Box::pin(async move {
                    let sql = "INSERT INTO accounts (name, sealed, created) VALUES ($1, $2, $3) \
                               ON CONFLICT (name) DO UPDATE SET sealed = $2, credit_limit = NULL, \
                               used_credit = NULL, base_used = NULL, base_booked = NULL, base_at = NULL";
                    let row: Vec<Param> = vec![name.into(), sealed.into(), clock::now_ms().into()];
                    transaction.execute(sql, row).await?;
                    changed(transaction, "", "account added").await
                })
            })
            .await
    }

    /// Forgets the key of an account, and tells whether it had one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove(&self, name: String) -> Result<bool, StoreError> {
        self.0
            .transaction(move |transaction| {
                Box::pin(async move {
                    let sql = "UPDATE accounts SET sealed = NULL \
                               WHERE name = $1 AND sealed IS NOT NULL";
                    let removed = transaction.execute(sql, vec![name.into()]).await? > 0;
                    if removed {
                        changed(transaction, "", "account removed").await?;
                    }
                    Ok(removed)
                })
            })
            .await
    }
}
