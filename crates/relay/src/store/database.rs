//! The SQL database of what must outlive the relay: SQLite in the data folder, or PostgreSQL where
//! replicas share one. Both have the same tables and are asked in the same SQL.
//!
//! It is opened when it is first asked, and every question is bounded in time.

mod many_rows;
mod migrations;
mod pool;
mod reserve;
mod transaction;
mod value;

pub use many_rows::ManyRows;
pub use transaction::Transaction;
pub use value::{Param, Row};

use std::path::PathBuf;
#[cfg(feature = "postgres")]
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
#[cfg(feature = "postgres")]
use secrecy::ExposeSecret as _;
use secrecy::SecretString;
use sqlx::pool::PoolOptions;
#[cfg(feature = "postgres")]
use sqlx::postgres::PgConnectOptions;
use sqlx::query;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tokio::sync::OnceCell;

use super::StoreError;
use super::folder::DataFolder;
#[cfg(feature = "postgres")]
use pool::ANSWER_TIMEOUT;
use pool::{DISK_TIMEOUT, Pool};
use value::RowOf;

use crate::task;

/// The longest that making the tables may take.
const OPEN_TIMEOUT: Duration = Duration::from_mins(1);

/// Connections at once. SQLite lets one write at a time.
const SQLITE_CONNECTIONS: u32 = 4;
#[cfg(feature = "postgres")]
const POSTGRES_CONNECTIONS: u32 = 10;

/// In the data folder.
const FILE: &str = "relay.db";

/// The database; clones share its connections.
#[derive(Clone)]
pub struct Database {
    location: Location,
    pool: Arc<OnceCell<Pool>>,
}

#[derive(Clone)]
enum Location {
    Folder(DataFolder),
    #[cfg(feature = "postgres")]
    Postgres(Box<PgConnectOptions>),
}

/// Runs a query on one connection, and closes the connection if the answer is late: what it would
/// say later must not be taken for the next question's.
macro_rules! ask {
    ($pool:expr, $limit:expr, $sql:expr, $params:expr, $method:ident) => {{
        let mut connection = $pool.acquire().await?;
        let mut query = query($sql);
        for param in $params {
            query = match param {
                Param::Text(text) => query.bind(text),
                Param::Integer(number) => query.bind(number),
            };
        }
        match tokio::time::timeout($limit, query.$method(&mut *connection)).await {
            Ok(answer) => answer?,
            Err(_) => {
                drop(connection.detach());
                return Err(StoreError::Timeout);
            }
        }
    }};
}

impl Database {
    /// SQLite in the data folder; in memory if the folder cannot be made.
    #[must_use]
    pub fn in_folder(folder: DataFolder) -> Self {
        Self::new(Location::Folder(folder))
    }

    /// PostgreSQL at a `postgres://` URL. Opens no connection.
    ///
    /// # Errors
    /// Why the URL means nothing, without the URL: it may hold a password.
    #[cfg(feature = "postgres")]
    pub fn postgres(url: &SecretString) -> Result<Self, String> {
        let url = url.expose_secret().trim();
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let options = is_postgres.then(|| PgConnectOptions::from_str(url).ok());
        let options = options
            .flatten()
            .ok_or("must be a URL such as postgres://user:password@host:5432/database")?;
        let options = options.application_name("1min-relay");
        Ok(Self::new(Location::Postgres(Box::new(options))))
    }

    /// PostgreSQL is not part of this build.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(feature = "postgres"))]
    pub fn postgres(_: &SecretString) -> Result<Self, String> {
        Err("needs a build with the feature `postgres`".to_owned())
    }

    fn new(location: Location) -> Self {
        Self {
            location,
            pool: Arc::default(),
        }
    }

