//! The thread that brings charges to the disk: when it syncs, and what it does when that or a write fails.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::queue::{Queue, Until};
use super::{Options, Sync, segment};

/// How often [`Sync::Os`] looks whether there is something to let go of.
const ROUND: Duration = Duration::from_millis(20);
const FIRST_RETRY: Duration = Duration::from_millis(20);
const LAST_RETRY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Writer {
    directory: PathBuf,
    sync: Sync,
    queue: Arc<Queue>,
    /// How long to wait after the next failure, while the disk fails.
    retry: Option<Duration>,
    /// The next attempt is not before.
    due: Instant,
}

impl Writer {
    pub(super) fn new(directory: PathBuf, options: Options, queue: Arc<Queue>) -> Self {
        Self { directory, sync: options.sync, queue, retry: None, due: Instant::now() }
    }

    /// Returns when the ledger ends, after a last attempt.
    pub(super) fn run(mut self) {
        loop {
            let ended = self.wait();
            match self.advance() {
                Ok(()) => {
                    self.retry = None;
                    self.queue.recovered();
                }
                Err(error) => self.failed(&error),
            }
            if ended {
                return self.leave();
            }
        }
    }

    fn wait(&self) -> bool {
        if self.retry.is_some() {
            return self.queue.wait(Until::Due(self.due));
        }
        let ended = self.queue.wait(Until::Records);
        let group = match self.sync {
            Sync::Group(time) => time,
            Sync::Os => ROUND,
            Sync::Each => return ended,
        };
        let due = Instant::now().checked_add(group);
        self.queue.wait(Until::Flush(due))
    }

    /// Makes durable what is recorded by now, segment by segment.
    fn advance(&self) -> io::Result<()> {
        self.queue.write_held()?;
        while let Some((pending, more)) = self.queue.pending()? {
            // With `Os`, to have handed it to the system is all that was promised.
            if self.sync != Sync::Os {
                pending.file.sync_data()?;
                if !pending.named {
                    segment::sync_directory(&self.directory)?;
                }
            }
            self.queue.settle(&pending);
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn failed(&mut self, error: &io::Error) {
        let wait = self.retry.unwrap_or(FIRST_RETRY);
        self.due = Instant::now() + wait;
        self.retry = Some((wait * 2).min(LAST_RETRY));
        self.queue.fail(error);
    }

    fn leave(&self) {
        let state = self.queue.state();
        let lost = state.recorded - state.durable;
        if lost > 0 {
            tracing::error!(directory = %self.directory.display(), lost, "charges could not be written before the end");
        }
    }
}
