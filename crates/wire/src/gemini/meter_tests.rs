use super::*;
use crate::fault::FaultKind;

const BEGIN: &str = r#"{"candidates":[{"content":{"parts":[{"text":"\"error\":"}]}},{"content":{"parts":[{"text":"x"}]},"index":1}],"usageMetadata":{"promptTokenCount":7,"cachedContentTokenCount":5}}"#;
const ONE: &str = r#"{"candidates":[{"finishReason":"STOP","index":1}]}"#;
const END: &str = r#"{"candidates":[{"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["a","b"]}}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":9,"thoughtsTokenCount":2,"totalTokenCount":18}}"#;

#[test]
fn a_stream_is_counted_and_ends_with_its_last_candidate() {
    let mut meter = GeminiMeter::default();
    assert_eq!(meter.frame(BEGIN), Read::Known);
    assert_eq!(meter.usage().map(|usage| (usage.input, usage.cache_read)), Some((7, 5)));
    assert_eq!(meter.frame(ONE), Read::Known);
    assert!(!meter.is_complete(), "the first candidate still speaks");
    assert_eq!(meter.frame(END), Read::Known);
    assert!(meter.is_complete());
    assert_eq!(meter.usage().map(|usage| (usage.input, usage.output, usage.searches)), Some((7, 11, 2)));
}

#[test]
fn a_whole_reply_is_counted_and_a_blocked_prompt_is_one() {
    let mut meter = GeminiMeter::default();
    assert_eq!(meter.whole(END), Ok(()));
    assert_eq!(meter.usage().map(|usage| usage.output), Some(11));
    let mut meter = GeminiMeter::default();
    assert_eq!(meter.frame(r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#), Read::Known);
    assert!(meter.is_complete());
}

#[test]
fn failures_are_seen_whole_and_in_a_stream() {
    let error = r#"{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}"#;
    let mut meter = GeminiMeter::default();
    let fault = meter.whole(error).unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Unavailable, "Overloaded"));
    assert!(matches!(meter.frame(error), Read::Failed(seen) if seen == fault));
    assert!(matches!(meter.frame("{\"candidates\":"), Read::Corrupt(_)));
    assert_eq!(meter.whole("[1]").unwrap_err().kind, FaultKind::Malformed);
    assert_eq!(meter.frame(r#"{"of_tomorrow":1}"#), Read::Unknown);
}
