//! Our own refusals: requests that make no sense, and what their senders are told.

use serde_json::json;

use crate::harness::{ONE_MODEL, Stage, chat, with};

const PATH: &str = "/v1/chat/completions";

/// Sends bodies that must be refused with 400, each with the `error.param` and words that its answer must hold.
async fn refused(stage: &Stage, cases: &[(&str, &str, &str)]) {
    for (body, param, words) in cases {
        let reply = stage.server.request("POST", PATH, &[], (*body).to_owned()).await;
        let shown: String = body.chars().take(100).collect();
        assert_eq!(reply.status, 400, "{shown}: {}", reply.text());
        let error = reply.error();
        assert_eq!(error["param"], *param, "{shown}: {error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{shown}: {error}");
        assert!(reply.body.len() < 2000, "{shown}: a long answer to a bad request");
    }
    assert!(stage.provider.requests().is_empty(), "nothing of this may reach the upstream");
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let stage = Stage::open(ONE_MODEL);
    let deep =
        format!("{{\"model\":\"chat\",\"messages\":[],\"x\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let wide: String = (0..20_000).map(|number| format!("\"{number}\":0,")).collect();
    let wide = format!("{{{wide}\"model\":\"chat\",\"messages\":[]}}");
    refused(
        &stage,
        &[
            (r#"{"model": "chat", "messages": ["#, "request_body", "Invalid JSON payload"),
            ("", "request_body", "Invalid JSON payload"),
            ("[1]", "request_body", "Invalid JSON payload"),
            (r#"{"model":"chat","messages":[]} x"#, "request_body", "Invalid JSON payload"),
            (&deep, "request_body", "Invalid JSON payload"),
            (&wide, "request_body", "Invalid JSON payload"),
            (r#"{"model":"chat","model":"other","messages":[]}"#, "model", "model"),
            (r#"{"model":"chat","m\u006fdel":"other","messages":[]}"#, "model", "model"),
        ],
    )
    .await;
}

#[tokio::test]
async fn fields_that_are_missing_or_mistyped_are_named() {
    let stage = Stage::open(ONE_MODEL);
    refused(
        &stage,
        &[
            (r#"{"model":"chat"}"#, "messages", "Missing required parameter: 'messages'"),
            (r#"{"model":"chat","messages":null}"#, "messages", "Missing required parameter: 'messages'"),
            (r#"{"model":"chat","messages":"hi"}"#, "messages", "must be a list"),
            (r#"{"messages":[]}"#, "model", "Missing required parameter: 'model'"),
            (r#"{"model":7,"messages":[]}"#, "model", "'model' must be a string."),
            (r#"{"model":"\ud800","messages":[]}"#, "model", "'model' must be a string."),
            (r#"{"model":"chat","messages":[],"stream":"yes"}"#, "stream", "'stream' must be a boolean."),
            (r#"{"model":"chat","messages":[],"timeout":"soon"}"#, "timeout", "a number of seconds"),
            (r#"{"model":"chat","messages":[],"timeout":-1}"#, "timeout", "a positive number"),
            (r#"{"model":"chat","messages":[],"num_retries":-1}"#, "num_retries", "a whole number"),
            (r#"{"model":"chat","messages":[],"drop_params":"x"}"#, "drop_params", "a boolean"),
            (r#"{"model":"chat","messages":[],"extra_body":[]}"#, "extra_body", "an object"),
            (r#"{"model":"chat","messages":[],"extra_body":{"model":"x"}}"#, "extra_body.model", "top level"),
        ],
    )
    .await;
    let header = [("x-litellm-timeout", "abc")];
    let reply = stage.server.request("POST", PATH, &header, chat("chat").to_string()).await;
    assert_eq!((reply.status, reply.error()["param"].clone()), (400, json!("x-litellm-timeout")));
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_refused() {
    let stage = Stage::open(ONE_MODEL);
    let body = b"{\"model\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}".to_vec();
    let reply = stage.server.request("POST", PATH, &[], body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(reply.error()["param"], "request_body");
}

#[tokio::test]
async fn an_unknown_model_lists_the_known_ones() {
    let stage = Stage::open(ONE_MODEL);
    let reply = stage.server.chat(&chat("chta")).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let error = reply.error();
    assert_eq!(error["param"], "model");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("model=chta") && message.contains("Available models: chat"), "{message}");

    let long = stage.server.chat(&chat(&"x".repeat(100_000))).await;
    assert_eq!(long.status, 400);
    assert!(long.body.len() < 1000, "{}", long.body.len());
}

#[tokio::test]
async fn fields_that_a_provider_does_not_take_are_named_or_dropped() {
    let stage = Stage::open(
        "
model_list:
  - model_name: local
    litellm_params: {model: ollama_chat/llama, api_base: $FAKE}
",
    );
    let body = with(chat("local"), json!({"logit_bias": {"1": 2}}));
    let reply = stage.server.chat(&body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let refused = reply.error();
    assert_eq!(refused["param"], "logit_bias");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.starts_with("litellm.UnsupportedParamsError: ") && message.contains("drop_params"),
        "{message}"
    );

    let reply = stage.server.chat(&with(body, json!({"drop_params": true}))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("x-tollgate-dropped-params"), Some("logit_bias"));
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths_are_answered_in_json() {
    let stage = Stage::open(ONE_MODEL);
    let reply = stage.server.get(PATH).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    reply.error();
    let reply = stage.server.post("/v1/models", &json!({})).await;
    assert_eq!(reply.status, 405);
    reply.error();
    assert!(reply.header("allow").is_some_and(|allow| allow.contains("GET")), "{:?}", reply.headers);

    for path in [
        "/nowhere",
        "/v1",
        "/v1/chat/completions/more",
        "/v2/chat/completions",
        "/../etc/passwd",
        "/docs/%2e%2e%2fconfig.yaml",
    ] {
        let reply = stage.server.get(path).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
    }
    let reply = stage.server.get("/nowhere").await;
    reply.error();
    assert_eq!(reply.json()["detail"], "Not Found");
}

#[tokio::test]
async fn every_answer_forbids_framing_and_sniffing() {
    let stage = Stage::open(ONE_MODEL);
    let page = stage.server.get("/").await;
    let refused = stage.server.chat(&json!({})).await;
    let answered = stage.server.chat(&chat("chat")).await;
    for reply in [page, refused, answered] {
        assert_eq!(reply.header("x-frame-options"), Some("DENY"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    }
}
