//! Streams: forwarded as they come, honest about how they end, and cancelled with their client.

use std::io::Write;

use serde_json::{Value, json};

use crate::harness::{Ending, ONE_MODEL, Stage, Stream, chat, streamed, with};

const DONE: &str = "data: [DONE]\n\n";

/// The JSON payloads of a stream.
fn frames(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"))).collect()
}

/// The text that a client would show.
fn said(text: &str) -> String {
    let frames = frames(text);
    frames.iter().filter_map(|frame| frame["choices"][0]["delta"]["content"].as_str()).collect()
}

/// The last frame's error, of a stream that must have failed after it had begun.
async fn failure(stream: Stream) -> Value {
    assert_eq!(stream.status, 200);
    let text = stream.rest().await;
    assert!(!text.contains("[DONE]"), "a failed stream claims to be complete: {text}");
    let error = frames(&text).pop().expect("a frame")["error"].clone();
    assert!(error["message"].is_string(), "{text}");
    error
}

#[tokio::test]
async fn the_first_bytes_are_forwarded_while_the_upstream_still_writes() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"chunks": ["first", " second"], "chunk_ms": 300}));
    let mut stream = stage.server.stream(&streamed("chat")).await;
    let early = stream.until("first").await;
    assert_eq!(stage.received("up").ending, Ending::Open);
    assert!(!early.contains("second"));
    let text = early + &stream.rest().await;
    assert_eq!(said(&text), "first second");
}

#[tokio::test]
async fn a_complete_stream_says_so_and_names_the_model_that_was_asked_for() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"reply": "one two three"}));
    let stream = stage.server.stream(&streamed("chat")).await;
    assert_eq!(stream.status, 200);
    assert!(stream.headers["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    assert_eq!(stream.headers["x-litellm-model-name"], "openai/up");
    let text = stream.rest().await;
    assert!(text.ends_with(DONE), "{text}");
    assert_eq!(text.matches("[DONE]").count(), 1);
    assert_eq!(said(&text), "one two three");
    assert!(frames(&text).iter().all(|frame| frame["model"] == "chat"), "{text}");
}

#[tokio::test]
async fn usage_shows_only_when_it_was_asked_for() {
    let stage = Stage::open(ONE_MODEL);
    let text = stage.server.stream(&streamed("chat")).await.rest().await;
    assert!(frames(&text).iter().all(|frame| frame["usage"].is_null()), "{text}");
    assert!(frames(&text).iter().all(|frame| frame["choices"] != json!([])), "{text}");

    let asked = with(streamed("chat"), json!({"stream_options": {"include_usage": true}}));
    let text = stage.server.stream(&asked).await.rest().await;
    let usage = frames(&text).pop().unwrap()["usage"].clone();
    assert_eq!(usage["prompt_tokens"], 2, "{text}");
    assert!(text.ends_with(DONE));
}

#[tokio::test]
async fn a_stream_that_is_cut_ends_with_an_error() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"chunks": ["one", " two"], "chunk_ms": 20, "cut_after_chunks": 1}));
    let error = failure(stage.server.stream(&streamed("chat")).await).await;
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("litellm.APIConnectionError: APIConnectionError: OpenAIException - "),
        "{message}"
    );
    assert_eq!(error["type"], "internal_server_error");
}

#[tokio::test]
async fn a_stream_that_ends_before_its_choices_do_ends_with_an_error() {
    let stage = Stage::open(ONE_MODEL);
    let frame = json!({"id": "1", "model": "up", "choices": [{"index": 0, "delta": {"content": "one"}, "finish_reason": null}]});
    stage.script("up", json!({"raw": format!("data: {frame}\n\n")}));
    let error = failure(stage.server.stream(&streamed("chat")).await).await;
    assert!(error["message"].as_str().unwrap().contains("ended before it was complete"), "{error}");
}

