//! Where a call goes when its whole group has failed. Not here: which deployment of a group is tried, see `routing`.

use serde_json::{Value, json};

use crate::harness::{Stage, chat, with};

/// `plain` falls back to `claude`, which speaks another format, and that to `last`.
const LISTS: &str = "
model_list:
  - {model_name: plain, litellm_params: {model: openai/plain-up, api_base: $FAKE/v1, api_key: k}, model_info: {id: plain-id}}
  - {model_name: claude, litellm_params: {model: anthropic/claude-up, api_base: $FAKE, api_key: k}, model_info: {id: claude-id}}
  - {model_name: last, litellm_params: {model: openai/last-up, api_base: $FAKE/v1, api_key: k}, model_info: {id: last-id}}
  - {model_name: roomy, litellm_params: {model: openai/roomy-up, api_base: $FAKE/v1, api_key: k}, model_info: {id: roomy-id}}
  - {model_name: alone, litellm_params: {model: openai/alone-up, api_base: $FAKE/v1, api_key: k}}
router_settings:
  num_retries: 0
  disable_cooldowns: true
  fallbacks: [{plain: [claude]}, {claude: [last]}]
  context_window_fallbacks: [{plain: [roomy]}]
";

const TOO_LONG: &str = "This model's maximum context length is 8 tokens.";

fn streamed(body: Value) -> Value {
    with(body, json!({"stream": true}))
}

