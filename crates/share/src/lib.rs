//! Limits and budgets over several replicas: what [`policy::account`] decides for one process, decided once for all.
//!
//! Three ways, chosen at start:
//!
//! | | one call costs | exact |
//! | --- | --- | --- |
//! | [`Shared::Alone`] | nothing | for one replica |
//! | [`Shared::Redis`] | one round trip | yes; while Redis is away, each replica decides alone |
//! | [`Shared::Leased`] | nothing, now and then one statement | never above a limit; see [`leased`] for how far below |
//!
//! The local meter of an account stays what it is: it is asked first, and it alone decides where nothing is shared.
//! A call has one [`Ticket`]:
//!
//! ```
//! # use tollgate_share::{Ask, Refused, Shared};
//! # use policy::account::{Demand, Terms, Used};
//! # async fn call(shared: &Shared, terms: &Terms, now_ms: u64) -> Result<(), Refused> {
//! let demand = Demand { tokens: 900, at_ms: now_ms, ..Demand::default() };
//! // One of each account that has limits, `known` from `Account::spent` for each of its budgets.
//! let asks = [Ask { account: "api_key:5f3a", terms, demand: &demand, known: &[] }];
//! let ticket = shared.reserve(&asks, now_ms).await?;
//! // … the call is made; first the local meters are settled, then:
//! shared.settle(ticket, Used { tokens: 350, ..Used::default() }, now_ms + 1_200);
//! # Ok(())
//! # }
//! ```
//!
//! A ticket that is dropped instead counts as a call that never ends; its leases lapse after
//! [`RedisOptions::lease`].
//!
//! Not here: which accounts a call has, the record of charges (`store::ledger`) and what an error says.

mod breaker;
pub mod leased;
pub mod redis;
mod slot;

use std::time::{SystemTime, UNIX_EPOCH};

use policy::account::{Demand, Exceeded, Headroom, Terms, Used};
use policy::money::Cost;
use policy::period::Calendar;
use store::db::Db;

use crate::leased::{Leased, LeasedOptions};
use crate::redis::{Redis, RedisError, RedisOptions};

pub use crate::breaker::State;

/// Where the limits of all replicas are counted.
#[derive(Debug)]
pub enum Shared {
    /// Nowhere: this is the only replica.
    Alone,
    /// On a Redis server or cluster.
    Redis(Redis),
    /// In slices of limits that the database hands out.
    Leased(Leased),
}

/// What one account of a call is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Kind and id, the same on all replicas: `api_key:<hash>`. Each account at most once a call.
    pub account: &'a str,
    /// Its limits.
    pub terms: &'a Terms,
    /// What the call may use at most.
    pub demand: &'a Demand,
    /// For each of its budgets, in their order: what was spent in the running period and when that ends, as this
    /// replica knows it ([`policy::account::Meter::spent`]). It begins the shared count where there is none.
    pub known: &'a [(Cost, Option<u64>)],
}

/// A reservation with all accounts of a call. Ends by [`Shared::settle`] or [`Shared::release`].
#[derive(Debug)]
#[must_use = "a reservation that is not settled or released is held until it lapses"]
pub struct Ticket(Held);

#[derive(Debug)]
enum Held {
    Nothing,
    Redis(redis::Reservation),
    Leased(leased::Reservation),
}

/// Why a call was not let in. Nothing is reserved then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A limit is reached.
    #[error("{exceeded}")]
    Exceeded {
        /// Of the asks.
        index: usize,
        /// Which, and by how much.
        exceeded: Exceeded,
    },
    /// Nobody can say whether a limit is reached, and the settings want no call then.
    #[error("limits cannot be checked with the other replicas")]
    Unavailable {
        /// Of the asks.
        index: usize,
    },
}

/// What happens to calls while other replicas cannot be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strictness {
    /// Accounts that limit requests, tokens or calls let nobody in
    /// (`general_settings.fail_closed_rate_limit_enforcement`). Otherwise this replica's own count decides.
    pub limits: bool,
    /// The same for those that limit money (`general_settings.fail_closed_budget_enforcement`).
    pub budgets: bool,
}

