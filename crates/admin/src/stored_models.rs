//! Deployments that operators add at run time: kept in the database with their secrets sealed, served at once.
//!
//! Not here: how a row becomes a deployment (server), which ones there are ([`crate::model_info`]).

use axum::Json;
use axum::extract::Path;
use gateway::configure::Configure;
use gateway::refusal::Refusal;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{ModelFields, Object, Record, TeamFields};
use store::seal::{Seal, SealError, without_secrets};
use utoipa::ToSchema;

use crate::access::{Refused, Sent};
use crate::operator::{Answer, Edit, Operator, bad, missing};
use crate::shown;

/// A new deployment.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewModel {
    /// The public name.
    model_name: String,
    /// As in `model_list`.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    litellm_params: Object,
    /// `id`, `team_id`, `access_groups`, prices and whatever else is known of it.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    model_info: Object,
    /// Not called for now.
    #[serde(default)]
    blocked: bool,
}

/// What is changed of a deployment: what is absent stays, what is null goes.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct Change {
    /// The public name.
    model_name: Option<String>,
    /// Parameters.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    litellm_params: Object,
    /// Where its path does not say which, `id` does.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    model_info: Object,
    /// Not called for now.
    blocked: Option<bool>,
}

/// Which deployment.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Which {
    /// Its id.
    #[serde(alias = "model_id")]
    id: String,
}

/// Adds a deployment.
#[utoipa::path(post, path = "/model/new", operation_id = "model_new", tag = "models", request_body = NewModel,
    responses((status = 200, description = "The deployment, without its secrets"), (status = 400, description = "It could not be served"), (status = 500, description = "Models are not kept in the database")))]
pub(crate) async fn new(operator: Operator, Sent(sent): Sent<NewModel>) -> Answer {
    let team = text(&sent.model_info, "team_id");
    operator.must("POST", "/model/new", &About { team: team.as_deref(), ..About::default() })?;
    changeable(&operator)?;
    let mut fields = ModelFields {
        model_name: sent.model_name,
        litellm_params: sent.litellm_params,
        model_info: sent.model_info,
        blocked: sent.blocked,
    };
    check(&operator, &fields)?;
    let id = text(&fields.model_info, "id").unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let mut edit = operator.begin().await?;
    if edit.get::<ModelFields>(&id).await?.is_some() || is_served(&operator, &id) {
        return Err(bad("model_info.id", format!("There is a model with the id {id} already.")));
    }
    if let Some(team) = &team {
        own_by_team(&mut edit, team, &id, &mut fields).await?;
    }
    seal(&operator)?.seal_fields(&mut fields.litellm_params).map_err(unsealed)?;
    let record = edit.record(id, fields);
    edit.add(&record).await?;
    finish(&operator, edit).await?;
    Ok(Json(row(&record)))
}

/// Changes a deployment of the database.
#[utoipa::path(post, path = "/model/update", operation_id = "model_update", tag = "models", request_body = Change,
    responses((status = 200, description = "The deployment, without its secrets"), (status = 400, description = "Not in the database, or it could not be served")))]
pub(crate) async fn update(operator: Operator, Sent(change): Sent<Change>) -> Answer {
    let Some(id) = text(&change.model_info, "id") else {
        return Err(bad("model_info.id", "model_info.id says which model is to be changed."));
    };
    changed(&operator, ("POST", "/model/update"), &id, change).await
}

/// Changes a deployment of the database.
#[utoipa::path(patch, path = "/model/{model_id}/update", operation_id = "model_patch", tag = "models", request_body = Change,
    params(("model_id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The deployment, without its secrets"), (status = 400, description = "Not in the database, or it could not be served")))]
pub(crate) async fn patch(operator: Operator, Path(id): Path<String>, Sent(change): Sent<Change>) -> Answer {
    changed(&operator, ("PATCH", "/model/{model_id}/update"), &id, change).await
}

/// Deletes a deployment of the database.
#[utoipa::path(post, path = "/model/delete", operation_id = "model_delete", tag = "models", request_body = Which,
    responses((status = 200, description = "It is gone"), (status = 400, description = "Not in the database")))]
pub(crate) async fn delete(operator: Operator, Sent(which): Sent<Which>) -> Answer {
    let mut edit = operator.begin().await?;
    let record = found(&operator, &mut edit, &which.id).await?;
    let team = text(&record.fields.model_info, "team_id");
    operator.must("POST", "/model/delete", &About { team: team.as_deref(), ..About::default() })?;
    changeable(&operator)?;
    edit.remove::<ModelFields>(&which.id).await?;
    finish(&operator, edit).await?;
    Ok(Json(json!({"message": format!("Model: {} deleted successfully", which.id)})))
}

