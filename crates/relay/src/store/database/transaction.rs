//! Statements that are done together or not at all.

use sqlx::pool::PoolConnection;
#[cfg(feature = "postgres")]
use sqlx::postgres::Postgres;
use sqlx::query;
use sqlx::sqlite::Sqlite;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::many_rows::{ManyRows, Placeholders};
#[cfg(feature = "postgres")]
use super::pool::ANSWER_TIMEOUT;
use super::pool::{DISK_TIMEOUT, Pool};
use super::value::{Param, Row, RowOf};
use crate::store::StoreError;

/// An open transaction.
pub struct Transaction {
    connection: Connection,
    /// SQLite lets one write at a time.
    _turn: Option<OwnedMutexGuard<()>>,
}

enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(PoolConnection<Postgres>),
}

/// Runs a query within the transaction, bounded in time.
macro_rules! within {
    ($connection:expr, $limit:expr, $sql:expr, $params:expr, $method:ident) => {{
        let mut query = query($sql);
        for param in $params {
            query = match param {
                Param::Text(text) => query.bind(text),
                Param::Integer(number) => query.bind(number),
            };
        }
        let answer = timeout($limit, query.$method(&mut **$connection)).await;
        answer.map_err(|_| StoreError::Timeout)??
    }};
}

impl Transaction {
    pub(super) async fn begin(pool: &Pool) -> Result<Self, StoreError> {
        let (connection, turn, begin) = match pool {
            Pool::Sqlite { pool, writer, .. } => {
                let turn = timeout(DISK_TIMEOUT, writer.clone().lock_owned()).await;
                let turn = turn.map_err(|_| StoreError::Timeout)?;
                let connection = Connection::Sqlite(pool.acquire().await?);
                // A transaction that reads first and writes later could find that another process
                // has written in between.
                (connection, Some(turn), "BEGIN IMMEDIATE")
            }
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => (Connection::Postgres(pool.acquire().await?), None, "BEGIN"),
        };
        let mut transaction = Self {
            connection,
            _turn: turn,
        };
        match transaction.execute(begin, Vec::new()).await {
            Ok(_) => Ok(transaction),
            Err(error) => {
                transaction.roll_back().await;
                Err(error)
            }
        }
    }

    /// How many rows a statement has written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn execute(&mut self, sql: &str, params: Vec<Param>) -> Result<u64, StoreError> {
        Ok(match &mut self.connection {
            Connection::Sqlite(connection) => {
                within!(connection, DISK_TIMEOUT, sql, params, execute).rows_affected()
            }
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => {
                within!(connection, ANSWER_TIMEOUT, sql, params, execute).rows_affected()
            }
        })
    }

    /// The rows that a query gives.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rows(&mut self, sql: &str, params: Vec<Param>) -> Result<Vec<Row>, StoreError> {
        Ok(match &mut self.connection {
            Connection::Sqlite(connection) => {
                let rows = within!(connection, DISK_TIMEOUT, sql, params, fetch_all).into_iter();
                rows.map(|row| Row(RowOf::Sqlite(row))).collect()
            }
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => {
                let rows = within!(connection, ANSWER_TIMEOUT, sql, params, fetch_all).into_iter();
                rows.map(|row| Row(RowOf::Postgres(row))).collect()
            }
        })
    }

    /// Executes a statement over many rows, in as few statements as it takes; `values` are those of
    /// all rows, one after the other. How many rows were written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn execute_many(
        &mut self,
        many: ManyRows<'_>,
        values: Vec<Param>,
    ) -> Result<u64, StoreError> {
        let mut written = 0;
        for (sql, values) in many.statements(self.placeholders(), values) {
            written += self.execute(&sql, values).await?;
        }
        Ok(written)
    }

    /// The rows that such a statement gives.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rows_of_many(
        &mut self,
        many: ManyRows<'_>,
        values: Vec<Param>,
    ) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        for (sql, values) in many.statements(self.placeholders(), values) {
            rows.extend(self.rows(&sql, values).await?);
        }
        Ok(rows)
    }

    fn placeholders(&self) -> Placeholders {
        match &self.connection {
            Connection::Sqlite(_) => Placeholders::Unnamed,
            #[cfg(feature = "postgres")]
            Connection::Postgres(_) => Placeholders::Numbered,
        }
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        match self.execute("COMMIT", Vec::new()).await {
            Ok(_) => Ok(()),
            Err(error) => {
                self.roll_back().await;
                Err(error)
            }
        }
    }

    /// Undoes what was done; a connection that does not answer even to that is closed.
    pub(super) async fn roll_back(mut self) {
        if self.execute("ROLLBACK", Vec::new()).await.is_ok() {
            return;
        }
        match self.connection {
            Connection::Sqlite(connection) => drop(connection.detach()),
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => drop(connection.detach()),
        }
    }
}
