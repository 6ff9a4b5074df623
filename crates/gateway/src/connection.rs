//! Upstream connections of one worker: opened, kept for the next call, closed when they have been idle too long.
//!
//! HTTP/1.1 only, read and written here: a gateway asks one thing at a time and wants bytes passed on, which
//! a general client pays for with state machines, channels and a task per connection. A connection is driven
//! by the call that holds it, inside that call's own task. While it is idle nobody drives it; whether
//! the upstream has closed it is seen when it is taken again. Dropping a lease closes the connection, which
//! is how a call is cancelled upstream.
//!
//! - [`head`]: heads of requests and answers
//! - [`framing`]: where a body ends
//! - [`line`]: one connection

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;

mod framing;
mod head;
mod line;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http::header::HeaderMap;
use http::{Method, StatusCode};
use hyper_rustls::HttpsConnector;
use tower::Service;

use self::framing::Framing;
pub(crate) use self::line::Broken;
use self::line::Line;
use crate::body::Pieces;
use crate::fields::Fields;
use crate::road::Road;
use crate::transport::Destination;

/// Shorter than the idle timeout of the large providers' edges, so that they do not close under us.
const KEPT: Duration = Duration::from_secs(50);
/// Idle connections kept per origin and worker.
const MOST_KEPT: usize = 1024;

type Connector = HttpsConnector<Road>;
type Idle = HashMap<Arc<str>, Vec<(Instant, Box<Line>)>, foldhash::fast::RandomState>;

/// The connections of one worker.
#[derive(Clone)]
pub(crate) struct Connections {
    connector: Connector,
    idle: Arc<Mutex<Idle>>,
}

/// The body of an answer, with the connection it comes from.
pub struct Arriving {
    framing: Framing,
    /// Gone once the body has ended or broken off.
    line: Option<Box<Line>>,
    /// Whether the connection may be used again.
    kept: bool,
    origin: Arc<str>,
    idle: Arc<Mutex<Idle>>,
}

/// Why a request was not answered.
#[derive(Debug)]
pub(crate) enum SendError {
    /// There is no connection.
    Connect(Box<dyn std::error::Error + Send + Sync>),
    /// The connection broke.
    Broken(Broken),
}

impl Connections {
    pub(crate) fn new(connector: Connector) -> Self {
        Self { connector, idle: Arc::default() }
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(
        &self,
        to: &Destination,
        method: Method,
        headers: &HeaderMap,
        body: Pieces,
    ) -> Result<(StatusCode, Fields, Arriving), SendError> {
        let head = head::write(&method, &to.target, &to.host, headers, body.len());
        let mut request = head.freeze().chain(body);
        loop {
            let (mut line, reused) = match self.take(&to.origin) {
                Some(line) => (line, true),
                // Boxed: opening is rare, and its state would make every call's future larger.
                None => (Box::pin(self.open(to)).await?, false),
            };
            line.put(request);
            let broken = match line.exchange(&method).await {
                Ok(head) => {
                    let (idle, origin) = (Arc::clone(&self.idle), Arc::clone(&to.origin));
                    let line = Some(line);
                    let body = Arriving { framing: head.framing, line, kept: head.kept, origin, idle };
                    return Ok((head.status, head.headers, body));
                }
                Err(broken) => broken,
            };
            // The upstream closed an idle connection under us; the request has not left.
            match line.take_back() {
                Some(unsent) if reused => request = unsent,
                _ => return Err(SendError::Broken(broken)),
            }
        }
    }

    /// The newest idle connection that is still open.
    fn take(&self, origin: &str) -> Option<Box<Line>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(origin)?;
        while let Some((since, mut line)) = kept.pop() {
            if since.elapsed() > KEPT {
                // Older ones lie below.
                kept.clear();
                return None;
            }
            if line.is_quiet() {
                return Some(line);
            }
        }
        None
    }

    /// Closes connections that have been idle too long or were closed by the upstream.
    pub(crate) fn sweep(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        for kept in idle.values_mut() {
            kept.retain_mut(|(since, line)| since.elapsed() <= KEPT && line.is_quiet());
        }
        idle.retain(|_, kept| !kept.is_empty());
    }

    async fn open(&self, to: &Destination) -> Result<Box<Line>, SendError> {
        let mut connector = self.connector.clone();
        let ready = std::future::poll_fn(|context| Service::poll_ready(&mut connector, context)).await;
        ready.map_err(SendError::Connect)?;
        let stream = connector.call(to.uri.clone()).await.map_err(SendError::Connect)?;
        Ok(Box::new(Line::new(stream)))
    }
}

impl Arriving {
    /// The next bytes, `None` at the end. Trailers are skipped.
    pub(crate) fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let Some(line) = &mut self.line else { return Poll::Ready(None) };
        let next = std::task::ready!(line.poll_data(context, &mut self.framing));
        match &next {
            None => self.give_back(),
            Some(Ok(_)) => {}
            Some(Err(_)) => self.line = None,
        }
        Poll::Ready(next)
    }

    /// How many bytes are announced; 0 where that is not known.
    pub(crate) fn announced(&self) -> u64 {
        self.framing.announced().unwrap_or(0)
    }

    /// Keeps the connection for the next call.
    fn give_back(&mut self) {
        let Some(mut line) = self.line.take().filter(|line| self.kept && line.is_clear()) else { return };
        line.shrink();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = match idle.get_mut(&self.origin) {
            Some(kept) => kept,
            None => idle.entry(Arc::clone(&self.origin)).or_default(),
        };
        if kept.len() < MOST_KEPT {
            kept.push((Instant::now(), line));
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
