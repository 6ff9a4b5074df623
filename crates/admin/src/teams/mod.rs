//! Teams: users who share keys, models and budgets.
//!
//! One file a subject: [`new`], [`change`], [`list`], [`members`], [`switches`], [`callbacks`], [`seats`].

pub(crate) mod callbacks;
pub(crate) mod change;
pub(crate) mod list;
pub(crate) mod members;
pub(crate) mod new;
pub(crate) mod seats;
pub(crate) mod switches;

use policy::roles::{DEFAULT_PERMISSIONS, Object as About};
use serde::Deserialize;
use serde_json::{Value, json};
use store::db::Db;
use store::entity::{BudgetFields, Limits, Object, OrganizationFields, Record, TeamFields, TeamMemberFields};
use utoipa::ToSchema;

use crate::access::Refused;
use crate::operator::{Edit, Operator, bad, forbidden, missing};
use crate::shown::{self, Blank, Shape};
use crate::{edit, terms};

const SHAPE: Shape = &[
    ("team_alias", Blank::Null),
    ("organization_id", Blank::Null),
    ("members_with_roles", Blank::List),
    ("team_member_permissions", Blank::Null),
    ("metadata", Blank::Object),
    ("models", Blank::List),
    ("blocked", Blank::Null),
    ("router_settings", Blank::Null),
    ("access_group_ids", Blank::List),
    ("default_team_member_models", Blank::List),
    ("object_permission", Blank::Null),
];

/// The members of a request that set what each member of the team may use, with their names in a budget.
const MEMBER_BUDGET: [(&str, &str); 5] = [
    ("team_member_budget", "max_budget"),
    ("team_member_budget_duration", "budget_duration"),
    ("team_member_rpm_limit", "rpm_limit"),
    ("team_member_tpm_limit", "tpm_limit"),
    ("team_member_model_max_budget", "model_max_budget"),
];

/// A team, by id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TeamId)]
pub(crate) struct Which {
    pub(crate) team_id: String,
}

/// A team as it is shown.
pub(crate) fn shown(record: &Record<TeamFields>) -> Result<Object, Refused> {
    let mut row = shown::row("team_id", record, SHAPE)?;
    let of_role = |role: &str| -> Vec<&str> {
        let people = record.fields.members_with_roles.iter();
        people.filter(|person| person.role == role).filter_map(|person| person.user_id.as_deref()).collect()
    };
    row.insert("admins".to_owned(), json!(of_role("admin")));
    row.insert("members".to_owned(), json!(of_role("user")));
    let aliases = row.remove("model_aliases");
    row.insert(
        "litellm_model_table".to_owned(),
        aliases.map_or(Value::Null, |aliases| json!({"model_aliases": aliases})),
    );
    if let (Some(budget), Some(Value::Object(metadata))) =
        (&record.fields.team_member_budget_id, row.get_mut("metadata"))
    {
        metadata.insert("team_member_budget_id".to_owned(), budget.clone().into());
    }
    let permissions = || json!(DEFAULT_PERMISSIONS);
    if row.get("team_member_permissions").is_none_or(Value::is_null) {
        row.insert("team_member_permissions".to_owned(), permissions());
    }
    Ok(row)
}

/// A membership as it is shown. `default` is the team's budget for members who have none.
pub(crate) async fn membership(
    db: &Db,
    record: &Record<TeamMemberFields>,
    default: Option<&Record<BudgetFields>>,
) -> Result<Value, Refused> {
    let named = match &record.fields.budget_id {
        Some(id) => db.get::<BudgetFields>(id).await?,
        None => None,
    };
    let shared = named.as_ref().or(default);
    let fields = &record.fields;
    let budget_id = shared.map(|budget| budget.id.as_str());
    let mut table = shown::budget_table(budget_id, &fields.limits, shared, record.budget_reset_at)?;
    if let Value::Object(table) = &mut table {
        table.insert("allowed_models".to_owned(), json!(fields.allowed_models));
    }
    Ok(json!({
        "user_id": fields.user_id,
        "team_id": fields.team_id,
        "spend": record.spend.as_f64(),
        "total_spend": record.total_spend.as_f64(),
        "budget_id": budget_id,
        "allowed_models": fields.allowed_models,
        "litellm_budget_table": table,
    }))
}

