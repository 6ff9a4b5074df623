//! Deleting users with all that is theirs.

use axum::Json;
use serde::Deserialize;
use serde_json::json;
use store::entity::{
    Filter, InvitationFields, KeyFields, OrganizationMemberFields, TeamFields, TeamMemberFields, UserFields,
};
use utoipa::ToSchema;

use super::must;
use super::person::Person;
use crate::access::{Refused, Sent};
use crate::operator::{Answer, Edit, Operator, missing};
use crate::teams::seats::unseat;

/// Users, by id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserIds)]
pub(crate) struct Many {
    user_ids: Vec<String>,
}

/// Deletes users with their keys, memberships and invitations. All of them, or none. Answers how many there were.
#[utoipa::path(post, path = "/user/delete", operation_id = "user_delete", tag = "users", request_body = Many,
    responses((status = 200, description = "How many were deleted"), (status = 404, description = "No such user")))]
pub(crate) async fn user_delete(operator: Operator, Sent(many): Sent<Many>) -> Answer {
    let mut edit = operator.begin().await?;
    let mut gone: u64 = 0;
    for id in &many.user_ids {
        let user = edit.get::<UserFields>(id).await?;
        must(&operator, "/user/delete", id, user.as_ref())?;
        if user.is_none() {
            return Err(missing("user_ids", format!("User not found, passed user_id={id}")));
        }
        leave(&mut edit, id).await?;
        edit.remove::<UserFields>(id).await?;
        gone += 1;
    }
    operator.finish(edit).await?;
    Ok(Json(json!(gone)))
}

/// Takes a user out of everything, with all their keys.
async fn leave(edit: &mut Edit, id: &str) -> Result<(), Refused> {
    let theirs = Filter { user_id: Some(id), ..Filter::default() };
    let person = Person { user_id: Some(id.to_owned()), user_email: None };
    for seat in edit.find::<TeamMemberFields>(&theirs).await? {
        let Some(mut team) = edit.get::<TeamFields>(&seat.fields.team_id).await? else { continue };
        let before = team.fields.clone();
        unseat(edit, &mut team, &person).await?;
        edit.change("updated", &before, &mut team).await?;
    }
    for key in edit.find::<KeyFields>(&theirs).await? {
        edit.remove::<KeyFields>(&key.id).await?;
    }
    for place in edit.find::<OrganizationMemberFields>(&theirs).await? {
        edit.remove::<OrganizationMemberFields>(&place.id).await?;
    }
    for invitation in edit.find::<InvitationFields>(&theirs).await? {
        edit.remove::<InvitationFields>(&invitation.id).await?;
    }
    Ok(())
}
