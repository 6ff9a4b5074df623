//! Routes about who is in a team and what each may spend there.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{BudgetFields, Kind, Object, Record, TeamFields, TeamMemberFields, UserFields};
use utoipa::ToSchema;

use super::seats::{NewMember, Seated, check_role, member_terms, membership_id, seat, unseat};
use super::{about, membership, shown, wanted};
use crate::access::{Refused, Sent};
use crate::operator::{Answer, Operator, bad, missing};
use crate::users::person::Person;
use crate::{edit, terms};

/// The most people who are put into a team at once.
const MOST: usize = 500;

/// Somebody in a team.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TeamMember)]
pub(crate) struct Member {
    team_id: String,
    #[serde(flatten)]
    person: Person,
}

/// Puts people into a team: `team_id`, `member` (one or a list of `{user_id | user_email, role}`), and what they may
/// spend: `max_budget_in_team`, `budget_duration`, `allowed_models`, `tpm_limit`, `rpm_limit`.
#[utoipa::path(post, path = "/team/member_add", operation_id = "team_member_add", tag = "teams", request_body = Object,
    responses((status = 200, description = "The team, the users and their memberships"), (status = 400, description = "Already a member")))]
pub(crate) async fn team_member_add(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    let members = match sent.remove("member") {
        Some(Value::Array(many)) => read_members(Value::Array(many), "member")?,
        Some(one @ Value::Object(_)) => read_members(json!([one]), "member")?,
        _ => return Err(bad("member", "member: must be {user_id or user_email, role}, or a list of such")),
    };
    add(&operator, "/team/member_add", &sent, &members).await
}

/// The same for many: `members` is a list, or `all_users` is true.
#[utoipa::path(post, path = "/team/bulk_member_add", operation_id = "team_bulk_member_add", tag = "teams", request_body = Object,
    responses((status = 200, description = "The team, the users and their memberships"), (status = 400, description = "Already a member")))]
pub(crate) async fn team_bulk_member_add(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    const PATH: &str = "/team/bulk_member_add";
    let team_id = team_id(&sent)?;
    operator.must("POST", PATH, &about(&team_id, None))?;
    let members = match sent.remove("members") {
        _ if sent.get("all_users") == Some(&Value::Bool(true)) => everybody(&operator, &team_id).await?,
        Some(many) if !many.is_null() => read_members(many, "members")?,
        _ => return Err(bad("members", "Either members or all_users must be provided")),
    };
    add(&operator, PATH, &sent, &members).await
}

fn team_id(sent: &Object) -> Result<String, Refused> {
    let id = sent.get("team_id").and_then(Value::as_str);
    id.map(str::to_owned).ok_or_else(|| bad("team_id", "No team id passed in"))
}

fn read_members(value: Value, field: &str) -> Result<Vec<NewMember>, Refused> {
    let members: Vec<NewMember> =
        serde_json::from_value(value).map_err(|error| bad(field, format!("{field}: {error}")))?;
    if members.len() > MOST {
        return Err(bad(field, format!("{field}: at most {MOST} at once")));
    }
    Ok(members)
}

/// All users who are not in the team yet.
async fn everybody(operator: &Operator, team: &str) -> Result<Vec<NewMember>, Refused> {
    let (mut members, mut last) = (Vec::new(), String::new());
    loop {
        let users = operator.db.after::<UserFields>(&last, 500).await?;
        let Some(user) = users.last() else { return Ok(members) };
        last.clone_from(&user.id);
        members.extend(users.into_iter().filter(|user| !user.fields.teams.iter().any(|id| id == team)).map(
            |user| NewMember {
                person: Person { user_id: Some(user.id), user_email: None },
                role: "user".to_owned(),
            },
        ));
    }
}

