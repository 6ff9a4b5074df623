//! What operators manage: keys, users, teams and the rest, each with its fields under their public names.
//!
//! One file a kind. A [`Record`] is a row: the fields as a JSON body, what is searched for as columns, and
//! what the gateway itself counts (spend) apart from both, so that an edit never undoes a charge.
//!
//! Not here: what the fields mean for a call (`policy`), who may change them (`admin`).

mod budget;
mod credential;
mod customer;
mod group;
mod invitation;
mod key;
mod limits;
mod member;
mod model;
mod organization;
mod project;
mod setting;
mod table;
mod tag;
mod team;
mod user;

use policy::money::Cost;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::budget::BudgetFields;
pub use self::credential::CredentialFields;
pub use self::customer::CustomerFields;
pub use self::group::AccessGroupFields;
pub use self::invitation::InvitationFields;
pub use self::key::{KeyFields, RetiredKeyFields};
pub use self::limits::{BudgetWindow, Limits, ModelBudget};
pub use self::member::{OrganizationMemberFields, TeamMemberFields};
pub use self::model::ModelFields;
pub use self::organization::OrganizationFields;
pub use self::project::ProjectFields;
pub use self::setting::SettingFields;
pub use self::table::{Deleted, Filter, Order, Page};
pub(crate) use self::table::{Owned, borrowed, escaped};
pub use self::tag::TagFields;
pub use self::team::{TeamFields, TeamPerson};
pub use self::user::UserFields;

/// A JSON object, its members in the order they were written.
pub type Object = serde_json::Map<String, serde_json::Value>;

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A virtual key, by the SHA-256 of its text in hexadecimal.
    Key,
    /// A key that was replaced and still works for a while, by its old hash.
    RetiredKey,
    /// A person who uses the gateway.
    User,
    /// Users who share keys and budgets.
    Team,
    /// A user in a team, by `team/user`.
    TeamMember,
    /// Teams under one roof.
    Organization,
    /// A user in an organization, by `organization/user`.
    OrganizationMember,
    /// A cost centre inside a team.
    Project,
    /// An end user of an application.
    Customer,
    /// Limits that several share.
    Budget,
    /// A label of calls.
    Tag,
    /// A deployment that is not in the configuration file.
    Model,
    /// Provider credentials by name.
    Credential,
    /// A named set of models and who has it.
    AccessGroup,
    /// A link by which a user sets a password.
    Invitation,
    /// A section of the configuration that was changed at run time.
    Setting,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Key,
        Self::RetiredKey,
        Self::User,
        Self::Team,
        Self::TeamMember,
        Self::Organization,
        Self::OrganizationMember,
        Self::Project,
        Self::Customer,
        Self::Budget,
        Self::Tag,
        Self::Model,
        Self::Credential,
        Self::AccessGroup,
        Self::Invitation,
        Self::Setting,
    ];

    /// The table, which is also the word in `changes`, `deleted` and `audit`.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Key => "keys",
            Self::RetiredKey => "retired_keys",
            Self::User => "users",
            Self::Team => "teams",
            Self::TeamMember => "team_members",
            Self::Organization => "organizations",
            Self::OrganizationMember => "organization_members",
            Self::Project => "projects",
            Self::Customer => "customers",
            Self::Budget => "budgets",
            Self::Tag => "tags",
            Self::Model => "models",
            Self::Credential => "credentials",
            Self::AccessGroup => "access_groups",
            Self::Invitation => "invitations",
            Self::Setting => "settings",
        }
    }

    /// Whether the configuration is made of such rows, among others.
    #[must_use]
    pub const fn is_configuration(self) -> bool {
        matches!(self, Self::Model | Self::Credential | Self::Setting)
    }

    /// The kind of a table.
    #[must_use]
    pub fn of_table(table: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.table() == table)
    }
}

/// The fields of one kind of row.
pub trait Entity: Serialize + DeserializeOwned + Clone + std::fmt::Debug + Send + Sync {
    /// Which kind.
    const KIND: Kind;

    /// What rows of this kind are searched by.
    fn columns(&self) -> Columns<'_>;
}

/// Copies of fields by which rows are found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns<'a> {
    /// The name that people know it by.
    pub alias: Option<&'a str>,
    /// Whose it is.
    pub user_id: Option<&'a str>,
    /// The team it belongs to.
    pub team_id: Option<&'a str>,
    /// The organization it belongs to.
    pub organization_id: Option<&'a str>,
    /// The shared budget it is under.
    pub budget_id: Option<&'a str>,
    /// Refused for now.
    pub blocked: bool,
    /// Of no use after this time, in milliseconds of Unix time.
    pub expires_at: Option<i64>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record<T> {
    /// Unique within its kind.
    pub id: String,
    /// Its fields.
    pub fields: T,
    /// Spent in the running budget period.
    pub spend: Cost,
    /// Spent ever.
    pub total_spend: Cost,
    /// When the running budget period ends, in milliseconds of Unix time.
    pub budget_reset_at: Option<i64>,
    /// Milliseconds of Unix time.
    pub created_at: i64,
    /// Who made it: a user id.
    pub created_by: Option<String>,
    /// Milliseconds of Unix time.
    pub updated_at: i64,
    /// Who changed it last: a user id.
    pub updated_by: Option<String>,
}

impl<T: Entity> Record<T> {
    /// A row made now that has spent nothing.
    #[must_use]
    pub fn new(id: impl Into<String>, fields: T, now_ms: i64, actor: Option<&str>) -> Self {
        Self {
            id: id.into(),
            fields,
            spend: Cost::ZERO,
            total_spend: Cost::ZERO,
            budget_reset_at: None,
            created_at: now_ms,
            created_by: actor.map(str::to_owned),
            updated_at: now_ms,
            updated_by: actor.map(str::to_owned),
        }
    }
}
