//! Which budget periods a charge falls into.

use crate::entity::Kind;
use crate::ledger::Charge;

/// What a charge is counted against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The budget that a row itself has.
    Entity {
        /// The row's kind.
        kind: Kind,
        /// Its id.
        id: String,
        /// When the charge's period ends, in milliseconds of Unix time; `None` for a budget without periods.
        resets_at_ms: Option<i64>,
    },
    /// A budget that is no row's.
    Window {
        /// Whose.
        account: String,
        /// Which of its budgets, such as `1d`.
        period: String,
        /// When the charge's period ends, in milliseconds of Unix time; `None` for a budget without periods.
        resets_at_ms: Option<i64>,
    },
}

/// Knows budgets. What it does not mention has no periods: the key, the user, the team and whatever else stands in
/// the charge are charged in any case.
pub trait Windows: Send + Sync {
    /// Every period that `charge` falls into.
    fn of(&self, charge: &Charge<'_>) -> Vec<Target>;
}

/// No budget has periods.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWindows;

impl Windows for NoWindows {
    fn of(&self, _: &Charge<'_>) -> Vec<Target> {
        Vec::new()
    }
}
