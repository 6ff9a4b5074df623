//! Upstream connections of one worker: opened, driven, kept for the next call.
//!
//! HTTP/1.1 only. A connection is driven by the call that holds it, inside that call's own task, instead of by
//! a task of its own: no hand-over between tasks for each message. While it is idle nobody drives it; whether
//! the upstream has closed it is seen when it is taken again. Dropping a lease closes the connection, which
//! is how a call is cancelled upstream.

use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use crate::body::Pieces;
use crate::transport::Destination;

/// Shorter than the idle timeout of the large providers' edges, so that they do not close under us.
const KEPT: Duration = Duration::from_secs(50);
/// Idle connections kept per origin and worker.
const MOST_KEPT: usize = 1024;

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type Connector = HttpsConnector<HttpConnector>;
type Idle = HashMap<Arc<str>, Vec<(Instant, Lease)>, foldhash::fast::RandomState>;

/// The connections of one worker.
#[derive(Clone)]
pub(crate) struct Connections {
    connector: Connector,
    idle: Arc<Mutex<Idle>>,
}

/// One connection, held by one call at a time.
struct Lease {
    sender: http1::SendRequest<Pieces>,
    connection: Pin<Box<http1::Connection<Stream, Pieces>>>,
}

/// The body of an answer, with the connection it comes from.
pub struct Arriving {
    incoming: Incoming,
    /// Gone once the connection has closed or was given back.
    lease: Option<Lease>,
    origin: Arc<str>,
    idle: Arc<Mutex<Idle>>,
}

/// Why a request was not answered.
#[derive(Debug)]
pub(crate) enum SendError {
    /// There is no connection.
    Connect(Box<dyn std::error::Error + Send + Sync>),
    /// The connection broke.
    Broken(hyper::Error),
}

impl Connections {
    pub(crate) fn new(connector: Connector) -> Self {
        Self { connector, idle: Arc::default() }
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(
        &self,
        to: &Destination,
        mut request: Request<Pieces>,
    ) -> Result<Response<Arriving>, SendError> {
        loop {
            let (mut lease, reused) = match self.take(&to.origin) {
                Some(lease) => (lease, true),
                // Boxed: opening is rare, and its state would make every call's future larger.
                None => (Box::pin(self.open(to)).await?, false),
            };
            match lease.exchange(request).await {
                Ok(response) => {
                    let idle = Arc::clone(&self.idle);
                    let origin = Arc::clone(&to.origin);
                    return Ok(response.map(|incoming| Arriving {
                        incoming,
                        lease: Some(lease),
                        origin,
                        idle,
                    }));
                }
                // The upstream closed an idle connection under us; the request has not left.
                Err(mut error) if reused && error.message().is_some() => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(SendError::Broken(error.into_error())),
                },
                Err(error) => return Err(SendError::Broken(error.into_error())),
            }
        }
    }

    /// The newest idle connection that is still open.
    fn take(&self, origin: &str) -> Option<Lease> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(origin)?;
        while let Some((since, mut lease)) = kept.pop() {
            if since.elapsed() > KEPT {
                // Older ones lie below.
                kept.clear();
                return None;
            }
            if lease.is_ready() {
                return Some(lease);
            }
        }
        None
    }

    async fn open(&self, to: &Destination) -> Result<Lease, SendError> {
        let mut connector = self.connector.clone();
        let ready = std::future::poll_fn(|context| Service::poll_ready(&mut connector, context)).await;
        ready.map_err(SendError::Connect)?;
        let stream = connector.call(to.uri.clone()).await.map_err(SendError::Connect)?;
        let (sender, connection) = http1::handshake(stream).await.map_err(SendError::Broken)?;
        Ok(Lease { sender, connection: Box::pin(connection) })
    }
}

impl Lease {
    /// Whether an idle connection can take a request. One poll lets it see that the upstream has closed it.
    fn is_ready(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        self.connection.as_mut().poll(&mut context).is_pending() && self.sender.is_ready()
    }

    async fn exchange(
        &mut self,
        request: Request<Pieces>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Pieces>>> {
        let mut response = pin!(self.sender.try_send_request(request));
        let connection = &mut self.connection;
        std::future::poll_fn(|context| {
            // All progress comes from the connection, polled here with this task's waker; the channel between
            // it and the response needs no waker of its own.
            let closed = connection.as_mut().poll(context).is_ready();
            match response.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending if closed => response.as_mut().poll(context),
                poll => poll,
            }
        })
        .await
    }
}

impl Arriving {
    /// The next bytes, `None` at the end. Trailers are skipped.
    pub(crate) fn poll_bytes(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, hyper::Error>>> {
        loop {
            let frame = match self.poll_frame() {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    let Some(lease) = &mut self.lease else {
                        // Closed, and what it left has been read: the channel itself knows how it ended.
                        return self.poll_closed(context);
                    };
                    if lease.connection.as_mut().poll(context).is_ready() {
                        self.lease = None;
                    }
                    match self.poll_frame() {
                        Poll::Ready(frame) => frame,
                        Poll::Pending if self.lease.is_none() => return self.poll_closed(context),
                        Poll::Pending => return Poll::Pending,
                    }
                }
            };
            match frame {
                None => {
                    self.give_back();
                    return Poll::Ready(None);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }

    /// How many bytes are announced; 0 where that is not known.
    pub(crate) fn announced(&self) -> u64 {
        self.incoming.size_hint().exact().unwrap_or(0)
    }

    fn poll_frame(&mut self) -> Poll<Option<Result<http_body::Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.incoming).poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, hyper::Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.incoming).poll_frame(context));
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.into_data().unwrap_or_default())))
    }

    /// Keeps the connection for the next call.
    fn give_back(&mut self) {
        let Some(lease) = self.lease.take().filter(|lease| !lease.sender.is_closed()) else { return };
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = match idle.get_mut(&self.origin) {
            Some(kept) => kept,
            None => idle.entry(Arc::clone(&self.origin)).or_default(),
        };
        if kept.len() < MOST_KEPT {
            kept.push((Instant::now(), lease));
        }
    }
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Arriving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arriving").field("origin", &self.origin).finish_non_exhaustive()
    }
}
