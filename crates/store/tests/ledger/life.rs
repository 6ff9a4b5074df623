//! Ordinary life: many writers, a reader that follows, deletion of what was applied, what it costs.

use std::collections::HashSet;
use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tollgate_store::ledger::{Ledger, Options, Position, Sync, read};

use crate::charges::{PATIENCE, all, assert_calls, charge, quick_directory, segments, write};

const SYNCS: [Sync; 3] = [Sync::Group(Duration::from_millis(5)), Sync::Each, Sync::Os];

#[test]
fn what_is_recorded_is_read_in_order_and_whole() {
    for sync in SYNCS {
        let directory = TempDir::new().unwrap();
        write(directory.path(), Options { sync, ..Options::default() }, 0..1000);
        assert_calls(directory.path(), 0..1000);
    }
}

#[test]
fn charges_become_durable_without_being_asked_for() {
    for sync in SYNCS {
        let directory = TempDir::new().unwrap();
        let ledger = Ledger::open(directory.path(), Options { sync, ..Options::default() }).unwrap();
        ledger.record(&charge(0));
        let start = Instant::now();
        while ledger.state().durable < 1 {
            assert!(start.elapsed() < PATIENCE, "{sync:?}: {:?}", ledger.state());
            thread::sleep(Duration::from_millis(1));
        }
        assert_calls(directory.path(), 0..1);
    }
}

#[test]
fn what_is_recorded_can_be_read_at_once() {
    let directory = quick_directory();
    let options = Options { sync: Sync::Group(Duration::from_secs(3600)), ..Options::default() };
    let ledger = Ledger::open(directory.path(), options).unwrap();
    for call in 0..50 {
        ledger.record(&charge(call));
        assert_calls(directory.path(), 0..=call);
    }
    assert_eq!(ledger.state().durable, 0);
}

#[test]
fn dropping_a_ledger_writes_what_is_queued() {
    let directory = quick_directory();
    let ledger = Ledger::open(directory.path(), Options::default()).unwrap();
    ledger.close(PATIENCE).unwrap();
    (0..50).for_each(|call| ledger.record(&charge(call)));
    drop(ledger);
    assert_calls(directory.path(), 0..50);
}

#[test]
fn a_ledger_is_continued_where_it_ended() {
    let directory = quick_directory();
    let path = directory.path().join("made/on/demand");
    for round in 0..5 {
        write(&path, Options::default(), round * 10..round * 10 + 10);
    }
    assert_calls(&path, 0..50);
}

#[test]
fn segments_are_bounded() {
    let directory = quick_directory();
    let options = Options { segment_bytes: 4096, sync: Sync::Os, ..Options::default() };
    write(directory.path(), options, 0..200);
    assert_calls(directory.path(), 0..200);
    let sizes: Vec<_> =
        segments(directory.path()).iter().map(|path| fs::metadata(path).unwrap().len()).collect();
    assert!(sizes.len() >= 10 && sizes.iter().all(|&size| size <= 4096), "{sizes:?}");
}

#[test]
fn a_record_larger_than_a_segment_is_kept() {
    let directory = quick_directory();
    write(directory.path(), Options { segment_bytes: 1, ..Options::default() }, 0..5);
    assert_calls(directory.path(), 0..5);
    assert_eq!(segments(directory.path()).len(), 5);
}

#[test]
fn a_reader_that_follows_many_writers_sees_each_charge_once() {
    const THREADS: usize = 4;
    const EACH: usize = 1500;
    let directory = quick_directory();
    let options = Options {
        sync: Sync::Group(Duration::from_millis(2)),
        segment_bytes: 32 << 10,
        ..Options::default()
    };
    let ledger = Ledger::open(directory.path(), options).unwrap();
    let mut seen = Vec::new();
    let mut position = Position::default();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let ledger = &ledger;
            scope.spawn(move || {
                for call in 0..EACH {
                    ledger.record(&charge(thread * EACH + call));
                    if call % 100 == 0 {
                        thread::sleep(Duration::from_millis(1));
                    }
                }
            });
        }
        let start = Instant::now();
        while seen.len() < THREADS * EACH {
            assert!(start.elapsed() < PATIENCE, "{} charges seen", seen.len());
            // A new reader each time, as after a restart; it stops in the middle as a batch does.
            let mut charges = read(directory.path(), position);
            seen.extend(charges.by_ref().take(777).map(|charge| charge.unwrap().call.into_owned()));
            position = charges.position();
        }
    });

    assert_eq!(read(directory.path(), position).count(), 0);
    for thread in 0..THREADS {
        let of_thread: HashSet<_> =
            (thread * EACH..(thread + 1) * EACH).map(|call| charge(call).call.into_owned()).collect();
        assert_eq!(seen.iter().filter(|call| of_thread.contains(*call)).count(), EACH);
    }
    let in_log: Vec<_> = all(directory.path()).0.into_iter().map(|charge| charge.call.into_owned()).collect();
    assert_eq!(seen, in_log);
}

