//! Routes that show users.

use std::collections::HashMap;

use axum::Json;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::{Value, json};
use store::db::Param;
use store::entity::{
    Filter, KeyFields, Object, Order, OrganizationMemberFields, Page, Record, TeamFields, TeamMemberFields,
    UserFields,
};
use utoipa::IntoParams;

use super::{ROLES, led, shown};
use crate::access::Refused;
use crate::operator::{Answer, Asked, Operator, bad, missing};
use crate::part::{Part, listing};
use crate::{shown as rows, teams};

/// The most keys and teams that are shown beside a user.
const MOST_BESIDE: u64 = 1_000;
/// The most users a search by membership or role may find; databases take no longer lists.
const MOST_FOUND: usize = 30_000;

/// Which user; whoever asks when empty.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct One {
    user_id: Option<String>,
}

/// Which users.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// A role on the proxy.
    role: Option<String>,
    /// Ids, with commas between them.
    user_ids: Option<String>,
    /// Ids at the identity provider, with commas between them.
    sso_user_ids: Option<String>,
    /// A part of the address, in any case of letters.
    user_email: Option<String>,
    /// A part of the address or the id, in any case of letters.
    search: Option<String>,
    /// Members of this team.
    team: Option<String>,
    /// Members of these organizations, with commas between them.
    organization_ids: Option<String>,
}

/// A user, their keys and their teams. For proxy admins who name nobody: all keys and teams, the first thousand.
#[utoipa::path(get, path = "/user/info", operation_id = "user_info", tag = "users", params(One),
    responses((status = 200, description = "The user"), (status = 404, description = "No such user")))]
pub(crate) async fn user_info(operator: Operator, Asked(one): Asked<One>) -> Answer {
    let page = Page { number: 1, size: MOST_BESIDE, order: Order::CreatedAt, descending: true };
    let everything = one.user_id.is_none() && operator.sees_all();
    let user = if everything { None } else { Some(find(&operator, &one, "/user/info").await?) };
    let of_user = Filter { user_id: user.as_ref().map(|user| user.id.as_str()), ..Filter::default() };
    let (keys, _) = operator.db.page::<KeyFields>(&of_user, page).await?;
    let ids = user.as_ref().map(|user| user.fields.teams.as_slice());
    let (teams, _) = operator.db.page::<TeamFields>(&Filter { ids, ..Filter::default() }, page).await?;
    Ok(Json(json!({
        "user_id": user.as_ref().map(|user| &user.id),
        "user_info": user.as_ref().map(shown).transpose()?,
        "keys": keys.iter().map(rows::key).collect::<Result<Vec<_>, _>>()?,
        "teams": teams.iter().map(teams::shown).collect::<Result<Vec<_>, _>>()?,
    })))
}

/// A user alone.
#[utoipa::path(get, path = "/v2/user/info", operation_id = "user_info_v2", tag = "users", params(One),
    responses((status = 200, description = "The user"), (status = 404, description = "No such user")))]
pub(crate) async fn user_info_v2(operator: Operator, Asked(one): Asked<One>) -> Answer {
    let user = find(&operator, &one, "/v2/user/info").await?;
    Ok(Json(Value::Object(shown(&user)?)))
}

async fn find(operator: &Operator, one: &One, path: &str) -> Result<Record<UserFields>, Refused> {
    let id = one.user_id.as_deref().or(operator.user());
    let Some(id) = id else { return Err(bad("user_id", "user_id is required")) };
    let theirs = Filter { user_id: Some(id), ..Filter::default() };
    let organization = led(operator, operator.db.find(&theirs).await?);
    let about = About { owner: Some(id), organization: organization.as_deref(), ..About::default() };
    operator.must("GET", path, &about)?;
    let user = operator.db.get::<UserFields>(id).await?;
    user.ok_or_else(|| missing("user_id", format!("User {id} not found")))
}

/// Users, a page at a time, with how many keys each has.
#[utoipa::path(get, path = "/user/list", operation_id = "user_list", tag = "users", params(Wanted, Part),
    responses((status = 200, description = "A page of users"), (status = 401, description = "Not for this role")))]
pub(crate) async fn user_list(
    operator: Operator,
    Asked(wanted): Asked<Wanted>,
    Asked(part): Asked<Part>,
) -> Answer {
    operator.must("GET", "/user/list", &About::default())?;
    let page = part.page(25, false)?;
    let ids = among(&operator, &wanted).await?;
    let search = wanted.search.as_deref().or(wanted.user_email.as_deref());
    let filter = Filter { ids: ids.as_deref(), search, ..Filter::default() };
    let (users, total) = operator.db.page::<UserFields>(&filter, page).await?;
    let counts = key_counts(&operator, &users).await?;
    let mut answer = Vec::with_capacity(users.len());
    for user in &users {
        let mut row = shown(user)?;
        row.insert("key_count".to_owned(), counts.get(&user.id).copied().unwrap_or(0).into());
        answer.push(Value::Object(row));
    }
    Ok(Json(listing("users", answer, total, page)))
}

