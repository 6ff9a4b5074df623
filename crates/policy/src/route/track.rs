//! What is known of one deployment right now. One per deployment, shared by all calls, kept over reloads.
//!
//! Not here: what follows from it; see [`super::pool`] for choosing and [`super::cooldown`] for failures.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Moment;
use super::cells::{Expiring, Fading, Minute, Window};
use super::class::CLASSES;

/// While a probe is out nobody else is sent; one that is silent for longer is no longer waited for.
const PROBE_LEASE: Duration = Duration::from_secs(30);
/// What is known of latency and errors counts half after this long, so that a deployment that was bad is tried again.
pub(super) const FADE: Duration = Duration::from_secs(20);

/// The live state of a deployment. All that a choice reads stands in the first cache line.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct Track {
    /// Not before this; 0 is healthy, a past moment is a cooldown that no success has ended yet.
    cool_until: AtomicU64,
    /// The upstream has nothing left before this.
    spent_until: AtomicU64,
    pub(super) in_flight: AtomicU32,
    pub(super) requests: Minute,
    pub(super) tokens: Minute,
    pub(super) errors: Fading,
    pub(super) first: Fading,
    pub(super) pace: Fading,
    probe_until: AtomicU64,
    pub(super) successes: Minute,
    pub(super) failures: Minute,
    pub(super) latencies: Window,
    pub(super) firsts: Window,
    /// Seconds of whole calls, for hedging.
    pub(super) durations: Window,
    pub(super) fails: [Expiring; CLASSES + 1],
}

impl Track {
    /// Calls in flight.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// Requests and tokens of this minute.
    #[must_use]
    pub fn used(&self, now: Moment) -> (u64, u64) {
        (self.requests.get(now), self.tokens.get(now))
    }

    /// Successes and failures of this minute.
    #[must_use]
    pub fn outcomes(&self, now: Moment) -> (u64, u64) {
        (self.successes.get(now), self.failures.get(now))
    }

    /// The end of the cooldown, which may be past; `None` for a healthy deployment.
    #[must_use]
    pub fn cool_until(&self) -> Option<Moment> {
        match self.cool_until.load(Relaxed) {
            0 => None,
            until => Some(Moment::from_millis(until)),
        }
    }

    /// Until when the upstream has nothing left to give, as it said itself; 0 or past: it has.
    #[must_use]
    pub fn spent_until(&self) -> Moment {
        Moment::from_millis(self.spent_until.load(Relaxed))
    }

    /// The cooldown has ended and no call has succeeded since: one call at a time tries.
    #[must_use]
    pub fn is_half_open(&self, now: Moment) -> bool {
        self.cool_until().is_some_and(|until| until <= now)
    }

    /// Half open, and the call that tries is out.
    #[must_use]
    pub fn is_probed(&self, now: Moment) -> bool {
        self.is_half_open(now) && self.probe_until.load(Relaxed) > now.millis()
    }

    /// The share of calls that fail, 0 to 1; newer ones count for more.
    #[must_use]
    pub fn error_rate(&self, now: Moment) -> f32 {
        self.errors.get(now, FADE).unwrap_or(0.0)
    }

    /// Keeps the deployment from being chosen. A later end stays, whoever asks for an earlier one.
    pub fn cool(&self, until: Moment) {
        self.cool_until.fetch_max(until.millis(), Relaxed);
        self.probe_until.store(0, Relaxed);
    }

    /// The upstream said that nothing is left before `until`. A later moment stays.
    pub fn spend_until(&self, until: Moment) {
        self.spent_until.fetch_max(until.millis(), Relaxed);
    }

    /// Forgets the cooldown, as an operator may order.
    pub fn heal(&self) {
        self.cool_until.store(0, Relaxed);
        self.probe_until.store(0, Relaxed);
        self.spent_until.store(0, Relaxed);
    }

    /// Claims the probe of a half-open deployment.
    pub(super) fn claim_probe(&self, now: Moment) -> bool {
        let lease = now.after(PROBE_LEASE).millis();
        let free = |until: u64| (until <= now.millis()).then_some(lease);
        self.is_half_open(now) && self.probe_until.fetch_update(Relaxed, Relaxed, free).is_ok()
    }

    pub(super) fn release_probe(&self) {
        self.probe_until.store(0, Relaxed);
    }

    /// A call was answered. This ends a cooldown whose time is over, and no other: the call may have begun before it.
    pub(super) fn succeed(&self, now: Moment) {
        self.successes.add(now, 1);
        self.errors.observe(0.0, now, 0.25, 0.15);
        let until = self.cool_until.load(Relaxed);
        if until != 0 && until <= now.millis() {
            // Fails where another call has cooled it meanwhile, and then that holds.
            let _ = self.cool_until.compare_exchange(until, 0, Relaxed, Relaxed);
        }
    }
}
