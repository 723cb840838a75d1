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
