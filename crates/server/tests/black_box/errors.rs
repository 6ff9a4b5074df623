//! Failures of upstreams as callers see them. Not here: our own refusals.

use serde_json::{Value, json};

use crate::harness::{CANARY, FakeProvider, Launch, ONE_MODEL, Server, Stage, chat, placed, with};

const PATH: &str = "/v1/chat/completions";

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
        (
            422,
            json!({"detail": "mistyped"}),
            422,
            "invalid_request_error",
            "UnprocessableEntityError: UnprocessableEntityError: ",
        ),
        (429, json!("slower"), 429, "throttling_error", "RateLimitError: RateLimitError: "),
        (500, json!("bug"), 500, "internal_server_error", "InternalServerError: InternalServerError: "),
        (502, json!("gone"), 502, "internal_server_error", "BadGatewayError: BadGatewayError: "),
        (
            503,
            json!("full"),
            503,
            "internal_server_error",
            "ServiceUnavailableError: ServiceUnavailableError: ",
        ),
        (
            529,
            json!("overloaded"),
            529,
            "internal_server_error",
            "ServiceUnavailableError: ServiceUnavailableError: ",
        ),
    ];
    for (sent, body, status, kind, class) in cases {
        stage.script("up", json!({"status": sent, "error": body}));
        let reply = stage.server.chat(&chat("chat")).await;
        assert_eq!(reply.status, *status, "{sent} {body}: {}", reply.text());
        let error = reply.error();
        assert_eq!(error["type"], *kind, "{sent} {body}");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("litellm.{class}OpenAIException - ")),
            "{sent} {body}: {message}"
        );
        let said =
            [&body["error"]["message"], &body["detail"], body].into_iter().find_map(Value::as_str).unwrap();
        assert!(message.contains(said), "{sent} {body}: {message}");
        assert_eq!(reply.header("x-litellm-response-cost"), Some("0"));
        assert_eq!(reply.header("x-litellm-model-name"), Some("openai/up"));
    }
}

#[tokio::test]
async fn an_upstream_may_fail_in_any_words() {
    let stage = Stage::open(ONE_MODEL);
    let bodies = [
        json!("<html><h1>502</h1></html>"),
        json!(""),
        json!("[]"),
        json!("{\"error\":null}"),
        json!({"base64": "//79/A=="}),
    ];
    for raw in bodies {
        stage.script("up", json!({"status": 502, "raw": raw}));
        let reply = stage.server.chat(&chat("chat")).await;
        assert_eq!(reply.status, 502, "{raw}: {}", reply.text());
        let message = reply.message();
        assert!(
            message.len() > "litellm.BadGatewayError: BadGatewayError: OpenAIException - ".len(),
            "{raw}: {message}"
        );
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
    stage.script(
        "up",
        json!({"status": 429, "headers": {"retry-after": "17", "x-ratelimit-remaining-tokens": "0"}}),
    );
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
    assert!(
        reply.message().ends_with("bug LiteLLM Retried: 1 times, LiteLLM Max Retries: 1"),
        "{}",
        reply.message()
    );
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
    let message = reply.message();
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
        let message = reply.message();
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
async fn the_log_holds_no_key_even_when_it_says_everything() {
    let provider = FakeProvider::start().unwrap();
    let config = format!("{ONE_MODEL}\ngeneral_settings: {{master_key: sk-master-7d1b0c}}\n");
    let server = Server::start(&Launch {
        config: Some(&placed(&config, &provider)),
        environment: &[("TOLLGATE_LOG", "trace"), ("GROQ_API_KEY", "gsk-of-the-environment")],
        ..Launch::default()
    });
    let body = chat("chat").to_string();
    for key in ["Bearer sk-master-7d1b0c", "Bearer sk-of-a-stranger"] {
        server.request("POST", PATH, &[("authorization", key)], body.clone()).await;
    }
    server.until_log("input_tokens").await;
    for secret in [CANARY, "sk-master-7d1b0c", "sk-of-a-stranger", "gsk-of-the-environment"] {
        let log = server.log();
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
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
    let message = reply.message();
    assert!(message.contains("GROQ_API_KEY") && message.contains("GroqException"), "{message}");
}
