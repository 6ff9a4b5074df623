//! One connection, many requests: however they arrive, each gets its own answer, and only its own.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{ONE_MODEL, Stage};

const CHAT: &str = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n";

fn body(words: &str) -> String {
    json!({"model": "chat", "messages": [{"role": "user", "content": words}]}).to_string()
}

/// A call whose id is `id`.
fn chat(id: &str, fields: &str) -> String {
    let body = body(id);
    format!("{CHAT}x-litellm-call-id: {id}\r\n{fields}content-length: {}\r\n\r\n{body}", body.len())
}

struct Line {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Line {
    async fn open(stage: &Stage) -> Self {
        let stream = TcpStream::connect(stage.server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, seen: Vec::new() }
    }

    async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    async fn more(&mut self) -> usize {
        let read = self.stream.read_buf(&mut self.seen);
        tokio::time::timeout(std::time::Duration::from_secs(20), read).await.expect("no answer").unwrap_or(0)
    }

    /// The next answer of known length: its head and its body.
    async fn hear(&mut self) -> (String, String) {
        loop {
            let text = String::from_utf8(self.seen.clone()).unwrap();
            if let Some((head, rest)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.map_or(0, |length| length.parse().unwrap());
                if head.starts_with("HTTP/1.1 100 ") {
                    self.seen.drain(..head.len() + 4);
                    continue;
                }
                if rest.len() >= length {
                    self.seen.drain(..head.len() + 4 + length);
                    return (head.to_owned(), rest[..length].to_owned());
                }
            }
            assert_ne!(self.more().await, 0, "closed after {text:?}");
        }
    }

    /// The answer to the call with this id.
    async fn hear_of(&mut self, id: &str) {
        let (head, body) = self.hear().await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}\n{body}");
        assert!(head.contains(&format!("\r\nx-litellm-call-id: {id}\r\n")), "{id}: {head}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body["choices"][0]["message"]["content"].is_string(), "{body}");
    }

