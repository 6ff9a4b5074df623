//! A person as operators name one, by id or by address, found among the users or made one.

use serde::Deserialize;
use store::entity::{Filter, Object, Record, UserFields};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Refused;
use crate::operator::{Edit, bad};
use crate::terms::check_name;

/// The holder of the master key, who is no user.
const MASTER: &str = "default_user_id";

/// A person, by `user_id` or `user_email`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct Person {
    pub(crate) user_id: Option<String>,
    pub(crate) user_email: Option<String>,
}

/// An address as it is kept: two that differ in the case of letters are one.
pub(crate) fn address(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Writes the address in `changes` as it is kept.
pub(crate) fn settle_address(changes: &mut Object) {
    if let Some(serde_json::Value::String(email)) = changes.get_mut("user_email") {
        *email = address(email);
    }
}

/// The user with this address.
pub(crate) async fn by_address(edit: &mut Edit, email: &str) -> Result<Option<Record<UserFields>>, Refused> {
    let email = address(email);
    let found = edit.find(&Filter { alias: Some(&email), ..Filter::default() }).await?;
    Ok(found.into_iter().next())
}

impl Person {
    /// The user, if there is one.
    pub(crate) async fn find(&self, edit: &mut Edit) -> Result<Option<Record<UserFields>>, Refused> {
        match (&self.user_id, &self.user_email) {
            (Some(id), _) => edit.get(id).await,
            (None, Some(email)) => by_address(edit, email).await,
            (None, None) => Err(bad("user_id", "Either user_id or user_email must be provided")),
        }
    }

    /// The user, made if there is none: id and address. The holder of the master key is none and not made one.
    pub(crate) async fn settled(
        &self,
        edit: &mut Edit,
    ) -> Result<(String, Option<Record<UserFields>>), Refused> {
        if self.user_id.as_deref() == Some(MASTER) {
            return Ok((MASTER.to_owned(), None));
        }
        if let Some(user) = self.find(edit).await? {
            return Ok((user.id.clone(), Some(user)));
        }
        let email = self.user_email.as_deref().map(address).filter(|email| !email.is_empty());
        if let Some(email) = &email
            && by_address(edit, email).await?.is_some()
        {
            return Err(bad(
                "user_email",
                format!("User with email {email} already exists under another id"),
            ));
        }
        let id = self.user_id.clone().unwrap_or_else(|| Uuid::now_v7().to_string());
        check_name("user_id", &id)?;
        let fields = UserFields {
            user_email: email,
            user_role: Some("internal_user".to_owned()),
            ..UserFields::default()
        };
        let user = edit.record(id.clone(), fields);
        edit.add(&user).await?;
        Ok((id, Some(user)))
    }

    /// Whether it is this one.
    pub(crate) fn is(&self, user_id: Option<&str>, email: Option<&str>) -> bool {
        match (&self.user_id, &self.user_email) {
            (Some(id), _) => user_id == Some(id),
            (None, Some(wanted)) => email.is_some_and(|email| address(email) == address(wanted)),
            (None, None) => false,
        }
    }
}
