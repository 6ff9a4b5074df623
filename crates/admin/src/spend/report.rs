//! Reports for whoever pays: what teams, customers, keys and users spent, by model.

use gateway::hash::key_id;
use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Query;
use gateway::refusal::Refusal;
use policy::money::Cost;
use policy::roles::Object;
use serde::Deserialize;
use serde_json::{Value, json};
use store::db::Db;
use store::entity::TeamFields;
use store::spend::daily::{By, Counts, DailyFilter, Of, Sum, SumOrder};
use utoipa::IntoParams;

use super::day::Days;
use super::sight::{leads, own_keys, sees_all};
use super::{Answer, MOST_SUMS};
use crate::access::{Known, Refused, Stored};

/// Which report.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// A day as `2026-01-31`, in UTC.
    start_date: Option<String>,
    /// A day as `2026-01-31`, in UTC; it is included.
    end_date: Option<String>,
    /// `team`, `customer` or `api_key`; `team` where nothing is said.
    group_by: Option<String>,
    /// A key or its hash.
    api_key: Option<String>,
    /// A user.
    internal_user_id: Option<String>,
    /// A user.
    user_id: Option<String>,
    /// A team.
    team_id: Option<String>,
    /// An end user.
    customer_id: Option<String>,
    /// An organization.
    organization_id: Option<String>,
}

/// What was spent, grouped.
#[utoipa::path(get, path = "/global/spend/report", operation_id = "spend_report_global", tag = "spend", params(Wanted),
    responses((status = 200, description = "Groups"), (status = 400, description = "Days are missing")))]
pub(crate) async fn global(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/global/spend/report", &Object::default())?;
    let days = wanted.days()?;
    if let Some(key) = &wanted.api_key {
        return by_key(&db, &days, Of::Everything, None, Some(vec![key_id(key)])).await;
    }
    let single = [
        (Of::User, &wanted.internal_user_id),
        (Of::Team, &wanted.team_id),
        (Of::Customer, &wanted.customer_id),
        (Of::Organization, &wanted.organization_id),
    ];
    if let Some((of, Some(id))) = single.into_iter().find(|(_, id)| id.is_some()) {
        return by_key(&db, &days, of, Some(vec![id.clone()]), None).await;
    }
    match wanted.group_by.as_deref() {
        None | Some("team") => by_day(&db, &days, Of::Team, ["teams", "team_name"]).await,
        Some("customer") => by_day(&db, &days, Of::Customer, ["customers", "customer"]).await,
        Some("organization") => by_day(&db, &days, Of::Organization, ["organizations", "organization"]).await,
        Some("api_key") => by_key(&db, &days, Of::Everything, None, None).await,
        Some(other) => {
            let message =
                format!("group_by cannot be {other:?}; it is team, customer, organization or api_key");
            Err(Refusal::new(400, message).with_param("group_by").into())
        }
    }
}

/// What the caller's keys spent, or one of them.
#[utoipa::path(get, path = "/key/spend/report", operation_id = "spend_report_key", tag = "spend", params(Wanted),
    responses((status = 200, description = "A group a key"), (status = 400, description = "Days are missing")))]
pub(crate) async fn key(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/key/spend/report", &Object::default())?;
    let asked = wanted.api_key.as_deref().map(key_id);
    let keys = match (own_keys(&db, &who.0).await?, asked) {
        (None, asked) => asked.map(|key| vec![key]),
        (Some(own), None) => Some(own),
        (Some(own), Some(asked)) => Some(own.into_iter().filter(|key| *key == asked).collect()),
    };
    by_key(&db, &wanted.days()?, Of::Everything, None, keys).await
}

/// What a user spent: the caller, or whom they may see.
#[utoipa::path(get, path = "/user/spend/report", operation_id = "spend_report_user", tag = "spend", params(Wanted),
    responses((status = 200, description = "A group a key"), (status = 400, description = "Days are missing")))]
pub(crate) async fn user(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/user/spend/report", &Object::default())?;
    let asked = wanted.user_id.as_ref().or(wanted.internal_user_id.as_ref());
    let user =
        if sees_all(&who.0) { asked.cloned() } else { Some(who.0.user_id.clone().unwrap_or_default()) };
    by_key(&db, &wanted.days()?, Of::User, user.map(|user| vec![user]), None).await
}

/// What teams spent: those the caller leads, or sees.
#[utoipa::path(get, path = "/team/spend/report", operation_id = "spend_report_team", tag = "spend", params(Wanted),
    responses((status = 200, description = "A group a key"), (status = 400, description = "Days are missing")))]
