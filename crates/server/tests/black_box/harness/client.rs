//! A small HTTP client, and a raw one for what a proper client would not send.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer that never comes fails the test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Client {
    address: SocketAddr,
    pool: Pool<HttpConnector, Full<Bytes>>,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer whose body is still coming. Dropping it closes the connection.
pub(crate) struct Stream {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    body: Incoming,
}

impl Client {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, pool: Pool::builder(TokioExecutor::new()).build_http() }
    }

    pub(super) async fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Stream {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = self.pool.request(request.body(Full::from(body)).unwrap());
        let response: Response<Incoming> =
            tokio::time::timeout(PATIENCE, sent).await.expect("no answer").unwrap();
        let (head, body) = response.into_parts();
        Stream { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// Sends bytes as they are and returns everything up to the end of the connection. `leaving` says that
    /// nothing more will come.
    pub(super) async fn raw(&self, bytes: &[u8], leaving: bool) -> String {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        // The server may answer and close before it has read everything.
        let _ = connection.write_all(bytes).await;
        if leaving {
            let _ = connection.shutdown().await;
        }
        let mut answer = Vec::new();
        // A reset after the answer is an end like any other.
        let read = async { while let Ok(1..) = connection.read_buf(&mut answer).await {} };
        tokio::time::timeout(PATIENCE, read).await.expect("the connection stayed open");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Stream {
    /// The next bytes as text, `None` at the end of a complete body.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("the body stalls")?;
            if let Ok(data) = frame.expect("the body breaks off").into_data() {
                return Some(String::from_utf8(data.into()).unwrap());
            }
        }
    }

    /// Reads until the text so far holds `wanted`.
    pub(crate) async fn until(&mut self, wanted: &str) -> String {
        let mut text = String::new();
        while !text.contains(wanted) {
            text +=
                &self.next().await.unwrap_or_else(|| panic!("the stream ended before {wanted:?}: {text}"));
        }
        text
    }

    /// Everything that is left.
    pub(crate) async fn rest(mut self) -> String {
        let mut text = String::new();
        while let Some(more) = self.next().await {
            text += &more;
        }
        text
    }

    pub(super) async fn whole(self) -> Reply {
        let collected = tokio::time::timeout(PATIENCE, self.body.collect()).await.expect("the body stalls");
        let body = collected.expect("the body breaks off").to_bytes();
        Reply { status: self.status, headers: self.headers, body }
    }
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The text of the first choice's message.
    pub(crate) fn content(&self) -> String {
        self.json()["choices"][0]["message"]["content"]
            .as_str()
            .unwrap_or_else(|| panic!("no content: {}", self.text()))
            .to_owned()
    }

    /// The `error` of a refusal, in the shape that clients rely on.
    pub(crate) fn error(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.text());
        let error = self.json()["error"].clone();
        assert!(error["message"].is_string() && error["type"].is_string(), "{}", self.text());
        assert_eq!(error["code"], self.status.to_string(), "{}", self.text());
        error
    }

    /// `error.message`.
    pub(crate) fn message(&self) -> String {
        self.error()["message"].as_str().unwrap_or_default().to_owned()
    }
}
