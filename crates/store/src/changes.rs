//! What was changed: every replica follows this to keep its picture of keys and teams true within a second.

use std::time::Duration;

use crate::db::{Db, DbError};
use crate::entity::Kind;

/// How often is looked when nobody tells. PostgreSQL tells at once; SQLite is written by this process alone.
const POLL: Duration = Duration::from_millis(500);

/// One row that was added, changed or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Grows by commit.
    pub number: i64,
    /// What it is about.
    pub kind: Kind,
    /// Which.
    pub id: String,
}

impl Db {
    /// The number of the last change.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_change(&self) -> Result<i64, DbError> {
        match self.row("SELECT COALESCE(MAX(number), 0) AS last FROM changes", &[]).await? {
            Some(row) => row.int("last"),
            None => Ok(0),
        }
    }

    /// The changes behind `number`, at most `most`, in the order of their commit.
    ///
    /// # Errors
    /// The database's.
    pub async fn changes_after(&self, number: i64, most: u32) -> Result<Vec<Change>, DbError> {
        let rows = self
            .rows(
                "SELECT number, kind, id FROM changes WHERE number > $1 ORDER BY number LIMIT $2",
                &[number.into(), i64::from(most).into()],
            )
            .await?;
        let mut changes = Vec::with_capacity(rows.len());
        for row in rows {
            // A kind of a newer program is none of ours.
            let Some(kind) = Kind::of_table(&row.text("kind")?) else { continue };
            changes.push(Change { number: row.int("number")?, kind, id: row.text("id")? });
        }
        Ok(changes)
    }
}

/// Tells when it is worth to ask for changes.
#[derive(Debug)]
pub struct Watch {
    listener: Option<sqlx::postgres::PgListener>,
}

impl Watch {
    /// Listens where the engine tells, polls everywhere.
    pub async fn new(db: &Db) -> Self {
        let Some(pool) = db.postgres() else { return Self { listener: None } };
        let listener = match sqlx::postgres::PgListener::connect_with(pool).await {
            Ok(mut listener) => listener.listen(crate::db::CHANNEL).await.is_ok().then_some(listener),
            Err(_) => None,
        };
        Self { listener }
    }

    /// Returns when something may have changed, or after half a second.
    pub async fn next(&mut self) {
        match &mut self.listener {
            None => tokio::time::sleep(POLL).await,
            Some(listener) => {
                if let Ok(Err(error)) = tokio::time::timeout(POLL, listener.recv()).await {
                    tracing::debug!(%error, "the database tells no more of changes; polling");
                    self.listener = None;
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }
}