/// The ids to choose from, `None` for all: every condition narrows them.
async fn among(operator: &Operator, wanted: &Wanted) -> Result<Option<Vec<String>>, Refused> {
    let names = |text: &String| text.split(',').map(|id| id.trim().to_owned()).collect::<Vec<_>>();
    let mut ids = wanted.user_ids.as_ref().map(names);
    let mut narrow = |more: Vec<String>| match &mut ids {
        Some(ids) => ids.retain(|id| more.contains(id)),
        None => ids = Some(more),
    };
    if let Some(team) = &wanted.team {
        let members = Filter { team_id: Some(team), ..Filter::default() };
        let members = operator.db.find::<TeamMemberFields>(&members).await?;
        narrow(members.into_iter().map(|member| member.fields.user_id).collect());
    }
    let led = operator.who.0.organizations.iter().filter(|(_, admin)| *admin).map(|(id, _)| id.clone());
    let mut organizations = wanted.organization_ids.as_ref().map(names);
    if !operator.sees_all() {
        let led: Vec<String> = led.collect();
        organizations = Some(match organizations {
            Some(asked) => asked.into_iter().filter(|id| led.contains(id)).collect(),
            None => led,
        });
    }
    if let Some(organizations) = organizations {
        let mut members = Vec::new();
        for id in &organizations {
            let of = Filter { organization_id: Some(id), ..Filter::default() };
            let found = operator.db.find::<OrganizationMemberFields>(&of).await?;
            members.extend(found.into_iter().map(|member| member.fields.user_id));
        }
        narrow(members);
    }
    if let Some(role) = &wanted.role {
        let has = |user: &UserFields| user.user_role.as_ref() == Some(role);
        narrow(having(operator, "user_role", role, has).await?);
    }
    if let Some(text) = &wanted.sso_user_ids {
        let mut found = Vec::new();
        for id in names(text) {
            let has = |user: &UserFields| user.sso_user_id.as_ref() == Some(&id);
            found.extend(having(operator, "sso_user_id", &id, has).await?);
        }
        narrow(found);
    }
    match ids {
        Some(ids) if ids.len() > MOST_FOUND => {
            let message = format!("More than {MOST_FOUND} users match: narrow the search");
            Err(bad("query", message))
        }
        ids => Ok(ids),
    }
}

/// The ids of users one of whose fields has a value. The text of the row tells most of them apart, `has` the rest.
async fn having(
    operator: &Operator,
    field: &str,
    value: &str,
    has: impl Fn(&UserFields) -> bool,
) -> Result<Vec<String>, Refused> {
    let text = format!("{}:{}", json!(field), json!(value));
    let pattern = format!("%{}%", text.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
    let sql = "SELECT id, body FROM users WHERE body LIKE $1 ESCAPE '!'";
    let mut ids = Vec::new();
    for row in operator.db.rows(sql, &[(&pattern).into()]).await? {
        if serde_json::from_str(&row.text("body")?).is_ok_and(|user| has(&user)) {
            ids.push(row.text("id")?);
        }
    }
    Ok(ids)
}

async fn key_counts(
    operator: &Operator,
    users: &[Record<UserFields>],
) -> Result<HashMap<String, i64>, Refused> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let marks: Vec<String> = (1..=users.len()).map(|number| format!("${number}")).collect();
    let params: Vec<Param<'_>> = users.iter().map(|user| (&user.id).into()).collect();
    let sql = format!(
        "SELECT user_id, COUNT(*) AS total FROM keys WHERE user_id IN ({}) GROUP BY user_id",
        marks.join(", ")
    );
    let mut counts = HashMap::new();
    for row in operator.db.rows(&sql, &params).await? {
        counts.insert(row.text("user_id")?, row.int("total")?);
    }
    Ok(counts)
}

/// The roles on the proxy.
#[utoipa::path(get, path = "/user/available_roles", operation_id = "user_available_roles", tag = "users",
    responses((status = 200, description = "Roles by name")))]
pub(crate) async fn user_available_roles(_: Operator) -> Answer {
    let role = |(name, text, label): &(&str, &str, &str)| {
        ((*name).to_owned(), json!({"description": text, "ui_label": label}))
    };
    Ok(Json(Value::Object(ROLES.iter().map(role).collect::<Object>())))
}

/// How many users there are; any number may be.
#[utoipa::path(get, path = "/user/available_users", operation_id = "user_available_users", tag = "users",
    responses((status = 200, description = "Numbers of users")))]
pub(crate) async fn user_available_users(operator: Operator) -> Answer {
    operator.must("GET", "/user/available_users", &About::default())?;
    let page = Page { number: 1, size: 1, order: Order::CreatedAt, descending: false };
    let (_, users) = operator.db.page::<UserFields>(&Filter::default(), page).await?;
    let (_, teams) = operator.db.page::<TeamFields>(&Filter::default(), page).await?;
    Ok(Json(json!({
        "total_users": null, "total_users_used": users, "total_users_remaining": null,
        "total_teams": null, "total_teams_used": teams, "total_teams_remaining": null,
    })))
}

/// Users whose address or id contains a text.
#[utoipa::path(get, path = "/user/filter/ui", operation_id = "user_filter_ui", tag = "users", params(Wanted),
    responses((status = 200, description = "A list of users")))]
pub(crate) async fn user_filter_ui(operator: Operator, Asked(wanted): Asked<Wanted>) -> Answer {
    operator.must("GET", "/user/filter/ui", &About::default())?;
    let search = wanted.user_email.as_deref().or(wanted.user_ids.as_deref()).or(wanted.search.as_deref());
    let page = Page { number: 1, size: 50, order: Order::Alias, descending: false };
    let (users, _) = operator.db.page::<UserFields>(&Filter { search, ..Filter::default() }, page).await?;
    let short = |user: &Record<UserFields>| json!({"user_id": user.id, "user_email": user.fields.user_email, "user_alias": user.fields.user_alias});
    Ok(Json(users.iter().map(short).collect::<Vec<_>>().into()))
}
