//! What users, teams and the rest did, day by day: LiteLLM's daily activity, paged and whole.
//!
//! The tree of an answer is made in [`tree`]; here is who may ask about whom.

mod tree;

use axum::Json;
use axum::extract::Query;
use gateway::hash::key_id;
use gateway::refusal::Refusal;
use policy::roles::Object;
use serde::Deserialize;
use serde_json::{Value, json};
use store::db::Db;
use store::spend::daily::{By, Counts, DailyFilter, Of, SumOrder};
use utoipa::IntoParams;

use super::day::Days;
use super::sight::{leads, own_keys, sees_all};
use super::{Answer, MOST_SUMS};
use crate::access::{Known, Refused, Stored};

const LARGEST_PAGE: u64 = 1_000;
/// Keys that are told apart in a whole answer.
const MOST_KEYS: u64 = 100;

/// Which days of whom.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// A day as `2026-01-31`, in UTC.
    start_date: Option<String>,
    /// A day as `2026-01-31`, in UTC; it is included.
    end_date: Option<String>,
    /// The public name or the upstream's.
    model: Option<String>,
    /// A key or its hash.
    api_key: Option<String>,
    /// A user.
    user_id: Option<String>,
    /// Teams, separated by commas.
    team_ids: Option<String>,
    /// Organizations, separated by commas.
    organization_ids: Option<String>,
    /// End users, separated by commas.
    end_user_ids: Option<String>,
    /// Tags, separated by commas.
    tags: Option<String>,
    /// Teams to leave out.
    exclude_team_ids: Option<String>,
    /// Organizations to leave out.
    exclude_organization_ids: Option<String>,
    /// End users to leave out.
    exclude_end_user_ids: Option<String>,
    /// From 1.
    page: Option<u64>,
    /// Sums a page: 50 for users, 10 for the rest, 1,000 at most.
    page_size: Option<u64>,
    /// Keys that are told apart in a whole answer: the most expensive, 100 where nothing is said.
    api_key_limit: Option<u64>,
}

/// Whose sums, narrowed to what the caller sees.
struct Scope {
    of: Of,
    days: Days,
    only: Option<Vec<String>>,
    except: Vec<String>,
    api_keys: Option<Vec<String>>,
    model: Option<String>,
}

/// What users did.
#[utoipa::path(get, path = "/user/daily/activity", operation_id = "spend_activity_user", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days with their sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn user(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    paged(&db, &of_user(&who, &wanted, "/user/daily/activity")?, &wanted, 50).await
}

/// What users did, in one answer.
#[utoipa::path(get, path = "/user/daily/activity/aggregated", operation_id = "spend_activity_user_whole", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days with their sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn user_whole(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    whole(&db, &of_user(&who, &wanted, "/user/daily/activity/aggregated")?, &wanted).await
}

/// What teams did.
#[utoipa::path(get, path = "/team/daily/activity", operation_id = "spend_activity_team", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days with their sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn team(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    paged(&db, &of_team(&db, &who, &wanted, "/team/daily/activity").await?, &wanted, 10).await
}

/// What teams did, in one answer.
#[utoipa::path(get, path = "/team/daily/activity/aggregated", operation_id = "spend_activity_team_whole", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days with their sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn team_whole(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    whole(&db, &of_team(&db, &who, &wanted, "/team/daily/activity/aggregated").await?, &wanted).await
}

/// What calls with tags did.
#[utoipa::path(get, path = "/tag/daily/activity", operation_id = "spend_activity_tag", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days with their sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn tag(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    paged(&db, &of_tag(&db, &who, &wanted, "/tag/daily/activity").await?, &wanted, 10).await
}

/// What calls with tags did, in one answer.
#[utoipa::path(get, path = "/tag/daily/activity/aggregated", operation_id = "spend_activity_tag_whole", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days with their sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn tag_whole(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    whole(&db, &of_tag(&db, &who, &wanted, "/tag/daily/activity/aggregated").await?, &wanted).await
}

/// What organizations did.
#[utoipa::path(get, path = "/organization/daily/activity", operation_id = "spend_activity_organization", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days with their sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn organization(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    paged(&db, &of_organization(&who, &wanted, "/organization/daily/activity")?, &wanted, 10).await
}

