//! Simple shuffle: a deployment at random, in proportion to its weight.
//!
//! Not here: which deployments are healthy, permitted and untried; that is the caller's `open` test.

/// What choosing needs to know about one deployment. Zero and absent mean the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Its share, in any unit that all candidates use; see [`weight`].
    pub weight: u64,
    /// Its limit of requests a minute, which is its share when nobody has a weight.
    pub rpm: u64,
    /// Its limit of tokens a minute, which is its share when nobody has either.
    pub tpm: u64,
    /// Lower ones are chosen while any is open; candidates without one come after all that have one.
    pub order: Option<u32>,
}

/// No share counts for more: it keeps the sum over 65 536 candidates within 64 bits.
pub(crate) const MAX_SHARE: u64 = (1 << 48) - 1;

/// A configured weight, which may be a fraction, as a [`Candidate::weight`] in millionths. What is no positive
/// number weighs nothing.
#[must_use]
pub fn weight(configured: f64) -> u64 {
    // A cast from a float saturates, and takes NaN as zero.
    (configured * 1e6).round() as u64
}

/// The index of the candidate to try, or `None` when none is `open`. `random` is uniform over all of `u64`.
///
/// Only the lowest [`Candidate::order`] that has an open candidate takes part. Shares are the weights if any
/// participant has one, else rpm, else tpm, else all are equal; who has no share beside others that do is
/// never chosen.
#[must_use]
pub fn choose(candidates: &[Candidate], open: impl Fn(usize) -> bool, random: u64) -> Option<usize> {
    let level = |candidate: &Candidate| candidate.order.map_or(u64::MAX, u64::from);
    let opened = || candidates.iter().enumerate().filter(|(index, _)| open(*index));
    let lowest = opened().map(|(_, candidate)| level(candidate)).min()?;
    let participants = || opened().filter(|(_, candidate)| level(candidate) == lowest);

    let shares: [fn(&Candidate) -> u64; 4] =
        [|candidate| candidate.weight, |candidate| candidate.rpm, |candidate| candidate.tpm, |_| 1];
    shares.into_iter().find_map(|share| {
        let share = |candidate: &Candidate| share(candidate).min(MAX_SHARE);
        let total: u64 = participants().map(|(_, candidate)| share(candidate)).fold(0, u64::saturating_add);
        let mut point = u64::try_from((u128::from(random) * u128::from(total)) >> 64).ok()?;
        participants().find_map(|(index, candidate)| match point.checked_sub(share(candidate)) {
            Some(rest) => {
                point = rest;
                None
            }
            None => Some(index),
        })
    })
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