impl Shared {
    /// Counts on Redis where there is one, else in slices of a database that other replicas may have, else alone.
    /// Must be called in the runtime that lives longest.
    ///
    /// # Errors
    /// An address that no Redis server can have.
    pub async fn start(
        redis: Option<RedisOptions>,
        db: Option<Db>,
        slices: LeasedOptions,
        calendar: Calendar,
    ) -> Result<Self, RedisError> {
        if let Some(options) = redis {
            return Ok(Self::Redis(Redis::start(options, calendar).await?));
        }
        let Some(db) = db else { return Ok(Self::Alone) };
        // Whoever has a file has it alone.
        Ok(Leased::start(db, slices, calendar).await.map_or(Self::Alone, Self::Leased))
    }

    /// Reserves a call with all its accounts: one round trip at most, all or none.
    ///
    /// # Errors
    /// The first account that refuses.
    pub async fn reserve(&self, asks: &[Ask<'_>], now_ms: u64) -> Result<Ticket, Refused> {
        if asks.is_empty() {
            return Ok(Ticket(Held::Nothing));
        }
        Ok(Ticket(match self {
            Self::Alone => Held::Nothing,
            Self::Redis(redis) => Held::Redis(redis.reserve(asks, now_ms).await?),
            Self::Leased(leased) => Held::Leased(leased.reserve(asks, now_ms).await?),
        }))
    }

    /// Ends a call: its reservation is replaced by what it used. Never waits, and is told to the others as soon as
    /// they can be reached. The local meters are settled first, because the next call may be the one that tells
    /// the others what this replica knows.
    pub fn settle(&self, ticket: Ticket, used: Used, now_ms: u64) {
        match (self, ticket.0) {
            (Self::Redis(redis), Held::Redis(reservation)) => redis.settle(reservation, used, now_ms),
            (Self::Leased(leased), Held::Leased(reservation)) => leased.settle(reservation, used, now_ms),
            (Self::Alone | Self::Redis(_) | Self::Leased(_), _) => {}
        }
    }

    /// Ends a call that never reached an upstream: only the request stays counted.
    pub fn release(&self, ticket: Ticket, now_ms: u64) {
        self.settle(ticket, Used::default(), now_ms);
    }

    /// Whether the other replicas can be asked.
    #[must_use]
    pub fn state(&self) -> State {
        match self {
            Self::Alone => State::Alone,
            Self::Redis(redis) => redis.state(),
            Self::Leased(leased) => leased.state(),
        }
    }

    /// Tells the others what they do not know yet and gives back what is not used; at most for `patience`. Called
    /// once, when no call is in flight any more.
    pub async fn close(&self, patience: std::time::Duration) {
        match self {
            Self::Alone => {}
            Self::Redis(redis) => redis.close(patience).await,
            Self::Leased(leased) => leased.close(patience).await,
        }
    }
}

impl Ticket {
    /// What is left to each account of the call, in the order of the asks, where all replicas together know it.
    #[must_use]
    pub fn headroom(&self) -> &[Headroom] {
        match &self.0 {
            Held::Redis(reservation) => reservation.headroom(),
            Held::Nothing | Held::Leased(_) => &[],
        }
    }
}

impl Strictness {
    /// The first ask that must not be let in without the others.
    fn refuses(self, asks: &[Ask<'_>]) -> Option<Refused> {
        let strict = |ask: &Ask<'_>| {
            self.limits && is_rate_limited(ask.terms)
                || self.budgets && ask.demand.billed && has_budget(ask.terms)
        };
        asks.iter().position(strict).map(|index| Refused::Unavailable { index })
    }
}

fn is_rate_limited(terms: &Terms) -> bool {
    terms.requests_per_minute.is_some() || terms.tokens_per_minute.is_some() || terms.parallel.is_some()
}

fn has_budget(terms: &Terms) -> bool {
    terms.budgets.iter().any(|budget| budget.limit.is_some())
}

/// What is held back for a call.
fn reservation(demand: &Demand) -> i64 {
    if demand.billed { demand.cost.nano().max(0) } else { 0 }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
