//! Records in a file of the data folder, by redb; in memory where there is no folder.

use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use redb::backends::InMemoryBackend;
use redb::{Database, DatabaseError, ReadableDatabase as _, ReadableTable, TableDefinition};

use super::{Answer, Engine, Key, Listing, Value, milliseconds};
use crate::access::account_id::AccountId;
use crate::store::StoreError;
use crate::store::folder::DataFolder;

/// `space/owner/id` → when it expires in milliseconds since 1970 (the highest number: never), and
/// the value.
const RECORDS: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("records");

const FILE: &str = "state.redb";
const NEVER: u64 = u64::MAX;

/// After every id, and after everything of an owner or a space.
const LAST: char = char::MAX;

/// Memory for pages, in bytes. The library's own default is a gigabyte.
const CACHE: usize = 8 * 1024 * 1024;

/// Owners in one answer.
const OWNERS: usize = 1000;

/// The embedded store. The file is opened when it is first needed.
#[derive(Clone)]
pub struct Embedded {
    folder: DataFolder,
    database: Arc<Mutex<Option<Arc<Database>>>>,
}

impl Embedded {
    /// A store in this folder.
    #[must_use]
    pub fn new(folder: DataFolder) -> Self {
        Self {
            folder,
            database: Arc::default(),
        }
    }

    /// Runs blocking work on the database, away from the threads that serve.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error> + Send + 'static,
    ) -> Answer<'_, T> {
        let store = self.clone();
        Box::pin(async move {
            let running = tokio::task::spawn_blocking(move || {
                let database = store.open()?;
                work(&database).map_err(StoreError::from)
            });
            running
                .await
                .unwrap_or_else(|e| Err(StoreError::Unexpected(e.to_string())))
        })
    }

    fn open(&self) -> Result<Arc<Database>, StoreError> {
        // Under a poisoned lock there is at worst no database yet.
        let mut slot = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = &*slot {
            return Ok(database.clone());
        }
        let database = Arc::new(match self.folder.path() {
            Some(folder) => in_folder(folder)?,
            None => builder()
                .create_with_backend(InMemoryBackend::new())
                .map_err(redb::Error::from)?,
        });
        let write = database.begin_write().map_err(redb::Error::from)?;
        write.open_table(RECORDS).map_err(redb::Error::from)?;
        write.commit().map_err(redb::Error::from)?;
        Ok(slot.insert(database).clone())
    }
}

fn in_folder(folder: &Path) -> Result<Database, StoreError> {
    builder()
        .create(folder.join(FILE))
        .map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => StoreError::Taken(format!(
                "another process uses {}: give each process a DATA_DIR of its own, or all one REDIS_URL",
                folder.display()
            )),
            error => redb::Error::from(error).into(),
        })
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder
}

