//! Which deployment answers a name: groups, weights, retries, aliases, wildcards, ids and paths.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::{Stage, chat, with};

/// Of `ranked` the second is only called when the first has failed: it has no weight beside one that has.
const GROUPS: &str = "
model_list:
  - model_name: weighted
    litellm_params: {model: openai/heavy, api_base: $FAKE/v1, api_key: k, weight: 9}
    model_info: {id: heavy-id}
  - model_name: weighted
    litellm_params: {model: openai/light, api_base: $FAKE/v1, api_key: k, weight: 1}
    model_info: {id: light-id}
  - model_name: ranked
    litellm_params: {model: openai/first, api_base: $FAKE/v1, api_key: k, weight: 1}
    model_info: {id: first-id}
  - model_name: ranked
    litellm_params: {model: openai/second, api_base: $FAKE/v1, api_key: k}
    model_info: {id: second-id}
  - model_name: 'house/*'
    litellm_params: {model: 'openai/*', api_base: $FAKE/v1, api_key: k}
  - model_name: 'house/special-*'
    litellm_params: {model: 'openai/tuned-*', api_base: $FAKE/v1, api_key: k}
router_settings:
  num_retries: 1
  disable_cooldowns: true
  model_group_alias:
    gpt-4: ranked
    quiet: {model: ranked, hidden: true}
    wild: house/any
";

#[tokio::test]
async fn deployments_share_the_load_by_weight() {
    let stage = Stage::open(GROUPS);
    let mut answered: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..200 {
        let reply = stage.server.chat(&chat("weighted")).await;
        assert_eq!(reply.json()["model"], "weighted");
        *answered.entry(reply.header("x-litellm-model-id").unwrap().to_owned()).or_default() += 1;
    }
    // 180 expected, standard deviation 4.2.
    assert!((145..200).contains(&answered["heavy-id"]), "{answered:?}");
    assert_eq!(answered.values().sum::<u32>(), 200);
    assert_eq!(stage.provider.requests_for("heavy").len(), answered["heavy-id"] as usize);
}

