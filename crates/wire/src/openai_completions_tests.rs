//! The legacy text completion as its clients see it.

use bytes::BytesMut;

use super::CompletionClient;
use crate::chat::Block;
use crate::codec::{ClientCodec, Finish, Stamp};
use crate::event::{BlockKind, ChatEvent};
use crate::fault::TranslateError;
use crate::reply::{ChatResponse, Choice, Stop, Usage};

fn stamp() -> Stamp {
    Stamp { model: "public".to_owned(), created: 7, id: "cmpl-1".to_owned() }
}

#[test]
fn a_prompt_is_one_user_turn() {
    for prompt in [r#""Say hi""#, r#"["Say hi"]"#] {
        let body = format!(
            r#"{{"model":"m","prompt":{prompt},"max_tokens":5,"logprobs":2,"echo":true,"stop":"."}}"#
        );
        let request = CompletionClient.decode(body.as_bytes()).unwrap().request;
        assert_eq!(request.turns.len(), 1);
        assert_eq!(request.turns[0].blocks, [Block::Text("Say hi".to_owned())]);
        assert_eq!((request.sampling.max_tokens, request.sampling.top_logprobs), (Some(5), Some(2)));
        assert_eq!(request.extras[0].0, "echo");
    }
}

#[test]
fn prompts_that_are_no_conversation() {
    for prompt in [r#"["a","b"]"#, "[1,2]", "[[1,2]]", "[]"] {
        let error = CompletionClient.decode(format!(r#"{{"prompt":{prompt}}}"#).as_bytes()).err().unwrap();
        assert!(matches!(&error, TranslateError::Unsupported { field, .. } if field == "prompt"), "{prompt}");
    }
    for body in ["{}", r#"{"prompt":null}"#, r#"{"prompt":3}"#] {
        assert_eq!(CompletionClient.decode(body.as_bytes()).err().unwrap().field(), "prompt");
    }
}

#[test]
fn a_whole_reply() {
    let writer = CompletionClient.decode(br#"{"prompt":"x"}"#).unwrap().writer;
    let thinking = Block::Thinking { text: "hm".to_owned(), signature: None };
    let blocks = vec![thinking, Block::Text("hi".to_owned())];
    let choices = vec![Choice { blocks, stop: Some(Stop::Length), ..Choice::default() }];
    let usage = Some(Usage { input: 1, output: 2, ..Usage::default() });
    let response = ChatResponse { choices, usage, ..ChatResponse::default() };
    assert_eq!(
        writer.whole(&response, &stamp()),
        r#"{"id":"cmpl-1","object":"text_completion","created":7,"model":"public","choices":[{"text":"hi","index":0,"logprobs":null,"finish_reason":"length"}],"usage":{"completion_tokens":2,"prompt_tokens":1,"total_tokens":3}}"#
    );
}

#[test]
fn a_stream() {
    let body = br#"{"prompt":"x","stream":true,"stream_options":{"include_usage":true}}"#;
    let mut stream = CompletionClient.decode(body).unwrap().writer.stream(stamp());
    let mut out = BytesMut::new();
    for event in [
        ChatEvent::Start { id: String::new(), model: String::new() },
        ChatEvent::Open { block: 0, choice: 0, kind: BlockKind::Thinking },
        ChatEvent::Delta { block: 0, text: "hm".to_owned() },
        ChatEvent::Open { block: 1, choice: 0, kind: BlockKind::Text },
        ChatEvent::Delta { block: 1, text: "hi".to_owned() },
        ChatEvent::Stop { choice: 0, reason: Stop::ToolUse },
        ChatEvent::Usage(Usage { input: 1, output: 2, ..Usage::default() }),
    ] {
        stream.event(&event, &mut out);
    }
    stream.finish(&Finish::Complete, &mut out);
    let head = r#"data: {"id":"cmpl-1","object":"text_completion","created":7,"model":"public","choices":["#;
    let expected = [
        head,
        r#"{"text":"hi","index":0,"logprobs":null,"finish_reason":null}]}"#,
        "\n\n",
        head,
        r#"{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}]}"#,
        "\n\n",
        head,
        r#"],"usage":{"completion_tokens":2,"prompt_tokens":1,"total_tokens":3}}"#,
        "\n\ndata: [DONE]\n\n",
    ];
    assert_eq!(String::from_utf8(out.to_vec()).unwrap(), expected.concat());
}

#[test]
fn a_broken_stream_ends_with_an_error_and_without_done() {
    let mut stream = CompletionClient.decode(br#"{"prompt":"x"}"#).unwrap().writer.stream(stamp());
    let mut out = BytesMut::new();
    stream.finish(&Finish::Truncated, &mut out);
    let text = String::from_utf8(out.to_vec()).unwrap();
    assert!(text.contains(r#""code":"502""#) && !text.contains("[DONE]"), "{text}");
}
