//! Limits that replicas divide among themselves: what is granted of each never exceeds it, whoever asks at once.
//!
//! Of a limit that outlasts a window, what a replica holds is told as a whole, never as a difference: saying it twice
//! changes nothing, and a grant whose answer was lost is given back by the next report. A replica numbers its
//! statements (`turn`), so that a report that was stuck does not undo a newer one. PostgreSQL only: one row's
//! lock is what replicas queue for. Times are the database's.
//!
//! Not here: how much is asked for and when.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgPool, Postgres, Row as _};

use crate::db::{Db, DbError};

/// What is wanted of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Whose.
    pub account: String,
    /// What is limited.
    pub meter: String,
    /// When the budget's period ends; 0 for ever.
    pub period: i64,
    /// The limit.
    pub limit: i64,
    /// What was spent before anybody asked; counts when this is the first.
    pub seed: i64,
    /// With less nothing can be done, and nothing is granted.
    pub least: i64,
    /// More than this may be granted: [`Self::parts`].
    pub wish: i64,
    /// How many milliseconds a window lasts; 0 for limits without.
    pub window_ms: i64,
    /// At most one of so many parts of what is left is granted, unless more is wished.
    pub parts: i64,
}

/// What was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// As in the [`Want`].
    pub account: String,
    /// As in the [`Want`].
    pub meter: String,
    /// As in the [`Want`].
    pub period: i64,
    /// May be 0.
    pub granted: i64,
    /// What others may still get.
    pub left: i64,
    /// When the window ends, by the database's clock: its name.
    pub window: i64,
    /// Milliseconds to the window's end.
    pub window_ms: i64,
}

/// What a replica holds of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// As in the [`Want`].
    pub account: String,
    /// As in the [`Want`].
    pub meter: String,
    /// As in the [`Want`].
    pub period: i64,
    /// As in the [`Want`].
    pub seed: i64,
    /// All of it, used or not.
    pub granted: i64,
    /// Of that.
    pub used: i64,
}

const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

const ASKED: &str = "asked AS MATERIALIZED (
    SELECT a.*, {now} AS now FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::bigint[], $10::bigint[])
        AS a(account, meter, period, most, seed, least, wish, lasts, parts)
)";

/// Rows are locked in the order of their names, so that no two statements wait for each other.
const GRANT: &str = "WITH {asked}, locked AS MATERIALIZED (
    SELECT p.account, p.meter, p.period, a.now, a.least, a.wish, a.lasts, a.parts, a.most,
        CASE WHEN a.lasts > 0 AND p.ends_at <= a.now THEN a.now + a.lasts ELSE p.ends_at END AS ends,
        CASE WHEN a.lasts > 0 AND p.ends_at <= a.now THEN 0 ELSE p.granted END AS had
    FROM lease_pools p JOIN asked a USING (account, meter, period)
    ORDER BY p.account, p.meter, p.period FOR UPDATE OF p
), decided AS MATERIALIZED (
    SELECT l.*, CASE WHEN most - had < least THEN 0
        ELSE LEAST(most - had, GREATEST(wish, (most - had) / parts)) END AS adds FROM locked l
), lent AS (
    INSERT INTO leases (account, meter, period, replica, granted, used, turn)
    SELECT account, meter, period, $1, adds, 0, $11 FROM decided WHERE lasts = 0 AND adds > 0
    ON CONFLICT (account, meter, period, replica)
        DO UPDATE SET granted = leases.granted + excluded.granted, turn = GREATEST(leases.turn, excluded.turn)
)
UPDATE lease_pools p SET granted = d.had + d.adds, added = d.adds, ends_at = d.ends
FROM decided d WHERE p.account = d.account AND p.meter = d.meter AND p.period = d.period
RETURNING p.account, p.meter, p.period, d.adds, GREATEST(0, d.most - d.had - d.adds) AS rest, d.ends, d.ends - d.now AS ends_in";

const BEGIN: &str = "WITH {asked}
INSERT INTO lease_pools (account, meter, period, ends_at, granted, added)
SELECT account, meter, period, CASE WHEN lasts > 0 THEN now + lasts ELSE 0 END, seed, 0 FROM asked WHERE $1::text IS NOT NULL
ORDER BY account, meter, period ON CONFLICT DO NOTHING";

