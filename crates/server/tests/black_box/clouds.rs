//! Models behind clouds' own formats and sign-ins: Bedrock, Vertex AI, Gemini, Cohere.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::harness::{CANARY, Stage, chat, streamed, with};

const AMAZON: &str = "
model_list:
  - model_name: claude
    litellm_params: &amazon
      model: bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0
      aws_access_key_id: AKIDEXAMPLE
      aws_secret_access_key: wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
      aws_region_name: eu-west-1
      aws_bedrock_runtime_endpoint: $FAKE
  - model_name: nova
    litellm_params: {<<: *amazon, model: bedrock/us.amazon.nova-pro-v1:0}
  - model_name: keyed
    litellm_params: {model: bedrock/us.amazon.nova-pro-v1:0, api_key: $CANARY, aws_region_name: us-east-1, aws_bedrock_runtime_endpoint: $FAKE}
router_settings: {num_retries: 0}
";

/// What an OpenAI stream said.
fn said(stream: &str) -> String {
    assert!(stream.ends_with("data: [DONE]\n\n"), "{stream}");
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    data.filter_map(|data| {
        let chunk: Value = serde_json::from_str(data).unwrap();
        chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned)
    })
    .collect()
}

#[tokio::test]
async fn bedrocks_converse_answers_whole_and_streamed() {
    let stage = Stage::open(AMAZON);
    let reply = stage.server.chat(&chat("nova")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.content(), "You said: Hello there");
    let received = stage.provider.requests().pop().unwrap();
    assert_eq!(received.path, "/model/us.amazon.nova-pro-v1%3A0/converse");
    let signature = received.header("authorization").unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signature}");
    assert!(signature.contains("/eu-west-1/bedrock/aws4_request"), "{signature}");

    let reply = stage.server.chat(&streamed("nova")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(said(reply.text()), "You said: Hello there");

    let reply = stage.server.chat(&chat("keyed")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let received = stage.provider.requests().pop().unwrap();
    assert_eq!(received.header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
}

#[tokio::test]
async fn an_anthropic_client_reaches_claude_on_bedrock_in_its_own_format() {
    let stage = Stage::open(AMAZON);
    let body = with(chat("claude"), json!({"max_tokens": 64}));
    let reply = stage.server.post("/v1/messages", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["content"][0]["text"], "You said: Hello there");
    let received = stage.provider.requests().pop().unwrap();
    assert!(received.path.ends_with("/invoke"), "{}", received.path);
    assert_eq!(received.json()["anthropic_version"], "bedrock-2023-05-31");
    assert!(received.json().get("model").is_none() && received.json().get("stream").is_none());

    let reply = stage.server.post("/v1/messages", &with(body, json!({"stream": true}))).await;
    assert!(
        reply.text().ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
        "{}",
        reply.text()
    );
    assert!(stage.provider.requests().pop().unwrap().path.ends_with("/invoke-with-response-stream"));

    let reply = stage.server.chat(&chat("claude")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(stage.provider.requests().pop().unwrap().path.ends_with("/converse"));
}

#[tokio::test]
async fn amazons_failures_keep_their_meaning() {
    let stage = Stage::open(AMAZON);
    stage.script("*", json!({"status": 429, "error": "Too many tokens, please wait before trying again."}));
    let reply = stage.server.chat(&chat("nova")).await;
    assert_eq!(reply.status, 429, "{}", reply.text());
    assert!(reply.message().contains("BedrockException"), "{}", reply.text());
    assert!(!reply.text().contains("wJalrXUtnFEMI"));
}

#[tokio::test]
async fn gemini_answers_in_its_own_format() {
    let stage = Stage::open(
        "
model_list:
  - model_name: gemini
    litellm_params: {model: gemini/gemini-2.5-flash, api_base: $FAKE, api_key: $CANARY}
",
    );
    let reply = stage.server.chat(&chat("gemini")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.content(), "You said: Hello there");
    let received = stage.provider.requests().pop().unwrap();
    assert_eq!(received.path, "/v1beta/models/gemini-2.5-flash:generateContent");
    assert_eq!(received.header("x-goog-api-key"), Some(CANARY));
    let reply = stage.server.chat(&streamed("gemini")).await;
    assert_eq!(said(reply.text()), "You said: Hello there");

    let google = json!({"contents": [{"role": "user", "parts": [{"text": "Hello there"}]}]});
    let path = "/v1beta/models/gemini:streamGenerateContent?alt=sse";
    let reply = stage.server.post(path, &google).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.text().contains("\"finishReason\""), "{}", reply.text());
    assert_eq!(
        stage.provider.requests().pop().unwrap().json(),
        google,
        "the body must pass through untouched"
    );
    let reply = stage.server.post("/v1beta/models/gemini:countTokens", &google).await;
    assert!(reply.json()["totalTokens"].as_u64().is_some_and(|count| count > 0), "{}", reply.text());
    assert!(stage.provider.requests().pop().unwrap().path.ends_with(":countTokens"));
}

/// A token endpoint: the same token to everybody. Returns its address.
pub(crate) fn token_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/token", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            while !request.windows(5).any(|window| window == b"token") {
                let read = stream.read(&mut piece).unwrap_or(0);
                if read == 0 {
                    break;
                }
                request.extend_from_slice(&piece[..read]);
            }
            let body = r#"{"access_token":"ya29.a-google-token","expires_in":3600,"token_type":"Bearer"}"#;
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}

