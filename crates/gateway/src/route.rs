//! Choose a deployment, try it; on a failure that another try may mend, try again; and when the group has failed for
//! good, go on to its fallbacks.
//!
//! Not here: the decisions, which are [`policy::route`]'s and [`policy::retry`]'s.

use std::sync::Arc;
use std::time::Instant;

use memchr::memmem;
use policy::retry::{self, Allowances, Attempt, Next};
use policy::route::class::Class;
use policy::route::fallback::Journey;
use policy::route::ticket::Limits;
use policy::route::{Ask, Nobody, Random, Skipped, Ticket, allowance};
use wire::fault::{Fault, FaultKind};

use crate::admit::Permit;
use crate::call::Call;
use crate::deployment::Deployment;
use crate::estimate::Estimate;
use crate::exchange::{self, Answer, Failure, Reply};
use crate::fields::Fields;
use crate::intake::{Payload, Previous};
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;
use crate::transport::Transport;
use crate::watch::{self, Watch};
use crate::{detour, nobody};

/// How much of a failed fallback's message is repeated.
const MOST_REPEATED: usize = 300;

/// An answer, and the way to it.
#[derive(Debug)]
pub struct Sent {
    /// The answer.
    pub answer: Answer,
    /// Tries after the first in the group that answered.
    pub retries: u32,
    /// Fallbacks, one within another.
    pub fallbacks: u32,
    /// The group that answered, where it is another than was asked for.
    pub instead: Option<String>,
}

/// A call that found no answer: what to tell the client, and the upstream's headers, if it sent any.
#[derive(Debug)]
pub struct Unanswered {
    /// What to tell.
    pub refusal: Refusal,
    /// Who was tried last.
    pub deployment: Option<Arc<Deployment>>,
    /// The upstream's response headers.
    pub headers: Fields,
    /// Tries after the first.
    pub retries: u32,
}

impl Unanswered {
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self { refusal, deployment: None, headers: Fields::default(), retries: 0 }
    }

    /// What kind of failure decides about fallbacks.
    fn kind(&self) -> FaultKind {
        self.refusal.cause.unwrap_or(FaultKind::BadRequest)
    }
}

/// Tries the group's deployments until one answers, then those of its fallbacks.
///
/// # Errors
/// The failure of the group that was asked for, once nowhere is left to go.
pub async fn send(
    transport: &Transport,
    call: &mut Call,
    permit: &mut Permit,
    payload: &Payload,
) -> Result<Sent, Unanswered> {
    let snapshot = Arc::clone(&call.snapshot);
    let mock = payload.controls.mock_failure;
    let first = match mock {
        None => within(transport, call, permit, payload, &snapshot).await,
        Some(kind) => Err(invented(payload, kind)),
    };
    let failed = match first {
        Ok((answer, retries)) => return Ok(Sent { answer, retries, fallbacks: 0, instead: None }),
        Err(failed) => failed,
    };
    // A response that goes on with one its provider keeps can be continued there only.
    if matches!(payload.previous, Some(Previous::Theirs(_))) {
        return Err(failed);
    }
    Box::pin(elsewhere(transport, call, permit, payload, &snapshot, failed)).await
}

/// The call in one fallback group after the other.
async fn elsewhere(
    transport: &Transport,
    call: &mut Call,
    permit: &mut Permit,
    payload: &Payload,
    snapshot: &Snapshot,
    mut failed: Unanswered,
) -> Result<Sent, Unanswered> {
    let lists = &snapshot.routing().fallbacks;
    let mut journey = Journey::new(lists, &payload.controls.wishes, named(payload));
    let mut kind = failed.kind();
    let mut said = String::new();
    while let Some(target) = journey.next(kind) {
        let moved = match detour::payload(call, permit, payload, target) {
            Ok(moved) => moved,
            Err(closed) => {
                said = format!("Fallback to {} was skipped: {closed}.", shown(&target.group));
                continue;
            }
        };
        match within(transport, call, permit, &moved, snapshot).await {
            Ok((answer, retries)) => {
                let instead = Some(target.group.clone());
                return Ok(Sent { answer, retries, fallbacks: journey.depth(), instead });
            }
            Err(other) => {
                kind = other.kind();
                let why: String = other.refusal.message.chars().take(MOST_REPEATED).collect();
                said = format!("Fallback to {} also failed: {why}", shown(&target.group));
                failed.deployment = failed.deployment.or(other.deployment);
            }
        }
    }
    if !said.is_empty() {
        failed.refusal.message += &format!(
            "\n\nLiteLLM: model group '{}' failed with the error above. {said}",
            shown(named(payload))
        );
    }
    Err(failed)
}

fn shown(name: &str) -> String {
    name.chars().take(200).collect()
}

/// The name that fallbacks and policies are looked up by: the group's, and for a wildcard the model's own.
fn named(payload: &Payload) -> &str {
    if payload.group.name.contains('*') { &payload.asked } else { &payload.group.name }
}

