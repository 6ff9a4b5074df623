//! Failures as callers see them: the upstream's, and our refusals of requests that make no sense.

use serde_json::{Value, json};

use crate::harness::{CANARY, Launch, ONE_MODEL, Reply, Server, Stage, chat, with};

const PATH: &str = "/v1/chat/completions";

/// Checks the shape that clients rely on, and returns `error`.
fn error(reply: &Reply) -> Value {
    assert_eq!(reply.header("content-type"), Some("application/json"), "{}", reply.text());
    let error = reply.json()["error"].clone();
    assert!(error["message"].is_string() && error["type"].is_string(), "{}", reply.text());
    assert_eq!(error["code"], reply.status.to_string(), "{}", reply.text());
    error
}

#[tokio::test]
async fn upstream_failures_keep_their_meaning() {
    let stage = Stage::open(ONE_MODEL);
    // status, error of the upstream → status, type, class, whether the class is said twice
    let cases: &[(u16, Value, u16, &str, &str)] = &[
        (400, json!("no such option"), 400, "invalid_request_error", "BadRequestError: "),
        (400, json!({"error": {"message": "m", "type": "some_type"}}), 400, "some_type", "BadRequestError: "),
        (
            400,
            json!({"error": {"message": "This model's maximum context length is 8 tokens", "code": "context_length_exceeded"}}),
            400,
            "invalid_request_error",
            "ContextWindowExceededError: ContextWindowExceededError: ",
        ),
        (401, json!("bad key"), 401, "authentication_error", "AuthenticationError: AuthenticationError: "),
        (402, json!("pay"), 402, "invalid_request_error", "PaymentRequiredError: PaymentRequiredError: "),
        (403, json!("no"), 403, "permission_error", "PermissionDeniedError: PermissionDeniedError: "),
        (404, json!("where"), 404, "invalid_request_error", "NotFoundError: NotFoundError: "),
        (408, json!("late"), 408, "invalid_request_error", "Timeout: Timeout: "),
        (422, json!({"detail": "mistyped"}), 422, "invalid_request_error", "UnprocessableEntityError: UnprocessableEntityError: "),
        (429, json!("slower"), 429, "throttling_error", "RateLimitError: RateLimitError: "),
        (500, json!("bug"), 500, "internal_server_error", "InternalServerError: InternalServerError: "),
        (502, json!("gone"), 502, "internal_server_error", "BadGatewayError: BadGatewayError: "),
        (503, json!("full"), 503, "internal_server_error", "ServiceUnavailableError: ServiceUnavailableError: "),
        (529, json!("overloaded"), 503, "internal_server_error", "ServiceUnavailableError: ServiceUnavailableError: "),
    ];
    for (sent, body, status, kind, class) in cases {
        stage.script("up", json!({"status": sent, "error": body}));
        let reply = stage.server.chat(&chat("chat")).await;
        assert_eq!(reply.status, *status, "{sent} {body}: {}", reply.text());
        let error = error(&reply);
        assert_eq!(error["type"], *kind, "{sent} {body}");
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("litellm.{class}OpenAIException - ")), "{sent} {body}: {message}");
        let said = [&body["error"]["message"], &body["detail"], body].into_iter().find_map(Value::as_str).unwrap();
        assert!(message.contains(said), "{sent} {body}: {message}");
        assert_eq!(reply.header("x-litellm-response-cost"), Some("0"));
        assert_eq!(reply.header("x-litellm-model-name"), Some("openai/up"));
    }
}

#[tokio::test]
async fn an_upstream_may_fail_in_any_words() {
    let stage = Stage::open(ONE_MODEL);
    let bodies = [json!("<html><h1>502</h1></html>"), json!(""), json!("[]"), json!("{\"error\":null}"), json!({"base64": "//79/A=="})];
    for raw in bodies {
        stage.script("up", json!({"status": 502, "raw": raw}));
        let reply = stage.server.chat(&chat("chat")).await;
        assert_eq!(reply.status, 502, "{raw}: {}", reply.text());
        let message = error(&reply)["message"].as_str().unwrap().to_owned();
        assert!(message.len() > "litellm.BadGatewayError: BadGatewayError: OpenAIException - ".len(), "{raw}: {message}");
    }
}

#[tokio::test]
async fn what_is_no_reply_is_a_bad_gateway() {
    let stage = Stage::open(ONE_MODEL);
    let cases = [
        (json!({"raw": "<html>welcome to the hotel's network</html>"}), "not valid JSON"),
        (json!({"raw": {"base64": "eyJhIjoi//4ifQ=="}}), "not valid UTF-8"),
        (json!({"raw": "{\"error\":{\"message\":\"inside\",\"code\":502}}"}), "inside"),
        (json!({"reply": "a long enough reply", "cut_after_bytes": 40}), "the connection broke"),
    ];
    for (script, words) in cases {
        stage.script("up", script.clone());
        let reply = stage.server.chat(&chat("chat")).await;
        assert_eq!(reply.status, 502, "{script}: {}", reply.text());
        assert!(reply.message().contains(words), "{script}: {}", reply.text());
    }
}

