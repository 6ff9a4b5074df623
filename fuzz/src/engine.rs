//! The loop: seeds as they are, then changed again and again; every outcome is judged.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::ALLOCATOR;
use crate::mutate::{Random, mutated};
use crate::places;
use crate::targets::{Outcome, Target};

/// Memory that any input may take, in bytes, and what it may take more for each of its own.
const ANY_MEMORY: usize = 8 << 20;
const MEMORY_PER_BYTE: usize = 512;
/// Inputs that led to something new are kept up to this number.
const MOST_KEPT: usize = 4096;
/// Words longer than this are texts.
const LONGEST_WORD: usize = 48;

/// An input, and the seed it came of: replies are read by the reader of that seed's request.
#[derive(Clone, Debug)]
pub struct Input {
    /// Which seed.
    pub seed: usize,
    /// What is read.
    pub bytes: Vec<u8>,
}

/// An input for which something does not hold.
#[derive(Debug)]
pub struct Failure {
    /// What.
    pub what: String,
    /// For which input.
    pub input: Input,
}

/// What a run amounts to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Inputs read.
    pub inputs: u64,
    /// Kinds of outcome seen.
    pub kinds: usize,
    /// The longest that an input took.
    pub slowest: Duration,
    /// The most memory that an input took, in bytes.
    pub most_memory: usize,
}

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// So many inputs.
    Inputs(u64),
    /// Until then.
    Until(Instant),
}

/// Feeds `target` until `bound` or a failure. `begun` is told of every input before it is read; no input may take
/// longer than `longest`.
///
/// # Errors
/// The first failure, with the input.
pub fn run(
    target: &Target,
    seed: u64,
    bound: Bound,
    longest: Duration,
    mut begun: impl FnMut(&Input),
) -> Result<Tally, Box<Failure>> {
    let mut random = Random(seed);
    let mut tally = Tally::default();
    let mut seen = HashSet::new();
    let mut kept: Vec<Input> =
        target.seeds.iter().cloned().enumerate().map(|(seed, bytes)| Input { seed, bytes }).collect();
    let words = words(&kept);
    let mut fresh = kept.clone().into_iter();
    loop {
        let over = match bound {
            Bound::Inputs(most) => tally.inputs >= most,
            Bound::Until(end) => Instant::now() >= end,
        };
        let next = fresh.next();
        if over && next.is_none() || kept.is_empty() {
            tally.kinds = seen.len();
            return Ok(tally);
        }
        let is_mutated = next.is_none();
        let input = next.unwrap_or_else(|| child(&kept, &words, &mut random));
        begun(&input);
        tally.inputs += 1;
        let outcome = match judged(target, &input, longest, &mut tally) {
            Ok(outcome) => outcome,
            Err(what) => return Err(Box::new(Failure { what, input })),
        };
        if seen.insert(outcome) && is_mutated && kept.len() < MOST_KEPT {
            kept.push(input);
        }
    }
}

fn child(kept: &[Input], words: &[Vec<u8>], random: &mut Random) -> Input {
    let parent = &kept[random.below(kept.len())];
    let other = &kept[random.below(kept.len())];
    Input { seed: parent.seed, bytes: mutated(&parent.bytes, &other.bytes, words, random) }
}

/// Reads one input and judges what it took.
///
/// # Errors
/// What does not hold.
pub fn judged(target: &Target, input: &Input, longest: Duration, tally: &mut Tally) -> Result<u64, String> {
    ALLOCATOR.reset_peak_usage();
    let (before, start) = (ALLOCATOR.current_usage(), Instant::now());
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.read)(input.seed, &input.bytes)));
    let (took, memory) = (start.elapsed(), ALLOCATOR.peak_usage().saturating_sub(before));
    tally.slowest = tally.slowest.max(took);
    tally.most_memory = tally.most_memory.max(memory);
    let Outcome { kinds, broken } = outcome.map_err(|_| "it panics".to_owned())?;
    if let Some(broken) = broken {
        return Err(broken);
    }
    if took > longest {
        return Err(format!("it takes {took:?} for {} bytes", input.bytes.len()));
    }
    if memory > ANY_MEMORY + MEMORY_PER_BYTE * input.bytes.len() {
        return Err(format!("it takes {memory} bytes of memory for {}", input.bytes.len()));
    }
    let mut hasher = DefaultHasher::new();
    kinds.hash(&mut hasher);
    Ok(hasher.finish())
}

/// The short strings of the seeds, with their quotes: names, types, roles.
fn words(seeds: &[Input]) -> Vec<Vec<u8>> {
    let mut words = BTreeSet::new();
    for seed in seeds {
        let strings =
            places::values(&seed.bytes, usize::MAX).into_iter().filter_map(|place| seed.bytes.get(place));
        words.extend(strings.filter(|word| word.len() <= LONGEST_WORD).map(<[u8]>::to_vec));
    }
    words.into_iter().collect()
}
