//! Keys shown: one, several, and lists.

use axum::Json;
use gateway::directory::AccountKind;
use gateway::hash::key_id;
use policy::money::Cost;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{BudgetFields, Filter, KeyFields, Kind, Object, Order, Page, Record};
use utoipa::{IntoParams, ToSchema};

use super::{find, state};
use crate::access::{Refused, Sent};
use crate::operator::{Answer, Asked, Operator, bad, forbidden, now_ms};
use crate::shown;

/// The most rows of a page.
const MOST: u64 = 100;

/// Which key; the caller's own where none is named.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Its text or hash.
    key: Option<String>,
}

/// One key.
#[utoipa::path(get, path = "/key/info", operation_id = "key_info", tag = "keys", params(Which),
    responses((status = 200, description = "The key"), (status = 404, description = "No such key")))]
pub(crate) async fn info(operator: Operator, Asked(which): Asked<Which>) -> Answer {
    let own = operator.who.0.key.clone();
    let named = which.key.or(own).ok_or_else(|| bad("key", "key: Field required"))?;
    let mut edit = operator.begin().await?;
    let key = find::one(&operator, &mut edit, ("GET", "/key/info"), Some(&named), None).await?;
    Ok(Json(json!({"key": named, "info": detailed(&operator, &key).await?})))
}

/// Several keys, by text or hash.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Several {
    keys: Vec<String>,
}

/// Several keys.
#[utoipa::path(post, path = "/v2/key/info", operation_id = "key_info_v2", tag = "keys", request_body = Several,
    responses((status = 200, description = "The keys that are there")))]
pub(crate) async fn info_v2(operator: Operator, Sent(several): Sent<Several>) -> Answer {
    operator.must("POST", "/v2/key/info", &policy::roles::Object::default())?;
    let mut rows = Vec::new();
    for key in several.keys.iter().take(MOST as usize) {
        if let Some(key) = operator.db.get::<KeyFields>(&key_id(key)).await? {
            rows.push(detailed(&operator, &key).await?);
        }
    }
    Ok(Json(json!({"key": several.keys, "info": rows})))
}

/// A key with all there is to say of it; its hash is not shown again.
async fn detailed(operator: &Operator, key: &Record<KeyFields>) -> Result<Value, Refused> {
    let mut row = shown::key(key)?;
    let shared = match &key.fields.budget_id {
        Some(id) => operator.db.get::<BudgetFields>(id).await?,
        None => None,
    };
    let table = shown::budget_table(
        key.fields.budget_id.as_deref(),
        &key.fields.limits,
        shared.as_ref(),
        key.budget_reset_at,
    )?;
    if let Value::Object(row) = &mut row {
        drop(row.remove("token"));
        row.insert("spend".to_owned(), spend_of(operator, key).as_f64().into());
        row.insert("status".to_owned(), status(key, now_ms()).into());
        row.insert("litellm_budget_table".to_owned(), table);
        if let Some(usage) = window_usage(operator, key) {
            row.insert("budget_limits_usage".to_owned(), usage);
        }
        if let Some(usage) = model_usage(operator, key) {
            row.insert("model_max_budget_usage".to_owned(), usage);
        }
    }
    Ok(row)
}

/// What a key has spent in its running period, to the last call.
pub(super) fn spend_of(operator: &Operator, key: &Record<KeyFields>) -> Cost {
    let books = operator.gateway.live.books();
    let account = books.and_then(|books| books.directory.account_of(Some(Kind::Key), &key.id));
    account.map_or(key.spend, |account| account.spent(0, now_ms().unsigned_abs()).0)
}

fn window_usage(operator: &Operator, key: &Record<KeyFields>) -> Option<Value> {
    let account = operator.gateway.live.books()?.directory.account_of(Some(Kind::Key), &key.id)?;
    let now = now_ms().unsigned_abs();
    let rows: Vec<Value> = (account.terms.budgets.iter().enumerate().skip(1))
        .map(|(index, budget)| {
            let (spent, resets_at) = account.spent(index, now);
            json!({
                "budget_duration": budget.period.map(|period| period.to_string()),
                "max_budget": budget.limit, "spend": spent.as_f64(),
                "reset_at": shown::time(resets_at.and_then(|at| i64::try_from(at).ok())),
            })
        })
        .collect();
    (!rows.is_empty()).then(|| rows.into())
}

