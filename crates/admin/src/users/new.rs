//! Making a user, with their places in teams and organizations, and a first key.

use axum::Json;
use gateway::refusal::Refusal;
use policy::period::Period;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::Value;
use store::entity::{BudgetFields, KeyFields, Object, OrganizationFields, Record, TeamFields, UserFields};
use uuid::Uuid;

use super::person::{Person, by_address, settle_address};
use super::{check_password, check_role, shown};
use crate::access::{Refused, Sent};
use crate::keys::mint::mint;
use crate::operator::{Answer, Edit, Operator, bad, forbidden, missing};
use crate::organizations::members::join;
use crate::teams::seats::{NewMember, member_terms, seat};
use crate::{edit, shown as rows, terms};

/// Fields of the request that are the key's as well as the user's, or the key's alone.
const OF_KEY: [&str; 9] = [
    "key_alias",
    "models",
    "aliases",
    "config",
    "permissions",
    "allowed_cache_controls",
    "allowed_routes",
    "key_type",
    "metadata",
];

/// A team that the user is to be in.
#[derive(Deserialize)]
#[serde(untagged)]
enum Place {
    Named(String),
    Described { team_id: String, max_budget_in_team: Option<Value>, user_role: Option<String> },
}

/// Makes a user, and a key for them unless `auto_create_key` is false. The key's text is shown here and never again.
#[utoipa::path(post, path = "/user/new", operation_id = "user_new", tag = "users", request_body = Object,
    responses((status = 200, description = "The user and the key"), (status = 409, description = "There is such a user")))]
pub(crate) async fn user_new(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    let request = Request::read(&mut sent)?;
    check_password(&sent)?;
    terms::settle(&mut sent, &Object::new())?;
    settle_address(&mut sent);
    let (expires, key_fields) = key_fields(&mut sent)?;
    let mut fields: UserFields = edit::overlay(&UserFields::default(), &sent)?;
    fields.teams.clear();
    check_role(&operator, fields.user_role.get_or_insert_with(|| "internal_user".to_owned()))?;
    terms::check(&fields.limits)?;
    let mut edit = operator.begin().await?;
    judge(&operator, &mut edit, &request, &mut fields).await?;
    if !operator.is_admin() {
        plain(&fields, &key_fields)?;
    }
    unknown(&mut edit, &request.id, fields.user_email.as_deref()).await?;
    let mut user = edit.record(request.id, fields);
    user.budget_reset_at = terms::reset_at(&operator.gateway, &user.fields.limits, edit.now)?;
    edit.add(&user).await?;
    for organization in &request.organizations {
        join(&mut edit, organization, &user.id, "internal_user", &Object::new()).await?;
    }
    place(&operator, &mut edit, &user.id, request.places).await?;
    user = edit.get(&user.id).await?.unwrap_or(user);
    let key = if request.makes_key {
        let fields = KeyFields {
            user_id: Some(user.id.clone()),
            organization_id: user.fields.organization_id.clone(),
            expires: expires.map(|period| later(edit.now, period)),
            ..key_fields
        };
        Some(mint(&mut edit, fields).await?)
    } else {
        None
    };
    operator.finish(edit).await?;
    Ok(Json(answer(&user, key)?))
}

/// What is not kept in the user's row.
struct Request {
    id: String,
    makes_key: bool,
    places: Vec<Place>,
    organizations: Vec<String>,
}

impl Request {
    fn read(sent: &mut Object) -> Result<Self, Refused> {
        let id = match sent.remove("user_id") {
            None | Some(Value::Null) => Uuid::now_v7().to_string(),
            Some(Value::String(id)) => {
                terms::check_name("user_id", &id)?;
                id
            }
            Some(_) => return Err(bad("user_id", "user_id: must be a text")),
        };
        let makes_key = sent.remove("auto_create_key").is_none_or(|value| value != Value::Bool(false));
        let places = list(sent, "teams")?;
        let mut organizations: Vec<String> = list(sent, "organizations")?;
        if let Some(Value::String(one)) = sent.get("organization_id")
            && !organizations.contains(one)
        {
            organizations.push(one.clone());
        }
        Ok(Self { id, makes_key, places, organizations })
    }
}

fn list<T: serde::de::DeserializeOwned>(sent: &mut Object, name: &str) -> Result<Vec<T>, Refused> {
    match sent.remove(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => serde_json::from_value(value).map_err(|error| bad(name, format!("{name}: {error}"))),
    }
}

fn key_fields(sent: &mut Object) -> Result<(Option<Period>, KeyFields), Refused> {
    let expires = match sent.remove("duration") {
        Some(Value::String(text)) if text != "-1" => Some(
            Period::parse(&text).map_err(|error| bad("duration", format!("duration: {text:?} {error}")))?,
        ),
        None | Some(Value::Null | Value::String(_)) => None,
        Some(_) => return Err(bad("duration", "duration: must be a text such as 30d")),
    };
    let named = OF_KEY.iter().filter_map(|name| Some(((*name).to_owned(), sent.get(*name)?.clone())));
    Ok((expires, edit::overlay(&KeyFields::default(), &named.collect())?))
}

