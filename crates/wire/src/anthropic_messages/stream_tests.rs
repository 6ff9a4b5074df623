//! Hostile and broken streams: legal events, bounded memory, no panic, no invented end. And the other way: a
//! client's stream has one open block at a time, whatever the upstream mixes.

use bytes::BytesMut;
use proptest::prelude::*;

use super::MessagesDecoder;
use crate::anthropic_messages::reader::Memory;
use crate::anthropic_messages::stream_writer::MessagesStream;
use crate::codec::{Finish, Read, Stamp, StreamDecoder, StreamEncoder};
use crate::event::{BlockKind, ChatEvent};
use crate::fault::FaultKind;
use crate::frame::Frame;
use crate::laws::Laws;
use crate::openai_chat::renames::Renames;
use crate::reply::Stop;

fn memory(answers: bool, held: bool) -> Memory {
    Memory { names: Renames::default(), call_id: "call".to_owned(), answers, held }
}

fn run(memory: &Memory, frames: &[String]) -> (Vec<Read>, Vec<ChatEvent>, Finish) {
    let mut decoder = MessagesDecoder::new(memory);
    let mut events = Vec::new();
    let reads =
        frames.iter().map(|data| decoder.frame(&Frame { event: "", data }, &mut events)).collect::<Vec<_>>();
    let finish = decoder.end(&mut events);
    let mut laws = Laws::default();
    for event in &events {
        laws.check(event).unwrap();
    }
    (reads, events, finish)
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","model":"c","usage":{"input_tokens":9,"output_tokens":1}}}"#;
const TEXT: &str = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const WORD: &str = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}"#;
const STOP: &str =
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#;

fn frames(frames: &[&str]) -> Vec<String> {
    frames.iter().map(|frame| (*frame).to_owned()).collect()
}

#[test]
fn a_cut_stream_is_billed_for_what_was_counted_and_has_no_stop() {
    let (_, events, finish) = run(&memory(false, false), &frames(&[START, TEXT, WORD]));
    assert_eq!(finish, Finish::Truncated);
    assert!(events.iter().any(|event| matches!(event, ChatEvent::Usage(usage) if usage.input == 9)));
    assert!(!events.iter().any(|event| matches!(event, ChatEvent::Stop { .. })));
    assert_eq!(events.last(), Some(&ChatEvent::Close { block: 0 }));
}

#[test]
fn a_reason_without_message_stop_is_an_end() {
    let (_, events, finish) = run(&memory(false, false), &frames(&[START, TEXT, WORD, STOP]));
    assert_eq!(finish, Finish::Complete);
    assert_eq!(events.last(), Some(&ChatEvent::Stop { choice: 0, reason: Stop::End }));
}

