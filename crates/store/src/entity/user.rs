//! People who use the gateway.

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Columns, Entity, Kind, Object};

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserFields {
    /// Unique, in any case of letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_email: Option<String>,
    /// What people call them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_alias: Option<String>,
    /// `proxy_admin`, `proxy_admin_viewer`, `internal_user` or `internal_user_viewer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_role: Option<String>,
    /// Their id at the identity provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sso_user_id: Option<String>,
    /// A hash: argon2, or one taken over from LiteLLM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The organization they were made in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// Teams they are in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// Models their personal keys may use; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Free.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub metadata: Object,
    /// Cache controls that requests may use; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_cache_controls: Vec<String>,
    /// Which tools, stores and agents they may reach.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub object_permission: Object,
    /// Refused for now.
    pub blocked: bool,
    /// Its limits.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Entity for UserFields {
    const KIND: Kind = Kind::User;

    fn columns(&self) -> Columns<'_> {
        Columns {
            alias: self.user_email.as_deref(),
            organization_id: self.organization_id.as_deref(),
            blocked: self.blocked,
            ..Columns::default()
        }
    }
}
