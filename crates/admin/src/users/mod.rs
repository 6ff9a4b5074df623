//! Users: people who have keys and sign in to the dashboard.
//!
//! One file a subject: [`new`], [`change`], [`list`], [`gone`], [`person`]. Not here: how they sign in.

pub(crate) mod change;
pub(crate) mod gone;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod person;

use policy::roles::Object as About;
use serde_json::Value;
use store::entity::{Object, OrganizationMemberFields, Record, UserFields};

use crate::access::Refused;
use crate::operator::{Operator, bad, forbidden};
use crate::shown::{self, Blank, Shape};

const SHAPE: Shape = &[
    ("user_email", Blank::Null),
    ("user_alias", Blank::Null),
    ("user_role", Blank::Null),
    ("sso_user_id", Blank::Null),
    ("organization_id", Blank::Null),
    ("teams", Blank::List),
    ("models", Blank::List),
    ("metadata", Blank::Object),
    ("allowed_cache_controls", Blank::List),
    ("object_permission", Blank::Null),
];

/// The roles on the proxy, with what people are told of them.
const ROLES: [(&str, &str, &str); 4] = [
    ("proxy_admin", "admin over litellm proxy, has all permissions", "Admin (All Permissions)"),
    ("proxy_admin_viewer", "view all keys, view all spend", "Admin (View Only)"),
    (
        "internal_user",
        "view/create/delete their own keys, view their own spend",
        "Internal User (Create/Delete/View)",
    ),
    ("internal_user_viewer", "view their own keys, view their own spend", "Internal User (View Only)"),
];

/// A user as they are shown; nobody is shown a password, not even its hash.
pub(crate) fn shown(record: &Record<UserFields>) -> Result<Object, Refused> {
    shown::row("user_id", record, SHAPE)
}

/// Goes on only with a role there is, which this operator may give.
fn check_role(operator: &Operator, role: &str) -> Result<(), Refused> {
    if !ROLES.iter().any(|(name, ..)| *name == role) {
        let names = ROLES.map(|(name, ..)| name).join(", ");
        return Err(bad("user_role", format!("user_role: {role:?} is none of {names}")));
    }
    if role.starts_with("proxy_admin") && !operator.is_admin() {
        let message = "Only proxy admins can create administrative users or give their roles.";
        return Err(forbidden("user_role", message));
    }
    Ok(())
}

/// A password is set by its owner, who proves who they are.
fn check_password(sent: &Object) -> Result<(), Refused> {
    match sent.get("password") {
        None | Some(Value::Null) => Ok(()),
        Some(_) => {
            let message =
                "password: is set with an invitation (/invitation/new) or with /user/password/change";
            Err(bad("password", message))
        }
    }
}

/// Of the organizations that a user is in, one that the operator manages.
fn led(operator: &Operator, memberships: Vec<Record<OrganizationMemberFields>>) -> Option<String> {
    let leads = |id: &str| operator.who.0.organizations.iter().any(|(own, admin)| own == id && *admin);
    let mut ids = memberships.into_iter().map(|membership| membership.fields.organization_id);
    ids.find(|id| leads(id))
}

/// Goes on only if the operator may change a user by this route: whoever manages the organization the user was made
/// in. Who was only put into it is not theirs to change: anybody can be. Nobody but proxy admins touches proxy admins.
fn must(operator: &Operator, path: &str, id: &str, user: Option<&Record<UserFields>>) -> Result<(), Refused> {
    let organization = user.and_then(|user| user.fields.organization_id.as_deref());
    operator.must("POST", path, &About { owner: Some(id), organization, ..About::default() })?;
    let is_admin = |user: &Record<UserFields>| {
        user.fields.user_role.as_deref().is_some_and(|role| role.starts_with("proxy_admin"))
    };
    if user.is_some_and(is_admin) && !operator.is_admin() && operator.user() != Some(id) {
        return Err(forbidden("user_id", "Only proxy admins can change or delete proxy admins."));
    }
    Ok(())
}
