//! Keys as they are named in requests, and who may do something to them.

use gateway::hash::key_id;
use policy::roles::Object as About;
use store::entity::{Filter, KeyFields, Record, RetiredKeyFields, TeamFields};

use crate::access::Refused;
use crate::operator::{Edit, Operator, bad, missing};

/// What the rules judge a key by.
pub(super) fn about<'a>(id: Option<&'a str>, fields: &'a KeyFields) -> About<'a> {
    About {
        owner: fields.user_id.as_deref(),
        team: fields.team_id.as_deref(),
        organization: fields.organization_id.as_deref(),
        key: id,
    }
}

/// The key that a text, a hash or an alias names, if the operator may do `path` to it. One that they may not even see
/// is as good as none.
pub(super) async fn one(
    operator: &Operator,
    edit: &mut Edit,
    (method, path): (&str, &str),
    key: Option<&str>,
    alias: Option<&str>,
) -> Result<Record<KeyFields>, Refused> {
    let found = match (key, alias) {
        (Some(key), _) => by_text(edit, key).await?,
        (None, Some(alias)) => edit
            .find::<KeyFields>(&Filter { alias: Some(alias), ..Filter::default() })
            .await?
            .into_iter()
            .next(),
        (None, None) => return Err(bad("key", "key: Field required (or key_alias)")),
    };
    let found = found.ok_or_else(unknown)?;
    if !operator.who.0.may("GET", "/key/info", &about(Some(&found.id), &found.fields)) {
        return Err(unknown());
    }
    operator.must(method, path, &about(Some(&found.id), &found.fields))?;
    Ok(found)
}

/// The row of a key, also under a hash that it had before.
async fn by_text(edit: &mut Edit, key: &str) -> Result<Option<Record<KeyFields>>, Refused> {
    let hash = key_id(key);
    if let Some(found) = edit.get::<KeyFields>(&hash).await? {
        return Ok(Some(found));
    }
    match edit.get::<RetiredKeyFields>(&hash).await? {
        Some(retired) => edit.get::<KeyFields>(&retired.fields.active).await,
        None => Ok(None),
    }
}

/// A team that a key is to belong to.
pub(super) async fn team(edit: &mut Edit, id: &str) -> Result<Record<TeamFields>, Refused> {
    let team = edit.get::<TeamFields>(id).await?;
    team.ok_or_else(|| bad("team_id", format!("Unable to find team object in database. Team id: {id}")))
}

pub(super) fn unknown() -> Refused {
    missing("key", "Key not found.")
}
