//! Same-format calls: what reaches the upstream, and what comes back, byte for byte.

use serde_json::{Value, json};

use crate::harness::{CANARY, ONE_MODEL, Stage, chat, streamed, with};

const PATH: &str = "/v1/chat/completions";

/// Spacing, escapes, number spellings and fields that a parse and a print would lose.
const ODD: &str = "\r\n{ \"messages\" :[ {\"role\":\"user\",\"content\":\"caf\\u00e9 \\ud83d\\ude00 \\/ \u{e9}\u{1f600}\",\n\t\"x\" : 1e2} ] ,\
    \"unknown_field\":{\"b\":1.0,\"a\":[2E+3,12345678901234567890]} , \"model\" : \"chat\",\"temperature\":0.70 ,\"stop\": null }\n ";

#[tokio::test]
async fn the_body_reaches_the_upstream_as_it_was_sent_but_for_the_model() {
    let stage = Stage::open(ONE_MODEL);
    let reply = stage.server.request("POST", PATH, &[], ODD).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(stage.received("up").body, ODD.replace("\"chat\"", "\"up\""));
    assert_eq!(stage.received("up").path, "/v1/chat/completions");
}

#[tokio::test]
async fn a_stream_only_gains_the_wish_for_usage() {
    let stage = Stage::open(ONE_MODEL);
    let asked = ODD.replace("\"stop\": null", "\"stream\" :true");
    let reply = stage.server.request("POST", PATH, &[], asked.clone()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = stage.received("up").body;
    let gained = "\"stream_options\":{\"include_usage\":true}";
    assert!(body.contains(gained), "{body}");
    let without = body.replace(&format!(",{gained}"), "");
    assert_eq!(without, asked.replace("\"chat\"", "\"up\""));

    let wishes = with(streamed("chat"), json!({"stream_options": {"include_obfuscation": false}}));
    stage.server.chat(&wishes).await;
    assert_eq!(
        stage.received("up").json()["stream_options"],
        json!({"include_obfuscation": false, "include_usage": true})
    );
}

#[tokio::test]
async fn fields_that_steer_the_gateway_stay_here() {
    let stage = Stage::open(ONE_MODEL);
    let body = with(
        chat("chat"),
        json!({
            "num_retries": 1, "max_retries": 1, "timeout": 30, "request_timeout": 30, "tags": ["a"], "cache": {"no-cache": true},
            "metadata": {"user_api_key": "x", "user_api_key_team_id": "y"}, "litellm_metadata": {"a": 1}, "litellm_session_id": "s",
            "litellm_trace_id": "t", "litellm_call_id": "c", "fallbacks": ["other"], "guardrails": ["g"], "drop_params": true,
            "additional_drop_params": ["logit_bias"], "logit_bias": {}, "allowed_openai_params": ["a"], "no-log": true,
            "input_cost_per_token": 0, "output_cost_per_token": 0, "priority": 1,
        }),
    );
    let reply = stage.server.chat(&body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.content(), "You said: Hello there");
    let upstream = stage.received("up").json();
    let names: Vec<&String> = upstream.as_object().unwrap().keys().collect();
    assert_eq!(names, ["model", "messages"]);
}

#[tokio::test]
async fn metadata_is_the_providers_when_it_stores_the_call() {
    let stage = Stage::open(ONE_MODEL);
    stage.server.chat(&with(chat("chat"), json!({"store": true, "metadata": {"a": "b"}}))).await;
    assert_eq!(stage.received("up").json()["metadata"], json!({"a": "b"}));
}

#[tokio::test]
async fn configured_fields_are_added_and_the_clients_win_over_defaults() {
    let stage = Stage::open(
        "
model_list:
  - model_name: chat
    litellm_params:
      {model: openai_like/up, api_base: $FAKE/v1, api_key: k, temperature: 0.3, max_tokens: 7, extra_body: {top_k: 5, seed: 1}}
",
    );
    let body = with(chat("chat"), json!({"temperature": 0.9, "seed": 2, "extra_body": {"min_p": 0.1}}));
    let reply = stage.server.chat(&body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let upstream = stage.received("up").json();
    assert_eq!(upstream["temperature"], 0.9);
    assert_eq!(upstream["max_tokens"], 7);
    assert_eq!(
        (&upstream["top_k"], &upstream["seed"], &upstream["min_p"]),
        (&json!(5), &json!(1), &json!(0.1))
    );
    assert_eq!(upstream.get("extra_body"), None);
}

#[tokio::test]
async fn the_clients_headers_stay_here_and_the_credentials_go_out() {
    let stage = Stage::open(
        "
model_list:
  - model_name: chat
    litellm_params: {model: openai/up, api_base: $FAKE/v1, api_key: $CANARY, extra_headers: {x-team: blue}}
",
    );
    let sent = [
        ("authorization", "Bearer of-the-client"),
        ("cookie", "session=1"),
        ("x-api-key", "of-the-client"),
        ("x-custom", "1"),
        ("x-team", "red"),
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("openai-organization", "of-the-client"),
        ("connection", "x-custom"),
        ("te", "trailers"),
        ("accept-encoding", "gzip"),
    ];
    let reply = stage.server.request("POST", PATH, &sent, chat("chat").to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let received = stage.received("up");
    assert_eq!(received.header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    assert_eq!(received.header("x-team"), Some("blue"));
    assert_eq!(received.header("host"), stage.provider.base_url().strip_prefix("http://"));
    let known = ["content-type", "accept", "user-agent", "authorization", "x-team", "host", "content-length"];
    let foreign: Vec<_> =
        received.headers.iter().filter(|(name, _)| !known.contains(&name.as_str())).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let values: String = received.headers.iter().map(|(_, value)| value.as_str()).collect();
    assert!(!values.contains("of-the-client") && !values.contains("red"), "{values}");
}

#[tokio::test]
async fn the_reply_comes_back_as_it_was_but_for_the_model() {
    let stage = Stage::open(ONE_MODEL);
    let raw = "\n{ \"id\":\"r-1\", \"choices\" : [ {\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"\\u00e9\\/\"},\
        \"finish_reason\":\"stop\"} ],\t\"model\" : \"up-2024-08-06\",\"vendor\":{\"z\":1.0e0,\"a\":[]} }\n";
    stage.script("up", json!({"raw": raw}));
    let reply = stage.server.chat(&chat("chat")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.text(), raw.replace("\"up-2024-08-06\"", "\"chat\""));
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn upstream_headers_come_back_under_a_prefix_and_cannot_speak_for_us() {
    let stage = Stage::open(ONE_MODEL);
    let headers = json!({
        "x-request-id": "up-1", "x-ratelimit-remaining-requests": "9", "set-cookie": "a=b", "access-control-allow-origin": "evil",
        "x-litellm-model-id": "forged", "strict-transport-security": "max-age=1",
    });
    stage.script("up", json!({"headers": headers}));
    let reply = stage.server.chat(&chat("chat")).await;
    assert_eq!(reply.header("llm_provider-x-request-id"), Some("up-1"));
    assert_eq!(reply.header("x-ratelimit-remaining-requests"), Some("9"));
    assert_eq!(reply.headers.get_all("x-litellm-model-id").iter().count(), 1);
    assert_ne!(reply.header("x-litellm-model-id"), Some("forged"));
    for gone in
        ["set-cookie", "llm_provider-set-cookie", "access-control-allow-origin", "strict-transport-security"]
    {
        assert_eq!(reply.header(gone), None, "{gone}");
    }
}

#[tokio::test]
async fn a_reply_says_which_call_and_deployment_it_is_of() {
    let stage = Stage::open(ONE_MODEL);
    let own_id = [("x-litellm-call-id", "my-call.1")];
    let reply = stage.server.request("POST", PATH, &own_id, chat("chat").to_string()).await;
    assert_eq!(reply.header("x-litellm-call-id"), Some("my-call.1"));
    assert_eq!(reply.header("x-litellm-model-group"), Some("chat"));
    assert_eq!(reply.header("x-litellm-model-name"), Some("openai/up"));
    let base = format!("{}/v1", stage.provider.base_url());
    assert_eq!(reply.header("x-litellm-model-api-base"), Some(base.as_str()));
    assert_eq!(reply.header("x-litellm-attempted-retries"), Some("0"));
    let overhead: f64 = reply.header("x-litellm-overhead-duration-ms").unwrap().parse().unwrap();
    assert!(overhead < 1000.0, "{overhead}");

    let hostile = [("x-litellm-call-id", "a b<script>")];
    let reply = stage.server.request("POST", PATH, &hostile, chat("chat").to_string()).await;
    let id = reply.header("x-litellm-call-id").unwrap();
    assert_eq!(id.len(), 36, "a UUID takes the place of an id that is not plain: {id}");
}

#[tokio::test]
async fn a_long_prompt_arrives_whole() {
    let stage = Stage::open(ONE_MODEL);
    let long: String = "All work and no play \u{1f600} ".repeat(16_000);
    assert!(long.len() > 400_000);
    let body = json!({"model": "chat", "messages": [{"role": "user", "content": long}]});
    let reply = stage.server.chat(&body).await;
    assert_eq!(reply.status, 200);
    assert_eq!(stage.received("up").json()["messages"], body["messages"]);
    assert_eq!(reply.content(), format!("You said: {long}"));
}

#[tokio::test]
async fn fields_are_renamed_for_providers_that_call_them_otherwise() {
    let stage = Stage::open(
        "
model_list:
  - model_name: chat
    litellm_params: {model: mistral/up, api_base: $FAKE/v1, api_key: k}
",
    );
    let reply = stage.server.chat(&with(chat("chat"), json!({"max_completion_tokens": 12}))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let upstream = stage.received("up").json();
    assert_eq!(upstream["max_tokens"], 12);
    assert_eq!(upstream.get("max_completion_tokens"), None);
}

#[tokio::test]
async fn completions_and_embeddings_pass_the_same_way() {
    let stage = Stage::open(
        "
model_list:
  - model_name: text
    litellm_params: {model: hosted_vllm/up-text, api_base: $FAKE/v1}
  - model_name: vectors
    litellm_params: {model: openai/up-vectors, api_base: $FAKE/v1, api_key: k}
",
    );
    let body = r#"{"model":"text", "prompt":"Say \u0041", "echo":false }"#;
    let reply = stage.server.request("POST", "/v1/completions", &[], body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["choices"][0]["text"], "You said: Say A");
    assert_eq!(reply.json()["model"], "text");
    assert_eq!(stage.received("up-text").body, body.replace("\"text\"", "\"up-text\""));
    assert_eq!(stage.received("up-text").path, "/v1/completions");
    assert_eq!(stage.received("up-text").header("authorization"), None);

    let body = r#"{"input":["a", "b"],"model":"vectors" ,"dimensions":3}"#;
    let reply = stage.server.request("POST", "/v1/embeddings", &[], body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let vectors = reply.json()["data"].as_array().map(Vec::len);
    assert_eq!(vectors, Some(2));
    assert_eq!(stage.received("up-vectors").body, body.replace("\"vectors\"", "\"up-vectors\""));
}

#[tokio::test]
async fn a_chat_model_answers_the_legacy_endpoint_too() {
    let stage = Stage::open(ONE_MODEL);
    let reply = stage.server.post("/v1/completions", &json!({"model": "chat", "prompt": "Say A"})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(stage.received("up").path, "/v1/chat/completions");
    let answer: Value = reply.json();
    assert_eq!((&answer["object"], &answer["model"]), (&json!("text_completion"), &json!("chat")));
    assert_eq!(answer["choices"][0]["text"], "You said: Say A");
}

#[tokio::test]
async fn fields_below_the_top_are_left_out_by_their_path() {
    let stage = Stage::open(ONE_MODEL);
    let tool = json!({"type": "function", "function": {"name": "f", "strict": true, "parameters": {"type": "object"}}});
    let body = with(
        chat("chat"),
        json!({"tools": [tool, tool], "additional_drop_params": ["tools[*].function.strict", "seed", "nothing[0].here"], "seed": 1}),
    );
    let reply = stage.server.chat(&body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let sent = stage.received("up").json();
    let bare = json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}});
    assert_eq!((&sent["tools"], &sent["seed"]), (&json!([bare, bare]), &Value::Null));
}
