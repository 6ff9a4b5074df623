//! The order of measuring: in every round every target takes its turn at every scenario, so that a busy
//! minute of the machine hits all of them; and the soak, which only watches memory.

use anyhow::{Context, Result};
use serde::Serialize;

use crate::arguments::{Arguments, TargetName};
use crate::load::{Bound, Plan, Seen, drive};
use crate::report::progress;
use crate::scenario::Scenario;
use crate::target::{Target, Targets};
use crate::usage::of_tree;

const SOAK_SLICES: u64 = 10;

/// One target at one scenario in one round. Times are microseconds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) round: u32,
    pub(crate) scenario: Scenario,
    pub(crate) target: TargetName,
    /// Saturated: as many connections as were asked for.
    pub(crate) requests_per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) cpu_us_per_request: f64,
    /// For streams.
    pub(crate) cpu_us_per_chunk: Option<f64>,
    /// Alone: one connection, so that nothing waits for anything but the call itself.
    pub(crate) alone_p50_us: f64,
    pub(crate) alone_p99_us: f64,
    pub(crate) alone_first_byte_us: f64,
    pub(crate) rss_before_bytes: u64,
    pub(crate) rss_after_bytes: u64,
    pub(crate) failures: u64,
}

/// Takes every sample.
pub(crate) async fn measure(arguments: &Arguments, targets: &Targets) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for round in 1..=arguments.rounds {
        for scenario in &arguments.scenarios {
            for target in &targets.measured {
                let sample = sample(arguments, round, *scenario, target, &targets.key).await?;
                progress(&format!(
                    "round {round} {scenario:<6} {:<7} {:>9.0} requests/s {:>8.1} CPU-µs/request",
                    target.name, sample.requests_per_second, sample.cpu_us_per_request
                ));
                samples.push(sample);
            }
        }
    }
    Ok(samples)
}

async fn sample(
    arguments: &Arguments,
    round: u32,
    scenario: Scenario,
    target: &Target,
    key: &str,
) -> Result<Sample> {
    let bound = arguments.bound(scenario);
    let plan = |connections: u32, bound: Bound| Plan {
        address: target.address,
        request: scenario.request(key),
        connections,
        bound,
        least_events: scenario.least_events(),
    };
    // Pools fill, caches warm, allocators reach their size.
    let warm_up = Bound::requests((scenario.requests() / 20).max(u64::from(arguments.connections) * 2));
    let before_all = of_tree(target.process)?;
    let warmed = drive(&plan(arguments.connections, warm_up)).await?;

    let before = of_tree(target.process)?;
    let saturated = drive(&plan(arguments.connections, bound)).await?;
    let after = of_tree(target.process)?;
    let alone = drive(&plan(1, Bound::requests(scenario.lone_requests()))).await?;
    for phase in [&warmed, &saturated, &alone] {
        tell_failure(target, phase);
    }
    let cpu_us = after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6;
    let replies = count(saturated.replies());
    Ok(Sample {
        round,
        scenario,
        target: target.name,
        requests_per_second: replies / saturated.elapsed.as_secs_f64(),
        p50_us: saturated.latency(0.5),
        p99_us: saturated.latency(0.99),
        cpu_us_per_request: cpu_us / replies,
        cpu_us_per_chunk: (scenario.chunks() > 0).then(|| cpu_us / (replies * count(scenario.chunks()))),
        alone_p50_us: alone.latency(0.5),
        alone_p99_us: alone.latency(0.99),
        alone_first_byte_us: alone.first_byte(0.5),
        rss_before_bytes: before_all.rss_bytes,
        rss_after_bytes: after.rss_bytes,
        failures: warmed.failures + saturated.failures + alone.failures,
    })
}

/// Resident memory of one target over a long run of chat requests.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Soak {
    pub(crate) target: TargetName,
    pub(crate) requests: u64,
    /// Before the first request, then after each tenth of them.
    pub(crate) rss_bytes: Vec<u64>,
    pub(crate) failures: u64,
}

impl Soak {
    /// From the end of the first tenth, when pools and caches have their size, to the end.
    pub(crate) fn growth_bytes(&self) -> i64 {
        let at = |index: usize| self.rss_bytes.get(index).copied().unwrap_or(0).cast_signed();
        at(self.rss_bytes.len().saturating_sub(1)) - at(1)
    }
}

/// Soaks the last of the measured targets: the gateway, unless it was left out.
pub(crate) async fn soak(arguments: &Arguments, targets: &Targets, requests: u64) -> Result<Soak> {
    let target = targets.measured.last().context("--soak: there is no target")?;
    let plan = Plan {
        address: target.address,
        request: Scenario::Chat.request(&targets.key),
        connections: arguments.connections,
        bound: Bound::requests(requests / SOAK_SLICES),
        least_events: 0,
    };
    let mut soak = Soak { target: target.name, requests, rss_bytes: Vec::new(), failures: 0 };
    soak.rss_bytes.push(of_tree(target.process)?.rss_bytes);
    for slice in 1..=SOAK_SLICES {
        let seen = drive(&plan).await?;
        tell_failure(target, &seen);
        soak.failures += seen.failures;
        soak.rss_bytes.push(of_tree(target.process)?.rss_bytes);
        progress(&format!("soak {slice}/{SOAK_SLICES} {}", target.name));
    }
    Ok(soak)
}

fn tell_failure(target: &Target, seen: &Seen) {
    if let Some(why) = &seen.failure {
        progress(&format!("{}: {} requests failed, the first with: {why}", target.name, seen.failures));
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}
