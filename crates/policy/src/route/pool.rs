//! A model group compiled for choosing: its deployments, their limits and shares, and the rules in force.
//!
//! Not here: what changes from call to call, which is in the tracks that every question brings, by the same index.

use std::borrow::Borrow;
use std::sync::Arc;

use super::affinity;
use super::filter::{Leniency, View};
use super::tags::Tags;
use super::ticket::Limits;
use super::{Ask, Moment, Nobody, Random, Skipped, Strategy, Ticket, Track};
use crate::choose;

/// Places lost to other calls before a call gives up.
const MOST_RACES: u32 = 8;

/// What choosing needs to know of a deployment's configuration.
#[derive(Clone, Debug, Default)]
pub struct Candidate {
    /// `model_info.id`, for affinity.
    pub id: String,
    /// Weight, rpm, tpm and order.
    pub share: choose::Candidate,
    /// Calls in flight at most, see [`parallel_limit`].
    pub max_parallel: Option<u32>,
    /// `litellm_params.tags`.
    pub tags: Vec<String>,
    /// `litellm_params.region_name`.
    pub region: Option<String>,
    /// `max_input_tokens` of `model_info` or the catalog.
    pub max_input_tokens: Option<u64>,
    /// A token of prompt and one of answer, in any unit all candidates use; unknown is dearest.
    pub price: Option<u64>,
}

/// The rules of a group, under the names of `router_settings`.
#[derive(Clone, Debug)]
pub struct Rules {
    /// `routing_strategy` with its arguments.
    pub strategy: Strategy,
    /// `enable_pre_call_checks`.
    pub pre_call_checks: bool,
    /// `enable_tag_filtering`.
    pub tag_filtering: bool,
    /// `tag_filtering_match_any`.
    pub match_any: bool,
    /// `enforce_model_rate_limits` of `optional_pre_call_checks`.
    pub enforce_limits: bool,
    /// `max_latency_list_size`.
    pub latency_samples: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            pre_call_checks: false,
            tag_filtering: false,
            match_any: true,
            enforce_limits: false,
            latency_samples: 10,
        }
    }
}

/// How many calls a deployment takes at once: its own `max_parallel_requests`, else `rpm`, else 6 for every thousand
/// `tpm` and at least one, else the router's default.
#[must_use]
pub fn parallel_limit(own: Option<u32>, rpm: u64, tpm: u64, default: Option<u32>) -> Option<u32> {
    let whole = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX);
    let by_tokens = || (tpm != 0).then(|| whole((tpm.saturating_mul(6) / 1_000).max(1)));
    own.or_else(|| (rpm != 0).then(|| whole(rpm))).or_else(by_tokens).or(default)
}

/// A model group compiled for choosing.
#[derive(Debug)]
pub struct Pool {
    rules: Rules,
    candidates: Candidates,
    /// Lowest order first.
    levels: Vec<Level>,
}

/// The candidates, column by column.
#[derive(Debug)]
pub(super) struct Candidates {
    pub(super) all: Vec<Candidate>,
    pub(super) shares: Vec<choose::Candidate>,
    pub(super) limits: Vec<Limits>,
    pub(super) hashes: Vec<u64>,
    /// Anybody has limits that hold.
    pub(super) limited: bool,
    /// Region and context window are looked at.
    pub(super) checked: bool,
    /// Anybody's context window is known.
    pub(super) windowed: bool,
    pub(super) tags: Option<Tags>,
}

/// The candidates of one order.
#[derive(Debug)]
pub(super) struct Level {
    order: Option<u32>,
    members: Vec<usize>,
    /// Running sums of the shares.
    sums: Vec<u64>,
}

