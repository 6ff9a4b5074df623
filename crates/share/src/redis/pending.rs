//! What the server has to be told and was not yet: ends of calls, and charges summed up by budget.
//!
//! Bounded: of ends the newest are kept, because leases lapse and windows end by themselves; charges are one
//! number for each budget however long the server is away.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::Entry;

/// Ends beyond are forgotten, the oldest first.
const MOST_ENDS: usize = 100_000;
/// Accounts with budgets that were used while the server was away.
const MOST_BUDGETS: usize = 1_000_000;
/// A script keeps the server from everybody else: so much at once takes it about a millisecond.
const BATCH: usize = 500;

type Charges = HashMap<String, Charge, foldhash::fast::RandomState>;

#[derive(Debug, Default)]
pub(super) struct Pending {
    ends: VecDeque<End>,
    charges: Charges,
    /// What was taken last and is not known to have arrived.
    taken: Option<Arc<Batch>>,
    number: u64,
}

/// A call that ended.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) entries: Arc<[Entry]>,
    pub(super) used_tokens: u64,
}

/// Nano-dollars, and when the budget's period ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charge {
    pub(super) nano: i64,
    pub(super) ends_ms: Option<u64>,
}

/// What is told at once. The server applies a number once, so it may be sent again.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) number: u64,
    pub(super) ends: Vec<End>,
    pub(super) charges: Charges,
}

impl Pending {
    pub(super) fn end(&mut self, entries: Arc<[Entry]>, used_tokens: u64) {
        if self.ends.len() == MOST_ENDS {
            self.ends.pop_front();
        }
        self.ends.push_back(End { entries, used_tokens });
    }

    pub(super) fn charge(&mut self, key: String, nano: i64, ends_ms: Option<u64>) {
        if self.charges.len() >= MOST_BUDGETS && !self.charges.contains_key(&key) {
            tracing::error!(budget = %key, nano, "too many budgets wait for Redis: the others will not know of this");
            return;
        }
        let charge = self.charges.entry(key).or_insert(Charge { nano: 0, ends_ms });
        charge.nano = charge.nano.saturating_add(nano);
    }

    /// Nano-dollars that the server does not know of yet.
    pub(super) fn unsent(&self, key: &str) -> i64 {
        let of = |charges: &Charges| charges.get(key).map_or(0, |charge| charge.nano);
        of(&self.charges).saturating_add(self.taken.as_ref().map_or(0, |batch| of(&batch.charges)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        let taken = self.taken.as_ref().map_or(0, |batch| batch.ends.len() + batch.charges.len());
        self.ends.len() + self.charges.len() + taken
    }

    /// What is to be told next: the same again until it has [`arrived`](Self::arrived).
    pub(super) fn take(&mut self) -> Option<Arc<Batch>> {
        if self.taken.is_none() && (!self.ends.is_empty() || !self.charges.is_empty()) {
            self.number += 1;
            let ends = self.ends.drain(..self.ends.len().min(BATCH)).collect();
            let charges = if self.charges.len() <= BATCH {
                std::mem::take(&mut self.charges)
            } else {
                let names: Vec<String> = self.charges.keys().take(BATCH).cloned().collect();
                names.into_iter().filter_map(|name| self.charges.remove_entry(&name)).collect()
            };
            self.taken = Some(Arc::new(Batch { number: self.number, ends, charges }));
        }
        self.taken.clone()
    }

    pub(super) fn arrived(&mut self) {
        self.taken = None;
    }
}
