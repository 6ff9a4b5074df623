//! A transaction: all of it is written, or none.

use sqlx::{AssertSqlSafe, Postgres, Sqlite, Transaction};

use super::error::DbError;
use super::row::{Param, Row, bind_lite, bind_pg};
use super::{dialect, in_time};

/// What is written together. Undone by drop unless it was committed.
#[derive(Debug)]
pub enum Tx {
    /// SQLite's.
    Lite(Transaction<'static, Sqlite>),
    /// PostgreSQL's.
    Pg(Transaction<'static, Postgres>),
}

impl Tx {
    /// The rows of a query, or of a statement with `RETURNING`.
    ///
    /// # Errors
    /// The database's, or that it did not answer in time.
    pub async fn rows(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, DbError> {
        let sql = AssertSqlSafe(sql.to_owned());
        in_time(async {
            Ok(match self {
                Self::Lite(tx) => {
                    let rows = bind_lite(sqlx::query(sql), params).fetch_all(&mut **tx).await?;
                    rows.into_iter().map(Row::Lite).collect()
                }
                Self::Pg(tx) => {
                    let rows = bind_pg(sqlx::query(sql), params).fetch_all(&mut **tx).await?;
                    rows.into_iter().map(Row::Pg).collect()
                }
            })
        })
        .await
    }

    /// The first row of a query.
    ///
    /// # Errors
    /// As [`Tx::rows`].
    pub async fn row(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>, DbError> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// Runs a statement. Returns how many rows it touched.
    ///
    /// # Errors
    /// As [`Tx::rows`].
    pub async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, DbError> {
        let sql = AssertSqlSafe(sql.to_owned());
        in_time(async {
            Ok(match self {
                Self::Lite(tx) => {
                    bind_lite(sqlx::query(sql), params).execute(&mut **tx).await?.rows_affected()
                }
                Self::Pg(tx) => bind_pg(sqlx::query(sql), params).execute(&mut **tx).await?.rows_affected(),
            })
        })
        .await
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// As [`Tx::rows`]; then it may or may not have been written.
    pub async fn commit(self) -> Result<(), DbError> {
        in_time(async {
            match self {
                Self::Lite(tx) => tx.commit().await?,
                Self::Pg(tx) => tx.commit().await?,
            }
            Ok(())
        })
        .await
    }

    /// Waits until no other operator's transaction runs.
    pub(super) async fn exclude_writers(&mut self) -> Result<(), DbError> {
        // An immediate transaction of SQLite is the only one there is.
        if let Self::Pg(_) = self {
            self.execute(dialect::EXCLUDE_WRITERS, &[]).await?;
        }
        Ok(())
    }

    /// Tells other replicas at commit that there is something to read in `changes`.
    pub(crate) async fn announce(&mut self) -> Result<(), DbError> {
        if let Self::Pg(_) = self {
            self.execute(dialect::ANNOUNCE, &[]).await?;
        }
        Ok(())
    }
}
