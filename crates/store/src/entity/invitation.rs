//! Links by which users set a password.

use serde::{Deserialize, Serialize};

use super::{Columns, Entity, Kind};

/// An invitation. Its id is the secret of the link, hashed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvitationFields {
    /// Who is invited.
    pub user_id: String,
    /// It was used.
    pub is_accepted: bool,
    /// Milliseconds of Unix time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<i64>,
    /// Milliseconds of Unix time.
    pub expires_at: i64,
}

impl Entity for InvitationFields {
    const KIND: Kind = Kind::Invitation;

    fn columns(&self) -> Columns<'_> {
        Columns { user_id: Some(&self.user_id), expires_at: Some(self.expires_at), ..Columns::default() }
    }
}
