//! How long the log is kept: what is older goes in small batches, and never passes through this process. Sums of days
//! stay.

use std::time::Duration;

use crate::db::{Db, DbError};

/// Rows of one transaction: short, so that charges get their turn.
const BATCH: i64 = 1_000;
/// Batches of one run.
const MOST_BATCHES: u32 = 500;
const REST: Duration = Duration::from_millis(20);

const LOGS: &str = "DELETE FROM spend_logs WHERE request_id IN \
                    (SELECT request_id FROM spend_logs WHERE started_at < $1 ORDER BY started_at, request_id LIMIT $2)";
const TRANSCRIPTS: &str = "DELETE FROM transcripts WHERE request_id IN \
                           (SELECT request_id FROM transcripts WHERE at < $1 ORDER BY at LIMIT $2)";

impl Db {
    /// Deletes rows of the log and transcripts that are older than `before_ms` (milliseconds of Unix time), until
    /// none is left or a run's share is done. Returns how many went.
    ///
    /// # Errors
    /// The database's; what went until then is gone.
    pub async fn forget_logs(&self, before_ms: i64) -> Result<u64, DbError> {
        let mut gone = 0;
        for sql in [TRANSCRIPTS, LOGS] {
            for _ in 0..MOST_BATCHES {
                let mut tx = self.begin_apart().await?;
                let rows = tx.execute(sql, &[before_ms.into(), BATCH.into()]).await?;
                tx.commit().await?;
                gone += rows;
                if rows < BATCH.cast_unsigned() {
                    break;
                }
                tokio::time::sleep(REST).await;
            }
        }
        Ok(gone)
    }
}

/// Every statement of this file.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    [LOGS, TRANSCRIPTS].map(str::to_owned).into()
}
