//! All that is managed, as the database had it last. Kept behind one lock in [`super::Directory`].

use std::collections::HashMap;
use std::sync::Arc;

use policy::access::{Asked, ModelList};
use store::changes::Change;
use store::db::{Db, DbError};
use store::entity::{
    AccessGroupFields, BudgetFields, CustomerFields, Entity, Filter, KeyFields, Kind, Limits,
    OrganizationFields, OrganizationMemberFields, ProjectFields, Record, RetiredKeyFields, TagFields,
    TeamFields, TeamMemberFields, UserFields,
};

use store::ledger::Charge;

use super::account::{Account, AccountKind, terms};
use super::key::Key;
use super::managed::{Managed, Parts};
use super::models::ModelAccounts;
use super::who::{Held, Who};
use crate::hash::{Hash, hash_of};

/// Rows read at once: enough to be fast, few enough to need little memory.
const PAGE: u32 = 2_000;

pub(super) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Everything, by id.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) keys: Map<Hash, Arc<Key>>,
    pub(super) retired: Map<Hash, (Hash, i64)>,
    pub(super) users: Map<String, Arc<Held<UserFields>>>,
    pub(super) teams: Map<String, Arc<Held<TeamFields>>>,
    pub(super) members: Map<String, Arc<Held<TeamMemberFields>>>,
    pub(super) organizations: Map<String, Arc<Held<OrganizationFields>>>,
    pub(super) organization_members: Map<String, Arc<Record<OrganizationMemberFields>>>,
    pub(super) projects: Map<String, Arc<Held<ProjectFields>>>,
    pub(super) customers: Map<String, Arc<Held<CustomerFields>>>,
    pub(super) tags: Map<String, Arc<Held<TagFields>>>,
    pub(super) budgets: Map<String, Arc<Record<BudgetFields>>>,
    pub(super) groups: Map<String, Arc<Record<AccessGroupFields>>>,
}

/// A row that was read, or that it is gone.
pub(super) enum Loaded {
    Key(Record<KeyFields>),
    /// A key's hash is another now.
    KeyMoved(Hash, Record<KeyFields>),
    Retired(Record<RetiredKeyFields>),
    User(Record<UserFields>),
    Team(Record<TeamFields>),
    Member(Record<TeamMemberFields>),
    Organization(Record<OrganizationFields>),
    OrganizationMember(Record<OrganizationMemberFields>),
    Project(Record<ProjectFields>),
    Customer(Record<CustomerFields>),
    Tag(Record<TagFields>),
    Budget(Record<BudgetFields>),
    Group(Record<AccessGroupFields>),
    Gone(Kind, String),
}

/// What a database holds, of what was known before it was read: all else is gone.
#[derive(Default)]
pub(super) struct Seen(std::collections::HashSet<(Kind, String), foldhash::fast::RandomState>);

impl Seen {
    pub(super) fn note(&mut self, loaded: &Loaded) {
        let (kind, id) = match loaded {
            Loaded::Key(record) | Loaded::KeyMoved(_, record) => (Kind::Key, &record.id),
            Loaded::Retired(record) => (Kind::RetiredKey, &record.id),
            Loaded::User(record) => (Kind::User, &record.id),
            Loaded::Team(record) => (Kind::Team, &record.id),
            Loaded::Member(record) => (Kind::TeamMember, &record.id),
            Loaded::Organization(record) => (Kind::Organization, &record.id),
            Loaded::OrganizationMember(record) => (Kind::OrganizationMember, &record.id),
            Loaded::Project(record) => (Kind::Project, &record.id),
            Loaded::Customer(record) => (Kind::Customer, &record.id),
            Loaded::Tag(record) => (Kind::Tag, &record.id),
            Loaded::Budget(record) => (Kind::Budget, &record.id),
            Loaded::Group(record) => (Kind::AccessGroup, &record.id),
            Loaded::Gone(..) => return,
        };
        self.0.insert((kind, id.clone()));
    }

