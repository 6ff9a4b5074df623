//! Media fetched a moment ago, bounded by bytes and age. One fetch an address at a time.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::{Media, MediaError};

type Fetched = Result<Media, MediaError>;

#[derive(Debug)]
pub(super) struct Kept {
    slots: Mutex<HashMap<String, Slot>>,
    most_bytes: usize,
    age: Duration,
}

#[derive(Clone, Debug)]
struct Slot {
    /// Empty while it is fetched. When the one who fetches goes away, the next who waits fetches.
    cell: Arc<OnceCell<Fetched>>,
    since: Instant,
}

impl Kept {
    pub(super) fn new(most_bytes: usize, age: Duration) -> Self {
        Self { slots: Mutex::default(), most_bytes, age }
    }

    /// What is kept for `url`, or what `fetch` brings.
    pub(super) async fn get<F, Fut>(&self, url: &str, fetch: F) -> Fetched
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Fetched>,
    {
        let cell = self.cell(url);
        if let Some(fetched) = cell.get() {
            return fetched.clone();
        }
        let fetched = cell.get_or_init(fetch).await.clone();
        self.settle(url, &cell);
        fetched
    }

    fn cell(&self, url: &str) -> Arc<OnceCell<Fetched>> {
        let mut slots = self.slots();
        let now = Instant::now();
        slots.retain(|_, slot| {
            let is_awaited = Arc::strong_count(&slot.cell) > 1;
            is_awaited && !slot.cell.initialized() || slot.cell.initialized() && now - slot.since < self.age
        });
        let fresh = || Slot { cell: Arc::default(), since: now };
        Arc::clone(&slots.entry(url.to_owned()).or_insert_with(fresh).cell)
    }

    /// Failures are forgotten, and the oldest media above the bound.
    fn settle(&self, url: &str, cell: &Arc<OnceCell<Fetched>>) {
        let mut slots = self.slots();
        if let Some(slot) = slots.get_mut(url).filter(|slot| Arc::ptr_eq(&slot.cell, cell)) {
            if matches!(cell.get(), Some(Err(_))) {
                slots.remove(url);
                return;
            }
            slot.since = Instant::now();
        }
        let mut total: usize = slots.values().map(Slot::size).sum();
        while total > self.most_bytes {
            let filled = slots.iter().filter(|(_, slot)| slot.cell.initialized());
            let Some(oldest) = filled.min_by_key(|(_, slot)| slot.since).map(|(url, _)| url.clone()) else {
                return;
            };
            total -= slots.remove(&oldest).map_or(0, |slot| slot.size());
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn size(&self) -> usize {
        match self.cell.get() {
            Some(Ok(media)) => media.bytes.len(),
            _ => 0,
        }
    }
}
