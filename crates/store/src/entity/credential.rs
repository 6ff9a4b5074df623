//! Provider credentials by name.

use serde::{Deserialize, Serialize};

use super::{Columns, Entity, Kind, Object};

/// A credential. Its id is its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CredentialFields {
    /// Sealed, one by one.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub credential_values: Object,
    /// Free.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub credential_info: Object,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

impl Entity for CredentialFields {
    const KIND: Kind = Kind::Credential;

    fn columns(&self) -> Columns<'_> {
        Columns::default()
    }
}
