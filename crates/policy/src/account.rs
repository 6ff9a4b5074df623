//! What an account may use, and what it has used: requests and tokens a minute, calls at a time, money.
//!
//! An account is anything with limits: a key, a user, a team, a member of a team, an organization, a customer, a
//! tag, a model of a key, a provider, a deployment, the proxy. Not here: which accounts a call has, and what its
//! error says. All instants are Unix milliseconds.
//!
//! A call reserves before it is made what it may use at most, and settles what it used. Reservations count as
//! used meanwhile, so that calls at the same time cannot overshoot together.

use crate::money::Cost;
use crate::period::{Calendar, Period};

/// Requests and tokens are counted for so long, beginning with the first request after the last window ended.
const WINDOW_MS: u64 = 60_000;

/// The limits of an account; absent means none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// Requests a window.
    pub requests_per_minute: Option<u64>,
    /// Tokens a window.
    pub tokens_per_minute: Option<u64>,
    /// Calls at a time.
    pub parallel: Option<u64>,
    /// Each with a period of its own; a [`Meter`] knows them by their index.
    pub budgets: Box<[Budget]>,
}

/// How much an account may spend.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budget {
    /// Calls are refused from here on.
    pub limit: Option<Cost>,
    /// Somebody is told from here on.
    pub soft: Option<Cost>,
    /// After which it begins anew; `None`: for ever.
    pub period: Option<Period>,
}

/// What a call may use at most, as far as can be told before it is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demand {
    /// Input and output.
    pub tokens: u64,
    /// What those cost.
    pub cost: Cost,
    /// Whether it costs anything. Of a free model, budgets are not asked.
    pub billed: bool,
    /// When it was reserved: the `now_ms` of [`Meter::reserve`]. It tells a later correction whether the window
    /// that holds the reservation still runs.
    pub at_ms: u64,
}

/// What a call has used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    pub tokens: u64,
    pub cost: Cost,
}

/// What is left; `None` where there is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// Requests in this window.
    pub requests: Option<u64>,
    /// Tokens in this window.
    pub tokens: Option<u64>,
    /// Calls at a time.
    pub parallel: Option<u64>,
    /// When the window ends.
    pub resets_at_ms: u64,
}

/// The limit that a call would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    #[error("the limit of {limit} requests a minute is reached")]
    Requests { limit: u64, resets_at_ms: u64 },
    #[error("{asked} tokens beside the {used} of this minute exceed the limit of {limit}")]
    Tokens { limit: u64, used: u64, asked: u64, resets_at_ms: u64 },
    #[error("the limit of {limit} calls at a time is reached")]
    Parallel { limit: u64 },
    /// `index` is that of [`Terms::budgets`].
    #[error("{asked} USD beside {spent} spent and {reserved} reserved exceed the budget of {limit}")]
    Budget {
        index: usize,
        spent: Cost,
        reserved: Cost,
        asked: Cost,
        limit: Cost,
        period: Option<Period>,
        resets_at_ms: Option<u64>,
    },
}

/// A soft budget was reached by a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftCrossed {
    /// Of [`Terms::budgets`].
    pub index: usize,
    pub spent: Cost,
    pub soft: Cost,
    pub limit: Option<Cost>,
    pub resets_at_ms: Option<u64>,
}

/// The counters of one account. They are kept whether or not there is a limit, so that limits may change while
/// calls are under way.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    window: Window,
    in_flight: u64,
    /// Of all calls under way, whenever they began: a period that ends does not end them.
    reserved: Cost,
    spending: Box<[Spending]>,
}

/// A count of requests and tokens.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    /// Reservations made from here on are in it. Later than that of any earlier window, even if the clock went back.
    since_ms: u64,
    /// 0: none began yet.
    ends_ms: u64,
    requests: u64,
    /// Used and reserved.
    tokens: u64,
}

/// Money spent in one period of one budget.
#[derive(Clone, Copy, Debug, Default)]
struct Spending {
    spent: Cost,
    /// Charges dated before are of an earlier period.
    since_ms: u64,
    /// 0: not known yet, or never.
    resets_at_ms: u64,
}

