//! Projects: cost centres inside a team, with models and limits within the team's.

use axum::Json;
use policy::roles::Object as About;
use serde::Deserialize;
use serde_json::{Value, json};
use store::entity::{Filter, KeyFields, Object, ProjectFields, Record, TeamFields};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::access::{Refused, Sent};
use crate::operator::{Answer, Asked, Edit, Operator, bad, missing};
use crate::part::Part;
use crate::shown::{self, Blank, Shape};
use crate::{budgets, edit, terms};

const SHAPE: Shape = &[
    ("project_alias", Blank::Null),
    ("description", Blank::Null),
    ("team_id", Blank::Null),
    ("budget_id", Blank::Null),
    ("models", Blank::List),
    ("metadata", Blank::Object),
    ("blocked", Blank::Null),
    ("object_permission", Blank::Null),
];

/// Projects, by id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProjectIds)]
pub(crate) struct Many {
    project_ids: Vec<String>,
}

/// A project, by id.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct One {
    project_id: String,
}

/// Which projects.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Of this team.
    team_id: Option<String>,
}

/// Makes a project in a team.
#[utoipa::path(post, path = "/project/new", operation_id = "project_new", tag = "projects", request_body = Object,
    responses((status = 200, description = "The project"), (status = 400, description = "A field is not valid, or more than the team has")))]
pub(crate) async fn project_new(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    let id = match sent.remove("project_id") {
        Some(Value::String(id)) => id,
        None | Some(Value::Null) => Uuid::now_v7().to_string(),
        Some(_) => return Err(bad("project_id", "project_id: must be a text")),
    };
    terms::check_name("project_id", &id)?;
    terms::settle(&mut sent, &Object::new())?;
    let fields: ProjectFields = edit::overlay(&ProjectFields::default(), &sent)?;
    let mut edit = operator.begin().await?;
    within_team(&operator, &mut edit, ("POST", "/project/new"), &fields).await?;
    if edit.get::<ProjectFields>(&id).await?.is_some() {
        return Err(bad(
            "project_id",
            format!("Project id = {id} already exists. Please use a different project id."),
        ));
    }
    let mut project = edit.record(id, fields);
    project.budget_reset_at =
        budgets::reset_at(&operator, &mut edit, &project.fields.limits, &project.fields.budget_id).await?;
    edit.add(&project).await?;
    operator.finish(edit).await?;
    Ok(Json(row(&operator, &project).await?))
}

/// Goes on only if the operator manages the project's team and gives the project no more than that has.
async fn within_team(
    operator: &Operator,
    edit: &mut Edit,
    (method, path): (&str, &str),
    fields: &ProjectFields,
) -> Result<(), Refused> {
    terms::check(&fields.limits)?;
    let Some(id) = &fields.team_id else { return Err(bad("team_id", "team_id: Field required")) };
    let team = edit.get::<TeamFields>(id).await?;
    let organization = team.as_ref().and_then(|team| team.fields.organization_id.as_deref());
    operator.must(method, path, &About { team: Some(id), organization, ..About::default() })?;
    let Some(team) = team else {
        return Err(missing("team_id", format!("Team not found, passed team_id={id}")));
    };
    let most = terms::grant(&team.fields.models, &team.fields.limits);
    // What the project does not limit, the team does, call by call.
    let (mut models, mut limits) = (fields.models.clone(), fields.limits.clone());
    terms::fill(&mut models, &mut limits, &most);
    terms::bounded(&terms::grant(&models, &limits), &most, &format!("team {id}"))
}

/// What is asked about where it is a project: its team, and that team's organization.
async fn must(
    operator: &Operator,
    (method, path): (&str, &str),
    project: Option<&Record<ProjectFields>>,
) -> Result<(), Refused> {
    let team = project.and_then(|project| project.fields.team_id.as_deref());
    let row = match team {
        Some(id) => operator.db.get::<TeamFields>(id).await?,
        None => None,
    };
    let organization = row.as_ref().and_then(|team| team.fields.organization_id.as_deref());
    operator.must(method, path, &About { team, organization, ..About::default() })
}

/// Changes the fields that are sent; `null` clears one.
#[utoipa::path(post, path = "/project/update", operation_id = "project_update", tag = "projects", request_body = Object,
    responses((status = 200, description = "The project"), (status = 404, description = "No such project")))]
