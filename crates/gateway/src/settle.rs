//! What a call cost, however it ended. A [`Settlement`] is owned by whatever carries the reply to the client;
//! its drop records the call, so a client that hangs up is accounted for too.

use std::sync::Arc;
use std::time::Instant;

use http::HeaderValue;
use policy::money::Cost;
use wire::format::Operation;
use wire::reply::Usage;

use crate::admit::Permit;
use crate::call::unix_seconds;
use crate::deployment::Deployment;

/// How a call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// The client went away first.
    #[default]
    Abandoned,
    /// With a complete reply.
    Complete,
    /// With a failure after the reply had begun.
    Failed,
}

/// The account of one call, open until it is dropped.
#[derive(Debug)]
pub struct Settlement {
    /// Who was called.
    pub deployment: Arc<Deployment>,
    /// What was used, as far as the upstream has said.
    pub usage: Option<Usage>,
    /// How it ended.
    pub ending: Ending,
    call_id: HeaderValue,
    operation: Operation,
    started: Instant,
    _permit: Permit,
}

impl Settlement {
    /// Opens the account of a call that `deployment` answers.
    #[must_use]
    pub fn open(
        deployment: Arc<Deployment>,
        permit: Permit,
        call_id: HeaderValue,
        operation: Operation,
        started: Instant,
    ) -> Self {
        Self {
            deployment,
            usage: None,
            ending: Ending::default(),
            call_id,
            operation,
            started,
            _permit: permit,
        }
    }

    /// What the call costs as far as is known now; `None` when it is unpriced or its usage is unknown.
    #[must_use]
    pub fn cost(&self) -> Option<Cost> {
        self.deployment.cost(self.operation, self.usage.as_ref()?, self.started.elapsed(), unix_seconds())
    }
}

impl Drop for Settlement {
    fn drop(&mut self) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let cost = self.cost().map_or_else(|| "unpriced".to_owned(), |cost| cost.to_string());
        let usage = self.usage.unwrap_or_default();
        tracing::debug!(
            call = self.call_id.to_str().unwrap_or_default(),
            model = ?self.deployment.group,
            upstream = ?self.deployment.model,
            ending = ?self.ending,
            usage_known = self.usage.is_some(),
            input_tokens = usage.input,
            output_tokens = usage.output,
            cost_usd = %cost,
            duration_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "call"
        );
    }
}
