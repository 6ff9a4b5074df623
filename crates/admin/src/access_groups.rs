//! Named sets of models (and tool servers and agents), and the teams and keys that have them.
//!
//! Not here: the older groups that deployments name in `model_info.access_groups` ([`crate::model_groups`]).

use axum::Json;
use axum::extract::Path;
use policy::roles::Object as About;
use serde_json::{Value, json};
use store::entity::{AccessGroupFields, Entity, Filter, KeyFields, Object, Record, TeamFields};

use crate::access::{Refused, Sent};
use crate::edit;
use crate::operator::{Answer, Edit, Operator, bad, missing};
use crate::shown;

const ID: &str = "access_group_id";

/// Makes a group.
#[utoipa::path(post, path = "/v1/access_group", operation_id = "access_group_new", tag = "access groups", request_body = std::collections::HashMap<String, Value>,
    responses((status = 201, description = "The group"), (status = 409, description = "There is one of that name")))]
pub(crate) async fn new(
    operator: Operator,
    Sent(sent): Sent<Object>,
) -> Result<(http::StatusCode, Json<Value>), Refused> {
    operator.must("POST", "/v1/access_group", &About::default())?;
    let fields = edit::overlay(&AccessGroupFields::default(), &sent)?;
    let mut edit = operator.begin().await?;
    named(&mut edit, &fields, None).await?;
    let record = edit.record(uuid::Uuid::now_v7().to_string(), fields);
    edit.add(&record).await?;
    hand_out(&mut edit, &record.id, &AccessGroupFields::default(), &record.fields).await?;
    operator.finish(edit).await?;
    Ok((http::StatusCode::CREATED, Json(row(&record))))
}

/// The groups there are.
#[utoipa::path(get, path = "/v1/access_group", operation_id = "access_group_list", tag = "access groups",
    responses((status = 200, description = "All groups")))]
pub(crate) async fn list(operator: Operator) -> Answer {
    operator.must("GET", "/v1/access_group", &About::default())?;
    let records = operator.db.find::<AccessGroupFields>(&Filter::default()).await?;
    let rows = records.iter().map(row).collect::<Vec<_>>();
    Ok(Json(rows.into()))
}

/// One group.
#[utoipa::path(get, path = "/v1/access_group/{access_group_id}", operation_id = "access_group_one", tag = "access groups",
    params(("access_group_id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The group"), (status = 404, description = "There is none")))]
pub(crate) async fn one(operator: Operator, Path(id): Path<String>) -> Answer {
    operator.must("GET", "/v1/access_group/{access_group_id}", &About::default())?;
    match operator.db.get::<AccessGroupFields>(&id).await? {
        Some(record) => Ok(Json(row(&record))),
        None => Err(unknown(&id)),
    }
}

/// Changes a group: what is absent stays.
#[utoipa::path(put, path = "/v1/access_group/{access_group_id}", operation_id = "access_group_update", tag = "access groups",
    request_body = std::collections::HashMap<String, Value>,
    params(("access_group_id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The group"), (status = 404, description = "There is none")))]
pub(crate) async fn update(operator: Operator, Path(id): Path<String>, Sent(sent): Sent<Object>) -> Answer {
    operator.must("PUT", "/v1/access_group/{access_group_id}", &About::default())?;
    let mut edit = operator.begin().await?;
    let Some(mut record) = edit.get::<AccessGroupFields>(&id).await? else { return Err(unknown(&id)) };
    let before = record.fields.clone();
    record.fields = edit::overlay(&before, &sent)?;
    named(&mut edit, &record.fields, Some(&id)).await?;
    edit.change("updated", &before, &mut record).await?;
    hand_out(&mut edit, &id, &before, &record.fields).await?;
    operator.finish(edit).await?;
    Ok(Json(row(&record)))
}

/// Deletes a group; whoever had it has its models no more.
#[utoipa::path(delete, path = "/v1/access_group/{access_group_id}", operation_id = "access_group_delete", tag = "access groups",
    params(("access_group_id" = String, Path, description = "Its id")),
    responses((status = 204, description = "It is gone"), (status = 404, description = "There is none")))]
pub(crate) async fn delete(operator: Operator, Path(id): Path<String>) -> Result<http::StatusCode, Refused> {
    operator.must("DELETE", "/v1/access_group/{access_group_id}", &About::default())?;
    let mut edit = operator.begin().await?;
    let Some(record) = edit.remove::<AccessGroupFields>(&id).await? else { return Err(unknown(&id)) };
    hand_out(&mut edit, &id, &record.fields, &AccessGroupFields::default()).await?;
    operator.finish(edit).await?;
    Ok(http::StatusCode::NO_CONTENT)
}

async fn named(edit: &mut Edit, fields: &AccessGroupFields, id: Option<&str>) -> Result<(), Refused> {
    let name = fields.access_group_name.as_str();
    if name.trim().is_empty() {
        return Err(bad("access_group_name", "access_group_name is missing."));
    }
    let same = edit.find::<AccessGroupFields>(&Filter { alias: Some(name), ..Filter::default() }).await?;
    if same.iter().any(|record| Some(record.id.as_str()) != id) {
        let message = format!("Access group with name '{name}' already exists");
        return Err(gateway::refusal::Refusal::new(409, message).with_param("access_group_name").into());
    }
    Ok(())
}

/// Teams and keys say themselves which groups they have; they follow what the group says.
async fn hand_out(
    edit: &mut Edit,
    group: &str,
    before: &AccessGroupFields,
    after: &AccessGroupFields,
) -> Result<(), Refused> {
    each::<TeamFields>(edit, group, &before.assigned_team_ids, &after.assigned_team_ids, |team| {
        &mut team.access_group_ids
    })
    .await?;
    each::<KeyFields>(edit, group, &before.assigned_key_ids, &after.assigned_key_ids, |key| {
        &mut key.access_group_ids
    })
    .await
}

async fn each<T: Entity>(
    edit: &mut Edit,
    group: &str,
    before: &[String],
    after: &[String],
    groups: fn(&mut T) -> &mut Vec<String>,
) -> Result<(), Refused> {
    let changed = after.iter().filter(|id| !before.contains(id)).map(|id| (id, true));
    let changed = changed.chain(before.iter().filter(|id| !after.contains(id)).map(|id| (id, false)));
    for (id, has) in changed {
        let Some(mut record) = edit.get::<T>(id).await? else {
            // Whoever is gone has nothing to give back.
            if !has {
                continue;
            }
            return Err(missing(ID, format!("{id} is assigned the group and does not exist.")));
        };
        let list = groups(&mut record.fields);
        list.retain(|known| known != group);
        if has {
            list.push(group.to_owned());
        }
        edit.follow(&mut record).await?;
    }
    Ok(())
}

fn row(record: &Record<AccessGroupFields>) -> Value {
    let fields = &record.fields;
    json!({
        "access_group_id": record.id,
        "access_group_name": fields.access_group_name,
        "description": fields.description,
        "access_model_names": fields.access_model_names,
        "access_mcp_server_ids": fields.access_mcp_server_ids,
        "access_agent_ids": fields.access_agent_ids,
        "assigned_team_ids": fields.assigned_team_ids,
        "assigned_key_ids": fields.assigned_key_ids,
        "created_at": shown::time(Some(record.created_at)),
        "created_by": record.created_by,
        "updated_at": shown::time(Some(record.updated_at)),
        "updated_by": record.updated_by,
    })
}

fn unknown(id: &str) -> Refused {
    missing(ID, format!("Access group '{id}' not found"))
}
