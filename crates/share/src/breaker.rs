//! Whether others can be asked. After the first failure nobody waits for them again until they answered a probe.
//!
//! Not here: the probe, which is its owner's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::unix_ms;

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Who holds out so long has recovered; who does not is asked ever less often.
const STEADY: Duration = Duration::from_secs(10);

/// What readiness says of the sharing of limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is nobody to share with.
    Alone,
    /// The others are asked.
    Sharing,
    /// This replica decides by what it knows and holds.
    Degraded {
        /// Unix milliseconds.
        since_ms: u64,
        /// What went wrong.
        reason: String,
    },
}

#[derive(Debug)]
pub(crate) struct Breaker {
    open: AtomicBool,
    why: Mutex<Why>,
}

#[derive(Debug)]
struct Why {
    since_ms: u64,
    reason: String,
    closed_at: Option<Instant>,
    pause: Duration,
}

impl Breaker {
    /// Open: nobody has answered yet.
    pub(crate) fn new() -> Self {
        let why = Why {
            since_ms: unix_ms(),
            reason: "there is no connection yet".to_owned(),
            closed_at: None,
            pause: SHORTEST_PAUSE,
        };
        Self { open: AtomicBool::new(true), why: Mutex::new(why) }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Nobody is asked from now on. `whom` is for the log.
    pub(crate) fn trip(&self, whom: &str, reason: String) {
        let mut why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        if self.open.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::warn!(%reason, "limits are not shared through {whom} for now: this replica decides alone");
        let steady = why.closed_at.take().is_some_and(|at| at.elapsed() >= STEADY);
        if steady {
            why.pause = SHORTEST_PAUSE;
        }
        why.since_ms = unix_ms();
        why.reason = reason;
    }

    /// A probe failed.
    pub(crate) fn still_open(&self, reason: String) {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).reason = reason;
    }

    /// A probe was answered.
    pub(crate) fn close(&self, whom: &str) {
        let mut why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        if self.open.swap(false, Ordering::AcqRel) {
            tracing::info!("limits are shared through {whom}");
            why.closed_at = Some(Instant::now());
        }
    }

    /// How long to wait before the next probe.
    pub(crate) fn pause(&self) -> Duration {
        let mut why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = why.pause;
        why.pause = (pause * 2).min(LONGEST_PAUSE);
        pause
    }

    pub(crate) fn state(&self) -> State {
        if !self.is_open() {
            return State::Sharing;
        }
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        State::Degraded { since_ms: why.since_ms, reason: why.reason.clone() }
    }
}
