//! Who may answer a call, and why the others may not. The reasons are computed again for whoever wants to see them;
//! choosing only asks whether there is one.
//!
//! Not here: who of those that may is chosen, see [`super::strategy`].
//!
//! | looked at | where |
//! | --- | --- |
//! | refused before, order, tried before | always; tried ones are used when nobody else is left |
//! | cooldown, a probe that is out, what the upstream said of its limits | always; a probed one is used when nobody else is left |
//! | `max_parallel_requests` | always |
//! | rpm, tpm | `enforce_model_rate_limits`, and strategies that look at usage |
//! | context window, region | `enable_pre_call_checks` |
//! | tags | `enable_tag_filtering` |

use super::pool::Candidates;
use super::ticket::Limits;
use super::{Moment, Track};

/// What a call needs of a deployment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// Tokens of the prompt, as estimated.
    pub tokens: u64,
    /// A stream is asked for: its first token is what counts.
    pub stream: bool,
    /// Tags of request, key and team.
    pub tags: &'a [&'a str],
    /// `allowed_model_region`.
    pub region: Option<&'a str>,
    /// Calls of one session go to one deployment while that can be.
    pub session: Option<&'a str>,
    /// Indices that have failed this call.
    pub tried: &'a [usize],
    /// Indices that cannot say this request.
    pub refused: &'a [usize],
}

/// Why a deployment is not among those to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// It rests after failures.
    CoolingDown { until: Moment },
    /// Its cooldown is over, and the call that tests it is out.
    Probing,
    /// The upstream said that nothing is left.
    Spent { until: Moment },
    /// Its `rpm` are used up.
    Requests { used: u64, allowed: u64, until: Moment },
    /// Its `tpm` do not suffice.
    Tokens { used: u64, asked: u64, allowed: u64, until: Moment },
    /// `max_parallel_requests` are in flight.
    Parallel { in_flight: u32, allowed: u32 },
    /// The prompt is longer than it takes.
    ContextWindow { tokens: u64, allowed: u64 },
    /// It is not in the region that the caller may use.
    Region,
    /// Its tags are not the call's.
    Tag,
    /// One with a lower `order` can be used.
    Order { own: Option<u32>, used: Option<u32> },
    /// It cannot say this request.
    Refused,
    /// It has failed this call.
    Tried,
}

/// Why nobody can be chosen: what the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Nobody {
    /// The group has no deployments, or none that can say the request.
    #[error("there are no healthy deployments for this model")]
    None,
    /// 401: no deployment has the tags, and none is the default.
    #[error("not allowed to access model due to tags configuration")]
    Tags,
    /// No deployment is in the region.
    #[error("no deployment is in the allowed region")]
    Region,
    /// 400: the prompt is longer than any of them takes.
    #[error("the prompt has {tokens} tokens and no deployment takes more than {allowed}")]
    ContextWindow { tokens: u64, allowed: u64 },
    /// 429: all of those that could are busy or resting; `at` is when the first of them may be back, if that is known.
    #[error("no deployments available for the selected model")]
    Later { at: Option<Moment> },
}

/// How much is overlooked when nobody else is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Leniency {
    Strict,
    /// Deployments that another call is testing.
    Probing,
    /// And those that failed this call before.
    Tried,
}

/// One look at the candidates on behalf of one call.
pub(super) struct View<'a> {
    pub(super) candidates: &'a Candidates,
    pub(super) ask: &'a Ask<'a>,
    pub(super) now: Moment,
    pub(super) leniency: Leniency,
    /// Whom tags, region and context window leave; `None` leaves all.
    pub(super) scope: Option<Scope>,
}

