//! Routes that show teams.

use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{Deleted, Filter, KeyFields, Order, Page, Record, TeamFields, TeamMemberFields};
use utoipa::IntoParams;

use super::members::default_budget;
use super::{about, membership, shown};
use crate::access::Refused;
use crate::operator::{Answer, Asked, Operator, bad, missing};
use crate::part::{Part, listing};
use crate::shown as rows;

/// The most keys and members that are shown beside a team.
const MOST_BESIDE: u64 = 1_000;

/// Which team.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct One {
    /// The team; else that of the key that is shown.
    team_id: Option<String>,
    /// At most so many of its keys.
    key_limit: Option<u64>,
}

/// Which teams.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Teams of this user.
    user_id: Option<String>,
    /// Teams of this organization.
    organization_id: Option<String>,
    /// Exactly this one.
    team_id: Option<String>,
    /// A part of the name, in any case of letters.
    team_alias: Option<String>,
    /// A part of the name or the id, in any case of letters.
    search: Option<String>,
    /// `deleted`: those that were deleted.
    status: Option<String>,
}

/// One team: its row, keys, and what its members may spend and have spent.
#[utoipa::path(get, path = "/team/info", operation_id = "team_info", tag = "teams", params(One),
    responses((status = 200, description = "The team"), (status = 404, description = "No such team")))]
pub(crate) async fn team_info(operator: Operator, Asked(one): Asked<One>) -> Answer {
    let id = one.team_id.or_else(|| operator.who.0.key_team.clone());
    let Some(id) = id else { return Err(bad("team_id", "No team id passed in")) };
    let team = operator.db.get::<TeamFields>(&id).await?;
    operator.must("GET", "/team/info", &about(&id, team.as_ref()))?;
    let Some(team) = team else {
        return Err(missing("team_id", format!("Team not found, passed team id: {id}.")));
    };
    let default = default_budget(&operator, &team).await?;
    let beside = |size| Page { number: 1, size, order: Order::CreatedAt, descending: true };
    let of_team = Filter { team_id: Some(&id), ..Filter::default() };
    let most = one.key_limit.unwrap_or(MOST_BESIDE).clamp(1, MOST_BESIDE);
    let (keys, total) = operator.db.page::<KeyFields>(&of_team, beside(most)).await?;
    let keys = keys.iter().map(rows::key).collect::<Result<Vec<_>, _>>()?;
    let (members, _) = operator.db.page::<TeamMemberFields>(&of_team, beside(MOST_BESIDE)).await?;
    let mut memberships = Vec::with_capacity(members.len());
    for member in &members {
        memberships.push(membership(&operator.db, member, default.as_ref()).await?);
    }
    let mut row = shown(&team)?;
    let budget = default.as_ref().map(rows::budget).transpose()?;
    row.insert("team_member_budget_table".to_owned(), json!(budget));
    Ok(Json(json!({
        "team_id": id, "team_info": row, "keys": keys, "total_keys": total, "team_memberships": memberships,
    })))
}

/// The teams that the operator may see, whole, with their keys.
#[utoipa::path(get, path = "/team/list", operation_id = "team_list", tag = "teams", params(Wanted, Part),
    responses((status = 200, description = "A list of teams"), (status = 401, description = "Somebody else's teams")))]
pub(crate) async fn team_list(
    operator: Operator,
    Asked(wanted): Asked<Wanted>,
    Asked(part): Asked<Part>,
) -> Answer {
    let page = part.page(100, true)?;
    let (teams, _) = find(&operator, &wanted, page).await?;
    let ids: Vec<String> = teams.iter().map(|team| team.id.clone()).collect();
    let theirs = Filter { any_team: Some(&ids), ..Filter::default() };
    let beside = Page { number: 1, size: MOST_BESIDE, order: Order::CreatedAt, descending: true };
    let (keys, _) = operator.db.page::<KeyFields>(&theirs, beside).await?;
    let mut answer = Vec::with_capacity(teams.len());
    for team in &teams {
        let mut row = shown(team)?;
        let own = keys.iter().filter(|key| key.fields.team_id.as_ref() == Some(&team.id));
        row.insert("keys".to_owned(), own.map(rows::key).collect::<Result<Vec<_>, _>>()?.into());
        answer.push(Value::Object(row));
    }
    Ok(Json(answer.into()))
}

/// The teams that the operator may see, a page at a time.
#[utoipa::path(get, path = "/v2/team/list", operation_id = "team_list_v2", tag = "teams", params(Wanted, Part),
    responses((status = 200, description = "A page of teams"), (status = 401, description = "Somebody else's teams")))]