    /// Everything up to the end of the connection.
    async fn rest(mut self) -> String {
        while self.more().await > 0 {}
        String::from_utf8(self.seen).unwrap()
    }
}

#[tokio::test]
async fn a_request_may_come_in_pieces_cut_anywhere() {
    let stage = Stage::open(ONE_MODEL);
    let request = chat("hello", "x-note: 1\r\n");
    let mut line = Line::open(&stage).await;
    for at in (1..request.len()).step_by(3) {
        let (front, back) = request.split_at(at);
        line.say(front).await;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        line.say(back).await;
        line.hear_of("hello").await;
    }
    for byte in request.as_bytes() {
        line.say([*byte]).await;
        tokio::task::yield_now().await;
    }
    line.hear_of("hello").await;
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_order() {
    let stage = Stage::open(ONE_MODEL);
    let mut line = Line::open(&stage).await;
    let all: String = (0..20).map(|number| chat(&format!("number-{number}"), "")).collect();
    line.say(all).await;
    for number in 0..20 {
        line.hear_of(&format!("number-{number}")).await;
    }
}

#[tokio::test]
async fn calls_and_everything_else_share_a_connection() {
    let stage = Stage::open(ONE_MODEL);
    let mut line = Line::open(&stage).await;
    let models = "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n";
    line.say(chat("first", "") + models + &chat("second", "connection: keep-alive\r\n")).await;
    line.hear_of("first").await;
    let (_, listed) = line.hear().await;
    assert!(listed.contains("\"chat\""), "{listed}");
    line.hear_of("second").await;
    line.say(chat("third", "expect: 100-continue\r\n")).await;
    line.hear_of("third").await;
    let text = body("fourth");
    line.say(format!(
        "{CHAT}x-litellm-call-id: fourth\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{text}\r\n0\r\n\r\n",
        text.len()
    ))
    .await;
    line.hear_of("fourth").await;
    line.say(chat("last", "connection: close\r\n")).await;
    let rest = line.rest().await;
    assert!(
        rest.contains("x-litellm-call-id: last") && rest.to_lowercase().contains("connection: close"),
        "{rest}"
    );
}

/// The names of a head's fields, in alphabetical order.
fn names(head: &str) -> Vec<String> {
    let names = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut names: Vec<String> = names.map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn whoever_reads_the_request_the_head_of_the_reply_is_the_same() {
    let stage = Stage::open(ONE_MODEL);
    let upstream = json!({"x-request-id": "up-1", "x-ratelimit-remaining-requests": "9", "x-litellm-model-id": "forged"});
    stage.script("up", json!({"headers": upstream}));
    let mut line = Line::open(&stage).await;
    line.say(chat("plain", "origin: http://localhost\r\n")).await;
    let plain = line.hear().await.0;
    line.say(chat("general", "origin: http://localhost\r\nexpect: 100-continue\r\n")).await;
    let general = line.hear().await.0;
    assert_eq!(names(&plain), names(&general), "{plain}\n{general}");
    for name in [
        "x-ratelimit-remaining-requests",
        "llm_provider-x-request-id",
        "x-frame-options",
        "content-type",
        "date",
    ] {
        assert_eq!(names(&plain).iter().filter(|given| *given == name).count(), 1, "{name}: {plain}");
    }
}

#[tokio::test]
async fn what_frames_a_body_in_two_ways_is_refused() {
    let stage = Stage::open(ONE_MODEL);
    for fields in [
        "content-length: 3\r\ncontent-length: 4\r\n",
        "content-length: +3\r\n",
        "content-length: 3, 4\r\n",
        "transfer-encoding: gzip\r\n",
        "content-length : 3\r\n",
        "x: 1\r\n folded: 2\r\ncontent-length: 3\r\n",
    ] {
        // A second request hides in the first one's body, for a reader that sees its end too early.
        let answer = stage.server.raw(format!("{CHAT}{fields}\r\n{{}} {}", chat("hidden", ""))).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{fields:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), usize::from(!answer.is_empty()), "{answer}");
    }
    assert!(stage.provider.requests().is_empty());
}

#[tokio::test]
async fn a_refusal_leaves_the_connection_as_usable_as_it_is() {
    let config = ONE_MODEL.to_owned() + "general_settings: {master_key: sk-1234}\n";
    let stage = Stage::open(&config);
    let mut line = Line::open(&stage).await;
    line.say(chat("no-key", "")).await;
    assert!(line.hear().await.0.starts_with("HTTP/1.1 401"));
    line.say(chat("a-key", "authorization: Bearer sk-1234\r\n")).await;
    let (head, _) = line.hear().await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    for name in ["\r\ndate: ", "\r\ncontent-type: application/json", "\r\nx-litellm-call-id: "] {
        assert_eq!(head.matches(name).count(), 1, "{name}: {head}");
    }
    // A body that will never be read: the answer comes at once, and the connection ends.
    line.say(format!("{CHAT}content-length: 10000000\r\n\r\n")).await;
    line.say(" ".repeat(3_000_000)).await;
    let rest = line.rest().await;
    assert!(rest.starts_with("HTTP/1.1 401") && rest.contains("connection: close\r\n"), "{rest}");
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let stage = Stage::open(ONE_MODEL);
    let text = body(&"the quick brown fox ".repeat(40_000));
    let mut line = Line::open(&stage).await;
    for id in ["1", "2", "3"] {
        let fields = format!("x-litellm-call-id: {id}\r\ncontent-length: {}\r\n", text.len());
        line.say(format!("{CHAT}{fields}\r\n{text}")).await;
        line.hear_of(id).await;
    }
    let sent: Value = serde_json::from_str(&text).unwrap();
    let arrived = stage.provider.requests();
    assert_eq!(arrived.len(), 3);
    for request in arrived {
        assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap()["messages"], sent["messages"]);
    }
}

#[tokio::test]
async fn a_stream_is_framed_for_the_next_request_to_follow() {
    let stage = Stage::open(ONE_MODEL);
    stage.script("up", json!({"chunks": ["one", " two"]}));
    let mut line = Line::open(&stage).await;
    let asked =
        json!({"model": "chat", "stream": true, "messages": [{"role": "user", "content": "x"}]}).to_string();
    for _ in 0..3 {
        line.say(format!("{CHAT}content-length: {}\r\n\r\n{asked}", asked.len())).await;
        while !line.seen.ends_with(b"\r\n0\r\n\r\n") {
            assert_ne!(line.more().await, 0);
        }
        let text = String::from_utf8(std::mem::take(&mut line.seen)).unwrap();
        let (head, mut chunks) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"), "{head}");
        let mut said = String::new();
        while let Some((size, rest)) = chunks.split_once("\r\n") {
            let size = usize::from_str_radix(size, 16).unwrap();
            said += &rest[..size];
            assert_eq!(&rest[size..size + 2], "\r\n");
            chunks = &rest[size + 2..];
        }
        assert!(said.contains("one") && said.ends_with("data: [DONE]\n\n"), "{said}");
    }
}
