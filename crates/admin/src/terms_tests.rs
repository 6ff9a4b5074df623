use serde_json::json;
use store::entity::{Limits, Object};

use super::{check, check_id, check_name, instant, loosened, settle};

fn object(value: serde_json::Value) -> Object {
    value.as_object().unwrap().clone()
}

#[test]
fn switches_are_kept_in_metadata_beside_what_is_there() {
    let mut changes = object(json!({"tags": ["a"], "guardrails": null, "models": ["m"]}));
    settle(&mut changes, &object(json!({"guardrails": ["pii"], "own": 1}))).unwrap();
    assert_eq!(json!(changes), json!({"models": ["m"], "metadata": {"own": 1, "tags": ["a"]}}));

    let mut changes = object(json!({"metadata": {"model_rpm_limit": {"m": 1}, "own": 1}}));
    settle(&mut changes, &Object::new()).unwrap();
    assert_eq!(
        json!(changes),
        json!({"model_rpm_limit": {"m": 1}, "metadata": {"own": 1}}),
        "a limit is a limit"
    );

    let mut changes = object(json!({"tags": ["a"], "metadata": {"new": 2}}));
    settle(&mut changes, &object(json!({"own": 1}))).unwrap();
    assert_eq!(
        json!(changes),
        json!({"metadata": {"new": 2, "tags": ["a"]}}),
        "metadata is replaced as a whole"
    );
}

#[test]
fn limits_that_mean_nothing_are_refused_by_name() {
    let refused = |limits: serde_json::Value| {
        let limits: Limits = serde_json::from_value(limits).unwrap();
        check(&limits).map_err(|refused| refused.0.param.unwrap())
    };
    assert_eq!(refused(json!({"budget_duration": "soon"})), Err("budget_duration".to_owned()));
    assert_eq!(refused(json!({"max_budget": 5, "soft_budget": 5})), Err("soft_budget".to_owned()));
    assert_eq!(
        refused(json!({"model_max_budget": {"m": {"max_budget": 1, "budget_duration": "1y"}}})),
        Err("model_max_budget".to_owned())
    );
    assert_eq!(refused(json!({"max_budget": 0, "budget_duration": "30d"})), Ok(()));
}

#[test]
fn times_are_read_with_and_without_a_zone() {
    let expected = 1_767_225_600_000;
    for text in
        ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00", "2026-01-01 00:00:00"]
    {
        assert_eq!(instant("at", text).unwrap(), expected, "{text}");
    }
    assert_eq!(instant("at", "tomorrow").unwrap_err().0.param.as_deref(), Some("at"));
}

#[test]
fn an_id_stands_in_a_path() {
    for id in ["", "a/b", "a\nb", &"x".repeat(256)] {
        assert!(check_id("team_id", id).is_err(), "{id:?}");
    }
    check_id("team_id", "Ünïcode team@1").unwrap();
    check_name("user_id", "sso/tenant|user").unwrap();
}

#[test]
fn guardrails_may_be_added_and_nothing_else_may_be_loosened() {
    let before = object(json!({"guardrails": ["pii"], "own": 1}));
    let after = |value| loosened(&before, &object(value));
    assert_eq!(after(json!({"guardrails": ["new", "pii"], "own": 2})), None);
    assert_eq!(after(json!({"guardrails": []})), Some("guardrails"));
    assert_eq!(after(json!({})), Some("guardrails"));
    assert_eq!(
        after(json!({"guardrails": ["pii"], "disable_global_guardrails": true})),
        Some("disable_global_guardrails")
    );
}