/// The failure that a test asks for.
fn invented(payload: &Payload, kind: FaultKind) -> Unanswered {
    let status = match kind {
        FaultKind::ContextWindow | FaultKind::ContentPolicy => 400,
        FaultKind::RateLimit => 429,
        _ => 500,
    };
    let message =
        format!("This is a mock exception for model={}, to trigger a fallback.", shown(named(payload)));
    Unanswered::refused(Refusal::from_fault(&Fault::new(kind, status, message), "MockException"))
}

/// What has happened to a call in one group.
#[derive(Default)]
struct Past {
    /// Indices that have failed it.
    tried: Vec<usize>,
    /// Indices that cannot say it.
    refused: Vec<usize>,
    retries: u32,
    last: Option<Unanswered>,
}

/// Tries the deployments of one group.
async fn within(
    transport: &Transport,
    call: &mut Call,
    permit: &mut Permit,
    payload: &Payload,
    snapshot: &Snapshot,
) -> Result<(Answer, u32), Unanswered> {
    let group = &payload.group;
    let tags: Vec<String> =
        if snapshot.routing().rules.tag_filtering { permit.labels.tags.clone() } else { Vec::new() };
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let session = session(snapshot, permit);
    let mut random = Random::new(call.random);
    let mut past = Past::default();
    let of_call = Ask {
        tokens: if group.counts_tokens { Estimate::of(&payload.envelope).input } else { 0 },
        stream: payload.stream,
        tags: &tags,
        session: session.as_deref(),
        ..Ask::default()
    };
    loop {
        let (tried, refused) = (past.tried.clone(), past.refused.clone());
        let ask = Ask { tried: &tried, refused: &refused, ..of_call };
        let (index, ticket) = match place(call, permit, payload, &ask, random.next_u64()).await {
            Ok(placed) => placed,
            Err(nobody) => {
                let told = || Unanswered::refused(nobody::refusal(nobody, payload, &ask, snapshot));
                return Err(past.last.take().unwrap_or_else(told));
            }
        };
        let Some(deployment) = group.deployments.get(index) else {
            return Err(Unanswered::refused(nobody::refusal(Nobody::None, payload, &ask, snapshot)));
        };
        let mut watch = Some(Watch::begin(ticket, Arc::clone(deployment), group));
        permit.asking = Some(Arc::clone(deployment));
        let attempt = exchange::attempt(transport, call, payload, deployment).await;
        permit.asking = None;
        let failure = match attempt {
            Ok(mut answer) => {
                learn(deployment, &answer.headers, group.deployments.len());
                observed(&mut answer, watch.take());
                return Ok((answer, past.retries));
            }
            Err(failure) => failure,
        };
        let (fault, headers) = match failure {
            // Nothing was sent: another provider of the group may be able to say what this one cannot.
            Failure::Refused(refusal) => {
                past.refused.push(index);
                let retries = past.retries;
                past.last.get_or_insert_with(|| Unanswered {
                    deployment: Some(Arc::clone(deployment)),
                    retries,
                    ..Unanswered::refused(refusal)
                });
                continue;
            }
            Failure::Fault { fault, headers } => (fault, headers),
        };
        tracing::debug!(
            call = call.id(), model = ?deployment.group, upstream = ?deployment.model, attempt = past.retries + 1,
            status = fault.status, kind = ?fault.kind, "an attempt failed"
        );
        learn(deployment, &headers, group.deployments.len());
        past.tried.push(index);
        let ask = Ask { tried: &past.tried, refused: &past.refused, ..of_call };
        let failed = Failed { fault: &fault, headers, deployment, random: random.next_u64() };
        let (unanswered, next) = follow(failed, watch.take(), payload, &ask, past.retries, snapshot);
        let Next::Again { delay } = next else { return Err(unanswered) };
        past.last = Some(unanswered);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
            call.waited += delay;
        }
        past.retries += 1;
    }
}

/// An attempt that failed.
struct Failed<'a> {
    fault: &'a Fault,
    headers: Fields,
    deployment: &'a Arc<Deployment>,
    random: u64,
}

