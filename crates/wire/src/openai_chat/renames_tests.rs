//! Spellings never collide, whatever callers call their tools.

use proptest::prelude::*;

use super::Renames;

#[test]
fn acceptable_names_stay_and_others_go_around_them() {
    let names = ["get weather", "get_weather", "get.weather", "", "é"];
    let renames = Renames::of(names.into_iter(), 64);
    let sent = names.map(|name| renames.sent(name));
    assert_eq!(sent, ["get_weather_2", "get_weather", "get_weather_3", "_", "__2"]);
    assert_eq!(sent.map(|name| renames.meant(name)), names);
}

#[test]
fn long_names_are_cut_and_told_apart() {
    let (one, other) = ("a".repeat(70) + "1", "a".repeat(70) + "2");
    let renames = Renames::of([one.as_str(), other.as_str()].into_iter(), 64);
    assert_eq!(renames.sent(&one), "a".repeat(64));
    assert_eq!(renames.sent(&other), "a".repeat(62) + "_2");
    assert_eq!(renames.meant(&("a".repeat(62) + "_2")), other);
}

#[test]
fn names_can_be_made_to_begin_with_a_letter() {
    let names = ["1st", "t1st", "_a", "a_b"];
    let renames = Renames::lettered(names.into_iter(), 64);
    assert_eq!(names.map(|name| renames.sent(name)), ["t1st_2", "t1st", "t_a", "a_b"]);
    assert_eq!(renames.meant("t1st_2"), "1st");
}

proptest! {
    #[test]
    fn every_name_comes_back(names in proptest::collection::vec("[a-c_. é]{0,9}", 0..30)) {
        let renames = Renames::of(names.iter().map(String::as_str), 5);
        for name in &names {
            let sent = renames.sent(name);
            prop_assert!((1..=5).contains(&sent.len()) && sent.is_ascii());
            prop_assert_eq!(renames.meant(sent), name);
        }
    }
}
