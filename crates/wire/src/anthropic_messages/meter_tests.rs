use super::*;
use crate::fault::FaultKind;

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","model":"up","usage":{"input_tokens":7,"cache_read_input_tokens":5,"output_tokens":1}}}"#;
const DELTA: &str =
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\"type\":\"error\""}}"#;
const END: &str =
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#;

#[test]
fn a_stream_is_counted_and_ends() {
    let mut meter = MessagesMeter::default();
    assert_eq!(meter.frame(START), Read::Known);
    assert_eq!(meter.usage().map(|usage| (usage.input, usage.cache_read)), Some((12, 5)));
    assert_eq!(meter.names().model.map(|place| &START[place]), Some("\"up\""));
    assert_eq!(meter.frame(DELTA), Read::Known);
    assert_eq!(meter.names(), Names::default());
    assert!(!meter.is_complete(), "it was cut");
    assert_eq!(meter.frame(END), Read::Known);
    assert!(meter.is_complete(), "some hosts leave message_stop out");
    assert_eq!(meter.frame(r#"{"type":"message_stop"}"#), Read::Terminal);
    assert_eq!(meter.usage().map(|usage| (usage.input, usage.output)), Some((12, 9)));
}

#[test]
fn a_whole_reply_is_counted() {
    let mut meter = MessagesMeter::default();
    let reply = r#"{"type":"message","content":[{"type":"text","text":"\"model\":"}],"model":"up","usage":{"input_tokens":3,"output_tokens":4}}"#;
    assert_eq!(meter.whole(reply), Ok(()));
    assert_eq!(meter.names().model.map(|place| &reply[place]), Some("\"up\""));
    assert_eq!(meter.usage().map(|usage| (usage.input, usage.output)), Some((3, 4)));
}

#[test]
fn failures_are_seen_whole_and_in_a_stream() {
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let mut meter = MessagesMeter::default();
    let fault = meter.whole(error).unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Unavailable, "Overloaded"));
    assert!(matches!(meter.frame(error), Read::Failed(seen) if seen == fault));
    assert!(matches!(meter.frame("{\"type\":"), Read::Corrupt(_)));
    assert_eq!(meter.frame(r#"{"type":"of_tomorrow"}"#), Read::Unknown);
}
