use proptest::prelude::*;

use super::*;
use crate::access::{Asked, ModelList};

fn owned(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|entry| (*entry).to_owned()).collect()
}

#[test]
fn models_are_within_when_each_is() {
    for (granted, own, refused) in [
        (&["gpt-5"][..], &[][..], None),
        (&[], &[], None),
        (&["gpt-5"], &["*"], None),
        (&[], &["all-proxy-models"], None),
        (&["gpt-5"], &["gpt-5", "o3"], None),
        (&["gpt-5", "o4"], &["gpt-5", "o3"], Some("o4")),
        (&[], &["gpt-5"], Some("everything")),
        (&["*"], &["gpt-*"], Some("*")),
        (&["all-proxy-models"], &["gpt-5", "all-*"], Some("all-proxy-models")),
        (&["openai/gpt-5", "openai/gpt-*", "openai/*"], &["openai/*"], None),
        (&["openai/*"], &["openai/gpt-*"], Some("openai/*")),
        (&["*/gpt-5"], &["openai/*"], Some("*/gpt-5")),
        (&["a*c"], &["a*", "*c"], None),
        (&["beta"], &["beta"], None),
        (&["no-default-models"], &["gpt-5"], None),
        (&["no-default-models", "o3"], &["gpt-5"], None),
        (&["gpt-5"], &["no-default-models"], Some("gpt-5")),
        (&[], &["no-default-models", "*"], Some("everything")),
    ] {
        let (granted, own) = (owned(granted), owned(own));
        let result = within(
            &Grant { models: &granted, ..Grant::default() },
            &Grant { models: &own, ..Grant::default() },
        );
        let asked = match &result {
            Ok(()) => None,
            Err(BoundsError::Entry { field: "models", asked, .. }) => Some(asked.as_str()),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(asked, refused, "{granted:?} within {own:?}");
    }
}

#[test]
fn limits_are_within_when_they_are_not_more() {
    let dollars = |dollars: i64| Some(Cost::from_nano(dollars * 1_000_000_000));
    let own = Grant {
        max_budget: dollars(10),
        requests_per_minute: Some(100),
        tokens_per_minute: Some(1_000),
        parallel: Some(5),
        ..Grant::default()
    };
    assert_eq!(within(&own, &own), Ok(()));
    assert_eq!(within(&own, &Grant::default()), Ok(()));
    for (granted, said) in [
        (
            Grant { max_budget: dollars(11), ..own },
            "max_budget of 11 is more than the 10 that may be granted",
        ),
        (
            Grant { max_budget: None, ..own },
            "max_budget of unlimited is more than the 10 that may be granted",
        ),
        (
            Grant { requests_per_minute: Some(101), ..own },
            "rpm_limit of 101 is more than the 100 that may be granted",
        ),
        (
            Grant { tokens_per_minute: None, ..own },
            "tpm_limit of unlimited is more than the 1000 that may be granted",
        ),
        (
            Grant { parallel: Some(6), ..own },
            "max_parallel_requests of 6 is more than the 5 that may be granted",
        ),
    ] {
        assert_eq!(within(&granted, &own).unwrap_err().to_string(), said);
    }
    let less = Grant { max_budget: dollars(0), requests_per_minute: Some(0), parallel: Some(0), ..own };
    assert_eq!(within(&less, &own), Ok(()));
}

#[test]
fn routes_and_guardrails_are_within_as_well() {
    let (own, good, bad) = (owned(&["llm_api_routes"]), owned(&["/v1/embeddings"]), owned(&["/key/*"]));
    let routes = |routes| Grant { routes, ..Grant::default() };
    assert_eq!(within(&routes(&good), &routes(&own)), Ok(()));
    assert_eq!(within(&routes(&bad), &routes(&[])), Ok(()));
    assert_eq!(
        within(&routes(&bad), &routes(&own)).unwrap_err().to_string(),
        "allowed_routes: /key/* may not be granted; allowed: llm_api_routes"
    );
    assert!(matches!(
        within(&routes(&[]), &routes(&own)),
        Err(BoundsError::Entry { field: "allowed_routes", .. })
    ));

    let off = Grant { guardrails_off: true, ..Grant::default() };
    assert_eq!(within(&off, &Grant::default()), Err(BoundsError::Guardrails));
    assert_eq!(within(&off, &off), Ok(()));
    assert_eq!(within(&Grant::default(), &off), Ok(()));
}

#[test]
fn a_long_list_is_not_quoted_whole() {
    let own: Vec<String> = (0..1_000).map(|number| format!("model-{number}")).collect();
    let granted = owned(&["other"]);
    let result =
        within(&Grant { models: &granted, ..Grant::default() }, &Grant { models: &own, ..Grant::default() });
    let said = result.unwrap_err().to_string();
    assert!(said.ends_with("model-9, …") && said.len() < 200, "{said}");
}

proptest! {
    #[test]
    fn what_is_within_allows_nothing_more_and_what_is_not_would(
        granted in prop::collection::vec("[ab*]{1,4}", 1..4),
        own in prop::collection::vec("[ab*]{1,4}", 1..4),
        name in "[abc]{0,6}",
    ) {
        let allows = |entries: &[String], model: &str| {
            ModelList::new(entries).allows(Asked { model, ..Asked::default() })
        };
        match within(&Grant { models: &granted, ..Grant::default() }, &Grant { models: &own, ..Grant::default() }) {
            Ok(()) => prop_assert!(!allows(&granted, &name) || allows(&own, &name)),
            Err(BoundsError::Entry { asked, .. }) => {
                // No entry has a `c`, so only a star can stand for it.
                let example = asked.replace('*', "c");
                prop_assert!(allows(&granted, &example) && !allows(&own, &example), "{} {}", asked, example);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
