//! What a choice costs: every strategy among 4, 32 and 1,000 deployments, as the gateway holds them. Run with
//! `cargo bench -p tollgate-policy`; the figures stand in `docs/routing.md`. Not here: how good the choices are, see
//! `tests/simulation.rs`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when it breaks")]

use std::fs;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tollgate_policy::choose;
use tollgate_policy::route::{Ask, Candidate, Moment, Pool, Random, Rules, Track};

const LEAST: Duration = Duration::from_millis(200);
const NOW: Moment = Moment::from_millis(1_764_000_000_000);
const STRATEGIES: [&str; 6] = [
    "simple-shuffle",
    "least-busy",
    "usage-based-routing-v2",
    "latency-based-routing",
    "cost-based-routing",
    "adaptive",
];

fn main() {
    println!("| strategy, ns | 4 | 32 | 1,000 | 1,000, half of them resting |");
    println!("| --- | --- | --- | --- | --- |");
    for strategy in STRATEGIES {
        let [few, some, many, resting] = [(4, false), (32, false), (1_000, false), (1_000, true)]
            .map(|(count, half)| cost(strategy, count, half));
        println!("| {strategy} | {few:.0} | {some:.0} | {many:.0} | {resting:.0} |");
    }
}

/// Nanoseconds of one choice.
fn cost(strategy: &str, count: usize, half_resting: bool) -> f64 {
    let candidate = |id: usize| Candidate {
        id: id.to_string(),
        share: choose::Candidate { weight: 1 + id as u64 % 3, ..choose::Candidate::default() },
        price: Some(1),
        ..Candidate::default()
    };
    let rules = Rules { strategy: strategy.parse().unwrap(), ..Rules::default() };
    let pool = Pool::new(rules, (0..count).map(candidate).collect());
    let tracks: Vec<Arc<Track>> = (0..count).map(|_| Arc::default()).collect();
    for track in tracks.iter().step_by(2).filter(|_| half_resting) {
        track.cool(NOW.after(Duration::from_secs(1)));
    }
    let (ask, mut random) = (Ask::default(), Random::new(1));
    each(|| pool.choose(black_box(&tracks), &ask, NOW, random.next_u64()).unwrap())
}

/// Nanoseconds of CPU, by the scheduler's counter, of one of as many runs as take [`LEAST`].
fn each<T>(mut run: impl FnMut() -> T) -> f64 {
    black_box(run());
    let (begun, start, mut runs) = (cpu_time(), Instant::now(), 0_u32);
    while start.elapsed() < LEAST {
        for _ in 0..100 {
            black_box(run());
        }
        runs += 100;
    }
    (cpu_time() - begun).as_nanos() as f64 / f64::from(runs)
}

fn cpu_time() -> Duration {
    // Brings the counter up to date, which only a switch does.
    std::thread::sleep(Duration::from_millis(1));
    let counters = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(counters.split(' ').next().unwrap().parse().unwrap())
}
