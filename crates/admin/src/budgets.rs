//! Budgets: limits that several share by name. Each of them still has its own spend.

use axum::Json;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::{Value, json};
use store::db::Db;
use store::entity::{
    BudgetFields, CustomerFields, Filter, KeyFields, Limits, Object, OrganizationFields,
    OrganizationMemberFields, ProjectFields, Record, TagFields, TeamMemberFields,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::access::{Refused, Sent};
use crate::operator::{Answer, Asked, Edit, Operator, bad, missing};
use crate::part::Part;
use crate::{edit, shown, terms};

/// The fields that a form shows, with their types and what they mean.
const FIELDS: [(&str, &str, &str); 8] = [
    ("max_budget", "Float", "USD for a budget period."),
    ("soft_budget", "Float", "USD after which somebody is told."),
    ("max_parallel_requests", "Integer", "Calls in flight."),
    ("tpm_limit", "Integer", "Tokens a minute."),
    ("rpm_limit", "Integer", "Requests a minute."),
    ("tpd_limit", "Integer", "Tokens of batches a day."),
    ("budget_duration", "String", "How long a budget period is, such as 30d."),
    ("model_max_budget", "Object", "Budgets of single models."),
];

/// Budgets, by id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = BudgetIds)]
pub(crate) struct Many {
    budgets: Vec<String>,
}

/// A budget, by id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = BudgetId)]
pub(crate) struct Gone {
    id: String,
}

/// A budget, by id.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct One {
    budget_id: String,
}

/// When the budget period of a row that begins now ends, its own limits over those of its shared budget.
///
/// # Errors
/// 400 for a budget that is not there.
pub(crate) async fn reset_at(
    operator: &Operator,
    edit: &mut Edit,
    own: &Limits,
    budget_id: &Option<String>,
) -> Result<Option<i64>, Refused> {
    let shared = match budget_id {
        Some(id) => match edit.get::<BudgetFields>(id).await? {
            Some(budget) => Some(budget),
            None => return Err(bad("budget_id", format!("Budget not found, passed budget_id={id}"))),
        },
        None => None,
    };
    terms::reset_at(&operator.gateway, &shown::in_force(own, shared.as_ref())?, edit.now)
}

/// LiteLLM's `litellm_budget_table` of a row.
pub(crate) async fn table(
    db: &Db,
    own: &Limits,
    budget_id: Option<&String>,
    reset_at: Option<i64>,
) -> Result<Value, Refused> {
    let shared = match budget_id {
        Some(id) => db.get::<BudgetFields>(id).await?,
        None => None,
    };
    shown::budget_table(budget_id.map(String::as_str), own, shared.as_ref(), reset_at)
}

/// Makes a budget.
#[utoipa::path(post, path = "/budget/new", operation_id = "budget_new", tag = "budgets", request_body = Object,
    responses((status = 200, description = "The budget"), (status = 400, description = "A field is not valid, or there is such a budget")))]
pub(crate) async fn budget_new(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    operator.must("POST", "/budget/new", &About::default())?;
    let id = match sent.remove("budget_id") {
        Some(Value::String(id)) => id,
        None | Some(Value::Null) => Uuid::now_v7().to_string(),
        Some(_) => return Err(bad("budget_id", "budget_id: must be a text")),
    };
    terms::check_name("budget_id", &id)?;
    let asked = asked_reset(&mut sent)?;
    terms::settle(&mut sent, &Object::new())?;
    let fields: BudgetFields = edit::overlay(&BudgetFields::default(), &sent)?;
    terms::check(&fields.limits)?;
    let mut edit = operator.begin().await?;
    if edit.get::<BudgetFields>(&id).await?.is_some() {
        return Err(bad("budget_id", format!("Budget with id {id} already exists")));
    }
    let mut budget = edit.record(id, fields);
    let computed = terms::reset_at(&operator.gateway, &budget.fields.limits, edit.now)?;
    budget.budget_reset_at = asked.or(computed);
    edit.add(&budget).await?;
    operator.finish(edit).await?;
    Ok(Json(Value::Object(shown::budget(&budget)?)))
}

fn asked_reset(sent: &mut Object) -> Result<Option<i64>, Refused> {
    match sent.remove("budget_reset_at") {
        Some(Value::String(text)) => terms::instant("budget_reset_at", &text).map(Some),
        _ => Ok(None),
    }
}

/// Changes the fields that are sent; `null` clears one. Whoever is under the budget is under the new one at once.
#[utoipa::path(post, path = "/budget/update", operation_id = "budget_update", tag = "budgets", request_body = Object,
    responses((status = 200, description = "The budget"), (status = 404, description = "No such budget")))]