const REPORT: &str = "WITH told AS MATERIALIZED (
    SELECT * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
        AS t(account, meter, period, seed, granted, used)
), before AS MATERIALIZED (
    SELECT l.account, l.meter, l.period, l.granted, l.turn FROM leases l JOIN told USING (account, meter, period)
    WHERE l.replica = $1 FOR UPDATE OF l
), fresh AS MATERIALIZED (
    SELECT t.*, t.granted - COALESCE(b.granted, 0) AS more FROM told t LEFT JOIN before b USING (account, meter, period)
    WHERE b.turn IS NULL OR b.turn < $8
), lent AS (
    INSERT INTO leases (account, meter, period, replica, granted, used, turn)
    SELECT account, meter, period, $1, granted, used, $8 FROM fresh
    ON CONFLICT (account, meter, period, replica)
        DO UPDATE SET granted = excluded.granted, used = excluded.used, turn = excluded.turn
)
INSERT INTO lease_pools AS p (account, meter, period, ends_at, granted, added)
SELECT account, meter, period, 0, seed + more, more FROM fresh ORDER BY account, meter, period
ON CONFLICT (account, meter, period) DO UPDATE SET granted = GREATEST(0, p.granted + excluded.added), added = excluded.added";

/// Calls end with their replica, money that it spent does not come back.
const RECLAIM: &str = "WITH gone AS (
    DELETE FROM leases l WHERE l.meter = $2
        AND NOT EXISTS (SELECT 1 FROM replicas r WHERE r.replica = l.replica AND r.seen_at > {now} - $1)
    RETURNING l.account, l.meter, l.period, l.granted
), summed AS (SELECT account, meter, period, SUM(granted)::bigint AS granted FROM gone GROUP BY account, meter, period)
UPDATE lease_pools p SET granted = GREATEST(0, p.granted - s.granted)
FROM summed s WHERE p.account = s.account AND p.meter = s.meter AND p.period = s.period";

/// What nobody will ask for again.
const FORGET: [&str; 4] = [
    "DELETE FROM lease_pools WHERE ends_at > 0 AND ends_at < {now} - 600000",
    "DELETE FROM lease_pools WHERE period > 0 AND period < {now} - 86400000",
    "DELETE FROM leases WHERE period > 0 AND period < {now} - 86400000",
    "DELETE FROM replicas WHERE seen_at < {now} - 86400000",
];

impl Db {
    /// Grants what is left of limits, all in one statement; for limits that nobody asked for before, three.
    ///
    /// # Errors
    /// The database's. Then it may have been granted: the next [`Db::leases_hold`] gives it back.
    pub async fn leases_want(&self, replica: &str, turn: i64, wants: &[Want]) -> Result<Vec<Grant>, DbError> {
        let pool = self.server()?;
        let grants = granted(pool, replica, turn, wants).await?;
        if grants.len() == wants.len() {
            return Ok(grants);
        }
        let known = |want: &Want| {
            let same = |grant: &Grant| {
                (&grant.account, &grant.meter, grant.period) == (&want.account, &want.meter, want.period)
            };
            grants.iter().any(same)
        };
        let new: Vec<Want> = wants.iter().filter(|want| !known(want)).cloned().collect();
        bound(&BEGIN.replace("{asked}", ASKED).replace("{now}", NOW), replica, &new).execute(pool).await?;
        let more = granted(pool, replica, turn, &new).await?;
        Ok([grants, more].concat())
    }

