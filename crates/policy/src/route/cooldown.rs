//! Whether a failure takes a deployment out of the choice, and for how long. LiteLLM's rules.
//!
//! Never: cooldowns off, a time of 0, the caller's own credentials at fault, or a status that says the request is at
//! fault (4xx but 401, 402, 404, 408 and 429), unless the policy names its class.
//!
//! | nothing is configured | `allowed_fails` or `allowed_fails_policy` is |
//! | --- | --- |
//! | 429, and the group has others: at once | more failures than allowed within one `cooldown_time`, counted per class if the policy names it |
//! | 401, 402, 404: at once (402 spares a lone one) | a lone deployment without fallbacks is spared, unless the policy names the class |
//! | over half of at least 5 calls this minute, and there are others | |
//! | every one of at least 1,000 calls this minute, even a lone one | |
//!
//! Beyond LiteLLM: the call that tests a deployment after its cooldown cools it again at once if it fails, where any
//! rule could; a later end is never replaced by an earlier one; a provider cannot ask for more than an hour.

use std::time::Duration;

use wire::fault::{Fault, FaultKind};

use super::class::{CLASSES, Class, PerClass};
use super::{Moment, Track};

const LEAST_CALLS: u64 = 5;
const LEAST_CALLS_ALONE: u64 = 1_000;
/// `Retry-After` comes from outside; a mistake there must not take a deployment away for good.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The rules that hold for one deployment: its own settings, else the router's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CooldownPolicy {
    /// `disable_cooldowns`.
    pub disabled: bool,
    /// The deployment's own `cooldown_time`, which wins over what the provider asks for.
    pub own_time: Option<Duration>,
    /// `router_settings.cooldown_time`.
    pub time: Duration,
    /// `allowed_fails`, if it is set.
    pub allowed_fails: Option<u32>,
    /// `allowed_fails_policy`.
    pub allowed_by_class: PerClass,
}

impl Default for CooldownPolicy {
    fn default() -> Self {
        Self {
            disabled: false,
            own_time: None,
            time: Duration::from_secs(5),
            allowed_fails: None,
            allowed_by_class: PerClass::default(),
        }
    }
}

/// A failed attempt, with what its weight depends on.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// What went wrong.
    pub fault: &'a Fault,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// The group has no other deployment.
    pub alone: bool,
    /// The group has fallbacks.
    pub has_fallbacks: bool,
    /// The credentials were the caller's.
    pub callers_credentials: bool,
}

impl Failure<'_> {
    /// Whether nobody answered in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.fault.kind == FaultKind::Timeout
    }

    /// Whether the deployment, not the request, may be at fault.
    fn blames_deployment(&self) -> bool {
        self.fault.status >= 500
            || matches!(self.fault.status, 401 | 402 | 404 | 408 | 429)
            || matches!(self.fault.kind, FaultKind::Connection | FaultKind::Malformed | FaultKind::Timeout)
            || !(100..500).contains(&self.fault.status)
    }
}

impl CooldownPolicy {
    /// How long a deployment rests if it must. `None` if it never does.
    #[must_use]
    pub fn duration(&self, retry_after: Option<Duration>) -> Option<Duration> {
        let time = self.own_time.or(retry_after.map(|wish| wish.min(LONGEST))).unwrap_or(self.time);
        (!self.disabled && !time.is_zero()).then_some(time)
    }

    fn is_explicit(&self) -> bool {
        self.allowed_fails.is_some() || !self.allowed_by_class.is_empty()
    }
}

impl Track {
    /// Counts a failure; the end of the cooldown if one begins or goes on.
    pub(super) fn fail(
        &self,
        failure: &Failure<'_>,
        policy: &CooldownPolicy,
        probe: bool,
        now: Moment,
    ) -> Option<Moment> {
        let class = Class::of(failure.fault);
        let named = policy.allowed_by_class.get(class).is_some();
        if failure.callers_credentials || !(failure.blames_deployment() || named) {
            return None;
        }
        self.failures.add(now, 1);
        self.errors.observe(1.0, now, 0.25, 0.15);
        let time = policy.duration(failure.retry_after)?;
        let cools = if policy.is_explicit() {
            self.over_allowance(failure, policy, class, now)
        } else {
            self.over_threshold(failure, now)
        };
        if !(cools || probe) {
            return None;
        }
        self.cool(now.after(time));
        self.cool_until()
    }

    fn over_threshold(&self, failure: &Failure<'_>, now: Moment) -> bool {
        let (successes, failures) = self.outcomes(now);
        let calls = successes + failures;
        match failure.fault.status {
            402 | 429 if !failure.alone => true,
            401 | 404 => true,
            _ if successes == 0 && calls >= LEAST_CALLS_ALONE => true,
            _ => !failure.alone && calls >= LEAST_CALLS && failures * 2 > calls,
        }
    }

    fn over_allowance(
        &self,
        failure: &Failure<'_>,
        policy: &CooldownPolicy,
        class: Class,
        now: Moment,
    ) -> bool {
        let named = policy.allowed_by_class.get(class);
        // LiteLLM's default, where only other classes are named.
        let allowed = named.or(policy.allowed_fails).unwrap_or(3);
        let counter = if named.is_some() { class as usize } else { CLASSES };
        let count = self.fails[counter].add(now, policy.own_time.unwrap_or(policy.time));
        let spared = failure.alone && !failure.has_fallbacks && named.is_none();
        count > allowed && !spared
    }
}

#[cfg(test)]
#[path = "cooldown_tests.rs"]
mod tests;
