//! A phase of load: connections that send one request after another until a bound is reached.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use crate::connection::Connection;

/// After this many failures a connection gives up: the target is broken, not slow.
const MOST_FAILURES: u64 = 20;
/// A reply that takes longer than this ends its phase.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whichever comes first ends the phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) requests: u64,
    pub(crate) time: Duration,
}

impl Bound {
    /// Bounds the memory that latencies take (8 bytes each) when only time does.
    pub(crate) const MOST_REQUESTS: u64 = 20_000_000;

    pub(crate) fn requests(requests: u64) -> Self {
        Self { requests, time: Duration::from_secs(300) }
    }
}

/// What is sent, and what a good reply holds.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) request: Bytes,
    pub(crate) connections: u32,
    pub(crate) bound: Bound,
    /// Fewer SSE events than this are a failure.
    pub(crate) least_events: u64,
}

/// What a phase saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) elapsed: Duration,
    /// Microseconds, sorted; good replies only.
    latencies: Vec<f32>,
    first_bytes: Vec<f32>,
    pub(crate) failures: u64,
    /// Why the first failure failed.
    pub(crate) failure: Option<String>,
}

impl Seen {
    pub(crate) fn replies(&self) -> u64 {
        self.latencies.len() as u64
    }

    /// Microseconds to the end of the reply; `share` is 0.5 for the median.
    pub(crate) fn latency(&self, share: f64) -> f64 {
        quantile(&self.latencies, share)
    }

    /// Microseconds to the first byte of the body.
    pub(crate) fn first_byte(&self, share: f64) -> f64 {
        quantile(&self.first_bytes, share)
    }

    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.first_bytes.extend(other.first_bytes);
        self.failures += other.failures;
        self.failure = self.failure.take().or(other.failure);
    }
}

/// Sends the load and waits for its end.
///
/// # Errors
/// When not a single good reply came.
pub(crate) async fn drive(plan: &Plan) -> Result<Seen> {
    let tickets = Arc::new(AtomicU64::new(plan.bound.requests));
    let start = Instant::now();
    let mut connections = JoinSet::new();
    for _ in 0..plan.connections {
        connections.spawn(work(plan.clone(), Arc::clone(&tickets), start + plan.bound.time));
    }
    let mut seen = Seen::default();
    while let Some(finished) = connections.join_next().await {
        seen.add(finished?);
    }
    seen.elapsed = start.elapsed();
    if seen.latencies.is_empty() {
        bail!("no reply from {}: {}", plan.address, seen.failure.unwrap_or_default());
    }
    seen.latencies.sort_unstable_by(f32::total_cmp);
    seen.first_bytes.sort_unstable_by(f32::total_cmp);
    Ok(seen)
}

async fn work(plan: Plan, tickets: Arc<AtomicU64>, end: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut connection = Connection::new(plan.address);
    let patience = (end + PATIENCE).into();
    let take = |left: u64| left.checked_sub(1);
    while tickets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() && Instant::now() < end {
        let reply = match timeout_at(patience, connection.exchange(&plan.request)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(broken)) => {
                if fail(&mut seen, broken.to_string()) {
                    break;
                } else {
                    continue;
                }
            }
            Err(_) => {
                fail(&mut seen, format!("no reply within {PATIENCE:?}"));
                break;
            }
        };
        if reply.status != 200 || reply.events < plan.least_events {
            let what = format!("status {} with {} events", reply.status, reply.events);
            if fail(&mut seen, what) { break } else { continue }
        }
        seen.latencies.push(microseconds(reply.total));
        seen.first_bytes.push(microseconds(reply.first_byte));
    }
    seen
}

/// Notes a failure; true when it is one too many.
fn fail(seen: &mut Seen, what: String) -> bool {
    seen.failures += 1;
    seen.failure.get_or_insert(what);
    seen.failures >= MOST_FAILURES
}

fn microseconds(time: Duration) -> f32 {
    time.as_secs_f32() * 1e6
}

/// The value below which that share of the sorted values lies; 0 for none.
fn quantile(sorted: &[f32], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into the slice it was made from"
    )]
    let index = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(index).copied().map_or(0.0, f64::from)
}