impl Engine for Embedded {
    fn get(&self, key: Key) -> Answer<'_, Option<Vec<u8>>> {
        self.run(move |database| {
            let table = database.begin_read()?.open_table(RECORDS)?;
            living(&table, &name(&key))
        })
    }

    fn put(&self, key: Key, value: Value) -> Answer<'_, ()> {
        self.run(move |database| {
            let write = database.begin_write()?;
            write
                .open_table(RECORDS)?
                .insert(&*name(&key), row(&value))?;
            Ok(write.commit()?)
        })
    }

    fn swap(&self, key: Key, before: Option<Vec<u8>>, after: Option<Value>) -> Answer<'_, bool> {
        self.run(move |database| {
            let write = database.begin_write()?;
            let name = name(&key);
            {
                let mut table = write.open_table(RECORDS)?;
                if living(&table, &name)? != before {
                    return Ok(false);
                }
                match &after {
                    Some(value) => table.insert(&*name, row(value))?,
                    None => table.remove(&*name)?,
                };
            }
            write.commit()?;
            Ok(true)
        })
    }

    fn delete(&self, key: Key) -> Answer<'_, bool> {
        self.run(move |database| {
            let write = database.begin_write()?;
            let now = milliseconds(SystemTime::now());
            let removed = {
                let mut table = write.open_table(RECORDS)?;
                let removed = table.remove(&*name(&key))?;
                removed.is_some_and(|row| row.value().0 > now)
            };
            write.commit()?;
            Ok(removed)
        })
    }

    fn list(
        &self,
        space: &'static str,
        owner: AccountId,
        listing: Listing,
    ) -> Answer<'_, Vec<(String, Vec<u8>)>> {
        self.run(move |database| {
            let table = database.begin_read()?.open_table(RECORDS)?;
            let all = format!("{space}/{owner}/");
            let bounds = bounds(&all, &listing);
            if is_empty(&bounds) {
                return Ok(Vec::new());
            }
            let bounds = (
                bounds.0.as_ref().map(String::as_str),
                bounds.1.as_ref().map(String::as_str),
            );
            let now = milliseconds(SystemTime::now());
            let living = |row: Result<Row<'_>, redb::StorageError>| match row {
                Ok((name, row)) if row.value().0 > now => {
                    let id = name.value().get(all.len()..).unwrap_or_default();
                    Some(Ok((id.to_owned(), row.value().1.to_vec())))
                }
                Ok(_) => None,
                Err(error) => Some(Err(error.into())),
            };
            let rows = table.range::<&str>(bounds)?;
            if listing.falling {
                rows.rev().filter_map(living).take(listing.limit).collect()
            } else {
                rows.filter_map(living).take(listing.limit).collect()
            }
        })
    }

    fn owners(&self, space: &'static str, after: Option<AccountId>) -> Answer<'_, Vec<AccountId>> {
        self.run(move |database| {
            let table = database.begin_read()?.open_table(RECORDS)?;
            let end = format!("{space}/{LAST}");
            let beyond = |owner: AccountId| format!("{space}/{owner}/{LAST}");
            let mut from = after.map_or_else(|| format!("{space}/"), beyond);
            let mut owners = Vec::new();
            while owners.len() < OWNERS {
                let Some(row) = table.range::<&str>(from.as_str()..end.as_str())?.next() else {
                    break;
                };
                let (name, _) = row?;
                let owner = name.value().split('/').nth(1).unwrap_or_default();
                let Ok(owner) = owner.parse() else {
                    break;
                };
                from = beyond(owner);
                owners.push(owner);
            }
            Ok(owners)
        })
    }

    fn sweep(&self, space: &'static str) -> Answer<'_, ()> {
        self.run(move |database| {
            let now = milliseconds(SystemTime::now());
            let write = database.begin_write()?;
            let (from, to) = (format!("{space}/"), format!("{space}/{LAST}"));
            write
                .open_table(RECORDS)?
                .retain_in::<&str, _>(from.as_str()..to.as_str(), |_, (expires, _)| {
                    expires > now
                })?;
            Ok(write.commit()?)
        })
    }

    fn look(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.run(|_| Ok(())).await?;
            self.folder.path().map(drop).ok_or(StoreError::Fleeting)
        })
    }

    fn name(&self) -> String {
        self.folder.name()
    }
}

type Row<'a> = (
    redb::AccessGuard<'a, &'static str>,
    redb::AccessGuard<'a, (u64, &'static [u8])>,
);

/// Between which names a listing finds what it wants.
fn bounds(all: &str, listing: &Listing) -> (Bound<String>, Bound<String>) {
    let prefix = format!("{all}{}", listing.prefix);
    let highest = format!("{prefix}{LAST}");
    match &listing.after {
        None => (Bound::Included(prefix), Bound::Excluded(highest)),
        Some(after) => {
            let after = format!("{all}{after}");
            if listing.falling {
                (Bound::Included(prefix), Bound::Excluded(after.min(highest)))
            } else if after < prefix {
                (Bound::Included(prefix), Bound::Excluded(highest))
            } else {
                (Bound::Excluded(after), Bound::Excluded(highest))
            }
        }
    }
}

/// Whether there can be anything between; the library takes the contrary for a mistake.
fn is_empty(bounds: &(Bound<String>, Bound<String>)) -> bool {
    match bounds {
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to)) => from >= to,
        _ => false,
    }
}

fn name(key: &Key) -> String {
    format!("{}/{}/{}", key.space, key.owner, key.id)
}

fn row(value: &Value) -> (u64, &[u8]) {
    (value.expires.map_or(NEVER, milliseconds), &value.bytes)
}

fn living(
    table: &impl ReadableTable<&'static str, (u64, &'static [u8])>,
    name: &str,
) -> Result<Option<Vec<u8>>, redb::Error> {
    let now = milliseconds(SystemTime::now());
    let row = table.get(name)?;
    Ok(row.and_then(|row| {
        let (expires, bytes) = row.value();
        (expires > now).then(|| bytes.to_vec())
    }))
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => Self::Io(error),
            error => Self::Refused(error.to_string()),
        }
    }
}
