//! Brings a database's schema up to date: each step in a transaction, one replica at a time, never backwards.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Acquire, AssertSqlSafe, SqlSafeStr};

use super::dialect;
use super::error::DbError;
use super::open::Engine;

/// A step is never edited once it was released: its checksum is kept in the database.
const STEPS: &[(i64, &str, &str)] = &[
    (1, "entities", include_str!("../../migrations/0001_entities.sql")),
    (2, "spend", include_str!("../../migrations/0002_spend.sql")),
    (3, "leases", include_str!("../../migrations/0003_leases.sql")),
];

/// Applies the steps that `pool` has not seen.
pub(super) async fn up_to_date<'a, A>(engine: Engine, pool: A) -> Result<(), DbError>
where
    A: Acquire<'a>,
    <A::Connection as std::ops::Deref>::Target: Migrate,
{
    let steps = STEPS.iter().map(|(version, name, text)| {
        let sql = AssertSqlSafe(dialect::schema(engine, text)).into_sql_str();
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
    });
    let known = STEPS.last().map_or(0, |(version, ..)| *version);
    match Migrator::with_migrations(steps.collect()).run(pool).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found) | MigrateError::VersionTooNew(found, _)) => {
            Err(DbError::Newer { found, known })
        }
        Err(MigrateError::Execute(error)) => Err(error.into()),
        Err(error) => Err(DbError::Migration(error.to_string())),
    }
}
