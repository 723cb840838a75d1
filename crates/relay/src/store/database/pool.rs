//! Connections to a database, and how long one is waited for.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "postgres")]
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use tokio::sync::Mutex;

/// The longest that a request waits for a connection to PostgreSQL, and then for its answer: one
/// that is silent for longer is away.
#[cfg(feature = "postgres")]
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest that a request waits for SQLite. Its disk is never away, but a slow one that has
/// large files to write first takes this long to confirm a row.
pub(super) const DISK_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(super) enum Pool {
    Sqlite {
        pool: SqlitePool,
        /// Held by who writes: SQLite lets one write at a time, and writers that find it busy sleep
        /// and ask again, while these wait in line.
        writer: Arc<Mutex<()>>,
        /// None in memory.
        folder: Option<PathBuf>,
    },
    #[cfg(feature = "postgres")]
    Postgres(PgPool),
}
