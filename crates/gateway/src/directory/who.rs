//! Who a key stands for, resolved once: the user, team and organization behind it, whom its calls are charged to, and
//! whose lists of models they must be on. Immutable; resolved anew after anything of it has changed.

use std::sync::Arc;

use policy::access::{Asked, ModelList};
use store::entity::{
    Entity, OrganizationFields, ProjectFields, Record, TeamFields, TeamMemberFields, UserFields,
};

use super::account::Account;
use super::key::Key;
use super::models::ModelAccounts;

/// A managed thing in force.
#[derive(Debug)]
pub struct Held<T> {
    /// Its row.
    pub record: Record<T>,
    /// Its limits and what it has used.
    pub account: Arc<Account>,
    /// The models it allows.
    pub models: ModelList,
    /// Budgets and limits of single models.
    pub model_accounts: ModelAccounts,
}

/// Whose list of models a call is not on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The key's.
    Key,
    /// The team's.
    Team,
    /// What the team lets this member use.
    Member,
    /// The user's.
    User,
    /// The project's.
    Project,
    /// The organization's.
    Organization,
    /// The customer's.
    Customer,
}

impl Level {
    /// LiteLLM's `type` of the refusal.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Key => "key_model_access_denied",
            Self::Team | Self::Member => "team_model_access_denied",
            Self::User => "user_model_access_denied",
            Self::Project => "project_model_access_denied",
            Self::Organization => "org_model_access_denied",
            Self::Customer => "customer_model_access_denied",
        }
    }
}

/// What is behind a key.
#[derive(Debug, Default)]
pub struct Who {
    /// The version of the directory it was resolved from.
    pub(super) version: u64,
    /// The user.
    pub user: Option<Arc<Held<UserFields>>>,
    /// The team.
    pub team: Option<Arc<Held<TeamFields>>>,
    /// The user in the team.
    pub member: Option<Arc<Held<TeamMemberFields>>>,
    /// The organization.
    pub organization: Option<Arc<Held<OrganizationFields>>>,
    /// The cost centre.
    pub project: Option<Arc<Held<ProjectFields>>>,
    /// Whom every call is charged to, the key first.
    pub accounts: Box<[Arc<Account>]>,
    /// Models that the key's access groups add to its list.
    pub granted: Option<ModelList>,
    /// Whether the key's user stands in for lists and budgets (a key without a team).
    pub personal: bool,
    /// Whether any of the accounts may run out of money.
    pub has_budget: bool,
    /// Whether any of the accounts has a limit at all.
    pub is_limited: bool,
    /// Whether single models have limits of their own.
    pub has_models: bool,
}

impl Who {
    /// Whose list a model is not on; `None` when all allow it.
    #[must_use]
    pub fn denies(&self, key: &Key, asked: Asked<'_>) -> Option<Level> {
        let team = self.team.as_ref().map(|team| &team.models);
        if let Some(list) = &key.models {
            let of_team = key.extras.as_ref().is_some_and(|extras| extras.team_models);
            let allowed = list.allows(asked)
                || self.granted.as_ref().is_some_and(|granted| granted.allows(asked))
                || of_team && team.is_none_or(|team| team.allows(asked));
            if !allowed {
                return Some(Level::Key);
            }
        }
        let member = self.member.as_ref().map(|member| &member.models);
        let user = self.user.as_ref().filter(|_| self.personal).map(|user| &user.models);
        let project = self.project.as_ref().map(|project| &project.models);
        let organization = self.organization.as_ref().map(|organization| &organization.models);
        [
            (Level::Team, team),
            (Level::Member, member),
            (Level::User, user),
            (Level::Project, project),
            (Level::Organization, organization),
        ]
        .into_iter()
        .find_map(|(level, list)| (!list?.allows(asked)).then_some(level))
    }

    /// The accounts of this one model.
    pub fn model_accounts<'a>(
        &'a self,
        key: &'a Key,
        asked: Asked<'a>,
    ) -> impl Iterator<Item = &'a Arc<Account>> {
        let of_key = key.extras.as_ref().map(|extras| &extras.model_accounts);
        let of_team = self.team.as_ref().map(|team| &team.model_accounts);
        let of_organization = self.organization.as_ref().map(|organization| &organization.model_accounts);
        [of_key, of_team, of_organization]
            .into_iter()
            .flatten()
            .flat_map(move |accounts| accounts.of_model(asked))
    }
}

impl<T: Entity> Held<T> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.record.id
    }
}
