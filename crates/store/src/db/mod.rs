//! The database: SQLite or PostgreSQL behind one value, one SQL text for both. Knows no table.
//!
//! SQL is the subset that both engines read, with `$1` for parameters; numbers are `BIGINT`s, money nano-dollars,
//! times milliseconds of Unix time, booleans 0 and 1, JSON is text. What differs is in [`dialect`].

mod dialect;
mod error;
mod many;
mod migrate;
mod open;
mod row;
mod tx;

pub(crate) use self::dialect::{CHANNEL, ORDER_FEED};
pub use self::error::DbError;
pub(crate) use self::many::Column;
#[cfg(test)]
pub(crate) use self::many::{lengths, values};
pub use self::open::Engine;
pub use self::row::{Param, Row};
pub use self::tx::Tx;

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

/// What one statement may take before the database counts as not available. A frozen server must not freeze us.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
}

#[derive(Clone, Debug)]
enum Pools {
    /// SQLite has one writer at a time: it queues here instead of failing there.
    Lite {
        read: SqlitePool,
        write: SqlitePool,
    },
    Pg(PgPool),
}

impl Db {
    /// Which engine it is.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self.pools {
            Pools::Lite { .. } => Engine::Sqlite,
            Pools::Pg(_) => Engine::Postgres,
        }
    }

    /// The rows of a query. `sql` holds no values, only `$1`, `$2`, ….
    ///
    /// # Errors
    /// The database's, or that it did not answer in time.
    pub async fn rows(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        let sql = AssertSqlSafe(sql.to_owned());
        in_time(async {
            Ok(match &self.pools {
                Pools::Lite { read, .. } => {
                    let rows = row::bind_lite(sqlx::query(sql), params).fetch_all(read).await?;
                    rows.into_iter().map(Row::Lite).collect()
                }
                Pools::Pg(pool) => {
                    let rows = row::bind_pg(sqlx::query(sql), params).fetch_all(pool).await?;
                    rows.into_iter().map(Row::Pg).collect()
                }
            })
        })
        .await
    }

    /// The first row of a query.
    ///
    /// # Errors
    /// As [`Db::rows`].
    pub async fn row(&self, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>, DbError> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// Begins to write. Writes of operators exclude each other, also between replicas, so that what a
    /// transaction read stays true until it commits.
    ///
    /// # Errors
    /// As [`Db::rows`].
    pub async fn begin(&self) -> Result<Tx, DbError> {
        let mut tx = self.begin_apart().await?;
        tx.exclude_writers().await?;
        Ok(tx)
    }

    /// Begins to write what no operator writes: charges and aggregates.
    ///
    /// # Errors
    /// As [`Db::rows`].
    pub async fn begin_apart(&self) -> Result<Tx, DbError> {
        in_time(async {
            Ok(match &self.pools {
                Pools::Lite { write, .. } => Tx::Lite(write.begin_with("BEGIN IMMEDIATE").await?),
                Pools::Pg(pool) => Tx::Pg(pool.begin().await?),
            })
        })
        .await
    }

    /// Has both engines look at a statement without running it; for tests.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn prepare(&self, sql: &str) -> Result<(), DbError> {
        use sqlx::Executor as _;
        let sql = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(sql.to_owned()));
        match &self.pools {
            Pools::Lite { read, .. } => read.prepare(sql).await.map(drop)?,
            Pools::Pg(pool) => pool.prepare(sql).await.map(drop)?,
        }
        Ok(())
    }

    /// Ends all connections, once what runs on them has ended.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Lite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Pools::Pg(pool) => pool.close().await,
        }
    }

    /// The pool of PostgreSQL connections, for what only it can do.
    pub(crate) const fn postgres(&self) -> Option<&PgPool> {
        match &self.pools {
            Pools::Pg(pool) => Some(pool),
            Pools::Lite { .. } => None,
        }
    }
}

/// `work`, unless it takes too long.
async fn in_time<T>(work: impl Future<Output = Result<T, DbError>>) -> Result<T, DbError> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => Err(DbError::Unavailable(format!("no answer in {} s", PATIENCE.as_secs()))),
    }
}
