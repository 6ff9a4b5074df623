//! What a reply says it cost: exact where a price is known, silent where none is.

use serde_json::{Value, json};

use crate::harness::{Reply, Stage, chat, streamed};

const CONFIG: &str = "
model_list:
  - model_name: catalog
    litellm_params: {model: openai/gpt-4o, api_base: $FAKE/v1, api_key: k}
  - model_name: info-priced
    litellm_params: {model: openai/house-1, api_base: $FAKE/v1, api_key: k}
    model_info: {input_cost_per_token: 0.001, output_cost_per_token: 0.002}
  - model_name: param-priced
    litellm_params: {model: openai/gpt-4o, api_base: $FAKE/v1, api_key: k, input_cost_per_token: 1, output_cost_per_token: 2}
    model_info: {input_cost_per_token: 0.001, output_cost_per_token: 0.002}
  - model_name: based
    litellm_params: {model: azure/my-deployment, api_base: $FAKE, api_key: k, api_version: '2024-10-21'}
    model_info: {base_model: azure/gpt-4o}
  - model_name: unpriced
    litellm_params: {model: openai/nobody-knows-me, api_base: $FAKE/v1, api_key: k}
  - model_name: free
    litellm_params: {model: openai/house-2, api_base: $FAKE/v1, api_key: k, input_cost_per_token: 0, output_cost_per_token: 0}
  - model_name: vectors
    litellm_params: {model: openai/text-embedding-3-small, api_base: $FAKE/v1, api_key: k}
";

fn cost(reply: &Reply) -> Option<&str> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("x-litellm-response-cost")
}

async fn priced(stage: &Stage, model: &str, upstream: &str, usage: Value) -> Option<String> {
    stage.script(upstream, json!({"usage": usage}));
    let reply = stage.server.chat(&chat(model)).await;
    cost(&reply).map(str::to_owned)
}

#[tokio::test]
async fn catalog_prices_know_cached_tokens() {
    let stage = Stage::open(CONFIG);
    let usage = json!({
        "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_tokens_details": {"cached_tokens": 4},
    });
    // 6 × $2.50/M + 4 × $1.25/M + 5 × $10/M
    assert_eq!(priced(&stage, "catalog", "gpt-4o", usage.clone()).await.as_deref(), Some("0.00007"));
    let plain = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15});
    assert_eq!(priced(&stage, "catalog", "gpt-4o", plain.clone()).await.as_deref(), Some("0.000075"));
    assert!(priced(&stage, "based", "my-deployment", plain).await.is_some());
}

#[tokio::test]
async fn configured_prices_win_and_those_of_the_parameters_win_over_all() {
    let stage = Stage::open(CONFIG);
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15});
    assert_eq!(priced(&stage, "info-priced", "house-1", usage.clone()).await.as_deref(), Some("0.02"));
    assert_eq!(priced(&stage, "param-priced", "gpt-4o", usage).await.as_deref(), Some("20"));
}

#[tokio::test]
async fn an_unknown_price_is_not_zero_and_is_said_once() {
    let stage = Stage::open(CONFIG);
    for _ in 0..3 {
        assert_eq!(cost(&stage.server.chat(&chat("unpriced")).await), None);
    }
    stage.server.until_log("unpriced").await;
    let log = stage.server.log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("no price is known")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(
        warnings[0].contains("openai/nobody-knows-me") && warnings[0].contains("input_cost_per_token"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn free_is_a_price() {
    let stage = Stage::open(CONFIG);
    assert_eq!(cost(&stage.server.chat(&chat("free")).await), Some("0"));
}

#[tokio::test]
async fn a_reply_without_usage_has_no_cost() {
    let stage = Stage::open(CONFIG);
    stage.script("gpt-4o", json!({"no_usage": true}));
    assert_eq!(cost(&stage.server.chat(&chat("catalog")).await), None);
}

#[tokio::test]
async fn the_cost_of_a_stream_is_not_known_at_its_head() {
    let stage = Stage::open(CONFIG);
    assert_eq!(cost(&stage.server.chat(&streamed("catalog")).await), None);
}

#[tokio::test]
async fn embeddings_cost_their_input() {
    let stage = Stage::open(CONFIG);
    let usage = json!({"prompt_tokens": 50, "total_tokens": 50});
    stage.script("text-embedding-3-small", json!({"usage": usage}));
    let reply = stage.server.post("/v1/embeddings", &json!({"model": "vectors", "input": "hello"})).await;
    // 50 × $0.02/M
    assert_eq!(cost(&reply), Some("0.000001"));
}

#[tokio::test]
async fn a_caller_cannot_set_its_own_price() {
    let stage = Stage::open(CONFIG);
    let body = crate::harness::with(
        chat("info-priced"),
        json!({"input_cost_per_token": 0, "output_cost_per_token": 0}),
    );
    let reply = stage.server.chat(&body).await;
    assert_ne!(cost(&reply), Some("0"));
    assert!(cost(&reply).is_some());
}
