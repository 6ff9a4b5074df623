//! Routes that change one list of a team: its models, and what plain members may do.

use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::TeamFields;
use utoipa::ToSchema;

use super::{Which, about, shown, wanted};
use crate::access::Sent;
use crate::operator::{Answer, Asked, Operator, bad, missing};
use crate::terms;
use policy::bounds::Grant;
use policy::roles::{DEFAULT_PERMISSIONS, rule};

/// Routes about keys that a team may let its members use.
const ALL_PERMISSIONS: [&str; 11] = [
    "/key/generate",
    "/key/service-account/generate",
    "/key/update",
    "/key/delete",
    "/key/regenerate",
    "/key/{key}/regenerate",
    "/key/{key}/reset_spend",
    "/key/block",
    "/key/unblock",
    "/key/info",
    "/key/health",
];

/// Models of a team.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TeamModels)]
pub(crate) struct Models {
    team_id: String,
    models: Vec<String>,
}

/// What plain members of a team may do.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TeamPermissions)]
pub(crate) struct Permissions {
    team_id: String,
    team_member_permissions: Vec<String>,
}

/// The same for many teams.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TeamsPermissions)]
pub(crate) struct PermissionsOfMany {
    team_ids: Vec<String>,
    team_member_permissions: Vec<String>,
}

/// Adds models to those a team may use. A team with no list may use all already.
#[utoipa::path(post, path = "/team/model/add", operation_id = "team_model_add", tag = "teams", request_body = Models,
    responses((status = 200, description = "The team"), (status = 404, description = "No such team")))]
pub(crate) async fn team_model_add(operator: Operator, Sent(sent): Sent<Models>) -> Answer {
    let mut edit = operator.begin().await?;
    let mut team = wanted(&operator, &mut edit, ("POST", "/team/model/add"), &sent.team_id).await?;
    let before = team.fields.clone();
    if !operator.is_admin() {
        let granted = Grant { models: &sent.models, ..Grant::default() };
        let most = Grant { models: &before.models, ..Grant::default() };
        let organization = team.fields.organization_id.as_ref();
        let leads = |id: &String| operator.who.0.organizations.iter().any(|(own, admin)| own == id && *admin);
        if !organization.is_some_and(leads) {
            terms::permitted(&granted, &most, "what the team has")?;
        }
    }
    for model in sent.models {
        if !team.fields.models.contains(&model) {
            team.fields.models.push(model);
        }
    }
    super::within_organization(&mut edit, &team.fields).await?;
    edit.change("updated", &before, &mut team).await?;
    operator.finish(edit).await?;
    Ok(Json(Value::Object(shown(&team)?)))
}

/// Takes models from those a team may use. The last one stays: no list would mean all models.
#[utoipa::path(post, path = "/team/model/delete", operation_id = "team_model_delete", tag = "teams", request_body = Models,
    responses((status = 200, description = "The team"), (status = 404, description = "No such team")))]
pub(crate) async fn team_model_delete(operator: Operator, Sent(sent): Sent<Models>) -> Answer {
    let mut edit = operator.begin().await?;
    let mut team = wanted(&operator, &mut edit, ("POST", "/team/model/delete"), &sent.team_id).await?;
    let before = team.fields.clone();
    team.fields.models.retain(|model| !sent.models.contains(model));
    if team.fields.models.is_empty() && !before.models.is_empty() {
        team.fields.models.push("no-default-models".to_owned());
    }
    edit.change("updated", &before, &mut team).await?;
    operator.finish(edit).await?;
    Ok(Json(Value::Object(shown(&team)?)))
}

/// What plain members of a team may do, and what they could be let do.
#[utoipa::path(get, path = "/team/permissions_list", operation_id = "team_permissions_list", tag = "teams",
    params(("team_id" = String, Query, description = "The team")),
    responses((status = 200, description = "Routes"), (status = 404, description = "No such team")))]
pub(crate) async fn team_permissions_list(operator: Operator, Asked(which): Asked<Which>) -> Answer {
    let id = which.team_id;
    let team = operator.db.get::<TeamFields>(&id).await?;
    operator.must("GET", "/team/permissions_list", &about(&id, team.as_ref()))?;
    let Some(team) = team else {
        return Err(missing("team_id", format!("Team not found, passed team_id={id}")));
    };
    let own = team.fields.team_member_permissions;
    let permissions =
        own.unwrap_or_else(|| DEFAULT_PERMISSIONS.iter().map(|&path| path.to_owned()).collect());
    Ok(Json(json!({
        "team_id": id, "team_member_permissions": permissions, "all_available_permissions": ALL_PERMISSIONS,
    })))
}

/// Sets what plain members of a team may do.
#[utoipa::path(post, path = "/team/permissions_update", operation_id = "team_permissions_update", tag = "teams", request_body = Permissions,
    responses((status = 200, description = "The team"), (status = 404, description = "No such team")))]
pub(crate) async fn team_permissions_update(operator: Operator, Sent(sent): Sent<Permissions>) -> Answer {
    check(&sent.team_member_permissions)?;
    let mut edit = operator.begin().await?;
    let mut team = wanted(&operator, &mut edit, ("POST", "/team/permissions_update"), &sent.team_id).await?;
    let before = team.fields.clone();
    team.fields.team_member_permissions = Some(sent.team_member_permissions);
    edit.change("updated", &before, &mut team).await?;
    operator.finish(edit).await?;
    Ok(Json(Value::Object(shown(&team)?)))
}

/// Sets what plain members of many teams may do. All of them, or none.
#[utoipa::path(post, path = "/team/permissions_bulk_update", operation_id = "team_permissions_bulk_update", tag = "teams",
    request_body = PermissionsOfMany,
    responses((status = 200, description = "The teams"), (status = 404, description = "No such team")))]
pub(crate) async fn team_permissions_bulk_update(
    operator: Operator,
    Sent(sent): Sent<PermissionsOfMany>,
) -> Answer {
    check(&sent.team_member_permissions)?;
    let mut edit = operator.begin().await?;
    let mut teams = Vec::with_capacity(sent.team_ids.len());
    for id in &sent.team_ids {
        let mut team = wanted(&operator, &mut edit, ("POST", "/team/permissions_bulk_update"), id).await?;
        let before = team.fields.clone();
        team.fields.team_member_permissions = Some(sent.team_member_permissions.clone());
        edit.change("updated", &before, &mut team).await?;
        teams.push(Value::Object(shown(&team)?));
    }
    operator.finish(edit).await?;
    Ok(Json(json!({"teams_updated": teams.len(), "teams": teams})))
}

fn check(permissions: &[String]) -> Result<(), crate::access::Refused> {
    let known = |path: &String| {
        ["GET", "POST"]
            .iter()
            .any(|method| rule(method, path).is_some_and(|rule| rule.path.starts_with("/key/")))
    };
    match permissions.iter().find(|path| !known(path)) {
        None => Ok(()),
        Some(path) => {
            let message = format!("team_member_permissions: {path} is no route about keys");
            Err(bad("team_member_permissions", message))
        }
    }
}
