//! Requests, tokens, cache hits and failures by day, as LiteLLM's charts draw them. Days must be named.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Query;
use policy::roles::Object;
use serde::Deserialize;
use serde_json::{Value, json};
use store::db::Db;
use store::spend::daily::{By, DailyFilter, Sum, SumOrder};
use utoipa::IntoParams;

use super::day::{self, Days};
use super::sight::own_keys;
use super::{Answer, MOST_SUMS};
use crate::access::{Known, Refused, Stored};

/// Models in one answer.
const MOST_MODELS: usize = 10;
const MOST_FAILURES: u32 = 10_000;
/// The kind of failure that is counted.
const RATE_LIMIT: &str = "RateLimitError";

/// Which days.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// A day as `2026-01-31`, in UTC.
    start_date: Option<String>,
    /// A day as `2026-01-31`, in UTC; it is included.
    end_date: Option<String>,
    /// Failures of this public name only.
    model_group: Option<String>,
}

/// Requests and tokens by day.
#[utoipa::path(get, path = "/global/activity", operation_id = "spend_graphs_all", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days and sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn all(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/global/activity", &Object::default())?;
    let sums = sums(&db, &who, &wanted, &[By::Day]).await?;
    Ok(Json(chart(sums.iter())))
}

/// The same for each of the models that most was asked of.
#[utoipa::path(get, path = "/global/activity/model", operation_id = "spend_graphs_models", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days and sums a model"), (status = 400, description = "Days are missing")))]
pub(crate) async fn models(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/global/activity/model", &Object::default())?;
    let sums = sums(&db, &who, &wanted, &[By::Day, By::ModelGroup]).await?;
    let mut models: BTreeMap<&str, Vec<&Sum>> = BTreeMap::new();
    for sum in &sums {
        models.entry(&sum.model_group).or_default().push(sum);
    }
    let mut models: Vec<_> = models.into_iter().collect();
    models
        .sort_by_key(|(_, sums)| std::cmp::Reverse(sums.iter().map(|sum| sum.counts.requests).sum::<i64>()));
    let shown = models.into_iter().take(MOST_MODELS).map(|(model, sums)| {
        let mut chart = chart(sums.into_iter());
        chart["model"] = model.into();
        chart
    });
    Ok(Json(shown.collect()))
}

/// Requests that a cache answered, by key and model.
#[utoipa::path(get, path = "/global/activity/cache_hits", operation_id = "spend_graphs_cache_hits", tag = "spend", params(Wanted),
    responses((status = 200, description = "Counts"), (status = 400, description = "Days are missing")))]
pub(crate) async fn cache_hits(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/global/activity/cache_hits", &Object::default())?;
    let sums = sums(&db, &who, &wanted, &[By::ApiKey, By::ModelGroup, By::Endpoint]).await?;
    let row = |sum: &Sum| {
        json!({
            "api_key": sum.api_key, "call_type": sum.endpoint, "model": sum.model_group,
            "total_rows": sum.counts.requests, "cache_hit_true_rows": sum.counts.cache_hits,
            "generated_completion_tokens": sum.counts.output_tokens,
        })
    };
    Ok(Json(sums.iter().map(row).collect()))
}

/// Failures because of limits, by day.
#[utoipa::path(get, path = "/global/activity/exceptions", operation_id = "spend_graphs_exceptions", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days and sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn exceptions(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/global/activity/exceptions", &Object::default())?;
    let failures = failures(&db, &who, &wanted).await?;
    let days = failures.into_iter().fold(BTreeMap::new(), |mut days, (_, day, count)| {
        *days.entry(day).or_insert(0) += count;
        days
    });
    Ok(Json(failure_chart(days)))
}

/// The same for each upstream.
#[utoipa::path(get, path = "/global/activity/exceptions/deployment", operation_id = "spend_graphs_exceptions_by_deployment", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days and sums an upstream"), (status = 400, description = "Days are missing")))]
pub(crate) async fn exceptions_by_deployment(
    who: Known,
    Stored(db): Stored,
    Query(wanted): Query<Wanted>,
) -> Answer {
    who.must("GET", "/global/activity/exceptions/deployment", &Object::default())?;
    let mut upstreams: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for (upstream, day, count) in failures(&db, &who, &wanted).await? {
        *upstreams.entry(upstream).or_default().entry(day).or_insert(0) += count;
    }
    let shown = upstreams.into_iter().map(|(upstream, days)| {
        let mut chart = failure_chart(days);
        chart["api_base"] = upstream.into();
        chart
    });
    Ok(Json(shown.collect()))
}

async fn sums(db: &Db, who: &Known, wanted: &Wanted, by: &[By]) -> Result<Vec<Sum>, Refused> {
    let days = Days::asked(wanted.start_date.as_deref(), wanted.end_date.as_deref())?;
    let keys = own_keys(db, &who.0).await?;
    let filter = DailyFilter {
        from: Some(&days.from),
        to: Some(&days.to),
        api_keys: keys.as_deref(),
        model: wanted.model_group.as_deref(),
        ..DailyFilter::default()
    };
    Ok(db.sums(&filter, by, SumOrder::Key, 0, MOST_SUMS).await?)
}

/// Upstream, day and number of failures. Those of others are shown to nobody who may not see everything.
async fn failures(db: &Db, who: &Known, wanted: &Wanted) -> Result<Vec<(String, String, i64)>, Refused> {
    let days = Days::asked(wanted.start_date.as_deref(), wanted.end_date.as_deref())?;
    if !super::sight::sees_all(&who.0) {
        return Ok(Vec::new());
    }
    let (from, to) = days.instants();
    let all = db.failures(from, to, MOST_FAILURES).await?;
    let of_group = |group: &str| wanted.model_group.as_deref().is_none_or(|wanted| wanted == group);
    let counted = all
        .into_iter()
        .filter(|it| it.error_class.as_deref() == Some(RATE_LIMIT) && of_group(&it.model_group))
        .map(|it| (it.api_base.unwrap_or_default(), it.day, it.count));
    Ok(counted.collect())
}

/// Sums of days, the latest of which comes first.
fn chart<'a>(sums: impl DoubleEndedIterator<Item = &'a Sum>) -> Value {
    let (mut requests, mut tokens) = (0, 0);
    let mut days = Vec::new();
    for sum in sums.rev() {
        let used = sum.counts.input_tokens + sum.counts.output_tokens;
        requests += sum.counts.requests;
        tokens += used;
        days.push(json!({
            "date": day::short(&sum.day), "api_requests": sum.counts.requests, "total_tokens": used,
        }));
    }
    json!({"daily_data": days, "sum_api_requests": requests, "sum_total_tokens": tokens})
}

fn failure_chart(days: BTreeMap<String, i64>) -> Value {
    let sum: i64 = days.values().sum();
    let days: Vec<Value> = days
        .into_iter()
        .map(|(date, count)| json!({"date": day::short(&date), "num_rate_limit_exceptions": count}))
        .collect();
    json!({"daily_data": days, "sum_num_rate_limit_exceptions": sum})
}
