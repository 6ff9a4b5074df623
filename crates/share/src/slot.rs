//! Budgets that have a limit, each with the end of the period that runs.
//!
//! Not here: what was spent in it.

use policy::period::{Calendar, Period};

use crate::Ask;

/// A budget that has a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    /// Of the account's terms.
    pub(crate) index: usize,
    pub(crate) period: Option<Period>,
    pub(crate) ends_ms: Option<u64>,
}

impl Slot {
    /// The account's.
    pub(crate) fn of(ask: &Ask<'_>, calendar: &Calendar, now_ms: u64) -> Box<[Self]> {
        let limited = ask.terms.budgets.iter().enumerate().filter(|(_, budget)| budget.limit.is_some());
        let slot = |(index, budget): (usize, &policy::account::Budget)| {
            let ends_ms = ask.known.get(index).and_then(|(_, ends_ms)| *ends_ms);
            Self { index, period: budget.period, ends_ms }.running(calendar, now_ms)
        };
        limited.map(slot).collect()
    }

    /// The same budget in the period that runs now.
    pub(crate) fn running(self, calendar: &Calendar, now_ms: u64) -> Self {
        let next = |period| {
            let ends_ms = self.ends_ms.filter(|ends_ms| now_ms < *ends_ms);
            ends_ms.unwrap_or_else(|| calendar.next_reset(period, now_ms))
        };
        Self { ends_ms: self.period.map(next), ..self }
    }
}
