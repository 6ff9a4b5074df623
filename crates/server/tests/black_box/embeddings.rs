//! Vectors from providers whose API for them is not OpenAI's: what they are asked, and one answer for all.

use serde_json::{Value, json};
use testkit::RecordedRequest;

use crate::clouds::token_endpoint;
use crate::harness::{CANARY, Reply, Stage};

const CONFIG: &str = "
model_list:
  - {model_name: cohere, litellm_params: {model: cohere/embed-v4.0, api_base: $FAKE, api_key: $CANARY}}
  - {model_name: voyage, litellm_params: {model: voyage/voyage-3.5, api_base: $FAKE/voyage/v1, api_key: $CANARY}}
  - {model_name: jina, litellm_params: {model: jina_ai/jina-embeddings-v3, api_base: $FAKE/jina/v1, api_key: $CANARY}}
  - {model_name: mistral, litellm_params: {model: mistral/mistral-embed, api_base: $FAKE/v1, api_key: $CANARY}}
  - {model_name: tei, litellm_params: {model: huggingface/BAAI/bge-m3, api_base: $FAKE/tei/embed, api_key: $CANARY}}
  - {model_name: gemini, litellm_params: {model: gemini/gemini-embedding-001, api_base: $FAKE, api_key: $CANARY}}
  - {model_name: openai, litellm_params: {model: openai/text-embedding-3-small, api_base: $FAKE/v1, api_key: $CANARY}}
  - {model_name: azure, litellm_params: {model: azure/vectors, api_base: $FAKE, api_key: $CANARY, api_version: '2024-10-21'}}
  - model_name: titan
    litellm_params: &amazon
      model: bedrock/amazon.titan-embed-text-v2:0
      aws_access_key_id: AKIDEXAMPLE
      aws_secret_access_key: wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
      aws_region_name: eu-west-1
      aws_bedrock_runtime_endpoint: $FAKE
  - {model_name: cohere-on-bedrock, litellm_params: {<<: *amazon, model: bedrock/cohere.embed-english-v3}}
router_settings: {num_retries: 0}
";

const TEXTS: [&str; 2] = ["the cat sat", "a dog"];

async fn ask(stage: &Stage, model: &str, input: Value) -> Reply {
    stage.server.post("/v1/embeddings", &json!({"model": model, "input": input})).await
}

fn last(stage: &Stage) -> RecordedRequest {
    stage.provider.requests().pop().unwrap()
}

/// The vectors of an answer in OpenAI's shape.
fn vectors(reply: &Reply, model: &str) -> Vec<Vec<f64>> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    assert_eq!((&body["object"], &body["model"]), (&json!("list"), &json!(model)), "{body}");
    assert!(body["usage"]["prompt_tokens"].is_u64(), "{body}");
    let rows = body["data"].as_array().unwrap().iter().enumerate();
    rows.map(|(index, row)| {
        assert_eq!((&row["object"], &row["index"]), (&json!("embedding"), &json!(index)));
        row["embedding"].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    })
    .collect()
}

#[tokio::test]
async fn each_provider_is_asked_in_its_own_words() {
    let stage = Stage::open(CONFIG);
    let bearer = format!("Bearer {CANARY}");
    let texts = json!(TEXTS);
    for (model, path, key, field, body) in [
        (
            "cohere",
            "/v2/embed",
            "authorization",
            "texts",
            json!({"model": "embed-v4.0", "input_type": "search_document"}),
        ),
        ("voyage", "/voyage/v1/embeddings", "authorization", "input", json!({"model": "voyage-3.5"})),
        ("jina", "/jina/v1/embeddings", "authorization", "input", json!({"model": "jina-embeddings-v3"})),
        ("mistral", "/v1/embeddings", "authorization", "input", json!({"model": "mistral-embed"})),
        ("tei", "/tei/embed", "authorization", "inputs", json!({})),
        ("openai", "/v1/embeddings", "authorization", "input", json!({"model": "text-embedding-3-small"})),
        ("azure", "/openai/deployments/vectors/embeddings", "api-key", "input", json!({})),
    ] {
        let found = vectors(&ask(&stage, model, texts.clone()).await, model);
        assert!(found.len() == 2 && found[0] != found[1] && found[0].len() == found[1].len(), "{model}");
        let received = last(&stage);
        assert_eq!(received.path, path, "{model}");
        let shown = received.header(key).unwrap();
        assert!(shown == bearer || shown == CANARY, "{model}");
        let sent = received.json();
        assert_eq!(sent[field], texts, "{model}: {sent}");
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&sent[name], value, "{model}: {sent}");
        }
    }
    // The same text has the same vector whoever is asked, so nothing was mixed up on the way.
    let one = vectors(&ask(&stage, "voyage", json!("a dog")).await, "voyage");
    let two = vectors(&ask(&stage, "cohere", texts).await, "cohere");
    assert_eq!(one[0], two[1]);
}

