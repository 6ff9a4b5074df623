use proptest::prelude::*;

use super::*;

#[test]
fn stars_stand_for_any_run_and_earlier_ones_take_more() {
    let table: &[(&str, &str, Option<&[&str]>)] = &[
        ("openai/*", "openai/gpt-5", Some(&["gpt-5"])),
        ("openai/*", "openai/", Some(&[""])),
        ("openai/*", "azure/gpt-5", None),
        ("*", "anything/at:all", Some(&["anything/at:all"])),
        ("gpt-5", "gpt-5", Some(&[])),
        ("gpt-5", "gpt-5-mini", None),
        ("*/*", "a/b/c", Some(&["a/b", "c"])),
        ("a*b*c", "a1b2b3c", Some(&["1b2", "3"])),
        ("ab*ba", "aba", None),
        ("*-*-latest", "claude-opus-5-latest", Some(&["claude-opus", "5"])),
        ("bedrock/anthropic.*", "bedrock/anthropicXclaude", None),
        ("é*ü", "éßü", Some(&["ß"])),
        ("**", "ab", Some(&["ab", ""])),
    ];
    for (pattern, name, expected) in table {
        let pattern = Pattern::new(pattern);
        assert_eq!(pattern.captures(name).as_deref(), *expected, "{} on {name}", pattern.as_str());
        assert_eq!(pattern.matches(name), expected.is_some());
    }
}

#[test]
fn captures_are_put_into_the_target_in_order() {
    for (pattern, name, target, expected) in [
        ("openai/*", "openai/gpt-5", "openai/*", "openai/gpt-5"),
        ("eu/*/*", "eu/azure/gpt-5", "*/eu-*", "azure/eu-gpt-5"),
        ("team-*", "team-gpt-5", "openai/fixed", "openai/fixed"),
        ("team-*", "team-x", "*/*", "x/*"),
        ("*", "a*b", "p/*", "p/a*b"),
    ] {
        assert_eq!(Pattern::new(pattern).substitute(name, target).as_deref(), Some(expected));
    }
    assert_eq!(Pattern::new("openai/*").substitute("gpt-5", "openai/*"), None);
}

#[test]
fn the_most_specific_pattern_sorts_first() {
    let mut patterns = ["*", "openai/*", "openai/gpt-*", "a*cdef", "abcde*", "*bcdef"].map(Pattern::new);
    patterns.sort_by(|a, b| a.specificity().cmp(&b.specificity()));
    let sorted: Vec<&str> = patterns.iter().map(Pattern::as_str).collect();
    assert_eq!(sorted, ["openai/gpt-*", "openai/*", "a*cdef", "*bcdef", "abcde*", "*"]);
}

#[test]
fn lists_allow_names_groups_wildcards_and_bare_provider_models() {
    let groups = ["beta".to_owned()];
    let asked = |model| Asked { model, groups: &[], provider: None };
    let grouped = |model| Asked { groups: &groups, ..asked(model) };
    let openai = |model| Asked { provider: Some("openai"), ..asked(model) };
    for (entries, asked, allowed) in [
        (&[][..], asked("m"), true),
        (&["*"], asked("m"), true),
        (&["x", "all-proxy-models"], asked("m"), true),
        (&["m"], asked("m"), true),
        (&["m"], asked("m2"), false),
        (&["beta"], grouped("m"), true),
        (&["beta"], asked("m"), false),
        (&["openai/*"], asked("openai/gpt-5"), true),
        (&["openai/*"], openai("gpt-5"), true),
        (&["openai/gpt-*"], openai("o3"), false),
        (&["openai/*"], asked("gpt-5"), false),
        (&["azure/*"], openai("gpt-5"), false),
        (&["no-default-models"], asked("m"), false),
        (&["no-default-models", "*"], asked("m"), false),
    ] {
        assert_eq!(ModelList::new(entries).allows(asked), allowed, "{entries:?} {asked:?}");
    }
}

#[test]
fn a_hostile_pattern_is_answered_quickly() {
    let pattern = Pattern::new(&"a*".repeat(10_000));
    let name = "a".repeat(200_000) + "b";
    assert!(pattern.matches(&name));
    assert!(!Pattern::new(&("a*".repeat(10_000) + "c")).matches(&name));
}

proptest! {
    #[test]
    fn putting_captures_back_gives_the_name(pattern in "[ab*]{0,8}", name in "[ab]{0,12}") {
        let made = Pattern::new(&pattern);
        if let Some(rebuilt) = made.substitute(&name, &pattern) {
            prop_assert_eq!(rebuilt, name);
        }
    }

    #[test]
    fn it_agrees_with_the_definition(pattern in "[ab*]{0,7}", name in "[ab]{0,9}") {
        fn defined(pattern: &[u8], name: &[u8]) -> bool {
            match pattern.split_first() {
                None => name.is_empty(),
                Some((b'*', rest)) => (0..=name.len()).any(|taken| defined(rest, &name[taken..])),
                Some((letter, rest)) => name.first() == Some(letter) && defined(rest, &name[1..]),
            }
        }
        prop_assert_eq!(Pattern::new(&pattern).matches(&name), defined(pattern.as_bytes(), name.as_bytes()));
    }
}

#[test]
fn the_entries_of_a_list_make_the_same_list() {
    for entries in
        [&["gpt-5", "openai/*"][..], &[], &["*"], &["no-default-models", "gpt-5"], &["all-proxy-models"]]
    {
        let list = ModelList::new(entries);
        assert_eq!(
            ModelList::new(&list.entries()).allows(Asked { model: "gpt-5", ..Asked::default() }),
            list.allows(Asked { model: "gpt-5", ..Asked::default() }),
            "{entries:?}"
        );
        assert_eq!(
            ModelList::new(&list.entries()).allows(Asked { model: "o3", ..Asked::default() }),
            list.allows(Asked { model: "o3", ..Asked::default() }),
            "{entries:?}"
        );
    }
}
