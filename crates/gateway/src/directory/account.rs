//! An account in force: terms as they are now, and the meter that outlives every change of them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policy::account::{Budget, Demand, Exceeded, Headroom, Meter, Terms, Used};
use policy::money::Cost;
use policy::period::{Calendar, Period};
use store::entity::{Kind, Limits};

/// What an account is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountKind {
    /// Everything together.
    Proxy,
    /// A key.
    Key,
    /// One model of a key.
    KeyModel,
    /// A user.
    User,
    /// A team.
    Team,
    /// One model of a team.
    TeamModel,
    /// A user in a team.
    Member,
    /// An organization.
    Organization,
    /// One model of an organization.
    OrganizationModel,
    /// A cost centre.
    Project,
    /// An end user of an application.
    Customer,
    /// A label of calls.
    Tag,
    /// A vendor.
    Provider,
}

impl AccountKind {
    /// LiteLLM's word, which is part of header names and messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Key => "api_key",
            Self::KeyModel => "model_per_key",
            Self::User => "user",
            Self::Team => "team",
            Self::TeamModel => "model_per_team",
            Self::Member => "team_member",
            Self::Organization => "organization",
            Self::OrganizationModel => "model_per_organization",
            Self::Project => "project",
            Self::Customer => "end_user",
            Self::Tag => "tag",
            Self::Provider => "provider",
        }
    }
}

impl AccountKind {
    /// The kind of row that keeps what an account has spent, if it has one.
    #[must_use]
    pub const fn row(self) -> Option<Kind> {
        Some(match self {
            Self::Key => Kind::Key,
            Self::User => Kind::User,
            Self::Team => Kind::Team,
            Self::Member => Kind::TeamMember,
            Self::Organization => Kind::Organization,
            Self::Project => Kind::Project,
            Self::Customer => Kind::Customer,
            Self::Tag => Kind::Tag,
            Self::Proxy | Self::KeyModel | Self::TeamModel | Self::OrganizationModel | Self::Provider => {
                return None;
            }
        })
    }
}

/// Who pays, and how much they may.
pub struct Account {
    /// What it is of.
    pub kind: AccountKind,
    /// Whose: the hash of a key, the id of a team, ….
    pub id: Box<str>,
    /// What people call it, if it has a name.
    pub alias: Option<Box<str>>,
    /// Its limits.
    pub terms: Terms,
    meter: Arc<Mutex<Meter>>,
}

impl Account {
    /// An account with a meter of its own.
    #[must_use]
    pub fn new(kind: AccountKind, id: &str, alias: Option<&str>, terms: Terms) -> Self {
        Self { kind, id: id.into(), alias: alias.map(Box::from), terms, meter: Arc::default() }
    }

    /// The same account under the terms of `next`.
    #[must_use]
    pub fn amended(&self, next: Self) -> Self {
        Self { meter: Arc::clone(&self.meter), ..next }
    }

    /// Its name among all accounts: `api_key:…`, `model_per_key:…`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.kind.word(), self.id)
    }

    /// The same account, charged but never asked.
    #[must_use]
    pub fn unlimited(&self) -> Self {
        let mut terms = self.terms.clone();
        terms.requests_per_minute = None;
        terms.tokens_per_minute = None;
        terms.parallel = None;
        for budget in &mut terms.budgets {
            budget.limit = None;
        }
        self.amended(Self::new(self.kind, &self.id, self.alias.as_deref(), terms))
    }

    /// Whether any limit could refuse a call.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        let terms = &self.terms;
        terms.requests_per_minute.is_some()
            || terms.tokens_per_minute.is_some()
            || terms.parallel.is_some()
            || self.has_budget()
    }

    /// Whether it may run out of money.
    #[must_use]
    pub fn has_budget(&self) -> bool {
        self.terms.budgets.iter().any(|budget| budget.limit.is_some())
    }

    /// See [`Meter::reserve`].
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn reserve(&self, demand: &Demand, calendar: &Calendar) -> Result<Headroom, Exceeded> {
        self.meter().reserve(&self.terms, demand, demand.at_ms, calendar)
    }

    /// See [`Meter::settle`]. Soft budgets that are crossed are said in the log.
    pub fn settle(&self, demand: &Demand, used: Used, now_ms: u64, calendar: &Calendar) {
        let crossed = self.meter().settle(&self.terms, demand, used, now_ms, calendar);
        for soft in crossed {
            tracing::warn!(
                account = %self, spent_usd = %soft.spent, soft_budget_usd = %soft.soft,
                "a soft budget is crossed"
            );
        }
    }

    /// See [`Meter::release`].
    pub fn release(&self, demand: &Demand, now_ms: u64, calendar: &Calendar) {
        self.meter().release(&self.terms, demand, now_ms, calendar);
    }

    /// See [`Meter::charge`].
    pub fn charge(&self, cost: Cost, at_ms: u64, calendar: &Calendar) {
        self.meter().charge(&self.terms, cost, at_ms, calendar);
    }

    /// See [`Meter::restore`].
    pub fn restore(&self, budget: usize, spent: Cost, resets_at_ms: Option<u64>) {
        self.meter().restore(&self.terms, budget, spent, resets_at_ms);
    }

    /// What was spent in the running period of a budget, and when that ends.
    #[must_use]
    pub fn spent(&self, budget: usize, now_ms: u64) -> (Cost, Option<u64>) {
        self.meter().spent(budget, now_ms)
    }

    /// What is left.
    #[must_use]
    pub fn headroom(&self, now_ms: u64) -> Headroom {
        self.meter().headroom(&self.terms, now_ms)
    }

    /// No lock is held longer than a few additions.
    fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("kind", &self.kind).field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.word(), self.alias.as_deref().unwrap_or(&self.id))
    }
}

/// The terms of limits; where one is absent, `shared` (a budget several are under) says it. There is always a
/// first budget: it counts what was spent, whether or not that is limited.
#[must_use]
pub(super) fn terms(own: &Limits, shared: Option<&Limits>, now_ms: i64) -> Terms {
    let pick = |read: fn(&Limits) -> Option<u64>| read(own).or_else(|| shared.and_then(read));
    let (budgeted, whose) = match (own.max_budget, shared) {
        (None, Some(shared)) if own.soft_budget.is_none() => (shared.max_budget, shared),
        (limit, _) => (limit, own),
    };
    let duration = own.budget_duration.as_deref().or(whose.budget_duration.as_deref());
    let more = whose.temp_budget_increase.filter(|_| whose.temp_budget_expiry.is_none_or(|end| end > now_ms));
    let first = Budget {
        limit: budgeted.map(|limit| limit.saturating_add(more.unwrap_or_default())),
        soft: own.soft_budget.or_else(|| shared.and_then(|shared| shared.soft_budget)),
        period: duration.and_then(period),
    };
    let rest = own.budget_limits.iter().map(|window| Budget {
        limit: Some(window.max_budget),
        soft: None,
        period: period(&window.budget_duration),
    });
    Terms {
        requests_per_minute: pick(|limits| limits.rpm_limit),
        tokens_per_minute: pick(|limits| limits.tpm_limit),
        parallel: pick(|limits| limits.max_parallel_requests),
        budgets: std::iter::once(first).chain(rest).collect(),
    }
}

/// A period that was checked when it was written; one that is wrong anyway is taken as "for ever", the strictest.
pub(super) fn period(text: &str) -> Option<Period> {
    Period::parse(text).ok()
}