/// What organizations did, in one answer.
#[utoipa::path(get, path = "/organization/daily/activity/aggregated", operation_id = "spend_activity_organization_whole", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days with their sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn organization_whole(
    who: Known,
    Stored(db): Stored,
    Query(wanted): Query<Wanted>,
) -> Answer {
    whole(&db, &of_organization(&who, &wanted, "/organization/daily/activity/aggregated")?, &wanted).await
}

/// What end users did.
#[utoipa::path(get, path = "/customer/daily/activity", operation_id = "spend_activity_customer", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days with their sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn customer(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    paged(&db, &of_customer(&who, &wanted, "/customer/daily/activity")?, &wanted, 10).await
}

/// The same as `/customer/daily/activity`.
#[utoipa::path(get, path = "/end_user/daily/activity", operation_id = "spend_activity_end_user", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days with their sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn end_user(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    paged(&db, &of_customer(&who, &wanted, "/end_user/daily/activity")?, &wanted, 10).await
}

/// What end users did, in one answer.
#[utoipa::path(get, path = "/customer/daily/activity/aggregated", operation_id = "spend_activity_customer_whole", tag = "spend", params(Wanted),
    responses((status = 200, description = "Days with their sums"), (status = 400, description = "Days are missing")))]
pub(crate) async fn customer_whole(who: Known, Stored(db): Stored, Query(wanted): Query<Wanted>) -> Answer {
    whole(&db, &of_customer(&who, &wanted, "/customer/daily/activity/aggregated")?, &wanted).await
}

/// A user's own; those who see everything may leave the user out and mean everybody, keys without a user included.
fn of_user(who: &Known, wanted: &Wanted, path: &str) -> Result<Scope, Refused> {
    let own = who.0.user_id.as_deref();
    let user = if sees_all(&who.0) { wanted.user_id.as_deref() } else { wanted.user_id.as_deref().or(own) };
    who.must("GET", path, &Object { owner: user, ..Object::default() })?;
    let of = if user.is_some() { Of::User } else { Of::Everything };
    wanted.scope(of, user.map(|user| vec![user.to_owned()]), Vec::new(), None)
}

/// Admins of a team see all of it, members their own part of it.
async fn of_team(db: &Db, who: &Known, wanted: &Wanted, path: &str) -> Result<Scope, Refused> {
    let except = list(wanted.exclude_team_ids.as_deref()).unwrap_or_default();
    let asked = list(wanted.team_ids.as_deref());
    if sees_all(&who.0) {
        who.must("GET", path, &Object::default())?;
        return wanted.scope(Of::Team, asked, except, None);
    }
    let teams = asked.unwrap_or_else(|| who.0.teams.iter().map(|seat| seat.team.clone()).collect());
    if teams.is_empty() {
        who.must("GET", path, &Object::default())?;
    }
    for team in &teams {
        who.must("GET", path, &Object { team: Some(team), ..Object::default() })?;
    }
    let leads_all = teams.iter().all(|team| leads(&who.0, team));
    let keys = if leads_all { None } else { own_keys(db, &who.0).await? };
    wanted.scope(Of::Team, Some(teams), except, keys)
}

async fn of_tag(db: &Db, who: &Known, wanted: &Wanted, path: &str) -> Result<Scope, Refused> {
    who.must("GET", path, &Object::default())?;
    let keys = own_keys(db, &who.0).await?;
    wanted.scope(Of::Tag, list(wanted.tags.as_deref()), Vec::new(), keys)
}

fn of_organization(who: &Known, wanted: &Wanted, path: &str) -> Result<Scope, Refused> {
    let except = list(wanted.exclude_organization_ids.as_deref()).unwrap_or_default();
    let asked = list(wanted.organization_ids.as_deref());
    if sees_all(&who.0) {
        who.must("GET", path, &Object::default())?;
        return wanted.scope(Of::Organization, asked, except, None);
    }
    let led = || who.0.organizations.iter().filter(|(_, admin)| *admin).map(|(id, _)| id.clone()).collect();
    let organizations: Vec<String> = asked.unwrap_or_else(led);
    if organizations.is_empty() {
        who.must("GET", path, &Object::default())?;
    }
    for organization in &organizations {
        who.must("GET", path, &Object { organization: Some(organization), ..Object::default() })?;
    }
    wanted.scope(Of::Organization, Some(organizations), except, None)
}

