//! What can be asked about the gateway: its models, its health, its own description.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{CANARY, Stage};

const CONFIG: &str = "
model_list:
  - model_name: openai/gpt-4o
    litellm_params: {model: openai/gpt-4o, api_base: $FAKE/v1, api_key: $CANARY, extra_headers: {x-secret: $CANARY}, temperature: 0.5}
    model_info: {id: alive-id, team: blue}
  - model_name: dead
    litellm_params: {model: openai/gone, api_base: 'http://127.0.0.1:1/v1', api_key: $CANARY}
    model_info: {id: dead-id}
  - model_name: vectors
    litellm_params: {model: openai/text-embedding-3-small, api_base: $FAKE/v1, api_key: $CANARY}
  - model_name: 'house/*'
    litellm_params: {model: 'openai_like/*', api_base: $FAKE/v1, api_key: $CANARY}
router_settings:
  num_retries: 0
  model_group_alias:
    gpt-4: openai/gpt-4o
    quiet: {model: openai/gpt-4o, hidden: true}
";

#[tokio::test]
async fn models_are_listed_by_their_public_names() {
    let stage = Stage::open(CONFIG);
    for path in ["/v1/models", "/models"] {
        let listing = stage.server.get(path).await.json();
        assert_eq!(listing["object"], "list");
        let names: BTreeSet<&str> =
            listing["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(names, BTreeSet::from(["openai/gpt-4o", "dead", "vectors", "house/*", "gpt-4"]));
        assert!(
            listing["data"]
                .as_array()
                .unwrap()
                .iter()
                .all(|row| row["object"] == "model" && row["created"].is_u64())
        );
    }
    for path in [
        "/v1/models/openai/gpt-4o",
        "/v1/models/openai%2Fgpt-4o",
        "/models/gpt-4",
        "/v1/models/house/anything",
    ] {
        let reply = stage.server.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }
    assert_eq!(stage.server.get("/v1/models/openai/gpt-4o").await.json()["id"], "openai/gpt-4o");
    let reply = stage.server.get("/v1/models/nobody").await;
    assert_eq!((reply.status, &reply.json()["error"]["param"]), (404, &json!("model")));
}

#[tokio::test]
async fn model_info_shows_everything_but_secrets() {
    let stage = Stage::open(CONFIG);
    for path in ["/model/info", "/v1/model/info"] {
        let reply = stage.server.get(path).await;
        assert!(!reply.text().contains(CANARY), "{}", reply.text());
        let rows = reply.json()["data"].as_array().unwrap().clone();
        assert_eq!(rows.len(), 4, "{}", reply.text());
        let row = rows.iter().find(|row| row["model_info"]["id"] == "alive-id").unwrap();
        assert_eq!(row["model_name"], "openai/gpt-4o");
        assert_eq!(row["litellm_params"]["model"], "openai/gpt-4o");
        assert_eq!(row["litellm_params"]["temperature"], 0.5);
        assert_eq!(row["model_info"]["team"], "blue");
        assert_eq!(row["model_info"]["litellm_provider"], "openai");
        assert_eq!(row["model_info"]["input_cost_per_token"].as_f64(), Some(2.5e-6));
    }
    let one = stage.server.get("/model/info?litellm_model_id=dead-id").await.json();
    assert_eq!(one["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(one["data"][0]["model_name"], "dead");
}

#[tokio::test]
async fn health_says_which_deployments_answer() {
    let stage = Stage::open(CONFIG);
    let reply = stage.server.get("/health").await;
    assert!(!reply.text().contains(CANARY), "{}", reply.text());
    let health = reply.json();
    assert_eq!((&health["healthy_count"], &health["unhealthy_count"]), (&json!(2), &json!(1)), "{health}");
    let ill = &health["unhealthy_endpoints"][0];
    assert_eq!((&ill["model_id"], &ill["model_name"]), (&json!("dead-id"), &json!("dead")));
    assert!(ill["error"].as_str().unwrap().contains("Connection error"), "{ill}");
    assert_eq!(stage.received("gpt-4o").json()["max_tokens"], 5, "a probe is small");
    assert!(
        stage.received("text-embedding-3-small").path.ends_with("/embeddings"),
        "a probe fits the model's mode"
    );

    stage.provider.clear_requests();
    let one = stage.server.get("/health?model=openai/gpt-4o").await.json();
    assert_eq!((&one["healthy_count"], &one["unhealthy_count"]), (&json!(1), &json!(0)));
    assert_eq!(stage.provider.requests().len(), 1);
}

#[tokio::test]
async fn probes_of_the_process_call_nobody() {
    let stage = Stage::open(CONFIG);
    for path in ["/health/liveness", "/health/liveliness"] {
        let reply = stage.server.get(path).await;
        assert_eq!((reply.status, reply.json()), (200, json!("I'm alive!")), "{path}");
    }
    let reply = stage.server.get("/health/readiness").await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("healthy")));
    let details = stage.server.get("/health/readiness/details").await.json();
    assert_eq!(details["model_groups"], 3);
    assert_eq!(details["in_flight_requests"], 0);
    assert!(details["catalog_models"].as_u64().unwrap() > 1000, "{details}");
    assert!(stage.provider.requests().is_empty());
}

#[tokio::test]
async fn the_api_describes_itself() {
    let stage = Stage::open(CONFIG);
    let reply = stage.server.get("/openapi.json").await;
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let document = reply.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let paths: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    for prefix in
        ["", "/v1", "/openai/v1", "/engines/{model}", "/v1/engines/{model}", "/openai/deployments/{model}"]
    {
        for operation in ["chat/completions", "completions", "embeddings"] {
            assert!(
                paths.contains(format!("{prefix}/{operation}").as_str()),
                "{prefix}/{operation}: {paths:?}"
            );
        }
    }
    for path in [
        "/v1/models",
        "/models",
        "/model/info",
        "/v1/model/info",
        "/health",
        "/health/liveness",
        "/health/liveliness",
        "/health/readiness",
    ] {
        assert!(paths.contains(path), "{path}: {paths:?}");
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"]
                .as_str()
                .unwrap_or_else(|| panic!("{method} {path} has no operationId"));
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            let parameters: Vec<Value> = operation["parameters"].as_array().cloned().unwrap_or_default();
            let described: BTreeSet<&str> = parameters
                .iter()
                .filter(|one| one["in"] == "path")
                .filter_map(|one| one["name"].as_str())
                .collect();
            let named: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
            assert_eq!(described, named, "the parameters of {path}");
        }
    }
}

#[tokio::test]
async fn the_pages_come_from_the_binary_alone() {
    let stage = Stage::open(CONFIG);
    for path in ["/", "/docs", "/docs/"] {
        let reply = stage.server.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.header("content-type").unwrap().starts_with("text/html"), "{path}");
        let page = reply.text();
        assert!(
            !page.contains("http://") && !page.contains("https://") && !page.contains("\"//"),
            "{path}: {page}"
        );
        for file in references(page) {
            let reply = stage.server.get(&file).await;
            assert_eq!(reply.status, 200, "{path} refers to {file}");
            assert!(!reply.body.is_empty(), "{file}");
        }
    }
}

/// The files that a page loads, as absolute paths.
fn references(page: &str) -> Vec<String> {
    let values = ["src=\"", "href=\""].into_iter().flat_map(|name| page.split(name).skip(1));
    let files: Vec<String> = values.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect();
    assert!(files.iter().any(|file| file.ends_with(".js")), "{files:?}");
    files
}
