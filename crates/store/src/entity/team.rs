//! Users who share keys and budgets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Columns, Entity, Kind, Object};

/// A team.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeamFields {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_alias: Option<String>,
    /// The organization above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// Who is in it, as what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members_with_roles: Vec<TeamPerson>,
    /// Routes that plain members may use for keys of the team; absent: the default ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_member_permissions: Option<Vec<String>>,
    /// Models its keys may use; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Other names for models, for its keys only.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub model_aliases: BTreeMap<String, String>,
    /// Free, and the home of tags, guardrails and the other switches.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub metadata: Object,
    /// Refused for now.
    pub blocked: bool,
    /// Routing that differs for its keys.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub router_settings: Object,
    /// Access groups whose models it may use too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_group_ids: Vec<String>,
    /// Models of a new member; empty: all of the team.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_team_member_models: Vec<String>,
    /// Which tools, stores and agents it may reach.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub object_permission: Object,
    /// The budget of each member who has none of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_member_budget_id: Option<String>,
    /// How long keys of members live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_member_key_duration: Option<String>,
    /// Its limits.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Entity for TeamFields {
    const KIND: Kind = Kind::Team;

    fn columns(&self) -> Columns<'_> {
        Columns {
            alias: self.team_alias.as_deref(),
            organization_id: self.organization_id.as_deref(),
            blocked: self.blocked,
            ..Columns::default()
        }
    }
}

/// A person in a team.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeamPerson {
    /// Who.
    pub user_id: Option<String>,
    /// Their address.
    pub user_email: Option<String>,
    /// `admin` or `user`.
    pub role: String,
}
