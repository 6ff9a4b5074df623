//! What the callers' threads and the writer share: charges that wait for the disk, and how far it got.
//! The lock is held for copying one record or for handing over a list of chunks, never across a system call
//! that can block on the disk.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::Unsaved;

/// Records are gathered in pieces of this size, so that a growing queue never moves what it holds.
const CHUNK_BYTES: u64 = 64 << 10;

/// How far the disk is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Charges recorded since the ledger was opened.
    pub recorded: u64,
    /// How many of them, in order, are as safe as [`super::Sync`] promises.
    pub durable: u64,
    /// Why the disk does not take charges; `None` when it does.
    pub trouble: Option<Trouble>,
}

/// A disk that does not take charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The first failure since the disk last worked.
    pub since: SystemTime,
    /// What the system said last.
    pub reason: String,
}

#[derive(Debug)]
pub(super) struct Queue {
    chunk_bytes: usize,
    /// Recorded and not durable, wherever they are; read by admission without the lock.
    waiting_bytes: AtomicU64,
    inner: Mutex<Inner>,
    /// The writer waits here.
    wake: Condvar,
    /// Whoever waits for charges to be durable waits here.
    settled: Condvar,
}

#[derive(Debug)]
struct Inner {
    chunks: Vec<Vec<u8>>,
    /// The writer sleeps until somebody wakes it.
    idle: bool,
    /// Records up to which somebody waits for a sync.
    wanted: u64,
    ended: bool,
    state: State,
}

/// What the writer is told when it looks.
#[derive(Debug)]
#[must_use = "the records are nowhere else any more"]
pub(super) struct Orders {
    /// Unstamped records, in order.
    pub(super) chunks: Vec<Vec<u8>>,
    /// Somebody waits for a sync.
    pub(super) flush: bool,
    /// The ledger is being dropped.
    pub(super) ended: bool,
}

/// What the writer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// The given time.
    Due,
    /// That, or somebody who waits for a sync.
    Flush,
    /// That, or a record.
    Records,
}

impl Queue {
    pub(super) fn new(segment_bytes: u64) -> Self {
        let state = State { recorded: 0, durable: 0, trouble: None };
        let inner = Inner { chunks: Vec::new(), idle: false, wanted: 0, ended: false, state };
        Self {
            // A segment takes whole chunks, so small segments need small ones.
            chunk_bytes: CHUNK_BYTES.min(segment_bytes / 4) as usize,
            waiting_bytes: AtomicU64::new(0),
            inner: Mutex::new(inner),
            wake: Condvar::new(),
            settled: Condvar::new(),
        }
    }

    pub(super) fn push(&self, record: &[u8]) {
        self.waiting_bytes.fetch_add(record.len() as u64, Ordering::Relaxed);
        let mut inner = self.lock();
        inner.state.recorded += 1;
        match inner.chunks.last_mut() {
            Some(chunk) if chunk.capacity() - chunk.len() >= record.len() => chunk.extend_from_slice(record),
            _ => {
                let mut chunk = Vec::with_capacity(self.chunk_bytes.max(record.len()));
                chunk.extend_from_slice(record);
                inner.chunks.push(chunk);
            }
        }
        let idle = mem::take(&mut inner.idle);
        drop(inner);
        if idle {
            self.wake.notify_one();
        }
    }

    pub(super) fn waiting_bytes(&self) -> u64 {
        self.waiting_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn state(&self) -> State {
        self.lock().state.clone()
    }

    /// Waits until what is recorded is durable.
    pub(super) fn flush(&self, patience: Duration) -> Result<(), Unsaved> {
        let mut inner = self.lock();
        let wanted = inner.state.recorded;
        inner.wanted = wanted;
        self.wake.notify_one();
        let behind = |inner: &mut Inner| inner.state.durable < wanted;
        inner = self
            .settled
            .wait_timeout_while(inner, patience, behind)
            .map_or_else(|poisoned| poisoned.into_inner().0, |(inner, _)| inner);
        let State { recorded: _, durable, trouble } = &inner.state;
        if *durable >= wanted {
            return Ok(());
        }
        let reason = trouble.as_ref().map_or_else(|| "the disk is slow".to_owned(), |it| it.reason.clone());
        Err(Unsaved { charges: wanted - durable, reason })
    }

    /// Tells the writer to make one last attempt and to end.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.wake.notify_one();
    }

    /// The writer's wait for something to do: until `due`, the end, or what it waits `until`. Hands over records
    /// only if it waits for them or at the end, because a chunk that is taken is no longer filled up.
    pub(super) fn wait(&self, until: Until, due: Option<Instant>) -> Orders {
        let for_records = until == Until::Records;
        let for_flush = until != Until::Due;
        let mut inner = self.lock();
        loop {
            let left = due.map(|due| due.saturating_duration_since(Instant::now()));
            let flush = inner.wanted > inner.state.durable;
            if inner.ended
                || left.is_some_and(|left| left.is_zero())
                || (for_flush && flush)
                || (for_records && !inner.chunks.is_empty())
            {
                inner.idle = false;
                let take = for_records || inner.ended;
                let chunks = if take { mem::take(&mut inner.chunks) } else { Vec::new() };
                return Orders { chunks, flush, ended: inner.ended };
            }
            inner.idle = for_records;
            inner = match left {
                None => self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let woken = self.wake.wait_timeout(inner, left);
                    woken.map_or_else(|poisoned| poisoned.into_inner().0, |(inner, _)| inner)
                }
            };
        }
    }

    /// The writer's word that so much more is durable.
    pub(super) fn settle(&self, records: u64, bytes: u64) {
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.lock().state.durable += records;
        self.settled.notify_all();
    }

    /// The writer's word on how the disk is. Returns whether that is news.
    pub(super) fn report(&self, failure: Option<String>) -> bool {
        let mut inner = self.lock();
        let before = inner.state.trouble.take();
        let news = before.is_some() != failure.is_some();
        inner.state.trouble = failure.map(|reason| Trouble {
            since: before.map_or_else(SystemTime::now, |before| before.since),
            reason,
        });
        news
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No step leaves the queue half changed, so a poisoned lock says nothing about it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