#[tokio::test]
async fn gemini_is_asked_for_a_batch() {
    let stage = Stage::open(CONFIG);
    let body = json!({"model": "gemini", "input": TEXTS, "dimensions": 8, "task_type": "CLUSTERING"});
    let reply = stage.server.post("/v1/embeddings", &body).await;
    let found = vectors(&reply, "gemini");
    assert_eq!((found.len(), found[0].len()), (2, 8));
    let counted = reply.json()["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!((2..20).contains(&counted), "Google counts nothing, so it is estimated: {}", reply.text());
    assert!(reply.header("x-litellm-response-cost").is_some(), "what was used is charged");
    let received = last(&stage);
    assert_eq!(received.path, "/v1beta/models/gemini-embedding-001:batchEmbedContents");
    assert_eq!(received.header("x-goog-api-key"), Some(CANARY));
    let second = &received.json()["requests"][1];
    assert_eq!(second["content"]["parts"][0]["text"], TEXTS[1]);
    assert_eq!((&second["outputDimensionality"], &second["taskType"]), (&json!(8), &json!("CLUSTERING")));
}

#[tokio::test]
async fn more_texts_than_a_request_takes_become_several_in_order() {
    let stage = Stage::open(CONFIG);
    let texts: Vec<String> = (0..200).map(|at| format!("text number{at} of many")).collect();
    let reply = ask(&stage, "cohere", json!(texts)).await;
    let found = vectors(&reply, "cohere");
    assert_eq!(found.len(), 200);
    let mut sizes: Vec<usize> = stage
        .provider
        .requests_for("embed-v4.0")
        .iter()
        .map(|request| request.json()["texts"].as_array().unwrap().len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [8, 96, 96]);
    // Four words each, counted by the provider, paid for once: 800 × $0.12/M.
    assert_eq!(reply.json()["usage"]["prompt_tokens"], 800);
    assert_eq!(reply.header("x-litellm-response-cost"), Some("0.000096"));
    for at in [0, 95, 96, 191, 199] {
        let alone = vectors(&ask(&stage, "cohere", json!(texts[at])).await, "cohere");
        assert_eq!(alone[0], found[at], "{at}");
    }
}

#[tokio::test]
async fn titan_takes_one_text_a_request_and_each_is_signed() {
    let stage = Stage::open(CONFIG);
    let texts: Vec<String> = (0..20).map(|at| format!("text{at}")).collect();
    let reply = ask(&stage, "titan", json!(texts)).await;
    assert_eq!(vectors(&reply, "titan").len(), 20);
    assert_eq!(reply.json()["usage"]["prompt_tokens"], 20);
    // 20 × $0.2/M… the catalog's rate of the model.
    assert!(reply.header("x-litellm-response-cost").is_some());
    let requests = stage.provider.requests();
    assert_eq!(requests.len(), 20);
    let mut signatures: Vec<String> = requests
        .iter()
        .map(|request| {
            assert_eq!(request.path, "/model/amazon.titan-embed-text-v2%3A0/invoke");
            let signature = request.header("authorization").unwrap();
            assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signature}");
            signature.to_owned()
        })
        .collect();
    signatures.sort();
    signatures.dedup();
    assert_eq!(signatures.len(), 20, "a signature is for one body");
}

#[tokio::test]
async fn cohere_on_bedrock_counts_in_a_header() {
    let stage = Stage::open(CONFIG);
    stage.script("cohere.embed-english-v3", json!({"headers": {"x-amzn-bedrock-input-token-count": "50"}}));
    let reply = ask(&stage, "cohere-on-bedrock", json!(TEXTS)).await;
    assert_eq!(vectors(&reply, "cohere-on-bedrock").len(), 2);
    assert_eq!(last(&stage).json()["texts"], json!(TEXTS));
    assert_eq!(reply.json()["usage"]["prompt_tokens"], 50);
    // 50 × $0.1/M
    assert_eq!(reply.header("x-litellm-response-cost"), Some("0.000005"));
}

