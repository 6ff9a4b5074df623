//! Anthropic's own tools, as other models are told of them.

use serde_json::{Value, json};

use crate::anthropic_messages::{MessagesClient, MessagesUpstream};
use crate::bedrock_converse::ConverseUpstream;
use crate::codec::{ClientCodec, Target, UpstreamCodec};
use crate::openai_chat::ChatUpstream;
use crate::openai_responses::ResponsesUpstream;
use crate::wording;

fn sent(upstream: &dyn UpstreamCodec, tools: &Value) -> (Value, Vec<String>) {
    let body = json!({"max_tokens": 9, "messages": [{"role": "user", "content": "a"}], "tools": tools});
    let request = MessagesClient.decode(body.to_string().as_bytes()).unwrap().request;
    let outbound =
        wording::encode(upstream, &request, &Target { model: "claude-sonnet-4-5", call_id: "c" }).unwrap();
    let losses = outbound.losses.into_iter().map(|loss| loss.field).collect();
    (serde_json::from_slice(&outbound.body).unwrap(), losses)
}

#[test]
fn other_models_are_told_what_the_callers_tools_take() {
    let tools = json!([
        {"type": "bash_20250124", "name": "bash"},
        {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
        {"type": "computer_20250124", "name": "computer", "display_width_px": 800, "display_height_px": 600},
        {"type": "memory_20250818", "name": "memory"},
        {"name": "own", "input_schema": {"type": "object"}},
    ]);
    for (upstream, path) in [(&ChatUpstream as &dyn UpstreamCodec, "/function"), (&ResponsesUpstream, "")] {
        let (sent, losses) = sent(upstream, &tools);
        assert_eq!(losses, [""; 0]);
        let member =
            |at: usize, name: &str| sent["tools"][at].pointer(&format!("{path}{name}")).cloned().unwrap();
        let names: Vec<Value> = (0..5).map(|at| member(at, "/name")).collect();
        assert_eq!(names, ["bash", "str_replace_based_edit_tool", "computer", "memory", "own"]);
        assert!(member(0, "/parameters/properties/command").is_object());
        assert_eq!(member(1, "/parameters/required"), json!(["command", "path"]));
        assert!(member(2, "/description").as_str().unwrap().ends_with("800 by 600 pixels."));
        assert!(member(3, "/parameters/properties/old_path").is_object());
    }
}

#[test]
fn what_anthropic_runs_is_lost_and_claude_knows_its_own() {
    let tools = json!([{"type": "bash_20250124", "name": "bash"}, {"type": "code_execution_20250825", "name": "code_execution"}]);
    let (body, losses) = sent(&ChatUpstream, &tools);
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    assert_eq!(losses, ["tools"]);
    let (body, losses) = sent(&ConverseUpstream, &json!([{"type": "bash_20250124", "name": "bash"}]));
    assert!(body["toolConfig"].is_null() && losses.is_empty(), "{body}");
    let (body, losses) = sent(&MessagesUpstream, &tools);
    assert_eq!((&body["tools"], losses.len()), (&tools, 0));
}
