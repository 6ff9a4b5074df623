//! Counts as OpenAI gives them.

use super::{WrittenUsage, read};
use crate::raw::Raw;
use crate::reply::Usage;

#[test]
fn cached_and_reasoning_tokens_are_parts_of_the_whole() {
    let text = r#"{"input_tokens":12033,"input_tokens_details":{"cached_tokens":11904},"output_tokens":44,
        "output_tokens_details":{"reasoning_tokens":20},"total_tokens":12077}"#;
    let usage = read(Raw::parse(text.to_owned()).unwrap().value()).unwrap();
    assert_eq!(
        usage,
        Usage { input: 12033, output: 44, cache_read: 11904, reasoning: 20, ..Usage::default() }
    );
    let written = serde_json::to_value(WrittenUsage::from(&usage)).unwrap();
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(text).unwrap());
}

#[test]
fn nothing_counted_is_no_usage_and_odd_members_count_nothing() {
    for text in ["null", "{}", "[]", r#"{"input_tokens":null}"#] {
        assert_eq!(read(Raw::parse(text.to_owned()).unwrap().value()), None, "{text}");
    }
    let odd =
        r#"{"input_tokens":5,"output_tokens":"x","input_tokens_details":[],"output_tokens_details":null}"#;
    let usage = read(Raw::parse(odd.to_owned()).unwrap().value());
    assert_eq!(usage, Some(Usage { input: 5, ..Usage::default() }));
}
