//! The sums of LiteLLM's first dashboard: everything, and by key, model, team, provider, tag and end user. Of the last
//! thirty days unless days are named.

use gateway::hash::key_id;
use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Query;
use policy::roles::Object;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::db::Db;
use store::entity::{KeyFields, Order, Page, TeamFields, UserFields};
use store::spend::daily::{By, DailyFilter, Of, Sum, SumOrder};
use utoipa::{IntoParams, ToSchema};

use super::day::Days;
use super::{Answer, MOST_SUMS};
use crate::access::{Known, Refused, Sent, Stored};
use crate::edit;

/// Rows of a list where nothing is said, and the most.
const USUAL: u64 = 100;
const MOST: u64 = 10_000;

/// Which sums.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// A day as `2026-01-31`; thirty days before `end_date` where nothing is said.
    start_date: Option<String>,
    /// A day as `2026-01-31`; today where nothing is said.
    end_date: Option<String>,
    /// A key or its hash.
    api_key: Option<String>,
    /// A user.
    user_id: Option<String>,
    /// Tags, separated by commas.
    tags: Option<String>,
    /// The most rows.
    limit: Option<u64>,
    /// From 1, of lists of keys and users.
    page: Option<u64>,
}

/// Which end users' sums.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct OfEndUsers {
    /// A key or its hash.
    api_key: Option<String>,
    /// A day or a time.
    #[serde(rename = "startTime")]
    start_time: Option<String>,
    /// A day or a time.
    #[serde(rename = "endTime")]
    end_time: Option<String>,
}

impl Wanted {
    fn limit(&self) -> u64 {
        self.limit.unwrap_or(USUAL).clamp(1, MOST)
    }

    async fn sums(
        &self,
        db: &Db,
        of: Of,
        by: &[By],
        order: SumOrder,
        most: u64,
    ) -> Result<Vec<Sum>, Refused> {
        let days = Days::asked_or_month(self.start_date.as_deref(), self.end_date.as_deref())?;
        let keys = self.api_key.as_deref().map(|key| vec![key_id(key)]);
        let tags = self.tags.as_deref().filter(|tags| *tags != "all-tags");
        let tags: Option<Vec<String>> =
            tags.map(|tags| tags.split(',').map(|tag| tag.trim().to_owned()).take(1_000).collect());
        let filter = DailyFilter {
            of,
            from: Some(&days.from),
            to: Some(&days.to),
            api_keys: keys.as_deref(),
            only: tags.as_deref().filter(|_| of == Of::Tag),
            ..DailyFilter::default()
        };
        Ok(db.sums(&filter, by, order, 0, most).await?)
    }
}

/// Everything that was ever spent.
#[utoipa::path(get, path = "/global/spend", operation_id = "spend_global_whole", tag = "spend",
    responses((status = 200, description = "The sum, in USD")))]
pub(crate) async fn whole(who: Known, Stored(db): Stored) -> Answer {
    who.must("GET", "/global/spend", &Object::default())?;
    let sum = db.whole_sum(&DailyFilter::default()).await?;
    Ok(Json(json!({"spend": sum.spend.as_f64(), "max_budget": 0.0})))
}

/// Spend by day.
#[utoipa::path(get, path = "/global/spend/logs", operation_id = "spend_global_days", tag = "spend", params(Wanted),
    responses((status = 200, description = "A sum a day")))]
pub(crate) async fn days(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/global/spend/logs", &Object::default())?;
    let mut sums = wanted.sums(&db, Of::Everything, &[By::Day], SumOrder::Key, MOST_SUMS).await?;
    sums.reverse();
    let row = |sum: &Sum| json!({"date": sum.day, "spend": sum.counts.spend.as_f64()});
    Ok(Json(sums.iter().map(row).collect()))
}

/// The keys that spent most.
#[utoipa::path(get, path = "/global/spend/keys", operation_id = "spend_global_keys", tag = "spend", params(Wanted),
    responses((status = 200, description = "A sum a key")))]
