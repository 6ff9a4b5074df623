//! The control: the least that a reverse proxy made of hyper does. It reads a request, passes head and body on
//! over a kept connection, and passes the answer back: no key, no look at the body, no header changed. Threads,
//! connections and allocator are as in the gateway, so that the difference is the gateway's work.
//!
//! Not a proxy for anything else: no TLS, no timeouts, no limits.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Connections to the upstream, those in use included.
type Pool = Arc<Mutex<Vec<SendRequest<Incoming>>>>;

/// Forwards to `upstream` until the process ends, with one thread per core.
pub(crate) fn serve(listener: TcpListener, upstream: SocketAddr) -> Result<()> {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let workers: Vec<_> = (0..count).map(|_| start(upstream)).collect::<Result<_>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        for worker in workers.iter().cycle() {
            let (stream, _) = listener.accept().await?;
            worker.send(stream.into_std()?)?;
        }
        Ok(())
    })
}

/// A thread with a runtime and upstream connections of its own; it serves what it is sent.
fn start(upstream: SocketAddr) -> Result<mpsc::UnboundedSender<std::net::TcpStream>> {
    let (hand_over, mut connections) = mpsc::unbounded_channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let work = async move {
        let pool = Pool::default();
        while let Some(stream) = connections.recv().await {
            let Ok(stream) = TcpStream::from_std(stream) else { continue };
            let _ = stream.set_nodelay(true);
            let pool = Arc::clone(&pool);
            let service = service_fn(move |request| forward(Arc::clone(&pool), upstream, request));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    };
    std::thread::Builder::new().spawn(move || runtime.block_on(work))?;
    Ok(hand_over)
}

async fn forward(pool: Pool, upstream: SocketAddr, request: Request<Incoming>) -> Result<Response<Incoming>> {
    let mut sender = match ready(&pool) {
        Some(sender) => sender,
        None => connect(upstream).await?,
    };
    let response = sender.send_request(request).await?;
    // It is ready again when the answer's body has been read; nothing needs to wait for that here.
    pool.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
    Ok(response)
}

/// The newest connection that is not in use; those that were closed are forgotten.
fn ready(pool: &Pool) -> Option<SendRequest<Incoming>> {
    let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
    pool.retain(|sender| !sender.is_closed());
    let at = pool.iter().rposition(SendRequest::is_ready)?;
    Some(pool.swap_remove(at))
}

async fn connect(upstream: SocketAddr) -> Result<SendRequest<Incoming>> {
    let stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}
