//! Organizations: teams and users under one roof, with limits that hold for all of them.

pub(crate) mod members;

use axum::Json;
use axum::extract::Path;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{
    Filter, KeyFields, Object, OrganizationFields, OrganizationMemberFields, Page, Record, TeamFields,
    UserFields,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::access::{Refused, Sent};
use crate::operator::{Answer, Asked, Edit, Operator, bad, missing};
use crate::part::Part;
use crate::shown::{self, Blank, Shape};
use crate::teams::seats::dissolve;
use crate::{budgets, edit, teams, terms};

const SHAPE: Shape = &[
    ("organization_alias", Blank::Null),
    ("budget_id", Blank::Null),
    ("models", Blank::List),
    ("metadata", Blank::Object),
    ("object_permission", Blank::Null),
];

/// The most teams and members that are shown beside an organization.
const MOST_BESIDE: u64 = 1_000;

/// An organization, by id.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct One {
    organization_id: String,
}

/// Organizations, by id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OrganizationIds)]
pub(crate) struct Many {
    #[serde(alias = "organizations")]
    organization_ids: Vec<String>,
}

/// Which organizations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Exactly this one.
    org_id: Option<String>,
    /// A part of the name, in any case of letters.
    org_alias: Option<String>,
}

/// Makes an organization.
#[utoipa::path(post, path = "/organization/new", operation_id = "organization_new", tag = "organizations", request_body = Object,
    responses((status = 200, description = "The organization"), (status = 400, description = "A field is not valid")))]
pub(crate) async fn organization_new(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    operator.must("POST", "/organization/new", &About::default())?;
    let id = match sent.remove("organization_id") {
        Some(Value::String(id)) => id,
        None | Some(Value::Null) => Uuid::now_v7().to_string(),
        Some(_) => return Err(bad("organization_id", "organization_id: must be a text")),
    };
    terms::check_id("organization_id", &id)?;
    if !sent.get("organization_alias").is_some_and(Value::is_string) {
        return Err(bad("organization_alias", "organization_alias: Field required"));
    }
    terms::settle(&mut sent, &Object::new())?;
    let fields: OrganizationFields = edit::overlay(&OrganizationFields::default(), &sent)?;
    terms::check(&fields.limits)?;
    let mut edit = operator.begin().await?;
    if edit.get::<OrganizationFields>(&id).await?.is_some() {
        return Err(bad("organization_id", format!("Organization with id {id} already exists")));
    }
    let mut organization = edit.record(id, fields);
    organization.budget_reset_at =
        budgets::reset_at(&operator, &mut edit, &organization.fields.limits, &organization.fields.budget_id)
            .await?;
    edit.add(&organization).await?;
    operator.finish(edit).await?;
    Ok(Json(Value::Object(alone(&operator, &organization).await?)))
}

/// Changes the fields that are sent; `null` clears one.
#[utoipa::path(patch, path = "/organization/update", operation_id = "organization_update", tag = "organizations", request_body = Object,
    responses((status = 200, description = "The organization"), (status = 404, description = "No such organization")))]
pub(crate) async fn organization_update(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    let Some(Value::String(id)) = sent.remove("organization_id") else {
        return Err(bad("organization_id", "organization_id: Field required"));
    };
    update(&operator, "/organization/update", &id, sent).await
}

/// The same as `/organization/update`.
#[utoipa::path(patch, path = "/v2/organization/{organization_id}", operation_id = "organization_patch", tag = "organizations",
    request_body = Object, params(("organization_id" = String, Path, description = "The organization")),
    responses((status = 200, description = "The organization"), (status = 404, description = "No such organization")))]
pub(crate) async fn organization_patch(
    operator: Operator,
    Path(id): Path<String>,
    Sent(mut sent): Sent<Object>,
) -> Answer {
    sent.remove("organization_id");
    update(&operator, "/v2/organization/{organization_id}", &id, sent).await
}

async fn update(operator: &Operator, path: &str, id: &str, mut sent: Object) -> Answer {
    let mut edit = operator.begin().await?;
    let mut organization = wanted(operator, &mut edit, ("PATCH", path), id).await?;
    let before = organization.fields.clone();
    terms::settle(&mut sent, &before.metadata)?;
    organization.fields = edit::overlay(&before, &sent)?;
    let fields = &organization.fields;
    terms::check(&fields.limits)?;
    if !operator.is_admin() {
        if fields.budget_id != before.budget_id {
            return Err(crate::operator::forbidden(
                "budget_id",
                "budget_id: only proxy admins can change it",
            ));
        }
        let most = terms::grant(&before.models, &before.limits);
        terms::permitted(&terms::grant(&fields.models, &fields.limits), &most, "what the organization has")?;
    }
    if fields.limits.budget_duration != before.limits.budget_duration || fields.budget_id != before.budget_id
    {
        organization.budget_reset_at =
            budgets::reset_at(operator, &mut edit, &fields.limits, &fields.budget_id).await?;
    }
    edit.change("updated", &before, &mut organization).await?;
    operator.finish(edit).await?;
    Ok(Json(Value::Object(whole(operator, &organization).await?)))
}

