//! The fake provider as its users meet it: over a socket, with an ordinary HTTP client.

use std::error::Error;
use std::io::Read;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tollgate_testkit::{Ending, FakeProvider, Script, bench};

type Outcome = Result<(), Box<dyn Error>>;

async fn send(
    provider: &FakeProvider,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Response<Incoming>, Box<dyn Error>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let uri = format!("{}{path}", provider.base_url());
    let request =
        Request::builder().method(method).uri(uri).header("x-probe", "seen").body(Full::from(body))?;
    Ok(client.request(request).await?)
}

async fn text(response: Response<Incoming>) -> Result<String, Box<dyn Error>> {
    Ok(String::from_utf8(response.into_body().collect().await?.to_bytes().into())?)
}

async fn ask(provider: &FakeProvider, path: &str, body: Value) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::from_str(&text(send(provider, "POST", path, &body).await?).await?)?)
}

fn chat(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello there"}]})
}

fn streamed_chat(model: &str) -> Value {
    let mut body = chat(model);
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    body
}

fn provider(model: &str, script: Value) -> Result<FakeProvider, Box<dyn Error>> {
    let provider = FakeProvider::start()?;
    provider.set_script(model, Script::from_json(script)?);
    Ok(provider)
}

/// The `data:` payloads of an SSE text that are JSON.
fn events(text: &str) -> Vec<Value> {
    text.split("\n\n").filter_map(|frame| serde_json::from_str(frame.strip_prefix("data: ")?).ok()).collect()
}

/// Everything received until the end or the break, and whether it broke.
async fn read_until_cut(response: Response<Incoming>) -> (String, bool) {
    let (mut body, mut received) = (response.into_body(), Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return (String::from_utf8_lossy(&received).into_owned(), true) };
        received.extend_from_slice(frame.data_ref().map(AsRef::as_ref).unwrap_or_default());
    }
    (String::from_utf8_lossy(&received).into_owned(), false)
}

#[tokio::test]
async fn an_unscripted_model_echoes_the_user_and_counts_words() -> Outcome {
    let provider = FakeProvider::start()?;
    let reply = ask(&provider, "/v1/chat/completions", chat("any")).await?;
    assert_eq!(reply["choices"][0]["message"]["content"], "You said: Hello there");
    assert_eq!(reply["usage"], json!({"prompt_tokens": 4, "completion_tokens": 4, "total_tokens": 8}));
    Ok(())
}

#[tokio::test]
async fn a_stream_says_the_same_as_the_whole_reply() -> Outcome {
    let provider = FakeProvider::start()?;
    let mut body = streamed_chat("any");
    body["n"] = json!(2);
    let response = send(&provider, "POST", "/v1/chat/completions", &body).await?;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = text(response).await?;
    assert!(text.ends_with("data: [DONE]\n\n"));
    let events = events(&text);
    for choice in 0..2 {
        let deltas = events.iter().filter(|event| event["choices"][0]["index"] == choice);
        let said: String =
            deltas.filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(said, "You said: Hello there");
    }
    let last = events.last().ok_or("no events")?;
    assert_eq!((&last["choices"], &last["usage"]["total_tokens"]), (&json!([]), &json!(12)));
    Ok(())
}

#[tokio::test]
async fn a_failure_carries_its_headers_and_ends_after_its_times() -> Outcome {
    let script = json!({"status": 429, "headers": {"Retry-After": "7"}, "error": "slow down", "times": 2});
    let provider = provider("busy", script)?;
    for _ in 0..2 {
        let response = send(&provider, "POST", "/v1/chat/completions", &chat("busy")).await?;
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (429, &"7".parse()?));
        let body: Value = serde_json::from_str(&text(response).await?)?;
        assert_eq!(body["error"]["message"], "slow down");
    }
    let response = send(&provider, "POST", "/v1/chat/completions", &chat("busy")).await?;
    assert_eq!(response.status(), 200);
    Ok(())
}

#[tokio::test]
async fn another_script_follows_the_times_of_the_first() -> Outcome {
    let script =
        json!({"reply": "one", "times": 1, "then": {"reply": "two", "times": 1, "then": {"reply": "three"}}});
    let provider = provider("series", script)?;
    for expected in ["one", "two", "three", "three"] {
        let response = send(&provider, "POST", "/v1/chat/completions", &chat("series")).await?;
        let body: Value = serde_json::from_str(&text(response).await?)?;
        assert_eq!(body["choices"][0]["message"]["content"], expected);
    }
    let refused = Script::from_json(json!({"times": 1, "then": {"status": 7}}));
    assert!(refused.is_err(), "a script that follows is checked too");
    Ok(())
}