impl Level {
    fn new(order: Option<u32>, shares: &[choose::Candidate]) -> Self {
        let members: Vec<usize> = (0..shares.len()).filter(|index| shares[*index].order == order).collect();
        let columns: [fn(&choose::Candidate) -> u64; 4] =
            [|share| share.weight, |share| share.rpm, |share| share.tpm, |_| 1];
        let used = |column: &fn(&choose::Candidate) -> u64| members.iter().any(|at| column(&shares[*at]) > 0);
        let column = columns.into_iter().find(used).unwrap_or(|_| 1);
        let running = |sum: &mut u64, at: &usize| {
            *sum = sum.saturating_add(column(&shares[*at]).min(choose::MAX_SHARE));
            Some(*sum)
        };
        let sums = members.iter().scan(0, running).collect();
        Self { order, members, sums }
    }

    pub(super) fn members<'t, T: Borrow<Track>>(
        &'t self,
        tracks: &'t [T],
    ) -> impl Iterator<Item = (usize, &'t Track)> {
        self.members.iter().filter_map(|index| Some((*index, tracks.get(*index)?.borrow())))
    }

    pub(super) fn has(&self, index: usize) -> bool {
        self.members.binary_search(&index).is_ok()
    }

    pub(super) fn share(&self, index: usize) -> u64 {
        let Ok(at) = self.members.binary_search(&index) else { return 0 };
        let before = at.checked_sub(1).and_then(|at| self.sums.get(at)).copied().unwrap_or(0);
        self.sums.get(at).map_or(0, |sum| sum - before)
    }

    /// A member at random, in proportion to its share.
    pub(super) fn draw(&self, random: &mut Random) -> Option<usize> {
        let point = random.below(*self.sums.last()?);
        self.members.get(self.sums.partition_point(|sum| *sum <= point)).copied()
    }
}

impl Pool {
    /// Compiles a group.
    #[must_use]
    pub fn new(rules: Rules, all: Vec<Candidate>) -> Self {
        let shares: Vec<choose::Candidate> = all.iter().map(|candidate| candidate.share).collect();
        let mut orders: Vec<Option<u32>> = shares.iter().map(|share| share.order).collect();
        orders.sort_unstable_by_key(|order| order.map_or(u64::MAX, u64::from));
        orders.dedup();
        let levels = orders.into_iter().map(|order| Level::new(order, &shares)).collect();
        let enforced = rules.enforce_limits || rules.strategy.enforces_limits();
        let limits = |candidate: &Candidate| Limits {
            rpm: if enforced { candidate.share.rpm } else { 0 },
            tpm: if enforced { candidate.share.tpm } else { 0 },
            parallel: candidate.max_parallel.unwrap_or(0),
        };
        let limits: Vec<Limits> = all.iter().map(limits).collect();
        let tags: Vec<&[String]> = all.iter().map(|candidate| candidate.tags.as_slice()).collect();
        let candidates = Candidates {
            shares,
            limited: limits.iter().any(|limits| *limits != Limits::default()),
            limits,
            hashes: all.iter().map(|candidate| affinity::hash(&candidate.id)).collect(),
            checked: rules.pre_call_checks,
            windowed: all.iter().any(|candidate| candidate.max_input_tokens.is_some()),
            tags: rules.tag_filtering.then(|| Tags::new(&tags, rules.match_any)),
            all,
        };
        Self { rules, candidates, levels }
    }

