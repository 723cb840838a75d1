//! At which account of the pool the stored things lie that an access key's requests may name: files,
//! conversations, and what features have made.

use std::time::{Duration, SystemTime};

use crate::access::account_id::AccountId;
use crate::clock;
use crate::store::StoreError;
use crate::store::database::{Database, Param};
use crate::store::records::milliseconds;

/// How long a place is remembered.
const RETENTION: Duration = Duration::from_hours(90 * 24);

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
        let sql = "INSERT INTO native_places (owner, id, account_name, created) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (owner, id) DO NOTHING";
        for id in ids {
            let params: Vec<Param> = vec![
                owner.to_string().into(),
                id.clone().into(),
                account_name.into(),
                integer(clock::system_time()).into(),
            ];
            self.0.execute(sql.to_owned(), params).await?;
        }
        Ok(())
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
        let sql = "DELETE FROM native_places WHERE created < $1";
        let before = integer(clock::system_time() - RETENTION);
        self.0
            .delete(sql.to_owned(), vec![before.into()])
            .await
            .map(drop)
    }
}

fn integer(time: SystemTime) -> i64 {
    i64::try_from(milliseconds(time)).unwrap_or(i64::MAX)
}
