//! Users in teams and in organizations, with what each may spend there.

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Columns, Entity, Kind};

/// A user in a team.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeamMemberFields {
    /// Who.
    pub user_id: String,
    /// In what.
    pub team_id: String,
    /// A shared budget; the limits here win over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_id: Option<String>,
    /// Models of the team that this member may use; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_models: Vec<String>,
    /// Its limits.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Entity for TeamMemberFields {
    const KIND: Kind = Kind::TeamMember;

    fn columns(&self) -> Columns<'_> {
        Columns {
            user_id: Some(&self.user_id),
            team_id: Some(&self.team_id),
            budget_id: self.budget_id.as_deref(),
            ..Columns::default()
        }
    }
}

/// A user in an organization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrganizationMemberFields {
    /// Who.
    pub user_id: String,
    /// In what.
    pub organization_id: String,
    /// `org_admin`, `internal_user` or `internal_user_viewer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_role: Option<String>,
    /// A shared budget; the limits here win over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_id: Option<String>,
    /// Its limits.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Entity for OrganizationMemberFields {
    const KIND: Kind = Kind::OrganizationMember;

    fn columns(&self) -> Columns<'_> {
        Columns {
            user_id: Some(&self.user_id),
            organization_id: Some(&self.organization_id),
            budget_id: self.budget_id.as_deref(),
            ..Columns::default()
        }
    }
}
