//! At which account of the pool the stored things lie that an access key's requests may name: files,
//! conversations, and what features have made.

use crate::access::account_id::AccountId;
use crate::clock;
use crate::store::StoreError;
use crate::store::database::{Database, ManyRows, Param};

/// How long a place is remembered, in milliseconds.
const RETENTION: i64 = 90 * 24 * 60 * 60 * 1000;

/// The table of places.
#[derive(Clone)]
pub(super) struct Places(Database);

impl Places {
    pub(super) fn new(database: Database) -> Self {
        Self(database)
    }

    /// Notes where things of an owner lie.
    pub(super) async fn insert(
        &self,
        owner: AccountId,
        account_name: &str,
        ids: &[String],
    ) -> Result<(), StoreError> {
        let owner = owner.to_string();
        let created = clock::now_ms();
        let values = ids.iter().flat_map(|id| {
            [
                Param::from(owner.as_str()),
                id.as_str().into(),
                account_name.into(),
                created.into(),
            ]
        });
        let values = values.collect();
        let inserting = self.0.transaction(move |transaction| {
            Box::pin(async move {
                let many = ManyRows {
                    head: "INSERT INTO native_places (owner, id, account_name, created) VALUES",
                    width: 4,
                    tail: "ON CONFLICT (owner, id) DO NOTHING",
                };
                transaction.execute_many(many, values).await
            })
        });
        inserting.await.map(drop)
    }

    /// The accounts at which any of these things of an owner lie, each once.
    pub(super) async fn accounts(
        &self,
        owner: AccountId,
        ids: &[String],
    ) -> Result<Vec<String>, StoreError> {
        if ids.is_empty() || !self.0.is_in_use() {
            return Ok(Vec::new());
        }
        let mut params: Vec<Param> = vec![owner.to_string().into()];
        params.extend(ids.iter().map(|id| id.clone().into()));
        let names: Vec<String> = (2..=params.len()).map(|at| format!("${at}")).collect();
        let sql = format!(
            "SELECT DISTINCT account_name FROM native_places WHERE owner = $1 AND id IN ({})",
            names.join(", ")
        );
        let rows = self.0.rows(sql, params).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// Forgets old places.
    pub(super) async fn sweep(&self) -> Result<(), StoreError> {
        if !self.0.is_in_use() {
            return Ok(());
        }
        let sql = "DELETE FROM native_places WHERE created < $1";
        let before = clock::now_ms() - RETENTION;
        self.0
            .delete(sql.to_owned(), vec![before.into()])
            .await
            .map(drop)
    }
}