#[tokio::test]
async fn every_failure_of_a_group_leads_to_its_fallback() {
    let stage = Stage::open(LISTS);
    let failures = [
        json!({"status": 500}),
        json!({"status": 502}),
        json!({"status": 503}),
        json!({"status": 429}),
        json!({"status": 408}),
        json!({"status": 401}),
        json!({"status": 404}),
        json!({"status": 400, "error": "no such option"}),
        json!({"hang_up": true}),
        json!({"raw": "no JSON"}),
    ];
    for failure in failures {
        stage.script("plain-up", failure.clone());
        let reply = stage.server.chat(&chat("plain")).await;
        assert_eq!(reply.status, 200, "{failure}: {}", reply.text());
        assert_eq!(reply.header("x-litellm-model-id"), Some("claude-id"), "{failure}");
        assert_eq!(reply.header("x-litellm-model-group"), Some("claude"), "{failure}");
        assert_eq!(reply.header("x-litellm-attempted-fallbacks"), Some("1"), "{failure}");
        assert_eq!(reply.header("x-litellm-attempted-retries"), Some("0"), "{failure}");
        assert!(reply.content().starts_with("You said:"), "{failure}: {}", reply.text());

        let reply = stage.server.chat(&streamed(chat("plain"))).await;
        assert_eq!(reply.status, 200, "{failure}: {}", reply.text());
        assert_eq!(reply.header("x-litellm-model-id"), Some("claude-id"), "{failure}");
        assert!(reply.text().contains("data: [DONE]"), "{failure}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_fallback_that_fails_has_fallbacks_of_its_own() {
    let stage = Stage::open(LISTS);
    stage.script("plain-up", json!({"status": 500, "error": "the first trouble"}));
    stage.script("claude-up", json!({"status": 500, "error": "the second trouble"}));
    let reply = stage.server.chat(&chat("plain")).await;
    assert_eq!(reply.header("x-litellm-model-id"), Some("last-id"), "{}", reply.text());
    assert_eq!(reply.header("x-litellm-attempted-fallbacks"), Some("2"));

    stage.script("last-up", json!({"status": 503, "error": "the third trouble"}));
    let reply = stage.server.chat(&chat("plain")).await;
    assert_eq!(reply.status, 500, "the client is told what was wrong with what it asked for");
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("the first trouble"), "{message}");
    assert!(
        message.contains("Fallback to last also failed") && message.contains("the third trouble"),
        "{message}"
    );
}

#[tokio::test]
async fn a_prompt_that_is_too_long_goes_where_there_is_room() {
    let stage = Stage::open(LISTS);
    let too_long =
        json!({"message": TOO_LONG, "type": "invalid_request_error", "code": "context_length_exceeded"});
    stage.script("plain-up", json!({"status": 400, "error": {"error": too_long}}));
    let reply = stage.server.chat(&chat("plain")).await;
    assert_eq!(reply.header("x-litellm-model-id"), Some("roomy-id"), "{}", reply.text());

    stage.script("claude-up", json!({"status": 400, "error": "prompt is too long: 9 tokens > 8 maximum"}));
    let reply = stage.server.chat(&chat("claude")).await;
    assert_eq!(reply.status, 400, "nothing is configured for this group: {}", reply.text());
    assert!(stage.provider.requests_for("last-up").is_empty());
}

#[tokio::test]
async fn a_request_may_name_its_own_fallbacks() {
    let stage = Stage::open(LISTS);
    stage.script("alone-up", json!({"status": 500}));
    let body = with(chat("alone"), json!({"fallbacks": ["nobody", {"model": "last", "temperature": 0.25}]}));
    let reply = stage.server.chat(&body).await;
    assert_eq!(reply.header("x-litellm-model-id"), Some("last-id"), "{}", reply.text());
    let received = stage.received("last-up").json();
    assert_eq!(received["temperature"], 0.25);
    assert!(received.get("fallbacks").is_none());

    let messages = json!([{"role": "user", "content": "Shorter"}]);
    let body = with(chat("alone"), json!({"fallbacks": [{"model": "last", "messages": messages}]}));
    assert_eq!(stage.server.chat(&body).await.content(), "You said: Shorter");

    let body = with(chat("plain"), json!({"disable_fallbacks": true}));
    stage.script("plain-up", json!({"status": 500}));
    assert_eq!(stage.server.chat(&body).await.status, 500);
}

#[tokio::test]
async fn a_request_cannot_choose_the_address_of_a_fallback() {
    let stage = Stage::open(LISTS);
    stage.script("alone-up", json!({"status": 500}));
    let wrong = [
        (json!([{"model": "last", "api_base": "http://127.0.0.1:1"}]), "fallbacks[0].api_base"),
        (json!([{"temperature": 1}]), "fallbacks[0].model"),
        (json!(["last", 7]), "fallbacks[1]"),
        (json!("last"), "fallbacks"),
    ];
    for (fallbacks, field) in wrong {
        let reply = stage.server.chat(&with(chat("alone"), json!({"fallbacks": fallbacks}))).await;
        assert_eq!(reply.status, 400, "{fallbacks}: {}", reply.text());
        assert_eq!(reply.json()["error"]["param"], field, "{fallbacks}");
    }
    assert!(stage.provider.requests().is_empty());
}

#[tokio::test]
async fn groups_without_a_list_of_their_own_have_the_default() {
    let stage =
        Stage::open(&LISTS.replace("  num_retries: 0", "  num_retries: 0\n  default_fallbacks: [last]"));
    stage.script("alone-up", json!({"status": 500}));
    let reply = stage.server.chat(&chat("alone")).await;
    assert_eq!(reply.header("x-litellm-model-id"), Some("last-id"), "{}", reply.text());
}

#[tokio::test]
async fn failures_can_be_invented_by_who_may() {
    let locked = format!("{LISTS}general_settings: {{master_key: sk-a-key-for-fallbacks}}\n");
    let open = format!("{LISTS}general_settings: {{dangerously_allow_mock_testing_request_params: true}}\n");
    let invented = with(chat("plain"), json!({"mock_testing_fallbacks": true}));
    let too_long = with(chat("plain"), json!({"mock_testing_context_fallbacks": true}));
    let said = with(chat("plain"), json!({"mock_response": "As you wish"}));

    let stage = Stage::open(&open);
    assert_eq!(stage.server.chat(&invented).await.header("x-litellm-model-id"), Some("claude-id"));
    assert_eq!(stage.server.chat(&too_long).await.header("x-litellm-model-id"), Some("roomy-id"));
    assert_eq!(stage.server.chat(&said).await.content(), "As you wish");
    assert!(stage.provider.requests_for("plain-up").is_empty());

    let stage = Stage::open(&locked);
    let key = [("authorization", "Bearer sk-a-key-for-fallbacks")];
    let path = "/v1/chat/completions";
    let reply = stage.server.request("POST", path, &key, invented.to_string()).await;
    assert_eq!(reply.header("x-litellm-model-id"), Some("claude-id"), "{}", reply.text());

    let stage = Stage::open(LISTS);
    for (body, field) in [(&invented, "mock_testing_fallbacks"), (&said, "mock_response")] {
        let reply = stage.server.chat(body).await;
        assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!(field)), "{}", reply.text());
    }
}
