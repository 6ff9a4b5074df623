//! Threads that serve, one runtime each, with upstream connections of their own: a call stays on the thread
//! that accepted it, and nothing on its way is shared but counters. One task accepts and hands each connection
//! to the worker with the fewest, so that a few long streams do not pile up on one of them.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use gateway::life::Gateway;
use gateway::live::Live;
use gateway::transport::{Tls, Transport};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::door::Door;

/// Connections of one worker; beyond it new ones wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 20_000;
/// Streams may go on this long after the process was told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// The serving threads.
pub(crate) struct Workers {
    workers: Vec<Worker>,
    stop: CancellationToken,
}

struct Worker {
    hand_over: mpsc::UnboundedSender<(std::net::TcpStream, SocketAddr)>,
    connections: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

/// A connection being open; it ends by drop.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Workers {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// When the system gives no thread or no runtime.
    pub(crate) fn start(count: NonZeroUsize, live: &Arc<Live>, tls: &Tls) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let workers = (0..count.get())
            .map(|number| Worker::start(number, live, tls, &stop))
            .collect::<Result<_, _>>()?;
        Ok(Self { workers, stop })
    }

    /// Accepts connections until `until` is done.
    pub(crate) async fn accept(&self, listener: TcpListener, until: impl Future<Output = ()>) {
        let mut until = std::pin::pin!(until);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut until => return,
            };
            match accepted {
                Ok((stream, peer)) => self.hand_over(stream, peer),
                // Out of file descriptors, most likely: let some connections end.
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn hand_over(&self, stream: TcpStream, peer: SocketAddr) {
        let Ok(stream) = stream.into_std() else { return };
        let least = self.workers.iter().min_by_key(|worker| worker.connections.load(Ordering::Relaxed));
        if let Some(worker) =
            least.filter(|worker| worker.connections.load(Ordering::Relaxed) < MOST_CONNECTIONS)
        {
            worker.connections.fetch_add(1, Ordering::Relaxed);
            let _ = worker.hand_over.send((stream, peer));
        }
    }

    /// Lets calls in flight end, at most [`DRAIN`], and ends the threads.
    pub(crate) fn stop(self) {
        self.stop.cancel();
        for worker in self.workers {
            drop(worker.hand_over);
            if worker.thread.join().is_err() {
                tracing::error!("a worker ended by panic");
            }
        }
    }
}

impl Worker {
    fn start(number: usize, live: &Arc<Live>, tls: &Tls, stop: &CancellationToken) -> anyhow::Result<Self> {
        let (hand_over, connections_in) = mpsc::unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting a worker's runtime")?;
        let (live, tls, stop, counter) =
            (Arc::clone(live), tls.clone(), stop.clone(), Arc::clone(&connections));
        let thread = std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || runtime.block_on(work(live, &tls, connections_in, counter, stop)))
            .context("starting a worker")?;
        Ok(Self { hand_over, connections, thread })
    }
}

async fn work(
    live: Arc<Live>,
    tls: &Tls,
    mut connections_in: mpsc::UnboundedReceiver<(std::net::TcpStream, SocketAddr)>,
    counter: Arc<AtomicUsize>,
    stop: CancellationToken,
) {
    let transport = Transport::new(tls);
    let upstreams = transport.clone();
    tokio::spawn(async move { upstreams.keep_clean().await });
    let door = Door::new(Gateway { live, transport });
    let graceful = GracefulShutdown::new();
    loop {
        let next = tokio::select! {
            next = connections_in.recv() => next,
            () = stop.cancelled() => None,
        };
        let Some((stream, peer)) = next else { break };
        let open = Open(Arc::clone(&counter));
        let Ok(stream) = TcpStream::from_std(stream) else { continue };
        let (door, stop, watcher) = (door.clone(), stop.clone(), graceful.watcher());
        tokio::spawn(async move {
            if let Err(error) = door.serve(stream, peer, &stop, watcher).await {
                tracing::debug!(%peer, %error, "a connection ended early");
            }
            drop(open);
        });
    }
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!(seconds = DRAIN.as_secs(), "calls in flight were cut");
    }
}