impl Meter {
    /// Reserves what a call may use, all of it or nothing. A refused call counts nowhere.
    pub fn reserve(
        &mut self,
        terms: &Terms,
        demand: &Demand,
        now_ms: u64,
        calendar: &Calendar,
    ) -> Result<Headroom, Exceeded> {
        self.renew(terms, now_ms, calendar);
        if demand.billed {
            self.afford(terms, demand.reservation())?;
        }
        let window = self.window.at(now_ms);
        window.admit(terms, demand.tokens)?;
        if let Some(limit) = terms.parallel.filter(|limit| self.in_flight >= *limit) {
            return Err(Exceeded::Parallel { limit });
        }
        self.window = Window {
            requests: window.requests.saturating_add(1),
            tokens: window.tokens.saturating_add(demand.tokens),
            ..window
        };
        self.in_flight = self.in_flight.saturating_add(1);
        self.reserved = self.reserved.saturating_add(demand.reservation());
        Ok(self.headroom(terms, now_ms))
    }

    /// Ends a call that was reserved: its reservation is replaced by what it used, in the period that runs now.
    /// Returns the soft budgets that this crossed.
    #[must_use = "somebody waits to be told of a soft budget"]
    pub fn settle(
        &mut self,
        terms: &Terms,
        demand: &Demand,
        used: Used,
        now_ms: u64,
        calendar: &Calendar,
    ) -> Vec<SoftCrossed> {
        self.give_back(demand, used.tokens);
        self.renew(terms, now_ms, calendar);
        self.spend(terms, used.cost, |_| true)
    }

    /// Ends a call that was reserved and never reached an upstream: only the request stays counted.
    pub fn release(&mut self, terms: &Terms, demand: &Demand, now_ms: u64, calendar: &Calendar) {
        self.give_back(demand, 0);
        self.renew(terms, now_ms, calendar);
    }

    /// Adds a charge that was reserved nowhere here: one replayed from the log, or another replica's. Budgets
    /// whose period began after it are left alone.
    pub fn charge(&mut self, terms: &Terms, cost: Cost, at_ms: u64, calendar: &Calendar) {
        self.renew(terms, at_ms, calendar);
        self.spend(terms, cost, |spending| spending.since_ms <= at_ms);
    }

    /// Sets what was spent in a budget's running period. Without `resets_at_ms`, a budget that has a period ends
    /// when the calendar says so.
    pub fn restore(&mut self, terms: &Terms, budget_index: usize, spent: Cost, resets_at_ms: Option<u64>) {
        self.know(terms);
        if let Some(spending) = self.spending.get_mut(budget_index) {
            *spending = Spending { spent, since_ms: 0, resets_at_ms: resets_at_ms.unwrap_or(0) };
        }
    }

    /// What was spent in a budget's running period, and when that ends, if it is known and ever.
    #[must_use]
    pub fn spent(&self, budget_index: usize, now_ms: u64) -> (Cost, Option<u64>) {
        match self.spending.get(budget_index) {
            Some(spending) if !spending.ended(now_ms) => (spending.spent, spending.end()),
            Some(_) | None => (Cost::ZERO, None),
        }
    }

    /// What is left.
    #[must_use]
    pub fn headroom(&self, terms: &Terms, now_ms: u64) -> Headroom {
        let window = self.window.at(now_ms);
        Headroom {
            requests: terms.requests_per_minute.map(|limit| limit.saturating_sub(window.requests)),
            tokens: terms.tokens_per_minute.map(|limit| limit.saturating_sub(window.tokens)),
            parallel: terms.parallel.map(|limit| limit.saturating_sub(self.in_flight)),
            resets_at_ms: window.ends_ms,
        }
    }

    fn afford(&self, terms: &Terms, asked: Cost) -> Result<(), Exceeded> {
        for (index, (budget, spending)) in terms.budgets.iter().zip(&self.spending).enumerate() {
            let Some(limit) = budget.limit else { continue };
            let Spending { spent, .. } = *spending;
            let promised = spent.saturating_add(self.reserved).saturating_add(asked);
            if spent >= limit || promised > limit {
                return Err(Exceeded::Budget {
                    index,
                    spent,
                    reserved: self.reserved,
                    asked,
                    limit,
                    period: budget.period,
                    resets_at_ms: spending.end(),
                });
            }
        }
        Ok(())
    }

