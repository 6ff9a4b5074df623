//! What other replicas have charged, for budgets that all of them count against.

use policy::money::Cost;

use super::write::ACCOUNT;
use crate::db::{Db, DbError};
use crate::entity::Kind;

const LAST: &str = "SELECT COALESCE(MAX(number), 0) AS last FROM spend_feed";
const AFTER: &str = "SELECT number, replica, kind, id, cost, ended_at FROM spend_feed WHERE number > $1 \
                     ORDER BY number LIMIT $2";
const PRUNE: &str = "DELETE FROM spend_feed WHERE at < $1";

/// Charges of one replica against one account, all of the same budget period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    /// Grows by commit.
    pub number: i64,
    /// Who tells.
    pub replica: String,
    /// The row that was charged; `None` for an account that is no row's.
    pub kind: Option<Kind>,
    /// The row's id, or the account.
    pub id: String,
    /// How much.
    pub cost: Cost,
    /// When the last of the calls ended, in milliseconds of Unix time.
    pub ended_at: i64,
}

impl Db {
    /// The number of the last news. To be asked before rows are read, so that nothing is missed.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_fed(&self) -> Result<i64, DbError> {
        self.row(LAST, &[]).await?.map_or(Ok(0), |row| row.int("last"))
    }

    /// The news behind `number`, at most `most`, in the order of their commit; a replica's own among them.
    ///
    /// # Errors
    /// The database's.
    pub async fn fed_after(&self, number: i64, most: u32) -> Result<Vec<Fed>, DbError> {
        let rows = self.rows(AFTER, &[number.into(), i64::from(most).into()]).await?;
        let mut news = Vec::with_capacity(rows.len());
        for row in rows {
            let kind = row.text("kind")?;
            let table = Kind::of_table(&kind);
            // A kind of a newer program is none of ours.
            if table.is_none() && kind != ACCOUNT {
                continue;
            }
            news.push(Fed {
                number: row.int("number")?,
                replica: row.text("replica")?,
                kind: table,
                id: row.text("id")?,
                cost: row.cost("cost")?,
                ended_at: row.int("ended_at")?,
            });
        }
        Ok(news)
    }

    /// Forgets news older than `before` (milliseconds of Unix time).
    ///
    /// # Errors
    /// The database's.
    pub async fn prune_feed(&self, before: i64) -> Result<u64, DbError> {
        let mut tx = self.begin_apart().await?;
        let pruned = tx.execute(PRUNE, &[before.into()]).await?;
        tx.commit().await?;
        Ok(pruned)
    }
}

/// Every statement of this file.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    [LAST, AFTER, PRUNE].map(str::to_owned).into()
}