/// The organization, if there is one and the operator may call this route about it.
async fn wanted(
    operator: &Operator,
    edit: &mut Edit,
    (method, path): (&str, &str),
    id: &str,
) -> Result<Record<OrganizationFields>, Refused> {
    operator.must(method, path, &About { organization: Some(id), ..About::default() })?;
    edit.get(id).await?.ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Refused {
    missing("organization_id", format!("Organization not found for organization_id={id}"))
}

/// Deletes organizations with their teams, keys and memberships. All of them, or none.
#[utoipa::path(delete, path = "/organization/delete", operation_id = "organization_delete", tag = "organizations", request_body = Many,
    responses((status = 200, description = "The organizations that were deleted"), (status = 404, description = "No such organization")))]
pub(crate) async fn organization_delete(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    operator.must("DELETE", "/organization/delete", &About::default())?;
    let mut edit = operator.begin().await?;
    let mut gone = Vec::with_capacity(many.organization_ids.len());
    for id in &many.organization_ids {
        let under = Filter { organization_id: Some(id), ..Filter::default() };
        for team in edit.find::<TeamFields>(&under).await? {
            dissolve(&mut edit, &team.id).await?;
        }
        for key in edit.find::<KeyFields>(&under).await? {
            edit.remove::<KeyFields>(&key.id).await?;
        }
        for member in edit.find::<OrganizationMemberFields>(&under).await? {
            edit.remove::<OrganizationMemberFields>(&member.id).await?;
        }
        for mut user in edit.find::<UserFields>(&under).await? {
            user.fields.organization_id = None;
            edit.follow(&mut user).await?;
        }
        let Some(organization) = edit.remove::<OrganizationFields>(id).await? else {
            return Err(missing("organization_ids", format!("Organization={id} not found")));
        };
        gone.push(alone(&operator, &organization).await?);
    }
    operator.finish(edit).await?;
    Ok(Json(json!(gone)))
}

/// The organizations that the operator may see, with their members and teams.
#[utoipa::path(get, path = "/organization/list", operation_id = "organization_list", tag = "organizations", params(Wanted, Part),
    responses((status = 200, description = "A list of organizations")))]
pub(crate) async fn organization_list(
    operator: Operator,
    Asked(wanted): Asked<Wanted>,
    Asked(part): Asked<Part>,
) -> Answer {
    let own: Vec<String> = operator.who.0.organizations.iter().map(|(id, _)| id.clone()).collect();
    let filter = Filter {
        id: wanted.org_id.as_deref(),
        ids: if operator.sees_all() { None } else { Some(&own) },
        search: wanted.org_alias.as_deref(),
        ..Filter::default()
    };
    let page = part.page(100, true)?;
    let (organizations, _) = operator.db.page::<OrganizationFields>(&filter, page).await?;
    let mut answer = Vec::with_capacity(organizations.len());
    for organization in &organizations {
        answer.push(whole(&operator, organization).await?);
    }
    Ok(Json(json!(answer)))
}

/// One organization with its members and teams.
#[utoipa::path(get, path = "/organization/info", operation_id = "organization_info", tag = "organizations", params(One),
    responses((status = 200, description = "The organization"), (status = 404, description = "No such organization")))]
pub(crate) async fn organization_info(operator: Operator, Asked(one): Asked<One>) -> Answer {
    let id = &one.organization_id;
    operator.must("GET", "/organization/info", &About { organization: Some(id), ..About::default() })?;
    let organization = operator.db.get(id).await?.ok_or_else(|| unknown(id))?;
    Ok(Json(Value::Object(whole(&operator, &organization).await?)))
}

/// Many organizations by id.
#[utoipa::path(post, path = "/organization/info", operation_id = "organization_info_many", tag = "organizations", request_body = Many,
    responses((status = 200, description = "The organizations"), (status = 404, description = "No such organization")))]
pub(crate) async fn organization_info_many(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    let mut answer = Vec::with_capacity(many.organization_ids.len());
    for id in &many.organization_ids {
        operator.must("POST", "/organization/info", &About { organization: Some(id), ..About::default() })?;
        let organization = operator.db.get(id).await?.ok_or_else(|| unknown(id))?;
        answer.push(whole(&operator, &organization).await?);
    }
    Ok(Json(json!(answer)))
}

/// An organization without what is in it.
async fn alone(operator: &Operator, record: &Record<OrganizationFields>) -> Result<Object, Refused> {
    let fields = &record.fields;
    let mut row = shown::row("organization_id", record, SHAPE)?;
    let table =
        budgets::table(&operator.db, &fields.limits, fields.budget_id.as_ref(), record.budget_reset_at)
            .await?;
    row.insert("litellm_budget_table".to_owned(), table);
    Ok(row)
}

/// An organization with its members and teams.
async fn whole(operator: &Operator, record: &Record<OrganizationFields>) -> Result<Object, Refused> {
    let page =
        Page { number: 1, size: MOST_BESIDE, order: store::entity::Order::CreatedAt, descending: false };
    let inside = Filter { organization_id: Some(&record.id), ..Filter::default() };
    let (people, _) = operator.db.page::<OrganizationMemberFields>(&inside, page).await?;
    let mut rows = Vec::with_capacity(people.len());
    for member in &people {
        rows.push(members::shown(&operator.db, member).await?);
    }
    let (teams, _) = operator.db.page::<TeamFields>(&inside, page).await?;
    let mut row = alone(operator, record).await?;
    row.insert("members".to_owned(), rows.into());
    row.insert("teams".to_owned(), json!(teams.iter().map(teams::shown).collect::<Result<Vec<_>, _>>()?));
    Ok(row)
}
