//! Questions about requests that are not sent, and what is said of providers.

use serde_json::{Value, json};

use crate::harness::{CANARY, Stage, chat, with};

const MODELS: &str = "
model_list:
  - model_name: chat
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: $CANARY}
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_base: $FAKE, api_key: $CANARY}
";

#[tokio::test]
async fn the_upstream_request_is_shown_and_not_sent() {
    let stage = Stage::open(MODELS);
    let body = with(chat("claude"), json!({"max_tokens": 7}));
    let asked = json!({"call_type": "completion", "request_body": body});
    let reply = stage.server.post("/utils/transform_request", &asked).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let shown = reply.json();
    assert_eq!(shown["raw_request_api_base"], format!("{}/v1/messages", stage.provider.base_url()));
    assert_eq!(shown["raw_request_body"]["max_tokens"], 7);
    assert_eq!(shown["raw_request_headers"]["x-api-key"], "****");
    assert_eq!(shown["error"], Value::Null);
    assert!(!reply.text().contains(CANARY));
    assert!(stage.provider.requests().is_empty());

    let asked = json!({"call_type": "acompletion", "request_body": chat("nobody")});
    let shown = stage.server.post("/utils/transform_request", &asked).await.json();
    assert!(shown["error"].as_str().unwrap().contains("Available models"), "{shown}");
    let asked = json!({"call_type": "dance", "request_body": {}});
    assert_eq!(stage.server.post("/utils/transform_request", &asked).await.error()["param"], "call_type");
}

#[tokio::test]
async fn parameters_are_those_that_can_be_said() {
    let stage = Stage::open(MODELS);
    let names = async |model: &str| -> Vec<String> {
        let reply = stage.server.get(&format!("/utils/supported_openai_params?model={model}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        serde_json::from_value(reply.json()["supported_openai_params"].clone()).unwrap()
    };
    let claude = names("claude").await;
    for (name, taken) in
        [("temperature", true), ("tools", true), ("seed", false), ("n", false), ("logit_bias", false)]
    {
        assert_eq!(claude.iter().any(|other| other == name), taken, "{name}: {claude:?}");
    }
    assert!(names("chat").await.iter().any(|name| name == "seed"));
    // A model that is not configured, of a provider whose key nobody has.
    assert!(names("mistral/mistral-large-latest").await.iter().any(|name| name == "seed"));
    let reply = stage.server.get("/utils/supported_openai_params?model=what").await;
    assert_eq!(reply.error()["param"], "model");
}

#[tokio::test]
async fn tokens_of_texts_and_conversations_are_estimated() {
    let stage = Stage::open(MODELS);
    let count = async |body: Value| stage.server.post("/utils/token_counter", &body).await.json();
    assert_eq!(count(json!({"model": "chat", "prompt": "Hello there"})).await["total_tokens"], 2);
    let counted =
        count(json!({"model": "chat", "messages": [{"role": "user", "content": "Hello there"}]})).await;
    assert_eq!((&counted["total_tokens"], &counted["model_used"]), (&json!(6), &json!("up")));
    let reply = stage.server.post("/utils/token_counter", &json!({"model": "chat"})).await;
    assert_eq!((reply.status, reply.error()["param"].clone()), (400, json!("prompt")));
    let reply = stage.server.post("/utils/token_counter", &json!({"prompt": "x"})).await;
    assert!(reply.message().contains("model"), "{}", reply.text());
}

#[tokio::test]
async fn providers_are_listed_for_everybody() {
    let stage = Stage::open("model_list: []\ngeneral_settings: {master_key: sk-0123456789abcdef}\n");
    let names: Vec<String> =
        serde_json::from_value(stage.server.get("/public/providers").await.json()).unwrap();
    assert!(names.len() > 120 && names.iter().any(|name| name == "anthropic"), "{names:?}");
    let rows = stage.server.get("/public/providers/fields").await.json();
    let row = rows.as_array().unwrap().iter().find(|row| row["provider"] == "anthropic").unwrap();
    assert_eq!(row["formats"], json!(["Anthropic Messages"]));
    assert_eq!(row["credential_fields"][1]["required"], true);
}

#[tokio::test]
async fn anthropics_clients_get_a_list_of_models_they_can_read() {
    let stage = Stage::open(MODELS);
    let headers = [("anthropic-version", "2023-06-01")];
    let list = stage.server.request("GET", "/v1/models", &headers, "").await.json();
    assert_eq!(
        (&list["first_id"], &list["last_id"], &list["has_more"]),
        (&json!("chat"), &json!("claude"), &json!(false))
    );
    assert_eq!(list["data"][1]["type"], "model");
    assert!(list["data"][1]["max_tokens"].as_u64().is_some_and(|tokens| tokens > 1000), "{list}");
}
