//! `/v1/messages`: Anthropic's format from the client, to Anthropic's API and to others.

use serde_json::{Value, json};

use crate::harness::{CANARY, ONE_MODEL, Stage, chat, streamed, with};

const PATH: &str = "/v1/messages";

/// Claude at its own API, and a model that speaks OpenAI's format only.
const CLAUDE: &str = "
model_list:
  - model_name: claude
    litellm_params: {model: anthropic/up, api_base: $FAKE, api_key: $CANARY}
    model_info: {input_cost_per_token: 0.000003, output_cost_per_token: 0.000015}
router_settings: {num_retries: 0}
";

/// The streamed answer of Anthropic's documentation for a small request.
const TRANSCRIPT: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",",
    "\"role\":\"assistant\",\"content\":[],\"model\":\"claude-sonnet-4-5\",\"stop_reason\":null,\"stop_sequence\":null,",
    "\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: ping\ndata: {\"type\": \"ping\"}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":15}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

/// What the provider sent with the model called as the caller called it, and nothing else changed.
fn named(sent: &str) -> String {
    assert_eq!(sent.matches("claude-sonnet-4-5").count(), 1);
    sent.replace("claude-sonnet-4-5", "claude")
}

fn message(model: &str) -> Value {
    with(chat(model), json!({"max_tokens": 64}))
}

fn raw_json(body: &Value) -> Value {
    json!({"raw": body.to_string(), "headers": {"content-type": "application/json"}})
}

fn reply_of_claude() -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 25, "output_tokens": 15}})
}

#[tokio::test]
async fn anthropics_bytes_pass_through_in_both_directions() {
    let stage = Stage::open(CLAUDE);
    let answer = reply_of_claude();
    stage.script("up", raw_json(&answer));
    let odd = "{ \"max_tokens\" : 64, \"messages\":[{\"role\":\"user\",\"content\":\"caf\\u00e9\"}],\"metadata\":{\"user_id\":\"u\"} , \"model\":\"claude\"}";
    let headers = [("anthropic-beta", "context-1m-2025-08-07"), ("user-agent", "test")];
    let reply = stage.server.request("POST", PATH, &headers, odd).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.text(), named(&answer.to_string()));
    assert_eq!(reply.header("x-litellm-response-cost"), Some("0.0003"));
    let received = stage.received("up");
    assert_eq!(received.body, odd.replace("\"claude\"", "\"up\""));
    assert_eq!(received.path, PATH);
    assert_eq!(received.header("x-api-key"), Some(CANARY));
    assert_eq!(received.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(received.header("anthropic-beta"), Some("context-1m-2025-08-07"));
    assert_eq!(received.header("authorization"), None);
}

#[tokio::test]
async fn a_stream_of_anthropic_passes_through_untouched() {
    let stage = Stage::open(CLAUDE);
    stage.script("up", json!({"raw": TRANSCRIPT, "headers": {"content-type": "text/event-stream"}}));
    let reply =
        stage.server.request("POST", PATH, &[], with(message("claude"), json!({"stream": true})).to_string());
    let reply = reply.await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.text(), named(TRANSCRIPT));
    assert_eq!(reply.header("content-type"), Some("text/event-stream; charset=utf-8"));
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_an_error_event() {
    let stage = Stage::open(CLAUDE);
    let cut = TRANSCRIPT.split("event: message_delta").next().unwrap();
    stage.script("up", json!({"raw": cut, "headers": {"content-type": "text/event-stream"}}));
    let body = with(message("claude"), json!({"stream": true})).to_string();
    let reply = stage.server.request("POST", PATH, &[], body).await;
    let cut = named(cut);
    let (passed, error) = reply.text().split_at(cut.len());
    assert_eq!(passed, cut);
    let error: Value = serde_json::from_str(error.strip_prefix("event: error\ndata: ").unwrap()).unwrap();
    assert_eq!(error["type"], "error");
    assert_eq!(error["error"]["type"], "api_error");
    assert!(!reply.text().contains("message_stop"), "{}", reply.text());
}

#[tokio::test]
async fn an_openai_client_reaches_claude() {
    let stage = Stage::open(CLAUDE);
    stage.script("up", raw_json(&reply_of_claude()));
    let reply = stage.server.chat(&chat("claude")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.content(), "Hello");
    assert_eq!(reply.json()["usage"]["total_tokens"], 40);
    let sent = stage.received("up").json();
    assert_eq!(sent["messages"][0]["content"][0]["text"], "Hello there");
    assert!(sent["max_tokens"].as_u64().is_some_and(|most| most >= 4096), "{sent}");

    stage.script("up", json!({"raw": TRANSCRIPT, "headers": {"content-type": "text/event-stream"}}));
    let reply = stage.server.chat(&streamed("claude")).await;
    assert!(reply.text().contains("\"content\":\"Hello\""), "{}", reply.text());
    assert!(reply.text().ends_with("data: [DONE]\n\n"), "{}", reply.text());
}

