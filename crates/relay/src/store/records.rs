//! Small records that outlive a request: each belongs to an owner, has an id, and may expire.

use std::fmt::Write as _;
use std::marker::PhantomData;
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
use super::database::{Database, Param};
use crate::account_id::AccountId;
use crate::clock;
use crate::observe::throttle::warn_throttled;

/// Where a value is. Ids are graphic ASCII without a slash; see [`is_id`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The table.
    pub table: &'static str,
    /// Whose it is.
    pub owner: AccountId,
    /// Which it is; lists are in the order of ids.
    pub id: String,
}

/// A value and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// JSON.
    pub text: String,
    /// When it is gone; none is never. Milliseconds count.
    pub expires: Option<SystemTime>,
}

/// Which part of an owner's records is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What their ids begin with.
    pub prefix: String,
    /// The id after which the list goes on, in its order.
    pub after: Option<String>,
    /// Whether ids fall instead of rise.
    pub falling: bool,
    /// The most records to give.
    pub limit: usize,
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            after: None,
            falling: false,
            limit: usize::MAX,
        }
    }
}

/// Keeps text under keys, in the database. What has expired is not there.
#[derive(Clone)]
pub struct RecordStore(Database);

/// The condition that a record has not expired; the number is the parameter with the time.
macro_rules! living {
    ($now:literal) => {
        concat!("(expires IS NULL OR expires > ", $now, ")")
    };
}

impl RecordStore {
    /// Records in this database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self(database)
    }

    /// The value, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, key: Key) -> Result<Option<String>, StoreError> {
        let table = key.table;
        let living = living!("$3");
        let sql = format!("SELECT data FROM {table} WHERE owner = $1 AND id = $2 AND {living}");
        let params = vec![
            key.owner.to_string().into(),
            key.id.into(),
            clock::now_ms().into(),
        ];
        let rows = self.0.rows(sql, params).await?;
        rows.first().map(|row| row.text(0)).transpose()
    }

    /// Keeps a value in the place of whatever is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put(&self, key: Key, value: Value) -> Result<(), StoreError> {
        let sql = format!("{} {REPLACE}", insert(key.table));
        self.0.execute(sql, row(key, value)).await.map(drop)
    }

    /// Puts `after` in the place of `before`, if `before` is what is there (none: nothing), and
    /// tells whether it was. Nothing comes between the look and the change.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn swap(
        &self,
        key: Key,
        before: Option<String>,
        after: Option<Value>,
    ) -> Result<bool, StoreError> {
        let (table, living) = (key.table, living!("$6"));
        let written = match (before, after) {
            (None, None) => return Ok(self.get(key).await?.is_none()),
            (None, Some(value)) => {
                let sql = format!("{} {REPLACE} WHERE {table}.expires <= $5", insert(table));
                let params = [row(key, value), vec![clock::now_ms().into()]].concat();
                self.0.execute(sql, params).await?
            }
            (Some(before), Some(value)) => {
                let sql = format!(
                    "UPDATE {table} SET expires = $3, data = $4 \
                     WHERE owner = $1 AND id = $2 AND data = $5 AND {living}"
                );
                let params =
                    [row(key, value), vec![before.into(), clock::now_ms().into()]].concat();
                self.0.execute(sql, params).await?
            }
            (Some(before), None) => {
                let living = living!("$4");
                let sql = format!(
                    "DELETE FROM {table} WHERE owner = $1 AND id = $2 AND data = $3 AND {living}"
                );
                let owner = key.owner.to_string();
                let params = vec![
                    owner.into(),
                    key.id.into(),
                    before.into(),
                    clock::now_ms().into(),
                ];
                self.0.delete(sql, params).await?
            }
        };
        Ok(written > 0)
    }

    /// Deletes a value, and tells whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete(&self, key: Key) -> Result<bool, StoreError> {
        let (table, living) = (key.table, living!("$3"));
        let sql = format!("DELETE FROM {table} WHERE owner = $1 AND id = $2 AND {living}");
        let params = vec![
            key.owner.to_string().into(),
            key.id.into(),
            clock::now_ms().into(),
        ];
        Ok(self.0.delete(sql, params).await? > 0)
    }

    /// Ids and values of an owner.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(
        &self,
        table: &'static str,
        owner: AccountId,
        listing: Listing,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let living = living!("$2");
        let mut sql = format!(
            "SELECT id, data FROM {table} WHERE owner = $1 AND {living} \
             AND substr(id, 1, length($3)) = $3"
        );
        let limit = i64::try_from(listing.limit).unwrap_or(i64::MAX);
        let mut params: Vec<Param> = vec![
            owner.to_string().into(),
            clock::now_ms().into(),
            listing.prefix.into(),
            limit.into(),
        ];
        if let Some(after) = listing.after {
            sql.push_str(if listing.falling {
                " AND id < $5"
            } else {
                " AND id > $5"
            });
            params.push(after.into());
        }
        let order = if listing.falling { "DESC" } else { "ASC" };
        let _ = write!(sql, " ORDER BY id {order} LIMIT $4");
        let rows = self.0.rows(sql, params).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.text(1)?)))
            .collect()
    }

    /// Owners that may have records in a table, in order, at most a thousand after the given one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn owners(
        &self,
        table: &'static str,
        after: Option<AccountId>,
    ) -> Result<Vec<AccountId>, StoreError> {
        let sql = format!(
            "SELECT DISTINCT owner FROM {table} WHERE owner > $1 ORDER BY owner LIMIT {OWNERS}"
        );
        let after = after.map(|owner| owner.to_string()).unwrap_or_default();
        let rows = self.0.rows(sql, vec![after.into()]).await?;
        let owners = rows.iter().map(|row| {
            let owner = row.text(0)?;
            owner.parse().map_err(|_| StoreError::unexpected(&owner))
        });
        owners.collect()
    }

    /// Frees what expired records of a table still take.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep(&self, table: &'static str) -> Result<(), StoreError> {
        let sql = format!("DELETE FROM {table} WHERE expires <= $1");
        self.0
            .delete(sql, vec![clock::now_ms().into()])
            .await
            .map(drop)
    }

    /// Whether there may be any record at all.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.0.is_in_use()
    }

    /// Gives freed room back to the disk.
    pub async fn tidy(&self) {
        self.0.tidy().await;
    }

    /// Whether records can be kept, and outlive this process.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn health_check(&self) -> Result<(), StoreError> {
        self.0.health_check().await
    }

    /// What it is and where, for people; no secrets.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.name()
    }
}

