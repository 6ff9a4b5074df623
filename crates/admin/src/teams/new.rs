//! Making a team.

use axum::Json;
use gateway::directory::Identity;
use policy::roles::Object as About;
use serde_json::Value;
use store::entity::{KeyFields, Object, Record, TeamFields, UserFields};
use uuid::Uuid;

use super::seats::{NewMember, seat};
use crate::access::{Refused, Sent};
use crate::edit;
use crate::operator::{Answer, Edit, Operator, bad};
use crate::terms;
use crate::users::person::Person;

/// Makes a team. Whoever makes it is its admin.
#[utoipa::path(post, path = "/team/new", operation_id = "team_new", tag = "teams", request_body = Object,
    responses((status = 200, description = "The team"), (status = 400, description = "A field is not valid, or more than may be granted")))]
pub(crate) async fn team_new(operator: Operator, Sent(mut sent): Sent<Object>) -> Answer {
    let people = people(&mut sent)?;
    let id = id(&mut sent)?;
    let member_budget = super::member_budget(&mut sent);
    terms::settle(&mut sent, &Object::new())?;
    let mut fields: TeamFields = edit::overlay(&TeamFields::default(), &sent)?;
    (fields.members_with_roles, fields.team_member_budget_id) = (Vec::new(), None);
    let organization = fields.organization_id.clone();
    operator.must(
        "POST",
        "/team/new",
        &About { owner: operator.user(), organization: organization.as_deref(), ..About::default() },
    )?;
    terms::check(&fields.limits)?;
    let mut edit = operator.begin().await?;
    if edit.get::<TeamFields>(&id).await?.is_some() {
        let message = format!("Team id = {id} already exists. Please use a different team id.");
        return Err(bad("team_id", message));
    }
    bound(&operator, &mut edit, &mut fields).await?;
    let mut team = edit.record(id, fields);
    team.budget_reset_at = terms::reset_at(&operator.gateway, &team.fields.limits, edit.now)?;
    if let Some(budget) = member_budget {
        super::keep_member_budget(&mut edit, &mut team, &budget).await?;
    }
    edit.add(&team).await?;
    fill(&mut edit, &mut team, people, &operator.who.0).await?;
    operator.finish(edit).await?;
    Ok(Json(Value::Object(super::shown(&team)?)))
}

fn people(sent: &mut Object) -> Result<Vec<NewMember>, Refused> {
    let Some(people) = sent.remove("members_with_roles").filter(|people| !people.is_null()) else {
        return Ok(Vec::new());
    };
    serde_json::from_value(people)
        .map_err(|error| bad("members_with_roles", format!("members_with_roles: {error}")))
}

fn id(sent: &mut Object) -> Result<String, Refused> {
    match sent.remove("team_id") {
        None | Some(Value::Null) => Ok(Uuid::now_v7().to_string()),
        Some(Value::String(id)) => {
            terms::check_id("team_id", &id)?;
            Ok(id)
        }
        Some(_) => Err(bad("team_id", "team_id: must be a text")),
    }
}

/// Nobody gives a team more than they or its organization have. What a user does not ask for is what they have.
async fn bound(operator: &Operator, edit: &mut Edit, fields: &mut TeamFields) -> Result<(), Refused> {
    super::within_organization(edit, fields).await?;
    let leads = |id: &String| operator.who.0.organizations.iter().any(|(own, admin)| own == id && *admin);
    if operator.is_admin() || fields.organization_id.as_ref().is_some_and(leads) {
        return Ok(());
    }
    super::no_more(&TeamFields::default(), fields)?;
    let user = match operator.user() {
        Some(id) => edit.get::<UserFields>(id).await?.map(|user| (user.fields.models, user.fields.limits)),
        None => None,
    };
    let key = match &operator.who.0.key {
        Some(id) => edit.get::<KeyFields>(id).await?.map(|key| (key.fields.models, key.fields.limits)),
        None => None,
    };
    for (mut models, limits) in [key, user].into_iter().flatten() {
        models.retain(|model| model != "all-team-models");
        let most = terms::grant(&models, &limits);
        terms::fill(&mut fields.models, &mut fields.limits, &most);
        terms::bounded(&terms::grant(&fields.models, &fields.limits), &most, "your own limits")?;
        // A shorter period would make more of the same budget.
        if limits.max_budget.is_some() {
            fields.limits.budget_duration = limits.budget_duration;
        }
    }
    Ok(())
}

/// Puts in the people who were named, and whoever makes the team as its admin.
async fn fill(
    edit: &mut Edit,
    team: &mut Record<TeamFields>,
    mut people: Vec<NewMember>,
    maker: &Identity,
) -> Result<(), Refused> {
    if let Some(id) = &maker.user_id
        && !people.iter().any(|member| member.person.user_id.as_ref() == Some(id))
    {
        let person = Person { user_id: Some(id.clone()), user_email: None };
        people.push(NewMember { person, role: "admin".to_owned() });
    }
    let own = Object::new();
    for member in &people {
        seat(edit, team, member, &own).await?;
    }
    edit.follow(team).await
}
