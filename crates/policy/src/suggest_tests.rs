use proptest::prelude::*;

use super::*;

const NAMES: [&str; 6] = ["gpt-5", "gpt-5-mini", "claude-sonnet-4-5", "gemini-2.5-pro", "o3", "größe"];

#[test]
fn slips_find_the_name_that_was_meant() {
    for (typed, meant) in [
        ("gtp-5", Some("gpt-5")),
        ("GPT-5", Some("gpt-5")),
        ("gpt5-mini", Some("gpt-5-mini")),
        ("claude-sonet-4.5", Some("claude-sonnet-4-5")),
        ("gemini-2.5-por", Some("gemini-2.5-pro")),
        ("groesse", None),
        ("grösse", Some("größe")),
        ("gröβe", Some("größe")),
        ("llama-3", None),
        ("", None),
        ("o1", Some("o3")),
    ] {
        assert_eq!(nearest(typed, NAMES), meant, "{typed}");
    }
}

#[test]
fn the_closest_wins_not_the_first() {
    assert_eq!(nearest("model-abcd", ["model-abxy", "model-abce", "model-abcf"]), Some("model-abce"));
    assert_eq!(nearest("model-a", ["model-b", "model-a"]), Some("model-a"));
}

#[test]
fn long_names_are_not_compared() {
    let long = "x".repeat(101);
    assert_eq!(nearest(&long, [long.as_str()]), None);
}

proptest! {
    #[test]
    fn distance_is_symmetric_and_bounded(a in "[abc]{0,9}", b in "[abc]{0,9}") {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        let there = distance(&a, &b, 9);
        prop_assert_eq!(there, distance(&b, &a, 9));
        prop_assert_eq!(there == Some(0), a == b);
        prop_assert!(there.is_some_and(|edits| edits <= a.len().max(b.len())));
    }
}
