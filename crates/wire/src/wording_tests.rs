//! Fields as callers of each format wrote them.

use serde_json::{Value, json};

use super::encode;
use crate::anthropic_messages::{MessagesClient, MessagesUpstream};
use crate::codec::{ClientCodec, Target, UpstreamCodec};
use crate::cohere_chat::CohereUpstream;
use crate::gemini::GeminiClient;
use crate::openai_chat::ChatClient;
use crate::openai_responses::ResponsesClient;
use crate::prompted::TextGeneration;

fn losses(client: &dyn ClientCodec, upstream: &dyn UpstreamCodec, body: &Value) -> Vec<String> {
    let request = client.decode(body.to_string().as_bytes()).unwrap().request;
    let target = Target { model: "m", call_id: "call" };
    let outbound = encode(upstream, &request, &target).unwrap_or_else(|error| panic!("{error}"));
    outbound.losses.into_iter().map(|loss| loss.field).collect()
}

#[test]
fn settings_are_named_as_the_caller_writes_them() {
    let gemini = GeminiClient { model: "m".to_owned(), streamed: None };
    let body = json!({"contents": [{"parts": [{"text": "a"}]}],
        "generationConfig": {"candidateCount": 2, "seed": 7, "frequencyPenalty": 0.5}});
    let lost = losses(&gemini, &MessagesUpstream, &body);
    let config = |name: &str| format!("generationConfig.{name}");
    assert_eq!(lost, ["candidateCount", "seed", "frequencyPenalty"].map(config));

    let body = json!({"input": "a", "text": {"format": {"type": "json_object"}, "verbosity": "low"}, "reasoning": {"effort": "low"}});
    assert_eq!(
        losses(&ResponsesClient, &TextGeneration, &body),
        ["text.format", "reasoning.effort", "text.verbosity"]
    );

    let body = json!({"max_tokens": 9, "messages": [{"role": "user", "content": "a"}], "thinking": {"type": "enabled", "budget_tokens": 2000}});
    assert_eq!(losses(&MessagesClient, &TextGeneration, &body), ["thinking"]);

    let body = json!({"messages": [{"role": "user", "content": "a"}], "n": 2, "reasoning_effort": "low"});
    assert_eq!(losses(&ChatClient, &TextGeneration, &body), ["n", "reasoning_effort"]);
}

#[test]
fn blocks_are_found_where_the_caller_put_them() {
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let body = json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "tool_calls": [call, call]}]});
    assert_eq!(
        losses(&ChatClient, &TextGeneration, &body),
        ["messages[1].tool_calls[0]", "messages[1].tool_calls[1]"]
    );

    let picture =
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}});
    let marked = json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}});
    let body =
        json!({"max_tokens": 9, "system": "s", "messages": [{"role": "user", "content": [marked, picture]}]});
    assert_eq!(losses(&MessagesClient, &TextGeneration, &body), ["messages[0].content[1]"]);

    let gemini = GeminiClient { model: "m".to_owned(), streamed: None };
    let picture = json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw0="}});
    let body = json!({"contents": [{"parts": [{"text": "a"}, picture]}]});
    assert_eq!(losses(&gemini, &TextGeneration, &body), ["contents[0].parts[1]"]);
}

#[test]
fn members_of_functions_stand_where_the_format_keeps_them() {
    let (some, other) = (json!({"type": "object"}), json!({"type": "object"}));
    let body = json!({"input": "a", "tools": [
        {"type": "function", "name": "f", "parameters": some, "strict": true},
        {"type": "function", "name": "g", "parameters": other, "strict": false}]});
    let lost = losses(&ResponsesClient, &CohereUpstream, &body);
    assert!(lost.iter().all(|field| field.starts_with("tools[") && field.ends_with("].strict")), "{lost:?}");
    assert!(!lost.is_empty());
}

#[test]
fn a_body_full_of_what_cannot_be_said_is_answered_in_no_time() {
    let items: Vec<Value> = (0..50_000).map(|_| json!({"type": "of_tomorrow"})).collect();
    let begun = std::time::Instant::now();
    let lost = losses(&ResponsesClient, &MessagesUpstream, &json!({"max_output_tokens": 9, "input": items}));
    assert_eq!(
        (lost[0].as_str(), lost[255].as_str(), lost[256].as_str()),
        ("input[0].content[0]", "input[255].content[0]", "…")
    );
    assert_eq!(lost.len(), 257);
    let parts: Vec<Value> = (0..50_000).map(|_| json!({"type": "of_tomorrow"})).collect();
    let body = json!({"max_tokens": 9, "messages": [{"role": "user", "content": parts}]});
    assert_eq!(losses(&MessagesClient, &CohereUpstream, &body)[255], "messages[0].content[255]");
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}
