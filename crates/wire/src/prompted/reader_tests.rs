//! Replies that no fixture shows: broken, hostile, or from odd servers.

use proptest::prelude::*;

use super::super::text_generation::meaning;
use super::*;
use crate::laws::Laws;

fn run(lines: &[&str]) -> (Vec<Read>, Finish) {
    let mut decoder = TextReader::streamed(meaning).stream();
    let (mut events, mut reads) = (Vec::new(), Vec::new());
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

#[test]
fn a_stream_is_complete_only_with_its_reason() {
    let piece = r#"{"token":{"text":"a"}}"#;
    let last = r#"{"token":{"text":"b"},"generated_text":"ab"}"#;
    assert_eq!(run(&[piece]).1, Finish::Truncated);
    assert_eq!(run(&[piece, last]), (vec![Read::Known, Read::Terminal], Finish::Complete));
    assert_eq!(run(&[r#"{"generated_text":"a"}"#]).0, [Read::Unknown], "no piece of a stream");
}

#[test]
fn what_is_no_reply_is_an_error() {
    let reader = TextReader::streamed(meaning);
    for (body, error) in [
        (r#"{"error":"Model is overloaded","error_type":"overloaded"}"#, "error: Model is overloaded"),
        ("{}", "body: is no reply of this provider"),
        ("[]", "body: is no reply of this provider"),
        (r#"[[{"generated_text":1}]]"#, "body: is no reply of this provider"),
    ] {
        assert_eq!(reader.whole(body.as_bytes()).unwrap_err().to_string(), error);
    }
    let nested = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(reader.whole(nested.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn any_lines_give_legal_events(lines in prop::collection::vec(prop_oneof![
        "\\PC{0,20}",
        Just(r#"{"token":{"text":"<think>"}}"#.to_owned()),
        Just(r#"{"token":{"text":"</think>x","special":true}}"#.to_owned()),
        Just(r#"{"token":{"text":"a"},"generated_text":"a"}"#.to_owned()),
        Just(r#"{"details":{}}"#.to_owned()),
    ], 0..12)) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        run(&lines);
    }
}
