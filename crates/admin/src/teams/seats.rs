//! Who is in a team: the team's list of people, the users' lists of teams, and a row a member for what they may
//! spend there. The three change together.

use serde::Deserialize;
use store::entity::{
    Filter, KeyFields, Object, Record, TeamFields, TeamMemberFields, TeamPerson, UserFields,
};

use crate::access::Refused;
use crate::edit;
use crate::operator::{Edit, bad};
use crate::terms;
use crate::users::person::Person;

/// Somebody who is to be in a team.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct NewMember {
    #[serde(flatten)]
    pub(crate) person: Person,
    /// `admin` or `user`.
    #[serde(default = "plain")]
    pub(crate) role: String,
}

fn plain() -> String {
    "user".to_owned()
}

/// Somebody who is in a team now.
pub(crate) struct Seated {
    pub(crate) user: Option<Record<UserFields>>,
    pub(crate) membership: Record<TeamMemberFields>,
}

/// The id of a membership.
pub(crate) fn membership_id(team: &str, user: &str) -> String {
    format!("{team}/{user}")
}

/// Goes on only with a role there is.
pub(crate) fn check_role(role: &str) -> Result<(), Refused> {
    match role {
        "admin" | "user" => Ok(()),
        _ => Err(bad("role", format!("role: {role:?} is none of admin, user"))),
    }
}

/// Puts somebody into a team. `own` are the fields of their membership, as sent; the team's row is not written.
pub(crate) async fn seat(
    edit: &mut Edit,
    team: &mut Record<TeamFields>,
    member: &NewMember,
    own: &Object,
) -> Result<Seated, Refused> {
    check_role(&member.role)?;
    let (user_id, mut user) = member.person.settled(edit).await?;
    let people = &mut team.fields.members_with_roles;
    if people.iter().any(|person| person.user_id.as_ref() == Some(&user_id)) {
        let message = format!("User={user_id} is already a member of team={}", team.id);
        let refused = bad("member", message);
        return Err(Refused(refused.0.with_kind("team_member_already_in_team")));
    }
    let email = user.as_ref().and_then(|user| user.fields.user_email.clone());
    people.push(TeamPerson { user_id: Some(user_id.clone()), user_email: email, role: member.role.clone() });
    if let Some(user) = &mut user
        && !user.fields.teams.contains(&team.id)
    {
        user.fields.teams.push(team.id.clone());
        edit.follow(user).await?;
    }
    let blank = TeamMemberFields {
        user_id: user_id.clone(),
        team_id: team.id.clone(),
        allowed_models: team.fields.default_team_member_models.clone(),
        ..TeamMemberFields::default()
    };
    let fields = edit::overlay(&blank, own)?;
    let id = membership_id(&team.id, &user_id);
    let membership = match edit.get::<TeamMemberFields>(&id).await? {
        Some(mut there) => {
            let before = std::mem::replace(&mut there.fields, fields);
            edit.change("updated", &before, &mut there).await?;
            there
        }
        None => {
            let made = edit.record(id, fields);
            edit.add(&made).await?;
            made
        }
    };
    Ok(Seated { user, membership })
}

/// The fields of a membership out of what was sent, under the names of [`TeamMemberFields`], judged.
pub(crate) fn member_terms(sent: &Object, team: &Record<TeamFields>) -> Result<Object, Refused> {
    const NAMES: [(&str, &str); 9] = [
        ("max_budget_in_team", "max_budget"),
        ("budget_duration", "budget_duration"),
        ("tpm_limit", "tpm_limit"),
        ("rpm_limit", "rpm_limit"),
        ("allowed_models", "allowed_models"),
        ("model_max_budget", "model_max_budget"),
        ("temp_budget_increase", "temp_budget_increase"),
        ("temp_budget_expiry", "temp_budget_expiry"),
        ("budget_id", "budget_id"),
    ];
    let mut own: Object =
        NAMES.iter().filter_map(|(from, to)| Some(((*to).to_owned(), sent.get(*from)?.clone()))).collect();
    terms::settle(&mut own, &Object::new())?;
    let fields = edit::overlay(&TeamMemberFields::default(), &own)?;
    terms::check(&fields.limits)?;
    if !fields.allowed_models.is_empty() {
        let granted = policy::bounds::Grant { models: &fields.allowed_models, ..Default::default() };
        let most = policy::bounds::Grant { models: &team.fields.models, ..Default::default() };
        terms::bounded(&granted, &most, "the team")?;
    }
    Ok(own)
}

/// Takes somebody out of a team, with the keys they have in it. The team's row is not written.
pub(crate) async fn unseat(
    edit: &mut Edit,
    team: &mut Record<TeamFields>,
    person: &Person,
) -> Result<bool, Refused> {
    let people = &mut team.fields.members_with_roles;
    let is_them = |one: &TeamPerson| person.is(one.user_id.as_deref(), one.user_email.as_deref());
    let Some(at) = people.iter().position(is_them) else { return Ok(false) };
    let gone = people.remove(at);
    let Some(user_id) = gone.user_id else { return Ok(true) };
    edit.remove::<TeamMemberFields>(&membership_id(&team.id, &user_id)).await?;
    if let Some(mut user) = edit.get::<UserFields>(&user_id).await? {
        user.fields.teams.retain(|id| *id != team.id);
        edit.follow(&mut user).await?;
    }
    let theirs = Filter { user_id: Some(&user_id), team_id: Some(&team.id), ..Filter::default() };
    for key in edit.find::<KeyFields>(&theirs).await? {
        edit.remove::<KeyFields>(&key.id).await?;
    }
    Ok(true)
}

/// Deletes a team with all that hangs on it: keys, memberships, projects.
pub(crate) async fn dissolve(edit: &mut Edit, id: &str) -> Result<Option<Record<TeamFields>>, Refused> {
    let of_team = Filter { team_id: Some(id), ..Filter::default() };
    for key in edit.find::<KeyFields>(&of_team).await? {
        edit.remove::<KeyFields>(&key.id).await?;
    }
    for project in edit.find::<store::entity::ProjectFields>(&of_team).await? {
        edit.remove::<store::entity::ProjectFields>(&project.id).await?;
    }
    for membership in edit.find::<TeamMemberFields>(&of_team).await? {
        edit.remove::<TeamMemberFields>(&membership.id).await?;
        if let Some(mut user) = edit.get::<UserFields>(&membership.fields.user_id).await? {
            user.fields.teams.retain(|team| team != id);
            edit.follow(&mut user).await?;
        }
    }
    let team = edit.remove::<TeamFields>(id).await?;
    if let Some(budget) = team.as_ref().and_then(|team| team.fields.team_member_budget_id.as_deref()) {
        edit.remove::<store::entity::BudgetFields>(budget).await?;
    }
    Ok(team)
}