async fn add(operator: &Operator, path: &str, sent: &Object, members: &[NewMember]) -> Answer {
    let id = team_id(sent)?;
    let mut edit = operator.begin().await?;
    let mut team = wanted(operator, &mut edit, ("POST", path), &id).await?;
    let own = member_terms(sent, &team)?;
    let before = team.fields.clone();
    let mut seated = Vec::with_capacity(members.len());
    for member in members {
        let Seated { user, mut membership } = seat(&mut edit, &mut team, member, &own).await?;
        membership.budget_reset_at = terms::reset_at(&operator.gateway, &membership.fields.limits, edit.now)?;
        edit.follow(&mut membership).await?;
        seated.push(Seated { user, membership });
    }
    edit.change("updated", &before, &mut team).await?;
    operator.finish(edit).await?;
    let default = default_budget(operator, &team).await?;
    let (mut users, mut memberships) = (Vec::new(), Vec::new());
    for Seated { user, membership: row } in &seated {
        if let Some(user) = user {
            users.push(Value::Object(crate::users::shown(user)?));
        }
        memberships.push(membership(&operator.db, row, default.as_ref()).await?);
    }
    let mut answer = shown(&team)?;
    answer.insert("updated_users".to_owned(), users.into());
    answer.insert("updated_team_memberships".to_owned(), memberships.into());
    Ok(Json(Value::Object(answer)))
}

/// What members may use who have nothing of their own.
pub(super) async fn default_budget(
    operator: &Operator,
    team: &Record<TeamFields>,
) -> Result<Option<Record<BudgetFields>>, Refused> {
    match &team.fields.team_member_budget_id {
        Some(id) => Ok(operator.db.get(id).await?),
        None => Ok(None),
    }
}

/// Changes somebody's role in a team and what they may spend there; `null` clears a limit.
#[utoipa::path(post, path = "/team/member_update", operation_id = "team_member_update", tag = "teams", request_body = Object,
    responses((status = 200, description = "What they have now"), (status = 404, description = "Not in the team")))]
pub(crate) async fn team_member_update(operator: Operator, Sent(sent): Sent<Object>) -> Answer {
    let member: Member = serde_json::from_value(Value::Object(sent.clone()))
        .map_err(|error| bad("request_body", error.to_string()))?;
    let mut edit = operator.begin().await?;
    let mut team = wanted(&operator, &mut edit, ("POST", "/team/member_update"), &member.team_id).await?;
    let own = member_terms(&sent, &team)?;
    let before = team.fields.clone();
    let people = &mut team.fields.members_with_roles;
    let found =
        people.iter_mut().find(|one| member.person.is(one.user_id.as_deref(), one.user_email.as_deref()));
    let Some(one) = found else { return Err(not_in(&member)) };
    if let Some(Value::String(role)) = sent.get("role") {
        check_role(role)?;
        one.role.clone_from(role);
    }
    let (role, user_id) = (one.role.clone(), one.user_id.clone().unwrap_or_default());
    if team.fields != before {
        edit.change("updated", &before, &mut team).await?;
    }
    let id = membership_id(&team.id, &user_id);
    let mut row = match edit.get::<TeamMemberFields>(&id).await? {
        Some(row) => row,
        None => {
            let (user_id, team_id) = (user_id.clone(), team.id.clone());
            let made = edit.record(id, TeamMemberFields { user_id, team_id, ..TeamMemberFields::default() });
            edit.add(&made).await?;
            made
        }
    };
    let had = row.fields.clone();
    row.fields = edit::overlay(&had, &own)?;
    if row.fields.limits.budget_duration != had.limits.budget_duration {
        row.budget_reset_at = terms::reset_at(&operator.gateway, &row.fields.limits, edit.now)?;
    }
    edit.change("updated", &had, &mut row).await?;
    operator.finish(edit).await?;
    let default = default_budget(&operator, &team).await?;
    let mut answer = membership(&operator.db, &row, default.as_ref()).await?;
    answer["user_email"] = sent.get("user_email").cloned().unwrap_or_default();
    answer["role"] = role.into();
    let limits = edit::object(&row.fields)?;
    for (shown, kept) in
        [("max_budget_in_team", "max_budget"), ("tpm_limit", "tpm_limit"), ("rpm_limit", "rpm_limit")]
    {
        answer[shown] = limits.get(kept).cloned().unwrap_or_default();
    }
    Ok(Json(answer))
}