    /// How many deployments it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.candidates.all.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.candidates.all.is_empty()
    }

    /// The index of the deployment to try. `tracks` are the deployments', by index; `random` is uniform over `u64`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn choose<T: Borrow<Track>>(
        &self,
        tracks: &[T],
        ask: &Ask<'_>,
        now: Moment,
        random: u64,
    ) -> Result<usize, Nobody> {
        let mut random = Random::new(random);
        let mut view = self.view(tracks, ask, now);
        for leniency in [Leniency::Strict, Leniency::Probing, Leniency::Tried] {
            view.leniency = leniency;
            let strategy = self.rules.strategy;
            let mut picks =
                self.levels.iter().filter_map(|level| view.pick(strategy, level, tracks, &mut random));
            if let Some(index) = picks.next() {
                return Ok(index);
            }
        }
        Err(nobody(&view, tracks))
    }

    /// Chooses, and takes a place there.
    ///
    /// # Errors
    /// Why there is none.
    pub fn take(
        &self,
        tracks: &[Arc<Track>],
        ask: &Ask<'_>,
        now: Moment,
        random: u64,
    ) -> Result<(usize, Ticket), Nobody> {
        for race in 0..MOST_RACES {
            let index = self.choose(tracks, ask, now, random.rotate_left(8 * race))?;
            let limits = self.candidates.limits.get(index).copied().unwrap_or_default();
            let track = tracks.get(index).ok_or(Nobody::None)?;
            if let Some(ticket) = Ticket::take(track, limits, ask.tokens, self.rules.latency_samples, now) {
                return Ok((index, ticket));
            }
        }
        Err(Nobody::Later { at: None })
    }

    /// Why each deployment is skipped, by index; `None` is one to choose from.
    #[must_use]
    pub fn explain<T: Borrow<Track>>(
        &self,
        tracks: &[T],
        ask: &Ask<'_>,
        now: Moment,
    ) -> Vec<Option<Skipped>> {
        let mut view = self.view(tracks, ask, now);
        let mut reasons = Vec::new();
        for leniency in [Leniency::Strict, Leniency::Probing, Leniency::Tried] {
            view.leniency = leniency;
            reasons = tracks.iter().enumerate().map(|(at, track)| view.why(at, track.borrow())).collect();
            if reasons.iter().any(Option::is_none) {
                break;
            }
        }
        let is_open = |at: &usize| reasons.get(*at).is_some_and(Option::is_none);
        let used = self.levels.iter().position(|level| level.members.iter().any(is_open));
        for level in self.levels.iter().skip(used.map_or(usize::MAX, |used| used + 1)) {
            let order = used.and_then(|used| self.levels.get(used)).and_then(|level| level.order);
            for at in &level.members {
                if let Some(reason) = reasons.get_mut(*at) {
                    reason.get_or_insert(Skipped::Order { own: level.order, used: order });
                }
            }
        }
        reasons
    }

    fn view<'a, T: Borrow<Track>>(&'a self, tracks: &[T], ask: &'a Ask<'a>, now: Moment) -> View<'a> {
        let candidates = &self.candidates;
        let mut view = View { candidates, ask, now, leniency: Leniency::Tried, scope: None };
        if candidates.checked || candidates.tags.is_some() {
            view.scope = view.scope(|index| tracks.get(index).map(Borrow::borrow));
        }
        view
    }
}

/// What is told when all are skipped: that waiting may help, if it may, else what is wrong.
fn nobody<T: Borrow<Track>>(view: &View<'_>, tracks: &[T]) -> Nobody {
    let mut verdict = Nobody::None;
    let mut soonest: Option<Moment> = None;
    let mut waits = false;
    for reason in tracks.iter().enumerate().filter_map(|(index, track)| view.why(index, track.borrow())) {
        match reason {
            Skipped::CoolingDown { until }
            | Skipped::Spent { until }
            | Skipped::Requests { until, .. }
            | Skipped::Tokens { until, .. } => {
                waits = true;
                soonest = Some(soonest.map_or(until, |soonest| soonest.min(until)));
            }
            Skipped::Parallel { .. } | Skipped::Probing => waits = true,
            Skipped::ContextWindow { tokens, allowed } => {
                let most = if let Nobody::ContextWindow { allowed, .. } = verdict { allowed } else { 0 };
                verdict = Nobody::ContextWindow { tokens, allowed: allowed.max(most) };
            }
            Skipped::Region if verdict == Nobody::None || verdict == Nobody::Tags => verdict = Nobody::Region,
            Skipped::Tag if verdict == Nobody::None => verdict = Nobody::Tags,
            Skipped::Region | Skipped::Tag | Skipped::Order { .. } | Skipped::Refused | Skipped::Tried => {}
        }
    }
    if waits { Nobody::Later { at: soonest } } else { verdict }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