    fn has(&self, kind: Kind, id: &str) -> bool {
        self.0.contains(&(kind, id.to_owned()))
    }
}

/// The kinds that calls depend on. Budgets and groups come first: the others point to them.
const KINDS: [Kind; 12] = [
    Kind::Budget,
    Kind::AccessGroup,
    Kind::Organization,
    Kind::OrganizationMember,
    Kind::Team,
    Kind::TeamMember,
    Kind::Project,
    Kind::User,
    Kind::Customer,
    Kind::Tag,
    Kind::RetiredKey,
    Kind::Key,
];

/// Reads all rows of all kinds, handing them over a page at a time.
pub(super) async fn all(db: &Db, mut take: impl FnMut(Vec<Loaded>)) -> Result<(), DbError> {
    for kind in KINDS {
        match kind {
            Kind::Budget => pages(db, Loaded::Budget, &mut take).await?,
            Kind::AccessGroup => pages(db, Loaded::Group, &mut take).await?,
            Kind::Organization => pages(db, Loaded::Organization, &mut take).await?,
            Kind::OrganizationMember => pages(db, Loaded::OrganizationMember, &mut take).await?,
            Kind::Team => pages(db, Loaded::Team, &mut take).await?,
            Kind::TeamMember => pages(db, Loaded::Member, &mut take).await?,
            Kind::Project => pages(db, Loaded::Project, &mut take).await?,
            Kind::User => pages(db, Loaded::User, &mut take).await?,
            Kind::Customer => pages(db, Loaded::Customer, &mut take).await?,
            Kind::Tag => pages(db, Loaded::Tag, &mut take).await?,
            Kind::RetiredKey => pages(db, Loaded::Retired, &mut take).await?,
            Kind::Key => pages(db, Loaded::Key, &mut take).await?,
            Kind::Model | Kind::Credential | Kind::Invitation | Kind::Setting => {}
        }
    }
    Ok(())
}

async fn pages<T: Entity>(
    db: &Db,
    wrap: fn(Record<T>) -> Loaded,
    take: &mut impl FnMut(Vec<Loaded>),
) -> Result<(), DbError> {
    let mut after = String::new();
    loop {
        let page = db.after::<T>(&after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.id);
        take(page.into_iter().map(wrap).collect());
    }
}

/// Reads what a change is about, and what depends on it.
pub(super) async fn changed(db: &Db, change: &Change) -> Result<Vec<Loaded>, DbError> {
    let id = change.id.as_str();
    let mut found = match change.kind {
        Kind::Key => match id.split_once('>') {
            Some((from, to)) => {
                let record = db.get::<KeyFields>(to).await?;
                let moved = record.and_then(|record| Some(Loaded::KeyMoved(hash_of(from)?, record)));
                vec![moved.unwrap_or_else(|| Loaded::Gone(Kind::Key, from.to_owned()))]
            }
            None => vec![one(db, id, Loaded::Key).await?],
        },
        Kind::RetiredKey => vec![one(db, id, Loaded::Retired).await?],
        Kind::User => vec![one(db, id, Loaded::User).await?],
        Kind::Team => vec![one(db, id, Loaded::Team).await?],
        Kind::TeamMember => vec![one(db, id, Loaded::Member).await?],
        Kind::Organization => vec![one(db, id, Loaded::Organization).await?],
        Kind::OrganizationMember => vec![one(db, id, Loaded::OrganizationMember).await?],
        Kind::Project => vec![one(db, id, Loaded::Project).await?],
        Kind::Customer => vec![one(db, id, Loaded::Customer).await?],
        Kind::Tag => vec![one(db, id, Loaded::Tag).await?],
        Kind::Budget => vec![one(db, id, Loaded::Budget).await?],
        Kind::AccessGroup => vec![one(db, id, Loaded::Group).await?],
        Kind::Model | Kind::Credential | Kind::Invitation | Kind::Setting => Vec::new(),
    };
    if change.kind == Kind::Budget {
        let under = Filter { budget_id: Some(id), ..Filter::default() };
        found.extend(db.find(&under).await?.into_iter().map(Loaded::Organization));
        found.extend(db.find(&under).await?.into_iter().map(Loaded::Member));
        found.extend(db.find(&under).await?.into_iter().map(Loaded::Project));
        found.extend(db.find(&under).await?.into_iter().map(Loaded::Customer));
        found.extend(db.find(&under).await?.into_iter().map(Loaded::Tag));
        found.extend(db.find(&under).await?.into_iter().map(Loaded::Key));
    }
    Ok(found)
}

