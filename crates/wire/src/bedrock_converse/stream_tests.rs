//! Streams that no honest Bedrock sends, and oddities that it may.

use proptest::prelude::*;

use super::super::reader::Memory;
use super::ConverseDecoder;
use crate::chat::Block;
use crate::codec::{Finish, Read, StreamDecoder};
use crate::event::ChatEvent;
use crate::fold::fold;
use crate::frame::Frame;
use crate::laws::Laws;
use crate::openai_chat::renames::Renames;
use crate::reply::Stop;

fn run(frames: &[(&str, &str)]) -> (Vec<ChatEvent>, Vec<Read>, Finish) {
    run_holding(frames, false)
}

/// `held`: the answer may come by tool, and prose before it is held back.
fn run_holding(frames: &[(&str, &str)], held: bool) -> (Vec<ChatEvent>, Vec<Read>, Finish) {
    let memory = Memory { names: Renames::default(), call_id: "c1".to_owned(), answers: held, held };
    let mut decoder = ConverseDecoder::new(memory);
    let mut events = Vec::new();
    let frames = frames.iter().map(|(event, data)| Frame { event, data });
    let reads = frames.map(|frame| decoder.frame(&frame, &mut events)).collect();
    let finish = decoder.end(&mut events);
    let mut laws = Laws::default();
    events.iter().for_each(|event| laws.check(event).unwrap());
    (events, reads, finish)
}

