//! Connections to hosts that a caller named.
//!
//! A host is looked up once a connection, every address of the answer is checked, and the connection is
//! opened to one of them: there is no second look-up in which the answer could have changed.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use tower::Service;

use super::address::is_metadata;
use crate::transport::Tls;

type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
/// Looks a host's name up.
pub(super) type Lookup = Arc<dyn Fn(String) -> Addresses + Send + Sync>;

#[derive(Clone)]
pub(super) struct Door {
    client: Client<HttpsConnector<HttpConnector<Checked>>, Empty<Bytes>>,
    rule: Rule,
}

/// Who may be connected to.
#[derive(Clone)]
struct Rule {
    is_public: fn(IpAddr) -> bool,
    allowed: Arc<[String]>,
}

/// A look-up whose answers are checked.
#[derive(Clone)]
struct Checked {
    lookup: Lookup,
    rule: Rule,
}

/// The answer of a look-up holds an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("an address that is not public")]
struct NotPublic;

/// The system's look-up.
pub(super) fn system() -> Lookup {
    Arc::new(|host| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

impl Door {
    pub(super) fn new(tls: &Tls, lookup: Lookup, is_public: fn(IpAddr) -> bool, allowed: &[String]) -> Self {
        let allowed = allowed.iter().map(|host| plain(host.trim())).collect();
        let rule = Rule { is_public, allowed };
        let mut tcp = HttpConnector::new_with_resolver(Checked { lookup, rule: rule.clone() });
        tcp.enforce_http(false);
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(rustls::ClientConfig::clone(&tls.0))
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        // Nothing is kept: a connection is as old as the check of its address.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(https);
        Self { client, rule }
    }

    pub(super) fn permits(&self, host: &str, address: IpAddr) -> bool {
        self.rule.permits(host, address)
    }

    pub(super) async fn get(&self, request: Request<Empty<Bytes>>) -> Result<Response<Incoming>, Error> {
        self.client.request(request).await
    }
}

impl Rule {
    fn permits(&self, host: &str, address: IpAddr) -> bool {
        (self.is_public)(address) || self.allows(host) && !is_metadata(address)
    }

    fn allows(&self, host: &str) -> bool {
        let host = plain(host);
        self.allowed.iter().any(|allowed| match allowed.strip_prefix("*.") {
            Some(parent) => host.strip_suffix(parent).is_some_and(|below| below.ends_with('.')),
            None => *allowed == host,
        })
    }
}

/// A host's name without what does not change it.
fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Whether a connection failed because its host is not public.
pub(super) fn is_refusal(error: &Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if error.is::<NotPublic>() || inside.is_some_and(|inside| inside.is::<NotPublic>()) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl Service<Name> for Checked {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { lookup, rule } = self.clone();
        Box::pin(async move {
            let host = name.as_str();
            let addresses = lookup(host.to_owned()).await?;
            if addresses.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
            }
            // One bad address among good ones is an attempt to be connected to it after a failure.
            if !addresses.iter().all(|address| rule.permits(host, *address)) {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, NotPublic));
            }
            // The connector puts the port in.
            Ok(addresses
                .into_iter()
                .map(|address| SocketAddr::new(address, 0))
                .collect::<Vec<_>>()
                .into_iter())
        })
    }
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}
