//! A batch as SQL: its rows and its sums. Everything happens in the transaction that the caller commits.

use super::sums::{DayCounts, DayKey, Spent, Sums};
use crate::db::{Column, DbError, ORDER_FEED, Param, Tx};
use crate::entity::Kind;

use Column::{Int, Text};

const DAY: [Column; 19] =
    [Text, Text, Text, Text, Text, Text, Text, Text, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int];
const ENTITY: [Column; 3] = [Text, Int, Int];
const CUSTOMER: [Column; 2] = [Text, Int];
const WINDOW: [Column; 4] = [Text, Text, Int, Int];
const FEED: [Column; 6] = [Text, Text, Text, Int, Int, Int];

/// Kinds of rows that count what they spend.
const SPENDERS: [Kind; 9] = [
    Kind::Key,
    Kind::User,
    Kind::Team,
    Kind::TeamMember,
    Kind::Organization,
    Kind::OrganizationMember,
    Kind::Project,
    Kind::Customer,
    Kind::Tag,
];

pub(super) async fn days(tx: &mut Tx, sums: &Sums) -> Result<(), DbError> {
    let rows: Vec<_> = sums.days.iter().map(day).collect();
    tx.execute_many(&DAY, add_days, &rows).await.map(drop)
}

fn day<'a>((key, counts): (&'a DayKey, &DayCounts)) -> [Param<'a>; 19] {
    [
        key.day.as_str().into(),
        key.kind.into(),
        key.entity.as_str().into(),
        key.api_key.as_str().into(),
        key.model.as_str().into(),
        key.model_group.as_str().into(),
        key.provider.as_str().into(),
        key.endpoint.into(),
        counts.spend.into(),
        counts.input.into(),
        counts.output.into(),
        counts.cache_read.into(),
        counts.cache_write.into(),
        counts.requests.into(),
        counts.successful.into(),
        counts.failed.into(),
        counts.cache_hits.into(),
        counts.unpriced.into(),
        counts.duration_ms.into(),
    ]
}

fn add_days(values: &str) -> String {
    const COUNTS: [&str; 11] = [
        "spend",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "requests",
        "successful",
        "failed",
        "cache_hits",
        "unpriced",
        "duration_ms",
    ];
    let added: Vec<_> =
        COUNTS.iter().map(|count| format!("{count} = daily_spend.{count} + excluded.{count}")).collect();
    format!(
        "INSERT INTO daily_spend (day, kind, entity_id, api_key, model, model_group, provider, endpoint, {}) \
         VALUES {values} ON CONFLICT (kind, entity_id, day, api_key, model, model_group, provider, endpoint) \
         DO UPDATE SET {}",
        COUNTS.join(", "),
        added.join(", ")
    )
}

