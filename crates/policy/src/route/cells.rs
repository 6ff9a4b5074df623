//! Small observations that many threads update without a lock: a minute's count, a decaying mean, a window of samples.
//!
//! Not here: what is observed, see [`super::track`]. Updates that race lose nothing but order.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Moment;

/// Bits of a count that shares a word with its minute: 10¹² a minute is more than anybody counts.
const COUNT_BITS: u32 = 40;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// A count that starts anew each calendar minute.
#[derive(Debug, Default)]
pub struct Minute(AtomicU64);

impl Minute {
    /// Adds to the minute of `now`; the count after that.
    pub fn add(&self, now: Moment, more: u64) -> u64 {
        self.update(now, |count| count.saturating_add(more).min(COUNT_MASK))
    }

    /// Takes back what was added in the same minute; an older minute is past anyway.
    pub fn take_back(&self, now: Moment, less: u64) {
        self.update(now, |count| count.saturating_sub(less));
    }

    /// The count in the minute of `now`.
    pub fn get(&self, now: Moment) -> u64 {
        count_in(self.0.load(Relaxed), now)
    }

    fn update(&self, now: Moment, change: impl Fn(u64) -> u64) -> u64 {
        let next = |word| (now.minute() << COUNT_BITS) | change(count_in(word, now));
        let before = self.0.fetch_update(Relaxed, Relaxed, |word| Some(next(word)));
        next(before.unwrap_or_default()) & COUNT_MASK
    }
}

fn count_in(word: u64, now: Moment) -> u64 {
    // The shift drops the minute's high bits on both sides: they would differ after 31 years only.
    if word >> COUNT_BITS == (now.minute() << COUNT_BITS) >> COUNT_BITS { word & COUNT_MASK } else { 0 }
}

/// A count that starts anew when its time to live has passed since it was begun.
#[derive(Debug, Default)]
pub struct Expiring(AtomicU64);

impl Expiring {
    /// Adds one; the count after that.
    pub fn add(&self, now: Moment, live: Duration) -> u32 {
        let next = |word: u64| {
            let (begun, count) = (word >> 20, word & 0xf_ffff);
            let age = now.millis().saturating_sub(begun);
            if count == 0 || u128::from(age) >= live.as_millis() {
                (now.millis() << 20) | 1
            } else {
                (begun << 20) | (count + 1).min(0xf_ffff)
            }
        };
        let before = self.0.fetch_update(Relaxed, Relaxed, |word| Some(next(word))).unwrap_or_default();
        u32::try_from(next(before) & 0xf_ffff).unwrap_or(u32::MAX)
    }
}

/// A mean in which newer values count for more, and which fades while nothing is observed.
#[derive(Debug, Default)]
pub struct Fading(AtomicU64);

impl Fading {
    /// Moves the mean towards `value` by the share `rise` if it is higher, `fall` if it is lower. The first value is
    /// the mean.
    pub fn observe(&self, value: f32, now: Moment, rise: f32, fall: f32) {
        let next = |word: u64| {
            let mean = f32::from_bits((word >> 32) as u32);
            let gain = if value > mean { rise } else { fall };
            let moved = if word == 0 { value } else { (value - mean).mul_add(gain, mean) };
            // At least one, so that an observed zero is not taken for nothing observed.
            (u64::from(moved.to_bits()) << 32) | (now.millis() & 0xffff_ffff).max(1)
        };
        let _ = self.0.fetch_update(Relaxed, Relaxed, |word| Some(next(word)));
    }

    /// The mean, halved once it is `half` old, a third after twice that, …; `None` if nothing was observed.
    pub fn get(&self, now: Moment, half: Duration) -> Option<f32> {
        let word = self.0.load(Relaxed);
        // Wraps after 49 days, when a mean that old has faded once more to what it was: harmless.
        let age = (now.millis() as u32).wrapping_sub(word as u32).min(u32::MAX / 2) as f32;
        let half = half.as_secs_f32() * 1e3;
        (word != 0).then(|| f32::from_bits((word >> 32) as u32) * (half / (half + age)))
    }
}

/// The most samples a [`Window`] keeps.
pub const MOST_SAMPLES: usize = 64;

/// The last samples in seconds, with their mean ready to read.
#[derive(Debug)]
pub struct Window {
    mean: AtomicU32,
    next: AtomicU32,
    last: AtomicU64,
    slots: [AtomicU32; MOST_SAMPLES],
}

impl Default for Window {
    fn default() -> Self {
        Self {
            mean: AtomicU32::default(),
            next: AtomicU32::default(),
            last: AtomicU64::default(),
            slots: [const { AtomicU32::new(0) }; MOST_SAMPLES],
        }
    }
}

impl Window {
    /// Adds a sample; the mean is over the last `keep`, at most [`MOST_SAMPLES`].
    pub fn add(&self, seconds: f32, keep: usize, now: Moment) {
        let at = self.next.fetch_add(1, Relaxed) as usize;
        self.slots[at % MOST_SAMPLES].store(seconds.to_bits(), Relaxed);
        let kept = keep.clamp(1, MOST_SAMPLES).min(at.saturating_add(1));
        let sample = |back: usize| self.slots[at.wrapping_sub(back) % MOST_SAMPLES].load(Relaxed);
        let sum: f32 = (0..kept).map(|back| f32::from_bits(sample(back))).sum();
        self.mean.store((sum / kept as f32).to_bits(), Relaxed);
        self.last.store(now.millis(), Relaxed);
    }

    /// The mean in seconds; `None` if the last sample is older than `live`.
    pub fn mean(&self, now: Moment, live: Duration) -> Option<f32> {
        self.fresh(now, live).then(|| f32::from_bits(self.mean.load(Relaxed)))
    }

    /// The sample in seconds that `percent` of the kept ones do not exceed; `None` with fewer than `least` of them.
    pub fn percentile(&self, percent: u8, least: usize, now: Moment, live: Duration) -> Option<f32> {
        let kept = (self.next.load(Relaxed) as usize).min(MOST_SAMPLES);
        if kept < least.max(1) || !self.fresh(now, live) {
            return None;
        }
        let mut samples = [0.0; MOST_SAMPLES];
        for (sample, slot) in samples.iter_mut().zip(&self.slots) {
            *sample = f32::from_bits(slot.load(Relaxed));
        }
        let samples = &mut samples[..kept];
        samples.sort_unstable_by(f32::total_cmp);
        let rank = (kept * usize::from(percent.min(100))).div_ceil(100);
        samples.get(rank.saturating_sub(1)).copied()
    }

    fn fresh(&self, now: Moment, live: Duration) -> bool {
        let last = self.last.load(Relaxed);
        last != 0 && u128::from(now.millis().saturating_sub(last)) <= live.as_millis()
    }
}

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;