async fn one<T: Entity>(db: &Db, id: &str, wrap: fn(Record<T>) -> Loaded) -> Result<Loaded, DbError> {
    Ok(db.get::<T>(id).await?.map_or_else(|| Loaded::Gone(T::KIND, id.to_owned()), wrap))
}

impl Rows {
    /// Puts a row in force.
    pub(super) fn take(&mut self, loaded: Loaded, now_ms: i64) {
        match loaded {
            Loaded::Key(record) => self.take_key(None, &record, now_ms),
            Loaded::KeyMoved(from, record) => self.take_key(Some(from), &record, now_ms),
            Loaded::Retired(record) => {
                if let (Some(old), Some(active)) = (hash_of(&record.id), hash_of(&record.fields.active)) {
                    self.retired.insert(old, (active, record.fields.revoke_at));
                }
            }
            Loaded::User(record) => self.hold(record, now_ms),
            Loaded::Team(record) => self.hold(record, now_ms),
            Loaded::Member(record) => self.hold(record, now_ms),
            Loaded::Organization(record) => self.hold(record, now_ms),
            Loaded::Project(record) => self.hold(record, now_ms),
            Loaded::Customer(record) => self.hold(record, now_ms),
            Loaded::Tag(record) => self.hold(record, now_ms),
            Loaded::OrganizationMember(record) => {
                self.organization_members.insert(record.id.clone(), Arc::new(record));
            }
            Loaded::Budget(record) => drop(self.budgets.insert(record.id.clone(), Arc::new(record))),
            Loaded::Group(record) => drop(self.groups.insert(record.id.clone(), Arc::new(record))),
            Loaded::Gone(kind, id) => self.forget(kind, &id),
        }
    }

    fn take_key(&mut self, from: Option<Hash>, record: &Record<KeyFields>, now_ms: i64) {
        let before = from.and_then(|from| self.keys.remove(&from));
        let before = before.or_else(|| self.keys.get(&hash_of(&record.id)?).cloned());
        let shared = self.limits_of(record.fields.budget_id.as_ref());
        if let Some(key) = Key::compile(record, shared.as_ref(), before.as_deref(), now_ms) {
            self.keys.insert(key.hash, Arc::new(key));
        }
    }

    /// The account of a row.
    pub(super) fn account(&self, kind: Kind, id: &str) -> Option<Arc<Account>> {
        let account = match kind {
            Kind::Key => {
                let hash = hash_of(id)?;
                let active = || self.keys.get(&self.retired.get(&hash)?.0);
                &self.keys.get(&hash).or_else(active)?.account
            }
            Kind::User => &self.users.get(id)?.account,
            Kind::Team => &self.teams.get(id)?.account,
            Kind::TeamMember => &self.members.get(id)?.account,
            Kind::Organization => &self.organizations.get(id)?.account,
            Kind::Project => &self.projects.get(id)?.account,
            Kind::Customer => &self.customers.get(id)?.account,
            Kind::Tag => &self.tags.get(id)?.account,
            Kind::RetiredKey
            | Kind::OrganizationMember
            | Kind::Budget
            | Kind::Model
            | Kind::Credential
            | Kind::AccessGroup
            | Kind::Invitation
            | Kind::Setting => return None,
        };
        Some(Arc::clone(account))
    }

