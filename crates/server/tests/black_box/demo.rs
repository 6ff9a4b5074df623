//! The process: started with nothing at all, started where it cannot, and stopped.

use std::net::TcpListener;

use serde_json::json;

use crate::harness::{Ending, FakeProvider, Launch, ONE_MODEL, Server, Stage, chat, run, streamed};

fn bare() -> Server {
    Server::start(&Launch::default())
}

#[tokio::test]
async fn with_nothing_configured_a_demo_answers_and_says_what_it_is() {
    let server = bare();
    let reply = server.chat(&chat("demo/echo")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let content = reply.content();
    assert!(
        content.contains("demo model, not a language model") && content.ends_with("You said: Hello there"),
        "{content}"
    );
    assert_eq!(reply.json()["model"], "demo/echo");

    let text = server.stream(&streamed("demo/echo")).await.rest().await;
    assert!(text.contains("\"Hello ") && text.ends_with("data: [DONE]\n\n"), "{text}");
    assert!(text.matches("data: {").count() > 5, "{text}");

    let vectors = server.post("/v1/embeddings", &json!({"model": "demo/echo", "input": ["a", "b"]})).await;
    assert_eq!(vectors.json()["data"].as_array().map(Vec::len), Some(2), "{}", vectors.text());
    let listing = server.get("/v1/models").await;
    assert!(listing.text().contains("demo/echo"), "{}", listing.text());
}

#[tokio::test]
async fn the_start_says_where_to_go_and_only_this_machine_is_served() {
    let server = bare();
    server.until_log("Try it:").await;
    server.until_log("curl").await;
    let log = server.log();
    assert!(server.address.ip().is_loopback());
    assert!(log.contains("built in → demo/echo") && log.contains("only this machine"), "{log}");
}

#[tokio::test]
async fn keys_in_the_environment_make_their_providers_models_callable() {
    let provider = FakeProvider::start().unwrap();
    let base = format!("{}/v1", provider.base_url());
    let environment = [
        ("OPENAI_API_KEY", "sk-from-the-environment"),
        ("OPENAI_API_BASE", base.as_str()),
        ("LITELLM_MASTER_KEY", "sk-master-7d1b"),
    ];
    let server = Server::start(&Launch { environment: &environment, ..Launch::default() });
    server.until_log("found OPENAI_API_KEY → openai/*").await;
    assert!(!server.log().contains("sk-from-the-environment"));
    let key = [("authorization", "Bearer sk-master-7d1b")];
    let reply =
        server.request("POST", "/v1/chat/completions", &key, chat("openai/gpt-new").to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let received = provider.requests_for("gpt-new").pop().unwrap();
    assert_eq!(received.header("authorization"), Some("Bearer sk-from-the-environment"));
}

#[tokio::test]
async fn told_to_stop_it_finishes_what_it_began() {
    for name in ["TERM", "INT"] {
        let mut stage = Stage::open(ONE_MODEL);
        stage.script("up", json!({"chunks": ["one", " two", " three"], "chunk_ms": 150}));
        let mut stream = stage.server.stream(&streamed("chat")).await;
        let mut text = stream.until("one").await;
        stage.server.signal(name);
        stage.server.until_log("stopping").await;
        assert_eq!(stage.received("up").ending, Ending::Open, "the signal came too late to test this");
        assert!(
            tokio::net::TcpStream::connect(stage.server.address).await.is_err(),
            "new connections are refused"
        );
        text += &stream.rest().await;
        assert!(text.contains(" three") && text.ends_with("data: [DONE]\n\n"), "{text}");
        let status = stage.server.ended().await;
        assert_eq!(status.code(), Some(0), "SIG{name}: {}", stage.server.log());
    }
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_end() {
    let mut stage = Stage::open(ONE_MODEL);
    assert_eq!(stage.server.chat(&chat("chat")).await.status, 200);
    let _idle = std::net::TcpStream::connect(stage.server.address).unwrap();
    stage.server.signal("TERM");
    assert_eq!(stage.server.ended().await.code(), Some(0));
}

#[test]
fn a_taken_port_is_a_clear_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (succeeded, said) = run(&["--host", "127.0.0.1", "--port", &port]);
    assert!(!succeeded);
    assert!(said.contains(&format!("port {port} is taken")) && said.contains("--port"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_a_clear_error() {
    let (succeeded, said) = run(&["--config", "nowhere.yaml", "--port", "0"]);
    assert!(!succeeded);
    assert!(said.contains("nowhere.yaml"), "{said}");
}
