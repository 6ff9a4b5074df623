//! Processes: one that is killed under load, and two that want the same directory. The other process is this
//! test program, started with the name of one ignored test and told on its standard input where to write.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use tollgate_store::ledger::{Ledger, Options, Sync};

use crate::charges::{all, assert_calls, charge};

const RECORDED: &str = "recorded: ";
/// What a process that dies has recorded.
const CALLS: usize = 100;
const REFUSED: &str = "refused: ";

/// Starts the ignored test `name` in a process of its own.
fn start(name: &str, directory: &Path) -> Child {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", directory.display()).unwrap();
    child
}

fn told() -> String {
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    line.trim().to_owned()
}

#[test]
#[ignore = "the process that is killed"]
fn records_until_killed() {
    let directory = told();
    let options = Options {
        sync: Sync::Group(Duration::from_millis(2)),
        segment_bytes: 64 << 10,
        ..Options::default()
    };
    let ledger = Ledger::open(Path::new(&directory), options).unwrap();
    let first = all(Path::new(&directory)).0.len();
    for call in first.. {
        ledger.record(&charge(call));
        if call % 64 == 0 {
            println!("{RECORDED}{}", call + 1);
            thread::sleep(Duration::from_micros(500));
        }
    }
}

#[test]
fn a_killed_process_loses_no_charge_that_was_recorded() {
    let directory = TempDir::new().unwrap();
    let mut kept = 0;
    for round in 0..8 {
        let mut child = start("kill::records_until_killed", directory.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut recorded = 0;
        let mut promises = 0;
        for line in lines {
            // The first line also has the words of the test runner.
            let line = line.unwrap();
            let Some((_, count)) = line.split_once(RECORDED) else { continue };
            recorded = count.parse().unwrap();
            promises += 1;
            if promises > 40 + 13 * round && recorded > kept + 100 {
                child.kill().unwrap();
                break;
            }
        }
        child.wait().unwrap();
        assert!(recorded > kept, "round {round} wrote nothing");

        drop(Ledger::open(directory.path(), Options::default()).unwrap());
        let (charges, errors) = all(directory.path());
        assert!(errors.is_empty(), "{errors:?}");
        assert!(charges.len() >= recorded, "{} charges of {recorded} recorded ones", charges.len());
        for (call, found) in charges.iter().enumerate() {
            assert_eq!(*found, charge(call));
        }
        kept = charges.len();
    }
}

#[test]
#[ignore = "the process that dies"]
fn records_and_dies() {
    let directory = told();
    let never = Sync::Group(Duration::from_secs(3600));
    let options = Options { sync: never, segment_bytes: 8 << 10, ..Options::default() };
    let ledger = Ledger::open(Path::new(&directory), options).unwrap();
    let first = all(Path::new(&directory)).0.len();
    // Some of them in segments that readers do not see yet.
    (first..first + CALLS).for_each(|call| ledger.record(&charge(call)));
    // No destructor runs and no thread goes on.
    std::process::abort();
}

#[test]
fn a_process_that_dies_right_after_recording_loses_nothing_though_nothing_was_synced() {
    let directory = TempDir::new().unwrap();
    for round in 1..=3 {
        assert!(!start("kill::records_and_dies", directory.path()).wait().unwrap().success());
        drop(Ledger::open(directory.path(), Options::default()).unwrap());
        assert_calls(directory.path(), 0..round * CALLS);
    }
}

#[test]
#[ignore = "the process that comes second"]
fn comes_second() {
    let directory = told();
    match Ledger::open(Path::new(&directory), Options::default()) {
        Ok(_) => println!("opened"),
        Err(error) => println!("{REFUSED}{error}"),
    }
}

#[test]
fn a_second_process_is_refused() {
    let directory = TempDir::new().unwrap();
    let second = || {
        let output = start("kill::comes_second", directory.path()).wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let first = Ledger::open(directory.path(), Options::default()).unwrap();
    let words = second();
    assert!(words.contains(REFUSED) && words.contains("in use by another process"), "{words}");
    drop(first);
    assert!(second().contains("opened"));
}
