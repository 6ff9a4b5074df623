//! What the callers' threads and the writer share: the segments whose records are not durable, and how far the
//! disk got. The lock is held for handing records to the system, never across a sync.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Unsaved;
use super::tail::{Pending, Tail};

/// What is written again at once, so that nobody who records waits long for the lock.
const PIECE_BYTES: usize = 64 << 10;

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
    directory: PathBuf,
    segment_bytes: u64,
    /// Recorded and not durable; read by admission without the lock.
    waiting_bytes: AtomicU64,
    inner: Mutex<Inner>,
    /// The writer waits here.
    wake: Condvar,
    /// Whoever waits for charges to be durable waits here.
    settled: Condvar,
}

#[derive(Debug)]
struct Inner {
    /// The last number that was given to a segment.
    last: Option<u64>,
    /// Oldest first. All but the newest are full and not durable.
    tails: VecDeque<Tail>,
    /// A failure left bytes that have to be written again before any others: by the writer.
    held: bool,
    /// The writer sleeps until somebody wakes it.
    idle: bool,
    /// Records up to which somebody waits for a sync.
    wanted: u64,
    ended: bool,
    state: State,
}

/// What the writer waits for, besides the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// A record that is not durable.
    Records,
    /// The given time.
    Due(Instant),
    /// Somebody who waits for a sync, or the time if there is one.
    Flush(Option<Instant>),
}

impl Queue {
    /// `last` is the number of the newest segment in `directory`.
    pub(super) fn new(directory: &Path, segment_bytes: u64, last: Option<u64>) -> Self {
        let state = State { recorded: 0, durable: 0, trouble: None };
        let tails = VecDeque::new();
        let inner = Inner { last, tails, held: false, idle: false, wanted: 0, ended: false, state };
        Self {
            directory: directory.to_owned(),
            segment_bytes,
            waiting_bytes: AtomicU64::new(0),
            inner: Mutex::new(inner),
            wake: Condvar::new(),
            settled: Condvar::new(),
        }
    }

    /// Places an unstamped record and hands it to the system, unless that has to wait for the writer.
    pub(super) fn push(&self, record: Vec<u8>) {
        self.waiting_bytes.fetch_add(record.len() as u64, Ordering::Relaxed);
        let mut inner = self.lock();
        inner.state.recorded += 1;
        let held = inner.held;
        let tail = inner.tail_for(&record, &self.directory, self.segment_bytes);
        tail.place(record);
        let written = if held { Ok(()) } else { tail.write(usize::MAX) };
        let news = written.err().and_then(|error| inner.fail(&error).then_some(error));
        let idle = mem::take(&mut inner.idle);
        drop(inner);
        if idle {
            self.wake.notify_one();
        }
        if let Some(error) = news {
            self.complain(&error);
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

    /// The writer's wait. Returns whether the ledger is being dropped.
    pub(super) fn wait(&self, until: Until) -> bool {
        let mut inner = self.lock();
        loop {
            let behind = inner.state.durable < inner.state.recorded;
            let flush = inner.wanted > inner.state.durable;
            let (due, awaited) = match until {
                Until::Records => (None, behind),
                Until::Due(due) => (Some(due), false),
                Until::Flush(due) => (due, flush),
            };
            let left = due.map(|due| due.saturating_duration_since(Instant::now()));
            if inner.ended || awaited || left.is_some_and(|left| left.is_zero()) {
                inner.idle = false;
                return inner.ended;
            }
            inner.idle = until == Until::Records;
            inner = match left {
                None => self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let woken = self.wake.wait_timeout(inner, left);
                    woken.map_or_else(|poisoned| poisoned.into_inner().0, |(inner, _)| inner)
                }
            };
        }
    }

    /// Writes what was held back, if anything was.
    pub(super) fn write_held(&self) -> io::Result<()> {
        loop {
            let mut inner = self.lock();
            let Some(tail) = inner.tails.iter_mut().find(|tail| !tail.is_written()) else {
                inner.held = false;
                return Ok(());
            };
            tail.write(PIECE_BYTES)?;
        }
    }

    /// What is to be synced next, and whether more can follow at once.
    pub(super) fn pending(&self) -> io::Result<Option<(Pending, bool)>> {
        let mut inner = self.lock();
        let more = inner.tails.len() > 1;
        let Some(tail) = inner.tails.front_mut() else { return Ok(None) };
        tail.show()?;
        Ok(tail.pending().map(|pending| (pending, more)))
    }

    /// The writer's word that so much more is durable.
    pub(super) fn settle(&self, synced: &Pending) {
        self.waiting_bytes.fetch_sub(synced.bytes as u64, Ordering::Relaxed);
        let mut inner = self.lock();
        inner.state.durable += synced.records;
        if let Some(tail) = inner.tails.front_mut() {
            tail.settle(synced);
            if tail.is_durable() && inner.tails.len() > 1 {
                inner.tails.pop_front();
            }
        }
        // Whoever waited for the last of them is told that the disk works.
        let news = inner.state.durable == inner.state.recorded && inner.recover();
        drop(inner);
        self.settled.notify_all();
        self.rejoice(news);
    }

    /// The writer's word that the disk fails.
    pub(super) fn fail(&self, error: &io::Error) {
        if self.lock().fail(error) {
            self.complain(error);
        }
    }

    /// The writer's word that everything was written and synced.
    pub(super) fn recovered(&self) {
        let news = self.lock().recover();
        self.rejoice(news);
    }

    fn rejoice(&self, news: bool) {
        if news {
            tracing::info!(directory = %self.directory.display(), "the ledger writes again");
        }
    }

    fn complain(&self, error: &io::Error) {
        tracing::error!(directory = %self.directory.display(), %error, "the ledger cannot write; charges wait in memory");
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No step leaves the queue half changed, so a poisoned lock says nothing about it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The newest segment, or one that is begun because the record does not fit into that.
    fn tail_for(&mut self, record: &[u8], directory: &Path, segment_bytes: u64) -> &mut Tail {
        if self.tails.back().is_none_or(|tail| !tail.fits(record, segment_bytes)) {
            self.tails.pop_front_if(|tail| tail.is_durable());
            let number = next_number(self.last);
            self.last = Some(number);
            self.tails.push_back(Tail::begin(directory, number, !self.tails.is_empty()));
        }
        let newest = self.tails.len() - 1;
        &mut self.tails[newest]
    }

    /// Returns whether that is news. It is none if writing failed again for somebody who records.
    fn recover(&mut self) -> bool {
        !self.held && self.state.trouble.take().is_some()
    }

    /// Nothing since the last sync is believed to be written. Returns whether the trouble is news.
    fn fail(&mut self, error: &io::Error) -> bool {
        self.held = true;
        self.tails.iter_mut().for_each(Tail::distrust);
        let before = self.state.trouble.take();
        let news = before.is_none();
        let since = before.map_or_else(SystemTime::now, |before| before.since);
        self.state.trouble = Some(Trouble { since, reason: error.to_string() });
        news
    }
}

/// Time in milliseconds, or one more than the last number: see the module's words on format.
fn next_number(last: Option<u64>) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let now = u64::try_from(now).unwrap_or(0);
    last.map_or(now, |last| now.max(last.saturating_add(1)))
}
