//! Access keys in memory: a request looks here and waits for no database. Changes of this process
//! are seen at once, those of others within two seconds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use translate::failure::{Failure, Kind};

use super::store::{KeyStore, Snapshot};
use super::{AccessKey, format};
use crate::access::account_id::AccountId;
use crate::access::constant_time::is_same;
use crate::access::recent_digests::RecentDigests;
use crate::store::StoreError;

/// The access keys of the relay.
pub struct AccessKeys {
    store: KeyStore,
    table: RwLock<Arc<Table>>,
    /// Held while the keys are read: of two that read at once the one with the older state could
    /// be the last, and a deleted key would open again.
    reading: tokio::sync::Mutex<()>,
    recent: RecentDigests<String>,
}

#[derive(Default)]
struct Table {
    /// None until the database was read.
    revision: Option<i64>,
    keys: HashMap<String, Arc<KnownKey>>,
}

/// A key as requests find it.
#[derive(Debug)]
pub struct KnownKey {
    /// What it permits.
    pub key: AccessKey,
    /// Whose records its requests mean.
    pub owner: AccountId,
    running: Arc<AtomicU32>,
}

/// A request of a key that is under way; it counts until this is dropped.
#[derive(Debug)]
pub struct Running(Arc<AtomicU32>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl KnownKey {
    /// Counts a request that begins.
    ///
    /// # Errors
    /// A [`Kind::RateLimited`] failure: as many as the key permits are under way.
    pub fn begin(&self) -> Result<Running, Failure> {
        let running = Running(self.running.clone());
        let before = running.0.fetch_add(1, Ordering::Relaxed);
        match self.key.parallel {
            Some(most) if before >= most => {
                let message = format!(
                    "This access key may have {most} requests under way at once. Try again when one has ended."
                );
                Err(Failure::new(Kind::RateLimited, message).with_retry_after(Some(1)))
            }
            _ => Ok(running),
        }
    }
}

impl AccessKeys {
    /// Keys of this store. Nothing is read yet.
    #[must_use]
    pub fn new(store: KeyStore) -> Self {
        Self {
            store,
            table: RwLock::default(),
            reading: tokio::sync::Mutex::default(),
            recent: RecentDigests::default(),
        }
    }

    /// Where the keys are kept.
    #[must_use]
    pub fn store(&self) -> &KeyStore {
        &self.store
    }

    /// The key that a credential is, if it opens now.
    ///
    /// # Errors
    /// A [`Kind::Unauthenticated`] failure that shows nothing of the credential, or
    /// [`Kind::Overloaded`] while the keys could not be read yet.
    pub fn authenticate(&self, credential: &str, now: i64) -> Result<Arc<KnownKey>, Failure> {
        let table = self.table();
        if table.revision.is_none() {
            return Err(unread());
        }
        let known = format::id(credential).and_then(|id| table.keys.get(id));
        let known = known.ok_or_else(unknown)?;
        let hash = self
            .recent
            .get_or_make(credential, || format::hash(credential));
        let previous = known.key.previous.as_ref();
        let is_known = is_same(&known.key.hash, &hash)
            || previous.is_some_and(|(previous, until)| is_same(previous, &hash) && now < *until);
        if !is_known {
            return Err(unknown());
        }
        known.key.check_open(now)?;
        Ok(known.clone())
    }

    /// The last change that was read; none before.
    #[must_use]
    pub fn revision(&self) -> Option<i64> {
        self.table().revision
    }

    /// Whether there was any key when the database was read last.
    #[must_use]
    pub fn has_any(&self) -> bool {
        !self.table().keys.is_empty()
    }

    /// The id of the key of this id or name.
    #[must_use]
    pub fn id_of(&self, word: &str) -> Option<String> {
        let table = self.table();
        if table.keys.contains_key(word) {
            return Some(word.to_owned());
        }
        let named = table.keys.values().find(|known| known.key.name == word);
        named.map(|known| known.key.id.clone())
    }

    /// The names of all keys, by id.
    #[must_use]
    pub fn names(&self) -> HashMap<String, String> {
        let table = self.table();
        let names = table.keys.values();
        names
            .map(|known| (known.key.id.clone(), known.key.name.clone()))
            .collect()
    }

    /// A key by its id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Arc<KnownKey>> {
        self.table().keys.get(id).cloned()
    }

    /// Reads the keys if they have changed.
    ///
    /// # Errors
    /// [`StoreError`]; what was known stays.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let _reading = self.reading.lock().await;
        let known = self.table().revision;
        if known.is_some() && known == Some(self.store.revision().await?) {
            return Ok(());
        }
        self.put(self.store.snapshot().await?);
        Ok(())
    }

    fn put(&self, snapshot: Snapshot) {
        let before = self.table();
        let keys = snapshot.keys.into_iter().map(|key| {
            let running = before.keys.get(&key.id).map(|known| known.running.clone());
            let known = KnownKey {
                owner: AccountId::of_access_key(&key.id),
                running: running.unwrap_or_default(),
                key,
            };
            (known.key.id.clone(), Arc::new(known))
        });
        let table = Table {
            keys: keys.collect(),
            revision: Some(snapshot.revision),
        };
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }

    fn table(&self) -> Arc<Table> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.clone()
    }
}

