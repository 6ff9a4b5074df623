//! Making keys.

use axum::Json;
use policy::period::Period;
use serde_json::{Value, json};
use store::entity::{Filter, KeyFields, Object, Record, TeamFields};

use super::{bounds, find, mint};
use crate::access::{Refused, Sent};
use crate::operator::{Answer, Edit, Operator, bad, forbidden};
use crate::{edit, shown, terms};

/// Makes a key. Its text is in the answer, and nowhere else ever again.
#[utoipa::path(post, path = "/key/generate", operation_id = "key_generate", tag = "keys", request_body = Object,
    responses((status = 200, description = "The key"), (status = 400, description = "It cannot be made so"),
        (status = 403, description = "More than the caller may grant")))]
pub(crate) async fn generate(operator: Operator, Sent(sent): Sent<Object>) -> Answer {
    make(&operator, "/key/generate", sent).await
}

/// Makes a key of a team that is nobody's.
#[utoipa::path(post, path = "/key/service-account/generate", operation_id = "key_service_account", tag = "keys",
    request_body = Object, responses((status = 200, description = "The key"), (status = 400, description = "No team")))]
pub(crate) async fn service_account(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    if sent.get("team_id").is_none_or(Value::is_null) {
        return Err(bad(
            "team_id",
            "team_id is required for service account keys. Please specify `team_id`.",
        ));
    }
    sent.insert("user_id".to_owned(), Value::Null);
    let alias = sent.get("key_alias").cloned().unwrap_or_else(|| "service-account".into());
    match sent.entry("metadata").or_insert_with(|| json!({})) {
        Value::Object(metadata) => drop(metadata.entry("service_account_id").or_insert(alias)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(bad("metadata", "metadata: must be an object"));
        }
    }
    make(&operator, "/key/service-account/generate", sent).await
}

async fn make(operator: &Operator, path: &str, mut sent: Object) -> Answer {
    bounds::check_sender(operator, &sent)?;
    bounds::check_upperbounds(operator, &sent, true)?;
    bounds::fill(operator, &mut sent);
    let mut edit = operator.begin().await?;
    let custom = take_text(&mut sent, "key")?;
    let spend = sent.remove("spend").filter(|spend| !spend.is_null());
    let asked = sent.clone();
    let mut fields = read(&KeyFields::default(), &mut sent, edit.now)?;
    if fields.user_id.is_none() && fields.team_id.is_none() && !operator.is_admin() {
        fields.user_id = operator.user().map(str::to_owned);
    }
    let team = belong(operator, &mut edit, path, &mut fields).await?;
    bounds::check_grant(operator, &mut fields, team.as_ref())?;
    bounds::check_switches(operator, &fields)?;
    bounds::check_guaranteed(&mut edit, None, &fields, team.as_ref()).await?;
    check_alias(&mut edit, None, &fields).await?;
    let text = match custom {
        Some(text) => {
            mint::check("key", &text, !operator.gateway.live.snapshot().general.custom_keys_disabled)?;
            text
        }
        None => mint::random()?,
    };
    let reset_at = terms::reset_at(&operator.gateway, &fields.limits, edit.now)?;
    let mut key = mint::add(&mut edit, &text, fields).await?;
    key.budget_reset_at = reset_at;
    if let Some(spend) = &spend {
        key.spend =
            policy::money::Cost::from_json(spend).map_err(|error| bad("spend", format!("spend {error}")))?;
    }
    edit.tx.set_spend(store::entity::Kind::Key, &key.id, key.spend, reset_at, edit.now).await?;
    operator.finish(edit).await?;
    Ok(Json(answer(&text, &key, &asked)?))
}

/// What the maker of a key is shown: what they asked for, the row, and the text.
pub(super) fn answer(text: &str, key: &Record<KeyFields>, asked: &Object) -> Result<Value, Refused> {
    let mut shown = asked.clone();
    if let Value::Object(row) = shown::key(key)? {
        shown.extend(row);
    }
    shown.insert("key".to_owned(), text.into());
    shown.insert("token_id".to_owned(), key.id.clone().into());
    shown.insert("litellm_budget_table".to_owned(), Value::Null);
    Ok(Value::Object(shown))
}

