//! Access keys in the database. Each change counts up a revision, by which other processes notice
//! it, and leaves a row of the kind `admin` in the ledger.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{AccessKey, Budget, Use};
use crate::clock;
use crate::ledger::period::Per;
use crate::store::StoreError;
use crate::store::database::{Database, Param, Row, Transaction};

/// Access keys in a database.
#[derive(Clone)]
pub struct KeyStore(Database);

/// Everything that is kept of keys, at one revision.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The revision.
    pub revision: i64,
    /// The keys, by the time of their making.
    pub keys: Vec<AccessKey>,
}

const COLUMNS: &str = "id, hash, previous_hash, previous_until, name, created, updated, expires, \
                       disabled, models, uses, accounts, rpm, parallel";

impl KeyStore {
    /// Keys in this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self(database)
    }

    /// The number of the last change.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revision(&self) -> Result<i64, StoreError> {
        let sql = "SELECT number FROM revisions WHERE name = 'access'".to_owned();
        let rows = self.0.rows(sql, Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| row.integer(0))
    }

    /// All keys.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        // A change between the two shows as a newer revision the next time.
        let revision = self.revision().await?;
        let budgets = "SELECT scope, per, credits FROM budgets".to_owned();
        let budgets = self.0.rows(budgets, Vec::new()).await?;
        let sql = format!("SELECT {COLUMNS} FROM access_keys ORDER BY created, id");
        let rows = self.0.rows(sql, Vec::new()).await?;
        let mut keys = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        for row in &budgets {
            let (scope, per) = (row.text(0)?, row.text(1)?);
            let key = keys.iter_mut().find(|key| key.id == scope);
            if let (Some(key), Some(per)) = (key, Per::of_word(&per)) {
                let credits = row.integer(2)?;
                key.budgets.push(Budget { per, credits });
            }
        }
        for key in &mut keys {
            key.budgets.sort_by_key(|budget| budget.per);
        }
        Ok(Snapshot { revision, keys })
    }

    /// Keeps a new key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add(&self, key: AccessKey) -> Result<(), StoreError> {
        self.0
            .transaction(move |transaction| {
                Box::pin(async move {
                    let sql = format!(
                        "INSERT INTO access_keys ({COLUMNS}) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
                    );
                    transaction.execute(&sql, columns(&key)).await?;
                    write_budgets(transaction, &key).await?;
                    changed(transaction, &key.id, "key created").await
                })
            })
            .await
    }

    /// Changes a key as it is now: what others change at the same time holds, too. `note` says for the
    /// ledger what was done. Gives the key as it is afterwards, or why `change` refused; none if there
    /// is no such key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn update<E, C>(
        &self,
        id: &str,
        note: &'static str,
        change: C,
    ) -> Result<Option<Result<AccessKey, E>>, StoreError>
    where
        E: Send + 'static,
        C: FnOnce(&mut AccessKey) -> Result<(), E> + Send + 'static,
    {
        let id = id.to_owned();
        self.0
            .transaction(move |transaction| {
                Box::pin(async move {
                    let Some(mut key) = locked(transaction, &id).await? else {
                        return Ok(None);
                    };
                    if let Err(error) = change(&mut key) {
                        return Ok(Some(Err(error)));
                    }
                    let sql = "UPDATE access_keys SET hash = $2, previous_hash = $3, \
                         previous_until = $4, name = $5, created = $6, updated = $7, expires = $8, \
                         disabled = $9, models = $10, uses = $11, accounts = $12, rpm = $13, \
                         parallel = $14 WHERE id = $1";
                    transaction.execute(sql, columns(&key)).await?;
                    let sql = "DELETE FROM budgets WHERE scope = $1";
                    transaction
                        .execute(sql, vec![key.id.as_str().into()])
                        .await?;
                    write_budgets(transaction, &key).await?;
                    changed(transaction, &key.id, note).await?;
                    Ok(Some(Ok(key)))
                })
            })
            .await
    }

    /// Notes for the ledger something that was done with a key, and lets every process look at it again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note(&self, id: &str, note: &'static str) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.0
            .transaction(move |transaction| {
                Box::pin(async move { changed(transaction, &id, note).await })
            })
            .await
    }

    /// Forgets a key, and tells whether there was one. Its rows in the ledger stay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.0
            .transaction(move |transaction| {
                Box::pin(async move {
                    let params = || vec![Param::from(id.as_str())];
                    let sql = "DELETE FROM access_keys WHERE id = $1";
                    let found = transaction.execute(sql, params()).await? > 0;
                    let sql = "DELETE FROM budgets WHERE scope = $1";
                    transaction.execute(sql, params()).await?;
                    if found {
                        changed(transaction, &id, "key deleted").await?;
                    }
                    Ok(found)
                })
            })
            .await
    }
}

