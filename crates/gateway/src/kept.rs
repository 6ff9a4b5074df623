//! Responses that are kept for callers to continue or fetch, where no provider keeps them. In memory, bounded in
//! bytes and in age: the oldest go first. They outlive a reload of the configuration, not the process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use wire::raw::Raw;

use crate::auth::Owner;
use crate::call::unix_seconds;

/// How long a response is kept; as long as OpenAI keeps one.
const LIFE_SECONDS: u64 = 30 * 24 * 60 * 60;
/// All that is kept, in bytes.
const MOST_BYTES: usize = 256 << 20;
/// What one response may take of it.
const MOST_RESPONSE: usize = 32 << 20;

/// One response and what led to it.
#[derive(Debug)]
pub struct Kept {
    /// Whose it is; nobody else sees it.
    pub owner: Owner,
    /// All input items, those of earlier responses included.
    pub input: Vec<Raw>,
    /// The response object.
    pub response: Bytes,
    at: u64,
    bytes: usize,
}

impl Kept {
    /// A response that is kept from now on.
    #[must_use]
    pub fn new(owner: Owner, input: Vec<Raw>, response: Bytes) -> Self {
        let bytes = response.len() + input.iter().map(|item| item.text().len()).sum::<usize>();
        Self { owner, input, response, at: unix_seconds(), bytes }
    }
}

/// The shelf they stand on.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    by_id: HashMap<String, Arc<Kept>>,
    /// Oldest first; ids that were taken away may still be here.
    order: VecDeque<String>,
    bytes: usize,
}

impl Shelf {
    /// Keeps a response under its id. An id that is there already stays what it was.
    pub fn keep(&self, id: String, kept: Kept) {
        if kept.bytes > MOST_RESPONSE {
            tracing::debug!(bytes = kept.bytes, "a response is too large to be kept");
            return;
        }
        let mut inside = self.lock();
        if inside.by_id.contains_key(&id) {
            return;
        }
        inside.make_room(kept.bytes);
        inside.bytes += kept.bytes;
        inside.order.push_back(id.clone());
        inside.by_id.insert(id, Arc::new(kept));
    }

    /// The response called `id`, if it is there and `caller`'s.
    #[must_use]
    pub fn find(&self, id: &str, caller: Owner) -> Option<Arc<Kept>> {
        let kept = self.lock().by_id.get(id).cloned()?;
        let fresh = unix_seconds().saturating_sub(kept.at) < LIFE_SECONDS;
        (fresh && kept.owner == caller).then_some(kept)
    }

    /// Forgets it. Whether it was there and `caller`'s.
    #[must_use]
    pub fn forget(&self, id: &str, caller: Owner) -> bool {
        if self.find(id, caller).is_none() {
            return false;
        }
        self.lock().remove(id)
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn make_room(&mut self, bytes: usize) {
        let now = unix_seconds();
        while let Some(oldest) = self.order.front() {
            let stale = self.by_id.get(oldest).is_none_or(|kept| now.saturating_sub(kept.at) >= LIFE_SECONDS);
            if !stale && self.bytes + bytes <= MOST_BYTES {
                return;
            }
            if let Some(id) = self.order.pop_front() {
                self.remove(&id);
            }
        }
    }

    fn remove(&mut self, id: &str) -> bool {
        let removed = self.by_id.remove(id);
        self.bytes -= removed.as_ref().map_or(0, |kept| kept.bytes);
        removed.is_some()
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
