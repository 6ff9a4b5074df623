//! Hostile and broken streams: legal events, no panic, no invented end. And the client's side of them.

use bytes::BytesMut;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::GeminiDecoder;
use crate::chat::{Block, Citation};
use crate::codec::{Finish, Read, Stamp, StreamDecoder, StreamEncoder};
use crate::event::ChatEvent;
use crate::fault::FaultKind;
use crate::fold::fold;
use crate::format::Format;
use crate::frame::Frame;
use crate::gemini::Streamed;
use crate::gemini::reader::Memory;
use crate::gemini::stream_writer::GeminiStream;
use crate::gemini::writer::GeminiWriter;
use crate::laws::Laws;
use crate::openai_chat::renames::Renames;
use crate::reply::Stop;

fn run(frames: &[String]) -> (Vec<Read>, Vec<ChatEvent>, Finish) {
    let memory = Memory { names: Renames::default(), call_id: "call".to_owned() };
    let mut decoder = GeminiDecoder::new(memory);
    let mut events = Vec::new();
    let reads = frames.iter().map(|data| decoder.frame(&Frame { event: "", data }, &mut events)).collect();
    let finish = decoder.end(&mut events);
    let mut laws = Laws::default();
    for event in &events {
        laws.check(event).unwrap();
    }
    (reads, events, finish)
}

fn parts(parts: &Value) -> String {
    json!({"candidates": [{"content": {"parts": parts}}], "usageMetadata": {"promptTokenCount": 3}})
        .to_string()
}

fn stop(word: &str) -> String {
    json!({"candidates": [{"finishReason": word}]}).to_string()
}

fn blocks(frames: &[String]) -> Vec<Block> {
    fold(&run(frames).1).choices.remove(0).blocks
}

fn thinking(text: &str, signature: &str) -> Block {
    Block::Thinking { text: text.to_owned(), signature: Some(format!("gemini:{signature}")) }
}

#[test]
fn signatures_stay_with_what_they_are_on() {
    let text = |text: &str| Block::Text(text.to_owned());
    let frames = [
        parts(
            &json!([{"text": "Hm", "thought": true}, {"text": "m.", "thought": true, "thoughtSignature": "QQ=="}]),
        ),
        parts(&json!([{"text": "Hel"}, {"text": "lo"}])),
        parts(&json!([{"text": "", "thoughtSignature": "Qg=="}])),
        parts(&json!([{"text": "More", "thoughtSignature": "Qw=="}, {"text": "!"}])),
        stop("STOP"),
    ];
    let expected = [
        thinking("Hmm.", "QQ=="),
        text("Hello"),
        thinking("", "Qg=="),
        text("More"),
        thinking("", "Qw=="),
        text("!"),
    ];
    assert_eq!(blocks(&frames), expected);
    let calls = parts(&json!([
        {"functionCall": {"name": "f", "args": {"a": 1.50}}, "thoughtSignature": "a+/b"},
        {"functionCall": {"id": "own", "name": "g"}},
    ]));
    let call = |id: &str, name: &str, input: &str| Block::ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        input: input.to_owned(),
    };
    assert_eq!(
        blocks(&[calls]),
        [call("call_call_0__thought__a-_b", "f", r#"{"a":1.5}"#), call("own", "g", "{}")]
    );
}

#[test]
fn a_call_is_the_reason_whatever_the_last_frame_says() {
    let call = parts(&json!([{"functionCall": {"name": "f", "args": {}}}]));
    let (_, events, finish) = run(&[call, stop("STOP")]);
    assert_eq!(events.last(), Some(&ChatEvent::Stop { choice: 0, reason: Stop::ToolUse }));
    assert_eq!(finish, Finish::Complete);
}

#[test]
fn a_blocked_prompt_is_an_answer_that_was_filtered() {
    let blocked = r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7}}"#;
    let (reads, events, finish) = run(&[blocked.to_owned()]);
    assert_eq!((reads, finish), (vec![Read::Known], Finish::Complete));
    assert!(events.contains(&ChatEvent::Stop { choice: 0, reason: Stop::Filtered }));
}

#[test]
fn a_cut_stream_has_no_stop() {
    let (_, events, finish) = run(&[parts(&json!([{"text": "Hel"}]))]);
    assert_eq!(finish, Finish::Truncated);
    assert!(!events.iter().any(|event| matches!(event, ChatEvent::Stop { .. })));
    assert_eq!(events.last(), Some(&ChatEvent::Close { block: 0 }));
    assert_eq!(run(&[]).2, Finish::Truncated);
}

#[test]
fn what_is_spoilt_says_so_and_what_is_new_is_kept() {
    let hi = parts(&json!([{"text": "Hi"}]));
    for frame in [
        "[1]",
        "{",
        r#"{"candidates":{}}"#,
        r#"{"candidates":[7]}"#,
        r#"{"candidates":[{"index":1000}]}"#,
        r#"{"candidates":[{"content":{"parts":{}}}]}"#,
        r#"{"candidates":[{"content":{"parts":[7]}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"functionCall":[]}]}}]}"#,
    ] {
        let (reads, _, _) = run(&[hi.clone(), frame.to_owned()]);
        assert!(matches!(reads.last(), Some(Read::Corrupt(_))), "{frame}: {reads:?}");
    }
    let new = r#"{"from_the_future":1}"#.to_owned();
    assert_eq!(run(&[hi.clone(), new]).0, [Read::Known, Read::Unknown]);
    let (reads, events, _) = run(&[hi.clone(), stop("STOP"), hi]);
    assert_eq!(reads, [Read::Known, Read::Known, Read::Unknown]);
    assert!(matches!(events.last(), Some(ChatEvent::Unmodeled { .. })));
}