/// What is asked about where it is a team.
fn about<'a>(id: &'a str, team: Option<&'a Record<TeamFields>>) -> About<'a> {
    let organization = team.and_then(|team| team.fields.organization_id.as_deref());
    About { team: Some(id), organization, ..About::default() }
}

/// The team, if there is one and the operator may call this route about it. Who may not is not told whether it is.
async fn wanted(
    operator: &Operator,
    edit: &mut Edit,
    (method, path): (&str, &str),
    id: &str,
) -> Result<Record<TeamFields>, Refused> {
    let team = edit.get::<TeamFields>(id).await?;
    operator.must(method, path, &about(id, team.as_ref()))?;
    team.ok_or_else(|| missing("team_id", format!("Team not found, passed team_id={id}")))
}

/// Goes on only if the team is within what its organization has.
async fn within_organization(edit: &mut Edit, team: &TeamFields) -> Result<(), Refused> {
    let Some(id) = &team.organization_id else { return Ok(()) };
    let Some(organization) = edit.get::<OrganizationFields>(id).await? else {
        return Err(bad("organization_id", format!("Organization not found for organization_id={id}")));
    };
    let shared = match &organization.fields.budget_id {
        Some(budget) => edit.get::<BudgetFields>(budget).await?,
        None => None,
    };
    let limits = shown::in_force(&organization.fields.limits, shared.as_ref())?;
    let most = terms::grant(&organization.fields.models, &limits);
    // What the team does not limit, the organization does, call by call.
    let (mut models, mut asked) = (team.models.clone(), team.limits.clone());
    terms::fill(&mut models, &mut asked, &most);
    terms::bounded(&terms::grant(&models, &asked), &most, &format!("organization {id}"))
}

/// Goes on only if nothing changes by which a team may do more and which is no model and no plain limit: that is left
/// to those who manage it from outside.
fn no_more(before: &TeamFields, after: &TeamFields) -> Result<(), Refused> {
    let (had, has) = (&before.limits, &after.limits);
    let changes = [
        ("access_group_ids", before.access_group_ids != after.access_group_ids),
        ("object_permission", before.object_permission != after.object_permission),
        ("router_settings", before.router_settings != after.router_settings),
        ("temp_budget_increase", had.temp_budget_increase != has.temp_budget_increase),
        ("temp_budget_expiry", had.temp_budget_expiry != has.temp_budget_expiry),
    ];
    let changed = changes.into_iter().find(|(_, changed)| *changed).map(|(name, _)| name);
    match changed.or_else(|| terms::loosened(&before.metadata, &after.metadata)) {
        None => Ok(()),
        Some(name) => {
            let message = format!("{name}: only proxy admins and admins of the organization can change it");
            Err(forbidden(name, message))
        }
    }
}

/// Takes what each member may use out of a request. `None` when the request does not say.
fn member_budget(sent: &mut Object) -> Option<Object> {
    let named = MEMBER_BUDGET.iter().filter_map(|(from, to)| Some(((*to).to_owned(), sent.remove(*from)?)));
    let budget: Object = named.collect();
    (!budget.is_empty()).then_some(budget)
}

/// Writes what each member may use: a budget that the team points to.
async fn keep_member_budget(
    edit: &mut Edit,
    team: &mut Record<TeamFields>,
    changes: &Object,
) -> Result<(), Refused> {
    let there = match &team.fields.team_member_budget_id {
        Some(id) => edit.get::<BudgetFields>(id).await?,
        None => None,
    };
    let current = there.as_ref().map(|budget| budget.fields.clone()).unwrap_or_default();
    let fields: BudgetFields = edit::overlay(&current, changes)?;
    let limits: &Limits = &fields.limits;
    terms::check(limits)?;
    match there {
        Some(mut budget) => {
            budget.fields = fields;
            edit.change("updated", &current, &mut budget).await
        }
        None => {
            let budget = edit.record(uuid::Uuid::now_v7().to_string(), fields);
            team.fields.team_member_budget_id = Some(budget.id.clone());
            edit.add(&budget).await
        }
    }
}
