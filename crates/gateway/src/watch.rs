//! One attempt under observation, until its answer is complete: what came of it goes to its deployment's track.
//! Dropped before that, it says nothing of the deployment: the client went away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::route::cooldown::Failure;
use policy::route::ticket::Spent;
use policy::route::{Moment, Ticket};
use wire::fault::Fault;
use wire::reply::Usage;

use crate::call::unix_ms;
use crate::deployment::Deployment;
use crate::snapshot::Group;

/// An attempt that is under way.
#[derive(Debug)]
pub struct Watch {
    ticket: Ticket,
    deployment: Arc<Deployment>,
    sent: Instant,
    /// The group has no other deployment.
    alone: bool,
    // Last: who waits is told when the place is free.
    _place: Placed,
}

/// A place in a group; who waits for one is told when it is free.
#[derive(Debug)]
struct Placed(Arc<Group>);

impl Drop for Placed {
    fn drop(&mut self) {
        if let Some(waiting) = &self.0.waiting {
            waiting.wake();
        }
    }
}

/// Now, as routing counts.
pub(crate) fn now() -> Moment {
    Moment::from_millis(unix_ms())
}

impl Watch {
    /// An attempt that begins now.
    #[must_use]
    pub fn begin(ticket: Ticket, deployment: Arc<Deployment>, group: &Arc<Group>) -> Self {
        let alone = group.deployments.len() == 1;
        Self { ticket, deployment, sent: Instant::now(), alone, _place: Placed(Arc::clone(group)) }
    }

    /// The first event of a stream has come.
    pub fn begun(&mut self) {
        self.ticket.begun(self.sent.elapsed(), now());
    }

    /// The answer is complete.
    pub fn done(self, usage: Option<&Usage>) {
        let spent = Spent {
            elapsed: self.sent.elapsed(),
            tokens: usage.map_or(0, |usage| usage.input.saturating_add(usage.output)),
            output_tokens: usage.map_or(0, |usage| usage.output),
        };
        self.ticket.done(spent, now());
    }

    /// The attempt failed. Returns whether the deployment rests now.
    pub fn failed(self, fault: &Fault, retry_after: Option<Duration>, has_fallbacks: bool) -> bool {
        let failure =
            Failure { fault, retry_after, alone: self.alone, has_fallbacks, callers_credentials: false };
        let rests = self.ticket.failed(&failure, &self.deployment.cooldown, now());
        if let Some(until) = rests {
            tracing::warn!(
                model = ?self.deployment.group, upstream = ?self.deployment.model, id = ?self.deployment.id,
                for_ms = u64::try_from(until.since(now()).as_millis()).unwrap_or(u64::MAX),
                kind = ?fault.kind, status = fault.status, "a deployment cools down"
            );
        }
        rests.is_some()
    }
}
