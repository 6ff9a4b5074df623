//! Where requests come in: one connection, and which part of the house each of its requests goes to. Plain calls
//! are served by [`crate::plain`], all else by hyper.

use std::convert::Infallible;
use std::error::Error;
use std::io::Cursor;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use gateway::body::ReplyBody;
use gateway::endpoint::{Endpoint, Found};
use gateway::life::Gateway;
use gateway::refusal::Refusal;
use gateway::{auth, deliver, endpoint, life};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use wire::format::Format;

use crate::plain::{self, Ended};

/// A client may take this long for the head of a request, and stay idle this long between two.
pub(crate) const HEAD_PATIENCE: Duration = Duration::from_secs(75);
/// Bound of a request's head. (Also the size of one read, so not too small.)
pub(crate) const MOST_HEAD: usize = 64 << 10;

/// One worker's door.
#[derive(Clone)]
pub(crate) struct Door {
    house: Arc<House>,
    http: http1::Builder,
}

/// What is behind the door.
pub(crate) struct House {
    gateway: Gateway,
    admin: Router,
}

/// A response body of either half of the house.
pub(crate) enum DoorBody {
    Gateway(ReplyBody),
    Admin(axum::body::Body),
}

impl Door {
    pub(crate) fn new(gateway: Gateway) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(MOST_HEAD);
        Self { house: Arc::new(House { admin: admin::router(gateway.clone()), gateway }), http }
    }

    /// Serves one connection to its end. When `stop` is cancelled it ends after the call in flight; `watcher`
    /// says when it has.
    ///
    /// # Errors
    /// Why it ended early, for the log.
    pub(crate) async fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        stop: &CancellationToken,
        watcher: Watcher,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        // Small frames of a stream must not wait for each other.
        let _ = stream.set_nodelay(true);
        let ended = plain::serve(&self.house, stream, peer, stop).await?;
        let Ended::Other(read, reader, writer) = ended else { return Ok(()) };
        let house = Arc::clone(&self.house);
        let service = service_fn(move |request| {
            let house = Arc::clone(&house);
            async move { Ok::<_, Infallible>(house.answer(request, peer).await) }
        });
        let stream = tokio::io::join(Cursor::new(read).chain(reader), writer);
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        // Boxed: most connections never come here, and all would carry its state.
        Ok(Box::pin(watcher.watch(connection)).await?)
    }
}

impl House {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<DoorBody> {
        let found = endpoint::find(request.method(), request.uri().path());
        let format = found.as_ref().map_or(Format::OpenAiChat, Found::format);
        if let Some(refused) = self.refused(request.headers(), format, peer) {
            return refused.map(DoorBody::Gateway);
        }
        let from_page = request.headers().contains_key(header::ORIGIN);
        let mut response = match found {
            _ if from_page && is_preflight(&request) => preflight(request.headers()),
            Some(Found::Endpoint(endpoint)) => {
                let (head, body) = request.into_parts();
                let mut response = self.call(endpoint, head, body, peer).await;
                let fields = std::mem::take(&mut response.body_mut().fields);
                fields.spread(response.headers_mut());
                return response.map(DoorBody::Gateway);
            }
            Some(Found::WrongMethod { format, allowed }) => wrong_method(&request, format, &allowed),
            None => {
                let mut request = request.map(axum::body::Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                let result = self.admin.clone().oneshot(request).await;
                let mut response = result.unwrap_or_else(|never| match never {}).map(DoorBody::Admin);
                deliver::guard(response.headers_mut());
                response
            }
        };
        if from_page {
            open_to_pages(response.headers_mut());
        }
        response
    }

    /// Answers a call of a model.
    pub(crate) async fn call<B: Body<Data = Bytes>>(
        &self,
        endpoint: Endpoint,
        head: Parts,
        body: B,
        peer: SocketAddr,
    ) -> Response<ReplyBody> {
        if let Some(refused) = self.refused(&head.headers, endpoint.format, peer) {
            return refused;
        }
        let from_page = head.headers.contains_key(header::ORIGIN);
        let mut response = life::call(&self.gateway, endpoint, head, body, peer.ip()).await;
        if from_page {
            open_to_pages(response.headers_mut());
        }
        response
    }

    /// Without keys only this machine is served.
    fn refused(&self, headers: &HeaderMap, format: Format, peer: SocketAddr) -> Option<Response<ReplyBody>> {
        if self.gateway.live.snapshot().keys.is_locked() {
            return None;
        }
        let refusal = auth::only_this_machine(headers, peer.ip()).err()?;
        Some(deliver::bare_refusal(&refusal, format, None))
    }
}

/// Any page may read a response, if it has a key to send.
fn open_to_pages(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
}

fn is_preflight(request: &Request<Incoming>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(asked: &HeaderMap) -> Response<DoorBody> {
    const METHODS: &str = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, QUERY";
    let mut response = Response::new(DoorBody::Gateway(Bytes::new().into()));
    let headers = response.headers_mut();
    deliver::guard(headers);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(HeaderValue::from_static("*")));
    response
}

fn wrong_method(request: &Request<Incoming>, format: Format, allowed: &Method) -> Response<DoorBody> {
    static ALLOW: HeaderName = header::ALLOW;
    let message = format!("{} takes {allowed}, not {}.", request.uri().path(), request.method());
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED.as_u16(), message);
    let mut response = deliver::bare_refusal(&refusal, format, None).map(DoorBody::Gateway);
    if let Ok(allowed) = HeaderValue::from_str(allowed.as_str()) {
        response.headers_mut().insert(&ALLOW, allowed);
    }
    response
}

impl Body for DoorBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut *self {
            Self::Gateway(body) => Pin::new(body)
                .poll_frame(context)
                .map(|next| next.map(|frame| frame.map_err(|never| match never {}))),
            Self::Admin(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Gateway(body) => body.is_end_stream(),
            Self::Admin(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Gateway(body) => body.size_hint(),
            Self::Admin(body) => body.size_hint(),
        }
    }
}