pub(crate) async fn project_update(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    let Some(Value::String(id)) = sent.remove("project_id") else {
        return Err(bad("project_id", "project_id: Field required"));
    };
    let route = ("POST", "/project/update");
    let mut edit = operator.begin().await?;
    let found = edit.get::<ProjectFields>(&id).await?;
    must(&operator, route, found.as_ref()).await?;
    let Some(mut project) = found else { return Err(unknown(&id)) };
    let before = project.fields.clone();
    terms::settle(&mut sent, &before.metadata)?;
    project.fields = edit::overlay(&before, &sent)?;
    within_team(&operator, &mut edit, route, &project.fields).await?;
    let fields = &project.fields;
    if fields.limits.budget_duration != before.limits.budget_duration || fields.budget_id != before.budget_id
    {
        project.budget_reset_at =
            budgets::reset_at(&operator, &mut edit, &fields.limits, &fields.budget_id).await?;
    }
    edit.change("updated", &before, &mut project).await?;
    operator.finish(edit).await?;
    Ok(Json(row(&operator, &project).await?))
}

fn unknown(id: &str) -> Refused {
    missing("project_id", format!("Project not found, passed project_id={id}"))
}

/// Deletes projects that have no keys. All of them, or none.
#[utoipa::path(delete, path = "/project/delete", operation_id = "project_delete", tag = "projects", request_body = Many,
    responses((status = 200, description = "The projects that were deleted"), (status = 400, description = "Keys are in it")))]
pub(crate) async fn project_delete(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    let mut edit = operator.begin().await?;
    let mut gone = Vec::with_capacity(many.project_ids.len());
    for id in &many.project_ids {
        let found = edit.get::<ProjectFields>(id).await?;
        must(&operator, ("DELETE", "/project/delete"), found.as_ref()).await?;
        let Some(project) = found else { return Err(unknown(id)) };
        let of_team = Filter { team_id: project.fields.team_id.as_deref(), ..Filter::default() };
        let keys = edit.find::<KeyFields>(&of_team).await?;
        let count = keys.iter().filter(|key| key.fields.project_id.as_ref() == Some(id)).count();
        if count > 0 {
            let message =
                format!("Cannot delete project '{id}': {count} key(s) are in it. Delete these first.");
            return Err(bad("project_ids", message));
        }
        edit.remove::<ProjectFields>(id).await?;
        gone.push(row(&operator, &project).await?);
    }
    operator.finish(edit).await?;
    Ok(Json(gone.into()))
}

/// One project.
#[utoipa::path(get, path = "/project/info", operation_id = "project_info", tag = "projects", params(One),
    responses((status = 200, description = "The project"), (status = 404, description = "No such project")))]
pub(crate) async fn project_info(operator: Operator, Asked(one): Asked<One>) -> Answer {
    let project = operator.db.get::<ProjectFields>(&one.project_id).await?;
    must(&operator, ("GET", "/project/info"), project.as_ref()).await?;
    let project = project.ok_or_else(|| unknown(&one.project_id))?;
    Ok(Json(row(&operator, &project).await?))
}

/// The projects of the teams that the operator manages, a page at a time.
#[utoipa::path(get, path = "/project/list", operation_id = "project_list", tag = "projects", params(Wanted, Part),
    responses((status = 200, description = "A list of projects")))]
pub(crate) async fn project_list(
    operator: Operator,
    Asked(wanted): Asked<Wanted>,
    Asked(part): Asked<Part>,
) -> Answer {
    let teams = managed(&operator).await?;
    let filter =
        Filter { team_id: wanted.team_id.as_deref(), any_team: teams.as_deref(), ..Filter::default() };
    let (projects, _) = operator.db.page::<ProjectFields>(&filter, part.page(100, true)?).await?;
    let mut rows = Vec::with_capacity(projects.len());
    for project in &projects {
        rows.push(row(&operator, project).await?);
    }
    Ok(Json(rows.into()))
}

/// The teams that the operator manages; `None` for all.
async fn managed(operator: &Operator) -> Result<Option<Vec<String>>, Refused> {
    if operator.sees_all() {
        return Ok(None);
    }
    let who = &operator.who.0;
    let mut teams: Vec<String> =
        who.teams.iter().filter(|seat| seat.admin).map(|seat| seat.team.clone()).collect();
    for (id, _) in who.organizations.iter().filter(|(_, admin)| *admin) {
        let under = Filter { organization_id: Some(id), ..Filter::default() };
        teams.extend(operator.db.find::<TeamFields>(&under).await?.into_iter().map(|team| team.id));
    }
    match teams.first() {
        Some(_) => Ok(Some(teams)),
        None => operator.must("GET", "/project/list", &About::default()).map(|()| Some(teams)),
    }
}

async fn row(operator: &Operator, record: &Record<ProjectFields>) -> Result<Value, Refused> {
    let fields = &record.fields;
    let mut row = shown::row("project_id", record, SHAPE)?;
    let table =
        budgets::table(&operator.db, &fields.limits, fields.budget_id.as_ref(), record.budget_reset_at)
            .await?;
    row.insert("litellm_budget_table".to_owned(), table);
    Ok(json!(row))
}