pub(crate) async fn team(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/team/spend/report", &Object::default())?;
    let all = sees_all(&who.0);
    let led = || who.0.teams.iter().filter(|seat| seat.admin).map(|seat| seat.team.clone()).collect();
    let teams = match &wanted.team_id {
        Some(team) if all || leads(&who.0, team) => Some(vec![team.clone()]),
        Some(_) => Some(Vec::new()),
        None if all => None,
        None => Some(led()),
    };
    by_key(&db, &wanted.days()?, Of::Team, teams, None).await
}

/// What organizations spent: those the caller leads, or sees.
#[utoipa::path(get, path = "/organization/spend/report", operation_id = "spend_report_organization", tag = "spend", params(Wanted),
    responses((status = 200, description = "A group a key"), (status = 400, description = "Days are missing")))]
pub(crate) async fn organization(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/organization/spend/report", &Object::default())?;
    let led = who.0.organizations.iter().filter(|(_, admin)| *admin).map(|(id, _)| id.clone());
    let led: Option<Vec<String>> = if sees_all(&who.0) { None } else { Some(led.collect()) };
    let organizations = match (&wanted.organization_id, led) {
        (None, led) => led,
        (Some(asked), None) => Some(vec![asked.clone()]),
        (Some(asked), Some(led)) => Some(led.into_iter().filter(|id| id == asked).collect()),
    };
    by_key(&db, &wanted.days()?, Of::Organization, organizations, None).await
}

impl Wanted {
    fn days(&self) -> Result<Days, Refused> {
        Days::asked(self.start_date.as_deref(), self.end_date.as_deref())
    }
}

/// A group a key, in it the models.
async fn by_key(
    db: &Db,
    days: &Days,
    of: Of,
    only: Option<Vec<String>>,
    api_keys: Option<Vec<String>>,
) -> Answer {
    let filter = DailyFilter {
        of,
        from: Some(&days.from),
        to: Some(&days.to),
        only: only.as_deref(),
        api_keys: api_keys.as_deref(),
        ..DailyFilter::default()
    };
    let sums = db.sums(&filter, &[By::ApiKey, By::Model], SumOrder::Key, 0, MOST_SUMS).await?;
    let mut keys: BTreeMap<&str, Vec<&Sum>> = BTreeMap::new();
    for sum in &sums {
        keys.entry(&sum.api_key).or_default().push(sum);
    }
    let shown = keys.into_iter().map(|(key, models)| {
        let total = models.iter().fold(Counts::default(), |total, sum| total.plus(sum.counts));
        let details: Vec<Value> = models
            .iter()
            .map(|sum| {
                let mut detail = costs(&sum.counts);
                detail["model"] = sum.model.as_str().into();
                detail
            })
            .collect();
        let mut group = costs(&total);
        group["api_key"] = key.into();
        group["model_details"] = details.into();
        group
    });
    Ok(Json(shown.collect()))
}

fn costs(counts: &Counts) -> Value {
    json!({
        "total_cost": counts.spend.as_f64(),
        "total_input_tokens": counts.input_tokens,
        "total_output_tokens": counts.output_tokens,
        "total_requests": counts.requests,
        "unpriced_requests": counts.unpriced,
    })
}

/// A group a day, in it teams or customers, in those the models and keys.
async fn by_day(db: &Db, days: &Days, of: Of, [list, name]: [&str; 2]) -> Answer {
    let filter = DailyFilter { of, from: Some(&days.from), to: Some(&days.to), ..DailyFilter::default() };
    let by = [By::Day, By::Entity, By::Model, By::ApiKey];
    let sums = db.sums(&filter, &by, SumOrder::Key, 0, MOST_SUMS).await?;
    let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<&Sum>>> = BTreeMap::new();
    for sum in &sums {
        groups.entry(&sum.day).or_default().entry(&sum.entity).or_default().push(sum);
    }
    let mut names = BTreeMap::new();
    if of == Of::Team {
        for id in groups.values().flat_map(BTreeMap::keys) {
            if !names.contains_key(id) {
                let alias = db.get::<TeamFields>(id).await?.and_then(|row| row.fields.team_alias);
                names.insert(*id, alias.unwrap_or_else(|| (*id).to_owned()));
            }
        }
    }
    let shown = groups.into_iter().map(|(day, entities)| {
        let entities: Vec<Value> = entities
            .into_iter()
            .map(|(id, sums)| {
                let total = sums.iter().fold(Cost::ZERO, |total, sum| total.saturating_add(sum.counts.spend));
                let called = names.get(id).map_or(id, String::as_str);
                json!({name: called, "total_spend": total.as_f64(), "metadata": sums.iter().map(part).collect::<Vec<_>>()})
            })
            .collect();
        json!({"group_by_day": day, list: entities})
    });
    Ok(Json(shown.collect()))
}

fn part(sum: &&Sum) -> Value {
    json!({
        "model": sum.model, "spend": sum.counts.spend.as_f64(), "api_key": sum.api_key,
        "total_tokens": sum.counts.input_tokens + sum.counts.output_tokens,
    })
}
