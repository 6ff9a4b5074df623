//! `tollgate-bench`: what a call costs in the gateway, next to nginx and next to no proxy at all, measured
//! side by side in the same minutes on the same machine.
//!
//! - [`arguments`]: the command line
//! - [`scenario`]: the requests
//! - [`target`]: the processes: the fake provider, nginx, the bare forwarder, the gateway
//! - [`forwarder`]: the bare forwarder
//! - [`connection`], [`load`]: the client
//! - [`usage`]: CPU time and memory of a process tree
//! - [`rounds`]: the order of measuring, and the soak
//! - [`report`]: the table and the JSON file
//!
//! Not here: micro-benchmarks of code, and any judgement. The figures and what they mean are in
//! `docs/performance.md`.

mod arguments;
mod connection;
mod forwarder;
mod load;
mod report;
mod rounds;
mod scenario;
mod target;
mod usage;

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result, ensure};
use clap::Parser;

use arguments::Arguments;
use report::Report;
use target::Targets;

/// The gateway's, for the forwarder.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(workers) = arguments.serve_upstream {
        return serve_upstream(workers);
    }
    if let Some(upstream) = arguments.serve_forwarder {
        return forwarder::serve(announced()?, upstream);
    }
    // The client shares the machine with what it measures; one thread saturates two cores' worth of proxy.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.client_threads)
        .enable_all()
        .build()?;
    let targets = Targets::start(&arguments)?;
    let samples = runtime.block_on(rounds::measure(&arguments, &targets))?;
    let soak = match arguments.soak {
        Some(requests) => Some(runtime.block_on(rounds::soak(&arguments, &targets, requests))?),
        None => None,
    };
    let report = Report::new(&arguments, samples, soak);
    writeln!(std::io::stdout().lock(), "{report}")?;
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, text).with_context(|| format!("--json {}", path.display()))?;
    }
    let errors = report.errors();
    ensure!(errors == 0, "{errors} requests failed: the figures above are not valid");
    Ok(())
}

/// This binary is its own upstream and forwarder, in processes of their own so that their time is not the
/// client's.
fn serve_upstream(workers: usize) -> Result<()> {
    Ok(testkit::serve(announced()?, workers)?)
}

/// A socket on a free port, which is said on standard output.
fn announced() -> Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    writeln!(std::io::stdout().lock(), "{}", listener.local_addr()?)?;
    Ok(listener)
}
