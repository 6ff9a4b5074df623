//! The only code that opens an outbound connection.
//!
//! One transport per worker thread, with its own pool: HTTP/1.1 keep-alive, because one HTTP/2 connection a
//! host queues silently behind its stream limit. Redirects are not followed: a provider that redirects is a
//! misconfigured address, and following it would carry the key elsewhere.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderMap, HeaderValue};
use http::{Method, StatusCode, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls_platform_verifier::ConfigVerifierExt;
use wire::fault::{Fault, FaultKind};

use crate::body::Pieces;
use crate::connection::{Arriving, Connections, SendError};
use crate::fields::Fields;
use crate::made::Made;
pub use crate::road::Proxies;
use crate::road::Road;

/// How long a TCP connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often idle connections are looked through. Also bounds how long the runtime sleeps: a call whose timer
/// would be the first to go off makes tokio wake itself with a system call.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// What connections out of this process share: whom they trust, and the operator's proxies.
#[derive(Clone, Debug)]
pub struct Tls(pub(crate) Arc<rustls::ClientConfig>, pub(crate) Proxies);

impl Tls {
    /// TLS with the operating system's trust store. A crypto provider must be installed before.
    ///
    /// # Errors
    /// When the platform's verifier cannot be set up.
    pub fn new() -> Result<Self, rustls::Error> {
        rustls::ClientConfig::with_platform_verifier()
            .map(|config| Self(Arc::new(config), Proxies::default()))
    }

    /// The same through these proxies.
    #[must_use]
    pub fn through(self, proxies: Proxies) -> Self {
        Self(self.0, proxies)
    }
}

/// One worker's way out.
#[derive(Clone, Debug)]
pub struct Transport {
    connections: Connections,
}

/// Where requests go: an address, taken apart once.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Scheme, host and port: what connections are kept by.
    pub(crate) origin: Arc<str>,
    /// The whole address.
    pub(crate) uri: Uri,
    /// Path and query: what is asked of the host.
    pub(crate) target: Box<str>,
    pub(crate) host: HeaderValue,
}

impl Destination {
    /// Takes an absolute http(s) URL apart.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("not an address: {error}"))?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
        let (Some(scheme), Some(authority)) = (scheme, uri.authority()) else {
            return Err("an address begins with http:// or https://".to_owned());
        };
        let target = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            origin: format!("{scheme}://{authority}").into(),
            target: target.into(),
            host: HeaderValue::from_str(authority.as_str()).map_err(|_| "the host is not one".to_owned())?,
            uri,
        })
    }
}

/// An upstream's answer, its body still on the wire.
#[derive(Debug)]
pub struct UpstreamReply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: Fields,
    /// Its body.
    pub body: UpstreamBody,
}

/// Bytes from a network, or made here by the built-in demo.
#[derive(Debug)]
pub enum UpstreamBody {
    /// From a provider.
    Network(Arriving),
    /// From inside this process.
    Made(Made),
}

impl Transport {
    /// A way out with its own connection pool.
    #[must_use]
    pub fn new(tls: &Tls) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(rustls::ClientConfig::clone(&tls.0))
            .https_or_http()
            .enable_http1()
            .wrap_connector(Road::new(tcp, tls.1.clone()));
        Self { connections: Connections::new(https) }
    }

    /// Sends a request and waits for the head of the answer. How long is the caller's decision.
    ///
    /// # Errors
    /// A [`Fault`] of kind `Connection`.
    pub async fn send(
        &self,
        to: &Destination,
        method: Method,
        headers: &HeaderMap,
        body: Pieces,
    ) -> Result<UpstreamReply, Fault> {
        let sent = self.connections.send(to, method, headers, body).await;
        let (status, headers, body) = sent.map_err(|error| connection_fault(&error))?;
        Ok(UpstreamReply { status, headers, body: UpstreamBody::Network(body) })
    }

    /// Closes connections that have been idle too long or were closed by the upstream, now and every
    /// [`SWEEP_EVERY`].
    pub async fn keep_clean(&self) {
        let mut due = tokio::time::interval(SWEEP_EVERY);
        loop {
            due.tick().await;
            self.connections.sweep();
        }
    }
}

impl UpstreamBody {
    /// A body without bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self::Made(Made::default())
    }

    /// The next bytes, `None` at the end. Trailers are skipped.
    pub fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        let arriving = match self {
            Self::Made(made) => return made.poll_bytes(context).map(|next| next.map(Ok)),
            Self::Network(arriving) => arriving,
        };
        arriving.poll_bytes(context).map_err(|error| {
            let message = format!("the connection broke while the answer was read: {}", causes(&error));
            Fault::new(FaultKind::Connection, 502, message)
        })
    }

    /// The next bytes, `None` at the end.
    ///
    /// # Errors
    /// A [`Fault`] of kind `Connection` when the body breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        std::future::poll_fn(|context| self.poll_bytes(context)).await.transpose()
    }

    /// The whole body in one buffer.
    ///
    /// # Errors
    /// A [`Fault`]: broken, or larger than `limit` bytes.
    pub async fn whole(mut self, limit: usize) -> Result<Bytes, Fault> {
        let too_large = || Fault::malformed(format!("the answer is larger than the limit of {limit} bytes"));
        let expected = self.expected_length();
        if expected > limit as u64 {
            return Err(too_large());
        }
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.next().await? else { return within(first, limit).ok_or_else(too_large) };
        let mut whole = BytesMut::with_capacity((first.len() + second.len()).max(expected as usize));
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(more) = self.next().await? {
            if whole.len() + more.len() > limit {
                return Err(too_large());
            }
            whole.extend_from_slice(&more);
        }
        within(whole.freeze(), limit).ok_or_else(too_large)
    }

    fn expected_length(&self) -> u64 {
        match self {
            Self::Network(arriving) => arriving.announced(),
            Self::Made(_) => 0,
        }
    }
}

fn within(bytes: Bytes, limit: usize) -> Option<Bytes> {
    (bytes.len() <= limit).then_some(bytes)
}

/// The fault of an upstream that did not answer in time.
#[must_use]
pub fn timeout_fault(patience: Duration) -> Fault {
    Fault::new(FaultKind::Timeout, 408, format!("Request timed out after {} seconds", patience.as_secs_f64()))
}

fn connection_fault(error: &SendError) -> Fault {
    let (what, cause) = match error {
        SendError::Connect(error) => ("could not connect", causes(error.as_ref())),
        SendError::Broken(error) => ("the connection broke", causes(error)),
    };
    Fault::new(FaultKind::Connection, 500, format!("Connection error: {what}: {cause}"))
}

/// The innermost cause: the one that says what happened (refused, name not known, bad certificate).
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