#[test]
fn an_error_is_the_upstreams_failure() {
    let error = r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
    let (reads, _, finish) = run(&[parts(&json!([{"text": "Hel"}])), error.to_owned()]);
    let Some(Read::Failed(fault)) = reads.last() else { panic!("{reads:?}") };
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Unavailable, Some("UNAVAILABLE")));
    assert_eq!(finish, Finish::Failed(fault.clone()));
}

#[test]
fn searches_are_counted_once_and_words_have_their_source() {
    let grounding = json!({"webSearchQueries": ["a", "b"], "groundingChunks": [{"web": {"uri": "https://x.example"}}],
        "groundingSupports": [{"segment": {"startIndex": 0, "endIndex": 2, "text": "Hi"}, "groundingChunkIndices": [0]}]});
    let last = json!({"candidates": [{"finishReason": "STOP", "groundingMetadata": grounding}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "toolUsePromptTokenCount": 900, "totalTokenCount": 904}});
    let reply = fold(&run(&[parts(&json!([{"text": "Hi"}])), last.to_string()]).1);
    let usage = reply.usage.unwrap();
    assert_eq!((usage.searches, usage.input), (2, 3));
    let [_, Block::Citation(Citation { url, from: Format::Gemini, .. })] = &reply.choices[0].blocks[..]
    else {
        panic!("{reply:?}")
    };
    assert_eq!(url.as_deref(), Some("https://x.example"));
}

fn written(streamed: Streamed, events: &[ChatEvent], finish: &Finish) -> String {
    let writer = GeminiWriter { shows_thoughts: true, streamed: Some(streamed) };
    let mut encoder = GeminiStream::new(writer, Stamp::default());
    let mut out = BytesMut::new();
    events.iter().for_each(|event| encoder.event(event, &mut out));
    encoder.finish(finish, &mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn an_array_that_grows_is_one_json_value_however_it_ends() {
    let (_, events, _) = run(&[parts(&json!([{"text": "Hi"}])), stop("STOP")]);
    let whole: Vec<Value> =
        serde_json::from_str(&written(Streamed::Array, &events, &Finish::Complete)).unwrap();
    assert_eq!(whole[0]["candidates"][0]["content"]["parts"], json!([{"text": "Hi"}]));
    assert!(whole[0]["candidates"][0].get("finishReason").is_none());
    assert_eq!(whole[1]["candidates"][0]["finishReason"], "STOP");
    assert_eq!(whole[1]["usageMetadata"]["promptTokenCount"], 3);
    for events in [&events[..], &[]] {
        let cut: Vec<Value> =
            serde_json::from_str(&written(Streamed::Array, events, &Finish::Truncated)).unwrap();
        assert_eq!(cut.last().unwrap()["error"]["status"], "UNAVAILABLE");
    }
}

fn any_frame() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-c]{0,3}".prop_map(|text| json!({"text": text})),
        "[a-c]{0,2}".prop_map(|text| json!({"text": text, "thought": true})),
        "[a-c]{0,2}".prop_map(|text| json!({"text": text, "thoughtSignature": "QQ=="})),
        "[a-c]{0,2}".prop_map(|text| json!({"text": text, "thought": true, "thoughtSignature": "QQ=="})),
        Just(json!({"functionCall": {"name": "f"}})),
        Just(json!({"inlineData": {"mimeType": "image/png", "data": "AA=="}})),
        Just(json!({"thought": true})),
        Just(json!(7)),
    ];
    let candidate = (0..3_u32, proptest::collection::vec(part, 0..4), proptest::option::of("STOP|SAFETY|"));
    prop_oneof![
        proptest::collection::vec(candidate, 0..3).prop_map(|all| {
            let candidates = all.into_iter().map(|(index, parts, reason)| {
                json!({"index": index, "content": {"parts": parts}, "finishReason": reason.unwrap_or_default(),
                    "groundingMetadata": {"webSearchQueries": ["q"]}})
            });
            json!({"candidates": candidates.collect::<Vec<_>>(), "usageMetadata": {"totalTokenCount": 1}}).to_string()
        }),
        Just(r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#.to_owned()),
        Just(r#"{"error":{}}"#.to_owned()),
        r#"(\{|\}|\[|"candidates"|:|,|"x"|null|1){0,12}"#,
    ]
}

proptest! {
    #[test]
    fn any_frames_make_a_legal_stream_and_an_array(all in proptest::collection::vec(any_frame(), 0..12)) {
        let (_, events, finish) = run(&all);
        let text = written(Streamed::Array, &events, &finish);
        prop_assert!(serde_json::from_str::<Vec<Value>>(&text).is_ok(), "{}", text);
    }
}
