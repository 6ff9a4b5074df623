//! Hostile and broken streams: legal events, bounded numbers, no panic, no invented end.

use proptest::prelude::*;

use super::{ChatDecoder, Renames};
use crate::codec::{Finish, Read, StreamDecoder};
use crate::event::ChatEvent;
use crate::fault::FaultKind;
use crate::frame::Frame;
use crate::laws::Laws;

fn run(frames: &[&str]) -> (Vec<Read>, Vec<ChatEvent>, Finish) {
    let mut decoder = ChatDecoder::new("call".to_owned(), Renames::default());
    let mut events = Vec::new();
    let mut reads = Vec::new();
    for data in frames {
        reads.push(decoder.frame(&Frame { event: "", data }, &mut events));
        if matches!(reads.last(), Some(Read::Terminal | Read::Failed(_))) {
            break;
        }
    }
    let finish = decoder.end(&mut events);
    let mut laws = Laws::default();
    for event in &events {
        laws.check(event).unwrap();
    }
    (reads, events, finish)
}

#[test]
fn indices_out_of_range_are_corrupt() {
    for chunk in [
        r#"{"choices":[{"index":4294967295,"delta":{"content":"x"}}]}"#,
        r#"{"choices":[{"index":-1,"delta":{"content":"x"}}]}"#,
        r#"{"choices":[{"index":"a","delta":{"content":"x"}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}"#,
    ] {
        let (reads, _, finish) = run(&[chunk]);
        assert!(matches!(reads[0], Read::Corrupt(_)), "{chunk}");
        assert_eq!(finish, Finish::Truncated);
    }
}

#[test]
fn corrupt_frames_are_described_without_their_content() {
    let (reads, _, _) = run(&[r#"{"choices":[{"delta":{"content":"my secret"#, "[1]", "<html>"]);
    for read in reads {
        let Read::Corrupt(problem) = read else { panic!("{read:?}") };
        assert!(!problem.contains("secret") && !problem.contains("html"), "{problem}");
    }
}

#[test]
fn failures_wherever_servers_put_them() {
    for (event, chunk, kind) in [
        ("", r#"{"error":"boom"}"#, FaultKind::Internal),
        ("error", r#"{"message":"slow down","code":429}"#, FaultKind::RateLimit),
        ("", r#"{"x_groq":{"error":"boom"},"choices":[]}"#, FaultKind::Internal),
        (
            "",
            r#"{"choices":null,"base_resp":{"status_code":1008,"status_msg":"no balance"}}"#,
            FaultKind::Internal,
        ),
        ("", r#"{"choices":[{"error":{"code":503,"message":"x"}}]}"#, FaultKind::Unavailable),
    ] {
        let mut decoder = ChatDecoder::new(String::new(), Renames::default());
        let read = decoder.frame(&Frame { event, data: chunk }, &mut Vec::new());
        assert!(matches!(&read, Read::Failed(fault) if fault.kind == kind), "{chunk}: {read:?}");
        assert!(matches!(decoder.end(&mut Vec::new()), Finish::Failed(_)));
    }
    let (reads, ..) = run(&[r#"{"error":null,"choices":[],"base_resp":{"status_code":0}}"#]);
    assert_eq!(reads, [Read::Known]);
}

#[test]
fn every_choice_must_have_ended() {
    let one = r#"{"choices":[{"index":0,"delta":{"content":"x"}},{"index":1,"delta":{"content":"y"}}]}"#;
    let first = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    let second = r#"{"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}"#;
    assert_eq!(run(&[one, first]).2, Finish::Truncated);
    assert_eq!(run(&[one, first, second]).2, Finish::Complete);
    assert_eq!(run(&[]).2, Finish::Truncated);
}

#[test]
fn words_after_the_end_are_reported_and_a_repeated_end_is_not() {
    let stop = r#"{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"#;
    let late = r#"{"choices":[{"delta":{"content":"late"}}]}"#;
    let again = r#"{"choices":[{"delta":{"content":""},"finish_reason":"stop"}]}"#;
    let (reads, events, finish) = run(&[stop, late, again]);
    assert_eq!(reads, [Read::Known, Read::Unknown, Read::Known]);
    assert_eq!(events.iter().filter(|event| matches!(event, ChatEvent::Unmodeled { .. })).count(), 1);
    assert_eq!(finish, Finish::Complete);
}

#[test]
fn calls_are_bounded() {
    let call = |id: usize| {
        format!(
            r#"{{"choices":[{{"delta":{{"tool_calls":[{{"id":"c{id}","function":{{"name":"f"}}}}]}}}}]}}"#
        )
    };
    let frames: Vec<String> = (0..1100).map(call).collect();
    let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
    let (reads, events, _) = run(&frames);
    assert_eq!(events.iter().filter(|event| matches!(event, ChatEvent::Open { .. })).count(), 1024);
    assert!(matches!(reads.last(), Some(Read::Corrupt(_))));
}

proptest! {
    #[test]
    fn any_frames_give_legal_events(frames in prop::collection::vec(
        prop_oneof![
            Just(r#"{"choices":[]}"#.to_owned()),
            Just("[DONE]".to_owned()),
            "\\PC{0,20}",
            (0..3_u8, prop_oneof![
                Just(r#""content":"<think>""#), Just(r#""content":"</think>x""#), Just(r#""reasoning":"r""#),
                Just(r#""refusal":"r""#), Just(r#""tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}]"#),
                Just(r#""tool_calls":[{"index":0,"function":{"arguments":"2"}}]"#), Just(r#""tool_calls":[{"function":{"name":"g"}}]"#),
                Just(r#""function_call":{"name":"f"}"#), Just(r#""content":[{"text":"x"},7]"#), Just(r#""content":7"#),
            ], prop_oneof![Just("null"), Just("\"\""), Just("\"stop\""), Just("7")])
                .prop_map(|(index, delta, end)| format!(r#"{{"choices":[{{"index":{index},"delta":{{{delta}}},"finish_reason":{end}}}],"usage":{{"prompt_tokens":{index}}}}}"#)),
        ], 0..20))
    {
        let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
        run(&frames);
    }
}
