//! What outlives a reload: the pointer to the snapshot in force, and counters.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arc_swap::ArcSwap;
use http::HeaderMap;
use store::db::Db;

use crate::auth::{self, Caller};
use crate::books::Books;
use crate::configure::Configure;
use crate::directory::Identity;
use crate::kept::Shelf;
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;

/// The process's shared state. One for all workers.
#[derive(Debug)]
pub struct Live {
    snapshot: ArcSwap<Snapshot>,
    books: Option<Arc<Books>>,
    configure: OnceLock<Arc<dyn Configure>>,
    /// Responses kept for callers.
    pub(crate) shelf: Arc<Shelf>,
    in_flight: AtomicU32,
    draining: AtomicBool,
    served: AtomicU64,
    started: Instant,
}

/// One call being in flight; it ends by drop.
#[derive(Debug)]
pub struct InFlight(Arc<Live>);

impl Live {
    /// State that serves `snapshot`, with books if there are any.
    #[must_use]
    pub fn new(snapshot: Snapshot, books: Option<Arc<Books>>) -> Arc<Self> {
        Arc::new(Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            books,
            configure: OnceLock::new(),
            shelf: Arc::default(),
            in_flight: AtomicU32::new(0),
            draining: AtomicBool::new(false),
            served: AtomicU64::new(0),
            started: Instant::now(),
        })
    }

    /// Who is calling.
    ///
    /// # Errors
    /// 401 for a key that is missing, unknown, blocked or of the past; 503 for one that cannot be looked up yet.
    pub fn caller(&self, snapshot: &Snapshot, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let caller = snapshot.keys.identify(headers, self.books.as_ref().map(|books| &books.directory));
        // A key that nobody could look up is not a wrong one.
        let unknown = caller.as_ref().is_err_and(|refusal| refusal.kind == auth::UNKNOWN);
        if unknown && self.books.as_ref().is_some_and(|books| books.db().is_none()) {
            return Err(Refusal {
                retry_after: Some(5),
                ..Refusal::new(
                    503,
                    "This key cannot be checked: the database has not answered since the start.",
                )
                .with_kind("no_db_connection")
            });
        }
        caller
    }

    /// Who asks for a management route.
    ///
    /// # Errors
    /// As [`Live::caller`].
    pub fn identify(&self, headers: &HeaderMap) -> Result<Identity, Refusal> {
        match (self.caller(&self.snapshot(), headers)?, &self.books) {
            (Caller::Key(resolved), Some(books)) => Ok(books.directory.identity(&resolved)),
            (Caller::Key(_), None) => Ok(Identity::default()),
            (Caller::Master | Caller::Open, _) => Ok(Identity::master()),
        }
    }

    /// The books, where any are kept.
    #[must_use]
    pub fn books(&self) -> Option<&Arc<Books>> {
        self.books.as_ref()
    }

    /// The database, where there is one.
    #[must_use]
    pub fn db(&self) -> Option<Db> {
        self.books.as_ref()?.db()
    }

    /// Takes over what was just changed in the database, so that the next call knows of it.
    pub async fn catch_up(&self) {
        if let Some(books) = &self.books
            && let Err(error) = books.catch_up().await
        {
            tracing::warn!(%error, "a change is taken over later");
        }
    }

    /// Says who takes over changes of the configuration. The first one stays.
    pub fn configured_by(&self, configure: Arc<dyn Configure>) {
        let _ = self.configure.set(configure);
    }

    /// Who takes over changes of the configuration, where anybody does.
    #[must_use]
    pub fn configure(&self) -> Option<&Arc<dyn Configure>> {
        self.configure.get()
    }

    /// The configuration in force. Taken once a call and kept to its end.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Puts another configuration in force for the calls that begin from now on.
    pub fn publish(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }

    /// Counts a call in, unless `limit` calls are in flight already.
    #[must_use]
    pub fn enter(self: &Arc<Self>, limit: Option<u32>) -> Option<InFlight> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let entered = InFlight(Arc::clone(self));
        limit.is_none_or(|limit| before < limit).then_some(entered)
    }

    /// Calls in flight now.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Calls ended since the start.
    #[must_use]
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// Seconds since the start.
    #[must_use]
    pub fn uptime_seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// From now on the process is shutting down: liveness says so, calls in flight go on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the process is shutting down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.0.served.fetch_add(1, Ordering::Relaxed);
    }
}