/// Adds to what rows have spent. A period that ends later than the row's begins anew; one that is over counts only
/// towards what was spent ever.
pub(super) async fn entities(tx: &mut Tx, sums: &Sums, now_ms: i64) -> Result<(), DbError> {
    let customers: Vec<[Param<'_>; 2]> = sums
        .entities
        .keys()
        .filter(|(kind, ..)| *kind == Kind::Customer)
        .map(|(_, id, _)| [id.as_str().into(), now_ms.into()])
        .collect();
    tx.execute_many(&CUSTOMER, make_customers, &customers).await?;
    for kind in SPENDERS {
        for round in rounds(sums.entities.iter().filter(|((of, ..), _)| *of == kind)) {
            tx.execute_many(&ENTITY, |values| add_spend(kind, values), &round).await?;
        }
    }
    Ok(())
}

/// A statement sees a row once: the periods of one row go into one round each, the earliest first.
fn rounds<'a>(sums: impl Iterator<Item = (&'a (Kind, String, i64), &'a Spent)>) -> Vec<Vec<[Param<'a>; 3]>> {
    let mut rounds: Vec<Vec<[Param<'a>; 3]>> = Vec::new();
    let (mut last, mut round) = ("", 0);
    for ((_, id, end), spent) in sums {
        round = if last == id.as_str() { round + 1 } else { 0 };
        last = id;
        if rounds.len() <= round {
            rounds.push(Vec::new());
        }
        rounds[round].push([id.as_str().into(), spent.cost.into(), (*end).into()]);
    }
    rounds
}

/// A customer may have spent before anybody managed it.
fn make_customers(values: &str) -> String {
    format!(
        "WITH made (id, at) AS (VALUES {values}) \
         INSERT INTO customers (id, blocked, spend, total_spend, created_at, updated_at, body) \
         SELECT DISTINCT id, 0, 0, 0, at, at, '{{}}' FROM made WHERE id NOT IN (SELECT id FROM customers) \
         ON CONFLICT (id) DO NOTHING"
    )
}

fn add_spend(kind: Kind, values: &str) -> String {
    let table = kind.table();
    // An end of 0 is that of a budget without periods.
    format!(
        "WITH paid (id, cost, ends) AS (VALUES {values}) UPDATE {table} SET \
         total_spend = {table}.total_spend + paid.cost, \
         spend = CASE WHEN paid.ends = 0 OR {table}.budget_reset_at IS NULL OR paid.ends = {table}.budget_reset_at \
         THEN {table}.spend + paid.cost WHEN paid.ends > {table}.budget_reset_at THEN paid.cost \
         ELSE {table}.spend END, \
         budget_reset_at = CASE WHEN paid.ends <> 0 AND ({table}.budget_reset_at IS NULL \
         OR paid.ends > {table}.budget_reset_at) THEN paid.ends ELSE {table}.budget_reset_at END \
         FROM paid WHERE {table}.id = paid.id"
    )
}

pub(super) async fn windows(tx: &mut Tx, sums: &Sums) -> Result<(), DbError> {
    let mut rounds: Vec<Vec<[Param<'_>; 4]>> = Vec::new();
    let (mut last, mut round) = (("", ""), 0);
    for ((account, period, end), spent) in &sums.windows {
        let window = (account.as_str(), period.as_str());
        round = if last == window { round + 1 } else { 0 };
        last = window;
        if rounds.len() <= round {
            rounds.push(Vec::new());
        }
        rounds[round].push([window.0.into(), window.1.into(), spent.cost.into(), (*end).into()]);
    }
    for round in rounds {
        tx.execute_many(&WINDOW, add_windows, &round).await?;
    }
    Ok(())
}

fn add_windows(values: &str) -> String {
    format!(
        "INSERT INTO budget_windows (account, period, spent, resets_at) VALUES {values} \
         ON CONFLICT (account, period) DO UPDATE SET \
         spent = CASE WHEN excluded.resets_at = budget_windows.resets_at \
         THEN budget_windows.spent + excluded.spent WHEN excluded.resets_at > budget_windows.resets_at \
         THEN excluded.spent ELSE budget_windows.spent END, \
         resets_at = CASE WHEN excluded.resets_at > budget_windows.resets_at THEN excluded.resets_at \
         ELSE budget_windows.resets_at END"
    )
}

/// Tells the other replicas. SQLite is written by one process alone: there are none.
pub(super) async fn feed(tx: &mut Tx, replica: &str, sums: &Sums, now_ms: i64) -> Result<(), DbError> {
    if let Tx::Lite(_) = tx {
        return Ok(());
    }
    let entities = sums.entities.iter().map(|((kind, id, _), spent)| (kind.table(), id, spent));
    let accounts = sums.accounts.iter().map(|(account, spent)| (ACCOUNT, account, spent));
    let rows: Vec<[Param<'_>; 6]> = entities
        .chain(accounts)
        .filter(|(.., spent)| spent.cost != policy::money::Cost::ZERO)
        .map(|(kind, id, spent)| {
            [
                replica.into(),
                kind.into(),
                id.as_str().into(),
                spent.cost.into(),
                spent.ended_at.into(),
                now_ms.into(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    tx.execute(ORDER_FEED, &[]).await?;
    tx.execute_many(&FEED, tell, &rows).await.map(drop)
}

/// The `kind` of what is no row's account.
pub(super) const ACCOUNT: &str = "account";

fn tell(values: &str) -> String {
    format!("INSERT INTO spend_feed (replica, kind, id, cost, ended_at, at) VALUES {values}")
}

/// Every statement of this file.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    use crate::db::{lengths, values};
    let mut all = Vec::new();
    for length in lengths() {
        all.push(add_days(&values(&DAY, length)));
        all.push(make_customers(&values(&CUSTOMER, length)));
        all.push(add_windows(&values(&WINDOW, length)));
        all.push(tell(&values(&FEED, length)));
        all.extend(SPENDERS.map(|kind| add_spend(kind, &values(&ENTITY, length))));
    }
    all
}
