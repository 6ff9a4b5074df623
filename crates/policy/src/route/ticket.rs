//! One attempt on a deployment, from its start to what came of it.
//!
//! A ticket that is dropped gives back what it holds and says nothing about the deployment: the client went away.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::cooldown::{CooldownPolicy, Failure};
use super::{Moment, Track};

/// The sample of a call that timed out, in seconds: LiteLLM's penalty.
const TIMEOUT_PENALTY: f32 = 1_000.0;

/// Limits of a deployment; 0 means none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests a minute.
    pub rpm: u64,
    /// Tokens a minute.
    pub tpm: u64,
    /// Calls in flight.
    pub parallel: u32,
}

/// What a finished call took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// From sending to the end.
    pub elapsed: Duration,
    /// Tokens of prompt and answer.
    pub tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
}

/// An attempt that holds a place on a deployment.
#[derive(Debug)]
pub struct Ticket {
    track: Arc<Track>,
    probe: bool,
    /// Prompt tokens counted in advance.
    tokens: u64,
    answered: bool,
    samples: usize,
}

impl Ticket {
    /// Takes a place, or `None` where a limit was reached meanwhile. `samples` is how many latencies a mean is made of.
    #[must_use]
    pub fn take(
        track: &Arc<Track>,
        limits: Limits,
        tokens: u64,
        samples: usize,
        now: Moment,
    ) -> Option<Self> {
        let before = track.in_flight.fetch_add(1, Relaxed);
        let requests = track.requests.add(now, 1);
        let used = track.tokens.add(now, tokens);
        let over = |limit: u64, used: u64| limit != 0 && used > limit;
        if over(u64::from(limits.parallel), u64::from(before) + 1)
            || over(limits.rpm, requests)
            || over(limits.tpm, used)
        {
            track.in_flight.fetch_sub(1, Relaxed);
            track.requests.take_back(now, 1);
            track.tokens.take_back(now, tokens);
            return None;
        }
        let probe = track.claim_probe(now);
        Some(Self { track: Arc::clone(track), probe, tokens, answered: false, samples })
    }

    /// Whether this attempt is the one that tests a deployment after its cooldown.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.probe
    }

    /// The first event of a stream has come, `to_first` after sending.
    pub fn begun(&mut self, to_first: Duration, now: Moment) {
        let seconds = to_first.as_secs_f32();
        self.track.firsts.add(seconds, self.samples, now);
        self.track.first.observe(seconds, now, 0.4, 0.2);
        self.answer(now);
    }

    /// The answer is complete.
    pub fn done(mut self, spent: Spent, now: Moment) {
        let seconds = spent.elapsed.as_secs_f32();
        let pace = seconds / (spent.output_tokens.max(1) as f32);
        self.track.latencies.add(pace, self.samples, now);
        self.track.durations.add(seconds, self.samples, now);
        if !self.answered {
            self.track.pace.observe(pace, now, 0.4, 0.2);
        }
        self.track.tokens.add(now, spent.tokens.saturating_sub(self.tokens));
        self.answer(now);
    }

    /// The attempt failed; what it means for the deployment, with the end of its cooldown if it has one now.
    pub fn failed(self, failure: &Failure<'_>, policy: &CooldownPolicy, now: Moment) -> Option<Moment> {
        if failure.is_timeout() {
            self.track.latencies.add(TIMEOUT_PENALTY, self.samples, now);
            self.track.firsts.add(TIMEOUT_PENALTY, self.samples, now);
        }
        self.track.fail(failure, policy, self.probe, now)
    }

    fn answer(&mut self, now: Moment) {
        if !std::mem::replace(&mut self.answered, true) {
            self.track.succeed(now);
            if std::mem::take(&mut self.probe) {
                self.track.release_probe();
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.track.in_flight.fetch_sub(1, Relaxed);
        if self.probe {
            self.track.release_probe();
        }
    }
}
