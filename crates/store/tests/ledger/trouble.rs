//! A disk that fails, a directory that is taken: said clearly, and nothing is lost.

use std::fs;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;
use tollgate_store::ledger::{Ledger, OpenError, Options};

use crate::charges::{PATIENCE, assert_calls, charge};

#[test]
fn a_failing_disk_is_a_state_that_refuses_calls_and_loses_nothing() {
    let parent = TempDir::new().unwrap();
    let (directory, aside) = (parent.path().join("ledger"), parent.path().join("aside"));
    let ledger = Ledger::open(&directory, Options { room_bytes: 5_000, ..Options::default() }).unwrap();
    assert!(ledger.has_room());
    assert_eq!(ledger.state().trouble, None);

    let before = SystemTime::now();
    fs::rename(&directory, &aside).unwrap();
    fs::write(&directory, "not a directory").unwrap();
    (0..100).for_each(|call| ledger.record(&charge(call)));
    let unsaved = ledger.close(Duration::from_millis(100)).unwrap_err();
    assert_eq!(unsaved.charges, 100);
    assert!(unsaved.to_string().contains("directory"), "{unsaved}");
    assert!(!ledger.has_room());
    let state = ledger.state();
    assert_eq!((state.recorded, state.durable), (100, 0));
    let trouble = state.trouble.unwrap();
    assert!(trouble.since >= before && trouble.since <= SystemTime::now());

    // Still failing, since the same moment.
    thread::sleep(Duration::from_millis(100));
    assert_eq!(ledger.state().trouble.unwrap().since, trouble.since);

    fs::remove_file(&directory).unwrap();
    fs::rename(&aside, &directory).unwrap();
    ledger.record(&charge(100));
    ledger.close(PATIENCE).unwrap();
    assert!(ledger.has_room());
    assert_eq!(ledger.state().trouble, None);
    assert_calls(&directory, 0..101);
}

#[test]
fn recording_does_not_wait_for_a_failing_disk() {
    let parent = TempDir::new().unwrap();
    let (directory, aside) = (parent.path().join("ledger"), parent.path().join("aside"));
    let ledger = Ledger::open(&directory, Options { room_bytes: 1, ..Options::default() }).unwrap();
    fs::rename(&directory, &aside).unwrap();
    let start = Instant::now();
    (0..20_000).for_each(|call| ledger.record(&charge(call)));
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(!ledger.has_room());
    fs::rename(&aside, &directory).unwrap();
    drop(ledger);
    assert_calls(&directory, 0..20_000);
}

#[test]
fn a_second_ledger_on_one_directory_is_refused() {
    let directory = TempDir::new().unwrap();
    let ledger = Ledger::open(directory.path(), Options::default()).unwrap();
    let refused = Ledger::open(directory.path(), Options::default()).unwrap_err();
    assert!(matches!(refused, OpenError::InUse(_)));
    assert!(refused.to_string().contains(&*directory.path().to_string_lossy()), "{refused}");
    drop(ledger);
    Ledger::open(directory.path(), Options::default()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_that_names_it() {
    let parent = TempDir::new().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Ledger::open(&file.join("ledger"), Options::default()).unwrap_err();
    assert!(matches!(&error, OpenError::Unusable { .. }), "{error:?}");
    assert!(error.to_string().contains("file/ledger"), "{error}");
}