/// Keeps a deployment from being called.
#[utoipa::path(post, path = "/model/block", operation_id = "model_block", tag = "models", request_body = Which,
    responses((status = 200, description = "It is not called any more"), (status = 400, description = "Not in the database")))]
pub(crate) async fn block(operator: Operator, Sent(which): Sent<Which>) -> Answer {
    let change = Change { blocked: Some(true), ..Change::default() };
    changed(&operator, ("POST", "/model/block"), &which.id, change).await
}

/// Lets a deployment be called again.
#[utoipa::path(post, path = "/model/unblock", operation_id = "model_unblock", tag = "models", request_body = Which,
    responses((status = 200, description = "It is called again"), (status = 400, description = "Not in the database")))]
pub(crate) async fn unblock(operator: Operator, Sent(which): Sent<Which>) -> Answer {
    let change = Change { blocked: Some(false), ..Change::default() };
    changed(&operator, ("POST", "/model/unblock"), &which.id, change).await
}

async fn changed(operator: &Operator, route: (&str, &str), id: &str, change: Change) -> Answer {
    let mut edit = operator.begin().await?;
    let mut record = found(operator, &mut edit, id).await?;
    let team = text(&record.fields.model_info, "team_id");
    operator.must(route.0, route.1, &About { team: team.as_deref(), ..About::default() })?;
    changeable(operator)?;
    if change.model_info.get("team_id").is_some_and(|to| to.as_str() != team.as_deref())
        && !operator.is_admin()
    {
        return Err(bad("model_info.team_id", "Only a proxy admin gives a model to another team."));
    }
    let seal = seal(operator)?;
    let before = record.fields.clone();
    let fields = &mut record.fields;
    seal.open_fields(&mut fields.litellm_params).map_err(unsealed)?;
    overlay(&mut fields.litellm_params, change.litellm_params);
    overlay(&mut fields.model_info, change.model_info);
    fields.model_info.remove("id");
    fields.blocked = change.blocked.unwrap_or(fields.blocked);
    if let Some(name) = change.model_name {
        match fields.model_info.get_mut("team_public_model_name") {
            Some(public) if team.is_some() => *public = name.into(),
            _ => fields.model_name = name,
        }
    }
    check(operator, fields)?;
    seal.seal_fields(&mut fields.litellm_params).map_err(unsealed)?;
    let action = match (before.blocked, fields.blocked) {
        (false, true) => "blocked",
        (true, false) => "unblocked",
        _ => "updated",
    };
    edit.change(action, &before, &mut record).await?;
    finish(operator, edit).await?;
    Ok(Json(row(&record)))
}

/// The row of an id. One that stands in a file is not changed here.
async fn found(operator: &Operator, edit: &mut Edit, id: &str) -> Result<Record<ModelFields>, Refused> {
    match edit.get::<ModelFields>(id).await? {
        Some(record) => Ok(record),
        None if is_served(operator, id) => Err(bad(
            "id",
            format!("Model {id} stands in the configuration file and can only be changed there."),
        )),
        None => Err(bad("id", format!("Model with id={id} not found in db"))),
    }
}

fn is_served(operator: &Operator, id: &str) -> bool {
    let snapshot = operator.gateway.live.snapshot();
    snapshot.groups().flat_map(|group| &group.deployments).any(|deployment| deployment.id == id)
}

/// A model that only one team has: known to it by the name that was sent, to nobody else by any.
async fn own_by_team(edit: &mut Edit, team: &str, id: &str, fields: &mut ModelFields) -> Result<(), Refused> {
    let Some(mut record) = edit.get::<TeamFields>(team).await? else {
        return Err(missing("model_info.team_id", format!("Team id={team} does not exist in db")));
    };
    let public =
        text(&fields.model_info, "team_public_model_name").unwrap_or_else(|| fields.model_name.clone());
    fields.model_name = format!("model_name_{team}_{id}");
    fields.model_info.insert("team_public_model_name".to_owned(), public.clone().into());
    let models = &mut record.fields.models;
    if !models.is_empty() && !models.contains(&public) {
        models.push(public);
        edit.follow(&mut record).await?;
    }
    Ok(())
}

/// What can be said of parameters without asking the process.
fn check(operator: &Operator, fields: &ModelFields) -> Result<(), Refused> {
    if fields.model_name.trim().is_empty() {
        return Err(bad("model_name", "model_name is the name callers use; it is empty."));
    }
    closed(&fields.litellm_params)?;
    if !operator.is_admin() {
        own_keys_only(&fields.litellm_params)?;
    }
    match operator.gateway.live.configure() {
        Some(process) => process.check(fields).map_err(|message| bad("litellm_params", message)),
        None => Ok(()),
    }
}

