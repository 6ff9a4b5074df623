//! Labels of calls.

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Columns, Entity, Kind, Object};

/// A tag.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TagFields {
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Deployments that calls with it may use; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Names of those deployments, as sent.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub model_info: Object,
    /// The shared budget it is under; its own limits win over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_id: Option<String>,
    /// Its limits.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Entity for TagFields {
    const KIND: Kind = Kind::Tag;

    fn columns(&self) -> Columns<'_> {
        Columns { budget_id: self.budget_id.as_deref(), ..Columns::default() }
    }
}
