//! Where calls of a team are logged besides: its entries in `metadata.logging`.

use axum::Json;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{Object, Record, TeamFields};
use utoipa::ToSchema;

use super::{about, wanted};
use crate::access::{Refused, Sent};
use crate::operator::{Answer, Operator, bad, missing};
use crate::{secrets, shown};

/// Where a team's calls are logged to.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TeamCallback)]
pub(crate) struct Callback {
    callback_name: String,
    /// `success`, `failure` or `success_and_failure`.
    #[serde(default)]
    callback_type: Option<String>,
    /// What the destination needs.
    #[serde(default)]
    #[schema(value_type = Object)]
    callback_vars: Object,
}

/// Adds a destination, or replaces that of the same name and type.
#[utoipa::path(post, path = "/team/{team_id}/callback", operation_id = "team_callback_add", tag = "teams", request_body = Callback,
    params(("team_id" = String, Path, description = "The team")),
    responses((status = 200, description = "The team"), (status = 400, description = "A field is not valid")))]
pub(crate) async fn team_callback_add(
    operator: Operator,
    Path(id): Path<String>,
    Sent(callback): Sent<Callback>,
) -> Answer {
    let kind = callback.callback_type.unwrap_or_else(|| "success_and_failure".to_owned());
    if !matches!(kind.as_str(), "success" | "failure" | "success_and_failure") {
        let rule = "callback_type: must be success, failure or success_and_failure";
        return Err(bad("callback_type", rule));
    }
    if let Some((name, _)) = callback.callback_vars.iter().find(|(_, value)| !value.is_string()) {
        return Err(bad("callback_vars", format!("callback_vars.{name}: must be a text")));
    }
    let entry = json!({
        "callback_name": callback.callback_name, "callback_type": kind, "callback_vars": callback.callback_vars,
    });
    edit_logging(&operator, ("POST", "/team/{team_id}/callback"), &id, |logging| {
        logging.retain(|one| {
            one["callback_name"] != entry["callback_name"] || one["callback_type"] != entry["callback_type"]
        });
        logging.push(entry);
        Ok(())
    })
    .await
}

/// The destinations, without their secrets.
#[utoipa::path(get, path = "/team/{team_id}/callback", operation_id = "team_callback_list", tag = "teams",
    params(("team_id" = String, Path, description = "The team")),
    responses((status = 200, description = "The destinations"), (status = 404, description = "No such team")))]
pub(crate) async fn team_callback_list(operator: Operator, Path(id): Path<String>) -> Answer {
    let team = operator.db.get::<TeamFields>(&id).await?;
    operator.must("GET", "/team/{team_id}/callback", &about(&id, team.as_ref()))?;
    let Some(team) = team else {
        return Err(missing("team_id", format!("Team not found, passed team_id={id}")));
    };
    let mut logging = json!(logging(&team));
    secrets::mask(&mut logging);
    let of = |kind: &str| -> Vec<&Value> {
        let all = logging.as_array().into_iter().flatten();
        all.filter(|one| one["callback_type"] == kind || one["callback_type"] == "success_and_failure")
            .map(|one| &one["callback_name"])
            .collect()
    };
    let vars: Object = logging
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["callback_vars"].as_object().cloned())
        .flatten()
        .collect();
    Ok(Json(json!({"status": "success", "data": {
        "team_id": id, "success_callback": of("success"), "failure_callback": of("failure"),
        "callback_vars": vars, "logging": logging,
    }})))
}

/// Takes a destination away.
#[utoipa::path(delete, path = "/team/{team_id}/callback/{callback_name}", operation_id = "team_callback_delete", tag = "teams",
    params(("team_id" = String, Path, description = "The team"), ("callback_name" = String, Path, description = "The destination")),
    responses((status = 200, description = "The team"), (status = 404, description = "No such destination")))]
pub(crate) async fn team_callback_delete(
    operator: Operator,
    Path((id, name)): Path<(String, String)>,
) -> Answer {
    edit_logging(&operator, ("DELETE", "/team/{team_id}/callback/{callback_name}"), &id, |logging| {
        let count = logging.len();
        logging.retain(|one| one["callback_name"] != name.as_str());
        if logging.len() == count {
            return Err(missing("callback_name", format!("The team has no callback named {name}")));
        }
        Ok(())
    })
    .await
}

/// Takes all destinations away.
#[utoipa::path(post, path = "/team/{team_id}/disable_logging", operation_id = "team_disable_logging", tag = "teams",
    params(("team_id" = String, Path, description = "The team")),
    responses((status = 200, description = "The team"), (status = 404, description = "No such team")))]
pub(crate) async fn team_disable_logging(operator: Operator, Path(id): Path<String>) -> Answer {
    edit_logging(&operator, ("POST", "/team/{team_id}/disable_logging"), &id, |logging| {
        logging.clear();
        Ok(())
    })
    .await
}

fn logging(team: &Record<TeamFields>) -> Vec<Value> {
    team.fields.metadata.get("logging").and_then(Value::as_array).cloned().unwrap_or_default()
}

async fn edit_logging(
    operator: &Operator,
    route: (&str, &str),
    id: &str,
    change: impl FnOnce(&mut Vec<Value>) -> Result<(), Refused>,
) -> Answer {
    let mut edit = operator.begin().await?;
    let mut team = wanted(operator, &mut edit, route, id).await?;
    let before = team.fields.clone();
    let mut destinations = logging(&team);
    change(&mut destinations)?;
    match destinations.is_empty() {
        true => drop(team.fields.metadata.remove("logging")),
        false => drop(team.fields.metadata.insert("logging".to_owned(), destinations.into())),
    }
    edit.change("updated", &before, &mut team).await?;
    operator.finish(edit).await?;
    Ok(Json(json!({
        "status": "success",
        "message": "The callbacks of the team are changed.",
        "data": {"team_id": id, "team": super::shown(&team)?, "updated_at": shown::time(Some(team.updated_at))},
    })))
}
