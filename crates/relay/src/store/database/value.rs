//! What goes into a statement and comes out of it.

use sqlx::Row as _;
#[cfg(feature = "postgres")]
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::store::StoreError;

/// A value in a statement, for its `$1`, `$2`, ….
#[derive(Debug, Clone)]
pub enum Param {
    /// Text, or null.
    Text(Option<String>),
    /// A whole number, or null.
    Integer(Option<i64>),
}

impl From<&str> for Param {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Param {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Param {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<Option<i64>> for Param {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

impl From<i64> for Param {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

/// A row of an answer; columns count from 0.
pub struct Row(pub(super) RowOf);

pub(super) enum RowOf {
    Sqlite(SqliteRow),
    #[cfg(feature = "postgres")]
    Postgres(PgRow),
}

impl Row {
    /// The text of a column.
    ///
    /// # Errors
    /// It has none.
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        Ok(match &self.0 {
            RowOf::Sqlite(row) => row.try_get(column)?,
            #[cfg(feature = "postgres")]
            RowOf::Postgres(row) => row.try_get(column)?,
        })
    }

    /// The text of a column that may be null.
    ///
    /// # Errors
    /// It holds no text.
    pub fn optional_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        Ok(match &self.0 {
            RowOf::Sqlite(row) => row.try_get(column)?,
            #[cfg(feature = "postgres")]
            RowOf::Postgres(row) => row.try_get(column)?,
        })
    }

    /// The whole number of a column; null is 0, as in a sum of no rows.
    ///
    /// # Errors
    /// It holds no whole number.
    pub fn integer(&self, column: usize) -> Result<i64, StoreError> {
        Ok(self.optional_integer(column)?.unwrap_or(0))
    }

    /// The whole number of a column that may be null.
    ///
    /// # Errors
    /// It holds no whole number.
    pub fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        Ok(match &self.0 {
            RowOf::Sqlite(row) => row.try_get(column)?,
            #[cfg(feature = "postgres")]
            RowOf::Postgres(row) => row.try_get(column)?,
        })
    }
}
