//! Who an operator is: what management routes judge by. Made when it is asked for, not for calls of models.

use policy::account::Terms;
use policy::roles::{Actor, Membership, Object, Role, may, rule};

/// A user's place in a team.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// The team.
    pub team: String,
    /// As its admin.
    pub admin: bool,
    /// The routes that the team permits its members; empty: the default ones.
    pub permissions: Vec<String>,
}

/// Who asks, and where they belong.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// `proxy_admin`, `proxy_admin_viewer`, `internal_user`, `internal_user_viewer`; a key without a user is
    /// `internal_user`.
    pub role: String,
    /// The master key was shown (or nobody needs one).
    pub master: bool,
    /// The user.
    pub user_id: Option<String>,
    /// The key that was shown, by its hash; `None` for the master key.
    pub key: Option<String>,
    /// The team of that key.
    pub key_team: Option<String>,
    /// Teams the user is in.
    pub teams: Vec<Seat>,
    /// Organizations the user is in, and whether as its admin.
    pub organizations: Vec<(String, bool)>,
    /// Models the key (else the user) may use; empty: all.
    pub models: Vec<String>,
    /// Routes the key may use; empty: all.
    pub routes: Vec<String>,
    /// Limits of the key, where it has none of the user; budgets of both.
    pub terms: Terms,
}

impl Identity {
    /// The holder of the master key.
    #[must_use]
    pub fn master() -> Self {
        Self {
            role: "proxy_admin".to_owned(),
            master: true,
            user_id: Some("default_user_id".to_owned()),
            ..Self::default()
        }
    }

    /// Who is written into `created_by` and the audit log.
    #[must_use]
    pub fn actor(&self) -> &str {
        self.user_id.as_deref().or(self.key.as_deref()).unwrap_or("default_user_id")
    }

    /// Whether they may call a management route about something. A route without a rule is nobody's.
    #[must_use]
    pub fn may(&self, method: &str, path: &str, object: &Object<'_>) -> bool {
        let Some(rule) = rule(method, path) else { return false };
        let teams: Vec<Membership<'_>> = self
            .teams
            .iter()
            .map(|seat| Membership {
                id: &seat.team,
                role: if seat.admin { Role::TeamAdmin } else { Role::TeamMember },
                permissions: &seat.permissions,
            })
            .collect();
        let organizations: Vec<Membership<'_>> = self
            .organizations
            .iter()
            .map(|(id, admin)| Membership {
                id,
                role: if *admin { Role::OrgAdmin } else { Role::InternalUser },
                permissions: &[],
            })
            .collect();
        let actor = Actor {
            role: Role::parse(&self.role).unwrap_or(Role::InternalViewer),
            master: self.master,
            user: self.user_id.as_deref(),
            teams: &teams,
            organizations: &organizations,
            key: self.key.as_deref(),
            key_team: self.key_team.as_deref(),
        };
        may(rule, &actor, object)
    }

    /// May do everything.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.master || self.role == "proxy_admin"
    }
}
