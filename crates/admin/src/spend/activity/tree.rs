//! Sums as the tree of LiteLLM's answer: days, in them the breakdowns, in those the keys.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use store::db::{Db, DbError};
use store::entity::{KeyFields, OrganizationFields, TeamFields, UserFields};
use store::spend::daily::{Counts, Of, Sum};

/// A breakdown, and what a sum is called in it.
type Split = (&'static str, fn(&Sum) -> &str);

/// Breakdowns whose entries have keys below them.
const SPLIT: [Split; 5] = [
    ("models", |sum| &sum.model),
    ("model_groups", |sum| &sum.model_group),
    ("providers", |sum| &sum.provider),
    ("endpoints", |sum| &sum.endpoint),
    ("entities", |sum| &sum.entity),
];

/// What people call keys and entities.
#[derive(Default)]
pub(super) struct Names {
    keys: BTreeMap<String, Value>,
    entities: BTreeMap<String, Value>,
}

#[derive(Default)]
struct Node {
    counts: Counts,
    keys: BTreeMap<String, Counts>,
}

#[derive(Default)]
struct Day {
    counts: Counts,
    split: [BTreeMap<String, Node>; SPLIT.len()],
    keys: BTreeMap<String, Counts>,
}

/// The names of what is in `sums`. What was deleted has none.
pub(super) async fn names(db: &Db, of: Of, sums: &[Sum]) -> Result<Names, DbError> {
    let mut names = Names::default();
    let keys: BTreeSet<&str> = sums.iter().map(|sum| sum.api_key.as_str()).collect();
    for key in keys.into_iter().filter(|key| !key.is_empty()) {
        let row = db.get::<KeyFields>(key).await?;
        let fields = row.as_ref().map(|row| &row.fields);
        names.keys.insert(
            key.to_owned(),
            json!({
                "key_alias": fields.and_then(|fields| fields.key_alias.as_deref()),
                "team_id": fields.and_then(|fields| fields.team_id.as_deref()),
            }),
        );
    }
    let entities: BTreeSet<&str> = sums.iter().map(|sum| sum.entity.as_str()).collect();
    for id in entities.into_iter().filter(|id| !id.is_empty()) {
        let name = match of {
            Of::Team => {
                let alias = db.get::<TeamFields>(id).await?.and_then(|row| row.fields.team_alias);
                json!({"alias": alias, "team_alias": alias})
            }
            Of::Organization => {
                let alias =
                    db.get::<OrganizationFields>(id).await?.and_then(|row| row.fields.organization_alias);
                json!({"alias": alias, "organization_alias": alias})
            }
            Of::User => {
                json!({"alias": db.get::<UserFields>(id).await?.and_then(|row| row.fields.user_alias)})
            }
            Of::Everything | Of::Customer | Of::Tag => json!({}),
        };
        names.entities.insert(id.to_owned(), name);
    }
    Ok(names)
}

/// The days of `sums`, the latest first; `keyed` are the sums that are told apart by key.
pub(super) fn days(sums: &[Sum], keyed: &[Sum], names: &Names) -> Vec<Value> {
    let mut days: BTreeMap<&str, Day> = BTreeMap::new();
    for sum in sums {
        let day = days.entry(&sum.day).or_default();
        day.counts = day.counts.plus(sum.counts);
        for ((_, name), nodes) in SPLIT.iter().zip(&mut day.split) {
            if !name(sum).is_empty() {
                let node = nodes.entry(name(sum).to_owned()).or_default();
                node.counts = node.counts.plus(sum.counts);
            }
        }
    }
    for sum in keyed.iter().filter(|sum| !sum.api_key.is_empty()) {
        let day = days.entry(&sum.day).or_default();
        add(&mut day.keys, sum);
        for ((_, name), nodes) in SPLIT.iter().zip(&mut day.split) {
            if let Some(node) = nodes.get_mut(name(sum)) {
                add(&mut node.keys, sum);
            }
        }
    }
    days.into_iter().rev().map(|(date, day)| day.shown(date, names)).collect()
}

fn add(keys: &mut BTreeMap<String, Counts>, sum: &Sum) {
    let counts = keys.entry(sum.api_key.clone()).or_default();
    *counts = counts.plus(sum.counts);
}

impl Day {
    fn shown(self, date: &str, names: &Names) -> Value {
        let mut breakdown = Map::new();
        for ((called, _), nodes) in SPLIT.iter().zip(self.split) {
            let entities = *called == "entities";
            let nodes: Map<String, Value> = nodes
                .into_iter()
                .map(|(name, node)| {
                    let metadata = entities.then(|| names.entities.get(&name).cloned()).flatten();
                    let shown = json!({
                        "metrics": metrics(&node.counts),
                        "metadata": metadata.unwrap_or_else(|| json!({})),
                        "api_key_breakdown": keys(node.keys, names),
                    });
                    (name, shown)
                })
                .collect();
            breakdown.insert((*called).to_owned(), nodes.into());
        }
        breakdown.insert("mcp_servers".to_owned(), json!({}));
        breakdown.insert("api_keys".to_owned(), keys(self.keys, names));
        json!({"date": date, "metrics": metrics(&self.counts), "breakdown": breakdown})
    }
}

fn keys(keys: BTreeMap<String, Counts>, names: &Names) -> Value {
    let keys = keys.into_iter().map(|(key, counts)| {
        let metadata = names.keys.get(&key).cloned().unwrap_or_else(|| json!({}));
        (key, json!({"metrics": metrics(&counts), "metadata": metadata}))
    });
    Value::Object(keys.collect())
}

const SAVINGS: [&str; 5] = [
    "compression_saved_tokens",
    "compression_savings_spend",
    "prompt_caching_savings_spend",
    "gateway_injected_caching_savings_spend",
    "autorouter_savings_spend",
];

fn metrics(counts: &Counts) -> Value {
    let mut shown = Map::new();
    let all: [(&str, Value); 13] = [
        ("spend", counts.spend.as_f64().into()),
        ("prompt_tokens", counts.input_tokens.into()),
        ("completion_tokens", counts.output_tokens.into()),
        ("cache_read_input_tokens", counts.cache_read_tokens.into()),
        ("cache_creation_input_tokens", counts.cache_write_tokens.into()),
        ("total_tokens", (counts.input_tokens + counts.output_tokens).into()),
        ("successful_requests", counts.successful.into()),
        ("failed_requests", counts.failed.into()),
        ("api_requests", counts.requests.into()),
        ("total_response_time_ms", counts.duration_ms.into()),
        ("timed_requests", counts.requests.into()),
        ("flat_cost", 0.0.into()),
        ("ptu_hours", 0.0.into()),
    ];
    shown.extend(all.map(|(name, value)| (name.to_owned(), value)));
    shown.extend(SAVINGS.map(|name| (name.to_owned(), 0.into())));
    // Not LiteLLM's: without it a day of unpriced calls looks like a free one.
    shown.insert("unpriced_requests".to_owned(), counts.unpriced.into());
    shown.insert("cache_hits".to_owned(), counts.cache_hits.into());
    Value::Object(shown)
}

/// The sums of an answer under the names of its `metadata`.
pub(super) fn totals(counts: &Counts) -> Value {
    let Value::Object(metrics) = metrics(counts) else { return json!({}) };
    let named = metrics.into_iter().map(|(name, value)| {
        (if name.starts_with("total_") { name } else { format!("total_{name}") }, value)
    });
    Value::Object(named.collect())
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