/// Owners in one answer.
const OWNERS: usize = 1000;

/// What an insertion does where there is a record.
const REPLACE: &str =
    "ON CONFLICT (owner, id) DO UPDATE SET expires = excluded.expires, data = excluded.data";

fn insert(table: &str) -> String {
    format!("INSERT INTO {table} (owner, id, expires, data) VALUES ($1, $2, $3, $4)")
}

fn row(key: Key, value: Value) -> Vec<Param> {
    let expires = value.expires.map(milliseconds);
    let expires = expires.map(|time| i64::try_from(time).unwrap_or(i64::MAX));
    vec![
        key.owner.to_string().into(),
        key.id.into(),
        expires.into(),
        value.text.into(),
    ]
}

/// Whether a text can be an id. What clients send is checked by this before it reaches a store.
#[must_use]
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
}

/// A kind of record, kept as JSON.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// The table in which records of this kind are.
    const TABLE: &'static str;

    /// When this one is gone.
    fn expires(&self) -> Option<SystemTime> {
        None
    }
}

/// All records of one kind.
pub struct Collection<R> {
    store: RecordStore,
    kind: PhantomData<fn() -> R>,
}

impl<R> Clone for Collection<R> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            kind: PhantomData,
        }
    }
}

/// A part of an owner's records.
#[derive(Debug)]
pub struct ListPart<R> {
    /// Those that can be read, with their ids.
    pub records: Vec<(String, R)>,
    /// The id after which the list goes on; none at its end. Records that cannot be read count: by
    /// the number of the others a list would seem to end where one of them is.
    pub next: Option<String>,
}

