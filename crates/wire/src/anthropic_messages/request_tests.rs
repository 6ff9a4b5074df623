//! What clients send that a fixture does not show: wrong fields, odd but meaningful ones.

use proptest::prelude::*;

use super::MessagesClient;
use crate::chat::{Block, ChatRequest, Role, Shape, ThinkingMode};
use crate::codec::ClientCodec;
use crate::fault::TranslateError;

fn decode(body: &str) -> Result<ChatRequest, TranslateError> {
    MessagesClient.decode(body.as_bytes()).map(|inbound| inbound.request)
}

fn with(field: &str) -> Result<ChatRequest, TranslateError> {
    decode(&format!(r#"{{"messages":[],{field}}}"#))
}

fn said(block: &str) -> Result<Vec<Block>, TranslateError> {
    decode(&format!(r#"{{"messages":[{{"role":"user","content":[{block}]}}]}}"#))
        .map(|request| request.turns[0].blocks.clone())
}

#[test]
fn errors_name_the_field() {
    for (body, field) in [
        ("", "body"),
        (r#"{"model":"m"}"#, "messages"),
        (r#"{"messages":7}"#, "messages"),
        (r#"{"messages":[{"role":"tool","content":""}]}"#, "messages[0].role"),
        (r#"{"messages":[{"role":"user"}]}"#, "messages[0].content"),
        (r#"{"messages":[],"model":"a","model":"b"}"#, "body"),
    ] {
        assert_eq!(decode(body).unwrap_err().field(), field, "{body}");
    }
    for (field, path) in [
        (r#""max_tokens":"many""#, "max_tokens"),
        (r#""stop_sequences":"END""#, "stop_sequences"),
        (r#""system":[{"type":"text"}]"#, "system[0].text"),
        (r#""metadata":{"user_id":7}"#, "metadata.user_id"),
        (r#""thinking":{"type":"much"}"#, "thinking.type"),
        (r#""tools":[{"input_schema":{}}]"#, "tools[0].name"),
        (r#""tool_choice":{"type":"maybe"}"#, "tool_choice.type"),
        (r#""tool_choice":{"type":"tool"}"#, "tool_choice.name"),
        (r#""output_config":{"format":{"type":"xml"}}"#, "output_config.format.type"),
        (r#""output_format":{"type":"json_schema"}"#, "output_format.schema"),
    ] {
        assert_eq!(with(field).unwrap_err().field(), path, "{field}");
    }
    for (block, path) in [
        ("7", "messages[0].content[0]"),
        (r#"{"text":"x"}"#, "messages[0].content[0].type"),
        (
            r#"{"type":"image","source":{"type":"base64","data":"x"}}"#,
            "messages[0].content[0].source.media_type",
        ),
        (r#"{"type":"tool_use","id":"a"}"#, "messages[0].content[0].name"),
        (
            r#"{"type":"tool_result","tool_use_id":"a","content":[{"type":"text"}]}"#,
            "messages[0].content[0].content[0].text",
        ),
    ] {
        assert_eq!(said(block).unwrap_err().field(), path, "{block}");
    }
}

#[test]
fn a_kind_of_block_that_is_new_stays_whole() {
    let block = r#"{"type":"from_the_future","text":1.50,"cache_control":{"type":"ephemeral"}}"#;
    let [Block::Opaque { raw, .. }] = &said(block).unwrap()[..] else { panic!("not opaque") };
    assert_eq!(raw.text(), block);
}

#[test]
fn the_system_is_the_first_turn_without_claude_codes_billing_header() {
    let request = with(
        r#""system":[{"type":"text","text":"x-anthropic-billing-header: cc=1"},{"type":"text","text":"S"}]"#,
    );
    let turns = request.unwrap().turns;
    assert_eq!((turns[0].role, &turns[0].blocks[..]), (Role::System, &[Block::Text("S".to_owned())][..]));
}

#[test]
fn settings_have_two_spellings() {
    let schema = r#"{"type":"json_schema","schema":{"type":"object"}}"#;
    for field in [format!(r#""output_format":{schema}"#), format!(r#""output_config":{{"format":{schema}}}"#)]
    {
        assert!(matches!(with(&field).unwrap().shape, Shape::Schema { .. }), "{field}");
    }
    let request =
        with(r#""thinking":{"type":"enabled","budget_tokens":3000},"output_config":{"effort":"max"}"#);
    let request = request.unwrap();
    assert_eq!(request.thinking.as_ref().unwrap().mode, ThinkingMode::Budget(3000));
    assert_eq!(request.effort(), Some("max"));
    assert_eq!(
        with(r#""thinking":{"type":"enabled","budget_tokens":3000}"#).unwrap().effort(),
        Some("medium")
    );
    assert_eq!(with(r#""thinking":{"type":"disabled"}"#).unwrap().effort(), Some("none"));
}

proptest! {
    #[test]
    fn no_body_panics(body in r#"(\{|\}|\[|\]|,|:|"messages"|"role"|"user"|"content"|"type"|"tool_use"|"system"|null|1|"x"){0,40}"#) {
        let _ = MessagesClient.decode(body.as_bytes());
    }
}
