//! What a script says holds in every dialect.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tollgate_testkit::Script;

use super::{Outcome, post, provider, send};

/// Path and body of a streamed request, the error's place, and whether frames are binary.
fn streams() -> Vec<(&'static str, Value, &'static str, bool)> {
    let messages = json!([{"role": "user", "content": "Hi"}]);
    let invoke = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5, "messages": messages});
    let gemini = json!({"contents": [{"parts": [{"text": "Hi"}]}]});
    vec![
        (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 5, "stream": true, "messages": messages}),
            "/error/message",
            false,
        ),
        ("/model/m/invoke-with-response-stream", invoke, "/message", true),
        ("/v1/responses", json!({"model": "m", "stream": true, "input": "Hi"}), "/error/message", false),
        ("/v1beta/models/m:streamGenerateContent?alt=sse", gemini.clone(), "/error/message", false),
        ("/v1beta/models/m:streamGenerateContent", gemini, "/0/error/message", false),
        (
            "/model/m/converse-stream",
            json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}),
            "/message",
            true,
        ),
        ("/v2/chat", json!({"model": "m", "stream": true, "messages": messages}), "/message", false),
    ]
}

#[tokio::test]
async fn failures_have_the_dialects_shape_and_missing_credentials_are_refused() -> Outcome {
    for (path, body, message_at, binary) in streams() {
        let provider = provider(
            json!({"status": 429, "error": "slow down", "headers": {"retry-after": "3"}, "times": 1}),
        )?;
        let failed = post(&provider, path, body.clone()).await?;
        assert_eq!(
            (failed.status, failed.header("retry-after"), failed.header("content-type")),
            (429, "3", "application/json")
        );
        assert_eq!(failed.json().pointer(message_at), Some(&json!("slow down")), "{path}: {}", failed.text());
        assert_eq!(failed.header("x-amzn-errortype"), if binary { "ThrottlingException" } else { "" });

        provider.set_script("*", Script::from_json(json!({"require_header": {"x-secret": "right"}}))?);
        let version = ("anthropic-version", "2023-06-01");
        let wrong = send(&provider, "POST", path, &[version, ("x-secret", "wrong")], &body).await?;
        let right = send(&provider, "POST", path, &[version, ("x-secret", "right")], &body).await?;
        assert_eq!((wrong.status, right.status), (401, 200), "{path}: {}", right.text());
        assert!(wrong.json().pointer(message_at).is_some(), "{path}: {}", wrong.text());
    }
    Ok(())
}

#[tokio::test]
async fn a_lenient_script_answers_what_the_vendor_would_not() -> Outcome {
    let provider = provider(json!({"lenient": true}))?;
    for (path, mut body, ..) in streams() {
        body["nonsense"] = json!(1);
        assert_eq!(post(&provider, path, body.clone()).await?.status, 200, "{path}");
        provider.set_script("m", Script::default());
        assert!(matches!(post(&provider, path, body).await?.status, 400 | 422), "{path}");
        provider.clear_scripts();
        provider.set_script("*", Script::from_json(json!({"lenient": true}))?);
    }
    Ok(())
}

#[tokio::test]
async fn raw_chunks_stand_where_a_frame_would_and_ends_can_be_withheld() -> Outcome {
    let provider = provider(json!({"chunks": ["one", {"raw": "BROKEN"}, "two"]}))?;
    provider.set_script("cut", Script::from_json(json!({"chunks": ["one", "two"], "no_done": true}))?);
    for (path, mut body, ..) in streams() {
        let whole = post(&provider, path, body.clone()).await?.text();
        assert_eq!(whole.matches("BROKEN").count(), 1, "{path}");
        let cut_path = path.replace("/m/", "/cut/").replace("/m:", "/cut:");
        if body.get("model").is_some() {
            body["model"] = json!("cut");
        }
        let cut = post(&provider, &cut_path, body).await?.text();
        for end in ["message_stop", "response.completed", "finishReason", "messageStop", "message-end"] {
            assert!(!cut.contains(end), "{path} ends with {end}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn cuts_count_content_and_come_after_what_leads_it() -> Outcome {
    let provider = provider(json!({"chunks": ["alpha", "beta", "gamma"], "cut_after_chunks": 2}))?;
    for (path, body, _, binary) in streams() {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let request =
            Request::post(format!("{}{path}", provider.base_url())).header("anthropic-version", "2023-06-01");
        let mut body = client.request(request.body(Full::from(body.to_string()))?).await?.into_body();
        let mut received = Vec::new();
        let broke = loop {
            match body.frame().await {
                Some(Ok(frame)) => {
                    received.extend_from_slice(frame.data_ref().map(AsRef::as_ref).unwrap_or_default())
                }
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        assert!(broke, "{path}");
        // InvokeModel's frames hold base64; Converse's hold the text.
        if !binary || path.ends_with("converse-stream") {
            let text = String::from_utf8_lossy(&received);
            assert!(
                text.contains("alpha") && text.contains("beta") && !text.contains("gamma"),
                "{path}: {text}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_endless_stream_repeats_content_only() -> Outcome {
    let provider =
        provider(json!({"chunks": ["x"], "never_end": true, "chunk_ms": 1, "cut_after_bytes": 20_000}))?;
    for (path, body, _, binary) in streams().into_iter().filter(|(.., binary)| !binary) {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let request =
            Request::post(format!("{}{path}", provider.base_url())).header("anthropic-version", "2023-06-01");
        let mut body = client.request(request.body(Full::from(body.to_string()))?).await?.into_body();
        let mut received = String::new();
        while let Some(Ok(frame)) = body.frame().await {
            received += &String::from_utf8_lossy(frame.data_ref().map(AsRef::as_ref).unwrap_or_default());
        }
        let starts =
            ["message_start\"}", "response.created\",", "message-start\",", "\"content_block_start\","];
        assert!(starts.iter().all(|start| received.matches(start).count() <= 1), "{path} {binary}");
        assert!(received.len() > 10_000, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn monsters_are_valid_in_their_dialect() -> Outcome {
    let provider = provider(json!({"big_line_bytes": 200_000}))?;
    let body = json!({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]});
    let whole = post(&provider, "/v1/messages", body).await?.json();
    assert_eq!(whole["content"][0]["text"].as_str().map(str::len), Some(200_000));
    let (path, body, ..) = streams().swap_remove(5);
    let frames = super::bedrock::frames(&post(&provider, path, body).await?.bytes);
    let text = frames.iter().find_map(|(_, event)| event["delta"]["text"].as_str());
    assert_eq!(text.map(str::len), Some(200_000));
    Ok(())
}
