//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use serde::Serialize;

use crate::load::Bound;
use crate::scenario::Scenario;

/// Measure the gateway next to nginx and next to no proxy at all.
#[derive(Debug, Parser, Serialize)]
#[command(name = "tollgate-bench", version)]
pub(crate) struct Arguments {
    /// The gateway's binary [default: <target-directory>/release/tollgate]
    #[arg(long, value_name = "FILE")]
    gateway: Option<PathBuf>,

    /// Where cargo puts what it builds
    #[arg(long, env = "CARGO_TARGET_DIR", default_value = "target", value_name = "DIRECTORY")]
    target_directory: PathBuf,

    /// What to measure
    #[arg(long, value_delimiter = ',', default_values_t = TargetName::ALL, value_name = "NAME,…")]
    pub(crate) targets: Vec<TargetName>,

    /// With which requests
    #[arg(long, value_delimiter = ',', default_values_t = Scenario::ALL, value_name = "NAME,…")]
    pub(crate) scenarios: Vec<Scenario>,

    /// Rounds; in each, every target takes its turn at every scenario
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,

    /// Connections of the saturated phase, each with one request at a time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) connections: u32,

    /// Requests of one saturated phase, instead of each scenario's own number
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=5_000_000))]
    requests: Option<u64>,

    /// Seconds of one saturated phase, instead of a number of requests
    #[arg(long, conflicts_with = "requests", value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: Option<u64>,

    /// Threads of the client
    #[arg(long, default_value_t = 1)]
    pub(crate) client_threads: usize,

    /// Threads of the fake provider
    #[arg(long, default_value_t = 2)]
    pub(crate) upstream_threads: usize,

    /// Call with a generated key that has models, a budget and limits, instead of the master key
    #[arg(long)]
    pub(crate) virtual_key: bool,

    /// Afterwards, send this many chat requests to one target and watch its memory
    #[arg(long, value_name = "REQUESTS", value_parser = clap::value_parser!(u64).range(10..=50_000_000))]
    pub(crate) soak: Option<u64>,

    /// Write settings, samples and summary to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Be the fake provider, with this many threads
    #[arg(long, hide = true)]
    pub(crate) serve_upstream: Option<usize>,

    /// Be the forwarder, to this address
    #[arg(long, hide = true)]
    pub(crate) serve_forwarder: Option<SocketAddr>,
}

impl Arguments {
    pub(crate) fn gateway(&self) -> PathBuf {
        self.gateway.clone().unwrap_or_else(|| self.target_directory.join("release").join("tollgate"))
    }

    pub(crate) fn bound(&self, scenario: Scenario) -> Bound {
        match self.seconds {
            Some(seconds) => Bound { requests: Bound::MOST_REQUESTS, time: Duration::from_secs(seconds) },
            None => Bound::requests(self.requests.unwrap_or_else(|| scenario.requests())),
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TargetName {
    /// The fake provider itself; its CPU time is the upstream's.
    Direct,
    Nginx,
    /// A bare forwarder made of hyper, see [`crate::forwarder`].
    Hyper,
    Gateway,
}

impl TargetName {
    pub(crate) const ALL: [Self; 4] = [Self::Direct, Self::Nginx, Self::Hyper, Self::Gateway];
}

impl std::fmt::Display for TargetName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Hyper => "hyper",
            Self::Gateway => "gateway",
        })
    }
}
