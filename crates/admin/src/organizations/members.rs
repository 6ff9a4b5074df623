//! Who is in an organization, as what, and what each may spend there.

use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use store::db::Db;
use store::entity::{Object, OrganizationMemberFields, Record, UserFields};
use utoipa::ToSchema;

use super::{alone, wanted};
use crate::access::{Refused, Sent};
use crate::operator::{Answer, Edit, Operator, bad, missing};
use crate::shown as rows;
use crate::users::person::Person;
use crate::{budgets, edit, terms};

/// The roles in an organization.
const ROLES: [&str; 3] = ["org_admin", "internal_user", "internal_user_viewer"];

/// Somebody who is to be in an organization.
#[derive(Debug, Deserialize)]
pub(crate) struct NewMember {
    #[serde(flatten)]
    person: Person,
    /// `org_admin`, `internal_user` or `internal_user_viewer`.
    role: String,
}

/// Somebody in an organization.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OrganizationMember)]
pub(crate) struct Member {
    organization_id: String,
    #[serde(flatten)]
    person: Person,
}

/// The id of a membership.
fn membership_id(organization: &str, user: &str) -> String {
    format!("{organization}/{user}")
}

/// Puts a user into an organization; `own` are the fields of their membership.
pub(crate) async fn join(
    edit: &mut Edit,
    organization: &str,
    user: &str,
    role: &str,
    own: &Object,
) -> Result<Record<OrganizationMemberFields>, Refused> {
    check_role(role)?;
    let id = membership_id(organization, user);
    if edit.get::<OrganizationMemberFields>(&id).await?.is_some() {
        let message = format!("User={user} is already a member of organization={organization}");
        return Err(bad("member", message));
    }
    let blank = OrganizationMemberFields {
        user_id: user.to_owned(),
        organization_id: organization.to_owned(),
        user_role: Some(role.to_owned()),
        ..OrganizationMemberFields::default()
    };
    let membership = edit.record(id, edit::overlay(&blank, own)?);
    edit.add(&membership).await?;
    Ok(membership)
}

fn check_role(role: &str) -> Result<(), Refused> {
    match ROLES.contains(&role) {
        true => Ok(()),
        false => Err(bad("role", format!("role: {role:?} is none of {}", ROLES.join(", ")))),
    }
}

/// A membership as it is shown.
pub(crate) async fn shown(db: &Db, record: &Record<OrganizationMemberFields>) -> Result<Value, Refused> {
    let fields = &record.fields;
    let user = db.get::<UserFields>(&fields.user_id).await?;
    let table = budgets::table(db, &fields.limits, fields.budget_id.as_ref(), record.budget_reset_at).await?;
    Ok(json!({
        "user_id": fields.user_id,
        "organization_id": fields.organization_id,
        "user_role": fields.user_role,
        "user_email": user.as_ref().map(|user| &user.fields.user_email),
        "spend": record.spend.as_f64(),
        "budget_id": fields.budget_id,
        "litellm_budget_table": table,
        "created_at": rows::time(Some(record.created_at)),
        "updated_at": rows::time(Some(record.updated_at)),
        "user": user.as_ref().map(crate::users::shown).transpose()?,
    }))
}

/// What a member may spend, out of what was sent.
fn member_terms(sent: &Object) -> Result<Object, Refused> {
    const NAMES: [(&str, &str); 2] =
        [("max_budget_in_organization", "max_budget"), ("budget_duration", "budget_duration")];
    let named = NAMES.iter().filter_map(|(from, to)| Some(((*to).to_owned(), sent.get(*from)?.clone())));
    let own: Object = named.collect();
    terms::check(&edit::overlay(&OrganizationMemberFields::default(), &own)?.limits)?;
    Ok(own)
}

/// Puts people into an organization: `organization_id`, `member` (one or a list of `{user_id | user_email, role}`), and
/// `max_budget_in_organization`. Users who are not there yet are made.
#[utoipa::path(post, path = "/organization/member_add", operation_id = "organization_member_add", tag = "organizations",
    request_body = Object,
    responses((status = 200, description = "The users and their memberships"), (status = 400, description = "Already a member")))]
