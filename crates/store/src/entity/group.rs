//! Named sets of models, and who has them.

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Columns, Entity, Kind};

/// An access group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessGroupFields {
    /// Unique.
    pub access_group_name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Models.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_model_names: Vec<String>,
    /// Tool servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_mcp_server_ids: Vec<String>,
    /// Agents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_agent_ids: Vec<String>,
    /// Teams that have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assigned_team_ids: Vec<String>,
    /// Keys that have it, by hash.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assigned_key_ids: Vec<String>,
    /// Its limits.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Entity for AccessGroupFields {
    const KIND: Kind = Kind::AccessGroup;

    fn columns(&self) -> Columns<'_> {
        Columns { alias: Some(&self.access_group_name), ..Columns::default() }
    }
}