#[test]
fn what_is_spoilt_says_so_and_what_is_new_is_kept() {
    for (frame, corrupt) in [
        ("[1]", true),
        ("{", true),
        (r#"{"type":"content_block_start","index":0}"#, true),
        (r#"{"type":"content_block_start","content_block":{"type":"text"}}"#, true),
        (r#"{"type":"content_block_start","index":0,"content_block":{"type":"text"}}"#, true),
        (r#"{"type":"content_block_delta","index":0}"#, true),
        (r#"{"type":"content_block_delta","index":7,"delta":{}}"#, false),
        (r#"{"type":"from_the_future"}"#, false),
    ] {
        let (reads, _, _) = run(&memory(false, false), &frames(&[START, TEXT, frame]));
        let last = reads.last().unwrap();
        assert_eq!(matches!(last, Read::Corrupt(_)), corrupt, "{frame}: {last:?}");
        assert_eq!(*last == Read::Unknown, !corrupt, "{frame}: {last:?}");
    }
}

#[test]
fn an_error_event_is_the_upstreams_failure() {
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let (reads, _, finish) = run(&memory(false, false), &frames(&[START, TEXT, error]));
    let Some(Read::Failed(fault)) = reads.last() else { panic!("{reads:?}") };
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Unavailable, "Overloaded"));
    assert_eq!(finish, Finish::Failed(fault.clone()));
}

#[test]
fn prose_is_held_back_only_until_it_is_known_to_be_the_answer() {
    let texts = |events: &[ChatEvent]| {
        let text = |event: &ChatEvent| match event {
            ChatEvent::Delta { text, .. } => Some(text.clone()),
            _ => None,
        };
        events.iter().filter_map(text).collect::<String>()
    };
    let call = r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","name":"json_tool_call","input":{"a":1}}}"#;
    let held = memory(true, true);
    let (_, events, _) = run(&held, &frames(&[START, TEXT, WORD, call, STOP]));
    assert_eq!(texts(&events), r#"{"a":1}"#);
    let (_, events, _) = run(&held, &frames(&[START, TEXT, WORD, STOP]));
    assert_eq!(texts(&events), "hi");
    let (_, events, _) = run(&held, &frames(&[START, TEXT, WORD]));
    assert_eq!(texts(&events), "hi");
}

#[test]
fn what_is_held_back_is_bounded() {
    let word = format!(
        r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{}"}}}}"#,
        "x".repeat(1 << 20)
    );
    let mut all = frames(&[START, TEXT]);
    all.extend(vec![word; 17]);
    let (reads, _, finish) = run(&memory(true, true), &all);
    assert!(matches!(reads.last(), Some(Read::Failed(fault)) if fault.kind == FaultKind::Malformed));
    assert!(matches!(finish, Finish::Failed(_)));
}

fn any_frame() -> impl Strategy<Value = String> {
    let index = 0..3_u64;
    prop_oneof![
        Just(START.to_owned()),
        Just(STOP.to_owned()),
        Just(r#"{"type":"message_stop"}"#.to_owned()),
        Just(r#"{"type":"ping"}"#.to_owned()),
        Just(r#"{"type":"error","error":{}}"#.to_owned()),
        (index.clone(), "text|thinking|redacted_thinking|tool_use|server_tool_use|x").prop_map(|(at, kind)| format!(
            r#"{{"type":"content_block_start","index":{at},"content_block":{{"type":"{kind}","name":"json_tool_call"}}}}"#
        )),
        (index.clone(), "text|thinking|signature|partial_json|citation|x").prop_map(|(at, member)| format!(
            r#"{{"type":"content_block_delta","index":{at},"delta":{{"type":"y","{member}":"z"}}}}"#
        )),
        index.prop_map(|at| format!(r#"{{"type":"content_block_stop","index":{at}}}"#)),
        r#"(\{|\}|\[|"type"|:|,|"ping"|null|1){0,12}"#,
    ]
}

proptest! {
    #[test]
    fn any_frames_make_a_legal_stream(
        all in proptest::collection::vec(any_frame(), 0..40), answers: bool, held: bool,
    ) {
        run(&memory(answers, held), &all);
    }

    #[test]
    fn blocks_are_written_one_after_the_other(steps in proptest::collection::vec((0..6_u32, 0..3_u8), 0..60)) {
        let mut encoder = MessagesStream::new(Stamp::default());
        let mut out = BytesMut::new();
        let (mut opened, mut closed) = (Vec::new(), Vec::new());
        let mut said = vec![String::new(); 6];
        encoder.event(&ChatEvent::Start { id: "i".to_owned(), model: "m".to_owned() }, &mut out);
        for (number, (block, step)) in steps.into_iter().enumerate() {
            let open = opened.contains(&block);
            let live = open && !closed.contains(&block);
            let event = match step {
                0 if !open => {
                    opened.push(block);
                    let tool = BlockKind::ToolCall { id: format!("t{block}"), name: "f".to_owned() };
                    ChatEvent::Open { block, choice: 0, kind: if block % 2 == 0 { tool } else { BlockKind::Text } }
                }
                1 if live => {
                    let text = format!("<{number}>");
                    said[block as usize].push_str(&text);
                    ChatEvent::Delta { block, text }
                }
                2 if live => {
                    closed.push(block);
                    ChatEvent::Close { block }
                }
                _ => continue,
            };
            encoder.event(&event, &mut out);
        }
        for block in opened.iter().filter(|block| !closed.contains(block)) {
            encoder.event(&ChatEvent::Close { block: *block }, &mut out);
        }
        encoder.event(&ChatEvent::Stop { choice: 0, reason: Stop::End }, &mut out);
        encoder.finish(&Finish::Complete, &mut out);
        let written = written(std::str::from_utf8(&out).unwrap());
        let expected: Vec<String> = opened.iter().map(|block| said[*block as usize].clone()).collect();
        prop_assert_eq!(written, expected);
    }
}

/// The text of each block of a client's stream; checks the order of events on the way.
fn written(stream: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut live = false;
    for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let event: serde_json::Value = serde_json::from_str(data).unwrap();
        let index = event["index"].as_u64();
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                assert!(!live && index == Some(blocks.len() as u64), "{data}");
                live = true;
                blocks.push(String::new());
            }
            "content_block_delta" => {
                assert!(live && index == Some(blocks.len() as u64 - 1), "{data}");
                let delta = &event["delta"];
                let text = delta["text"].as_str().or(delta["partial_json"].as_str()).unwrap();
                blocks.last_mut().unwrap().push_str(text);
            }
            "content_block_stop" => {
                assert!(live && index == Some(blocks.len() as u64 - 1), "{data}");
                live = false;
            }
            "message_start" => assert!(blocks.is_empty()),
            _ => assert!(!live, "{data}"),
        }
    }
    blocks
}
