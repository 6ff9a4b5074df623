//! The thread that brings charges to the disk: when it writes, when it syncs, what it does when that fails.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::queue::{Orders, Queue, Until};
use super::tail::Tail;
use super::{Options, Sync};

/// Between two writes, so that a busy gateway pays one system call for many charges and wakes nobody.
const REST: Duration = Duration::from_millis(1);
const FIRST_RETRY: Duration = Duration::from_millis(20);
const LAST_RETRY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Writer {
    directory: PathBuf,
    options: Options,
    queue: Arc<Queue>,
    /// The last number that was given to a segment.
    last: Option<u64>,
    /// Unstamped records that have no segment yet.
    backlog: VecDeque<Vec<u8>>,
    tail: Option<Tail>,
    /// The next write is not before.
    rested: Instant,
    /// The next sync is due.
    sync_at: Option<Instant>,
    /// How long to wait after the next failure, while the disk fails.
    retry: Option<Duration>,
}

impl Writer {
    pub(super) fn new(directory: PathBuf, options: Options, queue: Arc<Queue>, last: Option<u64>) -> Self {
        Self {
            directory,
            options,
            queue,
            last,
            backlog: VecDeque::new(),
            tail: None,
            rested: Instant::now(),
            sync_at: None,
            retry: None,
        }
    }

    /// Returns when the ledger ends, after a last attempt.
    pub(super) fn run(mut self) {
        loop {
            let Orders { chunks, flush, ended } = self.wait();
            self.backlog.extend(chunks);
            let sync = match self.options.sync {
                Sync::Each => true,
                Sync::Os => ended,
                Sync::Group(_) => flush || ended || self.sync_at.is_some_and(|at| at <= Instant::now()),
            };
            match self.advance(sync) {
                Ok(()) => self.recovered(),
                Err(error) => self.failed(&error),
            }
            if ended {
                return self.leave();
            }
        }
    }

    fn wait(&self) -> Orders {
        if self.retry.is_some() {
            return self.queue.wait(Until::Due, Some(self.rested));
        }
        if self.options.sync != Sync::Each {
            let orders = self.queue.wait(Until::Flush, Some(self.rested));
            if orders.ended {
                return orders;
            }
        }
        self.queue.wait(Until::Records, self.sync_at)
    }

    /// Writes everything there is, in as many segments as it takes; syncs the last one if asked to.
    fn advance(&mut self, sync: bool) -> io::Result<()> {
        loop {
            let tail = match &mut self.tail {
                Some(tail) => tail,
                None if self.backlog.is_empty() => return Ok(()),
                None => {
                    let number = next_number(self.last)?;
                    self.last = Some(number);
                    self.tail.insert(Tail::begin(&self.directory, number))
                }
            };
            let limit = self.options.segment_bytes;
            while let Some(chunk) = self.backlog.pop_front_if(|chunk| tail.fits(chunk, limit)) {
                tail.place(chunk);
            }
            tail.write()?;
            let full = !self.backlog.is_empty();
            match self.options.sync {
                // To have handed it to the system is all that was promised.
                Sync::Os if !sync => {}
                Sync::Group(time) if !sync && !full => {
                    if self.sync_at.is_none() && !tail.is_durable() {
                        self.sync_at = Instant::now().checked_add(time);
                    }
                    return Ok(());
                }
                Sync::Os | Sync::Each | Sync::Group(_) => tail.sync()?,
            }
            let (records, bytes) = tail.settle();
            self.queue.settle(records, bytes);
            self.sync_at = None;
            if !full {
                return Ok(());
            }
            self.tail = None;
        }
    }

    fn recovered(&mut self) {
        self.rested = Instant::now() + REST;
        if self.retry.take().is_some() {
            self.queue.report(None);
            tracing::info!(directory = %self.directory.display(), "the ledger writes again");
        }
    }

    fn failed(&mut self, error: &io::Error) {
        if let Some(tail) = &mut self.tail {
            tail.distrust();
        }
        let wait = self.retry.unwrap_or(FIRST_RETRY);
        self.rested = Instant::now() + wait;
        self.retry = Some((wait * 2).min(LAST_RETRY));
        if self.queue.report(Some(error.to_string())) {
            tracing::error!(directory = %self.directory.display(), %error, "the ledger cannot write; charges wait in memory");
        }
    }

    fn leave(&self) {
        let state = self.queue.state();
        let lost = state.recorded - state.durable;
        if lost > 0 {
            tracing::error!(directory = %self.directory.display(), lost, "charges could not be written before the end");
        }
    }
}

/// Time in milliseconds, or one more than the last number: see the module's words on format.
fn next_number(last: Option<u64>) -> io::Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let now = u64::try_from(now).unwrap_or(0);
    match last {
        None => Ok(now),
        Some(last) => last
            .checked_add(1)
            .map(|next| next.max(now))
            .ok_or_else(|| io::Error::other("the segment numbers are used up; move the segments away")),
    }
}
