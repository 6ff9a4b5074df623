//! What was measured, for people and for machines. A summary is the median over the rounds; differences
//! and ratios are taken inside a round first, because rounds differ more than targets do.

use std::fmt::{self, Display, Formatter};
use std::io::Write;

use serde::Serialize;

use crate::arguments::{Arguments, TargetName};
use crate::rounds::{Sample, Soak};
use crate::scenario::Scenario;

/// Everything, as `--json` writes it.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    machine: Machine,
    arguments: &'a Arguments,
    summary: Vec<Row>,
    soak: Option<Soak>,
    samples: Vec<Sample>,
}

#[derive(Debug, Serialize)]
struct Machine {
    cpus: usize,
    cpu_model: String,
    kernel: String,
}

/// Medians of one target at one scenario. Times are microseconds.
#[derive(Debug, Serialize)]
struct Row {
    scenario: Scenario,
    target: TargetName,
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    cpu_us_per_request: f64,
    cpu_us_per_chunk: Option<f64>,
    /// CPU per request over nginx's in the same round.
    cpu_to_nginx: Option<f64>,
    alone_p50_us: f64,
    /// Over `direct` in the same round, one connection.
    added_p50_us: Option<f64>,
    added_p99_us: Option<f64>,
    alone_first_byte_us: f64,
    rss_before_bytes: u64,
    rss_after_bytes: u64,
    failures: u64,
}

impl<'a> Report<'a> {
    pub(crate) fn new(arguments: &'a Arguments, samples: Vec<Sample>, soak: Option<Soak>) -> Self {
        let mut summary: Vec<Row> = Vec::new();
        for sample in &samples {
            let known =
                summary.iter().any(|row| (row.scenario, row.target) == (sample.scenario, sample.target));
            if !known {
                summary.push(Row::new(&samples, sample.scenario, sample.target));
            }
        }
        Self { machine: Machine::here(), arguments, summary, soak, samples }
    }

    /// Requests without a good reply.
    pub(crate) fn errors(&self) -> u64 {
        let soaked = self.soak.as_ref().map_or(0, |soak| soak.failures);
        soaked + self.samples.iter().map(|sample| sample.failures).sum::<u64>()
    }
}

impl Machine {
    fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let model = read("/proc/cpuinfo").lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == "model name").then(|| value.trim().to_owned())
        });
        Self {
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            cpu_model: model.unwrap_or_default(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

impl Row {
    fn new(samples: &[Sample], scenario: Scenario, target: TargetName) -> Self {
        let own = || samples.iter().filter(move |one| one.scenario == scenario && one.target == target);
        let median_of = |value: fn(&Sample) -> f64| median(own().map(value).collect()).unwrap_or_default();
        // Each own sample with that of `other` in the same round.
        let beside = |other: TargetName, value: fn(&Sample, &Sample) -> f64| {
            let pair = |one: &Sample| {
                let same =
                    |peer: &&Sample| (peer.round, peer.scenario, peer.target) == (one.round, scenario, other);
                samples.iter().find(same).map(|peer| value(one, peer))
            };
            (target != other).then(|| median(own().filter_map(pair).collect())).flatten()
        };
        let chunk = own().filter_map(|one| one.cpu_us_per_chunk).collect();
        let proxy = target != TargetName::Direct;
        // A paced reply's length is a sum of timers: what a proxy adds drowns in it, except at the first byte.
        let added = |value: fn(&Sample, &Sample) -> f64| {
            beside(TargetName::Direct, value).filter(|_| scenario != Scenario::Paced)
        };
        Self {
            scenario,
            target,
            requests_per_second: median_of(|one| one.requests_per_second),
            p50_us: median_of(|one| one.p50_us),
            p99_us: median_of(|one| one.p99_us),
            cpu_us_per_request: median_of(|one| one.cpu_us_per_request),
            cpu_us_per_chunk: median(chunk),
            // The upstream's own time over nginx's would be a figure about nothing.
            cpu_to_nginx: beside(TargetName::Nginx, |one, nginx| {
                one.cpu_us_per_request / nginx.cpu_us_per_request
            })
            .filter(|_| proxy),
            alone_p50_us: median_of(|one| one.alone_p50_us),
            added_p50_us: added(|one, direct| one.alone_p50_us - direct.alone_p50_us),
            added_p99_us: added(|one, direct| one.alone_p99_us - direct.alone_p99_us),
            alone_first_byte_us: median_of(|one| one.alone_first_byte_us),
            rss_before_bytes: own().map(|one| one.rss_before_bytes).min().unwrap_or_default(),
            rss_after_bytes: own().map(|one| one.rss_after_bytes).max().unwrap_or_default(),
            failures: own().map(|one| one.failures).sum(),
        }
    }
}

impl Display for Report<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Machine { cpus, cpu_model, kernel } = &self.machine;
        writeln!(formatter, "\n{cpus} CPUs, {cpu_model}, Linux {kernel}")?;
        writeln!(
            formatter,
            "{} rounds (medians), {} connections when saturated; added, first byte: one connection; \
             CPU of `direct` is the upstream's own\n",
            self.arguments.rounds, self.arguments.connections
        )?;
        writeln!(
            formatter,
            "{:<8} {:<8} {:>10} {:>9} {:>9} {:>10} {:>10} {:>8} {:>10} {:>10} {:>11} {:>13} {:>8}",
            "scenario",
            "target",
            "requests/s",
            "p50 µs",
            "p99 µs",
            "CPU-µs/req",
            "CPU-µs/chk",
            "to nginx",
            "added p50",
            "added p99",
            "first byte",
            "RSS MB",
            "failures"
        )?;
        for row in &self.summary {
            writeln!(formatter, "{row}")?;
        }
        self.soak.as_ref().map_or(Ok(()), |soak| write!(formatter, "\n{soak}"))
    }
}

impl Display for Row {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let or_dash = |value: Option<f64>, decimals: usize| {
            value.map_or("–".to_owned(), |v| format!("{v:.decimals$}"))
        };
        write!(
            formatter,
            "{:<8} {:<8} {:>10.0} {:>9.0} {:>9.0} {:>10.1} {:>10} {:>8} {:>10} {:>10} {:>11.0} {:>13} {:>8}",
            self.scenario,
            self.target,
            self.requests_per_second,
            self.p50_us,
            self.p99_us,
            self.cpu_us_per_request,
            or_dash(self.cpu_us_per_chunk, 2),
            or_dash(self.cpu_to_nginx, 2),
            or_dash(self.added_p50_us, 0),
            or_dash(self.added_p99_us, 0),
            self.alone_first_byte_us,
            format!("{} → {}", megabytes(self.rss_before_bytes), megabytes(self.rss_after_bytes)),
            self.failures,
        )
    }
}

impl Display for Soak {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.rss_bytes.iter().map(|bytes| megabytes(*bytes)).collect();
        write!(
            formatter,
            "soak: {} chat requests to {}: RSS MB {}; grown by {} KB since the first tenth",
            self.requests,
            self.target,
            steps.join(" "),
            self.growth_bytes() / 1024
        )
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    values.get(middle - 1).map(|lower| f64::midpoint(*lower, upper))
}

/// Tells the person who waits what is going on; the result goes to stdout.
pub(crate) fn progress(line: &str) {
    // Without a terminal to write to, the measuring goes on.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
