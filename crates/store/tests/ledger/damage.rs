//! Cuts, flips and garbage: the reader yields what is sound, says what is not, and invents nothing.

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use tollgate_store::ledger::{Ledger, Options, Position, ReadError, Sync};

use crate::charges::{PATIENCE, all, assert_calls, charge, ends, quick_directory, segments, write};

const CALLS: usize = 6;

fn options() -> Options {
    Options { sync: Sync::Os, ..Options::default() }
}

#[test]
fn a_segment_cut_at_any_byte_recovers_to_the_whole_records_before() {
    let directory = quick_directory();
    write(directory.path(), options(), 0..CALLS);
    let segment = segments(directory.path()).remove(0);
    let bytes = fs::read(&segment).unwrap();
    let ends = ends(&bytes);
    assert_eq!(ends.len(), CALLS);

    for length in 0..=bytes.len() {
        for torn in [bytes[..length].to_vec(), [&bytes[..length], &[0; 5000]].concat()] {
            // Zeros complete a record that ends in zeros.
            let whole = ends.iter().filter(|&&end| torn.get(..end) == Some(&bytes[..end])).count();
            fs::write(&segment, torn).unwrap();
            let ledger = Ledger::open(directory.path(), options()).unwrap();
            ledger.record(&charge(99));
            ledger.close(PATIENCE).unwrap();
            assert_calls(directory.path(), (0..whole).chain([99]));
            let kept = if whole == 0 { 0 } else { ends[whole - 1] };
            assert_eq!(fs::metadata(&segment).unwrap().len(), kept as u64, "cut at {length}");
            fs::remove_file(&segments(directory.path())[1]).unwrap();
        }
    }
}

#[test]
fn a_flipped_byte_costs_the_record_it_is_in_and_no_other() {
    let directory = quick_directory();
    write(directory.path(), options(), 0..CALLS);
    write(directory.path(), options(), CALLS..CALLS + 1);
    let segment = segments(directory.path()).remove(0);
    let sound = fs::read(&segment).unwrap();
    let ends = ends(&sound);

    for at in 0..sound.len() {
        let hit = ends.iter().filter(|&&end| end <= at).count();
        for mask in [0x01, 0x80, 0xff] {
            let mut bytes = sound.clone();
            bytes[at] ^= mask;
            fs::write(&segment, &bytes).unwrap();
            let (charges, errors) = all(directory.path());
            let expected: Vec<_> = (0..=CALLS).filter(|&call| call != hit).map(charge).collect();
            assert_eq!(charges, expected, "byte {at} flipped by {mask:#x}");
            let start = if hit == 0 { 0 } else { ends[hit - 1] };
            match &*errors {
                [ReadError::Damaged { at, bytes }] => {
                    assert_eq!((at.offset, *bytes), (start as u64, (ends[hit] - start) as u64));
                }
                other => panic!("byte {at} flipped by {mask:#x} was reported as {other:?}"),
            }
        }
    }
}

#[test]
fn damage_in_the_newest_segment_survives_opening_with_the_records_behind_it() {
    let directory = quick_directory();
    write(directory.path(), options(), 0..CALLS);
    let segment = segments(directory.path()).remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[30] ^= 4;
    fs::write(&segment, &bytes).unwrap();

    write(directory.path(), options(), CALLS..CALLS + 1);
    let (charges, errors) = all(directory.path());
    assert_eq!(charges, (1..=CALLS).map(charge).collect::<Vec<_>>());
    assert_eq!(errors.len(), 1);
    let message = errors[0].to_string();
    assert!(message.contains("is damaged") && message.contains("at offset 0"), "{message}");
}

#[test]
fn reading_goes_on_behind_damage_from_a_remembered_position() {
    let directory = quick_directory();
    write(directory.path(), options(), 0..CALLS);
    let segment = segments(directory.path()).remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[30] ^= 4;
    fs::write(&segment, &bytes).unwrap();

    let mut charges = tollgate_store::ledger::read(directory.path(), Position::default());
    assert!(matches!(charges.next(), Some(Err(ReadError::Damaged { .. }))));
    let mut later = tollgate_store::ledger::read(directory.path(), charges.position());
    assert_eq!(later.next().unwrap().unwrap(), charge(1));
}

#[test]
fn a_segment_under_another_number_holds_no_charges() {
    let directory = quick_directory();
    write(directory.path(), options(), 0..CALLS);
    let segment = segments(directory.path()).remove(0);
    fs::rename(segment, directory.path().join(format!("{:020}.charges", 5))).unwrap();
    assert_calls(directory.path(), []);
}

#[test]
fn other_files_are_left_alone() {
    let directory = quick_directory();
    for name in ["1.charges", "notes.txt", "+0000000000000000001.charges", "99999999999999999999.charges"] {
        fs::write(directory.path().join(name), "not ours").unwrap();
    }
    write(directory.path(), options(), 0..1);
    assert_calls(directory.path(), 0..1);
    assert_eq!(fs::read(directory.path().join("notes.txt")).unwrap(), b"not ours");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn garbage_is_no_charge(
        garbage in vec(prop_oneof![3 => Just(0_u8), 2 => Just(1), 5 => any::<u8>()], 0..6_000),
        at in any::<prop::sample::Index>(),
    ) {
        let directory = quick_directory();
        write(directory.path(), options(), 0..CALLS);
        let segment = segments(directory.path()).remove(0);
        let mut bytes = fs::read(&segment).unwrap();
        let start = at.index(bytes.len());
        let end = bytes.len().min(start + garbage.len());
        bytes[start..end].copy_from_slice(&garbage[..end - start]);
        bytes.extend(&garbage[end - start..]);
        let untouched: Vec<_> = {
            let sound = fs::read(&segment).unwrap();
            let ends = ends(&sound);
            let starts = [0].into_iter().chain(ends.clone());
            starts.zip(ends).enumerate().filter(|(_, (from, to))| bytes[*from..*to] == sound[*from..*to])
                .map(|(call, _)| charge(call)).collect()
        };
        fs::write(&segment, &bytes).unwrap();
        prop_assert_eq!(&all(directory.path()).0, &untouched);
        // Opening repairs, and the repair changes nothing that can be read.
        write(directory.path(), options(), 50..51);
        prop_assert_eq!(&all(directory.path()).0, &[untouched, vec![charge(50)]].concat());
    }
}