    /// The account of this name: a row's, or of one model.
    pub(super) fn named(&self, name: &str) -> Option<Arc<Account>> {
        let (word, id) = name.split_once(':')?;
        let kinds = [
            AccountKind::Key,
            AccountKind::User,
            AccountKind::Team,
            AccountKind::Member,
            AccountKind::Organization,
            AccountKind::Project,
            AccountKind::Customer,
            AccountKind::Tag,
        ];
        match kinds.into_iter().find(|kind| kind.word() == word).and_then(AccountKind::row) {
            Some(kind) => self.account(kind, id),
            None => self.model_account(name),
        }
    }

    /// The account of one model of a key, team or organization.
    pub(super) fn model_account(&self, name: &str) -> Option<Arc<Account>> {
        let (word, id) = name.split_once(':')?;
        let owner = id.split_once(':')?.0;
        let accounts = if word == AccountKind::KeyModel.word() {
            &self.keys.get(&hash_of(owner)?)?.extras.as_ref()?.model_accounts
        } else if word == AccountKind::TeamModel.word() {
            &self.teams.get(owner)?.model_accounts
        } else {
            &self.organizations.get(owner)?.model_accounts
        };
        accounts.all().find(|account| &*account.id == id).cloned()
    }

    /// The accounts of single models that a recorded charge is counted against.
    pub(super) fn model_accounts_of(
        &self,
        charge: &Charge<'_>,
        asked: Asked<'_>,
        found: &mut Vec<Arc<Account>>,
    ) {
        let key = hash_of(&charge.caller).and_then(|hash| self.keys.get(&hash));
        let of_key = key.and_then(|key| Some(&key.extras.as_ref()?.model_accounts));
        let of_team = self.teams.get(&*charge.team).map(|team| &team.model_accounts);
        let of_organization = self.organizations.get(&*charge.organization).map(|held| &held.model_accounts);
        let all = [of_key, of_team, of_organization].into_iter().flatten();
        found.extend(all.flat_map(|accounts| accounts.of_model(asked)).cloned());
    }

    /// Forgets whatever was not `seen`.
    pub(super) fn keep(&mut self, seen: &Seen) {
        self.keys.retain(|_, key| seen.has(Kind::Key, key.id()));
        self.users.retain(|id, _| seen.has(Kind::User, id));
        self.teams.retain(|id, _| seen.has(Kind::Team, id));
        self.members.retain(|id, _| seen.has(Kind::TeamMember, id));
        self.organizations.retain(|id, _| seen.has(Kind::Organization, id));
        self.organization_members.retain(|id, _| seen.has(Kind::OrganizationMember, id));
        self.projects.retain(|id, _| seen.has(Kind::Project, id));
        self.customers.retain(|id, _| seen.has(Kind::Customer, id));
        self.tags.retain(|id, _| seen.has(Kind::Tag, id));
        self.budgets.retain(|id, _| seen.has(Kind::Budget, id));
        self.groups.retain(|id, _| seen.has(Kind::AccessGroup, id));
        // Old hashes that were revoked meanwhile say so themselves by their time.
    }

    fn hold<T: Managed>(&mut self, record: Record<T>, now_ms: i64) {
        let Parts { alias, shared, limits, models, metadata } = record.fields.parts(self);
        let account =
            Account::new(T::ACCOUNT, &record.id, alias.as_deref(), terms(&limits, shared.as_ref(), now_ms));
        let map = T::map(self);
        let before = map.get(&record.id);
        let account = match before {
            Some(before) => before.account.amended(account),
            None => {
                account.restore(
                    0,
                    record.spend,
                    record.budget_reset_at.and_then(|at| u64::try_from(at).ok()),
                );
                account
            }
        };
        let accounts = before.map(|before| &before.model_accounts);
        let model_accounts = ModelAccounts::of(T::MODELS, &record.id, &limits, &metadata, accounts);
        let models = ModelList::new(&models);
        map.insert(
            record.id.clone(),
            Arc::new(Held { account: Arc::new(account), models, model_accounts, record }),
        );
    }