pub(crate) async fn keys(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/global/spend/keys", &Object::default())?;
    let most = wanted.limit.unwrap_or(10).clamp(1, 1_000);
    let sums = wanted.sums(&db, Of::Everything, &[By::ApiKey], SumOrder::Spend, most).await?;
    let mut rows = Vec::with_capacity(sums.len());
    for sum in sums {
        let fields = db.get::<KeyFields>(&sum.api_key).await?.map(|row| row.fields).unwrap_or_default();
        rows.push(json!({
            "api_key": sum.api_key, "key_alias": fields.key_alias, "key_name": fields.key_name,
            "total_spend": sum.counts.spend.as_f64(),
        }));
    }
    Ok(Json(rows.into()))
}

/// The models that most was spent on.
#[utoipa::path(get, path = "/global/spend/models", operation_id = "spend_global_models", tag = "spend", params(Wanted),
    responses((status = 200, description = "A sum a model")))]
pub(crate) async fn models(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/global/spend/models", &Object::default())?;
    let sums = wanted.sums(&db, Of::Everything, &[By::Model], SumOrder::Spend, wanted.limit()).await?;
    let row = |sum: &Sum| json!({"model": sum.model, "total_spend": sum.counts.spend.as_f64()});
    Ok(Json(sums.iter().map(row).collect()))
}

/// Spend by provider.
#[utoipa::path(get, path = "/global/spend/provider", operation_id = "spend_global_providers", tag = "spend", params(Wanted),
    responses((status = 200, description = "A sum a provider")))]
pub(crate) async fn providers(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/global/spend/provider", &Object::default())?;
    let sums = wanted.sums(&db, Of::Everything, &[By::Provider], SumOrder::Spend, MOST).await?;
    let row = |sum: &Sum| json!({"provider": sum.provider, "spend": sum.counts.spend.as_f64()});
    Ok(Json(sums.iter().map(row).collect()))
}

/// Spend by team, by day and in all.
#[utoipa::path(get, path = "/global/spend/teams", operation_id = "spend_global_teams", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days, teams and totals")))]
pub(crate) async fn teams(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/global/spend/teams", &Object::default())?;
    let totals = wanted.sums(&db, Of::Team, &[By::Entity], SumOrder::Spend, wanted.limit()).await?;
    let daily = wanted.sums(&db, Of::Team, &[By::Day, By::Entity], SumOrder::Key, MOST_SUMS).await?;
    let mut names = BTreeMap::new();
    for total in &totals {
        let alias = db.get::<TeamFields>(&total.entity).await?.and_then(|row| row.fields.team_alias);
        names.insert(total.entity.clone(), alias.unwrap_or_else(|| total.entity.clone()));
    }
    let mut days: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for sum in &daily {
        if let Some(name) = names.get(&sum.entity) {
            days.entry(&sum.day).or_default().insert(name.clone(), sum.counts.spend.as_f64().into());
        }
    }
    let day = |(date, mut teams): (&str, Map<String, Value>)| {
        teams.insert("date".to_owned(), date.into());
        Value::Object(teams)
    };
    let total =
        |sum: &Sum| json!({"team_id": names.get(&sum.entity), "total_spend": sum.counts.spend.as_f64()});
    Ok(Json(json!({
        "daily_spend": days.into_iter().map(day).collect::<Vec<_>>(),
        "teams": names.values().collect::<Vec<_>>(),
        "total_spend_per_team": totals.iter().map(total).collect::<Vec<_>>(),
    })))
}

/// Spend by tag.
#[utoipa::path(get, path = "/global/spend/tags", operation_id = "spend_global_tags", tag = "spend", params(Wanted),
    responses((status = 200, description = "A sum a tag")))]
pub(crate) async fn tags(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/global/spend/tags", &Object::default())?;
    let sums = wanted.sums(&db, Of::Tag, &[By::Entity], SumOrder::Spend, wanted.limit()).await?;
    let row = |sum: &Sum| json!({"name": sum.entity, "spend": sum.counts.spend.as_f64(), "log_count": sum.counts.requests});
    Ok(Json(json!({"spend_per_tag": sums.iter().map(row).collect::<Vec<_>>()})))
}

/// Spend by tag, in the older shape.
#[utoipa::path(get, path = "/spend/tags", operation_id = "spend_global_tags_list", tag = "spend", params(Wanted),
    responses((status = 200, description = "A sum a tag")))]