pub(crate) async fn budget_update(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    operator.must("POST", "/budget/update", &About::default())?;
    let Some(Value::String(id)) = sent.remove("budget_id") else {
        return Err(bad("budget_id", "budget_id is required"));
    };
    let asked = asked_reset(&mut sent)?;
    terms::settle(&mut sent, &Object::new())?;
    let mut edit = operator.begin().await?;
    let Some(mut budget) = edit.get::<BudgetFields>(&id).await? else { return Err(unknown(&id)) };
    let before = budget.fields.clone();
    budget.fields = edit::overlay(&before, &sent)?;
    terms::check(&budget.fields.limits)?;
    if budget.fields.limits.budget_duration != before.limits.budget_duration {
        budget.budget_reset_at = terms::reset_at(&operator.gateway, &budget.fields.limits, edit.now)?;
    }
    budget.budget_reset_at = asked.or(budget.budget_reset_at);
    edit.change("updated", &before, &mut budget).await?;
    operator.finish(edit).await?;
    Ok(Json(Value::Object(shown::budget(&budget)?)))
}

fn unknown(id: &str) -> Refused {
    missing("budget_id", format!("Budget not found, passed budget_id={id}"))
}

/// Budgets by id.
#[utoipa::path(post, path = "/budget/info", operation_id = "budget_info", tag = "budgets", request_body = Many,
    responses((status = 200, description = "The budgets that are there"), (status = 400, description = "None named")))]
pub(crate) async fn budget_info(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    operator.must("POST", "/budget/info", &About::default())?;
    if many.budgets.is_empty() {
        return Err(bad("budgets", "Specify list of budget id's to query. Passed in=[]"));
    }
    let found = Filter { ids: Some(&many.budgets), ..Filter::default() };
    let found = operator.db.find::<BudgetFields>(&found).await?;
    Ok(Json(json!(found.iter().map(shown::budget).collect::<Result<Vec<_>, _>>()?)))
}

/// All budgets, a hundred at a time unless `page_size` says less.
#[utoipa::path(get, path = "/budget/list", operation_id = "budget_list", tag = "budgets", params(Part),
    responses((status = 200, description = "A list of budgets")))]
pub(crate) async fn budget_list(operator: Operator, Asked(part): Asked<Part>) -> Answer {
    operator.must("GET", "/budget/list", &About::default())?;
    let (budgets, _) = operator.db.page::<BudgetFields>(&Filter::default(), part.page(100, true)?).await?;
    Ok(Json(json!(budgets.iter().map(shown::budget).collect::<Result<Vec<_>, _>>()?)))
}

/// The fields of a budget as a form shows them.
#[utoipa::path(get, path = "/budget/settings", operation_id = "budget_settings", tag = "budgets", params(One),
    responses((status = 200, description = "Fields"), (status = 404, description = "No such budget")))]
pub(crate) async fn budget_settings(operator: Operator, Asked(one): Asked<One>) -> Answer {
    operator.must("GET", "/budget/settings", &About::default())?;
    let budget = operator.db.get::<BudgetFields>(&one.budget_id).await?;
    let Some(budget) = budget else { return Err(unknown(&one.budget_id)) };
    let kept = edit::object(&budget.fields)?;
    let field = |(name, kind, text): (&str, &str, &str)| {
        json!({
            "field_name": name, "field_type": kind, "field_description": text, "field_value": kept.get(name),
            "stored_in_db": kept.contains_key(name), "field_default_value": null,
        })
    };
    Ok(Json(json!(FIELDS.map(field))))
}

/// Deletes a budget. Organizations must have left it; for all others its limits end.
#[utoipa::path(post, path = "/budget/delete", operation_id = "budget_delete", tag = "budgets", request_body = Gone,
    responses((status = 200, description = "The budget that was deleted"), (status = 400, description = "Organizations are under it")))]
pub(crate) async fn budget_delete(operator: Operator, Sent(gone): Sent<Gone>) -> Answer {
    operator.must("POST", "/budget/delete", &About::default())?;
    let mut edit = operator.begin().await?;
    let under = Filter { budget_id: Some(&gone.id), ..Filter::default() };
    let organizations: Vec<Record<OrganizationFields>> = edit.find(&under).await?;
    if let Some(organization) = organizations.first() {
        let message = format!("Budget {} is that of organization {} still", gone.id, organization.id);
        return Err(bad("id", message));
    }
    let Some(budget) = edit.remove::<BudgetFields>(&gone.id).await? else { return Err(unknown(&gone.id)) };
    for mut one in edit.find::<KeyFields>(&under).await? {
        one.fields.budget_id = None;
        edit.follow(&mut one).await?;
    }
    for mut one in edit.find::<TeamMemberFields>(&under).await? {
        one.fields.budget_id = None;
        edit.follow(&mut one).await?;
    }
    for mut one in edit.find::<OrganizationMemberFields>(&under).await? {
        one.fields.budget_id = None;
        edit.follow(&mut one).await?;
    }
    for mut one in edit.find::<ProjectFields>(&under).await? {
        one.fields.budget_id = None;
        edit.follow(&mut one).await?;
    }
    for mut one in edit.find::<CustomerFields>(&under).await? {
        one.fields.budget_id = None;
        edit.follow(&mut one).await?;
    }
    for mut one in edit.find::<TagFields>(&under).await? {
        one.fields.budget_id = None;
        edit.follow(&mut one).await?;
    }
    operator.finish(edit).await?;
    Ok(Json(Value::Object(shown::budget(&budget)?)))
}