    pub(super) fn limits_of(&self, budget: Option<&String>) -> Option<Limits> {
        Some(self.budgets.get(budget?)?.fields.limits.clone())
    }

    /// A list of models and what access groups add to it. An empty list allows all as it is.
    pub(super) fn with_groups(&self, models: &[String], groups: &[String]) -> Vec<String> {
        let mut all = models.to_vec();
        if !models.is_empty() {
            let names = groups.iter().filter_map(|group| self.groups.get(group));
            all.extend(names.flat_map(|group| group.fields.access_model_names.iter().cloned()));
        }
        all
    }

    fn forget(&mut self, kind: Kind, id: &str) {
        match kind {
            Kind::Key => drop(hash_of(id).and_then(|hash| self.keys.remove(&hash))),
            Kind::RetiredKey => drop(hash_of(id).and_then(|hash| self.retired.remove(&hash))),
            Kind::User => drop(self.users.remove(id)),
            Kind::Team => drop(self.teams.remove(id)),
            Kind::TeamMember => drop(self.members.remove(id)),
            Kind::Organization => drop(self.organizations.remove(id)),
            Kind::OrganizationMember => drop(self.organization_members.remove(id)),
            Kind::Project => drop(self.projects.remove(id)),
            Kind::Customer => drop(self.customers.remove(id)),
            Kind::Tag => drop(self.tags.remove(id)),
            Kind::Budget => drop(self.budgets.remove(id)),
            Kind::AccessGroup => drop(self.groups.remove(id)),
            Kind::Model | Kind::Credential | Kind::Invitation | Kind::Setting => {}
        }
    }

    /// Who a key stands for now.
    pub(super) fn resolve(&self, key: &Key, version: u64, user_pays_for_teams: bool) -> Who {
        let user = key.user.as_deref().and_then(|id| self.users.get(id)).cloned();
        let team = key.team.as_deref().and_then(|id| self.teams.get(id)).cloned();
        let project = key.project.as_deref().and_then(|id| self.projects.get(id)).cloned();
        let of_team = team.as_ref().and_then(|team| team.record.fields.organization_id.as_deref());
        let organization = key.organization.as_deref().or(of_team);
        let organization = organization.and_then(|id| self.organizations.get(id)).cloned();
        let member = key.team.as_deref().zip(key.user.as_deref());
        let member = member.and_then(|(team, user)| self.members.get(&format!("{team}/{user}"))).cloned();
        let personal = key.team.is_none();
        let paying_user = user.as_ref().map(|user| match personal || user_pays_for_teams {
            true => Arc::clone(&user.account),
            false => Arc::new(user.account.unlimited()),
        });
        let accounts: Box<[Arc<Account>]> = [
            Some(Arc::clone(&key.account)),
            team.as_ref().map(|team| Arc::clone(&team.account)),
            member.as_ref().map(|member| Arc::clone(&member.account)),
            paying_user,
            project.as_ref().map(|project| Arc::clone(&project.account)),
            organization.as_ref().map(|organization| Arc::clone(&organization.account)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let groups = key.extras.as_ref().map(|extras| &extras.access_groups);
        let granted: Vec<String> = groups
            .into_iter()
            .flatten()
            .filter_map(|group| self.groups.get(group))
            .flat_map(|group| group.fields.access_model_names.iter().cloned())
            .collect();
        let models_of =
            |accounts: Option<&ModelAccounts>| accounts.is_some_and(|accounts| !accounts.is_empty());
        Who {
            version,
            has_budget: accounts.iter().any(|account| account.has_budget()),
            is_limited: accounts.iter().any(|account| account.is_limited()),
            has_models: models_of(key.extras.as_ref().map(|extras| &extras.model_accounts))
                || models_of(team.as_ref().map(|team| &team.model_accounts))
                || models_of(organization.as_ref().map(|organization| &organization.model_accounts)),
            granted: (!granted.is_empty()).then(|| ModelList::new(&granted)),
            user,
            team,
            member,
            organization,
            project,
            accounts,
            personal,
        }
    }
}
