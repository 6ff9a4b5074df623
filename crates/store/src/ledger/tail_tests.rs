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

fn calls(directory: &TempDir) -> Vec<String> {
    read(directory.path(), Position::default()).map(|charge| charge.unwrap().call.into_owned()).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_delays_records_and_loses_none() {
    let directory = TempDir::new().unwrap();
    let mut tail = Tail::begin(directory.path(), 7);
    tail.place(record("one"));
    tail.write().unwrap();
    tail.sync().unwrap();
    tail.settle();

    tail.place(record("two"));
    tail.file = Some(OpenOptions::new().write(true).open("/dev/full").unwrap());
    assert_eq!(tail.write().unwrap_err().kind(), io::ErrorKind::StorageFull);
    tail.distrust();
    tail.place(record("three"));

    tail.write().unwrap();
    assert_eq!(tail.settle().0, 2);
    assert_eq!(calls(&directory), ["one", "two", "three"]);
}

#[test]
fn a_half_written_group_is_written_over() {
    let directory = TempDir::new().unwrap();
    let mut tail = Tail::begin(directory.path(), 7);
    tail.place(record("one"));
    tail.place(record("two"));
    let mut file = open(directory.path(), 7).unwrap();
    file.write_all(&tail.bytes[..tail.bytes.len() / 2 + 5]).unwrap();
    assert_eq!(calls(&directory), ["one"]);

    tail.distrust();
    tail.write().unwrap();
    assert_eq!(calls(&directory), ["one", "two"]);
}

#[test]
fn after_a_failed_sync_everything_since_the_last_is_written_again() {
    let directory = TempDir::new().unwrap();
    let mut tail = Tail::begin(directory.path(), 7);
    tail.place(record("one"));
    tail.write().unwrap();
    tail.settle();
    tail.place(record("two"));
    tail.write().unwrap();

    // What a system does that drops the pages it could not write.
    open(directory.path(), 7).unwrap().set_len(tail.start).unwrap();
    assert_eq!(calls(&directory), ["one"]);

    tail.distrust();
    tail.write().unwrap();
    assert_eq!(calls(&directory), ["one", "two"]);
}