pub(crate) async fn organization_member_add(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    let members = match sent.remove("member") {
        Some(Value::Array(many)) => Value::Array(many),
        Some(one @ Value::Object(_)) => json!([one]),
        _ => return Err(bad("member", "member: must be {user_id or user_email, role}, or a list of such")),
    };
    let members: Vec<NewMember> =
        serde_json::from_value(members).map_err(|error| bad("member", format!("member: {error}")))?;
    let Some(Value::String(id)) = sent.get("organization_id").cloned() else {
        return Err(bad("organization_id", "organization_id: Field required"));
    };
    let own = member_terms(&sent)?;
    let mut edit = operator.begin().await?;
    let organization = wanted(&operator, &mut edit, ("POST", "/organization/member_add"), &id).await?;
    let (mut users, mut memberships) = (Vec::new(), Vec::new());
    for member in &members {
        let (user_id, user) = member.person.settled(&mut edit).await?;
        let mut membership = join(&mut edit, &id, &user_id, &member.role, &own).await?;
        membership.budget_reset_at = terms::reset_at(&operator.gateway, &membership.fields.limits, edit.now)?;
        edit.follow(&mut membership).await?;
        users.extend(user);
        memberships.push(membership);
    }
    operator.finish(edit).await?;
    let mut shown_memberships = Vec::with_capacity(memberships.len());
    for membership in &memberships {
        shown_memberships.push(shown(&operator.db, membership).await?);
    }
    let mut answer = alone(&operator, &organization).await?;
    let users = users.iter().map(crate::users::shown).collect::<Result<Vec<_>, _>>()?;
    answer.insert("updated_users".to_owned(), json!(users));
    answer.insert("updated_organization_memberships".to_owned(), shown_memberships.into());
    Ok(Json(Value::Object(answer)))
}

/// Changes somebody's role in an organization and what they may spend there.
#[utoipa::path(patch, path = "/organization/member_update", operation_id = "organization_member_update", tag = "organizations",
    request_body = Object,
    responses((status = 200, description = "The membership"), (status = 404, description = "Not in the organization")))]
pub(crate) async fn organization_member_update(operator: Operator, Sent(sent): Sent<Object>) -> Answer {
    let member: Member = serde_json::from_value(Value::Object(sent.clone()))
        .map_err(|error| bad("request_body", error.to_string()))?;
    let own = member_terms(&sent)?;
    let mut edit = operator.begin().await?;
    let mut membership =
        found(&operator, &mut edit, ("PATCH", "/organization/member_update"), &member).await?;
    let before = membership.fields.clone();
    membership.fields = edit::overlay(&before, &own)?;
    if let Some(Value::String(role)) = sent.get("role") {
        check_role(role)?;
        membership.fields.user_role = Some(role.clone());
    }
    if membership.fields.limits.budget_duration != before.limits.budget_duration {
        membership.budget_reset_at = terms::reset_at(&operator.gateway, &membership.fields.limits, edit.now)?;
    }
    edit.change("updated", &before, &mut membership).await?;
    operator.finish(edit).await?;
    Ok(Json(shown(&operator.db, &membership).await?))
}

/// Takes somebody out of an organization.
#[utoipa::path(delete, path = "/organization/member_delete", operation_id = "organization_member_delete", tag = "organizations",
    request_body = Member,
    responses((status = 200, description = "The membership that was"), (status = 404, description = "Not in the organization")))]
pub(crate) async fn organization_member_delete(operator: Operator, Sent(member): Sent<Member>) -> Answer {
    let mut edit = operator.begin().await?;
    let route = ("DELETE", "/organization/member_delete");
    let membership = found(&operator, &mut edit, route, &member).await?;
    edit.remove::<OrganizationMemberFields>(&membership.id).await?;
    operator.finish(edit).await?;
    Ok(Json(shown(&operator.db, &membership).await?))
}

async fn found(
    operator: &Operator,
    edit: &mut Edit,
    route: (&str, &str),
    member: &Member,
) -> Result<Record<OrganizationMemberFields>, Refused> {
    let id = &member.organization_id;
    wanted(operator, edit, route, id).await?;
    let user = member.person.find(edit).await?.map(|user| user.id);
    // A membership may outlive its user.
    let user = user.or_else(|| member.person.user_id.clone()).unwrap_or_default();
    let membership = edit.get(&membership_id(id, &user)).await?;
    membership.ok_or_else(|| missing("user_id", format!("User={user} not found in organization={id}")))
}
