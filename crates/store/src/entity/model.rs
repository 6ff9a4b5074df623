//! Deployments that are not in the configuration file.

use serde::{Deserialize, Serialize};

use super::{Columns, Entity, Kind, Object};

/// A deployment, as an entry of `model_list`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelFields {
    /// The public name.
    pub model_name: String,
    /// Strings of secrets are sealed, see `admin`.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub litellm_params: Object,
    /// Free, and prices and limits.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub model_info: Object,
    /// Not called for now.
    pub blocked: bool,
}

impl Entity for ModelFields {
    const KIND: Kind = Kind::Model;

    fn columns(&self) -> Columns<'_> {
        Columns { alias: Some(&self.model_name), blocked: self.blocked, ..Columns::default() }
    }
}