    /// Tells what a replica holds of limits without windows; what it held and does not any more is given back.
    ///
    /// # Errors
    /// The database's. Then the same is told again.
    pub async fn leases_hold(&self, replica: &str, turn: i64, held: &[Held]) -> Result<(), DbError> {
        let texts = |read: fn(&Held) -> &String| held.iter().map(read).cloned().collect::<Vec<_>>();
        let numbers = |read: fn(&Held) -> i64| held.iter().map(read).collect::<Vec<_>>();
        sqlx::query(sqlx::AssertSqlSafe(REPORT.replace("{now}", NOW)))
            .bind(replica)
            .bind(texts(|held| &held.account))
            .bind(texts(|held| &held.meter))
            .bind(numbers(|held| held.period))
            .bind(numbers(|held| held.seed))
            .bind(numbers(|held| held.granted))
            .bind(numbers(|held| held.used))
            .bind(turn)
            .execute(self.server()?)
            .await?;
        Ok(())
    }

    /// Says that a replica lives, takes `ending` meters back from those that were not heard of for `lapse_ms`, and
    /// returns how many live.
    ///
    /// # Errors
    /// The database's.
    pub async fn leases_pulse(&self, replica: &str, ending: &str, lapse_ms: i64) -> Result<i64, DbError> {
        let pool = self.server()?;
        let seen = format!(
            "INSERT INTO replicas (replica, seen_at) VALUES ($1, {NOW}) ON CONFLICT (replica) DO UPDATE SET seen_at = excluded.seen_at"
        );
        sqlx::query(sqlx::AssertSqlSafe(seen)).bind(replica).execute(pool).await?;
        sqlx::query(sqlx::AssertSqlSafe(RECLAIM.replace("{now}", NOW)))
            .bind(lapse_ms)
            .bind(ending)
            .execute(pool)
            .await?;
        let living = format!("SELECT COUNT(*) AS living FROM replicas WHERE seen_at > {NOW} - $1");
        Ok(sqlx::query(sqlx::AssertSqlSafe(living))
            .bind(lapse_ms)
            .fetch_one(pool)
            .await?
            .try_get("living")?)
    }

    /// Deletes what nobody will ask for again.
    ///
    /// # Errors
    /// The database's.
    pub async fn leases_forget(&self) -> Result<(), DbError> {
        for sql in FORGET {
            sqlx::query(sqlx::AssertSqlSafe(sql.replace("{now}", NOW))).execute(self.server()?).await?;
        }
        Ok(())
    }

    /// A replica that ends on purpose.
    ///
    /// # Errors
    /// The database's.
    pub async fn leases_leave(&self, replica: &str) -> Result<(), DbError> {
        sqlx::query("DELETE FROM replicas WHERE replica = $1").bind(replica).execute(self.server()?).await?;
        Ok(())
    }

    fn server(&self) -> Result<&PgPool, DbError> {
        self.postgres()
            .ok_or_else(|| DbError::Statement("limits are shared through PostgreSQL only".to_owned()))
    }
}

async fn granted(pool: &PgPool, replica: &str, turn: i64, wants: &[Want]) -> Result<Vec<Grant>, DbError> {
    let sql = GRANT.replace("{asked}", ASKED).replace("{now}", NOW);
    let rows = bound(&sql, replica, wants).bind(turn).fetch_all(pool).await?;
    rows.iter().map(grant).collect()
}

fn bound<'a>(sql: &str, replica: &'a str, wants: &[Want]) -> Query<'a, Postgres, PgArguments> {
    let texts = |read: fn(&Want) -> &String| wants.iter().map(read).cloned().collect::<Vec<_>>();
    let numbers = |read: fn(&Want) -> i64| wants.iter().map(read).collect::<Vec<_>>();
    sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
        .bind(replica)
        .bind(texts(|want| &want.account))
        .bind(texts(|want| &want.meter))
        .bind(numbers(|want| want.period))
        .bind(numbers(|want| want.limit))
        .bind(numbers(|want| want.seed))
        .bind(numbers(|want| want.least))
        .bind(numbers(|want| want.wish))
        .bind(numbers(|want| want.window_ms))
        .bind(numbers(|want| want.parts))
}

fn grant(row: &PgRow) -> Result<Grant, DbError> {
    Ok(Grant {
        account: row.try_get("account")?,
        meter: row.try_get("meter")?,
        period: row.try_get("period")?,
        granted: row.try_get("adds")?,
        left: row.try_get("rest")?,
        window: row.try_get("ends")?,
        window_ms: row.try_get("ends_in")?,
    })
}