/// Fields of a key as they are sent over those it has.
pub(super) fn read(current: &KeyFields, sent: &mut Object, now: i64) -> Result<KeyFields, Refused> {
    if let Some(duration) = sent.remove("duration") {
        let expires = match &duration {
            Value::Null => None,
            Value::String(text) if text == "-1" => None,
            Value::String(text) => {
                let period = Period::parse(text)
                    .map_err(|error| bad("duration", format!("duration: {text:?} {error}")))?;
                i64::try_from(period.after(now.unsigned_abs())).ok()
            }
            _ => return Err(bad("duration", "duration: must be a text such as 30d")),
        };
        sent.insert("expires".to_owned(), expires.into());
    } else if let Some(Value::String(text)) = sent.get("expires") {
        let expires = terms::instant("expires", text)?;
        sent.insert("expires".to_owned(), expires.into());
    }
    if let Some(kind) = sent.get("key_type").and_then(Value::as_str) {
        let routes: &[&str] = match kind {
            "llm_api" => &["llm_api_routes"],
            "management" => &["management_routes"],
            "read_only" => &["info_routes"],
            "default" => &[],
            _ => return Err(bad("key_type", "key_type: must be llm_api, management, read_only or default")),
        };
        let given = sent.get("allowed_routes").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        if !routes.is_empty() && !given {
            sent.insert("allowed_routes".to_owned(), routes.to_vec().into());
        }
    }
    terms::settle(sent, &current.metadata)?;
    let fields: KeyFields = edit::overlay(current, sent)?;
    terms::check(&fields.limits)?;
    for (field, id) in
        [("key_alias", &fields.key_alias), ("user_id", &fields.user_id), ("team_id", &fields.team_id)]
    {
        if let Some(id) = id {
            terms::check_name(field, id)?;
        }
    }
    if let Some(route) = fields.allowed_routes.iter().find(|route| !policy::roles::RouteList::is_known(route))
    {
        return Err(bad(
            "allowed_routes",
            format!("allowed_routes: {route:?} is neither a route nor a group of routes"),
        ));
    }
    if let Some(network) =
        fields.allowed_ips.iter().find(|text| gateway::directory::Network::parse(text).is_none())
    {
        return Err(bad(
            "allowed_ips",
            format!("allowed_ips: {network:?} is neither an address nor a network"),
        ));
    }
    if let Some(interval) = &fields.rotation_interval {
        Period::parse(interval)
            .map_err(|error| bad("rotation_interval", format!("rotation_interval: {interval:?} {error}")))?;
    }
    Ok(fields)
}

/// Whose a key is to be: the team must be there, the user in it, and both within what the maker may do.
pub(super) async fn belong(
    operator: &Operator,
    edit: &mut Edit,
    path: &str,
    fields: &mut KeyFields,
) -> Result<Option<Record<TeamFields>>, Refused> {
    let team = match &fields.team_id {
        Some(id) => Some(find::team(edit, id).await?),
        None => None,
    };
    if let Some(team) = &team {
        fields.organization_id =
            fields.organization_id.take().or_else(|| team.fields.organization_id.clone());
        let people = &team.fields.members_with_roles;
        let is_in = |user: &str| people.iter().any(|person| person.user_id.as_deref() == Some(user));
        if let Some(user) = fields.user_id.as_deref().filter(|user| !is_in(user) && !operator.is_admin()) {
            return Err(bad("user_id", format!("User={user} not assigned to team={}", team.id)));
        }
    }
    let about = find::about(None, fields);
    if !operator.who.0.may("POST", path, &about) {
        if fields.user_id.as_deref().is_some_and(|user| Some(user) != operator.user())
            && fields.team_id.is_none()
        {
            return Err(forbidden("user_id", "User can only create keys for themselves."));
        }
        operator.must("POST", path, &about)?;
    }
    Ok(team)
}

/// No two keys have the same alias.
pub(super) async fn check_alias(
    edit: &mut Edit,
    id: Option<&str>,
    fields: &KeyFields,
) -> Result<(), Refused> {
    let Some(alias) = &fields.key_alias else { return Ok(()) };
    let same = edit.find::<KeyFields>(&Filter { alias: Some(alias), ..Filter::default() }).await?;
    if same.iter().any(|key| Some(key.id.as_str()) != id) {
        return Err(bad(
            "key_alias",
            format!(
                "Key with alias '{alias}' already exists. Unique key aliases across all keys are required."
            ),
        ));
    }
    Ok(())
}

/// A text among what was sent.
pub(super) fn take_text(sent: &mut Object, name: &str) -> Result<Option<String>, Refused> {
    match sent.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(name, format!("{name}: must be a text"))),
    }
}