#[tokio::test]
async fn cuts_break_the_connection_where_the_script_says() -> Outcome {
    let provider = provider("chunks", json!({"chunks": ["a", "b", "c"], "cut_after_chunks": 2}))?;
    provider.set_script("bytes", Script::from_json(json!({"cut_after_bytes": 30}))?);
    provider.set_script("gone", Script::from_json(json!({"hang_up": true}))?);
    let response = send(&provider, "POST", "/v1/chat/completions", &streamed_chat("chunks")).await?;
    let (received, broke) = read_until_cut(response).await;
    let said: String = events(&received)
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!((said.as_str(), broke), ("ab", true));

    for body in [chat("bytes"), streamed_chat("bytes")] {
        let response = send(&provider, "POST", "/v1/chat/completions", &body).await?;
        let (received, broke) = read_until_cut(response).await;
        assert_eq!((received.len(), broke), (30, true));
    }
    assert!(send(&provider, "POST", "/v1/chat/completions", &chat("gone")).await.is_err());
    assert!(provider.requests().iter().all(|request| request.ending == Ending::Complete));
    Ok(())
}

#[tokio::test]
async fn delays_come_before_headers_first_chunk_and_chunks() -> Outcome {
    let script = json!({"delay_ms": 60, "first_chunk_ms": 50, "chunk_ms": 40, "chunks": ["a", "b", "c"]});
    let provider = provider("slow", script)?;
    let start = Instant::now();
    let mut body = send(&provider, "POST", "/v1/chat/completions", &streamed_chat("slow")).await?.into_body();
    let headers = start.elapsed();
    body.frame().await.ok_or("no first chunk")??;
    let first = start.elapsed();
    body.collect().await?;
    let all = start.elapsed();
    // Lower bounds with slack only: on a busy machine anything may be late, nothing may be early.
    assert!(headers >= Duration::from_millis(60), "{headers:?}");
    assert!(first >= Duration::from_millis(110), "{first:?}");
    assert!(all - first >= Duration::from_millis(40) && all >= Duration::from_millis(190), "{all:?}");
    Ok(())
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed() -> Outcome {
    let provider = provider("endless", json!({"chunks": ["x"], "never_end": true, "chunk_ms": 1}))?;
    provider
        .set_script("stalled", Script::from_json(json!({"chunks": ["x", "y"], "stall_after_chunks": 1}))?);
    for model in ["endless", "stalled"] {
        let response = send(&provider, "POST", "/v1/chat/completions", &streamed_chat(model)).await?;
        let mut body = response.into_body();
        body.frame().await.ok_or("no first chunk")??;
        assert_eq!(provider.requests_for(model)[0].ending, Ending::Open);
        drop(body);
        let mut patience = 200;
        while provider.requests_for(model)[0].ending == Ending::Open && patience > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            patience -= 1;
        }
        assert_eq!(provider.requests_for(model)[0].ending, Ending::ClientGone, "{model}");
    }
    Ok(())
}

#[tokio::test]
async fn raw_bytes_arrive_untouched() -> Outcome {
    let bytes = b"data: \xff\xfe{broken\n\n";
    let provider = provider("raw", json!({"raw": {"base64": BASE64_STANDARD.encode(bytes)}}))?;
    provider.set_script("mixed", Script::from_json(json!({"chunks": ["a", {"raw": ": ping\n\n"}, "b"]}))?);
    let response = send(&provider, "POST", "/v1/messages", &chat("raw")).await?;
    assert_eq!(&response.into_body().collect().await?.to_bytes()[..], bytes);
    let mixed = text(send(&provider, "POST", "/v1/chat/completions", &streamed_chat("mixed")).await?).await?;
    assert!(mixed.contains("\n\n: ping\n\ndata: "), "{mixed}");
    Ok(())
}