fn later(now_ms: i64, period: Period) -> i64 {
    i64::try_from(period.after(now_ms.unsigned_abs())).unwrap_or(i64::MAX)
}

/// Proxy admins make anybody; admins of organizations make users of these, with no more than these have.
async fn judge(
    operator: &Operator,
    edit: &mut Edit,
    request: &Request,
    fields: &mut UserFields,
) -> Result<(), Refused> {
    if request.organizations.is_empty() {
        operator.must("POST", "/user/new", &About::default())?;
    }
    for id in &request.organizations {
        let about = About { organization: Some(id), ..About::default() };
        operator.must("POST", "/user/new", &about)?;
        let Some(organization) = edit.get::<OrganizationFields>(id).await? else {
            return Err(missing("organizations", format!("Organization not found for organization_id={id}")));
        };
        fields.organization_id.get_or_insert_with(|| id.clone());
        if operator.is_admin() {
            continue;
        }
        let shared = match &organization.fields.budget_id {
            Some(budget) => edit.get::<BudgetFields>(budget).await?,
            None => None,
        };
        let limits = rows::in_force(&organization.fields.limits, shared.as_ref())?;
        let most = terms::grant(&organization.fields.models, &limits);
        terms::fill(&mut fields.models, &mut fields.limits, &most);
        terms::bounded(&terms::grant(&fields.models, &fields.limits), &most, &format!("organization {id}"))?;
        // A shorter period would make more of the same budget.
        if limits.max_budget.is_some() {
            fields.limits.budget_duration = limits.budget_duration;
        }
    }
    Ok(())
}

/// Goes on only with what others than proxy admins may give.
fn plain(user: &UserFields, key: &KeyFields) -> Result<(), Refused> {
    let given = [
        ("permissions", !key.permissions.is_empty()),
        ("object_permission", !user.object_permission.is_empty()),
        ("temp_budget_increase", user.limits.temp_budget_increase.is_some()),
    ];
    let given = given.into_iter().find(|(_, given)| *given).map(|(name, _)| name);
    match given.or_else(|| terms::loosened(&Object::new(), &user.metadata)) {
        None => Ok(()),
        Some(name) => Err(forbidden(name, format!("{name}: only proxy admins can give it"))),
    }
}

/// Goes on only if nobody has this id or this address.
async fn unknown(edit: &mut Edit, id: &str, email: Option<&str>) -> Result<(), Refused> {
    let taken = |field: &str, what: String| -> Refused {
        Refusal::new(409, format!("User with {what} already exists"))
            .with_kind("bad_request_error")
            .with_param(field)
            .into()
    };
    if edit.get::<UserFields>(id).await?.is_some() {
        return Err(taken("user_id", format!("id {id}")));
    }
    match email {
        Some(email) if by_address(edit, email).await?.is_some() => {
            Err(taken("user_email", format!("email {email}")))
        }
        _ => Ok(()),
    }
}

/// Puts the new user into teams.
async fn place(operator: &Operator, edit: &mut Edit, user: &str, places: Vec<Place>) -> Result<(), Refused> {
    for place in places {
        let (team_id, budget, role) = match place {
            Place::Named(team_id) => (team_id, None, None),
            Place::Described { team_id, max_budget_in_team, user_role } => {
                (team_id, max_budget_in_team, user_role)
            }
        };
        let found = edit.get::<TeamFields>(&team_id).await?;
        let organization = found.as_ref().and_then(|team| team.fields.organization_id.as_deref());
        let about = About { team: Some(&team_id), organization, ..About::default() };
        operator.must("POST", "/team/member_add", &about)?;
        let Some(mut team) = found else {
            return Err(missing("teams", format!("Team not found, passed team_id={team_id}")));
        };
        let sent: Object =
            budget.map(|budget| ("max_budget_in_team".to_owned(), budget)).into_iter().collect();
        let own = member_terms(&sent, &team)?;
        let person = Person { user_id: Some(user.to_owned()), user_email: None };
        let member = NewMember { person, role: role.unwrap_or_else(|| "user".to_owned()) };
        let before = team.fields.clone();
        seat(edit, &mut team, &member, &own).await?;
        edit.change("updated", &before, &mut team).await?;
    }
    Ok(())
}

fn answer(user: &Record<UserFields>, key: Option<(String, Record<KeyFields>)>) -> Result<Value, Refused> {
    let mut answer = Object::new();
    answer.insert("key".to_owned(), Value::Null);
    if let Some((text, key)) = key {
        if let Value::Object(row) = rows::key(&key)? {
            answer.extend(row);
        }
        answer.insert("key".to_owned(), text.into());
        answer.insert("token".to_owned(), key.id.clone().into());
        answer.insert("token_id".to_owned(), key.id.into());
    }
    answer.extend(shown(user)?);
    Ok(Value::Object(answer))
}
