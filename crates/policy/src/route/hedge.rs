//! When a second attempt is started beside one that is slow. The first answer wins; the other is cancelled.
//!
//! Not here: starting it. Only for calls that cost little to repeat; the operator says for which groups.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use super::{Moment, Track};

/// A percentile of fewer samples says nothing.
const LEAST_SAMPLES: usize = 20;
/// A call earns this share of a hedge, in thousandths; saved up to [`MOST_SAVED`].
const WHOLE: u32 = 1_000;
const MOST_SAVED: u32 = 10 * WHOLE;

/// When to hedge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedging {
    /// The percentile of the deployment's latencies after which a call is slow.
    pub percentile: u8,
    /// Never before this.
    pub least: Duration,
    /// Hedges in a thousand calls.
    pub per_thousand: u32,
    /// Latencies that are older are not known.
    pub live: Duration,
}

impl Default for Hedging {
    fn default() -> Self {
        let live = Duration::from_secs(600);
        Self { percentile: 95, least: Duration::from_millis(250), per_thousand: 50, live }
    }
}

/// Hedges saved up by calls: where everything is slow, second attempts would make it slower.
#[derive(Debug, Default)]
pub struct Purse(AtomicU32);

impl Hedging {
    /// After how long without an answer from this deployment a second attempt starts; `None`: never, too little is
    /// known. For a stream the answer is its first event.
    #[must_use]
    pub fn delay(&self, track: &Track, stream: bool, now: Moment) -> Option<Duration> {
        let window = if stream { &track.firsts } else { &track.durations };
        let seconds = window.percentile(self.percentile, LEAST_SAMPLES, now, self.live)?;
        Some(Duration::try_from_secs_f32(seconds).ok()?.max(self.least))
    }

    /// Counts a call.
    pub fn earn(&self, purse: &Purse) {
        let more = |saved: u32| Some(saved.saturating_add(self.per_thousand).min(MOST_SAVED));
        let _ = purse.0.fetch_update(Relaxed, Relaxed, more);
    }
}

impl Purse {
    /// Takes one hedge, if there is one.
    pub fn spend(&self) -> bool {
        self.0.fetch_update(Relaxed, Relaxed, |saved| saved.checked_sub(WHOLE)).is_ok()
    }
}

#[cfg(test)]
#[path = "hedge_tests.rs"]
mod tests;