#[tokio::test]
async fn a_retry_goes_to_another_deployment() {
    let stage = Stage::open(GROUPS);
    for failure in
        [json!({"status": 500}), json!({"status": 401}), json!({"hang_up": true}), json!({"raw": "no JSON"})]
    {
        stage.script("first", failure.clone());
        let begun = std::time::Instant::now();
        let reply = stage.server.chat(&chat("ranked")).await;
        assert_eq!(reply.status, 200, "{failure}: {}", reply.text());
        assert_eq!(reply.header("x-litellm-model-id"), Some("second-id"), "{failure}");
        assert_eq!(reply.header("x-litellm-attempted-retries"), Some("1"), "{failure}");
        assert!(
            begun.elapsed().as_millis() < 400,
            "another deployment is tried at once: {:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test]
async fn a_bad_request_is_not_tried_again() {
    let stage = Stage::open(GROUPS);
    stage.script("first", json!({"status": 400, "error": "no such option"}));
    let reply = stage.server.chat(&chat("ranked")).await;
    assert_eq!((reply.status, reply.header("x-litellm-attempted-retries")), (400, Some("0")));
    assert!(stage.provider.requests_for("second").is_empty());
}

#[tokio::test]
async fn a_caller_may_forbid_retries() {
    let stage = Stage::open(GROUPS);
    stage.script("first", json!({"status": 500}));
    let reply = stage.server.chat(&with(chat("ranked"), json!({"num_retries": 0}))).await;
    assert_eq!(reply.status, 500);
    let none = [("x-litellm-num-retries", "0")];
    let reply = stage.server.request("POST", "/v1/chat/completions", &none, chat("ranked").to_string()).await;
    assert_eq!(reply.status, 500);
    assert!(stage.provider.requests_for("second").is_empty());
}

#[tokio::test]
async fn names_lead_to_deployments() {
    let stage = Stage::open(GROUPS);
    let cases = [
        ("ranked", "first"),
        ("gpt-4", "first"),
        ("quiet", "first"),
        ("second-id", "second"),
        ("openai/second", "first"),
        ("house/gpt-9", "gpt-9"),
        ("house/a/b:c", "a/b:c"),
        ("house/special-one", "tuned-one"),
        ("wild", "any"),
    ];
    for (asked, upstream) in cases {
        stage.provider.clear_requests();
        let reply = stage.server.chat(&chat(asked)).await;
        assert_eq!(reply.status, 200, "{asked}: {}", reply.text());
        assert_eq!(reply.json()["model"], asked, "a reply names the model as it was asked for");
        assert_eq!(reply.header("x-litellm-model-group"), Some(asked));
        let received: Vec<String> =
            stage.provider.requests().into_iter().map(|request| request.model).collect();
        assert_eq!(received, [upstream], "{asked}");
    }
    for nobody in ["house", "hous", "*", ""] {
        let reply = stage.server.chat(&chat(nobody)).await;
        assert_eq!(reply.status, 400, "{nobody}: {}", reply.text());
    }
}

#[tokio::test]
async fn paths_name_models_as_azure_and_old_clients_do() {
    let stage = Stage::open(GROUPS);
    let messages = json!({"messages": [{"role": "user", "content": "Hi"}]});
    let paths = [
        "/openai/deployments/ranked/chat/completions?api-version=2024-10-21",
        "/openai/deployments/ranked/chat/completions",
        "/engines/ranked/chat/completions",
        "/v1/engines/ranked/chat/completions",
    ];
    for path in paths {
        let reply = stage.server.post(path, &messages).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        assert_eq!(stage.received("first").query, "", "{path}");
        let other = stage.server.post(path, &with(messages.clone(), json!({"model": "somebody-else"}))).await;
        assert_eq!(other.json()["model"], "ranked", "the path wins: {path}");
    }
    let reply = stage.server.post("/engines/house%2Fgpt-9/chat/completions", &messages).await;
    assert_eq!((reply.status, stage.received("gpt-9").model.as_str()), (200, "gpt-9"), "{}", reply.text());
    let reply = stage.server.post("/engines/house/a/b/chat/completions", &messages).await;
    assert_eq!((reply.status, stage.received("a/b").model.as_str()), (200, "a/b"), "{}", reply.text());

    let reply = stage.server.post("/engines/ranked/completions", &json!({"prompt": "Hi"})).await;
    assert_eq!(reply.json()["choices"][0]["text"], "You said: Hi", "{}", reply.text());
    for path in ["/chat/completions", "/v1/chat/completions/", "/openai/v1/chat/completions"] {
        assert_eq!(stage.server.post(path, &chat("ranked")).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn azure_is_called_as_azure_wants_it() {
    let stage = Stage::open(
        "
model_list:
  - model_name: chat
    litellm_params: {model: azure/my-deployment, api_base: $FAKE, api_key: azure-key, api_version: '2024-10-21'}
",
    );
    let reply = stage.server.chat(&chat("chat")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let received = stage.provider.requests().pop().unwrap();
    assert_eq!(received.path, "/openai/deployments/my-deployment/chat/completions");
    assert_eq!(received.query, "api-version=2024-10-21");
    assert_eq!((received.header("api-key"), received.header("authorization")), (Some("azure-key"), None));
}

#[tokio::test]
async fn a_default_model_answers_who_names_none() {
    let stage = Stage::open(&format!("{GROUPS}\ngeneral_settings: {{completion_model: ranked}}\n"));
    let reply = stage.server.chat(&json!({"messages": [{"role": "user", "content": "Hi"}]})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["model"], "ranked");
}

#[tokio::test]
async fn a_mocked_model_calls_nobody() {
    let stage = Stage::open(
        "
model_list:
  - model_name: mocked
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: k, mock_response: Nothing but words}
",
    );
    let reply = stage.server.chat(&chat("mocked")).await;
    assert_eq!((reply.content().as_str(), &reply.json()["model"]), ("Nothing but words", &json!("mocked")));
    assert!(stage.provider.requests().is_empty());
}

#[tokio::test]
async fn a_model_name_cannot_forge_a_line_of_the_log() {
    let stage = Stage::open(GROUPS);
    let reply = stage.server.chat(&chat("house/a\r\nFORGED \u{1b}[31mred")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    stage.server.until_log("no price is known").await;
    let log = stage.server.log();
    assert!(!log.lines().any(|line| line.starts_with("FORGED")) && !log.contains('\u{1b}'), "{log:?}");
}

#[tokio::test]
async fn a_provider_that_cannot_say_a_request_leaves_it_to_another_of_the_group() {
    let stage = Stage::open(
        "
model_list:
  - model_name: mixed
    litellm_params: {model: anthropic/claude, api_base: $FAKE, api_key: $CANARY, order: 1}
  - model_name: mixed
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: $CANARY, order: 2}
",
    );
    let body = with(chat("mixed"), json!({"seed": 7}));
    let reply = stage.server.chat(&body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(stage.received("up").json()["seed"], 7);
    assert!(stage.provider.requests_for("claude").is_empty(), "Anthropic knows no seed");
}