/// The refusal of a credential while the keys could not be read yet: it may be a good one.
#[must_use]
pub fn unread() -> Failure {
    let message = "The relay's database does not answer, so access keys cannot be checked. Try again in a moment.";
    Failure::new(Kind::Overloaded, message).with_retry_after(Some(5))
}

fn unknown() -> Failure {
    let message = "This access key is unknown or was deleted (1020). Ask the operator of this relay for another.";
    Failure::new(Kind::Unauthenticated, message).with_retry(false)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::store::database::Database;
    use crate::store::folder::DataFolder;

    fn keys() -> (AccessKeys, KeyStore) {
        let database = Database::in_folder(DataFolder::new("/proc/no/folder".into()));
        let store = KeyStore::new(database);
        (AccessKeys::new(store.clone()), store)
    }

    #[tokio::test]
    async fn a_key_opens_until_it_is_changed_and_its_old_secret_for_the_grace() {
        let (keys, store) = keys();
        let drawn = format::draw().unwrap();
        let text = drawn.text.expose_secret().to_owned();
        let failed = keys.authenticate(&text, 0).unwrap_err();
        assert_eq!(failed.kind, Kind::Overloaded);
        let key = AccessKey {
            id: drawn.id.clone(),
            hash: drawn.hash,
            parallel: Some(1),
            ..AccessKey::default()
        };
        store.add(key.clone()).await.unwrap();
        keys.refresh().await.unwrap();
        let known = keys.authenticate(&text, 0).unwrap();
        let running = known.begin().unwrap();
        assert_eq!(known.begin().unwrap_err().kind, Kind::RateLimited);

        let next = format::with_id(drawn.id.clone()).unwrap();
        let rotate = move |key: &mut AccessKey| {
            key.previous = Some((std::mem::replace(&mut key.hash, next.hash), 1000));
            Ok::<_, Failure>(())
        };
        let rotated = store.update(&key.id, "key rotated", rotate).await.unwrap();
        assert!(rotated.unwrap().is_ok());
        keys.refresh().await.unwrap();
        let rotated = keys.authenticate(next.text.expose_secret(), 2000).unwrap();
        assert!(rotated.begin().is_err(), "what runs still counts");
        drop(running);
        assert!(rotated.begin().is_ok());
        assert!(keys.authenticate(&text, 999).is_ok());
        assert!(keys.authenticate(&text, 1000).is_err());

        assert!(store.remove(&key.id).await.unwrap());
        keys.refresh().await.unwrap();
        let refused = keys.authenticate(next.text.expose_secret(), 0).unwrap_err();
        assert_eq!(refused.kind, Kind::Unauthenticated);
        assert!(!format!("{refused:?}").contains(&text));
    }
}
