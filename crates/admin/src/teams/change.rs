//! Changing, blocking and deleting teams.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{Filter, Object, Record, TeamFields, TeamMemberFields};
use utoipa::ToSchema;

use super::seats::dissolve;
use super::{Which, about, shown, wanted};
use crate::access::{Refused, Sent};
use crate::edit;
use crate::operator::{Answer, Edit, Operator, bad, forbidden, missing};
use crate::terms;

/// Teams, by id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TeamIds)]
pub(crate) struct Many {
    team_ids: Vec<String>,
}

/// Changes the fields that are sent; `null` clears one.
#[utoipa::path(post, path = "/team/update", operation_id = "team_update", tag = "teams", request_body = Object,
    responses((status = 200, description = "The team"), (status = 404, description = "No such team")))]
pub(crate) async fn team_update(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    let Some(Value::String(id)) = sent.remove("team_id") else {
        return Err(bad("team_id", "No team id passed in"));
    };
    update(&operator, ("POST", "/team/update"), id, sent).await
}

/// The same as `/team/update`.
#[utoipa::path(patch, path = "/team/{team_id}", operation_id = "team_patch", tag = "teams", request_body = Object,
    params(("team_id" = String, Path, description = "The team")),
    responses((status = 200, description = "The team"), (status = 404, description = "No such team")))]
pub(crate) async fn team_patch(
    operator: Operator,
    Path(id): Path<String>,
    Sent(mut sent): Sent<Object>,
) -> Answer {
    sent.remove("team_id");
    update(&operator, ("PATCH", "/team/{team_id}"), id, sent).await
}

async fn update(operator: &Operator, route: (&str, &str), id: String, mut sent: Object) -> Answer {
    let mut edit = operator.begin().await?;
    let mut team = wanted(operator, &mut edit, route, &id).await?;
    let member_budget = super::member_budget(&mut sent);
    terms::settle(&mut sent, &team.fields.metadata)?;
    // Who is in it is changed by routes of their own.
    for name in ["members_with_roles", "team_member_budget_id", "members", "admins"] {
        sent.remove(name);
    }
    let before = team.fields.clone();
    team.fields = edit::overlay(&before, &sent)?;
    terms::check(&team.fields.limits)?;
    judge(operator, &before, &team, route)?;
    super::within_organization(&mut edit, &team.fields).await?;
    if team.fields.limits.budget_duration != before.limits.budget_duration {
        team.budget_reset_at = terms::reset_at(&operator.gateway, &team.fields.limits, edit.now)?;
    }
    if let Some(budget) = &member_budget {
        super::keep_member_budget(&mut edit, &mut team, budget).await?;
    }
    edit.change("updated", &before, &mut team).await?;
    if member_budget.is_some() {
        renew_members(&mut edit, &id).await?;
    }
    operator.finish(edit).await?;
    Ok(Json(json!({"team_id": id, "data": shown(&team)?})))
}

/// What members may use by default changes for all of them.
async fn renew_members(edit: &mut Edit, team: &str) -> Result<(), Refused> {
    let members = Filter { team_id: Some(team), ..Filter::default() };
    for mut member in edit.find::<TeamMemberFields>(&members).await? {
        edit.follow(&mut member).await?;
    }
    Ok(())
}

/// Whoever manages a team from inside gives it no more than it has; whoever moves it manages where it goes.
fn judge(
    operator: &Operator,
    before: &TeamFields,
    after: &Record<TeamFields>,
    (method, path): (&str, &str),
) -> Result<(), Refused> {
    if operator.is_admin() {
        return Ok(());
    }
    if before.blocked != after.fields.blocked {
        operator.must("POST", "/team/block", &about(&after.id, Some(after)))?;
    }
    let leads = |organization: &Option<String>| {
        let led = operator.who.0.organizations.iter().filter(|(_, admin)| *admin);
        organization.as_ref().is_some_and(|id| led.into_iter().any(|(own, _)| own == id))
    };
    if before.organization_id != after.fields.organization_id
        && !(leads(&after.fields.organization_id) && leads(&before.organization_id))
    {
        let target = about("", Some(after));
        operator.must(method, path, &policy::roles::Object { team: None, ..target })?;
    }
    if leads(&before.organization_id) {
        return Ok(());
    }
    super::no_more(before, &after.fields)?;
    let (had, has) = (&before.limits, &after.fields.limits);
    let periods = [
        ("budget_duration", had.budget_duration != has.budget_duration),
        ("budget_limits", had.budget_limits != has.budget_limits),
        ("model_max_budget", had.model_max_budget != has.model_max_budget),
        ("model_rpm_limit", had.model_rpm_limit != has.model_rpm_limit),
        ("model_tpm_limit", had.model_tpm_limit != has.model_tpm_limit),
        ("tpd_limit", had.tpd_limit != has.tpd_limit),
    ];
    if let Some((name, _)) = periods.into_iter().find(|(_, changed)| *changed) {
        let message = format!("{name}: only proxy admins and admins of the organization can change it");
        return Err(forbidden(name, message));
    }
    let most = terms::grant(&before.models, &before.limits);
    terms::permitted(&terms::grant(&after.fields.models, &after.fields.limits), &most, "what the team has")
}

/// Refuses all calls of a team's keys.
#[utoipa::path(post, path = "/team/block", operation_id = "team_block", tag = "teams", request_body = Which,
    responses((status = 200, description = "The team"), (status = 404, description = "No such team")))]
pub(crate) async fn team_block(operator: Operator, Sent(which): Sent<Which>) -> Answer {
    set_blocked(&operator, &which.team_id, true).await
}

/// Takes calls of a team's keys again.
#[utoipa::path(post, path = "/team/unblock", operation_id = "team_unblock", tag = "teams", request_body = Which,
    responses((status = 200, description = "The team"), (status = 404, description = "No such team")))]
pub(crate) async fn team_unblock(operator: Operator, Sent(which): Sent<Which>) -> Answer {
    set_blocked(&operator, &which.team_id, false).await
}

async fn set_blocked(operator: &Operator, id: &str, blocked: bool) -> Answer {
    let mut edit = operator.begin().await?;
    let mut team = wanted(operator, &mut edit, ("POST", "/team/block"), id).await?;
    let before = team.fields.clone();
    team.fields.blocked = blocked;
    edit.change(if blocked { "blocked" } else { "unblocked" }, &before, &mut team).await?;
    operator.finish(edit).await?;
    Ok(Json(Value::Object(shown(&team)?)))
}

/// Deletes teams with their keys, memberships and projects. All of them, or none.
#[utoipa::path(post, path = "/team/delete", operation_id = "team_delete", tag = "teams", request_body = Many,
    responses((status = 200, description = "The teams that were deleted"), (status = 404, description = "No such team")))]
pub(crate) async fn team_delete(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    let mut edit = operator.begin().await?;
    let mut gone = Vec::with_capacity(many.team_ids.len());
    for id in &many.team_ids {
        let team = edit.get::<TeamFields>(id).await?;
        operator.must("POST", "/team/delete", &about(id, team.as_ref()))?;
        let Some(team) = dissolve(&mut edit, id).await? else {
            return Err(missing("team_ids", format!("Team not found, passed team_id={id}")));
        };
        gone.push(Value::Object(shown(&team)?));
    }
    operator.finish(edit).await?;
    Ok(Json(json!({"deleted_teams": many.team_ids, "teams": gone})))
}