fn model_usage(operator: &Operator, key: &Record<KeyFields>) -> Option<Value> {
    let books = operator.gateway.live.books()?;
    let now = now_ms().unsigned_abs();
    let mut usage = Object::new();
    for model in key.fields.limits.model_max_budget.keys() {
        let name = format!("{}:{}:{model}", AccountKind::KeyModel.word(), key.id);
        let account = books.directory.account_of(None, &name)?;
        let (spent, resets_at) = account.spent(0, now);
        let limit = account.terms.budgets.first().and_then(|budget| budget.limit);
        usage.insert(
            model.clone(),
            json!({
                "spend": spent.as_f64(), "max_budget": limit,
                "reset_at": shown::time(resets_at.and_then(|at| i64::try_from(at).ok())),
            }),
        );
    }
    (!usage.is_empty()).then_some(Value::Object(usage))
}

fn status(key: &Record<KeyFields>, now: i64) -> &'static str {
    match key.fields.expires {
        _ if key.fields.blocked => "revoked",
        Some(expires) if expires <= now => "expired",
        Some(_) | None => "active",
    }
}

/// Which keys, and how they are shown.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listed {
    /// From 1.
    page: Option<u64>,
    /// Rows a page, at most 100.
    size: Option<u64>,
    /// Of this user.
    user_id: Option<String>,
    /// Of this team.
    team_id: Option<String>,
    /// Of this organization.
    organization_id: Option<String>,
    /// With this hash.
    key_hash: Option<String>,
    /// With this alias.
    key_alias: Option<String>,
    /// Whose hash or alias holds this.
    search: Option<String>,
    /// Whether the alias need only hold `key_alias`.
    substring_matching: Option<bool>,
    /// Whole rows instead of hashes.
    return_full_object: Option<bool>,
    /// Also keys of the teams that the caller manages.
    include_team_keys: Option<bool>,
    /// Also keys that the caller made.
    include_created_by_keys: Option<bool>,
    /// `created_at`, `updated_at`, `spend`, `key_alias`, `expires` or `token`.
    sort_by: Option<String>,
    /// `asc` or `desc`.
    sort_order: Option<String>,
    /// `active`, `expired`, `revoked` or `deleted`.
    status: Option<String>,
}

/// Keys that the caller may see, a page at a time.
#[utoipa::path(get, path = "/key/list", operation_id = "key_list", tag = "keys", params(Listed),
    responses((status = 200, description = "A page of keys")))]
pub(crate) async fn list(operator: Operator, Asked(asked): Asked<Listed>) -> Answer {
    let page = page(&asked)?;
    let scope = scope(&operator, &asked)?;
    let full = asked.return_full_object.unwrap_or(false);
    if asked.status.as_deref() == Some("deleted") {
        if !operator.sees_all() {
            operator.must("GET", "/key/list", &policy::roles::Object::default())?;
        }
        let (rows, total) = operator.db.deleted::<KeyFields>(page.number, page.size).await?;
        let records: Vec<Record<KeyFields>> = rows.into_iter().map(|row| row.record).collect();
        return listed(&operator, &records, total, page, full);
    }
    let (blocked, expired) = match asked.status.as_deref() {
        None => (None, None),
        Some("active") => (Some(false), Some((now_ms(), false))),
        Some("expired") => (None, Some((now_ms(), true))),
        Some("revoked") => (Some(true), None),
        Some(_) => return Err(bad("status", "status: must be active, expired, revoked or deleted")),
    };
    let user = match &scope {
        Scope::Asked | Scope::Teams(_) => asked.user_id.as_deref(),
        Scope::Own => own_only(&operator),
    };
    let teams = match &scope {
        Scope::Teams(teams) => Some(teams.as_slice()),
        Scope::Asked | Scope::Own => None,
    };
    let by = asked.include_created_by_keys.unwrap_or(false);
    let alike = asked.substring_matching.unwrap_or(false);
    let filter = Filter {
        id: asked.key_hash.as_deref(),
        alias: asked.key_alias.as_deref().filter(|_| !alike),
        search: asked.search.as_deref().or(asked.key_alias.as_deref().filter(|_| alike)),
        user_id: user.filter(|_| !by),
        of_or_by: user.filter(|_| by),
        team_id: asked.team_id.as_deref(),
        organization_id: asked.organization_id.as_deref(),
        any_team: teams,
        blocked,
        expired,
        ..Filter::default()
    };
    let (records, total) = operator.db.page::<KeyFields>(&filter, page).await?;
    listed(&operator, &records, total, page, full)
}