#[tokio::test]
async fn monstrous_replies_have_the_size_asked_for() -> Outcome {
    let provider = provider("line", json!({"big_line_bytes": 3_000_000}))?;
    provider.set_script("bomb", Script::from_json(json!({"gzip_bytes": 5_000_000}))?);
    let line = text(send(&provider, "POST", "/v1/chat/completions", &streamed_chat("line")).await?).await?;
    let content = events(&line)[0]["choices"][0]["delta"]["content"].as_str().map(str::len);
    assert_eq!(content, Some(3_000_000));

    let response = send(&provider, "POST", "/v1/chat/completions", &chat("bomb")).await?;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let packed = response.into_body().collect().await?.to_bytes();
    assert!(packed.len() < 20_000, "{} bytes do not make a bomb", packed.len());
    let mut inflated = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut inflated)?;
    let reply: Value = serde_json::from_str(&inflated)?;
    assert_eq!(reply["choices"][0]["message"]["content"].as_str().map(str::len), Some(5_000_000));
    Ok(())
}

#[tokio::test]
async fn tool_calls_are_whole_or_in_fragments() -> Outcome {
    let script = json!({"tools": [{"id": "call_1", "name": "weather", "arguments": {"city": "Zürich"}}]});
    let provider = provider("tools", script)?;
    let reply = ask(&provider, "/v1/chat/completions", chat("tools")).await?;
    let choice = &reply["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("tool_calls"), &Value::Null)
    );
    let arguments = choice["message"]["tool_calls"][0]["function"]["arguments"].as_str();
    assert_eq!(arguments, Some(r#"{"city":"Zürich"}"#));

    let text = text(send(&provider, "POST", "/v1/chat/completions", &streamed_chat("tools")).await?).await?;
    let events = events(&text);
    let calls = events.iter().map(|event| &event["choices"][0]["delta"]["tool_calls"][0]);
    let fragments: String = calls.filter_map(|call| call["function"]["arguments"].as_str()).collect();
    assert_eq!(fragments, r#"{"city":"Zürich"}"#);

    let ollama = ask(&provider, "/api/chat", json!({"model": "tools", "stream": false})).await?;
    assert_eq!(ollama["message"]["tool_calls"][0]["function"]["arguments"]["city"], "Zürich");
    Ok(())
}

#[tokio::test]
async fn usage_and_done_can_be_withheld_or_forged() -> Outcome {
    let provider = provider("silent", json!({"no_usage": true, "no_done": true}))?;
    provider.set_script("forged", Script::from_json(json!({"usage": {"prompt_tokens": 99}}))?);
    let stream =
        text(send(&provider, "POST", "/v1/chat/completions", &streamed_chat("silent")).await?).await?;
    assert!(!stream.contains("[DONE]") && events(&stream).iter().all(|event| event["usage"].is_null()));
    let reply = ask(&provider, "/v1/chat/completions", chat("forged")).await?;
    assert_eq!(reply["usage"], json!({"prompt_tokens": 99}));
    Ok(())
}

#[tokio::test]
async fn ollama_streams_lines_unless_told_not_to() -> Outcome {
    let provider = FakeProvider::start()?;
    let stream = text(send(&provider, "POST", "/api/chat", &chat("llama")).await?).await?;
    let lines: Vec<Value> = stream.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let said: String = lines.iter().filter_map(|line| line["message"]["content"].as_str()).collect();
    assert_eq!(said, "You said: Hello there");
    let last = lines.last().ok_or("no lines")?;
    assert_eq!(
        (&last["done"], &last["prompt_eval_count"], &last["eval_count"]),
        (&json!(true), &json!(4), &json!(4))
    );

    let whole =
        ask(&provider, "/api/generate", json!({"model": "llama", "prompt": "hi", "stream": false})).await?;
    assert_eq!((&whole["response"], &whole["done_reason"]), (&json!("You said: hi"), &json!("stop")));
    let tags = text(send(&provider, "GET", "/api/tags", &Value::Null).await?).await?;
    assert!(tags.contains(r#""name":"fake-model""#), "{tags}");
    Ok(())
}

#[tokio::test]
async fn embeddings_are_stable_unit_vectors_in_the_encoding_asked() -> Outcome {
    let provider = FakeProvider::start()?;
    let body = json!({"model": "e", "input": ["red fish", "red fish blue", "other words entirely"], "dimensions": 256});
    let reply = ask(&provider, "/v1/embeddings", body).await?;
    let vectors: Vec<Vec<f64>> = (0..3)
        .map(|row| serde_json::from_value(reply["data"][row]["embedding"].clone()))
        .collect::<Result<_, _>>()?;
    let cosine = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    assert!((cosine(&vectors[0], &vectors[0]) - 1.0).abs() < 1e-5);
    assert!(cosine(&vectors[0], &vectors[1]) > 0.7 && cosine(&vectors[0], &vectors[2]) < 0.5);
    assert_eq!(reply["usage"]["prompt_tokens"], 8);

    let packed = ask(
        &provider,
        "/v1/embeddings",
        json!({"model": "e", "input": "red fish", "encoding_format": "base64"}),
    )
    .await?;
    let bytes = BASE64_STANDARD.decode(packed["data"][0]["embedding"].as_str().ok_or("not base64")?)?;
    assert_eq!(bytes.len(), 32 * 4);
    let ollama = ask(&provider, "/api/embed", json!({"model": "e", "input": "red fish"})).await?;
    assert_eq!(
        (&ollama["prompt_eval_count"], ollama["embeddings"][0].as_array().map(Vec::len)),
        (&json!(2), Some(32))
    );
    Ok(())
}

#[tokio::test]
async fn requests_are_recorded_and_headers_echoed() -> Outcome {
    let provider = provider("gpt-azure", json!({"echo_headers": true}))?;
    let path = "/openai/deployments/gpt-azure/chat/completions?api-version=2024-10-21";
    let reply = ask(&provider, path, json!({"messages": []})).await?;
    let echoed: Value =
        serde_json::from_str(reply["choices"][0]["message"]["content"].as_str().ok_or("no text")?)?;
    assert_eq!(echoed["x-probe"], "seen");
    let requests = provider.requests_for("gpt-azure");
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].query.as_str(), requests[0].header("X-Probe")),
        ("api-version=2024-10-21", Some("seen"))
    );
    assert_eq!(requests[0].json(), json!({"messages": []}));
    Ok(())
}

#[tokio::test]
async fn other_languages_drive_it_over_http() -> Outcome {
    let provider = FakeProvider::start()?;
    let set = send(&provider, "PUT", "/_fake/scripts/meta%2Fllama", &json!({"reply": "scripted"})).await?;
    assert_eq!(set.status(), 200);
    let reply = ask(&provider, "/v1/chat/completions", chat("meta/llama")).await?;
    assert_eq!(reply["choices"][0]["message"]["content"], "scripted");
    let models = text(send(&provider, "GET", "/v1/models", &Value::Null).await?).await?;
    assert!(models.contains("meta/llama"), "{models}");

    let kept =
        text(send(&provider, "GET", "/_fake/requests?model=meta%2Fllama", &Value::Null).await?).await?;
    let kept: Value = serde_json::from_str(&kept)?;
    assert_eq!((&kept[0]["path"], &kept[0]["ending"]), (&json!("/v1/chat/completions"), &json!("complete")));
    send(&provider, "DELETE", "/_fake/requests", &Value::Null).await?;
    assert!(provider.requests().is_empty());

    let misspelt = send(&provider, "PUT", "/_fake/scripts/m", &json!({"delay": 5})).await?;
    assert_eq!(misspelt.status(), 400);
    assert!(text(misspelt).await?.contains("unknown field `delay`"));
    Ok(())
}

#[tokio::test]
async fn unknown_paths_are_not_found_and_a_dropped_provider_is_down() -> Outcome {
    let provider = FakeProvider::start()?;
    assert_eq!(send(&provider, "POST", "/v1/nothing", &chat("any")).await?.status(), 404);
    let address = provider.base_url().replace("http://", "");
    drop(provider);
    assert!(std::net::TcpStream::connect(address).is_err());
    Ok(())
}

#[tokio::test]
async fn bench_replies_have_their_documented_sizes() -> Outcome {
    let provider = FakeProvider::start()?;
    let whole = text(send(&provider, "POST", "/v1/chat/completions", &chat("bench")).await?).await?;
    assert_eq!(whole.len(), bench::REPLY_BYTES);
    assert!(serde_json::from_str::<Value>(&whole)?["usage"]["total_tokens"].is_u64());
    for (model, least) in [("bench-stream", Duration::ZERO), ("bench-paced", bench::CHUNK_PAUSE * 50)] {
        let start = Instant::now();
        let stream = text(send(&provider, "POST", "/v1/chat/completions", &chat(model)).await?).await?;
        assert!(start.elapsed() >= least, "{model}");
        assert_eq!(events(&stream).len(), bench::STREAM_CHUNKS);
        assert_eq!(stream.len(), bench::STREAM_CHUNKS * bench::CHUNK_BYTES + "data: [DONE]\n\n".len());
    }
    assert!(provider.requests().is_empty());
    Ok(())
}
