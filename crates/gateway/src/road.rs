//! Which road a connection takes: straight to the host, or through the operator's proxy.
//!
//! Proxies are what `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say, as curl and Python read them. This
//! machine itself is always reached straight: a model next door is nothing a proxy could find. Media that callers
//! name by address do not come this way, see [`crate::media`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The proxies of the process; none where nothing names one.
#[derive(Clone, Default)]
pub struct Proxies(Option<Arc<Matcher>>);

impl Proxies {
    /// The proxies that the variables name. Both spellings count, the lower-case one first.
    pub fn of<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Self {
        let either =
            |name: &str| variable(&name.to_lowercase()).or_else(|| variable(name)).unwrap_or_default();
        let (all, http, https) = (either("ALL_PROXY"), either("HTTP_PROXY"), either("HTTPS_PROXY"));
        if [all, http, https].iter().all(|named| named.is_empty()) {
            return Self(None);
        }
        let straight = format!("localhost,127.0.0.0/8,::1,{}", either("NO_PROXY"));
        Self(Some(Arc::new(Matcher::builder().all(all).http(http).https(https).no(straight).build())))
    }
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A proxy's address may hold a password.
        f.write_str(if self.0.is_some() { "Proxies(some)" } else { "Proxies(none)" })
    }
}

/// Opens connections.
#[derive(Clone, Debug)]
pub(crate) struct Road {
    straight: HttpConnector,
    proxies: Proxies,
}

impl Road {
    pub(crate) fn new(straight: HttpConnector, proxies: Proxies) -> Self {
        Self { straight, proxies }
    }
}

impl Service<Uri> for Road {
    type Response = TokioIo<TcpStream>;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failed>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.straight.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let proxy = self.proxies.0.as_ref().and_then(|proxies| proxies.intercept(&uri));
        let Some(proxy) = proxy else {
            let opening = self.straight.call(uri);
            return Box::pin(async move { opening.await.map_err(Into::into) });
        };
        if proxy.uri().scheme_str() != Some("http") {
            let problem = "only proxies whose address begins with http:// are supported";
            return Box::pin(std::future::ready(Err(problem.into())));
        }
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.straight.clone());
        if let Some(auth) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        let uri = with_port(uri);
        Box::pin(async move { tunnel.call(uri).await.map_err(|error| format!("the proxy: {error}").into()) })
    }
}

/// The address with the port that its scheme means: a tunnel takes every other one for 443.
fn with_port(uri: Uri) -> Uri {
    let (Some("http"), None, Some(host)) = (uri.scheme_str(), uri.port(), uri.host()) else { return uri };
    let authority = format!("{host}:80");
    let with_port = Uri::builder().scheme("http").authority(authority).path_and_query("/").build();
    with_port.unwrap_or(uri)
}

#[cfg(test)]
#[path = "road_tests.rs"]
mod tests;
