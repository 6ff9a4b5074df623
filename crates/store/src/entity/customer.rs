//! End users of applications.

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Columns, Entity, Kind, Object};

/// A customer. Those without limits are made when they first spend.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomerFields {
    /// What people call them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Refused for now.
    pub blocked: bool,
    /// The shared budget they are under; their own limits win over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_id: Option<String>,
    /// `eu` or `us`: only deployments there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_model_region: Option<String>,
    /// Used when a request names no model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_model: Option<String>,
    /// Models they may use; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Free.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub metadata: Object,
    /// Which tools, stores and agents they may reach.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub object_permission: Object,
    /// Its limits.
    #[serde(flatten)]
    pub limits: Limits,
}

impl Entity for CustomerFields {
    const KIND: Kind = Kind::Customer;

    fn columns(&self) -> Columns<'_> {
        Columns {
            alias: self.alias.as_deref(),
            budget_id: self.budget_id.as_deref(),
            blocked: self.blocked,
            ..Columns::default()
        }
    }
}
