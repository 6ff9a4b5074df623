//! What to do after a fault: stop, or try again after a pause.
//!
//! Not here: fallbacks to another model group, which begin where retries stop, and choosing the deployment
//! of the next try.
//!
//! | fault | again |
//! | --- | --- |
//! | 408, 409, 429, 5xx, connection, timeout, malformed answer | yes |
//! | 401, 403 | only on another deployment: the key at fault is this one's |
//! | any that `retry_policy` names with more than 0 | yes |
//! | any other: 400, context window, content policy, 402, 404, 413, 422, 425 | no: it would fail the same way |

use std::time::Duration;

use wire::fault::{Fault, FaultKind};

use crate::route::class::{Class, PerClass};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// A provider that asks for more than this is not waited for; the call's own pauses apply instead.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// What is known when a try has failed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempt {
    /// Retries already made; 0 after the first failure.
    pub made: u32,
    /// Retries allowed in all.
    pub allowed: u32,
    /// Another healthy deployment of the group has not been tried: it is tried at once.
    pub elsewhere: bool,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// Uniform over all of `u64`; spreads the retries of many calls.
    pub random: u64,
    /// `retry_policy` names this class of errors: whoever set that wants it tried again.
    pub named: bool,
    /// `retry_after` of the router: pauses are at least this long.
    pub least: Duration,
}

/// Where the number of retries may come from, in the order it is looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowances<'a> {
    /// The request's own wish.
    pub request: Option<u32>,
    /// `model_group_retry_policy` of the group.
    pub group_policy: Option<&'a PerClass>,
    /// `retry_policy`.
    pub policy: Option<&'a PerClass>,
    /// The deployment's `num_retries`.
    pub deployment: Option<u32>,
    /// The router's `num_retries`.
    pub router: u32,
}

impl Allowances<'_> {
    /// How many retries a class of errors gets, and whether that is because a policy names the class. A group's policy
    /// replaces the router's.
    #[must_use]
    pub fn of(&self, class: Class) -> (u32, bool) {
        let named = self.group_policy.or(self.policy).and_then(|policy| policy.get(class));
        match self.request.or(named) {
            Some(allowed) => (allowed, self.request.is_none()),
            None => (self.deployment.unwrap_or(self.router), false),
        }
    }
}

/// The decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Give up on this group, without a pause.
    Stop,
    /// Try again after `delay`.
    Again { delay: Duration },
}

/// Decides what follows a fault.
#[must_use]
pub fn after(fault: &Fault, attempt: Attempt) -> Next {
    let may = attempt.named || may_pass(fault, attempt.elsewhere);
    if attempt.made >= attempt.allowed || !may {
        return Next::Stop;
    }
    Next::Again { delay: if attempt.elsewhere { Duration::ZERO } else { pause(attempt) } }
}

/// Whether the same request may succeed the next time.
fn may_pass(fault: &Fault, elsewhere: bool) -> bool {
    match fault.kind {
        FaultKind::Timeout
        | FaultKind::RateLimit
        | FaultKind::Internal
        | FaultKind::BadGateway
        | FaultKind::Unavailable
        | FaultKind::Connection
        | FaultKind::Malformed => true,
        FaultKind::Authentication | FaultKind::PermissionDenied => elsewhere,
        FaultKind::ContextWindow
        | FaultKind::ContentPolicy
        | FaultKind::PaymentRequired
        | FaultKind::NotFound
        | FaultKind::Unprocessable => false,
        FaultKind::BadRequest | FaultKind::Other => matches!(fault.status, 408 | 409 | 429 | 500..),
    }
}

/// The provider's wish or else a doubling pause, and up to a quarter more.
fn pause(attempt: Attempt) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << attempt.made.min(4)).min(LONGEST_PAUSE);
    let wished = attempt.retry_after.filter(|wish| !wish.is_zero() && *wish <= LONGEST_RETRY_AFTER);
    let base = wished.unwrap_or(doubled.max(attempt.least));
    let quarter = ((base / 4).as_nanos() * u128::from(attempt.random)) >> 64;
    base.saturating_add(Duration::from_nanos(u64::try_from(quarter).unwrap_or(0)))
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