impl View<'_> {
    /// Whether a candidate can be chosen, its order aside.
    #[inline]
    pub(super) fn open(&self, index: usize, track: &Track) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope.holds(index)) && self.unfit(index, track).is_none()
    }

    /// Why not, its order aside.
    pub(super) fn why(&self, index: usize, track: &Track) -> Option<Skipped> {
        let outside = || self.scope.as_ref().filter(|scope| !scope.holds(index));
        self.unfit(index, track).or_else(|| outside().map(|_| self.misfit(index).unwrap_or(Skipped::Tag)))
    }

    /// What moves: state of the deployment and history of the call.
    #[inline]
    fn unfit(&self, index: usize, track: &Track) -> Option<Skipped> {
        if !self.ask.refused.is_empty() && self.ask.refused.contains(&index) {
            return Some(Skipped::Refused);
        }
        if let Some(until) = track.cool_until() {
            if until > self.now {
                return Some(Skipped::CoolingDown { until });
            }
            if self.leniency < Leniency::Probing && track.is_probed(self.now) {
                return Some(Skipped::Probing);
            }
        }
        let until = track.spent_until();
        if until > self.now {
            return Some(Skipped::Spent { until });
        }
        if self.candidates.limited
            && let Some(full) = self.full(index, track)
        {
            return Some(full);
        }
        (self.leniency < Leniency::Tried && self.ask.tried.contains(&index)).then_some(Skipped::Tried)
    }

    fn full(&self, index: usize, track: &Track) -> Option<Skipped> {
        let Limits { rpm, tpm, parallel } = *self.candidates.limits.get(index)?;
        let in_flight = track.in_flight();
        if parallel != 0 && in_flight >= parallel {
            return Some(Skipped::Parallel { in_flight, allowed: parallel });
        }
        if rpm == 0 && tpm == 0 {
            return None;
        }
        let (requests, tokens) = track.used(self.now);
        let until = self.now.next_minute();
        if rpm != 0 && requests >= rpm {
            return Some(Skipped::Requests { used: requests, allowed: rpm, until });
        }
        let asked = self.ask.tokens;
        let short = tpm != 0 && tokens.saturating_add(asked) > tpm;
        short.then_some(Skipped::Tokens { used: tokens, asked, allowed: tpm, until })
    }

    /// What the configuration says against a candidate, tags aside.
    fn misfit(&self, index: usize) -> Option<Skipped> {
        let candidate = self.candidates.all.get(index)?;
        let tokens = self.ask.tokens;
        let long = candidate.max_input_tokens.filter(|allowed| tokens > *allowed);
        if let Some(allowed) = long {
            return Some(Skipped::ContextWindow { tokens, allowed });
        }
        let wanted = self.ask.region?;
        let inside = candidate.region.as_deref().is_some_and(|region| lies_in(region, wanted));
        (!inside).then_some(Skipped::Region)
    }

    /// Whom region, context window and tags leave. Tags are looked at last: where those who carry them are resting,
    /// the default deployments serve, as in LiteLLM.
    pub(super) fn scope<'t>(&self, track: impl Fn(usize) -> Option<&'t Track>) -> Option<Scope> {
        let Candidates { checked, all, tags, .. } = self.candidates;
        let count = all.len();
        let checks = *checked && (self.ask.region.is_some() || self.candidates.windowed);
        let fits = checks.then(|| Scope::of(count, |index| self.misfit(index).is_none()));
        let Some(tags) = tags else { return fits };
        let healthy = |scope: &Scope| {
            (0..count).any(|index| {
                let fit = fits.as_ref().is_none_or(|fits| fits.holds(index));
                fit && scope.holds(index)
                    && track(index).is_some_and(|track| self.unfit(index, track).is_none())
            })
        };
        let Some(tagged) = tags.choose(self.ask.tags, healthy) else { return fits };
        Some(fits.map_or(tagged.clone(), |fits| fits.and(&tagged)))
    }
}

/// `eu` covers `eu`, `eu-west-1` and `europe-west4`.
fn lies_in(region: &str, wanted: &str) -> bool {
    let (region, wanted) = (region.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    let below = |wider: &str| region.strip_prefix(wider).is_some_and(|rest| rest.starts_with(['-', '_']));
    region == wanted || below(&wanted) || (wanted == "eu" && (region == "europe" || below("europe")))
}

/// A set of candidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope(Box<[u64]>);

impl Scope {
    pub(super) fn of(count: usize, holds: impl Fn(usize) -> bool) -> Self {
        let word = |at: usize| {
            let bits = (0..64).filter(|bit| at * 64 + bit < count && holds(at * 64 + bit));
            bits.fold(0, |word, bit| word | (1 << bit))
        };
        Self((0..count.div_ceil(64)).map(word).collect())
    }

    #[inline]
    pub(super) fn holds(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn and(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
        self
    }

    pub(super) fn or(mut self, other: &Self) -> Self {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
        self
    }
}