#[test]
fn applied_segments_are_forgotten_and_no_others() {
    let directory = quick_directory();
    let options = Options { segment_bytes: 2048, ..Options::default() };
    let ledger = Ledger::open(directory.path(), options).unwrap();
    (0..100).for_each(|call| ledger.record(&charge(call)));
    ledger.close(PATIENCE).unwrap();

    let mut charges = read(directory.path(), Position::default());
    let applied = charges.by_ref().take(50).count();
    let before = segments(directory.path()).len();
    let forgotten = ledger.forget(charges.position()).unwrap();
    assert!(forgotten > 0);
    assert_eq!(segments(directory.path()).len(), before - forgotten);
    let rest: Vec<_> = read(directory.path(), charges.position()).map(Result::unwrap).collect();
    assert_eq!(rest, (applied..100).map(charge).collect::<Vec<_>>());

    assert_eq!(ledger.forget(Position { segment: u64::MAX, offset: 0 }).unwrap(), before - forgotten - 1);
    ledger.record(&charge(100));
    ledger.close(PATIENCE).unwrap();
    assert_eq!(all(directory.path()).0.last(), Some(&charge(100)));
}

#[test]
fn a_reader_that_got_further_than_the_disk_misses_no_later_charge() {
    let directory = quick_directory();
    write(directory.path(), Options::default(), 0..10);
    let mut charges = read(directory.path(), Position::default());
    assert_eq!(charges.by_ref().count(), 10);

    // The machine died before the last records reached the disk.
    let segment = fs::OpenOptions::new().write(true).open(&segments(directory.path())[0]).unwrap();
    segment.set_len(500).unwrap();
    write(directory.path(), Options::default(), 10..14);
    let later: Vec<_> = read(directory.path(), charges.position()).map(Result::unwrap).collect();
    assert_eq!(later, (10..14).map(charge).collect::<Vec<_>>());
}

#[test]
fn a_lost_directory_does_not_bring_old_positions_back() {
    let directory = quick_directory();
    write(directory.path(), Options::default(), 0..10);
    let mut charges = read(directory.path(), Position::default());
    assert_eq!(charges.by_ref().count(), 10);

    fs::remove_dir_all(directory.path()).unwrap();
    // No restart is quicker; within one millisecond the numbers could meet.
    thread::sleep(Duration::from_millis(2));
    write(directory.path(), Options::default(), 0..3);
    assert_eq!(read(directory.path(), charges.position()).count(), 3);
}

#[cfg(unix)]
#[test]
fn charges_are_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = quick_directory();
    write(directory.path(), Options::default(), 0..1);
    let mode = fs::metadata(&segments(directory.path())[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
#[ignore = "prints what recording costs; run it with --release --nocapture"]
fn cost_of_recording() {
    const ROUNDS: u32 = 200;
    const CALLS: u32 = 100;
    let example = charge(1);
    for threads in [1, 2, 4] {
        let directory = TempDir::new().unwrap();
        let ledger = Ledger::open(directory.path(), Options::default()).unwrap();
        // Bursts with rests between them, as under a load that a gateway can carry.
        let burst = || {
            let start = Instant::now();
            (0..CALLS).for_each(|_| ledger.record(black_box(&example)));
            let took = start.elapsed();
            thread::sleep(Duration::from_millis(2));
            took
        };
        let took: Duration = thread::scope(|scope| {
            let bursts = || (0..ROUNDS).map(|_| burst()).sum::<Duration>();
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(bursts)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        ledger.close(PATIENCE).unwrap();
        println!("{threads} threads: {} ns a record", (took / (threads * ROUNDS * CALLS)).as_nanos());
    }
}
