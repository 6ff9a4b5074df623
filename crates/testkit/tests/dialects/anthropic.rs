use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::bedrock::frames;
use super::{Outcome, assert_refused, post, provider, send};

/// The weather conversation of the tool use guide.
fn weather() -> Value {
    json!({
        "model": "claude-opus-4-6", "max_tokens": 1024,
        "tools": [{"name": "get_weather", "description": "Get the current weather in a given location", "input_schema": {
            "type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}}],
        "messages": [
            {"role": "user", "content": "What is the weather like in San Francisco?"},
            {"role": "assistant", "content": [
                {"type": "text", "text": "I'll check the current weather in San Francisco for you."},
                {"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9", "name": "get_weather", "input": {"location": "San Francisco, CA"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01A09q90qw90lq917835lq9", "content": "15 degrees"}]}],
    })
}

fn hello() -> Value {
    json!({"model": "claude-opus-4-6", "max_tokens": 1024, "messages": [{"role": "user", "content": "Hello, Claude"}]})
}

#[tokio::test]
async fn a_reply_has_the_documented_shape() -> Outcome {
    let provider = provider(json!({}))?;
    let reply = post(&provider, "/v1/messages", hello()).await?.json();
    assert_eq!(
        reply,
        json!({
            "id": "msg_fake_0", "type": "message", "role": "assistant", "model": "claude-opus-4-6",
            "content": [{"type": "text", "text": "You said: Hello, Claude"}], "stop_reason": "end_turn", "stop_sequence": null,
            "usage": {"input_tokens": 2, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 4},
        })
    );
    let count = json!({"model": "claude-opus-4-6", "system": "You are a scientist", "messages": [{"role": "user", "content": "Hello, Claude"}]});
    let counted = post(&provider, "/v1/messages/count_tokens", count).await?.json();
    assert_eq!(counted, json!({"input_tokens": 6}));
    Ok(())
}

#[tokio::test]
async fn a_stream_says_what_the_whole_reply_says() -> Outcome {
    let script = json!({"thinking": "Look it up.", "reply": "One moment.", "tools": [{"id": "toolu_1", "name": "get_weather", "arguments": {"location": "Zürich"}}]});
    let provider = provider(script)?;
    let mut body = hello();
    let whole = post(&provider, "/v1/messages", body.clone()).await?.json();
    body["stream"] = json!(true);
    let answer = post(&provider, "/v1/messages", body).await?;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(
        fold(&answer.events()),
        (whole["content"].clone(), whole["stop_reason"].clone(), whole["usage"].clone())
    );
    assert_eq!(whole["stop_reason"], "tool_use");
    assert!(answer.text().contains("event: ping\n"));
    Ok(())
}

/// Content, stop reason and usage of a stream, read as the streaming guide says.
fn fold(events: &[Value]) -> (Value, Value, Value) {
    assert_eq!(
        (&events[0]["type"], &events[events.len() - 1]["type"]),
        (&json!("message_start"), &json!("message_stop"))
    );
    let (mut content, mut partial) = (Vec::<Value>::new(), String::new());
    let (mut stop_reason, mut usage) = (Value::Null, Value::Null);
    for event in events {
        let delta = &event["delta"];
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                assert_eq!(event["index"], content.len());
                content.push(event["content_block"].clone());
            }
            "content_block_delta" => {
                assert_eq!(event["index"], content.len() - 1);
                let block = content.last_mut().unwrap();
                for name in ["text", "thinking", "signature"] {
                    if let Some(more) = delta[name].as_str() {
                        block[name] = json!(format!("{}{more}", block[name].as_str().unwrap()));
                    }
                }
                partial += delta["partial_json"].as_str().unwrap_or_default();
            }
            "content_block_stop" if !partial.is_empty() => {
                content.last_mut().unwrap()["input"] =
                    serde_json::from_str(&std::mem::take(&mut partial)).unwrap();
            }
            "message_delta" => (stop_reason, usage) = (delta["stop_reason"].clone(), event["usage"].clone()),
            _ => {}
        }
    }
    (json!(content), stop_reason, usage)
}

#[tokio::test]
async fn what_the_api_refuses_is_refused_by_name() -> Outcome {
    let provider = provider(json!({}))?;
    let image = |source: Value| json!([{"type": "image", "source": source}]);
    let changes = vec![
        ("/max_tokens", Value::Null, "max_tokens: Field required"),
        ("/frequency_penalty", json!(1), "frequency_penalty: Extra inputs are not permitted"),
        ("/temperature", json!(1.5), "temperature: Input should be less than or equal to 1"),
        ("/output_format", json!({"type": "json_schema", "schema": {}}), "output_format: Extra inputs"),
        ("/messages/0/role", json!("assistant"), "first message must use the \"user\" role"),
        ("/messages/0/role", json!("system"), "Unexpected role \"system\""),
        ("/messages/0/content", json!(""), "non-empty content"),
        ("/messages/0/content", json!([{"type": "text", "text": " "}]), "non-whitespace"),
        (
            "/messages/0/content",
            json!([{"type": "image_url"}]),
            "messages.0.content.0: Input tag 'image_url'",
        ),
        (
            "/messages/0/content",
            image(json!({"type": "base64", "media_type": "image/bmp", "data": "aGk="})),
            "messages.0.content.0.image.source.media_type",
        ),
        (
            "/messages/0/content",
            image(json!({"type": "url", "url": "http://example.com/a.png"})),
            "Only HTTPS URLs",
        ),
        (
            "/messages/1/content",
            json!("Done"),
            "unexpected `tool_use_id` found in `tool_result` blocks: toolu_01A09q90qw90lq917835lq9",
        ),
        (
            "/messages/2/content",
            json!("15 degrees"),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after",
        ),
        ("/messages/1/content/1/id", json!("call:1"), "String should match pattern '^[a-zA-Z0-9_-]+$'"),
        (
            "/messages/1/content/0",
            json!({"type": "thinking", "thinking": "x", "signature": ""}),
            "Invalid `signature`",
        ),
        ("/tools/0/name", json!("get weather"), "tools.0.custom.name: String should match pattern"),
        (
            "/tools/0/input_schema",
            json!({"properties": {}}),
            "tools.0.custom.input_schema.type: Field required",
        ),
        (
            "/tool_choice",
            json!({"type": "tool", "name": "other"}),
            "Tool 'other' not found in provided tools",
        ),
        (
            "/thinking",
            json!({"type": "enabled", "budget_tokens": 2048}),
            "`max_tokens` must be greater than `thinking.budget_tokens`",
        ),
        ("/stop_sequences", json!(["\n"]), "each stop sequence must contain non-whitespace"),
        (
            "/output_config",
            json!({"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}}),
            "'additionalProperties' must be explicitly set to false",
        ),
    ];
    assert_refused(&provider, "/v1/messages", &weather(), "/error/message", changes).await?;
    let answer = send(&provider, "POST", "/v1/messages", &[], &weather()).await?;
    assert_eq!(
        answer.json()["error"],
        json!({"type": "invalid_request_error", "message": "anthropic-version: header is required"})
    );
    let beta = [("anthropic-version", "2023-06-01"), ("anthropic-beta", "a, mcp-client-2025-11-20")];
    let mut servers = weather();
    servers["mcp_servers"] = json!([]);
    assert_eq!(send(&provider, "POST", "/v1/messages", &beta, &servers).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn thinking_must_come_back_with_its_own_signature() -> Outcome {
    let provider = provider(json!({"thinking": "First thought."}))?;
    let mut body = hello();
    let reply = post(&provider, "/v1/messages", body.clone()).await?.json();
    let messages = json!([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": reply["content"]}, {"role": "user", "content": "Go on"}]);
    body["messages"] = messages;
    assert_eq!(post(&provider, "/v1/messages", body.clone()).await?.status, 200);
    body["messages"][1]["content"][0]["thinking"] = json!("Another thought.");
    let refused = post(&provider, "/v1/messages", body).await?.json();
    assert_eq!(refused["error"]["message"], "messages.1.content.0: Invalid `signature` in `thinking` block");
    Ok(())
}

#[tokio::test]
async fn vertex_and_bedrock_serve_it_at_their_own_paths() -> Outcome {
    let provider = provider(json!({}))?;
    let vertex = "/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4-6";
    let mut body = hello();
    body.as_object_mut().unwrap().remove("model");
    body["anthropic_version"] = json!("vertex-2023-10-16");
    let reply = post(&provider, &format!("{vertex}:rawPredict"), body.clone()).await?.json();
    assert_eq!(
        (&reply["model"], &reply["content"][0]["text"]),
        (&json!("claude-opus-4-6"), &json!("You said: Hello, Claude"))
    );
    let stream = post(&provider, &format!("{vertex}:streamRawPredict"), body.clone()).await?;
    let (content, ..) = fold(&stream.events());
    assert_eq!(content, reply["content"]);

    body["anthropic_version"] = json!("bedrock-2023-05-31");
    let bedrock = "/model/us.anthropic.claude-opus-4-6-v1%3A0";
    assert_eq!(post(&provider, &format!("{bedrock}/invoke"), body.clone()).await?.json()["content"], content);
    let stream = post(&provider, &format!("{bedrock}/invoke-with-response-stream"), body.clone()).await?;
    let events: Vec<Value> = frames(&stream.bytes)
        .into_iter()
        .map(|(kind, payload)| {
            assert_eq!(kind, "chunk");
            serde_json::from_slice(&BASE64_STANDARD.decode(payload["bytes"].as_str().unwrap()).unwrap())
                .unwrap()
        })
        .collect();
    assert_eq!(fold(&events).0, content);
    assert_eq!(events.last().unwrap()["amazon-bedrock-invocationMetrics"]["inputTokenCount"], 2);
    assert_eq!(provider.requests_for("us.anthropic.claude-opus-4-6-v1:0").len(), 2);

    body["stream"] = json!(true);
    let refused = post(&provider, &format!("{bedrock}/invoke"), body).await?;
    assert_eq!((refused.status, refused.header("x-amzn-errortype")), (400, "ValidationException"));
    assert_eq!(refused.json()["message"], "stream: Extra inputs are not permitted");
    Ok(())
}
