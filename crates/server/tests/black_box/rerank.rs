//! Documents in the order of what they say to a question: one shape for callers, each provider in its own words.

use serde_json::{Value, json};
use testkit::RecordedRequest;

use crate::harness::{CANARY, Reply, Stage, with};

const CONFIG: &str = "
model_list:
  - {model_name: cohere, litellm_params: {model: cohere/rerank-v3.5, api_base: $FAKE, api_key: $CANARY}}
  - {model_name: voyage, litellm_params: {model: voyage/rerank-2.5, api_base: $FAKE/voyage/v1, api_key: $CANARY}}
  - {model_name: jina, litellm_params: {model: jina_ai/jina-reranker-v2-base-multilingual, api_base: $FAKE/jina/v1, api_key: $CANARY}}
  - {model_name: together, litellm_params: {model: together_ai/Salesforce/Llama-Rank-V1, api_base: $FAKE/together/v1, api_key: $CANARY}}
  - {model_name: infinity, litellm_params: {model: infinity/mxbai, api_base: $FAKE/infinity, api_key: $CANARY}}
  - {model_name: vllm, litellm_params: {model: hosted_vllm/bge, api_base: $FAKE/infinity/v1, api_key: $CANARY}}
  - {model_name: tei, litellm_params: {model: huggingface/BAAI/bge-reranker, api_base: $FAKE/tei, api_key: $CANARY}}
  - {model_name: deepinfra, litellm_params: {model: deepinfra/Qwen/Qwen3-Reranker-8B, api_base: $FAKE/v1/openai, api_key: $CANARY}}
  - {model_name: nvidia, litellm_params: {model: nvidia_nim/nvidia/ranker, api_base: $FAKE/v1, api_key: $CANARY}}
  - {model_name: demo, litellm_params: {model: demo/ranker}}
  - {model_name: chat-only, litellm_params: {model: groq/llama, api_base: $FAKE/v1, api_key: $CANARY}}
  - model_name: bedrock
    litellm_params:
      model: bedrock/arn:aws:bedrock:eu-west-1::foundation-model/cohere.rerank-v3-5:0
      aws_access_key_id: AKIDEXAMPLE
      aws_secret_access_key: wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
      aws_region_name: eu-west-1
      aws_bedrock_runtime_endpoint: $FAKE
router_settings: {num_retries: 0}
";

const DOCUMENTS: [&str; 3] = ["cats and dogs", "the weather in Paris", "Paris is a city"];

fn asked(model: &str) -> Value {
    json!({"model": model, "query": "weather in Paris", "documents": DOCUMENTS, "top_n": 2})
}

fn last(stage: &Stage) -> RecordedRequest {
    stage.provider.requests().pop().unwrap()
}

