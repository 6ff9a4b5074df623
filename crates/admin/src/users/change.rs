//! Changing users, one or many.

use axum::Json;
use serde_json::{Value, json};
use store::entity::{Object, Record, UserFields};

use super::person::{Person, by_address, settle_address};
use super::{check_password, check_role, must, shown};
use crate::access::{Refused, Sent};
use crate::operator::{Answer, Operator, bad, forbidden, missing};
use crate::{edit, terms};

/// What users who are no admins may change of their own.
const OWN: [&str; 2] = ["user_email", "user_alias"];
/// The most users that are changed in one request by name.
const MOST: usize = 500;

/// Changes the fields that are sent of the user with `user_id` or `user_email`; `null` clears one.
#[utoipa::path(post, path = "/user/update", operation_id = "user_update", tag = "users", request_body = Object,
    responses((status = 200, description = "The user"), (status = 404, description = "No such user")))]
pub(crate) async fn user_update(operator: Operator, Sent(sent): Sent<Object>) -> Answer {
    let user = update(&operator, sent).await?;
    Ok(Json(json!({"user_id": user.id, "data": shown(&user)?})))
}

/// Changes many users: `users` is a list of what `/user/update` takes, or `all_users` is true and `user_updates` says
/// what changes. What goes wrong for one does not undo the others.
#[utoipa::path(post, path = "/user/bulk_update", operation_id = "user_bulk_update", tag = "users", request_body = Object,
    responses((status = 200, description = "What became of each"), (status = 400, description = "Nothing to change")))]
pub(crate) async fn user_bulk_update(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    operator.must("POST", "/user/bulk_update", &policy::roles::Object::default())?;
    let wishes = match (sent.remove("users"), sent.remove("user_updates")) {
        (Some(Value::Array(users)), _) if users.len() <= MOST => users,
        (Some(Value::Array(_)), _) => {
            return Err(bad("users", format!("Maximum {MOST} users can be updated at once")));
        }
        (_, Some(Value::Object(updates))) if sent.get("all_users") == Some(&Value::Bool(true)) => {
            everybody(&operator, &updates).await?
        }
        _ => return Err(bad("users", "Must specify either 'users' or 'all_users' with 'user_updates'")),
    };
    let total = wishes.len();
    let (mut results, mut successes) = (Vec::with_capacity(total), 0);
    for wish in wishes {
        let mut result = json!({"user_id": wish["user_id"], "user_email": wish["user_email"]});
        let changed = match wish {
            Value::Object(wish) => update(&operator, wish).await,
            _ => Err(bad("users", "users: must be a list of objects")),
        };
        match changed {
            Ok(user) => {
                successes += 1;
                result["user_id"] = user.id.clone().into();
                result["success"] = true.into();
                result["updated_user"] = Value::Object(shown(&user)?);
            }
            Err(Refused(refusal)) => {
                result["success"] = false.into();
                result["error"] = refusal.message.into();
            }
        }
        results.push(result);
    }
    Ok(Json(json!({
        "results": results, "total_requested": total, "successful_updates": successes,
        "failed_updates": total - successes,
    })))
}

/// The same change for every user there is.
async fn everybody(operator: &Operator, updates: &Object) -> Result<Vec<Value>, Refused> {
    let (mut wishes, mut last) = (Vec::new(), String::new());
    loop {
        let users = operator.db.after::<UserFields>(&last, 500).await?;
        let Some(user) = users.last() else { return Ok(wishes) };
        last.clone_from(&user.id);
        for user in users {
            let mut wish = updates.clone();
            wish.remove("user_email");
            wish.insert("user_id".to_owned(), user.id.into());
            wishes.push(Value::Object(wish));
        }
    }
}

async fn update(operator: &Operator, mut sent: Object) -> Result<Record<UserFields>, Refused> {
    let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    let user_id = text(sent.remove("user_id"));
    // Without an id, the address says who it is; with one, what it is to be.
    let user_email = if user_id.is_none() { text(sent.remove("user_email")) } else { None };
    let person = Person { user_id, user_email };
    let mut edit = operator.begin().await?;
    let found = person.find(&mut edit).await?;
    let id = found.as_ref().map(|user| user.id.clone()).or(person.user_id).unwrap_or_default();
    must(operator, "/user/update", &id, found.as_ref())?;
    let Some(mut user) = found else { return Err(missing("user_id", format!("User {id} not found"))) };
    check_password(&sent)?;
    if !operator.is_admin()
        && let Some((name, _)) = sent.iter().find(|(name, _)| !OWN.contains(&name.as_str()))
    {
        return Err(forbidden(name, format!("{name}: only proxy admins can change it")));
    }
    // Places in teams are changed by routes of their own.
    for name in ["teams", "organizations", "password", "spend"] {
        sent.remove(name);
    }
    terms::settle(&mut sent, &user.fields.metadata)?;
    settle_address(&mut sent);
    let before = user.fields.clone();
    user.fields = edit::overlay(&before, &sent)?;
    terms::check(&user.fields.limits)?;
    if let Some(role) =
        user.fields.user_role.as_deref().filter(|role| before.user_role.as_deref() != Some(*role))
    {
        check_role(operator, role)?;
    }
    if let Some(email) =
        user.fields.user_email.as_ref().filter(|email| before.user_email.as_ref() != Some(*email))
        && by_address(&mut edit, email).await?.is_some()
    {
        return Err(bad("user_email", format!("User with email {email} already exists")));
    }
    if user.fields.limits.budget_duration != before.limits.budget_duration {
        user.budget_reset_at = terms::reset_at(&operator.gateway, &user.fields.limits, edit.now)?;
    }
    edit.change("updated", &before, &mut user).await?;
    operator.finish(edit).await?;
    Ok(user)
}