/// Values that came over the network name no variables and no files of this process.
pub(crate) fn closed(params: &Object) -> Result<(), Refused> {
    const REFERENCES: [&str; 5] = ["os.environ/", "oidc/env/", "oidc/env_path/", "oidc/file/", "oidc/"];
    const FILES: [&str; 3] = ["client_certificate_path", "oci_key_file", "aws_profile_name"];
    fn find<'a>(name: &'a str, value: &'a Value) -> Option<&'a str> {
        match value {
            Value::String(text) => {
                let refers = REFERENCES.iter().any(|start| text.trim_start().starts_with(start));
                (refers || FILES.contains(&name)).then_some(name)
            }
            Value::Array(items) => items.iter().find_map(|item| find(name, item)),
            Value::Object(object) => object.iter().find_map(|(name, value)| find(name, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
    let is_path = |value: &Value| value.as_str().is_some_and(|text| !text.trim_start().starts_with('{'));
    let file = ["vertex_credentials", "vertex_ai_credentials"]
        .into_iter()
        .find(|name| params.get(*name).is_some_and(is_path));
    match params.iter().find_map(|(name, value)| find(name, value)).or(file) {
        None => Ok(()),
        Some(name) => {
            let message = "refers to a variable or a file of the gateway. Send the value itself, or write the model into the \
                           configuration file.";
            Err(bad(name, format!("{name}: {message}")))
        }
    }
}

/// Somebody who may add models to a team may not send the gateway's own credentials to an address of their choice.
fn own_keys_only(params: &Object) -> Result<(), Refused> {
    if params.contains_key("litellm_credential_name") {
        return Err(bad("litellm_credential_name", "Only a proxy admin uses the gateway's credentials."));
    }
    let addressed = ["api_base", "base_url", "aws_sts_endpoint", "aws_bedrock_runtime_endpoint"];
    let has_key = params.get("api_key").and_then(Value::as_str).is_some_and(|key| !key.is_empty());
    match addressed.into_iter().find(|name| params.contains_key(*name)) {
        Some(name) if !has_key => Err(bad(
            "api_key",
            format!("With {name} send the api_key of that address; the gateway's own goes nowhere else."),
        )),
        _ => Ok(()),
    }
}

fn overlay(current: &mut Object, changes: Object) {
    for (name, value) in changes {
        match value {
            Value::Null => drop(current.remove(&name)),
            value => drop(current.insert(name, value)),
        }
    }
}

/// Only where the configuration may be changed at run time.
pub(crate) fn changeable(operator: &Operator) -> Result<(), Refused> {
    if operator.gateway.live.snapshot().general.store_models {
        return Ok(());
    }
    let message = "Set `'STORE_MODEL_IN_DB='True'` in your env to enable this feature.";
    Err(Refusal::new(500, message).with_kind("internal_server_error").into())
}

pub(crate) fn seal(operator: &Operator) -> Result<Seal, Refused> {
    let general = &operator.gateway.live.snapshot().general;
    Seal::new(general.salt_key.as_ref(), general.master_key.as_ref()).map_err(unsealed)
}

pub(crate) fn unsealed(error: SealError) -> Refused {
    Refusal::new(500, error.to_string()).with_kind("internal_server_error").into()
}

/// Commits; returns when the next call knows of it.
pub(crate) async fn finish(operator: &Operator, edit: Edit) -> Result<(), Refused> {
    operator.finish(edit).await?;
    if let Some(process) = operator.gateway.live.configure().map(std::sync::Arc::clone)
        && let Err(error) = Configure::reload(&*process).await
    {
        tracing::error!("what was changed is not in force yet: {error}");
    }
    Ok(())
}

fn row(record: &Record<ModelFields>) -> Value {
    let fields = &record.fields;
    let mut info = fields.model_info.clone();
    info.insert("id".to_owned(), record.id.clone().into());
    info.insert("db_model".to_owned(), true.into());
    json!({
        "model_id": record.id,
        "model_name": fields.model_name,
        "litellm_params": without_secrets(&fields.litellm_params),
        "model_info": info,
        "blocked": fields.blocked,
        "created_at": shown::time(Some(record.created_at)),
        "created_by": record.created_by,
        "updated_at": shown::time(Some(record.updated_at)),
        "updated_by": record.updated_by,
    })
}

fn text(object: &Object, name: &str) -> Option<String> {
    object.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
#[path = "stored_models_tests.rs"]
mod tests;
