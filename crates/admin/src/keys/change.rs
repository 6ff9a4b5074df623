//! Changing keys.

use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{KeyFields, Kind, Object, Record, TeamFields};
use utoipa::ToSchema;

use super::{bounds, find, generate};
use crate::access::{Refused, Sent};
use crate::operator::{Answer, Edit, Operator, bad};
use crate::{shown, terms};

/// The most keys that are changed at once.
const MOST: usize = 500;

/// Changes the fields that are sent; `null` clears one.
#[utoipa::path(post, path = "/key/update", operation_id = "key_update", tag = "keys", request_body = Object,
    responses((status = 200, description = "The key"), (status = 404, description = "No such key")))]
pub(crate) async fn update(operator: Operator, Sent(sent): Sent<Object>) -> Answer {
    let mut edit = operator.begin().await?;
    let (named, key) = change(&operator, &mut edit, "/key/update", sent).await?;
    operator.finish(edit).await?;
    let mut shown = json!({ "key": named });
    if let (Value::Object(shown), Value::Object(row)) = (&mut shown, shown::key(&key)?) {
        shown.extend(row);
        shown.insert("key".to_owned(), named.into());
    }
    Ok(Json(shown))
}

async fn change(
    operator: &Operator,
    edit: &mut Edit,
    path: &str,
    mut sent: Object,
) -> Result<(String, Record<KeyFields>), Refused> {
    bounds::check_sender(operator, &sent)?;
    bounds::check_upperbounds(operator, &sent, false)?;
    let named = generate::take_text(&mut sent, "key")?;
    let alias = if named.is_some() { None } else { sent.get("key_alias").and_then(Value::as_str) };
    let mut key = find::one(operator, edit, ("POST", path), named.as_deref(), alias).await?;
    let named = named.unwrap_or_else(|| key.id.clone());
    let spend = sent.remove("spend").filter(|spend| !spend.is_null());
    let before = key.fields.clone();
    let touches_limits = sent.keys().any(|name| !matches!(name.as_str(), "key_alias" | "metadata" | "tags"));
    key.fields = generate::read(&before, &mut sent, edit.now)?;
    let team = team_of(operator, edit, path, &before, &mut key.fields).await?;
    if touches_limits {
        bounds::check_grant(operator, &mut key.fields, team.as_ref())?;
    }
    bounds::check_owner(operator, &before, &key.fields)?;
    bounds::check_guaranteed(edit, Some(&key.id), &key.fields, team.as_ref()).await?;
    generate::check_alias(edit, Some(&key.id), &key.fields).await?;
    if key.fields.limits.budget_duration != before.limits.budget_duration {
        key.budget_reset_at = terms::reset_at(&operator.gateway, &key.fields.limits, edit.now)?;
    }
    edit.change("updated", &before, &mut key).await?;
    if let Some(spend) = &spend {
        key.spend =
            policy::money::Cost::from_json(spend).map_err(|error| bad("spend", format!("spend {error}")))?;
        edit.tx.set_spend(Kind::Key, &key.id, key.spend, key.budget_reset_at, edit.now).await?;
    }
    Ok((named, key))
}

/// A key that moves is judged in its new place too.
async fn team_of(
    operator: &Operator,
    edit: &mut Edit,
    path: &str,
    before: &KeyFields,
    fields: &mut KeyFields,
) -> Result<Option<Record<TeamFields>>, Refused> {
    if fields.team_id != before.team_id {
        fields.organization_id = None;
        return generate::belong(operator, edit, path, fields).await;
    }
    if fields.user_id != before.user_id {
        return generate::belong(operator, edit, path, fields).await;
    }
    match &fields.team_id {
        // A team that was deleted since does not keep its keys from being changed.
        Some(id) => edit.get::<TeamFields>(id).await,
        None => Ok(None),
    }
}

/// Several keys, each with what changes.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Many {
    #[schema(value_type = Vec<Object>)]
    keys: Vec<Object>,
}

/// Changes several keys; each is changed or not by itself.
#[utoipa::path(post, path = "/key/bulk_update", operation_id = "key_bulk_update", tag = "keys", request_body = Many,
    responses((status = 200, description = "What became of each")))]
pub(crate) async fn bulk_update(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    bulk(&operator, "/key/bulk_update", many).await
}

/// The same for keys of teams.
#[utoipa::path(post, path = "/team/key/bulk_update", operation_id = "team_key_bulk_update", tag = "keys",
    request_body = Many, responses((status = 200, description = "What became of each")))]
pub(crate) async fn team_bulk_update(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    bulk(&operator, "/team/key/bulk_update", many).await
}

async fn bulk(operator: &Operator, path: &str, many: Many) -> Answer {
    if many.keys.is_empty() || many.keys.len() > MOST {
        return Err(bad("keys", format!("keys: 1 to {MOST} at once")));
    }
    let total = many.keys.len();
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for sent in many.keys {
        let named = sent.get("key").cloned().unwrap_or_default();
        let mut edit = operator.begin().await?;
        let changed = match change(operator, &mut edit, path, sent).await {
            Ok((_, key)) => operator.finish(edit).await.and_then(|()| shown::key(&key)),
            Err(refused) => Err(refused),
        };
        match changed {
            Ok(row) => done.push(json!({"key": named, "key_info": row})),
            Err(refused) => failed.push(json!({"key": named, "failed_reason": refused.0.message})),
        }
    }
    Ok(Json(json!({"total_requested": total, "successful_updates": done, "failed_updates": failed})))
}
