//! Which adapters are used, as the settings want it. Nothing is opened here.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::blobs::{BlobStore, Bucket};
use super::counters::memcached::Memcached;
#[cfg(feature = "redis")]
use super::counters::redis::RedisCounters;
use super::counters::shared::{Search, Service, Shared};
use super::counters::{Counters, InProcess};
use super::database::Database;
use super::folder::DataFolder;
use super::records::RecordStore;
use super::redis::RedisConnection;
use super::settings::{CounterStore, Settings};
use crate::access::account_id::AccountIds;
use crate::access::sealing::Sealer;
use crate::access::secret;
use crate::task;

/// The pause before a secret that could not be kept is tried to be kept again.
const SECRET_PAUSE: Duration = Duration::from_secs(2);

/// A shorter secret could be guessed from a leaked identity.
const SHORTEST_SECRET: usize = 16;

/// What outlives a request.
#[derive(Clone)]
pub struct Stores {
    /// Names for accounts, the same in all processes that share a store.
    pub account_ids: AccountIds,
    /// Counts for limits.
    pub counters: Arc<dyn Counters>,
    /// Small records.
    pub records: RecordStore,
    /// Contents of files.
    pub blobs: BlobStore,
    /// The SQL database itself, for access keys and the ledger.
    pub database: Database,
    /// Where this process keeps what outlives it.
    pub folder: DataFolder,
    /// Encrypts secrets that must lie in a store.
    pub sealer: Sealer,
}

impl Stores {
    /// The adapters that the settings want. Opens no file and no socket.
    ///
    /// # Errors
    /// Which settings do not fit together, without any secret.
    pub fn choose(settings: &Settings) -> Result<Self, String> {
        let redis = given(settings.redis_url.as_ref())
            .map(RedisConnection::new)
            .transpose()
            .map_err(|error| format!("REDIS_URL {error}"))?;
        let folder = DataFolder::new(settings.data_folder());
        let database = match given(settings.database_url.as_ref()) {
            Some(url) => {
                Database::postgres(url).map_err(|error| format!("DATABASE_URL {error}"))?
            }
            None => Database::in_folder(folder.clone()),
        };
        let secret = relay_secret(settings, folder.clone())?;
        let of_ids = secret.clone();
        Ok(Self {
            account_ids: AccountIds::kept(move || of_ids()),
            counters: counters(settings, redis)?,
            records: RecordStore::new(database.clone()),
            blobs: blobs(settings, folder.clone())?,
            sealer: sealer(&secret),
            database,
            folder,
        })
    }
}

/// Gives the secret of the settings, or the one that is kept in the data folder.
fn relay_secret(
    settings: &Settings,
    folder: DataFolder,
) -> Result<Arc<dyn Fn() -> SecretString + Send + Sync>, String> {
    let Some(secret) = given(settings.relay_secret.as_ref()) else {
        let found = OnceLock::new();
        return Ok(Arc::new(move || {
            found.get_or_init(|| in_folder(&folder)).clone()
        }));
    };
    if secret.expose_secret().len() < SHORTEST_SECRET {
        return Err(format!(
            "RELAY_SECRET needs at least {SHORTEST_SECRET} characters"
        ));
    }
    let secret = secret.clone();
    Ok(Arc::new(move || secret.clone()))
}

fn sealer(secret: &Arc<dyn Fn() -> SecretString + Send + Sync>) -> Sealer {
    let secret = secret.clone();
    Sealer::kept(move || secret())
}

fn in_folder(folder: &DataFolder) -> SecretString {
    let Some(path) = folder.path() else {
        return secret::draw();
    };
    secret::of_folder(path).unwrap_or_else(|error| {
        tracing::error!(%error, "the secret of the data folder cannot be read or kept: what was stored before cannot be accessed, \
            and what is stored now only until the relay stops, unless the secret can be kept meanwhile");
        let secret = secret::draw();
        task::spawn(kept_later(path.to_owned(), secret.clone()));
        secret
    })
}

/// Keeps a secret as soon as the data folder can be written: what is stored meanwhile is lost without it.
async fn kept_later(folder: PathBuf, secret: SecretString) {
    loop {
        tokio::time::sleep(SECRET_PAUSE).await;
        let (folder, wanted) = (folder.clone(), secret.clone());
        let keeping = tokio::task::spawn_blocking(move || secret::keep(&folder, &wanted));
        if let Ok(Ok(kept)) = keeping.await {
            if kept.expose_secret() == secret.expose_secret() {
                tracing::info!("the secret of the data folder is kept");
            } else {
                tracing::error!("the data folder has another secret meanwhile: restart the relay");
            }
            return;
        }
    }
}

fn counters(
    settings: &Settings,
    redis: Option<RedisConnection>,
) -> Result<Arc<dyn Counters>, String> {
    let port = settings.memcached_port;
    let host = settings.memcached_host.as_deref().unwrap_or_default();
    let host = Some(host.trim()).filter(|host| !host.is_empty());
    Ok(match (settings.counters, redis, host) {
        (CounterStore::Process, ..) => Arc::new(InProcess::default()),
        (CounterStore::Redis, None, _) => {
            return Err("COUNTERS=redis needs REDIS_URL".to_owned());
        }
        (CounterStore::Auto | CounterStore::Redis, Some(link), _) => {
            Arc::new(Shared::new(redis_counters(link), Search::Steady))
        }
        (_, _, Some(host)) => Arc::new(Shared::new(
            Box::new(Memcached::at(place(host, port))),
            Search::Steady,
        )),
        (wanted, ..) => {
            let places = ["127.0.0.1", "memcached"].map(|host| format!("{host}:{port}"));
            let search = if wanted == CounterStore::Memcached {
                Search::Steady
            } else {
                Search::Tentative
            };
            Arc::new(Shared::new(
                Box::new(Memcached::at_first_of(places.to_vec())),
                search,
            ))
        }
    })
}

