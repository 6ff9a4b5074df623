//! Counts as Google's API reference shows them, and as hosts are known to bend them.

use serde_json::value::RawValue;

use super::{WrittenUsage, read};
use crate::reply::{Tier, Usage};

fn of(text: &str, grounded: bool) -> Option<Usage> {
    read(&RawValue::from_string(text.to_owned()).unwrap(), grounded)
}

#[test]
fn thoughts_are_output_and_the_cache_is_input() {
    let text = r#"{"promptTokenCount":125,"cachedContentTokenCount":100,"candidatesTokenCount":20,"thoughtsTokenCount":10,"totalTokenCount":155}"#;
    let usage = of(text, false).unwrap();
    assert_eq!((usage.input, usage.output, usage.cache_read, usage.reasoning), (125, 30, 100, 10));
    let written = serde_json::to_string(&WrittenUsage::from(&usage)).unwrap();
    assert_eq!(of(&written, false), Some(usage));
}

#[test]
fn thoughts_that_the_total_has_no_room_for_are_counted_already() {
    let text =
        r#"{"promptTokenCount":100,"candidatesTokenCount":30,"thoughtsTokenCount":10,"totalTokenCount":130}"#;
    assert_eq!(of(text, false).unwrap().output, 30);
}

#[test]
fn what_tools_put_into_the_prompt_is_input_unless_it_was_searched() {
    let text = r#"{"promptTokenCount":10,"toolUsePromptTokenCount":90,"candidatesTokenCount":5,"totalTokenCount":105}"#;
    assert_eq!(of(text, false).unwrap().input, 100);
    assert_eq!(of(text, true).unwrap().input, 10);
}

#[test]
fn sound_and_tier() {
    let text = r#"{"promptTokenCount":50,"candidatesTokenCount":40,"totalTokenCount":90,"promptTokensDetails":[{"modality":"TEXT","tokenCount":18},{"modality":"AUDIO","tokenCount":32}],"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":40}],"trafficType":"ON_DEMAND_PRIORITY"}"#;
    let usage = of(text, false).unwrap();
    assert_eq!((usage.audio_input, usage.audio_output, usage.tier), (32, 40, Tier::Priority));
    let written = serde_json::to_string(&WrittenUsage::from(&usage)).unwrap();
    assert_eq!(of(&written, false), Some(usage));
    assert_eq!(of(r#"{"trafficType":"ON_DEMAND"}"#, false), None);
    assert_eq!(of(r#"{"promptTokenCount":"many","totalTokenCount":3}"#, false).unwrap().input, 0);
}
