//! Sections of the configuration that were changed at run time.

use serde::{Deserialize, Serialize};

use super::{Columns, Entity, Kind, Object};

/// One section. Its id is its name: `router_settings`, `litellm_settings`, ….
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingFields {
    /// What was set, over what the file says.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub values: Object,
}

impl Entity for SettingFields {
    const KIND: Kind = Kind::Setting;

    fn columns(&self) -> Columns<'_> {
        Columns::default()
    }
}