#[tokio::test]
async fn vertex_serves_googles_and_anthropics_models_with_a_token() {
    let user = json!({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "refresh_token", "token_uri": token_endpoint()});
    let stage = Stage::open(&format!(
        "
model_list:
  - model_name: gemini
    litellm_params: &google {{model: vertex_ai/gemini-2.5-pro, api_base: $FAKE, vertex_project: my-project, vertex_location: europe-west4, vertex_credentials: '{user}'}}
  - model_name: claude
    litellm_params: {{<<: *google, model: vertex_ai/claude-sonnet-4-5@20250929}}
router_settings: {{num_retries: 0}}
"
    ));
    let reply = stage.server.chat(&chat("gemini")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.content(), "You said: Hello there");
    let received = stage.provider.requests().pop().unwrap();
    let place = "/v1/projects/my-project/locations/europe-west4/publishers";
    assert_eq!(received.path, format!("{place}/google/models/gemini-2.5-pro:generateContent"));
    assert_eq!(received.header("authorization"), Some("Bearer ya29.a-google-token"));

    for body in [chat("claude"), streamed("claude")] {
        let reply = stage.server.chat(&body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let received = stage.provider.requests().pop().unwrap();
        let verb = if body.get("stream").is_some() { "streamRawPredict" } else { "rawPredict" };
        assert_eq!(received.path, format!("{place}/anthropic/models/claude-sonnet-4-5%4020250929:{verb}"));
        assert_eq!(received.header("authorization"), Some("Bearer ya29.a-google-token"));
        assert_eq!(received.header("x-api-key"), None, "a token of Google's is no key of Anthropic's");
        assert_eq!(received.json()["anthropic_version"], "vertex-2023-10-16");
    }
}

#[tokio::test]
async fn cohere_answers_in_its_own_format() {
    let stage = Stage::open(
        "model_list:\n  - {model_name: command, litellm_params: {model: cohere/command-a-03-2025, api_base: $FAKE, api_key: $CANARY}}\n",
    );
    let reply = stage.server.chat(&chat("command")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.content(), "You said: Hello there");
    assert_eq!(stage.received("command-a-03-2025").path, "/v2/chat");
    let reply = stage.server.chat(&streamed("command")).await;
    assert_eq!(said(reply.text()), "You said: Hello there");
}

#[tokio::test]
async fn media_are_fetched_only_from_public_addresses() {
    let stage = Stage::open(AMAZON);
    for address in [
        "http://127.0.0.1:1/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/a.png",
        "file:///etc/passwd",
    ] {
        let body = json!({"model": "nova", "messages": [{"role": "user", "content": [
            {"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": address}}]}]});
        let reply = stage.server.chat(&body).await;
        assert_eq!(reply.status, 400, "{address}: {}", reply.text());
        assert_eq!(reply.error()["param"], "messages[0].content[1]", "{}", reply.text());
        assert!(stage.provider.requests().is_empty());
    }
}
