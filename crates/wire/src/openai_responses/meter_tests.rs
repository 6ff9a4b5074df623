use super::*;
use crate::fault::FaultKind;

const WHOLE: &str = r#"{"id":"resp_1","object":"response","error":null,"output":[{"type":"web_search_call","id":"ws_1"},
    {"type":"message","id":"msg_1","content":[{"type":"output_text","text":"\"web_search_call\""}]}],
    "usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":3,"total_tokens":12}}"#;

#[test]
fn a_whole_reply_is_counted() {
    let mut meter = ResponsesMeter::default();
    assert_eq!(meter.whole(WHOLE), Ok(()));
    let usage = meter.usage().unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output, usage.searches), (9, 4, 3, 1));
    assert_eq!(meter.names().id.map(|place| &WHOLE[place]), Some("\"resp_1\""));
}

#[test]
fn a_stream_ends_with_its_last_event_and_is_counted_there() {
    let mut meter = ResponsesMeter::default();
    let created = r#"{"type":"response.created","response":{"id":"resp_1","model":"up","previous_response_id":"resp_0","usage":null},"sequence_number":0}"#;
    assert_eq!(meter.frame(created), Read::Known);
    assert_eq!(meter.names().id.map(|place| &created[place]), Some("\"resp_1\""));
    let Names { model, previous, .. } = meter.names();
    assert_eq!(
        (model.map(|place| &created[place]), previous.map(|place| &created[place])),
        (Some("\"up\""), Some("\"resp_0\""))
    );
    let delta = r#"{"type":"response.output_text.delta","item_id":"msg_1","delta":"hi","sequence_number":1}"#;
    assert_eq!(meter.frame(delta), Read::Known);
    assert_eq!(meter.names(), Names::default());
    let item = r#"{"type":"response.output_item.added","item":{"id":"msg_1"},"sequence_number":1}"#;
    assert_eq!(meter.frame(item), Read::Known);
    assert_eq!(meter.names(), Names::default());
    let completed = format!(r#"{{"type":"response.completed","response":{WHOLE}}}"#);
    assert_eq!(meter.frame(&completed), Read::Terminal);
    assert_eq!(meter.usage().map(|usage| usage.output), Some(3));
    assert!(!ResponsesMeter::default().is_complete());
}

#[test]
fn failures_are_seen() {
    let mut meter = ResponsesMeter::default();
    let failed = r#"{"type":"response.failed","response":{"id":"r","error":{"code":"rate_limit_exceeded","message":"slow"}}}"#;
    assert!(
        matches!(meter.frame(failed), Read::Failed(fault) if fault.kind == FaultKind::RateLimit && fault.message == "slow")
    );
    let error = r#"{"type":"error","code":"server_error","message":"bad","param":null}"#;
    assert!(matches!(meter.frame(error), Read::Failed(fault) if fault.message == "bad"));
    assert!(meter.whole(r#"{"error":{"message":"no","type":"invalid_request_error"}}"#).is_err());
    assert!(matches!(meter.frame("{"), Read::Corrupt(_)));
}
