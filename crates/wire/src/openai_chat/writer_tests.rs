//! Parts of a reply that no OpenAI or Ollama upstream gives, so no fixture shows.

use super::ChatWriter;
use crate::chat::{Block, Source};
use crate::codec::{ReplyWriter, Stamp};
use crate::reply::{ChatResponse, Choice, Stop};

fn message(blocks: Vec<Block>, stop: Option<Stop>) -> String {
    let writer = ChatWriter { stream_usage: false, functions: false };
    let choices = vec![Choice { blocks, stop, ..Choice::default() }];
    let response =
        ChatResponse { id: "r".to_owned(), model: "up".to_owned(), choices, ..ChatResponse::default() };
    let stamp = Stamp { model: String::new(), created: 7, id: "stamp".to_owned() };
    String::from_utf8(writer.whole(&response, &stamp).to_vec()).unwrap()
}

fn whole(choice: &str) -> String {
    format!(r#"{{"id":"r","created":7,"model":"up","object":"chat.completion","choices":[{choice}]}}"#)
}

#[test]
fn signed_thinking() {
    let thinking = Block::Thinking { text: "sum".to_owned(), signature: Some("s1".to_owned()) };
    assert_eq!(
        message(vec![thinking, Block::Text("4".to_owned())], Some(Stop::End)),
        whole(
            r#"{"finish_reason":"stop","index":0,"message":{"content":"4","role":"assistant","reasoning_content":"sum","thinking_blocks":[{"type":"thinking","thinking":"sum","signature":"s1"}]}}"#
        )
    );
}

#[test]
fn pictures() {
    let source = Source::Inline { media_type: "image/png".to_owned(), data: "QQ==".to_owned() };
    assert_eq!(
        message(vec![Block::Image { source, detail: None }], Some(Stop::End)),
        whole(
            r#"{"finish_reason":"stop","index":0,"message":{"content":"","role":"assistant","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QQ=="},"index":0}]}}"#
        )
    );
}

#[test]
fn a_cut_reply_has_no_reason_and_cut_arguments_are_not_called_complete() {
    assert_eq!(
        message(vec![], None),
        whole(r#"{"finish_reason":null,"index":0,"message":{"content":"","role":"assistant"}}"#)
    );
    let call = Block::ToolCall { id: "c".to_owned(), name: "f".to_owned(), input: "{\"a\":".to_owned() };
    assert!(message(vec![call], Some(Stop::Length)).contains(r#""finish_reason":"length""#));
}