#[tokio::test]
async fn frames_that_cannot_be_read_end_the_stream_with_an_error() {
    let stage = Stage::open(ONE_MODEL);
    // data: {"choices":["\xff\xfe"]}
    let not_utf8 = "ZGF0YTogeyJjaG9pY2VzIjpbIv/+Il19Cgo=";
    for raw in [json!("data: {not json\n\n"), json!({"base64": not_utf8})] {
        let chunks = json!(["one", {"raw": raw}, " two"]);
        stage.script("up", json!({"chunks": chunks, "chunk_ms": 20}));
        let error = failure(stage.server.stream(&streamed("chat")).await).await;
        assert!(error["message"].as_str().unwrap().contains("not valid"), "{error}");
    }
}

#[tokio::test]
async fn an_error_inside_the_stream_is_the_clients_error_too() {
    let stage = Stage::open(ONE_MODEL);
    let raw = "data: {\"error\":{\"message\":\"the engine is on fire\",\"type\":\"overloaded_error\"}}\n\n";
    stage.script("up", json!({"chunks": ["one", {"raw": raw}], "chunk_ms": 20}));
    let error = failure(stage.server.stream(&streamed("chat")).await).await;
    assert!(error["message"].as_str().unwrap().contains("the engine is on fire"), "{error}");
    assert_eq!(error["code"], "503");
}

#[tokio::test]
async fn done_may_be_missing_when_every_choice_has_finished() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"reply": "one two", "no_done": true}));
    for body in [streamed("chat"), with(streamed("chat"), json!({"n": 2}))] {
        let text = stage.server.stream(&body).await.rest().await;
        assert_eq!(text.matches(DONE).count(), 1, "{text}");
        assert!(text.ends_with(DONE) && !text.contains("error"), "{text}");
    }
}

#[tokio::test]
async fn comments_and_unknown_frames_pass() {
    let stage = Stage::open(ONE_MODEL);
    let chunks = json!([{"raw": ": keep-alive\n\n"}, "one", {"raw": "event: note\ndata: {\"custom\": [1]}\n\n"}, " two"]);
    stage.script("up", json!({"chunks": chunks}));
    let text = stage.server.stream(&streamed("chat")).await.rest().await;
    assert_eq!(said(&text), "one two");
    assert!(
        text.contains(": keep-alive\n\n") && text.contains("event: note\ndata: {\"custom\": [1]}\n\n"),
        "{text}"
    );
    assert!(text.ends_with(DONE));
}

#[tokio::test]
async fn failing_before_the_first_event_is_an_ordinary_error() {
    let stage = Stage::open(ONE_MODEL);
    let in_stream = "data: {\"error\":{\"message\":\"slow down\",\"code\":\"rate_limit_exceeded\"}}\n\n";
    let cases = [
        (json!({"status": 503, "error": "no capacity"}), 503, "no capacity"),
        (json!({"chunks": [{"raw": in_stream}]}), 429, "slow down"),
        (json!({"hang_up": true}), 500, "the connection broke"),
        (
            json!({"raw": "", "headers": {"content-type": "text/event-stream"}}),
            502,
            "ended before it was complete",
        ),
        (
            json!({"raw": "{\"choices\":[]}", "headers": {"content-type": "application/json"}}),
            502,
            "a stream was asked for",
        ),
    ];
    for (script, status, words) in cases {
        stage.script("up", script.clone());
        let reply = stage.server.chat(&streamed("chat")).await;
        assert_eq!(reply.status, status, "{script}: {}", reply.text());
        assert!(reply.message().contains(words), "{script}: {}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/json"), "{script}");
    }
}

#[tokio::test]
async fn failing_before_the_first_event_is_tried_again() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"cut_after_chunks": 0, "times": 1}));
    let stream = stage.server.stream(&with(streamed("chat"), json!({"num_retries": 1}))).await;
    assert_eq!(stream.status, 200);
    assert_eq!(stream.headers["x-litellm-attempted-retries"], "1");
    let text = stream.rest().await;
    assert_eq!(said(&text), "You said: Hello there");
    assert!(text.ends_with(DONE));
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_upstream() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"chunks": ["again"], "never_end": true}));
    let mut stream = stage.server.stream(&streamed("chat")).await;
    stream.until("again").await;
    assert_eq!(stage.received("up").ending, Ending::Open);
    drop(stream);
    stage.until_ending("up", Ending::ClientGone).await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_cancels_the_upstream() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"first_chunk_ms": 60_000}));
    for body in [streamed("chat"), chat("chat")] {
        stage.provider.clear_requests();
        let body = body.to_string();
        let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost";
        let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let mut connection = std::net::TcpStream::connect(stage.server.address).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        stage.until_ending("up", Ending::Open).await;
        drop(connection);
        stage.until_ending("up", Ending::ClientGone).await;
    }
}