#[cfg(feature = "redis")]
fn redis_counters(link: RedisConnection) -> Box<dyn Service> {
    Box::new(RedisCounters::new(link))
}

#[cfg(not(feature = "redis"))]
fn redis_counters(link: RedisConnection) -> Box<dyn Service> {
    link.absent()
}

fn blobs(settings: &Settings, folder: DataFolder) -> Result<BlobStore, String> {
    let text = |value: &Option<String>| value.clone().filter(|v| !v.trim().is_empty());
    let Some(name) = text(&settings.s3_bucket) else {
        return Ok(BlobStore::in_folder(folder));
    };
    if cfg!(not(feature = "s3")) {
        return Err(
            "S3_BUCKET needs a program that was built with the Cargo feature `s3`".to_owned(),
        );
    }
    let (Some(access_key_id), Some(secret)) = (
        text(&settings.s3_access_key_id),
        given(settings.s3_secret_access_key.as_ref()),
    ) else {
        return Err("S3_BUCKET needs S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY".to_owned());
    };
    Ok(BlobStore::in_bucket(Bucket {
        name,
        endpoint: settings.s3_endpoint.clone(),
        region: settings.s3_region.clone(),
        access_key_id,
        secret_access_key: secret.clone(),
    }))
}

/// An address of version 6 stands in brackets.
fn place(host: &str, port: u16) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// An empty setting is none.
fn given(secret: Option<&SecretString>) -> Option<&SecretString> {
    secret.filter(|secret| !secret.expose_secret().trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn chosen(flags: &[&str]) -> Result<String, String> {
        let settings =
            crate::config::Settings::try_parse_from([&["relay"], flags].concat()).unwrap();
        Stores::choose(&settings.store).map(|stores| {
            let (records, blobs) = (stores.records.name(), stores.blobs.name());
            format!("{}; {records}; {blobs}", stores.counters.name())
        })
    }

    #[test]
    fn settings_choose_the_stores_and_no_name_holds_a_secret() {
        let redis = "--redis-url=redis://user:hunter2@redis.internal:6390/3";
        let table: &[(&[&str], &str)] = &[
            (
                &["--data-dir=/d"],
                "in memcached at 127.0.0.1:11211 or memcached:11211 if there is one; /d; /d",
            ),
            (
                &["--data-dir=/d", "--counters=process"],
                "in process; /d; /d",
            ),
            (
                &[
                    "--data-dir=/d",
                    "--memcached-host=::1",
                    "--memcached-port=1",
                ],
                "in memcached at [::1]:1; /d; /d",
            ),
            (
                &["--data-dir=/d", "--memcached-host="],
                "in memcached at 127.0.0.1:11211 or memcached:11211 if there is one; /d; /d",
            ),
            (
                &["--data-dir=/d", redis],
                "in Redis at redis.internal:6390; /d; /d",
            ),
            (
                &[
                    "--data-dir=/d",
                    redis,
                    "--counters=memcached",
                    "--memcached-host=m",
                    "--database-url=postgres://user:hunter2@db.internal:5433/relay",
                ],
                "in memcached at m:11211; PostgreSQL at db.internal:5433; /d",
            ),
            (
                &[
                    "--data-dir=/d",
                    "--redis-url=",
                    "--counters=process",
                    "--s3-bucket=b",
                    "--s3-access-key-id=i",
                    "--s3-secret-access-key=hunter2",
                ],
                "in process; /d; bucket b",
            ),
        ];
        for (flags, expected) in table {
            assert_eq!(chosen(flags).as_deref(), Ok(*expected), "{flags:?}");
        }
    }

    #[test]
    fn settings_that_do_not_fit_together_stop_the_start_without_a_secret_in_the_message() {
        for (flags, names) in [
            (&["--counters=redis"][..], "REDIS_URL"),
            (&["--redis-url=hunter2"], "REDIS_URL"),
            (&["--database-url=hunter2"], "DATABASE_URL"),
            (
                &["--database-url=postgres://u:hunter2@h:x/d"],
                "DATABASE_URL",
            ),
            (&["--relay-secret=hunter2"], "RELAY_SECRET"),
            (&["--s3-bucket=b"], "S3_ACCESS_KEY_ID"),
            (
                &["--s3-bucket=b", "--s3-secret-access-key=hunter2"],
                "S3_ACCESS_KEY_ID",
            ),
        ] {
            let refused = chosen(flags).unwrap_err();
            assert!(
                refused.contains(names) && !refused.contains("hunter2"),
                "{refused}"
            );
        }
    }

    #[test]
    fn no_setting_prints_a_secret() {
        let flags = [
            "relay",
            "--redis-url=redis://:hunter2@h",
            "--database-url=postgres://u:hunter2@h",
            "--relay-secret=hunter2-hunter2-hunter2",
            "--s3-secret-access-key=hunter2",
        ];
        let settings = crate::config::Settings::try_parse_from(flags).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
