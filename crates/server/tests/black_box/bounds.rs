//! Hostile clients and hostile upstreams: everything ends, in bounded memory, with a clear answer.

use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{Ending, ONE_MODEL, Stage, chat, streamed};

const PATH: &str = "/v1/chat/completions";

#[tokio::test]
async fn a_body_that_breaks_off_ends_its_connection_only() {
    let stage = Stage::open(ONE_MODEL);
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
    );
    let answer = stage.server.raw_and_leave(format!("{head}{{\"model\": \"chat\"")).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(stage.provider.requests().is_empty());
    assert_eq!(stage.server.chat(&chat("chat")).await.status, 200);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_and_the_limit_is_named() {
    let stage = Stage::open(&format!("{ONE_MODEL}\ngeneral_settings: {{max_request_size_mb: 1}}\n"));
    let long = "x".repeat(1_100_000);
    let body = json!({"model": "chat", "messages": [{"role": "user", "content": long}]});
    let reply = stage.server.chat(&body).await;
    assert_eq!(reply.status, 413, "{}", reply.text());
    assert!(reply.message().contains("max_request_size_mb"), "{}", reply.text());

    // Announced, but never sent: the answer does not wait for it.
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900000000000\r\n\r\n");
    let answer = stage.server.raw(head).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");

    let mut chunked =
        format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..20 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend_from_slice(&[b' '; 0x10000]);
        chunked.extend_from_slice(b"\r\n");
    }
    let answer = stage.server.raw(&chunked).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(stage.provider.requests().is_empty());
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_refused() {
    let stage = Stage::open(ONE_MODEL);
    let huge =
        format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-huge: {}\r\n\r\n", "a".repeat(200_000));
    let answer = stage.server.raw(huge).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many: String = (0..2000).map(|number| format!("x-{number}: 1\r\n")).collect();
    let answer = stage.server.raw(format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn what_is_not_http_is_not_answered_as_if_it_were() {
    let stage = Stage::open(ONE_MODEL);
    let smuggled = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello";
    for bytes in ["\0\0\0\0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "hello\r\n\r\n", smuggled] {
        let answer = stage.server.raw(bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{bytes:?}: {answer}");
    }
    assert_eq!(stage.server.get("/health/liveness").await.status, 200);
}

#[tokio::test]
async fn a_compressed_reply_is_a_clear_error() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"gzip_bytes": 1_000}));
    for body in [chat("chat"), streamed("chat")] {
        let reply = stage.server.chat(&body).await;
        assert_eq!(reply.status, 502, "{}", reply.text());
        assert!(reply.message().contains("compressed (gzip)"), "{}", reply.text());
    }
}

#[tokio::test]
async fn an_endless_line_of_a_stream_ends_in_bounded_memory() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"big_line_bytes": 1_000_000_000_u64}));
    let reply = stage.server.chat(&streamed("chat")).await;
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert!(reply.message().contains("larger than"), "{}", reply.text());
    stage.until_ending("up", Ending::ClientGone).await;
    assert!(stage.server.peak_memory_mib() < 200, "{} MiB", stage.server.peak_memory_mib());
}

#[tokio::test]
async fn a_whole_reply_beyond_the_limit_ends_in_bounded_memory() {
    let stage = Stage::open(&format!("{ONE_MODEL}\ngeneral_settings: {{max_response_size_mb: 8}}\n"));
    stage.script("up", json!({"big_line_bytes": 1_000_000_000_u64}));
    let reply = stage.server.chat(&chat("chat")).await;
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert!(reply.message().contains("larger than the limit"), "{}", reply.text());
    assert!(stage.server.peak_memory_mib() < 200, "{} MiB", stage.server.peak_memory_mib());

    stage.script("up", json!({"big_line_bytes": 7_000_000}));
    let reply = stage.server.chat(&chat("chat")).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.len() > 7_000_000);
}

#[tokio::test]
async fn an_error_body_without_end_is_cut() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"status": 500, "error": "e".repeat(5_000_000)}));
    let reply = stage.server.chat(&chat("chat")).await;
    assert_eq!(reply.status, 500);
    assert!(reply.body.len() < 20_000, "{}", reply.body.len());
}

#[tokio::test]
async fn a_stream_is_only_read_as_fast_as_its_client_reads() {
    let stage = Stage::open(ONE_MODEL);
    // More than all socket buffers on the way hold.
    let frame =
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": "x".repeat(60_000)}}]}));
    let chunks: Vec<Value> = (0..2000).map(|_| json!({"raw": frame})).collect();
    stage.script("up", json!({"chunks": chunks}));
    let mut stream = stage.server.stream(&streamed("chat")).await;
    stream.until("xxx").await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(stage.received("up").ending, Ending::Open, "120 MB were taken from the upstream unread");
    assert!(stage.server.peak_memory_mib() < 200, "{} MiB", stage.server.peak_memory_mib());
    drop(stream);
    stage.until_ending("up", Ending::ClientGone).await;
}

#[tokio::test]
async fn idle_connections_leave_room_for_others() {
    let stage = Stage::open(ONE_MODEL);
    let connect = || TcpStream::connect(stage.server.address).unwrap();
    let mut idle: Vec<TcpStream> = (0..500).map(|_| connect()).collect();
    // Some of them are in the middle of something.
    for connection in idle.iter_mut().step_by(2) {
        connection.write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: local").unwrap();
    }
    for _ in 0..20 {
        assert_eq!(stage.server.chat(&chat("chat")).await.status, 200);
    }
    assert!(stage.server.peak_memory_mib() < 200, "{} MiB", stage.server.peak_memory_mib());
}

#[tokio::test]
async fn parallel_calls_beyond_the_limit_are_told_to_come_back() {
    let stage = Stage::open(&format!("{ONE_MODEL}\ngeneral_settings: {{global_max_parallel_requests: 1}}\n"));
    stage.script("up", json!({"chunks": ["again"], "never_end": true}));
    let mut stream = stage.server.stream(&streamed("chat")).await;
    stream.until("again").await;
    let reply = stage.server.chat(&chat("chat")).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("1")), "{}", reply.text());
    drop(stream);
    stage.until_ending("up", Ending::ClientGone).await;
    stage.provider.clear_scripts();
    assert_eq!(stage.server.chat(&chat("chat")).await.status, 200, "the place is free again");
}
