//! What a replica holds of limits, and what it uses of that. No IO, no clock.

use std::collections::HashMap;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Meter {
    Requests,
    Tokens,
    /// Calls at a time.
    Calls,
    /// Nano-dollars of a budget, in the period that ends then (0: never).
    Money {
        budget: usize,
        ends_ms: u64,
    },
}

impl Meter {
    /// Its name in the database.
    pub(super) fn name(self) -> String {
        match self {
            Self::Requests => "requests".to_owned(),
            Self::Tokens => "tokens".to_owned(),
            Self::Calls => CALLS.to_owned(),
            Self::Money { budget, .. } => format!("budget:{budget}"),
        }
    }

    /// Its period in the database.
    pub(super) fn period(self) -> i64 {
        match self {
            Self::Requests | Self::Tokens | Self::Calls => 0,
            Self::Money { ends_ms, .. } => i64::try_from(ends_ms).unwrap_or(i64::MAX),
        }
    }

    /// Whether it begins anew every minute.
    pub(super) const fn is_window(self) -> bool {
        matches!(self, Self::Requests | Self::Tokens)
    }
}

/// Calls at a time are what a dead replica gives back.
pub(super) const CALLS: &str = "calls";

/// Part of a limit.
#[derive(Clone, Debug, Default)]
pub(super) struct Slice {
    /// Handed out to this replica.
    pub(super) granted: i64,
    /// Used up; may be more than granted where a call used more than it had reserved.
    pub(super) used: i64,
    /// By calls under way.
    pub(super) held: i64,
    /// By the database's clock: its name. 0: none.
    pub(super) window: i64,
    /// By this replica's clock; never later than by the database's.
    pub(super) window_ends_ms: u64,
    /// What others could still get, when it was asked for last.
    pub(super) left: i64,
    /// Nobody has anything to give until then.
    pub(super) dry_until_ms: u64,
    pub(super) used_at_ms: u64,
    pub(super) granted_at_ms: u64,
    /// How small its next grant is.
    pub(super) modesty: u32,
    /// What was spent before anybody asked.
    pub(super) seed: i64,
    /// The database was not told yet.
    pub(super) untold: bool,
}

/// What a call takes of one meter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Take {
    pub(super) meter: Meter,
    pub(super) limit: i64,
    pub(super) amount: i64,
    pub(super) seed: i64,
}

/// The slices of one account.
pub(super) type Slices = HashMap<Meter, Slice, foldhash::fast::RandomState>;

/// The least and the most modest share of what is left that is asked for, as powers of two.
const BOLDEST: u32 = 1;
const MOST_MODEST: u32 = 4;
/// Who used up a grant so soon asks for more the next time.
const SOON_MS: u64 = 1_000;

impl Slice {
    pub(super) const fn unused(&self) -> i64 {
        self.granted.saturating_sub(self.used).saturating_sub(self.held)
    }

    /// A window that ended leaves nothing.
    pub(super) fn renew(&mut self, meter: Meter, now_ms: u64) {
        if meter.is_window() && now_ms >= self.window_ends_ms && self.granted | self.used != 0 {
            self.begin(self.window);
        }
    }

    fn begin(&mut self, window: i64) {
        let Self { modesty, granted_at_ms, used_at_ms, .. } = *self;
        *self = Self { modesty, granted_at_ms, used_at_ms, window, ..Self::default() };
    }

    /// How much more is needed before `take` fits; 0: it fits.
    pub(super) fn lacks(&self, take: &Take) -> i64 {
        take.amount.max(1).saturating_sub(self.unused()).max(0)
    }

    /// Whether no grant could make it fit.
    pub(super) fn is_full(&self, take: &Take, now_ms: u64) -> bool {
        let own = self.used.saturating_add(self.held).saturating_add(take.amount.max(1));
        own > take.limit || self.lacks(take) > 0 && now_ms < self.dry_until_ms
    }

    pub(super) fn take(&mut self, take: &Take, now_ms: u64) {
        if take.meter.is_window() {
            self.used = self.used.saturating_add(take.amount);
        } else {
            self.held = self.held.saturating_add(take.amount);
        }
        self.used_at_ms = now_ms;
    }

    /// Adds what was granted. `asked_at_ms` is before the database looked at its clock.
    pub(super) fn grow(&mut self, grant: &store::leases::Grant, meter: Meter, asked_at_ms: u64) {
        if meter.is_window() {
            if grant.window != self.window || self.granted | self.used == 0 {
                self.begin(grant.window);
            }
            let rest = u64::try_from(grant.window_ms).unwrap_or(0);
            self.window_ends_ms = self.window_ends_ms.max(asked_at_ms.saturating_add(rest));
        }
        self.granted = self.granted.saturating_add(grant.granted);
        self.left = grant.left;
        if grant.granted > 0 {
            let soon = asked_at_ms.saturating_sub(self.granted_at_ms) < SOON_MS;
            self.modesty = match self.granted_at_ms {
                0 => MOST_MODEST,
                _ if soon => self.modesty.max(BOLDEST + 1) - 1,
                _ => (self.modesty + 1).min(MOST_MODEST),
            };
            self.granted_at_ms = asked_at_ms;
        }
    }

    /// Into how many parts what is left is cut, among so many replicas.
    pub(super) fn parts(&self, replicas: i64) -> i64 {
        let modesty =
            if self.granted_at_ms == 0 { MOST_MODEST } else { self.modesty.clamp(BOLDEST, MOST_MODEST) };
        replicas.max(1) << modesty
    }
}
