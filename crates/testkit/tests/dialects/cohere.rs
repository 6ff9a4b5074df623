use serde_json::{Value, json};

use super::{Outcome, assert_refused, post, provider};

fn weather() -> Value {
    json!({
        "model": "command-a-03-2025", "temperature": 0.3, "p": 0.9,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "What's the weather in Toronto?"}]},
            {"role": "assistant", "tool_plan": "I will look it up.", "tool_calls": [{"id": "get_weather_0", "type": "function", "function": {"name": "get_weather", "arguments": "{\"location\":\"Toronto\"}"}}]},
            {"role": "tool", "tool_call_id": "get_weather_0", "content": [{"type": "document", "document": {"data": "20 degrees"}}]}],
        "tools": [{"type": "function", "function": {"name": "get_weather", "description": "gets the weather", "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]}}}],
    })
}

#[tokio::test]
async fn a_stream_says_what_the_whole_reply_says() -> Outcome {
    let provider = provider(
        json!({"thinking": "Hm.", "reply": "One moment.", "tools": [{"id": "get_weather_1", "name": "get_weather", "arguments": {"location": "Toronto"}}]}),
    )?;
    let whole = post(&provider, "/v2/chat", weather()).await?.json();
    assert_eq!(whole["finish_reason"], "TOOL_CALL");
    assert_eq!(
        whole["message"]["content"],
        json!([{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "One moment."}])
    );
    assert_eq!(whole["usage"]["tokens"], json!({"input_tokens": 5, "output_tokens": 5}));
    let mut body = weather();
    body["stream"] = json!(true);
    let events = post(&provider, "/v2/chat", body).await?.events();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(
        kinds,
        [
            "message-start",
            "content-start",
            "content-delta",
            "content-end",
            "content-start",
            "content-delta",
            "content-delta",
            "content-end",
            "tool-call-start",
            "tool-call-delta",
            "tool-call-delta",
            "tool-call-end",
            "message-end",
        ]
    );
    let said = |name: &str| -> String {
        events.iter().filter_map(|event| event["delta"]["message"]["content"][name].as_str()).collect()
    };
    assert_eq!((said("text"), said("thinking")), ("One moment.".to_owned(), "Hm.".to_owned()));
    let arguments: String = events
        .iter()
        .filter_map(|event| event["delta"]["message"]["tool_calls"]["function"]["arguments"].as_str())
        .collect();
    assert_eq!(whole["message"]["tool_calls"][0]["function"]["arguments"], arguments);
    assert_eq!(
        events.last().unwrap()["delta"],
        json!({"finish_reason": "TOOL_CALL", "usage": whole["usage"]})
    );
    Ok(())
}

#[tokio::test]
async fn what_the_api_refuses_is_refused_by_name() -> Outcome {
    let provider = provider(json!({}))?;
    let changes = vec![
        ("/top_p", json!(0.5), "unknown field: parameter 'top_p' is not a valid field"),
        ("/p", json!(1.0), "p: must be less than or equal to 0.99"),
        ("/tool_choice", json!("auto"), "tool_choice: must be one of REQUIRED, NONE"),
        ("/response_format", json!({"type": "json_object"}), "cannot be used with tools"),
        ("/response_format", json!({"type": "json_schema"}), "response_format.type"),
        ("/messages/0/role", json!("developer"), "messages[0].role"),
        (
            "/messages/0/content/0/type",
            json!("input_text"),
            "messages[0].content[0].type: must be one of text, image_url",
        ),
        ("/messages/2/tool_call_id", json!("other"), "no tool call found with id other"),
        (
            "/messages/2",
            json!({"role": "user", "content": "Well?"}),
            "tool call get_weather_0 has no tool message",
        ),
        (
            "/tools/0/function/strict",
            json!(true),
            "parameter 'tools[0].function.strict' is not a valid field",
        ),
    ];
    assert_refused(&provider, "/v2/chat", &weather(), "/message", changes).await
}
