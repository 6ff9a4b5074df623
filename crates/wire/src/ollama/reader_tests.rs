//! Lines that no fixture shows: broken, hostile, or from odd servers.

use proptest::prelude::*;

use super::{OllamaDecoder, OllamaReader, Operation};
use crate::chat::Block;
use crate::codec::{Finish, Read, ReplyReader, StreamDecoder};
use crate::event::ChatEvent;
use crate::frame::Frame;
use crate::laws::Laws;

fn run(lines: &[&str]) -> (Vec<Read>, Finish) {
    let mut decoder = OllamaDecoder::new("call".to_owned(), Operation::Chat);
    let (mut events, mut reads): (Vec<ChatEvent>, Vec<Read>) = (Vec::new(), Vec::new());
    for data in lines {
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
    (reads, finish)
}

fn whole(body: &str) -> Result<Vec<Block>, String> {
    let reader = OllamaReader { call_id: "call".to_owned(), operation: Operation::Chat };
    let reply = reader.whole(body.as_bytes()).map_err(|error| error.to_string())?;
    Ok(reply.choices.into_iter().flat_map(|choice| choice.blocks).collect())
}

#[test]
fn arguments_of_every_shape_are_json_text() {
    for (arguments, input) in [
        (r#"{"a": 1}"#, r#"{"a": 1}"#),
        (r#""{\"a\":1}""#, r#"{"a":1}"#),
        ("null", "{}"),
        (r#""""#, "{}"),
        ("{}", "{}"),
    ] {
        let call = format!(r#"{{"function":{{"name":"f","arguments":{arguments}}}}}"#);
        let body = format!(r#"{{"message":{{"content":"","tool_calls":[{call}]}},"done":true}}"#);
        let call =
            Block::ToolCall { id: "call_call_0".to_owned(), name: "f".to_owned(), input: input.to_owned() };
        assert_eq!(whole(&body), Ok(vec![call]), "{arguments}");
    }
}

#[test]
fn what_is_no_reply_is_an_error() {
    for (body, error) in [
        (r#"{"error":"model 'x' not found"}"#, "error: model 'x' not found"),
        ("{}", "body: is not a reply of Ollama"),
        ("[]", "body: not a line of Ollama's"),
        ("<html>", "body: not JSON: Syntax error"),
    ] {
        assert_eq!(whole(body), Err(error.to_owned()), "{body}");
    }
}

#[test]
fn a_stream_is_complete_only_with_its_last_line() {
    let hi = r#"{"message":{"content":"hi"},"done":false}"#;
    let done = r#"{"message":{"content":""},"done":true,"done_reason":"stop"}"#;
    assert_eq!(run(&[hi]), (vec![Read::Known], Finish::Truncated));
    assert_eq!(run(&[hi, done]), (vec![Read::Known, Read::Terminal], Finish::Complete));
    assert_eq!(run(&[]).1, Finish::Truncated);
    let (_, finish) = run(&[hi, r#"{"error":"out of memory"}"#]);
    assert!(
        matches!(finish, Finish::Failed(fault) if fault.message == "out of memory" && fault.status == 500)
    );
}

proptest! {
    #[test]
    fn any_lines_give_legal_events(lines in prop::collection::vec(prop_oneof![
        "\\PC{0,20}",
        Just(r#"{"message":{"content":"<think>"}}"#.to_owned()),
        Just(r#"{"message":{"content":"</think>x","tool_calls":[{"function":{"name":"f"}}]}}"#.to_owned()),
        Just(r#"{"message":{"thinking":"t"}}"#.to_owned()),
        Just(r#"{"message":null,"done":false}"#.to_owned()),
        Just(r#"{"done":true}"#.to_owned()),
    ], 0..12)) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        run(&lines);
    }
}
