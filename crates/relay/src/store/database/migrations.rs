//! The tables, made and changed step by step. What a step has done is never edited: a later step
//! changes it.

use std::borrow::Cow;

use futures_util::future::BoxFuture;
use sqlx::migrate::{Migration, MigrationSource, MigrationType, Migrator};

use crate::store::StoreError;

/// The steps that both databases take: number, description, SQL.
const STEPS: &[(i64, &str, &str)] = &[
    (
        1,
        "what clients store",
        include_str!("../../../migrations/0001_records.sql"),
    ),
    (
        2,
        "access keys, accounts, budgets, ledger",
        include_str!("../../../migrations/0002_ledger.sql"),
    ),
    (
        3,
        "jobs at 1min.ai",
        include_str!("../../../migrations/0003_jobs.sql"),
    ),
    (
        4,
        "when accounts were compared",
        include_str!("../../../migrations/0004_compared_at.sql"),
    ),
    (
        5,
        "records of native requests",
        include_str!("../../../migrations/0005_native.sql"),
    ),
    (
        6,
        "where stored things of native requests lie",
        include_str!("../../../migrations/0006_native_places.sql"),
    ),
    (
        7,
        "the ledger in the order of time",
        include_str!("../../../migrations/0007_ledger_by_time.sql"),
    ),
    (
        8,
        "why jobs failed",
        include_str!("../../../migrations/0008_job_errors.sql"),
    ),
    (
        9,
        "by which key accounts were compared",
        include_str!("../../../migrations/0009_compared_key.sql"),
    ),
];

/// What PostgreSQL takes before them.
#[cfg(feature = "postgres")]
const POSTGRES: (i64, &str, &str) = (
    0,
    "text that is compared byte by byte",
    include_str!("../../../migrations/0000_postgres.sql"),
);

#[derive(Debug)]
struct Steps(Vec<(i64, &'static str, &'static str)>);

impl MigrationSource<'static> for Steps {
    fn resolve(self) -> BoxFuture<'static, Result<Vec<Migration>, sqlx::error::BoxDynError>> {
        let steps = self.0.into_iter().map(|(version, description, sql)| {
            let (description, sql) = (Cow::Borrowed(description), Cow::Borrowed(sql));
            Migration::new(version, description, MigrationType::Simple, sql, false)
        });
        let steps = steps.collect();
        Box::pin(async move { Ok(steps) })
    }
}

pub(super) async fn sqlite() -> Result<Migrator, StoreError> {
    Ok(Migrator::new(Steps(STEPS.to_vec())).await?)
}

#[cfg(feature = "postgres")]
pub(super) async fn postgres() -> Result<Migrator, StoreError> {
    let steps = [&[POSTGRES], STEPS].concat();
    Ok(Migrator::new(Steps(steps)).await?)
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;

    #[tokio::test]
    async fn a_ledger_of_an_older_relay_keeps_its_rows() {
        let in_memory = SqlitePoolOptions::new().max_connections(1);
        let pool = in_memory.connect("sqlite::memory:").await.unwrap();
        let older: Vec<_> = STEPS.iter().filter(|step| step.0 < 7).copied().collect();
        let older = Migrator::new(Steps(older)).await.unwrap();
        older.run(&pool).await.unwrap();
        for (id, at) in [("b", 2_000), ("a", 1_000), ("c", 2_000)] {
            let sql = "INSERT INTO ledger VALUES ($1, $2, 'request', 'key', '', 'chat', 'm', 0, 'answered', \
                       200, 3, 4, 'reported', 700, 'reported', 1, 15, NULL, '')";
            sqlx::query(sql)
                .bind(id)
                .bind(at)
                .execute(&pool)
                .await
                .unwrap();
        }
        sqlite().await.unwrap().run(&pool).await.unwrap();
        let sql = "SELECT id, at, credits FROM ledger ORDER BY at DESC, id DESC";
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(sql).fetch_all(&pool).await.unwrap();
        let expected = [("c", 2_000), ("b", 2_000), ("a", 1_000)];
        assert_eq!(
            rows,
            expected.map(|(id, at)| (id.to_owned(), at, 700)).to_vec()
        );
    }
}
