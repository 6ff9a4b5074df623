use policy::money::Cost;

use super::*;

fn sum(day: &str, model: &str, key: &str, nano: i64) -> Sum {
    Sum {
        day: day.to_owned(),
        entity: "team".to_owned(),
        api_key: key.to_owned(),
        model: model.to_owned(),
        model_group: "group".to_owned(),
        provider: "openai".to_owned(),
        endpoint: "/chat/completions".to_owned(),
        counts: Counts {
            spend: Cost::from_nano(nano),
            input_tokens: 10,
            output_tokens: 1,
            requests: 2,
            successful: 1,
            failed: 1,
            ..Counts::default()
        },
    }
}

#[test]
fn sums_add_up_at_every_branch() {
    let sums =
        [sum("2026-01-02", "a", "k1", 5), sum("2026-01-02", "a", "k2", 7), sum("2026-01-01", "b", "k1", 1)];
    let mut names = Names::default();
    names.keys.insert("k1".to_owned(), json!({"key_alias": "mine", "team_id": null}));
    names.entities.insert("team".to_owned(), json!({"alias": "Blue"}));
    let days = days(&sums, &sums, &names);
    assert_eq!((&days[0]["date"], &days[1]["date"]), (&json!("2026-01-02"), &json!("2026-01-01")));
    let first = &days[0];
    assert_eq!(first["metrics"]["spend"], 12e-9);
    assert_eq!(first["metrics"]["total_tokens"], 22);
    let breakdown = &first["breakdown"];
    for (split, name) in
        [("models", "a"), ("model_groups", "group"), ("providers", "openai"), ("entities", "team")]
    {
        let node = &breakdown[split][name];
        assert_eq!(node["metrics"]["api_requests"], 4, "{split}");
        assert_eq!(node["api_key_breakdown"]["k2"]["metrics"]["spend"], 7e-9, "{split}");
    }
    assert_eq!(breakdown["entities"]["team"]["metadata"]["alias"], "Blue");
    assert_eq!(breakdown["api_keys"]["k1"]["metadata"]["key_alias"], "mine");
    assert_eq!(breakdown["endpoints"]["/chat/completions"]["metrics"]["failed_requests"], 2);
}

#[test]
fn keys_beyond_the_limit_are_in_the_sums_all_the_same() {
    let all = [sum("2026-01-02", "a", "", 12)];
    let keyed = [sum("2026-01-02", "a", "k1", 5)];
    let days = days(&all, &keyed, &Names::default());
    assert_eq!(days[0]["metrics"]["spend"], 12e-9);
    assert_eq!(days[0]["breakdown"]["models"]["a"]["api_key_breakdown"].as_object().map(Map::len), Some(1));
}

#[test]
fn totals_have_the_names_of_the_metadata() {
    let totals = totals(&sum("", "", "", 5).counts);
    assert_eq!(totals["total_spend"], 5e-9);
    assert_eq!(totals["total_tokens"], 11);
    assert_eq!((&totals["total_api_requests"], &totals["total_response_time_ms"]), (&json!(2), &json!(0)));
}