#[tokio::test]
async fn an_anthropic_client_reaches_a_model_that_speaks_openai() {
    let stage = Stage::open(ONE_MODEL);
    let reply = stage.server.request("POST", PATH, &[], message("chat").to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    assert_eq!(body["type"], "message");
    assert_eq!(body["content"], json!([{"type": "text", "text": "You said: Hello there"}]));
    assert_eq!(body["stop_reason"], "end_turn");
    assert_eq!(stage.received("up").path, "/v1/chat/completions");

    stage.script(
        "up",
        json!({"tools": [{"id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}]}),
    );
    let asked = with(
        message("chat"),
        json!({"stream": true, "tools": [{"name": "get_weather", "input_schema": {"type": "object"}}]}),
    );
    let reply = stage.server.request("POST", PATH, &[], asked.to_string()).await;
    let names: Vec<&str> = reply.text().lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(names.first(), Some(&"message_start"));
    assert_eq!(names[names.len() - 2..], ["message_delta", "message_stop"]);
    assert!(reply.text().contains("\"type\":\"tool_use\",\"id\":\"call_1\",\"name\":\"get_weather\""));
    assert!(reply.text().contains("\"stop_reason\":\"tool_use\""), "{}", reply.text());
}

#[tokio::test]
async fn refusals_and_failures_are_in_anthropics_shape() {
    let stage = Stage::open(&format!("{CLAUDE}\ngeneral_settings: {{master_key: sk-0123456789abcdef}}"));
    let reply = stage.server.request("POST", PATH, &[], message("claude").to_string()).await;
    assert_eq!((reply.status, reply.json()["error"]["type"].clone()), (401, json!("authentication_error")));

    let key = [("x-api-key", "sk-0123456789abcdef")];
    let reply = stage.server.request("POST", PATH, &key, message("nobody").to_string()).await;
    assert_eq!(reply.json()["type"], "error");
    assert_eq!((reply.status, reply.json()["error"]["type"].clone()), (400, json!("invalid_request_error")));

    let overloaded = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    stage.script("up", json!({"status": 529, "error": overloaded}));
    let reply = stage.server.request("POST", PATH, &key, message("claude").to_string()).await;
    assert_eq!(reply.status, 529, "{}", reply.text());
    assert_eq!(reply.json()["error"]["type"], "overloaded_error");
    assert!(!reply.text().contains(CANARY));
}

#[tokio::test]
async fn what_an_upstream_cannot_be_told_is_refused_or_reported() {
    let stage = Stage::open(ONE_MODEL);
    let asked = with(message("chat"), json!({"top_k": 5, "container": "c_1"})).to_string();
    let reply = stage.server.request("POST", PATH, &[], asked.clone()).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("container"), "{}", reply.text());

    let agent = [("user-agent", "claude-cli/2.0.1 (external, cli)")];
    let reply = stage.server.request("POST", PATH, &agent, asked).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.header("x-tollgate-dropped-params").is_some_and(|fields| fields.contains("container")));
}

#[tokio::test]
async fn a_bound_that_only_claude_could_reach_is_lowered() {
    let stage = Stage::open(
        "
model_list:
  - model_name: chat
    litellm_params: {model: openai_like/up, api_base: $FAKE/v1, api_key: $CANARY}
    model_info: {max_output_tokens: 4096}
",
    );
    for (asked, sent) in [(32_000, 4096), (1000, 1000)] {
        let body = with(message("chat"), json!({"max_tokens": asked})).to_string();
        let reply = stage.server.request("POST", PATH, &[], body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(stage.received("up").json()["max_tokens"], sent);
    }
}

#[tokio::test]
async fn tokens_are_counted_by_the_provider_or_estimated() {
    let stage = Stage::open(&format!("{CLAUDE}\n  # a second group\n").replace(
        "router_settings",
        "  - model_name: chat
    litellm_params: {model: openai/other, api_base: $FAKE/v1, api_key: $CANARY}
router_settings",
    ));
    let path = "/v1/messages/count_tokens";
    stage.script("up", raw_json(&json!({"input_tokens": 1234})));
    let reply = stage.server.request("POST", path, &[], chat("claude").to_string()).await;
    assert_eq!(reply.json()["input_tokens"], 1234, "{}", reply.text());
    assert_eq!(stage.received("up").path, path);

    let reply = stage.server.request("POST", path, &[], chat("chat").to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json(), json!({"input_tokens": 6, "litellm_count_source": "local_estimate"}));
    assert!(stage.provider.requests_for("other").is_empty(), "counting must not cost a call");
}

#[tokio::test]
async fn the_demo_answers_anthropics_clients_too() {
    let stage = Stage::open("model_list:\n  - {model_name: demo, litellm_params: {model: demo/echo}}\n");
    let reply = stage.server.request("POST", PATH, &[], message("demo").to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.json()["content"][0]["text"].as_str().unwrap().ends_with("You said: Hello there"));
    let body = with(message("demo"), json!({"stream": true})).to_string();
    let reply = stage.server.request("POST", PATH, &[], body).await;
    assert!(
        reply.text().ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive() {
    let stage =
        Stage::open(&format!("{ONE_MODEL}\nlitellm_settings: {{anthropic_sse_ping_interval_seconds: 0.2}}"));
    stage.script("up", json!({"chunks": ["one ", "two"], "stall_after_chunks": 1}));
    let body = with(message("chat"), json!({"stream": true})).to_string();
    let mut stream = stage.server.stream_at(PATH, &body).await;
    let text = stream.until("event: ping").await;
    assert!(text.contains("one "), "{text}");
    stream.until("event: ping").await;
}
