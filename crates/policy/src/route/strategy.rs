//! Who of those that may answer does. Not here: who may, see [`super::filter`].
//!
//! | strategy | chosen |
//! | --- | --- |
//! | `simple-shuffle` | at random, in proportion to weight, else rpm, else tpm |
//! | `least-busy` | fewest calls in flight |
//! | `usage-based-routing-v2` | fewest tokens this minute |
//! | `latency-based-routing` | lowest mean latency (streams: to the first token), those within the buffer alike |
//! | `cost-based-routing` | lowest price |
//! | `adaptive` | of two drawn like simple-shuffle, the one with less expected waiting and fewer errors |
//!
//! Equals are drawn by lot.

use std::borrow::Borrow;
use std::str::FromStr;
use std::time::Duration;

use super::affinity;
use super::filter::View;
use super::pool::Level;
use super::track::FADE;
use super::{Moment, Random, Track};
use crate::choose;

/// Draws that may hit somebody who is not open, before all are looked at.
const DRAWS: u32 = 6;
/// What a failed call costs, as a power of the share that succeeds: a failure is far worse than a slow answer.
const ERROR_WEIGHT: i32 = 6;

/// How to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Strategy {
    #[default]
    Shuffle,
    LeastBusy,
    Usage,
    Latency(LatencyArguments),
    Cost,
    Adaptive,
}

/// `routing_strategy_args` of `latency-based-routing`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyArguments {
    /// `ttl`: an older latency is not known.
    pub live: Duration,
    /// `lowest_latency_buffer`: how much slower, as a share, counts as equal.
    pub buffer: f32,
}

impl Default for LatencyArguments {
    fn default() -> Self {
        Self { live: Duration::from_secs(3_600), buffer: 0.0 }
    }
}

/// A name that is no strategy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no routing strategy; there are simple-shuffle, least-busy, usage-based-routing-v2, latency-based-routing, cost-based-routing and adaptive"
)]
pub struct UnknownStrategy(pub String);

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, UnknownStrategy> {
        Ok(match name {
            "simple-shuffle" => Self::Shuffle,
            "least-busy" => Self::LeastBusy,
            "usage-based-routing" | "usage-based-routing-v2" => Self::Usage,
            "latency-based-routing" => Self::Latency(LatencyArguments::default()),
            "cost-based-routing" => Self::Cost,
            "adaptive" => Self::Adaptive,
            _ => return Err(UnknownStrategy(name.to_owned())),
        })
    }
}

impl Strategy {
    /// Whether rpm and tpm are limits, whatever else is configured.
    #[must_use]
    pub fn enforces_limits(self) -> bool {
        !matches!(self, Self::Shuffle | Self::LeastBusy)
    }
}