#[tokio::test]
async fn vertex_is_asked_for_a_prediction_or_for_the_vector_of_one_content() {
    let user = json!({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "refresh_token", "token_uri": token_endpoint()});
    let stage = Stage::open(&format!(
        "
model_list:
  - model_name: predicted
    litellm_params: &google {{model: vertex_ai/text-embedding-005, api_base: $FAKE, vertex_project: my-project, vertex_location: europe-west4, vertex_credentials: '{user}'}}
  - model_name: contents
    litellm_params: {{<<: *google, model: vertex_ai/gemini-embedding-2}}
router_settings: {{num_retries: 0}}
"
    ));
    let place = "/v1/projects/my-project/locations/europe-west4/publishers/google/models";
    let reply = ask(&stage, "predicted", json!(TEXTS)).await;
    assert_eq!(vectors(&reply, "predicted").len(), 2);
    assert_eq!(reply.json()["usage"]["prompt_tokens"], 5);
    let received = last(&stage);
    assert_eq!(received.path, format!("{place}/text-embedding-005:predict"));
    assert_eq!(received.header("authorization"), Some("Bearer ya29.a-google-token"));
    assert_eq!(received.json()["instances"][1]["content"], TEXTS[1]);

    stage.provider.clear_requests();
    let reply = ask(&stage, "contents", json!(TEXTS)).await;
    assert_eq!(vectors(&reply, "contents").len(), 2);
    // The provider counts nothing here, so nothing is known of the cost.
    assert_eq!(reply.header("x-litellm-response-cost"), None);
    let requests = stage.provider.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.path, format!("{place}/gemini-embedding-2:embedContent"));
        assert!(
            request.json().get("model").is_none()
                && request.json()["content"]["parts"][0]["text"].is_string()
        );
    }
}

#[tokio::test]
async fn no_more_than_eight_parts_are_on_their_way_at_once() {
    let stage = Stage::open(CONFIG);
    stage.script("amazon.titan-embed-text-v2:0", json!({"delay_ms": 150}));
    let texts: Vec<String> = (0..24).map(|at| format!("text{at}")).collect();
    let begun = std::time::Instant::now();
    assert_eq!(vectors(&ask(&stage, "titan", json!(texts)).await, "titan").len(), 24);
    let elapsed = begun.elapsed().as_millis();
    // Three rounds of eight: neither one after the other (3.6 s) nor all at once (0.15 s).
    assert!((450..2_500).contains(&elapsed), "{elapsed} ms");
}

#[tokio::test]
async fn a_part_that_fails_fails_the_call_with_what_the_provider_said() {
    let stage = Stage::open(CONFIG);
    stage.script("embed-v4.0", json!({"status": 429, "error": "slow down", "times": 1}));
    let texts: Vec<String> = (0..200).map(|at| format!("text{at}")).collect();
    let reply = ask(&stage, "cohere", json!(texts)).await;
    assert_eq!(reply.status, 429);
    assert!(reply.message().contains("slow down"), "{}", reply.text());
    assert!(!reply.text().contains(CANARY));
    assert_eq!(reply.header("x-litellm-response-cost").unwrap_or("0"), "0");
    let healthy = ask(&stage, "cohere", json!(texts)).await;
    assert_eq!(vectors(&healthy, "cohere").len(), 200);
}

#[tokio::test]
async fn the_retry_of_a_call_in_parts_answers_all_of_it() {
    let stage = Stage::open(&CONFIG.replace("num_retries: 0", "num_retries: 2"));
    stage.script("embed-v4.0", json!({"status": 500, "error": "oops", "times": 1}));
    let texts: Vec<String> = (0..100).map(|at| format!("text{at}")).collect();
    let reply = ask(&stage, "cohere", json!(texts)).await;
    assert_eq!(vectors(&reply, "cohere").len(), 100);
    assert_eq!(reply.header("x-litellm-attempted-retries"), Some("1"));
}

#[tokio::test]
async fn what_a_provider_cannot_be_told_is_refused_or_said() {
    let stage = Stage::open(CONFIG);
    let tokens = ask(&stage, "voyage", json!([[1, 2, 3]])).await;
    assert_eq!(tokens.status, 400);
    assert!(tokens.message().contains("input"), "{}", tokens.text());
    let body = json!({"model": "titan", "input": "a", "truncate": "END"});
    let refused = stage.server.post("/v1/embeddings", &body).await;
    assert_eq!(refused.status, 400);
    assert!(refused.message().contains("truncate"), "{}", refused.text());
    let body = crate::harness::with(body, json!({"drop_params": true}));
    let dropped = stage.server.post("/v1/embeddings", &body).await;
    assert_eq!(vectors(&dropped, "titan").len(), 1);
    assert_eq!(dropped.header("x-tollgate-dropped-params"), Some("truncate"));
}
