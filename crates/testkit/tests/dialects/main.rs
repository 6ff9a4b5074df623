//! The fake provider's dialects, held against the examples of the vendors' documentation.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail like the tests themselves"
)]

mod anthropic;
mod bedrock;
mod cohere;
mod gemini;
mod responses;
mod scripts;
mod search;

use std::error::Error;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tollgate_testkit::{FakeProvider, Script};

type Outcome = Result<(), Box<dyn Error>>;

struct Answer {
    status: u16,
    headers: HeaderMap,
    bytes: Bytes,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The `data:` payloads of an SSE body; every frame with a name must name its payload's type.
    fn events(&self) -> Vec<Value> {
        let text = self.text().replace("\r\n", "\n");
        let frames = text.split("\n\n").filter(|frame| !frame.is_empty());
        let event = |frame: &str| {
            let (name, data) = match frame.split_once('\n') {
                Some((name, data)) => (name.strip_prefix("event: "), data),
                None => (None, frame),
            };
            let event: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap_or_default()).unwrap();
            assert!(name.is_none_or(|name| event["type"] == name), "{frame}");
            event
        };
        frames.map(event).collect()
    }
}

fn provider(script: Value) -> Result<FakeProvider, Box<dyn Error>> {
    let provider = FakeProvider::start()?;
    provider.set_script("*", Script::from_json(script)?);
    Ok(provider)
}

async fn send(
    provider: &FakeProvider,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Result<Answer, Box<dyn Error>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut request = Request::builder().method(method).uri(format!("{}{path}", provider.base_url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let response = client.request(request.body(Full::from(body))?).await?;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, bytes })
}

async fn post(provider: &FakeProvider, path: &str, body: Value) -> Result<Answer, Box<dyn Error>> {
    send(provider, "POST", path, &[("anthropic-version", "2023-06-01")], &body).await
}

/// The body with one field set, by JSON pointer; the last name may be new.
fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    let parent = body.pointer_mut(parent).expect("the pointer's parent exists");
    match name.parse::<usize>() {
        Ok(index) => parent[index] = value,
        Err(_) => parent[name] = value,
    }
    body
}

/// Each change of the good body is refused with a message that holds the text.
async fn assert_refused(
    provider: &FakeProvider,
    path: &str,
    good: &Value,
    message_at: &str,
    changes: Vec<(&str, Value, &str)>,
) -> Outcome {
    let answer = post(provider, path, good.clone()).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for (pointer, value, expected) in changes {
        let answer = post(provider, path, with(good, pointer, value)).await?;
        let message =
            answer.json().pointer(message_at).and_then(Value::as_str).unwrap_or_default().to_owned();
        assert!(matches!(answer.status, 400 | 422), "{pointer}: {} {}", answer.status, answer.text());
        assert!(message.contains(expected), "{pointer}: {message:?} lacks {expected:?} ({})", answer.text());
    }
    Ok(())
}