#[test]
fn payloads_that_are_not_events_are_corrupt_and_change_nothing() {
    let (events, reads, finish) = run(&[
        ("contentBlockDelta", "{\"delta\":{\"te"),
        ("contentBlockDelta", "[]"),
        ("contentBlockDelta", r#"{"contentBlockIndex":0}"#),
        ("contentBlockDelta", r#"{"delta":{"text":"lost"}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}"#),
    ]);
    assert!(reads.iter().all(|read| matches!(read, Read::Corrupt(_))), "{reads:?}");
    assert!(!events.iter().any(|event| matches!(event, ChatEvent::Open { .. })));
    assert_eq!(finish, Finish::Truncated);
}

#[test]
fn reasoning_and_text_at_one_index_are_two_blocks() {
    let (events, _, finish) = run(&[
        ("messageStart", r#"{"role":"assistant"}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Hm."}}}"#),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"EmwK"}}}"#,
        ),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Yes."}}"#),
        ("messageStop", r#"{"stopReason":"end_turn"}"#),
    ]);
    let expected = [
        Block::Thinking { text: "Hm.".to_owned(), signature: None },
        Block::RedactedThinking("EmwK".to_owned()),
        Block::Text("Yes.".to_owned()),
    ];
    assert_eq!((fold(&events).choices[0].blocks.as_slice(), finish), (&expected[..], Finish::Complete));
}

#[test]
fn a_call_without_an_id_gets_one_and_a_call_without_arguments_an_object() {
    let (events, _, _) = run(&[
        ("contentBlockStart", r#"{"contentBlockIndex":3,"start":{"toolUse":{"name":"now"}}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":3}"#),
        ("messageStop", r#"{"stopReason":"end_turn"}"#),
    ]);
    let choice = &fold(&events).choices[0];
    let expected =
        Block::ToolCall { id: "call_c1_0".to_owned(), name: "now".to_owned(), input: "{}".to_owned() };
    assert_eq!((&choice.blocks[0], choice.stop), (&expected, Some(Stop::ToolUse)));
}

#[test]
fn arguments_that_were_cut_are_not_completed() {
    let (events, _, finish) = run(&[(
        "contentBlockStart",
        r#"{"contentBlockIndex":0,"start":{"toolUse":{"name":"now","toolUseId":"t"}}}"#,
    )]);
    assert!(!events.iter().any(|event| matches!(event, ChatEvent::Delta { .. })));
    assert_eq!(finish, Finish::Truncated);
}

#[test]
fn a_tool_that_the_host_runs_is_no_call_of_the_callers() {
    let start = r#"{"contentBlockIndex":0,"start":{"toolUse":{"name":"nova_grounding","toolUseId":"t","type":"server_tool_use"}}}"#;
    let (events, reads, finish) = run(&[
        ("contentBlockStart", start),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        ("contentBlockStart", r#"{"contentBlockIndex":1,"start":{}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"text":"Found."}}"#),
        ("messageStop", r#"{"stopReason":"end_turn"}"#),
    ]);
    assert!(reads.iter().all(|read| matches!(read, Read::Known | Read::Unknown)), "{reads:?}");
    let choice = &fold(&events).choices[0];
    assert_eq!(
        (choice.blocks.as_slice(), choice.stop),
        (&[Block::Text("Found.".to_owned())][..], Some(Stop::End))
    );
    assert_eq!(finish, Finish::Complete);
}

#[test]
fn endless_blocks_are_refused() {
    let frames: Vec<String> =
        (0..5000).map(|at| format!(r#"{{"contentBlockIndex":{at},"delta":{{"text":"x"}}}}"#)).collect();
    let frames: Vec<(&str, &str)> = frames.iter().map(|data| ("contentBlockDelta", data.as_str())).collect();
    let (events, reads, _) = run(&frames);
    assert_eq!(events.iter().filter(|event| matches!(event, ChatEvent::Open { .. })).count(), 4096);
    assert!(matches!(reads.last(), Some(Read::Corrupt(_))));
}

/// Events of a stream, in any order and at any index.
fn frame() -> impl Strategy<Value = (&'static str, String)> {
    let delta = prop::sample::select(vec![
        r#"{"text":"a"}"#,
        r#"{"text":""}"#,
        r#"{"toolUse":{"input":"{}"}}"#,
        r#"{"reasoningContent":{"text":"b"}}"#,
        r#"{"reasoningContent":{"signature":"c"}}"#,
        r#"{"reasoningContent":{"redactedContent":"d"}}"#,
        r#"{"citation":{"title":"e"}}"#,
        r#"{"image":{}}"#,
        "7",
    ]);
    let name = prop::sample::select(vec!["now", "json_tool_call"]);
    prop_oneof![
        Just(("messageStart", r#"{"role":"assistant"}"#.to_owned())),
        (0..3_u8, name).prop_map(|(at, name)| {
            let start = format!(r#"{{"contentBlockIndex":{at},"start":{{"toolUse":{{"name":"{name}"}}}}}}"#);
            ("contentBlockStart", start)
        }),
        (0..3_u8, delta).prop_map(|(at, delta)| (
            "contentBlockDelta",
            format!(r#"{{"contentBlockIndex":{at},"delta":{delta}}}"#)
        )),
        (0..3_u8).prop_map(|at| ("contentBlockStop", format!(r#"{{"contentBlockIndex":{at}}}"#))),
        Just(("metadata", r#"{"usage":{"inputTokens":1,"outputTokens":2}}"#.to_owned())),
        Just(("messageStop", r#"{"stopReason":"end_turn"}"#.to_owned())),
    ]
}

proptest! {
    #[test]
    fn any_order_of_events_obeys_the_laws(frames in prop::collection::vec(frame(), 0..30), held in any::<bool>()) {
        let frames: Vec<(&str, &str)> = frames.iter().map(|(event, data)| (*event, data.as_str())).collect();
        let (events, _, finish) = run_holding(&frames, held);
        let stopped = frames.iter().any(|(event, _)| *event == "messageStop");
        prop_assert_eq!(finish == Finish::Complete, stopped);
        let count = |wanted: fn(&ChatEvent) -> bool| events.iter().filter(|event| wanted(event)).count();
        let opened = count(|event| matches!(event, ChatEvent::Open { .. }));
        prop_assert_eq!(opened, count(|event| matches!(event, ChatEvent::Close { .. })));
    }
}
