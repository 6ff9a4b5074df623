//! Counts as Anthropic and its imitators give them.

use super::{Counted, WrittenUsage};
use crate::raw::Raw;
use crate::reply::{Tier, Usage};

fn counted(objects: &[&str]) -> Option<Usage> {
    let mut counted = Counted::default();
    for text in objects {
        counted.merge(Raw::parse((*text).to_owned()).unwrap().value());
    }
    counted.usage()
}

#[test]
fn input_includes_the_cache_and_writes_are_split_by_retention() {
    let split = r#"{"input_tokens":5,"cache_read_input_tokens":100,"cache_creation_input_tokens":30,
        "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":7,
        "output_tokens_details":{"thinking_tokens":4},"service_tier":"priority"}"#;
    let usage = Usage {
        input: 135,
        output: 7,
        cache_read: 100,
        cache_write: 10,
        cache_write_1h: 20,
        reasoning: 4,
        tier: Tier::Priority,
        ..Usage::default()
    };
    assert_eq!(counted(&[split]), Some(usage));
    let written = serde_json::to_string(&WrittenUsage::from(&usage)).unwrap();
    assert_eq!(counted(&[&written]), Some(usage), "what is written reads as it was");
    assert!(written.starts_with(r#"{"input_tokens":5,"#), "{written}");
    let total =
        counted(&[r#"{"input_tokens":5,"cache_creation_input_tokens":30,"output_tokens":7}"#]).unwrap();
    assert_eq!((total.input, total.cache_write, total.cache_write_1h), (35, 30, 0));
}

#[test]
fn the_last_count_wins_member_by_member() {
    let start = r#"{"input_tokens":25,"cache_read_input_tokens":3,"output_tokens":1}"#;
    let usage = counted(&[start, r#"{"output_tokens":15,"input_tokens":null}"#]).unwrap();
    assert_eq!((usage.input, usage.output), (28, 15));
    assert_eq!(counted(&[start, r#"{"input_tokens":30,"output_tokens":15}"#]).unwrap().input, 33);
}

#[test]
fn nonsense_counts_nothing() {
    for text in ["null", "[1]", r#"{"input_tokens":"many","output_tokens":-1}"#] {
        assert_eq!(counted(&[text]), None, "{text}");
    }
    let most = format!(r#"{{"input_tokens":{0},"cache_read_input_tokens":{0},"output_tokens":0}}"#, u64::MAX);
    assert_eq!(counted(&[&most]).unwrap().input, u64::MAX);
}
