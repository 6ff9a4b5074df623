//! Cost centres inside teams.

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Columns, Entity, Kind, Object};

/// A project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectFields {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_alias: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The team it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// The shared budget it is under; its own limits win over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_id: Option<String>,
    /// Models that may be used; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Free.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub metadata: Object,
    /// Refused for now.
    pub blocked: bool,
    /// Which tools, stores and agents it may reach.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub object_permission: Object,
    /// Its limits.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Entity for ProjectFields {
    const KIND: Kind = Kind::Project;

    fn columns(&self) -> Columns<'_> {
        Columns {
            alias: self.project_alias.as_deref(),
            team_id: self.team_id.as_deref(),
            budget_id: self.budget_id.as_deref(),
            blocked: self.blocked,
            ..Columns::default()
        }
    }
}
