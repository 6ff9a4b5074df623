//! Charges to record and ways to look at them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use policy::money::Cost;
use tempfile::TempDir;
use tollgate_store::ledger::{Charge, Ending, Ledger, Options, Position, ReadError, read};
use wire::reply::Usage;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A charge as long as real ones, different for each `call`.
pub(crate) fn charge(call: usize) -> Charge<'static> {
    Charge {
        call: format!("0199a1b2-{call:08x}-7c3d-8e4f-5a6b7c8d9e0f").into(),
        ended_unix_ms: 1_790_000_000_000 + call as u64,
        model_group: "gpt-5.2".into(),
        deployment: "6a5b4c3d2e1f00112233445566778899".into(),
        provider: "openai".into(),
        upstream_model: "gpt-5.2-2026-08-01".into(),
        operation: "chat".into(),
        caller: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        usage: Some(Usage { input: 1200 + call as u64, output: 350, cache_read: 1024, ..Usage::default() }),
        cost: Some(Cost::from_nano(4_200_000)),
        ending: Ending::Complete,
        duration_ms: 2_345,
        retries: 0,
        ..Charge::default()
    }
}

/// A directory in memory where there is one, for tests that open ledgers by the thousand: syncs are slow.
pub(crate) fn quick_directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

/// Records `calls` in a ledger of its own.
pub(crate) fn write(directory: &Path, options: Options, calls: std::ops::Range<usize>) {
    let ledger = Ledger::open(directory, options).unwrap();
    for call in calls {
        ledger.record(&charge(call));
    }
    ledger.close(PATIENCE).unwrap();
}

/// Everything in the log, and everything that is wrong with it.
pub(crate) fn all(directory: &Path) -> (Vec<Charge<'static>>, Vec<ReadError>) {
    let mut charges = Vec::new();
    let mut errors = Vec::new();
    for charge in read(directory, Position::default()) {
        match charge {
            Ok(charge) => charges.push(charge),
            Err(error) => errors.push(error),
        }
    }
    (charges, errors)
}

/// Asserts that exactly `calls` are in the log, and nothing wrong.
#[track_caller]
pub(crate) fn assert_calls(directory: &Path, calls: impl IntoIterator<Item = usize>) {
    let (charges, errors) = all(directory);
    let expected: Vec<_> = calls.into_iter().map(charge).collect();
    let names =
        |charges: &[Charge<'_>]| charges.iter().map(|it| it.call[9..17].to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&charges), names(&expected));
    assert_eq!(charges, expected);
    assert!(errors.is_empty(), "{errors:?}");
}

/// The segments, oldest first.
pub(crate) fn segments(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "charges"))
        .collect();
    paths.sort();
    paths
}

/// The offsets at which the records of a sound segment end.
pub(crate) fn ends(segment: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(length) = segment[at..].first_chunk() {
        at += 8 + u32::from_le_bytes(*length) as usize;
        ends.push(at);
    }
    ends
}