/// What follows a failed attempt, and what to say if nothing else can be tried.
fn follow(
    failed: Failed<'_>,
    watch: Option<Watch>,
    payload: &Payload,
    ask: &Ask<'_>,
    retries: u32,
    snapshot: &Snapshot,
) -> (Unanswered, Next) {
    let Failed { fault, headers, deployment, random } = failed;
    let (group, routing, now) = (&payload.group, snapshot.routing(), watch::now());
    let retry_after = allowance::retry_after(|name| headers.get(name), now);
    let wishes = &payload.controls.wishes;
    let own = wishes.general.as_ref().is_some_and(|own| !own.is_empty());
    let has_fallbacks =
        !wishes.disabled && (own || !routing.fallbacks.after(fault.kind, named(payload)).is_empty());
    if let Some(watch) = watch {
        watch.failed(fault, retry_after, has_fallbacks);
    }
    let reasons = group.pool.explain(&group.tracks, ask, now);
    let elsewhere =
        reasons.iter().enumerate().any(|(at, reason)| reason.is_none() && !ask.tried.contains(&at));
    let (allowed, is_named) = Allowances {
        request: payload.controls.retries,
        group_policy: routing.group_retry_policies.get(named(payload)),
        policy: routing.retry_policy.as_ref(),
        deployment: deployment.settings.num_retries,
        router: routing.num_retries,
    }
    .of(Class::of(fault));
    let attempt = Attempt {
        made: retries,
        allowed,
        elsewhere,
        retry_after,
        random,
        named: is_named,
        least: routing.retry_after,
    };
    // Waiting for who said "later" is worse than asking somebody else.
    let hopeless = fault.kind == FaultKind::RateLimit && !elsewhere && has_fallbacks;
    let next = if hopeless { Next::Stop } else { retry::after(fault, attempt) };
    let mut refusal = Refusal::from_fault(fault, &deployment.exception);
    if retries > 0 {
        refusal.message += &format!(" LiteLLM Retried: {retries} times, LiteLLM Max Retries: {allowed}");
    }
    let unanswered = Unanswered { refusal, deployment: Some(Arc::clone(deployment)), headers, retries };
    (unanswered, next)
}

/// A deployment with a place for this call. Where all of them are full, one is waited for.
async fn place(
    call: &mut Call,
    permit: &Permit,
    payload: &Payload,
    ask: &Ask<'_>,
    random: u64,
) -> Result<(usize, Ticket), Nobody> {
    let group = &payload.group;
    let now = watch::now();
    let nobody = match group.pool.take(&group.tracks, ask, now, random) {
        Ok(placed) => return Ok(placed),
        Err(nobody) => nobody,
    };
    if group.is_direct && ask.refused.is_empty() {
        let unlimited = |track| Ticket::take(track, Limits::default(), ask.tokens, 1, now);
        let ticket = group.tracks.first().and_then(unlimited);
        return ticket.map(|ticket| (0, ticket)).ok_or(nobody);
    }
    match &group.waiting {
        Some(_) => Box::pin(wait(call, permit, payload, ask, nobody)).await,
        None => Err(nobody),
    }
}

async fn wait(
    call: &mut Call,
    permit: &Permit,
    payload: &Payload,
    ask: &Ask<'_>,
    mut nobody: Nobody,
) -> Result<(usize, Ticket), Nobody> {
    let group = &payload.group;
    let Some(waiting) = &group.waiting else { return Err(nobody) };
    let bound = group.deployments.iter().map(|deployment| deployment.timeout).max().unwrap_or_default();
    let bound = payload.controls.timeout.unwrap_or(bound);
    let party = permit.caller.key().map_or("", |resolved| resolved.key.id());
    let begun = Instant::now();
    let placed = loop {
        let is_full = |reason: &Option<Skipped>| matches!(reason, Some(Skipped::Parallel { .. }));
        let reasons = group.pool.explain(&group.tracks, ask, watch::now());
        let may_pass =
            matches!(nobody, Nobody::Later { .. }) && reasons.iter().any(|one| is_full(one) || one.is_none());
        if !may_pass || begun.elapsed() >= bound || waiting.turn(party).await.is_err() {
            break Err(nobody);
        }
        match group.pool.take(&group.tracks, ask, watch::now(), call.random) {
            Ok(placed) => break Ok(placed),
            Err(still) => nobody = still,
        }
    };
    call.waited += begun.elapsed();
    placed
}

/// What keeps calls at one deployment: their session, else their key, where that is wanted.
fn session(snapshot: &Snapshot, permit: &Permit) -> Option<String> {
    let routing = snapshot.routing();
    let of_session = permit.labels.session.as_deref().filter(|_| routing.session_affinity);
    let of_key = || permit.caller.key().filter(|_| routing.key_affinity).map(|resolved| resolved.key.id());
    of_session.or_else(of_key).map(str::to_owned)
}

/// Remembers what an upstream says of its limits. A lone deployment is asked anyway.
fn learn(deployment: &Deployment, headers: &Fields, of: usize) {
    if of < 2 || memmem::find(headers.as_bytes(), b"ratelimit").is_none() {
        return;
    }
    if let Some(until) = allowance::spent_until(|name| headers.get(name), watch::now()) {
        deployment.track.spend_until(until);
    }
}

/// The answer tells its deployment's track how it ends: now, or when its stream does.
fn observed(answer: &mut Answer, watch: Option<Watch>) {
    let Some(watch) = watch else { return };
    match &mut answer.reply {
        Reply::Whole { usage, .. } => watch.done(usage.as_ref()),
        Reply::Stream(flow) => flow.watch_with(watch),
    }
}