/// Whoever does not see everything sees their own.
pub(super) fn own_only(operator: &Operator) -> Option<&str> {
    if operator.sees_all() { None } else { Some(operator.user().unwrap_or_default()) }
}

/// Whose keys may be listed.
enum Scope {
    /// Those that are asked for.
    Asked,
    /// Those of these teams.
    Teams(Vec<String>),
    /// Their own.
    Own,
}

/// Whoever does not see everything sees their own, those of teams that they manage, and of organizations.
fn scope(operator: &Operator, asked: &Listed) -> Result<Scope, Refused> {
    if operator.sees_all() {
        return Ok(Scope::Asked);
    }
    let identity = &operator.who.0;
    let foreign = |field: &str| Err(forbidden(field, format!("{field}: these keys are not yours to list")));
    if asked.user_id.as_deref().is_some_and(|user| Some(user) != operator.user()) {
        return foreign("user_id");
    }
    let manages = |team: &String| identity.teams.iter().any(|seat| seat.team == *team && seat.admin);
    if let Some(team) = &asked.team_id {
        return if manages(team) { Ok(Scope::Teams(vec![team.clone()])) } else { foreign("team_id") };
    }
    if let Some(organization) = &asked.organization_id {
        let admin = identity.organizations.iter().any(|(id, admin)| id == organization && *admin);
        return if admin { Ok(Scope::Asked) } else { foreign("organization_id") };
    }
    if asked.include_team_keys.unwrap_or(false) {
        let teams = identity.teams.iter().filter(|seat| seat.admin).map(|seat| seat.team.clone());
        return Ok(Scope::Teams(teams.collect()));
    }
    Ok(Scope::Own)
}

fn page(asked: &Listed) -> Result<Page, Refused> {
    let (number, size) = (asked.page.unwrap_or(1), asked.size.unwrap_or(10));
    if number == 0 || size == 0 || size > MOST {
        return Err(bad("size", format!("page: at least 1; size: 1 to {MOST}")));
    }
    let order = match asked.sort_by.as_deref() {
        None | Some("created_at") => Order::CreatedAt,
        Some("updated_at") => Order::UpdatedAt,
        Some("spend") => Order::Spend,
        Some("key_alias") => Order::Alias,
        Some("expires") => Order::ExpiresAt,
        Some("token") => Order::Id,
        Some(other) => return Err(bad("sort_by", format!("Invalid sort_by field: {other}"))),
    };
    let descending = match asked.sort_order.as_deref() {
        None | Some("desc") => true,
        Some("asc") => false,
        Some(_) => return Err(bad("sort_order", "sort_order: must be asc or desc")),
    };
    Ok(Page { number, size, order, descending })
}

fn listed(operator: &Operator, records: &[Record<KeyFields>], total: u64, page: Page, full: bool) -> Answer {
    let mut rows = Vec::with_capacity(records.len());
    for key in records {
        rows.push(match full {
            true => {
                let mut row = shown::key(key)?;
                row["spend"] = spend_of(operator, key).as_f64().into();
                row["status"] = status(key, now_ms()).into();
                row
            }
            false => Value::from(key.id.clone()),
        });
    }
    Ok(Json(json!({
        "keys": rows, "total_count": total, "current_page": page.number,
        "total_pages": total.div_ceil(page.size),
    })))
}

/// Which aliases.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Aliases {
    /// From 1.
    page: Option<u64>,
    /// Rows a page, at most 100.
    size: Option<u64>,
    /// Which hold this.
    search: Option<String>,
    /// Of this team.
    team_id: Option<String>,
}

/// The aliases of keys that the caller may see.
#[utoipa::path(get, path = "/key/aliases", operation_id = "key_aliases", tag = "keys", params(Aliases),
    responses((status = 200, description = "A page of aliases")))]
pub(crate) async fn aliases(operator: Operator, Asked(asked): Asked<Aliases>) -> Answer {
    let (number, size) = (asked.page.unwrap_or(1).max(1), asked.size.unwrap_or(50).clamp(1, MOST));
    let filter = state::aliases_filter(&operator, asked.search.as_deref(), asked.team_id.as_deref());
    let page = Page { number, size, order: Order::Alias, descending: false };
    let (records, total) = operator.db.page::<KeyFields>(&filter, page).await?;
    let names: Vec<&str> = records.iter().filter_map(|key| key.fields.key_alias.as_deref()).collect();
    Ok(Json(json!({
        "aliases": names, "total_count": total, "current_page": number, "total_pages": total.div_ceil(size),
        "size": size,
    })))
}