impl View<'_> {
    /// The candidate of this level to try, or `None` when none is open.
    pub(super) fn pick<T: Borrow<Track>>(
        &self,
        strategy: Strategy,
        level: &Level,
        tracks: &[T],
        random: &mut Random,
    ) -> Option<usize> {
        let now = self.now;
        if let Some(session) = self.ask.session {
            return self.pick_session(session, level, tracks);
        }
        match strategy {
            Strategy::Shuffle => self.draw(level, tracks, random),
            Strategy::LeastBusy => {
                self.lowest(level, tracks, 0.0, random, |_, track| u64::from(track.in_flight()))
            }
            Strategy::Usage => self.lowest(level, tracks, 0.0, random, |_, track| track.used(now).1),
            Strategy::Latency(LatencyArguments { live, buffer }) => {
                self.lowest(level, tracks, buffer, random, |_, track| {
                    let first = if self.ask.stream { track.firsts.mean(now, live) } else { None };
                    key(first.or_else(|| track.latencies.mean(now, live)).unwrap_or(0.0))
                })
            }
            Strategy::Cost => self.lowest(level, tracks, 0.0, random, |index, _| {
                self.candidates.all.get(index).and_then(|candidate| candidate.price).unwrap_or(u64::MAX)
            }),
            Strategy::Adaptive => self.adaptive(level, tracks, random),
        }
    }

    fn pick_session<T: Borrow<Track>>(&self, session: &str, level: &Level, tracks: &[T]) -> Option<usize> {
        let session = affinity::hash(session);
        let wanted = |index: usize| {
            let id = self.candidates.hashes.get(index).copied().unwrap_or_default();
            affinity::affinity(session, id, level.share(index))
        };
        let open = level.members(tracks).filter(|(index, track)| self.open(*index, track));
        open.map(|(index, _)| (index, wanted(index)))
            .max_by(|one, other| one.1.total_cmp(&other.1))
            .map(|(index, _)| index)
    }

    /// At random in proportion to the shares of those that are open: a draw that hits another is repeated, which does
    /// not change the odds.
    fn draw<T: Borrow<Track>>(&self, level: &Level, tracks: &[T], random: &mut Random) -> Option<usize> {
        let open = |index: usize| tracks.get(index).is_some_and(|track| self.open(index, track.borrow()));
        let lucky = (0..DRAWS).find_map(|_| level.draw(random).filter(|index| open(*index)));
        lucky.or_else(|| {
            let inside = |index: usize| level.has(index) && open(index);
            choose::choose(&self.candidates.shares, inside, random.next_u64())
        })
    }

    /// One of those whose key is at most the lowest and `buffer` of it more.
    fn lowest<T: Borrow<Track>>(
        &self,
        level: &Level,
        tracks: &[T],
        buffer: f32,
        random: &mut Random,
        key: impl Fn(usize, &Track) -> u64,
    ) -> Option<usize> {
        let (mut best, mut first, mut equals) = (u64::MAX, None, 0_u64);
        for (index, track) in level.members(tracks) {
            // The key is cheaper than the question whether somebody is open.
            let key = key(index, track);
            if (key > best && first.is_some()) || !self.open(index, track) {
                continue;
            }
            if key < best || first.is_none() {
                (best, first, equals) = (key, Some(index), 1);
            } else {
                equals += 1;
            }
        }
        let most = best.saturating_add((best as f64 * f64::from(buffer.max(0.0))) as u64);
        let within = || {
            let alike = level.members(tracks).filter(|(index, track)| key(*index, track) <= most);
            alike.filter(|(index, track)| self.open(*index, track)).map(|(index, _)| index)
        };
        if most != best {
            equals = within().count() as u64;
        }
        if equals < 2 {
            return first;
        }
        // What moved since the first look may leave fewer.
        within().nth(random.below(equals) as usize).or(first)
    }

    fn adaptive<T: Borrow<Track>>(&self, level: &Level, tracks: &[T], random: &mut Random) -> Option<usize> {
        let one = self.draw(level, tracks, random)?;
        let track = |index: usize| tracks.get(index).map(Borrow::borrow);
        let open = |index: usize| track(index).is_some_and(|track| self.open(index, track));
        let lucky = (0..DRAWS).find_map(|_| level.draw(random).filter(|index| *index != one && open(*index)));
        let other = lucky.or_else(|| {
            level.members(tracks).map(|(index, _)| index).find(|index| *index != one && open(*index))
        });
        let Some(other) = other else { return Some(one) };
        let (first, second) = (track(one)?, track(other)?);
        let worse = burden(first, second, self.ask.stream, self.now);
        Some(if worse { other } else { one })
    }
}

/// A latency in seconds as a key that sorts alike.
fn key(seconds: f32) -> u64 {
    (f64::from(seconds) * 1e9) as u64
}

/// Whether the first of two is the worse choice. An unknown latency is taken to be the other's.
fn burden(one: &Track, other: &Track, stream: bool, now: Moment) -> bool {
    let latency = |track: &Track| {
        let cell = if stream { &track.first } else { &track.pace };
        cell.get(now, FADE)
    };
    let (known, others) = (latency(one), latency(other));
    let score = |track: &Track, latency: Option<f32>, spare: Option<f32>| {
        let waiting = (track.in_flight() + 1) as f32;
        let good = (1.0 - track.error_rate(now)).max(0.01);
        latency.or(spare).unwrap_or(1.0) * waiting / good.powi(ERROR_WEIGHT)
    };
    score(one, known, others) > score(other, others, known)
}
