//! Keys that are blocked, deleted, or begin anew with what they have spent.

use axum::Json;
use axum::extract::Path;
use policy::money::Cost;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{Filter, KeyFields, Kind};
use utoipa::ToSchema;

use super::{find, list};
use crate::access::Sent;
use crate::operator::{Answer, Operator, bad};
use crate::shown;

/// A key, by its text or hash.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Which {
    key: String,
}

/// Keys, by text or hash, or by alias.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct Gone {
    keys: Option<Vec<String>>,
    key_aliases: Option<Vec<String>>,
}

/// What a key shall have spent.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Reset {
    reset_to: f64,
}

/// From the next second on the key is refused.
#[utoipa::path(post, path = "/key/block", operation_id = "key_block", tag = "keys", request_body = Which,
    responses((status = 200, description = "The key"), (status = 404, description = "No such key")))]
pub(crate) async fn block(operator: Operator, Sent(which): Sent<Which>) -> Answer {
    set_blocked(&operator, "/key/block", &which.key, true).await
}

/// The key works again.
#[utoipa::path(post, path = "/key/unblock", operation_id = "key_unblock", tag = "keys", request_body = Which,
    responses((status = 200, description = "The key"), (status = 404, description = "No such key")))]
pub(crate) async fn unblock(operator: Operator, Sent(which): Sent<Which>) -> Answer {
    set_blocked(&operator, "/key/unblock", &which.key, false).await
}

async fn set_blocked(operator: &Operator, path: &str, key: &str, blocked: bool) -> Answer {
    let mut edit = operator.begin().await?;
    let mut key = find::one(operator, &mut edit, ("POST", path), Some(key), None).await?;
    let before = key.fields.clone();
    key.fields.blocked = blocked;
    edit.change(if blocked { "blocked" } else { "unblocked" }, &before, &mut key).await?;
    operator.finish(edit).await?;
    Ok(Json(shown::key(&key)?))
}

/// Deletes keys. They stay in the archive.
#[utoipa::path(post, path = "/key/delete", operation_id = "key_delete", tag = "keys", request_body = Gone,
    responses((status = 200, description = "They are gone"), (status = 404, description = "None of them is there")))]
pub(crate) async fn delete(operator: Operator, Sent(asked): Sent<Gone>) -> Answer {
    let mut edit = operator.begin().await?;
    let (keys, aliases) = (asked.keys.unwrap_or_default(), asked.key_aliases.unwrap_or_default());
    if keys.is_empty() && aliases.is_empty() {
        return Err(bad("keys", "keys: Field required (or key_aliases)"));
    }
    let mut deleted: Vec<Value> = Vec::new();
    let named =
        keys.iter().map(|key| (Some(key), None)).chain(aliases.iter().map(|alias| (None, Some(alias))));
    for (key, alias) in named {
        let text = key.or(alias).cloned().unwrap_or_default();
        let found = find::one(
            &operator,
            &mut edit,
            ("POST", "/key/delete"),
            key.map(String::as_str),
            alias.map(String::as_str),
        );
        let found = found.await?;
        edit.remove::<KeyFields>(&found.id).await?;
        deleted.push(text.into());
    }
    operator.finish(edit).await?;
    Ok(Json(json!({ "deleted_keys": deleted })))
}

/// Sets what a key has spent to less.
#[utoipa::path(post, path = "/key/{key}/reset_spend", operation_id = "key_reset_spend", tag = "keys",
    params(("key" = String, Path, description = "The key, by its text or hash")), request_body = Reset,
    responses((status = 200, description = "What it had spent and has now"), (status = 404, description = "No such key")))]
pub(crate) async fn reset_spend(
    operator: Operator,
    Path(key): Path<String>,
    Sent(reset): Sent<Reset>,
) -> Answer {
    let mut edit = operator.begin().await?;
    let path = format!("/key/{key}/reset_spend");
    let key = find::one(&operator, &mut edit, ("POST", &path), Some(&key), None).await?;
    let before = list::spend_of(&operator, &key);
    let to = Cost::from_json(&json!(reset.reset_to))
        .map_err(|error| bad("reset_to", format!("reset_to {error}")))?;
    if to > before {
        return Err(bad("reset_to", format!("reset_to must be at most the current spend ({before})")));
    }
    edit.tx.set_spend(Kind::Key, &key.id, to, key.budget_reset_at, edit.now).await?;
    operator.finish(edit).await?;
    if let Some(books) = operator.gateway.live.books()
        && let Some(account) = books.directory.account_of(Some(Kind::Key), &key.id)
    {
        account.restore(0, to, key.budget_reset_at.and_then(|at| u64::try_from(at).ok()));
    }
    Ok(Json(json!({
        "key_hash": key.id, "spend": to.as_f64(), "previous_spend": before.as_f64(),
        "max_budget": key.fields.limits.max_budget, "budget_reset_at": shown::time(key.budget_reset_at),
    })))
}

/// Aliases of keys that the operator may see.
pub(super) fn aliases_filter<'a>(
    operator: &'a Operator,
    search: Option<&'a str>,
    team: Option<&'a str>,
) -> Filter<'a> {
    Filter { search, team_id: team, user_id: list::own_only(operator), ..Filter::default() }
}