    /// What it is and where, for people; no secrets.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.location {
            Location::Folder(folder) => folder.name(),
            #[cfg(feature = "postgres")]
            Location::Postgres(options) => {
                format!(
                    "PostgreSQL at {}:{}",
                    options.get_host(),
                    options.get_port()
                )
            }
        }
    }

    /// Whether there may be anything in it: a relay that keeps nothing makes no file.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        match &self.location {
            Location::Folder(folder) => self.pool.initialized() || folder.has(FILE),
            #[cfg(feature = "postgres")]
            Location::Postgres(_) => true,
        }
    }

    /// Whether it can be asked, and what it keeps outlives this process.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn health_check(&self) -> Result<(), StoreError> {
        self.rows("SELECT 1".to_owned(), Vec::new()).await?;
        match self.pool.get() {
            Some(Pool::Sqlite { folder: None, .. }) => Err(StoreError::Ephemeral),
            _ => Ok(()),
        }
    }

    /// The rows that a query gives.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rows(&self, sql: String, params: Vec<Param>) -> Result<Vec<Row>, StoreError> {
        let database = self.clone();
        finish(async move {
            Ok(match database.open().await? {
                Pool::Sqlite { pool, .. } => {
                    let rows = ask!(pool, DISK_TIMEOUT, &sql, params, fetch_all).into_iter();
                    rows.map(|row| Row(RowOf::Sqlite(row))).collect()
                }
                #[cfg(feature = "postgres")]
                Pool::Postgres(pool) => {
                    let rows = ask!(pool, ANSWER_TIMEOUT, &sql, params, fetch_all).into_iter();
                    rows.map(|row| Row(RowOf::Postgres(row))).collect()
                }
            })
        })
        .await
    }

    /// How many rows a statement has written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn execute(&self, sql: String, params: Vec<Param>) -> Result<u64, StoreError> {
        let database = self.clone();
        finish(async move {
            Ok(match database.open().await? {
                Pool::Sqlite { pool, writer, .. } => {
                    let turn = tokio::time::timeout(DISK_TIMEOUT, writer.lock()).await;
                    let _turn = turn.map_err(|_| StoreError::Timeout)?;
                    ask!(pool, DISK_TIMEOUT, &sql, params, execute).rows_affected()
                }
                #[cfg(feature = "postgres")]
                Pool::Postgres(pool) => {
                    ask!(pool, ANSWER_TIMEOUT, &sql, params, execute).rows_affected()
                }
            })
        })
        .await
    }

    /// Statements that are done together or not at all. An error of `work` undoes them.
    ///
    /// # Errors
    /// [`StoreError`], that of `work` included.
    pub async fn transaction<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, StoreError>>
            + Send
            + 'static,
    {
        let database = self.clone();
        finish(async move {
            let mut transaction = Transaction::begin(database.open().await?).await?;
            let done = work(&mut transaction).await;
            match done {
                Ok(value) => transaction.commit().await.map(|()| value),
                Err(error) => {
                    transaction.roll_back().await;
                    Err(error)
                }
            }
        })
        .await
    }

    /// Whether replicas may share it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        !matches!(self.location, Location::Folder(_))
    }

    /// As [`Self::execute`], for statements that delete: on a full disk they take the room that is
    /// kept in reserve for them, since deleting needs some, too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete(&self, sql: String, params: Vec<Param>) -> Result<u64, StoreError> {
        match self.execute(sql.clone(), params.clone()).await {
            Err(StoreError::Full) => {
                let Some(Pool::Sqlite {
                    folder: Some(folder),
                    ..
                }) = self.pool.get()
                else {
                    return Err(StoreError::Full);
                };
                reserve::release(folder)?;
                self.execute(sql, params).await
            }
            done => done,
        }
    }

    /// Gives back to the disk what deleted rows took, and keeps some room in reserve again.
    pub async fn tidy(&self) {
        let Some(Pool::Sqlite {
            folder: Some(folder),
            ..
        }) = self.pool.get()
        else {
            return;
        };
        let _ = self
            .execute("PRAGMA incremental_vacuum".to_owned(), Vec::new())
            .await;
        reserve::keep(folder.clone()).await;
    }

    async fn open(&self) -> Result<&Pool, StoreError> {
        self.pool
            .get_or_try_init(|| async {
                let opening = async {
                    match &self.location {
                        Location::Folder(folder) => sqlite(folder.clone()).await,
                        #[cfg(feature = "postgres")]
                        Location::Postgres(options) => postgres(options).await,
                    }
                };
                let opened = tokio::time::timeout(OPEN_TIMEOUT, opening).await;
                opened.unwrap_or(Err(StoreError::Timeout))
            })
            .await
    }
}

/// Runs to its end even if nobody waits any more: a connection that is left in the middle of an
/// answer would be of no use to others.
async fn finish<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let done = task::spawn(work).await;
    done.unwrap_or_else(|error| Err(StoreError::unexpected(&error.to_string())))
}

async fn sqlite(folder: DataFolder) -> Result<Pool, StoreError> {
    let path = tokio::task::spawn_blocking(move || folder.path().map(PathBuf::from)).await;
    let folder = path.map_err(|error| StoreError::unexpected(&error.to_string()))?;
    let options = SqliteConnectOptions::new()
        .busy_timeout(DISK_TIMEOUT)
        .foreign_keys(true);
    let (options, connections) = match &folder {
        // Each connection to memory would be a database of its own.
        None => (options.in_memory(true), 1),
        Some(folder) => {
            let options = options
                .filename(folder.join(FILE))
                .create_if_missing(true)
                .auto_vacuum(sqlx::sqlite::SqliteAutoVacuum::Incremental)
                .journal_mode(SqliteJournalMode::Wal)
                // What was acknowledged outlives a power cut, too.
                .synchronous(SqliteSynchronous::Full);
            (options, SQLITE_CONNECTIONS)
        }
    };
    let pool = PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(DISK_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await?;
    migrations::sqlite().await?.run(&pool).await?;
    if let Some(folder) = &folder {
        reserve::keep(folder.clone()).await;
    }
    Ok(Pool::Sqlite {
        pool,
        writer: Arc::default(),
        folder,
    })
}

#[cfg(feature = "postgres")]
async fn postgres(options: &PgConnectOptions) -> Result<Pool, StoreError> {
    let pool = PoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(ANSWER_TIMEOUT)
        .connect_with(options.clone())
        .await?;
    migrations::postgres().await?.run(&pool).await?;
    Ok(Pool::Postgres(pool))
}

/// SQLite's codes for a full disk, and for a map of the journal that cannot grow; PostgreSQL's.
const FULL: [&str; 3] = ["13", "4874", "53100"];

/// SQLite's codes for a database that another process keeps busy; PostgreSQL's for transactions that
/// met, locks that were not had, and statements that were cut off.
const BUSY: [&str; 7] = ["5", "261", "517", "40001", "40P01", "55P03", "57014"];

/// PostgreSQL's codes for a server that starts, stops or has no connection or memory left; SQLite's
/// for a file that could not be opened, as when the process has too many.
const AWAY: [&str; 6] = ["57P01", "57P02", "57P03", "53200", "53300", "14"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::Timeout,
            sqlx::Error::Io(error) => Self::Io(error),
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                if FULL.contains(&&*code) {
                    Self::Full
                } else if BUSY.contains(&&*code) {
                    Self::Timeout
                } else if AWAY.contains(&&*code) {
                    Self::Io(std::io::Error::other(error.to_string()))
                } else {
                    Self::Refused(error.to_string())
                }
            }
            error => Self::Unexpected(error.to_string()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) => error.into(),
            error => Self::Refused(format!("its tables cannot be made: {error}")),
        }
    }
}
