use tempfile::TempDir;

use super::*;
use crate::ledger::{Charge, Ending, Position, read};

fn record(call: &str) -> Vec<u8> {
    frame::unstamped(&Charge {
        call: call.into(),
        ended_unix_ms: 0,
        model_group: "".into(),
        deployment: "".into(),
        provider: "".into(),
        upstream_model: "".into(),
        operation: "".into(),
        caller: "".into(),
        usage: None,
        cost: None,
        ending: Ending::Complete,
        duration_ms: 0,
        retries: 0,
        ..Charge::default()
    })
}

/// Syncs and lets go; how many records that was.
fn settle(tail: &mut Tail) -> u64 {
    let pending = tail.pending().unwrap();
    pending.file.sync_data().unwrap();
    tail.settle(&pending);
    pending.records
}

fn calls(directory: &TempDir) -> Vec<String> {
    read(directory.path(), Position::default()).map(|charge| charge.unwrap().call.into_owned()).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_delays_records_and_loses_none() {
    let directory = TempDir::new().unwrap();
    let mut tail = Tail::begin(directory.path(), 7, false);
    tail.place(record("one"));
    tail.write(usize::MAX).unwrap();
    settle(&mut tail);

    tail.place(record("two"));
    tail.file = Some(Arc::new(OpenOptions::new().write(true).open("/dev/full").unwrap()));
    assert_eq!(tail.write(usize::MAX).unwrap_err().kind(), io::ErrorKind::StorageFull);
    tail.distrust();
    tail.place(record("three"));

    tail.write(usize::MAX).unwrap();
    assert_eq!(settle(&mut tail), 2);
    assert_eq!(calls(&directory), ["one", "two", "three"]);
}

#[test]
fn a_half_written_group_is_written_over() {
    let directory = TempDir::new().unwrap();
    let mut tail = Tail::begin(directory.path(), 7, false);
    tail.place(record("one"));
    tail.place(record("two"));
    let file = open(&tail.path()).unwrap();
    write_at(&file, &tail.bytes[..tail.bytes.len() / 2 + 5], 0).unwrap();
    assert_eq!(calls(&directory), ["one"]);

    tail.distrust();
    tail.write(usize::MAX).unwrap();
    assert_eq!(calls(&directory), ["one", "two"]);
}

#[test]
fn after_a_failed_sync_everything_since_the_last_is_written_again() {
    let directory = TempDir::new().unwrap();
    let mut tail = Tail::begin(directory.path(), 7, false);
    tail.place(record("one"));
    tail.write(usize::MAX).unwrap();
    settle(&mut tail);
    tail.place(record("two"));
    tail.write(usize::MAX).unwrap();

    // What a system does that drops the pages it could not write.
    open(&tail.path()).unwrap().set_len(tail.start).unwrap();
    assert_eq!(calls(&directory), ["one"]);

    tail.distrust();
    tail.write(usize::MAX).unwrap();
    assert_eq!(calls(&directory), ["one", "two"]);
}

#[test]
fn what_is_written_during_a_sync_waits_for_the_next() {
    let directory = TempDir::new().unwrap();
    let mut tail = Tail::begin(directory.path(), 7, false);
    tail.place(record("one"));
    tail.write(usize::MAX).unwrap();
    let pending = tail.pending().unwrap();
    tail.place(record("two"));
    tail.write(usize::MAX).unwrap();
    tail.settle(&pending);
    assert!(!tail.is_durable());
    assert_eq!(settle(&mut tail), 1);
    assert!(tail.is_durable());
    assert_eq!(calls(&directory), ["one", "two"]);
}

#[test]
fn a_hidden_segment_is_read_when_it_is_shown() {
    let directory = TempDir::new().unwrap();
    let mut tail = Tail::begin(directory.path(), 7, true);
    tail.place(record("one"));
    tail.write(usize::MAX).unwrap();
    assert!(calls(&directory).is_empty());
    tail.show().unwrap();
    tail.place(record("two"));
    tail.write(usize::MAX).unwrap();
    assert_eq!(calls(&directory), ["one", "two"]);
}
