//! Small requests off the hot path: token endpoints and metadata services.
//!
//! A connection for each request, a small bounded answer, no redirects, no retries. Not for calls
//! ([`crate::transport`]) and not for addresses that a caller wrote ([`crate::media`]).

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::road::Road;
use crate::transport::Tls;

/// Token answers are a few kilobytes.
const MOST_ANSWER: usize = 1 << 20;

/// The way to token endpoints and metadata services, shared by all credentials.
#[derive(Clone, Debug)]
pub struct Web {
    client: Client<HttpsConnector<Road>, Full<Bytes>>,
}

/// A request and how long its answer may take.
#[derive(Debug)]
pub(crate) struct Ask {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    patience: Duration,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Web {
    /// A way out that trusts what `tls` trusts.
    #[must_use]
    pub fn new(tls: &Tls) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(rustls::ClientConfig::clone(&tls.0))
            .https_or_http()
            .enable_http1()
            .wrap_connector(Road::new(tcp, tls.1.clone()));
        // Nothing is kept: the next request is an hour away.
        Self { client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(https) }
    }

    /// Sends `ask`; the error is a sentence's end, such as `connection refused`.
    pub(crate) async fn send(&self, ask: Ask) -> Result<Answer, String> {
        let patience = ask.patience;
        match tokio::time::timeout(patience, self.exchange(ask)).await {
            Ok(result) => result,
            Err(_) => Err(format!("no answer within {} s", patience.as_secs_f64())),
        }
    }

    async fn exchange(&self, ask: Ask) -> Result<Answer, String> {
        let mut request = Request::new(Full::new(ask.body));
        *request.method_mut() = ask.method;
        *request.uri_mut() = ask.url.parse().map_err(|error| format!("not an address: {error}"))?;
        *request.headers_mut() = ask.headers;
        let response = self.client.request(request).await.map_err(|error| innermost(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MOST_ANSWER).collect().await.map_err(|error| innermost(&*error))?;
        Ok(Answer { status: head.status, body: body.to_bytes() })
    }
}

impl Ask {
    pub(crate) fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    pub(crate) fn put(url: impl Into<String>) -> Self {
        Self::new(Method::PUT, url)
    }

    /// A POST of `application/x-www-form-urlencoded` pairs.
    pub(crate) fn form(url: impl Into<String>, pairs: &[(&str, &str)]) -> Self {
        let mut ask = Self::new(Method::POST, url);
        ask.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"),
        );
        ask.body = form(pairs).into();
        ask
    }

    pub(crate) fn json(url: impl Into<String>, body: &serde_json::Value) -> Self {
        let mut ask = Self::new(Method::POST, url);
        ask.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        ask.body = body.to_string().into();
        ask
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    pub(crate) fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            patience: Duration::from_secs(10),
        }
    }
}

/// Pairs as `application/x-www-form-urlencoded`.
pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The cause that says what happened (refused, name not known, bad certificate).
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
