//! The call as a fallback group will see it: another name, another format perhaps, and the fields that the fallback sets.
//!
//! Not here: which group that is, see [`policy::route::fallback`].

use policy::access::Asked;
use policy::route::fallback::Target;
use wire::envelope::{self, Envelope};

use crate::admit::Permit;
use crate::call::Call;
use crate::intake::{MOST_DEPTH, Payload};
use crate::snapshot::Group;

/// Why a fallback is passed over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Closed {
    #[error("no such model group")]
    Unknown,
    #[error("the caller may not use it")]
    Denied,
    #[error("its fields make no request: {0}")]
    Fields(String),
}

/// The call on its way to `target`.
///
/// # Errors
/// Why it cannot go there.
pub(crate) fn payload(
    call: &Call,
    permit: &Permit,
    payload: &Payload,
    target: &Target,
) -> Result<Payload, Closed> {
    let team = permit.caller.key().and_then(|resolved| resolved.key.team.as_deref());
    let group = call.snapshot.group_for(team, &target.group).ok_or(Closed::Unknown)?;
    // What callers name themselves they must be allowed to use, whatever the operator lets happen by itself.
    let wishes = &payload.controls.wishes;
    let own = [&wishes.general, &wishes.context_window, &wishes.content_policy];
    let is_own = own.into_iter().flatten().any(|targets| targets.contains(target));
    let enforced = is_own || call.snapshot.routing().enforce_fallback_access;
    if enforced && denies(permit, &target.group, &group) {
        return Err(Closed::Denied);
    }
    let mut edits = payload.envelope.edit();
    for (name, value) in &target.overrides {
        edits.set(name, envelope::json(value));
    }
    let envelope = if edits.is_empty() {
        payload.envelope.clone()
    } else {
        let body = edits.finish().concat().into();
        Envelope::read(body, MOST_DEPTH).map_err(|error| Closed::Fields(error.to_string()))?
    };
    Ok(Payload {
        envelope,
        asked: target.group.clone(),
        group,
        stream: payload.stream,
        stream_usage: payload.stream_usage,
        previous: payload.previous.clone(),
        controls: payload.controls.clone(),
    })
}

/// Whether the caller's lists of models leave a group out.
pub(crate) fn denies(permit: &Permit, name: &str, group: &Group) -> bool {
    let asked = Asked {
        model: name,
        groups: &group.access_groups,
        provider: group.deployments.first().map(|deployment| deployment.provider.name),
    };
    let of_key = permit.caller.key().and_then(|resolved| resolved.who.denies(&resolved.key, asked));
    of_key.is_some() || permit.labels.customer_denies(asked)
}
