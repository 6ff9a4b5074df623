//! Usage objects as the public documentation of each provider shows them.

use serde_json::value::RawValue;

use super::{read, tier};
use crate::reply::{Tier, Usage};

fn usage(json: &str) -> Option<Usage> {
    read(&RawValue::from_string(json.to_owned()).unwrap())
}

#[test]
fn openai_details() {
    let json = r#"{"prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,
        "prompt_tokens_details":{"cached_tokens":1920,"audio_tokens":6},
        "completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":5,"accepted_prediction_tokens":0}}"#;
    let expected = Usage {
        input: 2006,
        output: 300,
        cache_read: 1920,
        reasoning: 20,
        audio_input: 6,
        audio_output: 5,
        ..Usage::default()
    };
    assert_eq!(usage(json), Some(expected));
}

#[test]
fn caches_under_every_name() {
    for (json, read, write, input) in [
        (r#"{"prompt_tokens":10,"prompt_cache_hit_tokens":7,"prompt_cache_miss_tokens":3}"#, 7, 0, 10),
        (r#"{"prompt_tokens":10,"cached_tokens":4}"#, 4, 0, 10),
        (r#"{"prompt_tokens":10,"cache_read_input_tokens":4,"cache_creation_input_tokens":5}"#, 4, 5, 10),
        (
            r#"{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":5}}"#,
            4,
            5,
            10,
        ),
        (r#"{"prompt_tokens":10,"prompt_tokens_details":{"cache_creation_tokens":5}}"#, 0, 5, 10),
        (r#"{"prompt_tokens":10,"cached_tokens":4,"cache_read_input_tokens":4}"#, 4, 0, 10),
        (r#"{"prompt_tokens":10,"cache_read_input_tokens":90,"cache_creation_input_tokens":5}"#, 90, 5, 105),
    ] {
        let usage = usage(json).unwrap();
        assert_eq!((usage.cache_read, usage.cache_write, usage.input), (read, write, input), "{json}");
    }
}

#[test]
fn reasoning_outside_completion_tokens_is_output_all_the_same() {
    let outside = r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":20}}"#;
    assert_eq!(usage(outside).unwrap().output, 25);
    let inside = r#"{"prompt_tokens":10,"completion_tokens":25,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":20}}"#;
    assert_eq!(usage(inside).unwrap().output, 25);
}

#[test]
fn embeddings_count_only_the_prompt() {
    for json in [r#"{"prompt_tokens":8,"total_tokens":8}"#, r#"{"total_tokens":8}"#] {
        assert_eq!(usage(json), Some(Usage { input: 8, ..Usage::default() }), "{json}");
    }
}

#[test]
fn costs_in_nano_dollars() {
    for (cost, nano) in [
        (r#""cost":0.00014025"#, Some(140_250)),
        (r#""cost":0"#, Some(0)),
        (r#""cost":{"total_cost":0.006}"#, Some(6_000_000)),
        (r#""cost_in_usd_ticks":158500"#, Some(15_850)),
        (r#""cost":-1"#, None),
        (r#""cost":1e300"#, None),
        (r#""cost":null"#, None),
        (r#""cost":"free""#, None),
    ] {
        let json = format!(r#"{{"prompt_tokens":1,{cost}}}"#);
        assert_eq!(usage(&json).unwrap().reported_cost_nano, nano, "{json}");
    }
}

#[test]
fn odd_types_read_as_absent() {
    let json = r#"{"prompt_tokens":12.0,"completion_tokens":null,"total_tokens":[1],"cached_tokens":{"a":1},
        "prompt_tokens_details":"none","completion_tokens_details":{"reasoning_tokens":-4}}"#;
    assert_eq!(usage(json), Some(Usage { input: 12, ..Usage::default() }));
    for nothing in ["null", "{}", "[]", "[7,8,9]", "7", r#"{"prompt_tokens":null}"#] {
        assert_eq!(usage(nothing), None, "{nothing}");
    }
    let most = format!(r#"{{"prompt_tokens":{0},"completion_tokens":{0},"cached_tokens":{0}}}"#, u64::MAX);
    assert_eq!(usage(&most).unwrap().input, u64::MAX);
}

#[test]
fn tiers() {
    let tiers = [Some("flex"), Some("priority"), Some("fast"), Some("default"), None].map(tier);
    assert_eq!(tiers, [Tier::Flex, Tier::Priority, Tier::Priority, Tier::Standard, Tier::Standard]);
}
