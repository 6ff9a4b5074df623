//! What a client is told when no deployment of a group can be chosen. LiteLLM's texts, without its list of ids.

use policy::route::{Ask, Nobody};
use wire::fault::FaultKind;

use crate::intake::Payload;
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;
use crate::watch;

/// The refusal for a call that nobody can take.
pub(crate) fn refusal(nobody: Nobody, payload: &Payload, ask: &Ask<'_>, snapshot: &Snapshot) -> Refusal {
    let asked: String = payload.asked.chars().take(200).collect();
    match nobody {
        Nobody::None => Refusal::new(
            400,
            format!("You passed in model={asked}. There are no healthy deployments for this model"),
        ),
        Nobody::Tags => Refusal::new(
            401,
            format!(
                "Not allowed to access model due to tags configuration. Passed model={asked} and tags={:?}",
                ask.tags
            ),
        ),
        Nobody::Region => Refusal::new(
            400,
            format!("No deployment of model={asked} is in the region that the caller may use."),
        ),
        Nobody::ContextWindow { tokens, allowed } => Refusal {
            cause: Some(FaultKind::ContextWindow),
            ..Refusal::new(
                400,
                format!(
                    "litellm.ContextWindowExceededError: model={asked}: the prompt has about {tokens} tokens, and no \
                     deployment takes more than {allowed}."
                ),
            )
        },
        Nobody::Later { at } => later(at.map(|at| at.since(watch::now()).as_millis()), &asked, snapshot),
    }
}

fn later(wait_ms: Option<u128>, asked: &str, snapshot: &Snapshot) -> Refusal {
    let routing = snapshot.routing();
    let wait_ms = wait_ms.unwrap_or(routing.cooldown.time.as_millis());
    let seconds = u64::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u64::MAX).max(1);
    let checks = if routing.rules.pre_call_checks { "True" } else { "False" };
    Refusal {
        retry_after: Some(seconds),
        cause: Some(FaultKind::RateLimit),
        ..Refusal::new(
            429,
            format!(
                "No deployments available for selected model, Try again in {seconds} seconds. Passed model={asked}. \
                 pre-call-checks={checks}"
            ),
        )
    }
}
