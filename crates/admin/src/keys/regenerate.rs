//! Replacing keys: the row, its limits and what it has spent stay; the text is new, and the old one may work a while.

use axum::Json;
use axum::extract::Path;
use gateway::hash::key_id;
use policy::period::Period;
use store::entity::{KeyFields, Kind, Object, RetiredKeyFields};

use super::{bounds, find, generate, mint};
use crate::access::{Refused, Sent};
use crate::operator::{Answer, Operator, bad};
use crate::terms;

/// Replaces the key that the body names.
#[utoipa::path(post, path = "/key/regenerate", operation_id = "key_regenerate", tag = "keys", request_body = Object,
    responses((status = 200, description = "The key under its new text"), (status = 404, description = "No such key")))]
pub(crate) async fn regenerate(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    let key = generate::take_text(&mut sent, "key")?;
    let key = key.ok_or_else(|| bad("key", "key: Field required"))?;
    replace(&operator, "/key/regenerate", &key, sent).await
}

/// Replaces the key that the path names.
#[utoipa::path(post, path = "/key/{key}/regenerate", operation_id = "key_regenerate_named", tag = "keys",
    params(("key" = String, Path, description = "The key, by its text or hash")), request_body = Object,
    responses((status = 200, description = "The key under its new text"), (status = 404, description = "No such key")))]
pub(crate) async fn regenerate_named(
    operator: Operator,
    Path(key): Path<String>,
    body: axum::body::Bytes,
) -> Answer {
    let mut sent: Object = match body.is_empty() {
        true => Object::new(),
        false => serde_json::from_slice(&body).map_err(|error| bad("request_body", error.to_string()))?,
    };
    drop(sent.remove("key"));
    replace(&operator, &format!("/key/{key}/regenerate"), &key, sent).await
}

async fn replace(operator: &Operator, path: &str, key: &str, mut sent: Object) -> Answer {
    bounds::check_sender(operator, &sent)?;
    bounds::check_upperbounds(operator, &sent, false)?;
    let mut edit = operator.begin().await?;
    let mut key = find::one(operator, &mut edit, ("POST", path), Some(key), None).await?;
    if sent.contains_key("new_master_key") {
        return Err(bad("new_master_key", "The master key is set in the configuration, not here."));
    }
    let grace = grace(generate::take_text(&mut sent, "grace_period")?.as_deref(), edit.now)?;
    let text = match generate::take_text(&mut sent, "new_key")? {
        Some(text) => {
            mint::check("new_key", &text, !operator.gateway.live.snapshot().general.custom_keys_disabled)?;
            text
        }
        None => mint::random()?,
    };
    let asked = sent.clone();
    let before = key.fields.clone();
    if !sent.is_empty() {
        drop(sent.remove("spend"));
        key.fields = generate::read(&before, &mut sent, edit.now)?;
        let team = generate::belong(operator, &mut edit, path, &mut key.fields).await?;
        bounds::check_grant(operator, &mut key.fields, team.as_ref())?;
        bounds::check_owner(operator, &before, &key.fields)?;
        bounds::check_guaranteed(&mut edit, Some(&key.id), &key.fields, team.as_ref()).await?;
        generate::check_alias(&mut edit, Some(&key.id), &key.fields).await?;
        if key.fields.limits.budget_duration != before.limits.budget_duration {
            key.budget_reset_at = terms::reset_at(&operator.gateway, &key.fields.limits, edit.now)?;
        }
    }
    key.fields.key_name = Some(mint::name(&text));
    key.fields.rotation_count += 1;
    key.fields.last_rotation_at = Some(edit.now);
    let (old, new) = (key.id.clone(), key_id(&text));
    if edit.get::<KeyFields>(&new).await?.is_some() {
        return Err(bad("new_key", "There is such a key already."));
    }
    // Renamed first: whoever follows the changes then knows the new row for the old one.
    edit.tx.rename(Kind::Key, &old, &new, edit.now).await?;
    key.id.clone_from(&new);
    edit.change("rotated", &before, &mut key).await?;
    // It also tells whose the charges are that were recorded under the old hash.
    let retired = edit.record(old, RetiredKeyFields { active: new, revoke_at: grace });
    edit.tx.insert(&retired).await?;
    operator.finish(edit).await?;
    Ok(Json(generate::answer(&text, &key, &asked)?))
}

/// Until when the old text works, in milliseconds of Unix time.
fn grace(text: Option<&str>, now: i64) -> Result<i64, Refused> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(now) };
    let period = Period::parse(text)
        .map_err(|error| bad("grace_period", format!("grace_period: {text:?} {error}")))?;
    Ok(i64::try_from(period.after(now.unsigned_abs())).unwrap_or(i64::MAX))
}