pub(crate) async fn tags_list(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/spend/tags", &Object::default())?;
    let sums = wanted.sums(&db, Of::Tag, &[By::Entity], SumOrder::Spend, wanted.limit()).await?;
    let row = |sum: &Sum| {
        json!({
            "individual_request_tag": sum.entity, "log_count": sum.counts.requests,
            "total_spend": sum.counts.spend.as_f64(),
        })
    };
    Ok(Json(sums.iter().map(row).collect()))
}

/// Every tag that calls have had.
#[utoipa::path(get, path = "/global/spend/all_tag_names", operation_id = "spend_global_tag_names", tag = "spend",
    responses((status = 200, description = "Names")))]
pub(crate) async fn tag_names(who: Known, Stored(db): Stored) -> Answer {
    who.must("GET", "/global/spend/all_tag_names", &Object::default())?;
    Ok(Json(json!({"tag_names": entities(&db, Of::Tag).await?})))
}

/// Every end user there has been.
#[utoipa::path(get, path = "/global/all_end_users", operation_id = "spend_global_end_user_names", tag = "spend",
    responses((status = 200, description = "Ids")))]
pub(crate) async fn end_user_names(who: Known, Stored(db): Stored) -> Answer {
    who.must("GET", "/global/all_end_users", &Object::default())?;
    let ids = entities(&db, Of::Customer).await?;
    Ok(Json(ids.into_iter().map(|id| json!({"end_user": id})).collect()))
}

async fn entities(db: &Db, of: Of) -> Result<Vec<String>, Refused> {
    let filter = DailyFilter { of, ..DailyFilter::default() };
    let sums = db.sums(&filter, &[By::Entity], SumOrder::Key, 0, MOST).await?;
    Ok(sums.into_iter().map(|sum| sum.entity).collect())
}

/// The end users who spent most.
#[utoipa::path(post, path = "/global/spend/end_users", operation_id = "spend_global_end_users", tag = "spend", request_body = OfEndUsers,
    responses((status = 200, description = "A sum an end user")))]
pub(crate) async fn end_users(who: Known, Stored(db): Stored, Sent(asked): Sent<OfEndUsers>) -> Answer {
    who.must("POST", "/global/spend/end_users", &Object::default())?;
    let wanted = Wanted {
        start_date: asked.start_time,
        end_date: asked.end_time,
        api_key: asked.api_key,
        ..Wanted::default()
    };
    let sums = wanted.sums(&db, Of::Customer, &[By::Entity], SumOrder::Spend, USUAL).await?;
    let row = |sum: &Sum| {
        json!({
            "end_user": sum.entity, "total_count": sum.counts.requests,
            "total_spend": sum.counts.spend.as_f64(),
        })
    };
    Ok(Json(sums.iter().map(row).collect()))
}

/// Keys with what they have spent, the most expensive first.
#[utoipa::path(get, path = "/spend/keys", operation_id = "spend_global_key_rows", tag = "spend", params(Wanted),
    responses((status = 200, description = "Keys, without their texts")))]
pub(crate) async fn key_rows(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/spend/keys", &Object::default())?;
    let (rows, _) = db.page::<KeyFields>(&store::entity::Filter::default(), wanted.page()).await?;
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let mut fields = edit::object(&row.fields)?;
        fields.insert("token".to_owned(), row.id.into());
        fields.insert("spend".to_owned(), row.spend.as_f64().into());
        shown.push(Value::Object(fields));
    }
    Ok(Json(shown.into()))
}

/// Users with what they have spent, the most expensive first.
#[utoipa::path(get, path = "/spend/users", operation_id = "spend_global_user_rows", tag = "spend", params(Wanted),
    responses((status = 200, description = "Users")))]
pub(crate) async fn user_rows(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    who.must("GET", "/spend/users", &Object::default())?;
    let filter = store::entity::Filter { id: wanted.user_id.as_deref(), ..store::entity::Filter::default() };
    let (rows, _) = db.page::<UserFields>(&filter, wanted.page()).await?;
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let mut fields = edit::object(&row.fields)?;
        fields.retain(|name, _| !name.contains("password"));
        fields.insert("user_id".to_owned(), row.id.into());
        fields.insert("spend".to_owned(), row.spend.as_f64().into());
        shown.push(Value::Object(fields));
    }
    Ok(Json(shown.into()))
}

impl Wanted {
    fn page(&self) -> Page {
        Page { number: self.page.unwrap_or(1), size: self.limit(), order: Order::Spend, descending: true }
    }
}