fn not_in(member: &Member) -> Refused {
    let who = member.person.user_id.as_ref().or(member.person.user_email.as_ref());
    let who = who.map(String::as_str).unwrap_or_default();
    missing("user_id", format!("User={who} not found in team={}", member.team_id))
}

/// Takes somebody out of a team, with the keys they have in it.
#[utoipa::path(post, path = "/team/member_delete", operation_id = "team_member_delete", tag = "teams", request_body = Member,
    responses((status = 200, description = "The team"), (status = 404, description = "Not in the team")))]
pub(crate) async fn team_member_delete(operator: Operator, Sent(member): Sent<Member>) -> Answer {
    let mut edit = operator.begin().await?;
    let mut team = wanted(&operator, &mut edit, ("POST", "/team/member_delete"), &member.team_id).await?;
    let before = team.fields.clone();
    if !unseat(&mut edit, &mut team, &member.person).await? {
        return Err(not_in(&member));
    }
    edit.change("updated", &before, &mut team).await?;
    operator.finish(edit).await?;
    Ok(Json(Value::Object(shown(&team)?)))
}

/// The membership of whoever asks.
#[utoipa::path(get, path = "/team/{team_id}/members/me", operation_id = "team_members_me", tag = "teams",
    params(("team_id" = String, Path, description = "The team")),
    responses((status = 200, description = "The membership"), (status = 404, description = "Not in the team")))]
pub(crate) async fn team_members_me(operator: Operator, Path(id): Path<String>) -> Answer {
    let team = operator.db.get::<TeamFields>(&id).await?;
    operator.must("GET", "/team/{team_id}/members/me", &about(&id, team.as_ref()))?;
    let user = operator.user().unwrap_or_default();
    let row = operator.db.get::<TeamMemberFields>(&membership_id(&id, user)).await?;
    let (Some(team), Some(row)) = (team, row) else {
        return Err(missing("team_id", format!("User={user} not found in team={id}")));
    };
    let default = default_budget(&operator, &team).await?;
    Ok(Json(membership(&operator.db, &row, default.as_ref()).await?))
}

/// Sets what a member has spent in the running period to nothing.
#[utoipa::path(post, path = "/team/{team_id}/member/{user_id}/reset_spend", operation_id = "team_member_reset_spend", tag = "teams",
    params(("team_id" = String, Path, description = "The team"), ("user_id" = String, Path, description = "The member")),
    responses((status = 200, description = "The membership"), (status = 404, description = "Not in the team")))]
pub(crate) async fn team_member_reset_spend(
    operator: Operator,
    Path((team_id, user_id)): Path<(String, String)>,
) -> Answer {
    let mut edit = operator.begin().await?;
    let route = ("POST", "/team/{team_id}/member/{user_id}/reset_spend");
    let team = wanted(&operator, &mut edit, route, &team_id).await?;
    let id = membership_id(&team_id, &user_id);
    let Some(mut row) = edit.get::<TeamMemberFields>(&id).await? else {
        return Err(missing("user_id", format!("User={user_id} not found in team={team_id}")));
    };
    let had = row.fields.clone();
    edit.change("updated", &had, &mut row).await?;
    edit.tx
        .set_spend(Kind::TeamMember, &id, policy::money::Cost::ZERO, row.budget_reset_at, edit.now)
        .await?;
    row.spend = policy::money::Cost::ZERO;
    operator.finish(edit).await?;
    let default = default_budget(&operator, &team).await?;
    Ok(Json(membership(&operator.db, &row, default.as_ref()).await?))
}