#[tokio::test]
async fn upstream_headers_come_with_the_error() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"status": 429, "headers": {"retry-after": "17", "x-ratelimit-remaining-tokens": "0"}}));
    let reply = stage.server.chat(&chat("chat")).await;
    assert_eq!(reply.header("llm_provider-retry-after"), Some("17"));
    assert_eq!(reply.header("x-ratelimit-remaining-tokens"), Some("0"));
    assert_eq!(reply.header("retry-after"), None, "ours to say, for our own limits");
}

#[tokio::test]
async fn retries_are_counted_in_the_error() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"status": 500, "error": "bug"}));
    let reply = stage.server.chat(&with(chat("chat"), json!({"num_retries": 1}))).await;
    assert_eq!(reply.status, 500);
    assert!(reply.message().ends_with("bug LiteLLM Retried: 1 times, LiteLLM Max Retries: 1"), "{}", reply.message());
    assert_eq!(reply.header("x-litellm-attempted-retries"), Some("1"));
    assert_eq!(stage.provider.requests_for("up").len(), 2);
}

#[tokio::test]
async fn an_upstream_that_is_not_there() {
    let stage = Stage::open(
        "
model_list:
  - model_name: chat
    litellm_params: {model: openai/up, api_base: 'http://127.0.0.1:1/v1', api_key: $CANARY}
router_settings: {num_retries: 0}
",
    );
    let reply = stage.server.chat(&chat("chat")).await;
    assert_eq!(reply.status, 500, "{}", reply.text());
    let message = error(&reply)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("Connection error") && message.contains("refused"), "{message}");
}

#[tokio::test]
async fn an_upstream_that_takes_too_long() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"delay_ms": 60_000}));
    let by_body = stage.server.chat(&with(chat("chat"), json!({"timeout": 0.2}))).await;
    let header = [("x-litellm-timeout", "0.2")];
    let by_header = stage.server.request("POST", PATH, &header, chat("chat").to_string()).await;
    for reply in [by_body, by_header] {
        assert_eq!(reply.status, 408, "{}", reply.text());
        let message = error(&reply)["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("litellm.Timeout: ") && message.contains("0.2 seconds"), "{message}");
    }
}

#[tokio::test]
async fn a_key_that_an_upstream_echoes_is_not_passed_on() {
    let stage = Stage::open(ONE_MODEL);
    let echo = format!("Incorrect API key provided: Bearer {CANARY}");
    let in_frame = format!("data: {{\"error\":{{\"message\":\"{echo}\"}}}}\n\n");
    let scripts = [
        json!({"status": 401, "error": echo}),
        json!({"status": 401, "raw": format!("authorization: Bearer {CANARY}")}),
        json!({"status": 500, "error": {"request": {"headers": {"authorization": format!("Bearer {CANARY}")}}}}),
        json!({"status": 400, "error": {"error": {"message": "m", "type": CANARY, "param": CANARY}}}),
        json!({"raw": format!("{{\"error\":{{\"message\":\"{echo}\"}}}}")}),
        json!({"status": 401, "headers": {"x-your-key": CANARY, "www-authenticate": CANARY}}),
        json!({"headers": {"x-your-key": CANARY}}),
        json!({"chunks": ["one", {"raw": in_frame}], "chunk_ms": 10}),
    ];
    for script in scripts {
        for stream in [false, true] {
            stage.script("up", script.clone());
            let reply = stage.server.chat(&with(chat("chat"), json!({"stream": stream}))).await;
            let shown = format!("{:?} {}", reply.headers, reply.text());
            assert!(!shown.contains(CANARY), "{script}: {shown}");
        }
    }
    assert!(!stage.server.log().contains(CANARY), "{}", stage.server.log());
}

#[tokio::test]
async fn a_provider_without_a_key_says_which_variable_is_missing() {
    let config = "
model_list:
  - model_name: chat
    litellm_params: {model: groq/llama-3.3-70b-versatile}
router_settings: {num_retries: 0}
";
    let server = Server::start(&Launch { config: Some(config), ..Launch::default() });
    assert!(server.log().contains("GROQ_API_KEY"), "said at the start: {}", server.log());
    let reply = server.chat(&chat("chat")).await;
    assert_eq!(reply.status, 401, "{}", reply.text());
    let message = error(&reply)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("GROQ_API_KEY") && message.contains("GroqException"), "{message}");
}