/// A key, which nobody else changes until the transaction ends.
async fn locked(transaction: &mut Transaction, id: &str) -> Result<Option<AccessKey>, StoreError> {
    let params = || vec![Param::from(id)];
    // PostgreSQL locks the row, and what is read afterwards is its newest version. SQLite has one
    // writer at a time.
    let sql = "UPDATE access_keys SET updated = updated WHERE id = $1";
    transaction.execute(sql, params()).await?;
    let sql = format!("SELECT {COLUMNS} FROM access_keys WHERE id = $1");
    let rows = transaction.rows(&sql, params()).await?;
    let Some(mut key) = rows.first().map(read).transpose()? else {
        return Ok(None);
    };
    let sql = "SELECT per, credits FROM budgets WHERE scope = $1";
    for row in &transaction.rows(sql, params()).await? {
        if let Some(per) = Per::of_word(&row.text(0)?) {
            let credits = row.integer(1)?;
            key.budgets.push(Budget { per, credits });
        }
    }
    key.budgets.sort_by_key(|budget| budget.per);
    Ok(Some(key))
}

async fn write_budgets(transaction: &mut Transaction, key: &AccessKey) -> Result<(), StoreError> {
    for budget in &key.budgets {
        let sql = "INSERT INTO budgets (scope, per, credits) VALUES ($1, $2, $3)";
        let row: Vec<Param> = vec![
            key.id.as_str().into(),
            budget.per.as_str().into(),
            budget.credits.into(),
        ];
        transaction.execute(sql, row).await?;
    }
    Ok(())
}

/// Counts up the revision of keys and accounts, and notes a change in the ledger.
///
/// # Errors
/// [`StoreError`].
pub async fn changed(
    transaction: &mut Transaction,
    key_id: &str,
    note: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE revisions SET number = number + 1 WHERE name = 'access'";
    transaction.execute(sql, Vec::new()).await?;
    let sql = "INSERT INTO ledger (id, at, kind, key_id, account, api, model, streamed, outcome, \
               status, input_tokens, output_tokens, tokens_by, credits, source, calls, ms, note) \
               VALUES ($1, $2, 'admin', $3, '', '', '', 0, '', 0, 0, 0, '', 0, 'none', 0, 0, $4)";
    let id = uuid::Uuid::new_v4().simple().to_string();
    let row: Vec<Param> = vec![
        id.into(),
        clock::now_ms().into(),
        key_id.into(),
        note.into(),
    ];
    transaction.execute(sql, row).await.map(drop)
}

fn columns(key: &AccessKey) -> Vec<Param> {
    let (previous_hash, previous_until) = key.previous.clone().unzip();
    let number = |number: Option<u32>| number.map(i64::from);
    vec![
        key.id.as_str().into(),
        key.hash.as_str().into(),
        previous_hash.into(),
        previous_until.into(),
        key.name.as_str().into(),
        key.created.into(),
        key.updated.into(),
        key.expires.into(),
        i64::from(key.disabled).into(),
        list(&key.models).into(),
        list(&key.uses).into(),
        list(&key.accounts).into(),
        number(key.rpm).into(),
        number(key.parallel).into(),
    ]
}

fn read(row: &Row) -> Result<AccessKey, StoreError> {
    let number = |column| -> Result<Option<u32>, StoreError> {
        let number = row.optional_integer(column)?;
        Ok(number.and_then(|number| u32::try_from(number).ok()))
    };
    Ok(AccessKey {
        id: row.text(0)?,
        hash: row.text(1)?,
        previous: row.optional_text(2)?.zip(row.optional_integer(3)?),
        name: row.text(4)?,
        created: row.integer(5)?,
        updated: row.integer(6)?,
        expires: row.optional_integer(7)?,
        disabled: row.integer(8)? != 0,
        models: unlisted(&row.text(9)?)?,
        uses: unlisted::<Use>(&row.text(10)?)?,
        accounts: unlisted(&row.text(11)?)?,
        rpm: number(12)?,
        parallel: number(13)?,
        budgets: Vec::new(),
    })
}

fn list(items: &impl Serialize) -> String {
    serde_json::to_string(items).unwrap_or_else(|_| "[]".to_owned())
}

fn unlisted<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::unexpected(text))
}