impl<R: Record> Collection<R> {
    /// The records of this kind in this store.
    #[must_use]
    pub fn new(store: RecordStore) -> Self {
        Self {
            store,
            kind: PhantomData,
        }
    }

    /// One record.
    ///
    /// # Errors
    /// [`StoreError`], also if what is kept cannot be read as a record.
    pub async fn get(&self, owner: AccountId, id: &str) -> Result<Option<R>, StoreError> {
        if !is_id(id) {
            return Ok(None);
        }
        let text = self.store.get(key::<R>(owner, id)).await?;
        text.map(|text| read(&text)).transpose()
    }

    /// Keeps a record in the place of whatever is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put(&self, owner: AccountId, id: &str, record: &R) -> Result<(), StoreError> {
        self.store.put(key::<R>(owner, id), value(record)?).await
    }

    /// Keeps a record if nothing is there, and tells whether it did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create(&self, owner: AccountId, id: &str, record: &R) -> Result<bool, StoreError> {
        let after = Some(value(record)?);
        self.store.swap(key::<R>(owner, id), None, after).await
    }

    /// Changes a record, and gives it as it is then; none if there is none. `change` may be asked
    /// several times, when others change the same record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn update(
        &self,
        owner: AccountId,
        id: &str,
        mut change: impl FnMut(&mut R) + Send,
    ) -> Result<Option<R>, StoreError> {
        if !is_id(id) {
            return Ok(None);
        }
        loop {
            let Some(before) = self.store.get(key::<R>(owner, id)).await? else {
                return Ok(None);
            };
            let mut record: R = read(&before)?;
            change(&mut record);
            let (before, after) = (Some(before), Some(value(&record)?));
            if self.store.swap(key::<R>(owner, id), before, after).await? {
                return Ok(Some(record));
            }
        }
    }

    /// Takes a record away, and tells whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete(&self, owner: AccountId, id: &str) -> Result<bool, StoreError> {
        if !is_id(id) {
            return Ok(false);
        }
        self.store.delete(key::<R>(owner, id)).await
    }

    /// Records of an owner, with their ids. One that cannot be read is passed over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(
        &self,
        owner: AccountId,
        listing: Listing,
    ) -> Result<Vec<(String, R)>, StoreError> {
        Ok(self.list_part(owner, listing).await?.records)
    }

    /// A part of an owner's records, and where the next one begins.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_part(
        &self,
        owner: AccountId,
        listing: Listing,
    ) -> Result<ListPart<R>, StoreError> {
        let limit = listing.limit;
        let found = self.store.list(R::TABLE, owner, listing).await?;
        let last = found.last().map(|(id, _)| id.clone());
        let next = last.filter(|_| found.len() >= limit);
        let records = found.into_iter().filter_map(|(id, text)| {
            let record = read(&text);
            if let Err(error) = &record {
                warn_throttled!(table = R::TABLE, id, %error, "a record cannot be read");
            }
            Some((id, record.ok()?))
        });
        Ok(ListPart {
            records: records.collect(),
            next,
        })
    }

    /// Owners that may have records, at most a thousand after the given one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn owners(&self, after: Option<AccountId>) -> Result<Vec<AccountId>, StoreError> {
        self.store.owners(R::TABLE, after).await
    }
}

fn key<R: Record>(owner: AccountId, id: &str) -> Key {
    Key {
        table: R::TABLE,
        owner,
        id: id.to_owned(),
    }
}

fn value<R: Record>(record: &R) -> Result<Value, StoreError> {
    let text = serde_json::to_string(record).map_err(|e| StoreError::unexpected(&e.to_string()))?;
    Ok(Value {
        text,
        expires: record.expires(),
    })
}

fn read<R: Record>(text: &str) -> Result<R, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::unexpected(&e.to_string()))
}

/// Milliseconds since 1970.
pub(crate) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
