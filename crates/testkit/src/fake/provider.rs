//! The fake provider inside a test process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::log::RecordedRequest;
use super::script::Script;
use super::server::{State, accept};

/// A running provider. It has a thread and a runtime of its own, so that it works from plain tests and
/// from any async runtime, and its delays are real time. Dropping it closes every connection at once
/// and frees the port.
pub struct FakeProvider {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeProvider {
    /// Listens on a free port of the loopback interface; ready when it returns.
    ///
    /// # Errors
    /// When there is no port, thread or runtime to be had.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let state = Arc::new(State::default());
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("fake-provider".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = accept(listener, served) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, state, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:port`, without a path.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the behaviour of a model; `*` is every model without a script of its own.
    pub fn set_script(&self, model: &str, script: Script) {
        self.state.scripts.set(model, script);
    }

    /// Every model behaves by default again.
    pub fn clear_scripts(&self) {
        self.state.scripts.clear();
    }

    /// What was received, oldest first. Requests for the benchmark's models are not kept.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.log.requests(None)
    }

    /// What was received for one model, oldest first.
    #[must_use]
    pub fn requests_for(&self, model: &str) -> Vec<RecordedRequest> {
        self.state.log.requests(Some(model))
    }

    /// Forgets what was received.
    pub fn clear_requests(&self) {
        self.state.log.clear();
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        // Either may fail only because the thread has ended already.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