#[tokio::test]
async fn requests_that_make_no_sense_say_what_is_wrong() {
    let stage = Stage::open(ONE_MODEL);
    let deep = format!("{{\"model\":\"chat\",\"messages\":[],\"x\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    // body → type, param, words
    let cases = [
        (r#"{"model": "chat", "messages": ["#, "invalid_request_error", "request_body", "Invalid JSON payload"),
        ("", "invalid_request_error", "request_body", "Invalid JSON payload"),
        ("[1]", "invalid_request_error", "request_body", "Invalid JSON payload"),
        (r#"{"model":"chat","messages":[]} x"#, "invalid_request_error", "request_body", "Invalid JSON payload"),
        ("{\"model\":\"\\ud800\",\"messages\":[]}", "", "", ""),
        (&deep, "invalid_request_error", "request_body", ""),
        (r#"{"model":"chat"}"#, "invalid_request_error", "messages", "Missing required parameter: 'messages'"),
        (r#"{"model":"chat","messages":null}"#, "invalid_request_error", "messages", "Missing required parameter: 'messages'"),
        (r#"{"model":"chat","messages":"hi"}"#, "invalid_request_error", "messages", "must be a list"),
        (r#"{"messages":[]}"#, "invalid_request_error", "model", "Missing required parameter: 'model'"),
        (r#"{"model":7,"messages":[]}"#, "bad_request_error", "model", "'model' must be a string."),
        (r#"{"model":"chat","model":"other","messages":[]}"#, "invalid_request_error", "model", "model"),
        (r#"{"model":"chat","m\u006fdel":"other","messages":[]}"#, "invalid_request_error", "model", "model"),
        (r#"{"model":"chat","messages":[],"stream":"yes"}"#, "invalid_request_error", "stream", "'stream' must be a boolean."),
        (r#"{"model":"chat","messages":[],"timeout":"soon"}"#, "invalid_request_error", "timeout", "a number of seconds"),
        (r#"{"model":"chat","messages":[],"timeout":-1}"#, "invalid_request_error", "timeout", "a positive number"),
        (r#"{"model":"chat","messages":[],"num_retries":-1}"#, "invalid_request_error", "num_retries", "a whole number"),
        (r#"{"model":"chat","messages":[],"drop_params":"x"}"#, "invalid_request_error", "drop_params", "a boolean"),
        (r#"{"model":"chat","messages":[],"extra_body":[]}"#, "invalid_request_error", "extra_body", "an object"),
        (r#"{"model":"chat","messages":[],"extra_body":{"model":"x"}}"#, "invalid_request_error", "extra_body.model", "top level"),
    ];
    for (body, kind, param, words) in cases {
        let reply = stage.server.request("POST", PATH, &[], body.to_owned()).await;
        let shown: String = body.chars().take(100).collect();
        assert_eq!(reply.status, 400, "{shown}: {}", reply.text());
        let error = error(&reply);
        assert!(kind.is_empty() || error["type"] == kind, "{shown}: {error}");
        assert!(param.is_empty() || error["param"] == param, "{shown}: {error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{shown}: {error}");
        assert!(reply.body.len() < 2000, "{shown}: a long answer to a bad request");
    }
    let header = [("x-litellm-timeout", "abc")];
    let reply = stage.server.request("POST", PATH, &header, chat("chat").to_string()).await;
    assert_eq!((reply.status, error(&reply)["param"].clone()), (400, json!("x-litellm-timeout")));
    assert!(stage.provider.requests().is_empty(), "nothing of this may reach the upstream");
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_refused() {
    let stage = Stage::open(ONE_MODEL);
    let body = b"{\"model\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}".to_vec();
    let reply = stage.server.request("POST", PATH, &[], body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(error(&reply)["param"], "request_body");
}

#[tokio::test]
async fn an_unknown_model_lists_the_known_ones() {
    let stage = Stage::open(ONE_MODEL);
    let reply = stage.server.chat(&chat("chta")).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let error = error(&reply);
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
    let refused = error(&reply);
    assert_eq!(refused["param"], "logit_bias");
    let message = refused["message"].as_str().unwrap();
    assert!(message.starts_with("litellm.UnsupportedParamsError: ") && message.contains("drop_params"), "{message}");

    let reply = stage.server.chat(&with(body, json!({"drop_params": true}))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("x-tollgate-dropped-params"), Some("logit_bias"));
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths_are_answered_in_json() {
    let stage = Stage::open(ONE_MODEL);
    let reply = stage.server.get(PATH).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    error(&reply);
    let reply = stage.server.post("/v1/models", &json!({})).await;
    assert_eq!(reply.status, 405);
    error(&reply);
    assert!(reply.header("allow").is_some_and(|allow| allow.contains("GET")), "{:?}", reply.headers);

    for path in ["/nowhere", "/v1", "/v1/chat/completions/more", "/v2/chat/completions", "/../etc/passwd", "/docs/%2e%2e%2fconfig.yaml"] {
        let reply = stage.server.get(path).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
    }
    let reply = stage.server.get("/nowhere").await;
    error(&reply);
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
