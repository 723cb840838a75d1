//! Small records that outlive a request: each belongs to an owner, has an id, and may expire.

pub mod embedded;
pub mod redis;

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
use crate::access::account_id::AccountId;

/// What an engine will have answered.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Where a value is. Ids are graphic ASCII without a slash; see [`is_id`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The kind of record.
    pub space: &'static str,
    /// Whose it is.
    pub owner: AccountId,
    /// Which it is; lists are in the order of ids.
    pub id: String,
}

/// A value and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The bytes.
    pub bytes: Vec<u8>,
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

/// Keeps bytes under keys. What has expired is not there.
pub trait Engine: Send + Sync {
    /// The value, if there is one.
    fn get(&self, key: Key) -> Answer<'_, Option<Vec<u8>>>;

    /// Keeps a value in the place of whatever is there.
    fn put(&self, key: Key, value: Value) -> Answer<'_, ()>;

    /// Puts `after` in the place of `before`, if `before` is what is there (none: nothing), and
    /// tells whether it was. Nothing comes between the look and the deed.
    fn swap(&self, key: Key, before: Option<Vec<u8>>, after: Option<Value>) -> Answer<'_, bool>;

    /// Takes a value away, and tells whether there was one.
    fn delete(&self, key: Key) -> Answer<'_, bool>;

    /// Ids and values of an owner.
    fn list(
        &self,
        space: &'static str,
        owner: AccountId,
        listing: Listing,
    ) -> Answer<'_, Vec<(String, Vec<u8>)>>;

    /// Owners that may have records in a space, in order, at most a thousand after the given one.
    fn owners(&self, space: &'static str, after: Option<AccountId>) -> Answer<'_, Vec<AccountId>>;

    /// Frees what expired records of a space still take.
    fn sweep(&self, space: &'static str) -> Answer<'_, ()>;

    /// Whether records can be kept, and outlive this process.
    fn look(&self) -> Answer<'_, ()>;

    /// What it is and where, for people; no secrets.
    fn name(&self) -> String;
}

/// Whether a text can be an id. What clients send is checked by this before it reaches a store.
#[must_use]
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
}

/// A kind of record, kept as JSON.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// The name of the space in which records of this kind are.
    const SPACE: &'static str;

    /// When this one is gone.
    fn expires(&self) -> Option<SystemTime> {
        None
    }
}

/// All records of one kind.
pub struct Collection<R> {
    engine: Arc<dyn Engine>,
    kind: PhantomData<fn() -> R>,
}

impl<R> Clone for Collection<R> {
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            kind: PhantomData,
        }
    }
}

impl<R: Record> Collection<R> {
    /// The records of this kind that an engine keeps.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        Self {
            engine,
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
        let bytes = self.engine.get(key::<R>(owner, id)).await?;
        bytes.map(|bytes| read(&bytes)).transpose()
    }

    /// Keeps a record in the place of whatever is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put(&self, owner: AccountId, id: &str, record: &R) -> Result<(), StoreError> {
        self.engine.put(key::<R>(owner, id), value(record)?).await
    }

    /// Keeps a record if nothing is there, and tells whether it did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create(&self, owner: AccountId, id: &str, record: &R) -> Result<bool, StoreError> {
        let after = Some(value(record)?);
        self.engine.swap(key::<R>(owner, id), None, after).await
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
            let Some(before) = self.engine.get(key::<R>(owner, id)).await? else {
                return Ok(None);
            };
            let mut record: R = read(&before)?;
            change(&mut record);
            let (before, after) = (Some(before), Some(value(&record)?));
            if self.engine.swap(key::<R>(owner, id), before, after).await? {
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
        self.engine.delete(key::<R>(owner, id)).await
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
        let found = self.engine.list(R::SPACE, owner, listing).await?;
        let records = found.into_iter().filter_map(|(id, bytes)| {
            let record = read(&bytes);
            if let Err(error) = &record {
                tracing::warn!(space = R::SPACE, id, %error, "a record cannot be read");
            }
            Some((id, record.ok()?))
        });
        Ok(records.collect())
    }

    /// Owners that may have records, at most a thousand after the given one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn owners(&self, after: Option<AccountId>) -> Result<Vec<AccountId>, StoreError> {
        self.engine.owners(R::SPACE, after).await
    }
}

fn key<R: Record>(owner: AccountId, id: &str) -> Key {
    Key {
        space: R::SPACE,
        owner,
        id: id.to_owned(),
    }
}

fn value<R: Record>(record: &R) -> Result<Value, StoreError> {
    let bytes = serde_json::to_vec(record).map_err(|e| StoreError::unexpected(&e.to_string()))?;
    Ok(Value {
        bytes,
        expires: record.expires(),
    })
}

fn read<R: Record>(bytes: &[u8]) -> Result<R, StoreError> {
    serde_json::from_slice(bytes).map_err(|e| StoreError::unexpected(&e.to_string()))
}

/// Milliseconds since 1970.
pub(crate) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
