//! What the log of calls says about failures, and the reset of what was spent.

use crate::db::{Db, DbError, Tx};
use crate::entity::Kind;

const FAILURES: &str = "SELECT started_at / 86400000 AS day, model_group, api_base, error_class, COUNT(*) AS failures \
                        FROM spend_logs WHERE failed = 1 AND started_at >= $1 AND started_at < $2 \
                        GROUP BY started_at / 86400000, model_group, api_base, error_class \
                        ORDER BY started_at / 86400000, COUNT(*) DESC LIMIT $3";

/// Failures of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    /// `2026-01-31`, in UTC.
    pub day: String,
    pub model_group: String,
    pub api_base: Option<String>,
    /// The kind of failure.
    pub error_class: Option<String>,
    /// How many.
    pub count: i64,
}

impl Db {
    /// Failures from one instant up to another (milliseconds of Unix time).
    ///
    /// # Errors
    /// The database's.
    pub async fn failures(&self, from_ms: i64, to_ms: i64, most: u32) -> Result<Vec<Failures>, DbError> {
        let rows = self.rows(FAILURES, &[from_ms.into(), to_ms.into(), i64::from(most).into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(Failures {
                    day: super::day_of(row.int("day")?.saturating_mul(86_400_000)),
                    model_group: row.text("model_group")?,
                    api_base: row.maybe_text("api_base")?,
                    error_class: row.maybe_text("error_class")?,
                    count: row.int("failures")?,
                })
            })
            .collect()
    }
}

impl Tx {
    /// Sets what all rows of a kind have spent in their running period to nothing, tells the replicas, and writes
    /// it down as the deed of `actor`.
    ///
    /// # Errors
    /// The database's.
    pub async fn reset_spend(
        &mut self,
        kind: Kind,
        now_ms: i64,
        actor: &str,
        actor_key: Option<&str>,
    ) -> Result<u64, DbError> {
        let [audited, told, reset] = resets(kind);
        let table = kind.table();
        self.execute(&audited, &[now_ms.into(), actor.into(), actor_key.into(), table.into()]).await?;
        self.execute(&told, &[table.into(), now_ms.into()]).await?;
        let rows = self.execute(&reset, &[]).await?;
        self.announce().await?;
        Ok(rows)
    }
}

fn resets(kind: Kind) -> [String; 3] {
    let table = kind.table();
    [
        format!(
            "INSERT INTO audit (at, actor, actor_key, action, kind, id, before, after) \
             SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), 'updated', CAST($4 AS TEXT), id, \
             '{{\"spend_nano\": ' || CAST(spend AS TEXT) || '}}', '{{\"spend_nano\": 0}}' \
             FROM {table} WHERE spend <> 0 ORDER BY id"
        ),
        format!(
            "INSERT INTO changes (kind, id, at) \
             SELECT CAST($1 AS TEXT), id, CAST($2 AS BIGINT) FROM {table} WHERE spend <> 0 ORDER BY id"
        ),
        format!("UPDATE {table} SET spend = 0 WHERE spend <> 0"),
    ]
}

/// Every statement of this file.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    let mut all = vec![FAILURES.to_owned()];
    all.extend(Kind::ALL.into_iter().flat_map(resets));
    all
}
