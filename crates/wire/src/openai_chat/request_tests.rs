//! What clients send that a fixture does not show: wrong fields, odd but meaningful ones.

use proptest::prelude::*;

use super::ChatClient;
use crate::chat::{Block, ChatRequest, Shape, Source, ToolChoice};
use crate::codec::ClientCodec;
use crate::fault::TranslateError;

fn decode(body: &str) -> Result<ChatRequest, TranslateError> {
    ChatClient.decode(body.as_bytes()).map(|inbound| inbound.request)
}

fn with(field: &str) -> Result<ChatRequest, TranslateError> {
    decode(&format!(r#"{{"model":"m","messages":[],{field}}}"#))
}

fn said(message: &str) -> Result<Vec<Block>, TranslateError> {
    decode(&format!(r#"{{"messages":[{message}]}}"#)).map(|request| request.turns[0].blocks.clone())
}

#[test]
fn errors_name_the_field() {
    for (body, field) in [
        ("", "body"),
        ("[]", "body"),
        (r#"{"model":"m"}"#, "messages"),
        (r#"{"messages":null}"#, "messages"),
        (r#"{"messages":"hi"}"#, "messages"),
        (r#"{"messages":[],"model":"a","model":"b"}"#, "body"),
        (r#"{"messages":[],"model":7}"#, "model"),
        (r#"{"messages":[7]}"#, "messages[0]"),
        (r#"{"messages":[{"content":"x"}]}"#, "messages[0].role"),
        (r#"{"messages":[{"role":"robot"}]}"#, "messages[0].role"),
        (r#"{"messages":[{"role":"user","content":7}]}"#, "messages[0].content"),
        (r#"{"messages":[{"role":"user","content":[{"text":"x"}]}]}"#, "messages[0].content[0].type"),
        (r#"{"messages":[{"role":"user","content":[{"type":"text"}]}]}"#, "messages[0].content[0].text"),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,x"}}]}]}"#,
            "messages[0].content[0].image_url.url",
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"x"}}]}]}"#,
            "messages[0].content[0].input_audio.format",
        ),
        (r#"{"messages":[{"role":"tool","content":"x"}]}"#, "messages[0].tool_call_id"),
        (
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a"}]}]}"#,
            "messages[0].tool_calls[0].function",
        ),
        (
            r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{}}]}]}"#,
            "messages[0].tool_calls[0].function.name",
        ),
    ] {
        assert_eq!(decode(body).unwrap_err().field(), field, "{body}");
    }
    for (field, path) in [
        (r#""stream":"yes""#, "stream"),
        (r#""stream_options":{"include_usage":1}"#, "stream_options.include_usage"),
        (r#""temperature":"hot""#, "temperature"),
        (r#""max_tokens":-1"#, "max_tokens"),
        (r#""stop":[1]"#, "stop"),
        (r#""tools":{}"#, "tools"),
        (r#""tools":[{"type":"function"}]"#, "tools[0].function"),
        (r#""tools":[{"type":"function","function":{}}]"#, "tools[0].function.name"),
        (r#""tool_choice":"maybe""#, "tool_choice"),
        (r#""tool_choice":{"type":"function","function":{}}"#, "tool_choice.function.name"),
        (r#""response_format":"json""#, "response_format"),
        (
            r#""response_format":{"type":"json_schema","json_schema":{}}"#,
            "response_format.json_schema.schema",
        ),
        (r#""functions":[{}]"#, "functions[0].name"),
    ] {
        assert_eq!(with(field).unwrap_err().field(), path, "{field}");
    }
}

#[test]
fn null_is_absent() {
    let request = with(
        r#""stream":null,"stop":null,"tools":null,"tool_choice":null,"n":null,"response_format":null,"functions":null,"stream_options":null"#,
    )
    .unwrap();
    assert_eq!((request.stream, request.stream_usage, request.tool_choice), (false, false, None));
    assert_eq!(request.shape, Shape::Text);
}

#[test]
fn the_newer_token_bound_wins() {
    for field in
        [r#""max_tokens":9,"max_completion_tokens":3"#, r#""max_completion_tokens":3,"max_tokens":9"#]
    {
        assert_eq!(with(field).unwrap().sampling.max_tokens, Some(3), "{field}");
    }
    assert_eq!(with(r#""max_completion_tokens":null,"max_tokens":9"#).unwrap().sampling.max_tokens, Some(9));
}

#[test]
fn unmodelled_fields_are_kept_as_they_were_written() {
    let request =
        with(r#""a":1.50,"tool_choice":{"type":"allowed_tools","mode":"auto"},"b":{"z":1, "a":null}"#)
            .unwrap();
    let kept: Vec<(&str, &str)> =
        request.extras.iter().map(|(name, raw)| (name.as_str(), raw.text())).collect();
    let choice = r#"{"type":"allowed_tools","mode":"auto"}"#;
    assert_eq!(kept, [("a", "1.50"), ("tool_choice", choice), ("b", r#"{"z":1, "a":null}"#)]);
    assert_eq!(request.tool_choice, None);
    assert_eq!(with(r#""tool_choice":"none""#).unwrap().tool_choice, Some(ToolChoice::Never));
}

#[test]
fn sources() {
    let inline = |media_type: &str, data: &str| Source::Inline {
        media_type: media_type.to_owned(),
        data: data.to_owned(),
    };
    for (url, extra, source) in [
        ("https://a/b.png", "", Source::Url("https://a/b.png".to_owned())),
        ("data:image/jpg;base64,QQ==", "", inline("image/jpeg", "QQ==")),
        ("data:image/png;name=x;base64,QQ==", "", inline("image/png", "QQ==")),
        ("data:image/png;base64,QQ==", r#","format":"image/webp""#, inline("image/webp", "QQ==")),
    ] {
        let part = format!(r#"{{"type":"image_url","image_url":{{"url":"{url}"{extra}}}}}"#);
        let blocks = said(&format!(r#"{{"role":"user","content":[{part}]}}"#)).unwrap();
        assert_eq!(blocks, [Block::Image { source, detail: None }], "{url}");
    }
    for (file, source) in [
        (r#""file_id":"file-1""#, Source::Id("file-1".to_owned())),
        (r#""file_id":"gs://b/o""#, Source::Url("gs://b/o".to_owned())),
        (r#""file_data":"JVBE","format":"application/pdf""#, inline("application/pdf", "JVBE")),
    ] {
        let message = format!(r#"{{"role":"user","content":[{{"type":"file","file":{{{file}}}}}]}}"#);
        assert_eq!(
            said(&message).unwrap(),
            [Block::File { source, name: None, hints: Vec::new() }],
            "{file}"
        );
    }
}

#[test]
fn signed_thinking_comes_back_before_the_answer() {
    let message = r#"{"role":"assistant","content":"4","reasoning_content":"sum",
        "thinking_blocks":[{"type":"thinking","thinking":"sum","signature":"s1"}]}"#;
    let thinking = Block::Thinking { text: "sum".to_owned(), signature: Some("s1".to_owned()) };
    assert_eq!(said(message).unwrap(), [thinking, Block::Text("4".to_owned())]);
}

proptest! {
    #[test]
    fn no_body_panics(body in r#"(\{|\}|\[|\]|,|:|"messages"|"role"|"user"|"content"|"type"|"tools"|null|1|"x"){0,40}"#) {
        let _ = ChatClient.decode(body.as_bytes());
    }
}