/// The places of the documents, best first, of an answer in Cohere's shape.
fn order(reply: &Reply) -> Vec<u64> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    assert!(body["id"].is_string(), "{body}");
    let scores: Vec<f64> = body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["relevance_score"].as_f64().unwrap())
        .collect();
    assert!(scores.is_sorted_by(|one, other| one >= other), "{body}");
    body["results"].as_array().unwrap().iter().map(|row| row["index"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn coheres_own_format_passes_through_byte_for_byte() {
    let stage = Stage::open(CONFIG);
    let body = r#"{"model":"cohere", "top_n" : 2,"query":"weather in Paris","documents":["a","weather \u0069n Paris"],"max_tokens_per_doc":64}"#;
    for path in ["/rerank", "/v1/rerank", "/v2/rerank"] {
        let reply = stage.server.request("POST", path, &[], body).await;
        assert_eq!(order(&reply), [1, 0], "{path}");
        let received = last(&stage);
        assert_eq!((received.path.as_str(), received.method.as_str()), ("/v2/rerank", "POST"));
        assert_eq!(received.body, body.replace("\"cohere\"", "\"rerank-v3.5\""));
        assert_eq!(received.header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
        assert_eq!(reply.json()["meta"]["billed_units"]["search_units"], 1);
        // A search unit is $2 a thousand.
        assert_eq!(reply.header("x-litellm-response-cost"), Some("0.002"));
        assert_eq!(reply.header("x-litellm-model-group"), Some("cohere"));
    }
}

#[tokio::test]
async fn what_only_coheres_older_format_says_is_translated() {
    let stage = Stage::open(CONFIG);
    let documents = json!([{"text": "cats"}, {"title": "weather", "text": "Paris"}]);
    let body = with(asked("cohere"), json!({"documents": documents, "return_documents": true, "user": "u"}));
    let reply = stage.server.post("/v1/rerank", &body).await;
    assert_eq!(order(&reply), [1, 0]);
    assert_eq!(reply.json()["results"][0]["document"], json!({"title": "weather", "text": "Paris"}));
    let sent = last(&stage).json();
    assert_eq!(sent["documents"], json!(["cats", "Paris"]));
    assert!(sent.get("return_documents").is_none() && sent.get("user").is_none(), "{sent}");
    assert_eq!(reply.header("x-litellm-response-cost"), Some("0.002"));
}

#[tokio::test]
async fn each_provider_ranks_in_its_own_words() {
    let stage = Stage::open(CONFIG);
    for (model, path, top, cost) in [
        ("voyage", "/voyage/v1/rerank", "top_k", Some("0.0000007")),
        ("jina", "/jina/v1/rerank", "top_n", Some("0.0000007")),
        ("together", "/together/v1/rerank", "top_n", Some("0.0000014")),
        ("infinity", "/infinity/rerank", "top_n", None),
        ("vllm", "/infinity/v1/rerank", "top_n", None),
    ] {
        let reply = stage.server.post("/rerank", &asked(model)).await;
        assert_eq!(order(&reply), [1, 2], "{model}");
        let received = last(&stage);
        assert_eq!(received.path, path);
        let sent = received.json();
        assert_eq!((&sent["query"], &sent["documents"]), (&json!("weather in Paris"), &json!(DOCUMENTS)));
        assert_eq!(sent[top], 2, "{model}");
        assert!(reply.json()["meta"]["tokens"]["input_tokens"].as_u64().unwrap() > 0, "{model}");
        assert_eq!(reply.header("x-litellm-response-cost"), cost, "{model}");
    }
}

#[tokio::test]
async fn text_embeddings_inference_counts_nothing_and_returns_all() {
    let stage = Stage::open(CONFIG);
    let body = with(asked("tei"), json!({"return_documents": true}));
    let reply = stage.server.post("/rerank", &body).await;
    assert_eq!(order(&reply), [1, 2], "cut to what was asked for here");
    assert_eq!(reply.json()["results"][0]["document"]["text"], DOCUMENTS[1]);
    assert_eq!(reply.json().get("meta"), None);
    let received = last(&stage);
    assert_eq!((received.path.as_str(), received.json()["texts"].clone()), ("/tei/rerank", json!(DOCUMENTS)));
}

#[tokio::test]
async fn bedrock_ranks_signed_and_by_the_query() {
    let stage = Stage::open(CONFIG);
    let reply = stage.server.post("/rerank", &asked("bedrock")).await;
    assert_eq!(order(&reply), [1, 2]);
    let received = last(&stage);
    assert_eq!(received.path, "/rerank");
    assert!(received.header("authorization").unwrap().contains("/eu-west-1/bedrock/aws4_request"));
    let configuration =
        &received.json()["rerankingConfiguration"]["bedrockRerankingConfiguration"]["modelConfiguration"];
    assert_eq!(configuration["modelArn"], "arn:aws:bedrock:eu-west-1::foundation-model/cohere.rerank-v3-5:0");
    assert_eq!(reply.json()["meta"]["billed_units"]["search_units"], 1);
}

#[tokio::test]
async fn rankers_that_score_pairs_are_put_in_order() {
    let stage = Stage::open(CONFIG);
    let scores = json!({"scores": [0.1, 0.9, 0.5], "input_tokens": 42, "request_id": "d-1"}).to_string();
    // Its address names the model, and the fake provider knows no such path.
    stage.script("*", json!({"raw": scores}));
    let reply = stage.server.post("/rerank", &asked("deepinfra")).await;
    assert_eq!(order(&reply), [1, 2]);
    assert_eq!(reply.json()["id"], "d-1");
    let received = last(&stage);
    assert_eq!(received.path, "/v1/inference/Qwen/Qwen3-Reranker-8B");
    assert_eq!(
        received.json()["queries"],
        json!(["weather in Paris", "weather in Paris", "weather in Paris"])
    );

    let rankings =
        json!({"rankings": [{"index": 2, "logit": -3.5}, {"index": 0, "logit": 1.25}]}).to_string();
    stage.script("*", json!({"raw": rankings}));
    let reply = stage.server.post("/rerank", &asked("nvidia")).await;
    assert_eq!(order(&reply), [0, 2]);
    let received = last(&stage);
    assert_eq!(received.path, "/v1/ranking");
    assert_eq!(received.json()["passages"][1]["text"], DOCUMENTS[1]);
}

#[tokio::test]
async fn the_demo_and_mocks_rank_too() {
    let stage = Stage::open(CONFIG);
    let reply = stage.server.post("/rerank", &asked("demo")).await;
    assert_eq!(order(&reply), [1, 2]);
    assert_eq!(reply.header("x-litellm-response-cost"), Some("0"));
    assert!(stage.provider.requests().is_empty());
}

#[tokio::test]
async fn mistakes_are_said_in_openais_shape() {
    let stage = Stage::open(CONFIG);
    let without = |name: &str| {
        let mut body = asked("cohere");
        body.as_object_mut().unwrap().remove(name);
        body
    };
    for (body, status, says) in [
        (without("model"), 400, "model"),
        (without("query"), 400, "query"),
        (without("documents"), 400, "documents"),
        (with(asked("voyage"), json!({"top_n": 0})), 400, "top_n"),
        (with(asked("cohere"), json!({"documents": "one"})), 400, "documents"),
        (with(asked("voyage"), json!({"max_tokens_per_doc": 5})), 400, "max_tokens_per_doc"),
        (asked("nobody"), 400, "nobody"),
        (asked("chat-only"), 400, "/rerank"),
    ] {
        let reply = stage.server.post("/rerank", &body).await;
        assert_eq!(reply.status, status, "{}", reply.text());
        assert!(reply.message().contains(says), "{}", reply.text());
    }
    assert!(stage.provider.requests().is_empty());
    let get = stage.server.get("/v2/rerank").await;
    assert_eq!(get.status, 405);
}

#[tokio::test]
async fn a_providers_refusal_is_told_in_its_words() {
    let stage = Stage::open(CONFIG);
    for (model, upstream) in [
        ("cohere", "rerank-v3.5"),
        ("voyage", "rerank-2.5"),
        ("tei", ""),
        ("bedrock", "cohere.rerank-v3-5:0"),
    ] {
        stage.script(upstream, json!({"status": 429, "error": "too many questions"}));
        let reply = stage.server.post("/rerank", &asked(model)).await;
        assert_eq!(reply.status, 429, "{model}: {}", reply.text());
        assert!(reply.message().contains("too many questions"), "{model}: {}", reply.text());
        assert_eq!(reply.header("x-litellm-response-cost").unwrap_or("0"), "0");
    }
    stage.script("rerank-v3.5", json!({"raw": "{\"results\": 7}"}));
    let broken = with(asked("cohere"), json!({"return_documents": true}));
    assert_eq!(stage.server.post("/rerank", &broken).await.status, 502);
    stage.script("rerank-v3.5", json!({"raw": "<html>"}));
    assert_eq!(stage.server.post("/rerank", &asked("cohere")).await.status, 502);
}

#[tokio::test]
async fn the_document_of_the_api_knows_the_routes() {
    let stage = Stage::open(CONFIG);
    let document = stage.server.get("/openapi.json").await.json();
    for path in ["/rerank", "/v1/rerank", "/v2/rerank"] {
        let schema = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(schema["required"], json!(["model", "query", "documents"]), "{path}");
    }
}