#[tokio::test]
async fn a_silent_upstream_is_given_up() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"chunks": ["one", "two"], "stall_after_chunks": 1}));
    let impatient = with(streamed("chat"), json!({"timeout": 0.3}));
    let error = failure(stage.server.stream(&impatient).await).await;
    assert!(error["message"].as_str().unwrap().starts_with("litellm.Timeout: "), "{error}");
    stage.until_ending("up", Ending::ClientGone).await;

    stage.script("up", json!({"chunks": ["one"], "stall_after_chunks": 0}));
    let reply = stage.server.chat(&impatient).await;
    assert_eq!(reply.status, 408, "{}", reply.text());
    stage.until_ending("up", Ending::ClientGone).await;
}

const OLLAMA: &str = "
model_list:
  - model_name: local
    litellm_params: {model: ollama_chat/llama, api_base: $FAKE}
router_settings: {num_retries: 0}
";

#[tokio::test]
async fn ollamas_lines_become_openais_chunks() {
    let stage = Stage::open(OLLAMA);
    let asked = with(streamed("local"), json!({"stream_options": {"include_usage": true}, "max_tokens": 9}));
    let stream = stage.server.stream(&asked).await;
    assert!(stream.headers["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let text = stream.rest().await;
    assert_eq!(said(&text), "You said: Hello there");
    assert!(text.ends_with(DONE), "{text}");
    let frames = frames(&text);
    assert!(
        frames.iter().all(|frame| frame["object"] == "chat.completion.chunk" && frame["model"] == "local"),
        "{text}"
    );
    assert_eq!(frames[0]["choices"][0]["delta"]["role"], "assistant");
    assert!(frames.iter().any(|frame| frame["choices"][0]["finish_reason"] == "stop"), "{text}");
    assert_eq!(frames.last().unwrap()["usage"]["completion_tokens"], 4, "{text}");
    let upstream = stage.received("llama");
    assert_eq!(
        (upstream.path.as_str(), &upstream.json()["options"]["num_predict"]),
        ("/api/chat", &json!(9))
    );
}

#[tokio::test]
async fn ollamas_tool_calls_become_openais() {
    let stage = Stage::open(OLLAMA);
    stage.script("llama", json!({"tools": [{"name": "weather", "arguments": {"city": "Z\u{fc}rich"}}]}));
    let tool = json!({"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}});
    let reply = stage.server.chat(&with(chat("local"), json!({"tools": [tool]}))).await;
    let call = reply.json()["choices"][0]["message"]["tool_calls"][0].clone();
    assert_eq!(call["function"]["name"], "weather", "{}", reply.text());

    let text = stage.server.stream(&with(streamed("local"), json!({"tools": [tool]}))).await.rest().await;
    let frames = frames(&text);
    let deltas: Vec<&Value> =
        frames.iter().map(|frame| &frame["choices"][0]["delta"]["tool_calls"][0]).collect();
    let names: Vec<&str> = deltas.iter().filter_map(|delta| delta["function"]["name"].as_str()).collect();
    assert_eq!(names, ["weather"], "{text}");
    let arguments: String =
        deltas.iter().filter_map(|delta| delta["function"]["arguments"].as_str()).collect();
    assert_eq!(serde_json::from_str::<Value>(&arguments).unwrap(), json!({"city": "Z\u{fc}rich"}));
    assert!(frames.iter().any(|frame| frame["choices"][0]["finish_reason"] == "tool_calls"), "{text}");
    assert!(text.ends_with(DONE));
}

#[tokio::test]
async fn a_cut_in_ollamas_lines_is_an_error_too() {
    let stage = Stage::open(OLLAMA);
    stage.script("llama", json!({"chunks": ["one", " two"], "chunk_ms": 20, "no_done": true}));
    let error = failure(stage.server.stream(&streamed("local")).await).await;
    assert!(error["message"].as_str().unwrap().contains("Ollama_chatException"), "{error}");
}
