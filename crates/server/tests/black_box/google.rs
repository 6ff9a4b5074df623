//! Google's generateContent from the client, to models of other formats.

use serde_json::{Value, json};

use crate::harness::{ONE_MODEL, Stage};

fn contents() -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": "Hello there"}]}], "generationConfig": {"maxOutputTokens": 50}})
}

#[tokio::test]
async fn a_model_of_another_format_answers_in_googles() {
    let stage = Stage::open(ONE_MODEL);
    for path in ["/v1beta/models/chat:generateContent", "/models/chat:generateContent"] {
        let reply = stage.server.post(path, &contents()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let candidate = &reply.json()["candidates"][0];
        assert_eq!(candidate["content"]["parts"][0]["text"], "You said: Hello there");
        assert_eq!(candidate["finishReason"], "STOP");
        assert!(reply.json()["usageMetadata"]["promptTokenCount"].as_u64().is_some_and(|count| count > 0));
    }
    let sent = stage.received("up").json();
    assert_eq!(sent["max_tokens"].as_u64().or(sent["max_completion_tokens"].as_u64()), Some(50), "{sent}");
    assert_eq!(sent["model"], "up");
}

#[tokio::test]
async fn a_stream_is_framed_as_the_client_asks() {
    let stage = Stage::open(ONE_MODEL);
    let path = "/v1beta/models/chat:streamGenerateContent";
    let events = stage.server.post(&format!("{path}?alt=sse"), &contents()).await;
    assert_eq!(events.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let text: String = events
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| {
            serde_json::from_str::<Value>(data).unwrap()["candidates"][0]["content"]["parts"][0]["text"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(text, "You said: Hello there");
    assert!(!events.text().contains("[DONE]"));

    let array = stage.server.post(path, &contents()).await;
    assert_eq!(array.header("content-type"), Some("application/json"));
    let chunks = array.json();
    assert!(chunks.as_array().unwrap().len() > 1, "{chunks}");
}

#[tokio::test]
async fn the_key_may_stand_in_the_query_and_errors_are_googles() {
    let stage = Stage::open(&format!("{ONE_MODEL}\ngeneral_settings: {{master_key: sk-0123456789abcdef}}"));
    let path = "/v1beta/models/chat:generateContent";
    let reply = stage.server.post(path, &contents()).await;
    let error = reply.json()["error"].clone();
    assert_eq!(
        (reply.status, &error["code"], &error["status"]),
        (401, &json!(401), &json!("UNAUTHENTICATED"))
    );
    let reply = stage.server.post(&format!("{path}?key=sk-0123456789abcdef"), &contents()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let reply =
        stage.server.post("/v1beta/models/nobody:generateContent?key=sk-0123456789abcdef", &contents()).await;
    assert_eq!((reply.status, reply.json()["error"]["status"].clone()), (400, json!("INVALID_ARGUMENT")));
    assert!(!stage.server.get("/openapi.json").await.text().contains("sk-0123"));

    for verb in ["generateContent", "streamGenerateContent"] {
        for (status, word) in
            [(400, "INVALID_ARGUMENT"), (404, "NOT_FOUND"), (429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE")]
        {
            stage.script("up", json!({"status": status, "error": "no"}));
            let path = format!("/v1beta/models/chat:{verb}?key=sk-0123456789abcdef");
            let reply = stage.server.post(&path, &contents()).await;
            let error = reply.json()["error"].clone();
            assert_eq!(
                (reply.status, &error["code"], &error["status"]),
                (status, &json!(status), &json!(word))
            );
        }
    }
}

#[tokio::test]
async fn tokens_are_counted() {
    let stage = Stage::open(ONE_MODEL);
    let reply = stage.server.post("/v1beta/models/chat:countTokens", &contents()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["totalTokens"], 6);
}

#[tokio::test]
async fn what_the_configuration_defaults_to_holds_for_every_format() {
    let stage = Stage::open(
        "
model_list:
  - model_name: chat
    litellm_params: {model: openai_like/up, api_base: $FAKE/v1, api_key: $CANARY, temperature: 0.25, max_tokens: 77}
",
    );
    let bare = json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}]});
    let reply = stage.server.post("/v1beta/models/chat:generateContent", &bare).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let sent = stage.received("up").json();
    assert_eq!((&sent["temperature"], &sent["max_tokens"]), (&json!(0.25), &json!(77)), "{sent}");
    let reply = stage.server.post("/v1/responses", &json!({"model": "chat", "input": "x"})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let sent = stage.received("up").json();
    assert_eq!((&sent["temperature"], &sent["max_tokens"]), (&json!(0.25), &json!(77)), "{sent}");
}
