//! What is the same of users, teams and the others that have limits, and where each differs.

use std::sync::Arc;

use store::entity::{
    CustomerFields, Entity, Limits, Object, OrganizationFields, ProjectFields, TagFields, TeamFields,
    TeamMemberFields, UserFields,
};

use super::account::AccountKind;
use super::rows::{Map, Rows};
use super::who::Held;

/// A kind of row that has limits and spends.
pub(super) trait Managed: Entity {
    /// The kind of its account.
    const ACCOUNT: AccountKind;
    /// The kind of the accounts of single models that it may have.
    const MODELS: AccountKind;

    /// Where such rows are.
    fn map(rows: &mut Rows) -> &mut Map<String, Arc<Held<Self>>>;

    /// What its account is made of.
    fn parts(&self, rows: &Rows) -> Parts;
}

/// What an account is made of.
pub(super) struct Parts {
    /// What people call it.
    pub(super) alias: Option<String>,
    /// The limits of the budget that it is under.
    pub(super) shared: Option<Limits>,
    /// Its own.
    pub(super) limits: Limits,
    /// The models it allows.
    pub(super) models: Vec<String>,
    /// Where limits of single models may stand too.
    pub(super) metadata: Object,
}

impl Managed for UserFields {
    const ACCOUNT: AccountKind = AccountKind::User;
    const MODELS: AccountKind = AccountKind::KeyModel;

    fn map(rows: &mut Rows) -> &mut Map<String, Arc<Held<Self>>> {
        &mut rows.users
    }

    fn parts(&self, _: &Rows) -> Parts {
        Parts {
            alias: self.user_email.clone().or_else(|| self.user_alias.clone()),
            shared: None,
            limits: self.limits.clone(),
            models: self.models.clone(),
            metadata: Object::new(),
        }
    }
}

impl Managed for TeamFields {
    const ACCOUNT: AccountKind = AccountKind::Team;
    const MODELS: AccountKind = AccountKind::TeamModel;

    fn map(rows: &mut Rows) -> &mut Map<String, Arc<Held<Self>>> {
        &mut rows.teams
    }

    fn parts(&self, rows: &Rows) -> Parts {
        Parts {
            alias: self.team_alias.clone(),
            shared: None,
            limits: self.limits.clone(),
            models: rows.with_groups(&self.models, &self.access_group_ids),
            metadata: self.metadata.clone(),
        }
    }
}

impl Managed for TeamMemberFields {
    const ACCOUNT: AccountKind = AccountKind::Member;
    const MODELS: AccountKind = AccountKind::KeyModel;

    fn map(rows: &mut Rows) -> &mut Map<String, Arc<Held<Self>>> {
        &mut rows.members
    }

    fn parts(&self, rows: &Rows) -> Parts {
        let of_team = || rows.teams.get(&self.team_id)?.record.fields.team_member_budget_id.clone();
        let shared = self.budget_id.clone().or_else(of_team);
        Parts {
            alias: None,
            shared: rows.limits_of(shared.as_ref()),
            limits: self.limits.clone(),
            models: self.allowed_models.clone(),
            metadata: Object::new(),
        }
    }
}

impl Managed for OrganizationFields {
    const ACCOUNT: AccountKind = AccountKind::Organization;
    const MODELS: AccountKind = AccountKind::OrganizationModel;

    fn map(rows: &mut Rows) -> &mut Map<String, Arc<Held<Self>>> {
        &mut rows.organizations
    }

    fn parts(&self, rows: &Rows) -> Parts {
        Parts {
            alias: self.organization_alias.clone(),
            shared: rows.limits_of(self.budget_id.as_ref()),
            limits: self.limits.clone(),
            models: self.models.clone(),
            metadata: self.metadata.clone(),
        }
    }
}

impl Managed for ProjectFields {
    const ACCOUNT: AccountKind = AccountKind::Project;
    const MODELS: AccountKind = AccountKind::TeamModel;

    fn map(rows: &mut Rows) -> &mut Map<String, Arc<Held<Self>>> {
        &mut rows.projects
    }

    fn parts(&self, rows: &Rows) -> Parts {
        Parts {
            alias: self.project_alias.clone(),
            shared: rows.limits_of(self.budget_id.as_ref()),
            limits: self.limits.clone(),
            models: self.models.clone(),
            metadata: Object::new(),
        }
    }
}

impl Managed for CustomerFields {
    const ACCOUNT: AccountKind = AccountKind::Customer;
    const MODELS: AccountKind = AccountKind::KeyModel;

    fn map(rows: &mut Rows) -> &mut Map<String, Arc<Held<Self>>> {
        &mut rows.customers
    }

    fn parts(&self, rows: &Rows) -> Parts {
        Parts {
            alias: self.alias.clone(),
            shared: rows.limits_of(self.budget_id.as_ref()),
            limits: self.limits.clone(),
            models: self.models.clone(),
            metadata: Object::new(),
        }
    }
}

impl Managed for TagFields {
    const ACCOUNT: AccountKind = AccountKind::Tag;
    const MODELS: AccountKind = AccountKind::KeyModel;

    fn map(rows: &mut Rows) -> &mut Map<String, Arc<Held<Self>>> {
        &mut rows.tags
    }

    fn parts(&self, rows: &Rows) -> Parts {
        Parts {
            alias: None,
            shared: rows.limits_of(self.budget_id.as_ref()),
            limits: self.limits.clone(),
            models: Vec::new(),
            metadata: Object::new(),
        }
    }
}