fn of_customer(who: &Known, wanted: &Wanted, path: &str) -> Result<Scope, Refused> {
    who.must("GET", path, &Object::default())?;
    let except = list(wanted.exclude_end_user_ids.as_deref()).unwrap_or_default();
    wanted.scope(Of::Customer, list(wanted.end_user_ids.as_deref()), except, None)
}

/// Texts separated by commas; `None` when nothing is said.
fn list(text: Option<&str>) -> Option<Vec<String>> {
    let items: Vec<String> =
        text?.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect();
    (!items.is_empty()).then_some(items)
}

impl Wanted {
    fn scope(
        &self,
        of: Of,
        only: Option<Vec<String>>,
        except: Vec<String>,
        keys: Option<Vec<String>>,
    ) -> Result<Scope, Refused> {
        const MOST: usize = 1_000;
        if only.as_ref().is_some_and(|only| only.len() > MOST) || except.len() > MOST {
            return Err(Refusal::new(400, format!("At most {MOST} ids can be named.")).into());
        }
        let asked = self.api_key.as_deref().map(key_id);
        let api_keys = match (keys, asked) {
            (None, asked) => asked.map(|key| vec![key]),
            (Some(own), None) => Some(own),
            (Some(own), Some(asked)) => Some(own.into_iter().filter(|key| *key == asked).collect()),
        };
        let days = Days::asked(self.start_date.as_deref(), self.end_date.as_deref())?;
        Ok(Scope { of, days, only, except, api_keys, model: self.model.clone() })
    }
}

impl Scope {
    fn filter(&self) -> DailyFilter<'_> {
        DailyFilter {
            of: self.of,
            from: Some(&self.days.from),
            to: Some(&self.days.to),
            only: self.only.as_deref(),
            except: &self.except,
            api_keys: self.api_keys.as_deref(),
            model: self.model.as_deref(),
        }
    }
}

async fn paged(db: &Db, scope: &Scope, wanted: &Wanted, usual: u64) -> Answer {
    let size = wanted.page_size.unwrap_or(usual).clamp(1, LARGEST_PAGE);
    let page = wanted.page.unwrap_or(1).max(1);
    let filter = scope.filter();
    let total = db.count_sums(&filter, &By::ALL).await?;
    let rows = db.sums(&filter, &By::ALL, SumOrder::Key, (page - 1).saturating_mul(size), size).await?;
    let names = tree::names(db, scope.of, &rows).await?;
    let pages = total.div_ceil(size);
    let sum = rows.iter().fold(Counts::default(), |sum, row| sum.plus(row.counts));
    let mut metadata = tree::totals(&sum);
    metadata["page"] = page.into();
    metadata["total_pages"] = pages.into();
    metadata["has_more"] = (page < pages).into();
    Ok(Json(json!({"results": tree::days(&rows, &rows, &names), "metadata": metadata})))
}

async fn whole(db: &Db, scope: &Scope, wanted: &Wanted) -> Answer {
    const REST: [By; 6] = [By::Day, By::Entity, By::Model, By::ModelGroup, By::Provider, By::Endpoint];
    let filter = scope.filter();
    let limit = wanted.api_key_limit.unwrap_or(MOST_KEYS).min(MOST_KEYS);
    let keys = db.count_sums(&filter, &[By::ApiKey]).await?;
    let top = db.sums(&filter, &[By::ApiKey], SumOrder::Spend, 0, limit).await?;
    let top: Vec<String> = top.into_iter().map(|sum| sum.api_key).collect();
    let rows = db.sums(&filter, &REST, SumOrder::Key, 0, MOST_SUMS).await?;
    let by_key = DailyFilter { api_keys: Some(&top), ..filter };
    let keyed = db.sums(&by_key, &By::ALL, SumOrder::Key, 0, MOST_SUMS).await?;
    let names = tree::names(db, scope.of, &keyed).await?;
    let mut metadata = tree::totals(&db.whole_sum(&filter).await?);
    let rest: [(&str, Value); 5] = [
        ("page", 1.into()),
        ("total_pages", 1.into()),
        ("has_more", false.into()),
        ("api_key_limit", limit.into()),
        ("total_api_keys", keys.into()),
    ];
    for (name, value) in rest {
        metadata[name] = value;
    }
    Ok(Json(json!({"results": tree::days(&rows, &keyed, &names), "metadata": metadata})))
}
