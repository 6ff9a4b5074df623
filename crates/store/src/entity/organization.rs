//! Teams under one roof.

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Columns, Entity, Kind, Object};

/// An organization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrganizationFields {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_alias: Option<String>,
    /// The shared budget it is under; its own limits win over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_id: Option<String>,
    /// Models that may be used under it; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Free.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub metadata: Object,
    /// Which tools, stores and agents it may reach.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub object_permission: Object,
    /// Its limits.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Entity for OrganizationFields {
    const KIND: Kind = Kind::Organization;

    fn columns(&self) -> Columns<'_> {
        Columns {
            alias: self.organization_alias.as_deref(),
            budget_id: self.budget_id.as_deref(),
            ..Columns::default()
        }
    }
}
