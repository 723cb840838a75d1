//! Which records at 1min.ai belong to whom.

use crate::access::account_id::AccountId;
use crate::clock;
use crate::store::StoreError;
use crate::store::database::{Database, Param};

/// How long a record is remembered, in milliseconds: its files at 1min.ai are gone long before.
const RETENTION: i64 = 30 * 24 * 60 * 60 * 1000;

/// The table of records.
#[derive(Clone)]
pub(super) struct Records(Database);

/// A record at 1min.ai.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NativeRecord {
    /// Its id.
    pub(super) uuid: String,
    /// Whose it is.
    pub(super) owner: AccountId,
    /// What the operator calls the account that paid; none for the caller's own.
    pub(super) account_name: Option<String>,
    /// The feature, by 1min.ai's name.
    pub(super) feature: String,
    /// The model.
    pub(super) model: String,
    /// The hold that is settled when the result is there.
    pub(super) hold: Option<String>,
}

impl Records {
    pub(super) fn new(database: Database) -> Self {
        Self(database)
    }

    /// Notes a record. One that is noted stays whose it is.
    pub(super) async fn insert(&self, record: &NativeRecord) -> Result<(), StoreError> {
        let sql = "INSERT INTO native_records (uuid, owner, account_name, feature, model, hold, \
                   created) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (uuid) DO NOTHING";
        let params: Vec<Param> = vec![
            record.uuid.clone().into(),
            record.owner.to_string().into(),
            record.account_name.clone().into(),
            record.feature.clone().into(),
            record.model.clone().into(),
            record.hold.clone().into(),
            clock::now_ms().into(),
        ];
        self.0.execute(sql.to_owned(), params).await.map(drop)
    }

    /// A record of this owner.
    pub(super) async fn get(
        &self,
        owner: AccountId,
        uuid: &str,
    ) -> Result<Option<NativeRecord>, StoreError> {
        let sql = "SELECT account_name, feature, model, hold FROM native_records \
                   WHERE uuid = $1 AND owner = $2";
        let params: Vec<Param> = vec![uuid.into(), owner.to_string().into()];
        let rows = self.0.rows(sql.to_owned(), params).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(NativeRecord {
            uuid: uuid.to_owned(),
            owner,
            account_name: row.optional_text(0)?,
            feature: row.text(1)?,
            model: row.text(2)?,
            hold: row.optional_text(3)?,
        }))
    }

    /// Forgets old records.
    pub(super) async fn sweep(&self) -> Result<(), StoreError> {
        if !self.0.is_in_use() {
            return Ok(());
        }
        let sql = "DELETE FROM native_records WHERE created < $1";
        let before = clock::now_ms() - RETENTION;
        self.0
            .delete(sql.to_owned(), vec![before.into()])
            .await
            .map(drop)
    }
}
