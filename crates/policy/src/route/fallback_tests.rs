use proptest::prelude::*;

use super::*;

fn targets(names: &[&str]) -> Vec<Target> {
    names.iter().map(|name| Target { group: (*name).to_owned(), ..Target::default() }).collect()
}

fn lists(entries: &[(&str, &[&str])]) -> Lists {
    Lists::new(entries.iter().map(|(group, names)| ((*group).to_owned(), targets(names))).collect())
}

fn way(lists: &Fallbacks, wishes: &Wishes, kind: FaultKind) -> Vec<(String, u32)> {
    let mut journey = Journey::new(lists, wishes, "a");
    let mut way = Vec::new();
    while let Some(target) = journey.next(kind) {
        way.push((target.group.clone(), journey.depth()));
    }
    way
}

fn names(way: &[(String, u32)]) -> String {
    way.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_targets_own_fallbacks_come_before_the_rest_of_the_list() {
    let general = lists(&[("a", &["b", "c"]), ("b", &["a", "d"]), ("*", &["z"])]);
    let fallbacks = Fallbacks { general, ..Fallbacks::default() };
    let way = way(&fallbacks, &Wishes::default(), FaultKind::Internal);
    let expected = [("b", 1), ("d", 2), ("z", 3), ("c", 1)];
    assert_eq!(way, expected.map(|(name, depth)| (name.to_owned(), depth)));
}

#[test]
fn lists_by_kind_end_the_call_where_they_say_nothing() {
    let fallbacks = Fallbacks {
        general: lists(&[("a", &["plain"])]),
        context_window: lists(&[("a", &["long"])]),
        content_policy: lists(&[("other", &["mild"])]),
        default: targets(&["last"]),
        ..Fallbacks::default()
    };
    let none = Wishes::default();
    assert_eq!(names(&way(&fallbacks, &none, FaultKind::ContextWindow)), "long");
    assert_eq!(names(&way(&fallbacks, &none, FaultKind::ContentPolicy)), "");
    assert_eq!(names(&way(&fallbacks, &none, FaultKind::RateLimit)), "plain last");
    let unset = Fallbacks { context_window: Lists::default(), ..fallbacks.clone() };
    assert_eq!(names(&way(&unset, &none, FaultKind::ContextWindow)), "plain last");
    let own = Wishes { general: Some(targets(&["mine"])), ..Wishes::default() };
    assert_eq!(names(&way(&fallbacks, &own, FaultKind::Internal)), "mine last");
    let disabled = Wishes { disabled: true, ..own };
    assert_eq!(names(&way(&fallbacks, &disabled, FaultKind::Internal)), "");
}

#[test]
fn a_group_is_found_by_name_then_bare_name_then_pattern() {
    let lists =
        lists(&[("*", &["any"]), ("openai/*", &["house"]), ("gpt-4o", &["bare"]), ("azure/x", &["own"])]);
    for (group, expected) in
        [("gpt-4o", "bare"), ("openai/gpt-4o", "bare"), ("openai/o3", "house"), ("x", "own"), ("y", "any")]
    {
        assert_eq!(lists.find(group).unwrap()[0].group, expected, "{group}");
    }
    assert_eq!(Lists::default().find("a"), None);
}

proptest! {
    #[test]
    fn no_group_twice_and_never_too_deep(
        edges in prop::collection::vec((0_u8..40, prop::collection::vec(0_u8..40, 0..8)), 0..40),
        most_depth in 0_u32..7,
    ) {
        let name = |id: u8| if id == 0 { "a".to_owned() } else { format!("g{id}") };
        let targets = |ids: Vec<u8>| ids.into_iter().map(|id| Target { group: name(id), ..Target::default() }).collect();
        let general = Lists::new(edges.into_iter().map(|(id, ids)| (name(id), targets(ids))).collect());
        let fallbacks = Fallbacks { general, most_depth, ..Fallbacks::default() };
        let mut way = way(&fallbacks, &Wishes::default(), FaultKind::Internal);
        prop_assert!(way.iter().all(|(name, depth)| *depth <= most_depth && name != "a"));
        prop_assert!(way.len() <= MOST);
        way.sort();
        let count = way.len();
        way.dedup_by(|one, other| one.0 == other.0);
        prop_assert_eq!(way.len(), count);
    }
}
