//! What a batch of charges adds up to, so that the database is told each sum once. How it is told is in
//! [`super::write`].

use std::collections::{BTreeMap, BTreeSet};

use policy::money::Cost;

use super::target::{Target, Windows};
use crate::entity::Kind;
use crate::ledger::{Charge, Ending, Pricing};
use crate::spend::{day_of, endpoint, whole};

/// For budgets without periods; no period ends then.
pub(crate) const NEVER: i64 = 0;

/// A row of `daily_spend`. Ordered as its primary key, so that replicas lock rows in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DayKey {
    pub(super) kind: &'static str,
    pub(super) entity: String,
    pub(super) day: String,
    pub(super) api_key: String,
    pub(super) model: String,
    pub(super) model_group: String,
    pub(super) provider: String,
    pub(super) endpoint: &'static str,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DayCounts {
    pub(super) spend: Cost,
    pub(super) input: i64,
    pub(super) output: i64,
    pub(super) cache_read: i64,
    pub(super) cache_write: i64,
    pub(super) requests: i64,
    pub(super) successful: i64,
    pub(super) failed: i64,
    pub(super) cache_hits: i64,
    pub(super) unpriced: i64,
    pub(super) duration_ms: i64,
}

/// What was spent, and when last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    pub(super) cost: Cost,
    pub(super) ended_at: i64,
}

/// The sums of a batch.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) days: BTreeMap<DayKey, DayCounts>,
    /// By row and the end of the period.
    pub(super) entities: BTreeMap<(Kind, String, i64), Spent>,
    /// By account, budget and the end of the period.
    pub(super) windows: BTreeMap<(String, String, i64), Spent>,
    /// By account.
    pub(super) accounts: BTreeMap<String, Spent>,
    /// Some sum is larger than can be kept.
    pub(super) overflown: bool,
}

impl Sums {
    pub(super) fn add(&mut self, charge: &Charge<'_>, windows: &dyn Windows) {
        self.add_to_days(charge);
        let cost = charge.cost.unwrap_or(Cost::ZERO);
        let ended_at = whole(charge.ended_unix_ms);
        let mut ends = BTreeMap::new();
        let mut accounts = BTreeSet::new();
        for target in windows.of(charge) {
            match target {
                Target::Entity { kind, id, resets_at_ms } => {
                    ends.insert((kind, id), resets_at_ms.unwrap_or(NEVER));
                }
                Target::Window { account, period, resets_at_ms } => {
                    accounts.insert(account.clone());
                    let window = (account, period, resets_at_ms.unwrap_or(NEVER));
                    self.overflown |= !self.windows.entry(window).or_default().add(cost, ended_at);
                }
            }
        }
        for (kind, id) in entities(charge) {
            ends.entry((kind, id)).or_insert(NEVER);
        }
        if cost == Cost::ZERO {
            // A customer is made by the first call, also by a free one.
            ends.retain(|(kind, _), _| *kind == Kind::Customer);
            accounts.clear();
        }
        for ((kind, id), end) in ends {
            self.overflown |= !self.entities.entry((kind, id, end)).or_default().add(cost, ended_at);
        }
        for account in accounts {
            self.overflown |= !self.accounts.entry(account).or_default().add(cost, ended_at);
        }
    }

    fn add_to_days(&mut self, charge: &Charge<'_>) {
        let counts = DayCounts::of(charge);
        let mut key = DayKey {
            day: day_of(whole(charge.started_unix_ms())),
            api_key: charge.caller.clone().into_owned(),
            model: charge.upstream_model.clone().into_owned(),
            model_group: charge.model_group.clone().into_owned(),
            provider: charge.provider.clone().into_owned(),
            endpoint: endpoint(&charge.route, &charge.operation),
            ..DayKey::default()
        };
        let whose = [
            ("user", &charge.user),
            ("team", &charge.team),
            ("organization", &charge.organization),
            ("customer", &charge.end_user),
        ];
        let named = whose.into_iter().filter(|(_, id)| !id.is_empty()).map(|(kind, id)| (kind, &**id));
        let tags: BTreeSet<&str> = charge.tags.iter().map(String::as_str).collect();
        for (kind, entity) in
            std::iter::once(("global", "")).chain(named).chain(tags.into_iter().map(|tag| ("tag", tag)))
        {
            key.kind = kind;
            entity.clone_into(&mut key.entity);
            match self.days.get_mut(&key) {
                Some(sum) => self.overflown |= !sum.add(&counts),
                None => drop(self.days.insert(key.clone(), counts)),
            }
        }
    }
}

/// The rows that a charge is counted against.
fn entities(charge: &Charge<'_>) -> impl Iterator<Item = (Kind, String)> {
    let pair = |one: &str, other: &str| {
        if one.is_empty() || other.is_empty() { String::new() } else { format!("{one}/{other}") }
    };
    let one = [
        (Kind::Key, charge.caller.clone().into_owned()),
        (Kind::User, charge.user.clone().into_owned()),
        (Kind::Team, charge.team.clone().into_owned()),
        (Kind::TeamMember, pair(&charge.team, &charge.user)),
        (Kind::Organization, charge.organization.clone().into_owned()),
        (Kind::OrganizationMember, pair(&charge.organization, &charge.user)),
        (Kind::Project, charge.project.clone().into_owned()),
        (Kind::Customer, charge.end_user.clone().into_owned()),
    ];
    let tags: BTreeSet<&str> = charge.tags.iter().map(String::as_str).collect();
    let tags: Vec<_> = tags.into_iter().map(|tag| (Kind::Tag, tag.to_owned())).collect();
    one.into_iter().chain(tags).filter(|(_, id)| !id.is_empty())
}

impl Spent {
    /// Returns whether there was room.
    fn add(&mut self, cost: Cost, ended_at: i64) -> bool {
        self.ended_at = self.ended_at.max(ended_at);
        self.cost.checked_add(cost).map(|sum| self.cost = sum).is_some()
    }
}

impl DayCounts {
    fn of(charge: &Charge<'_>) -> Self {
        let usage = charge.usage.unwrap_or_default();
        let failed = i64::from(charge.ending == Ending::Failed);
        Self {
            spend: charge.cost.unwrap_or(Cost::ZERO),
            input: whole(usage.input),
            output: whole(usage.output),
            cache_read: whole(usage.cache_read),
            cache_write: whole(usage.cache_write.saturating_add(usage.cache_write_1h)),
            requests: 1,
            successful: 1 - failed,
            failed,
            cache_hits: i64::from(charge.cache_hit == Some(true)),
            unpriced: i64::from(charge.pricing == Pricing::Unpriced && charge.cost.is_none() && failed == 0),
            duration_ms: whole(charge.duration_ms),
        }
    }

    /// Returns whether there was room. Counts are bounded, see [`whole`]: a batch of them cannot overflow.
    fn add(&mut self, other: &Self) -> bool {
        self.input += other.input;
        self.output += other.output;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
        self.requests += other.requests;
        self.successful += other.successful;
        self.failed += other.failed;
        self.cache_hits += other.cache_hits;
        self.unpriced += other.unpriced;
        self.duration_ms += other.duration_ms;
        self.spend.checked_add(other.spend).map(|sum| self.spend = sum).is_some()
    }
}
