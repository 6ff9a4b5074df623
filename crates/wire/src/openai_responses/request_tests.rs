//! Requests as callers write them.

use serde_json::{Value, json};

use super::ResponsesClient;
use crate::chat::{Block, ChatRequest, Role, Shape, Source, ToolChoice};
use crate::codec::ClientCodec;
use crate::fault::TranslateError;
use crate::format::Format;

fn decode(body: &Value) -> Result<ChatRequest, TranslateError> {
    ResponsesClient.decode(body.to_string().as_bytes()).map(|inbound| inbound.request)
}

#[test]
fn one_answer_is_one_turn() {
    let request = decode(&json!({"model": "m", "instructions": "Be brief.", "input": [
        {"role": "user", "content": "Weather?"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}], "encrypted_content": "gA"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Looking."}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"x\":1}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** \"x\""},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_image", "image_url": "data:image/png;base64,iVBORw0="}]},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "ok"},
        {"role": "assistant", "content": "One"},
        {"role": "assistant", "content": "Two"},
        {"type": "item_reference", "id": "msg_1"},
    ]}))
    .unwrap();
    let roles: Vec<Role> = request.turns.iter().map(|turn| turn.role).collect();
    use Role::{Assistant, System, Tool, User};
    assert_eq!(roles, [System, User, Assistant, Tool, Tool, Assistant, Assistant, User]);
    let blocks = &request.turns[2].blocks;
    let signature = Some("openai_reasoning:rs_1:gA".to_owned());
    assert_eq!(blocks[0], Block::Thinking { text: "a\n\nb".to_owned(), signature });
    let input = "{\"content\":\"*** \\\"x\\\"\"}".to_owned();
    assert_eq!(blocks[3], Block::ToolCall { id: "c2".to_owned(), name: "patch".to_owned(), input });
    let Block::ToolResult { content, .. } = &request.turns[3].blocks[0] else { panic!() };
    assert!(
        matches!(&content[0], Block::Image { source: Source::Inline { media_type, .. }, .. } if media_type == "image/png")
    );
    assert!(matches!(request.turns[7].blocks[0], Block::Opaque { from: Format::OpenAiResponses, .. }));
    let paths: Vec<String> = request.placed().map(|(path, _)| path.to_string()).collect();
    assert_eq!(
        paths,
        ["instructions", "input[0]", "input[1]", "input[5]", "input[6]", "input[7]", "input[8]", "input[9]"]
    );
}

#[test]
fn settings_are_modelled_or_kept() {
    let request = decode(&json!({"model": "m", "input": "x", "max_output_tokens": 9, "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true}},
        "tool_choice": {"type": "function", "name": "ns__f"}, "include": ["message.output_text.logprobs"], "background": false, "store": false,
        "tools": [
            {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false},
            {"type": "namespace", "name": "ns", "description": "d", "tools": [{"type": "function", "name": "f"}]},
            {"type": "custom", "name": "patch", "description": "Patches.", "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}},
            {"type": "web_search", "search_context_size": "low", "user_location": {"type": "approximate", "city": "Oslo"}, "external_web_access": true},
            {"type": "file_search", "vector_store_ids": ["vs_1"]},
        ]}))
    .unwrap();
    assert_eq!(request.sampling.max_tokens, Some(9));
    assert_eq!(request.sampling.logprobs, Some(true));
    assert_eq!(request.reasoning_effort.as_deref(), Some("low"));
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("ns__f".to_owned())));
    assert!(
        matches!(&request.shape, Shape::Schema { name: Some(name), strict: Some(true), .. } if name == "n")
    );
    let names: Vec<&str> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["f", "ns__f", "patch"]);
    assert!(request.tools[2].description.as_ref().unwrap().contains("lark grammar:\nstart: x"));
    let extra = |name: &str| request.extras.iter().find(|(at, _)| at == name).map(|(_, raw)| raw.text());
    assert_eq!(extra("verbosity"), Some("\"low\""));
    assert_eq!(extra("store"), Some("false"));
    assert_eq!(extra("background"), None);
    assert_eq!(extra("tools"), Some(r#"[{"type":"file_search","vector_store_ids":["vs_1"]}]"#));
    let search = r#"{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Oslo"}}}"#;
    assert_eq!(extra("web_search_options"), Some(search));
}

#[test]
fn what_is_wrong_is_named() {
    for (body, field) in [
        (json!({"model": "m"}), "input"),
        (json!({"input": 7}), "input"),
        (json!({"instructions": [{"role": "user", "content": "x"}], "input": "x"}), "instructions"),
        (json!({"input": [7]}), "input[0]"),
        (json!({"input": [{"role": "robot", "content": "x"}]}), "input[0].role"),
        (json!({"input": [{"role": "user"}]}), "input[0].content"),
        (json!({"input": [{"type": "input_text", "text": "x"}]}), "input[0].type"),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}),
            "input[0].content[0].text",
        ),
        // Kept whole it would be an item of its own when it is said again.
        (
            json!({"input": [{"role": "user", "content": [{"type": "item_reference", "id": "msg_1"}]}]}),
            "input[0].content[0].type",
        ),
        (
            json!({"input": [{"type": "function_call_output", "call_id": "c", "output": [{"type": "web_search_call"}]}]}),
            "input[0].output[0].type",
        ),
        (json!({"input": [{"type": "function_call", "name": "f"}]}), "input[0].call_id"),
        (json!({"input": "x", "tools": [{"name": "f"}]}), "tools[0].type"),
        (json!({"input": "x", "tools": {"a": 1}}), "tools"),
        (json!({"input": "x", "text": {"format": {"type": "json_schema"}}}), "text.format.schema"),
        (json!({"input": "x", "tool_choice": "maybe"}), "tool_choice"),
        (json!({"input": "x", "background": "yes"}), "background"),
    ] {
        assert_eq!(decode(&body).unwrap_err().field(), field, "{body}");
    }
    assert!(decode(&json!({"previous_response_id": "resp_1"})).is_ok());
}