pub(crate) async fn team_list_v2(
    operator: Operator,
    Asked(wanted): Asked<Wanted>,
    Asked(part): Asked<Part>,
) -> Answer {
    let page = part.page(10, true)?;
    if wanted.status.as_deref() == Some("deleted") {
        return deleted(&operator, page).await;
    }
    let (teams, total) = find(&operator, &wanted, page).await?;
    let mut answer = Vec::with_capacity(teams.len());
    for team in &teams {
        let mut row = shown(team)?;
        row.insert("members_count".to_owned(), team.fields.members_with_roles.len().into());
        answer.push(Value::Object(row));
    }
    Ok(Json(listing("teams", answer, total, page)))
}

async fn deleted(operator: &Operator, page: Page) -> Answer {
    if !operator.sees_all() {
        operator.must("GET", "/budget/list", &policy::roles::Object::default())?;
    }
    let (teams, total) = operator.db.deleted::<TeamFields>(page.number, page.size).await?;
    let row = |gone: &Deleted<TeamFields>| -> Result<Value, Refused> {
        let mut row = shown(&gone.record)?;
        row.insert("deleted_at".to_owned(), rows::time(Some(gone.deleted_at)));
        row.insert("deleted_by".to_owned(), gone.deleted_by.clone().into());
        Ok(Value::Object(row))
    };
    let teams = teams.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(listing("teams", teams, total, page)))
}

async fn find(
    operator: &Operator,
    wanted: &Wanted,
    page: Page,
) -> Result<(Vec<Record<TeamFields>>, u64), Refused> {
    let ids = visible(operator, wanted).await?;
    let filter = Filter {
        id: wanted.team_id.as_deref(),
        ids: ids.as_deref(),
        search: wanted.search.as_deref().or(wanted.team_alias.as_deref()),
        organization_id: wanted.organization_id.as_deref(),
        ..Filter::default()
    };
    Ok(operator.db.page(&filter, page).await?)
}

/// The ids of the teams to choose from; `None` for all. Whoever does not see all sees their own teams and those of
/// organizations they manage.
async fn visible(operator: &Operator, wanted: &Wanted) -> Result<Option<Vec<String>>, Refused> {
    let of_user = match &wanted.user_id {
        Some(user) => {
            let theirs = Filter { user_id: Some(user), ..Filter::default() };
            let seats = operator.db.find::<TeamMemberFields>(&theirs).await?;
            Some(seats.into_iter().map(|seat| seat.fields.team_id).collect::<Vec<_>>())
        }
        None => None,
    };
    if operator.sees_all() {
        return Ok(of_user);
    }
    let who = &operator.who.0;
    let foreign = wanted.user_id.as_deref().is_some_and(|user| Some(user) != operator.user());
    let leads_any = who.organizations.iter().any(|(_, admin)| *admin);
    if foreign && !leads_any {
        let message =
            format!("Only admin users can query all teams/other teams. Your user role={}", who.role);
        let refusal = gateway::refusal::Refusal::new(401, message);
        return Err(refusal.with_kind("auth_error").with_param("user_id").into());
    }
    let mut own: Vec<String> = if foreign {
        Vec::new()
    } else {
        who.teams.iter().map(|seat| seat.team.clone()).chain(who.key_team.clone()).collect()
    };
    // Asked for their own teams by name, organization admins are not shown the rest.
    if wanted.user_id.as_deref() != operator.user() || wanted.user_id.is_none() {
        for (id, _) in who.organizations.iter().filter(|(_, admin)| *admin) {
            let under = Filter { organization_id: Some(id), ..Filter::default() };
            own.extend(operator.db.find::<TeamFields>(&under).await?.into_iter().map(|team| team.id));
        }
    }
    if let Some(of_user) = of_user.filter(|_| foreign) {
        own.retain(|id| of_user.contains(id));
    }
    own.sort();
    own.dedup();
    Ok(Some(own))
}

/// Teams that users may join on their own; there is no such setting, so there are none.
#[utoipa::path(get, path = "/team/available", operation_id = "team_available", tag = "teams",
    responses((status = 200, description = "A list of teams")))]
pub(crate) async fn team_available(_: Operator) -> Answer {
    Ok(Json(json!([])))
}

/// Names of teams that contain a text.
#[utoipa::path(get, path = "/team/filter/ui", operation_id = "team_filter_ui", tag = "teams", params(Wanted),
    responses((status = 200, description = "A list of teams")))]
pub(crate) async fn team_filter_ui(operator: Operator, Asked(wanted): Asked<Wanted>) -> Answer {
    operator.must("GET", "/team/filter/ui", &policy::roles::Object::default())?;
    let page = Page { number: 1, size: 50, order: Order::Alias, descending: false };
    let (teams, _) = find(&operator, &wanted, page).await?;
    let short = |team: &Record<TeamFields>| json!({"team_id": team.id, "team_alias": team.fields.team_alias});
    Ok(Json(teams.iter().map(short).collect::<Vec<_>>().into()))
}
