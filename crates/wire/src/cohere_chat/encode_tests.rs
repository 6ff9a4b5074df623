//! Settings that the fixtures do not show.

use serde_json::{Value, json};

use super::CohereUpstream;
use crate::codec::{ClientCodec, Target, UpstreamCodec};
use crate::openai_chat::ChatClient;

fn sent(more: &Value) -> (Value, Vec<String>) {
    let mut body = json!({"model": "command-a-03-2025", "messages": [{"role": "user", "content": "Hi"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let request = ChatClient.decode(body.to_string().as_bytes()).unwrap().request;
    let target = Target { model: &request.model, call_id: "call" };
    let outbound = CohereUpstream.encode(&request, &target).unwrap();
    let losses = outbound.losses.into_iter().map(|loss| loss.field).collect();
    (serde_json::from_slice(&outbound.body).unwrap(), losses)
}

#[test]
fn efforts_and_budgets() {
    for (more, thinking) in [
        (json!({"reasoning_effort": "minimal"}), json!({"type": "enabled", "token_budget": 1024})),
        (json!({"reasoning_effort": "xhigh"}), json!({"type": "enabled"})),
        (json!({"thinking": {"type": "adaptive"}}), json!({"type": "enabled"})),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 7}}),
            json!({"type": "enabled", "token_budget": 7}),
        ),
        (json!({"thinking": {"type": "disabled"}}), Value::Null),
        (
            json!({"model": "command-a-reasoning-08-2025", "thinking": {"type": "disabled"}}),
            json!({"type": "disabled"}),
        ),
    ] {
        assert_eq!(sent(&more).0["thinking"], thinking, "{more}");
    }
}

#[test]
fn names_of_tools_are_identifiers() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let names = ["mcp__my-server__x", "mcp__my_server__x", "2nd", "plain"];
    let (body, losses) = sent(&json!({"tools": names.map(tool)}));
    let sent: Vec<&str> = body["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["function"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(sent, ["mcp__my_server__x_2", "mcp__my_server__x", "_2nd", "plain"]);
    assert!(losses.is_empty());
}

#[test]
fn a_choice_without_its_tool_leaves_the_tools_alone() {
    let tool = json!({"type": "function", "function": {"name": "a"}});
    let choice = json!({"type": "function", "function": {"name": "b"}});
    let (body, _) = sent(&json!({"tools": [tool], "tool_choice": choice}));
    assert_eq!(
        (&body["tools"][0]["function"]["name"], &body["tool_choice"]),
        (&json!("a"), &json!("REQUIRED"))
    );
    let (body, _) = sent(&json!({"tool_choice": "required"}));
    assert_eq!(body.get("tool_choice"), None);
}

#[test]
fn what_cannot_be_said_is_named() {
    let hosted = json!([{"type": "web_search"}]);
    let (body, losses) = sent(&json!({"seed": -1, "tools": hosted, "modalities": ["audio"], "store": true}));
    assert_eq!(losses, ["seed", "tools", "modalities"]);
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["model", "messages"]);
}
