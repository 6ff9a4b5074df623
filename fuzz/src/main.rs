//! The command line: which targets, for how long, and what to do with an input that fails.
//!
//! Not here: what must hold, see [`tollgate_fuzz::targets`].
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use tollgate_fuzz::engine::{self, Bound, Input, Tally};
use tollgate_fuzz::targets::{self, Target};

/// Feed bytes that nobody meant to send to everything that reads bytes.
#[derive(Debug, Parser)]
#[command(name = "tollgate-fuzz", version)]
struct Arguments {
    /// Seconds in all, shared among the targets
    #[arg(long, default_value_t = 60)]
    seconds: u64,

    /// Which targets: `all`, or the beginning of names
    #[arg(long, default_value = "all", value_name = "NAME")]
    target: String,

    /// The same numbers lead to the same inputs
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Where inputs that fail are written
    #[arg(long, default_value = "fuzz-failures", value_name = "DIRECTORY")]
    failures: PathBuf,

    /// Read one file with the targets instead
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,

    /// The seed whose request a replayed reply answers
    #[arg(long, default_value_t = 0, requires = "replay")]
    replay_seed: usize,
}

/// An input that takes longer fails.
const LONGEST: Duration = Duration::from_secs(5);

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let chosen = |target: &Target| arguments.target == "all" || target.name.starts_with(&arguments.target);
    let targets: Vec<Target> = targets::all()?.into_iter().filter(chosen).collect();
    ensure!(!targets.is_empty(), "no target begins with {:?}", arguments.target);
    if let Some(file) = &arguments.replay {
        let bytes = fs::read(file).with_context(|| file.display().to_string())?;
        let input = Input { seed: arguments.replay_seed, bytes };
        for target in &targets {
            let judged = engine::judged(target, &input, LONGEST, &mut Tally::default());
            println!("{}: {}", target.name, judged.map_or_else(|what| what, |_| "holds".to_owned()));
        }
        return Ok(());
    }
    let mut failed = 0;
    let share = Duration::from_secs(arguments.seconds) / u32::try_from(targets.len())?;
    for target in &targets {
        failed += u32::from(!feed(target, share, &arguments)?);
    }
    if failed > 0 {
        bail!("{failed} targets failed");
    }
    Ok(())
}

/// Whether all that `target` read held.
fn feed(target: &Target, share: Duration, arguments: &Arguments) -> Result<bool> {
    let current: Arc<Mutex<(Option<Instant>, Input)>> =
        Arc::new(Mutex::new((None, Input { seed: 0, bytes: Vec::new() })));
    let end = Instant::now() + share;
    watch(Arc::clone(&current), arguments.failures.clone(), end + LONGEST);
    let result = engine::run(target, arguments.seed, Bound::Until(end), LONGEST, |input| {
        *current.lock().unwrap_or_else(PoisonError::into_inner) = (Some(Instant::now()), input.clone());
    });
    *current.lock().unwrap_or_else(PoisonError::into_inner) = (None, Input { seed: 0, bytes: Vec::new() });
    match result {
        Ok(Tally { inputs, kinds, slowest, most_memory }) => {
            println!(
                "{:24} {inputs:9} inputs, {kinds:6} kinds of outcome, slowest {slowest:.1?}, at most {} KiB",
                target.name,
                most_memory >> 10
            );
            Ok(true)
        }
        Err(failure) => {
            fs::create_dir_all(&arguments.failures)?;
            let file = arguments.failures.join(format!("{}-{}", target.name, failure.input.seed));
            fs::write(&file, &failure.input.bytes)?;
            println!("{:24} FAILED, see {}: {}", target.name, file.display(), failure.what);
            Ok(false)
        }
    }
}

/// Ends the process when an input takes far too long, which the loop itself would never notice.
fn watch(current: Arc<Mutex<(Option<Instant>, Input)>>, failures: PathBuf, until: Instant) {
    thread::spawn(move || {
        while Instant::now() < until + LONGEST {
            thread::sleep(Duration::from_millis(500));
            let (begun, input) = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if begun.is_some_and(|begun| begun.elapsed() > 4 * LONGEST) {
                let file = failures.join("endless");
                let written = fs::create_dir_all(&failures).and_then(|()| fs::write(&file, &input.bytes));
                eprintln!("an input of seed {} does not end: {} {written:?}", input.seed, file.display());
                process::abort();
            }
        }
    });
}
