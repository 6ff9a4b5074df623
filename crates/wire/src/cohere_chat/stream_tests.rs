//! Streams that are not as they should be.

use serde_json::{Value, json};

use super::CohereDecoder;
use crate::codec::{Finish, Read, ReplyReader, StreamDecoder};
use crate::cohere_chat::reader::{CohereReader, Memory};
use crate::event::{BlockKind, ChatEvent};
use crate::fault::FaultKind;
use crate::frame::Frame;
use crate::laws::Laws;
use crate::openai_chat::renames::Renames;

fn memory() -> Memory {
    Memory { names: Renames::default(), call_id: "call".to_owned() }
}

fn run(frames: &[Value]) -> (Vec<Read>, Vec<ChatEvent>, Finish) {
    let mut decoder = CohereDecoder::new(memory());
    let (mut events, mut laws) = (Vec::new(), Laws::default());
    let reads = frames
        .iter()
        .map(|frame| decoder.frame(&Frame { event: "", data: &frame.to_string() }, &mut events))
        .collect();
    let finish = decoder.end(&mut events);
    events.iter().for_each(|event| laws.check(event).unwrap());
    (reads, events, finish)
}

fn call(index: u64, id: &str, arguments: &str) -> Value {
    let function = json!({"name": "f", "arguments": arguments});
    let call = json!({"id": id, "type": "function", "function": function});
    json!({"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": call}}})
}

fn end(reason: &str) -> Value {
    json!({"type": "message-end", "delta": {"finish_reason": reason}})
}

#[test]
fn a_stream_may_begin_anywhere() {
    let text = json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "a"}}}});
    let (reads, events, finish) = run(&[text, end("COMPLETE")]);
    assert_eq!((reads, finish), (vec![Read::Known, Read::Terminal], Finish::Complete));
    assert_eq!(events[0], ChatEvent::Start { id: String::new(), model: String::new() });
    assert_eq!(run(&[end("COMPLETE")]).2, Finish::Complete);
}

#[test]
fn calls_without_ids_get_ours() {
    let (_, events, _) = run(&[call(0, "", "{}"), call(1, "", "{}"), end("TOOL_CALL")]);
    let ids: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::Open { kind: BlockKind::ToolCall { id, .. }, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ids, ["call_call_0", "call_call_1"]);
}

#[test]
fn arguments_that_were_cut_do_not_look_complete() {
    let deltas = |events: &[ChatEvent]| events.iter().any(|event| matches!(event, ChatEvent::Delta { .. }));
    let (_, events, finish) = run(&[call(0, "a", "")]);
    assert_eq!((deltas(&events), finish), (false, Finish::Truncated));
    let (_, events, finish) = run(&[call(0, "a", ""), end("TOOL_CALL")]);
    assert_eq!((deltas(&events), finish), (true, Finish::Complete));
}

#[test]
fn frames_out_of_place() {
    let start = json!({"type": "message-start", "id": "m"});
    let delta = json!({"type": "tool-call-delta", "index": 9, "delta": {"message": {"tool_calls": {}}}});
    let (reads, _, _) = run(&[start.clone(), start, delta, call(0, "a", ""), call(0, "b", "")]);
    assert_eq!(reads[..4], [Read::Known, Read::Unknown, Read::Unknown, Read::Known]);
    assert!(matches!(reads[4], Read::Corrupt(_)));
    let (reads, _, _) = run(&[json!([1]), json!({"type": "tool-call-start", "index": 0})]);
    assert!(reads.iter().all(|read| matches!(read, Read::Corrupt(_))), "{reads:?}");
    let (reads, events, _) = run(&[end("COMPLETE"), call(0, "a", "{}"), end("COMPLETE")]);
    assert_eq!(reads, [Read::Terminal, Read::Unknown, Read::Unknown]);
    assert_eq!(events.iter().filter(|event| matches!(event, ChatEvent::Stop { .. })).count(), 1);
}

#[test]
fn failures() {
    for (reason, kind) in [("ERROR", FaultKind::Internal), ("TIMEOUT", FaultKind::Timeout)] {
        let (reads, _, finish) = run(&[end(reason)]);
        assert!(matches!(&reads[0], Read::Failed(fault) if fault.kind == kind));
        assert!(matches!(finish, Finish::Failed(fault) if fault.kind == kind));
    }
}

#[test]
fn whole_replies_that_are_none() {
    let reader = CohereReader { memory: memory() };
    for (body, field) in [
        ("<html>", "body"),
        ("[]", "body"),
        ("{}", "message"),
        (r#"{"message":"internal server error"}"#, "error"),
        (r#"{"finish_reason":"ERROR","message":{"content":[]}}"#, "finish_reason"),
        (r#"{"finish_reason":"TOOL_CALL","message":{"tool_calls":[{}]}}"#, "message.tool_calls[0]"),
    ] {
        assert_eq!(reader.whole(body.as_bytes()).unwrap_err().field(), field, "{body}");
    }
    let empty = reader.whole(br#"{"finish_reason":"COMPLETE","message":{"content":"plain"}}"#).unwrap();
    assert_eq!(empty.choices.len(), 1);
}