    fn give_back(&mut self, demand: &Demand, used_tokens: u64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.reserved = self.reserved.saturating_sub(demand.reservation()).max(Cost::ZERO);
        self.window.correct(demand, used_tokens);
    }

    fn spend(&mut self, terms: &Terms, cost: Cost, concerns: impl Fn(&Spending) -> bool) -> Vec<SoftCrossed> {
        let mut crossed = Vec::new();
        for (index, (budget, spending)) in terms.budgets.iter().zip(&mut self.spending).enumerate() {
            if !concerns(spending) {
                continue;
            }
            let before = spending.spent;
            spending.spent = before.saturating_add(cost);
            let spent = spending.spent;
            if let Some(soft) = budget.soft.filter(|soft| before < *soft && *soft <= spent) {
                crossed.push(SoftCrossed {
                    index,
                    spent,
                    soft,
                    limit: budget.limit,
                    resets_at_ms: spending.end(),
                });
            }
        }
        crossed
    }

    /// Begins every period anew that has ended.
    fn renew(&mut self, terms: &Terms, now_ms: u64, calendar: &Calendar) {
        self.know(terms);
        for (budget, spending) in terms.budgets.iter().zip(&mut self.spending) {
            let Some(period) = budget.period else {
                spending.resets_at_ms = 0;
                continue;
            };
            if spending.ended(now_ms) {
                *spending = Spending { since_ms: spending.resets_at_ms, ..Spending::default() };
            }
            if spending.resets_at_ms == 0 {
                spending.resets_at_ms = calendar.next_reset(period, now_ms);
            }
        }
    }

    /// Makes room for budgets that were added. Those that were taken away are remembered: they may come back.
    fn know(&mut self, terms: &Terms) {
        if self.spending.len() < terms.budgets.len() {
            let mut grown = std::mem::take(&mut self.spending).into_vec();
            grown.resize(terms.budgets.len(), Spending::default());
            self.spending = grown.into_boxed_slice();
        }
    }
}

impl Demand {
    /// What is held back for it.
    fn reservation(&self) -> Cost {
        if self.billed { self.cost.max(Cost::ZERO) } else { Cost::ZERO }
    }
}

impl Window {
    /// The window that a request made now is in.
    fn at(self, now_ms: u64) -> Self {
        let ends_ms = now_ms.saturating_add(WINDOW_MS);
        if now_ms < self.ends_ms {
            // It never lasts longer than a window from now: a clock put back must not lock an account out.
            return Self { ends_ms: self.ends_ms.min(ends_ms), ..self };
        }
        let earliest = if self.ends_ms == 0 { 0 } else { self.since_ms.saturating_add(1) };
        Self { since_ms: now_ms.max(earliest), ends_ms, requests: 0, tokens: 0 }
    }

    fn admit(&self, terms: &Terms, asked: u64) -> Result<(), Exceeded> {
        let resets_at_ms = self.ends_ms;
        if let Some(limit) = terms.requests_per_minute.filter(|limit| self.requests >= *limit) {
            return Err(Exceeded::Requests { limit, resets_at_ms });
        }
        let used = self.tokens;
        let full = |limit: &u64| used >= *limit || used.saturating_add(asked) > *limit;
        match terms.tokens_per_minute.filter(full) {
            Some(limit) => Err(Exceeded::Tokens { limit, used, asked, resets_at_ms }),
            None => Ok(()),
        }
    }

    /// Replaces a reservation, unless that was in an earlier window.
    fn correct(&mut self, demand: &Demand, used: u64) {
        if demand.at_ms >= self.since_ms {
            self.tokens = self.tokens.saturating_sub(demand.tokens).saturating_add(used);
        }
    }
}

impl Spending {
    fn ended(&self, now_ms: u64) -> bool {
        self.end().is_some_and(|end| now_ms >= end)
    }

    fn end(&self) -> Option<u64> {
        Some(self.resets_at_ms).filter(|end| *end != 0)
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
