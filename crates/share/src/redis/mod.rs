//! Counts on a Redis server (6.2 or newer) or cluster: one script a call, atomic over all its accounts.
//!
//! | key, behind `{tollgate}` | holds | lives |
//! | --- | --- | --- |
//! | `c:<account>` | a hash: begin (`w`) and end (`e`) of the window, its requests (`r`) and tokens (`t`), nano-dollars held (`h`) | 10 minutes idle |
//! | `l:<account>` | a sorted set: calls under way and their nano-dollars, by when they lapse | two leases |
//! | `b:<account>:<budget>:<end>` | a hash: nano-dollars spent (`s`), and the replicas that said what they know | a day longer than the period |
//! | `a:<replica>` | the number of the last batch of settlements | a day |
//!
//! The end of a period is part of its budget's name, so that a new period is a new key and nobody resets anything.
//! Replicas must agree on that end: they read it from the database. Lua counts in doubles, which are exact up to
//! 2^53 nano-dollars: of larger budgets the first nine million dollars can be spent.
//!
//! A cluster works and does not spread: a script is atomic on one node only, so all keys share one hash tag and with
//! it one node, as they would share one server. (Spreading would need one script an account, and a call could be
//! refused by its team after its key was counted.)
//!
//! Whoever waits does so for [`RedisOptions::deadline`] at most. The first failure opens a breaker; while it is
//! open nobody waits, each replica decides alone (or refuses, see [`Strictness`]), and what was spent is added up.
//! A task of its own connects anew, sends that, and closes the breaker.
//!
//! Not here: the local meters.

mod command;
mod link;
mod pending;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ::redis::Value;
use arc_swap::ArcSwapOption;
use policy::account::{Headroom, Used};
use policy::period::Calendar;
use secrecy::SecretString;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use self::command::Names;
use self::link::{Connection, Scripts};
use self::pending::Pending;
use crate::breaker::{Breaker, State};
use crate::slot::Slot;
use crate::{Ask, Refused, Strictness};

const WHOM: &str = "Redis";

/// Where Redis is and how long it is waited for.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// `redis://`, `rediss://` or `unix://` addresses, with user, password and database. Several are nodes of one
    /// cluster.
    pub addresses: Vec<SecretString>,
    /// Several addresses, or one that finds a cluster.
    pub cluster: bool,
    /// Set apart installations on one server.
    pub namespace: Option<String>,
    /// What a call waits for an answer at most.
    pub deadline: Duration,
    /// How long a call stays counted after its replica was heard of last.
    pub lease: Duration,
    /// What happens while there is no answer.
    pub strictness: Strictness,
    /// Whose time counts.
    pub clock: Clock,
}

/// Whose time counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The server's: replicas whose clocks differ share their windows.
    #[default]
    Server,
    /// The `now_ms` that callers pass.
    Caller,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            cluster: false,
            namespace: None,
            deadline: Duration::from_millis(50),
            lease: Duration::from_secs(60),
            strictness: Strictness::default(),
            clock: Clock::default(),
        }
    }
}

/// Why Redis cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// No address at all.
    #[error("no address of a Redis server is given")]
    NoAddress,
    /// One that is none. The address is not shown: it may hold a password.
    #[error("the address of the Redis server is not usable: {0}")]
    Address(String),
}

/// Counts on a server. Its task ends with it.
#[derive(Debug)]
pub struct Redis {
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Inner {
    options: RedisOptions,
    calendar: Calendar,
    names: Names,
    next_ticket: AtomicU64,
    /// The last instant that a caller passed, for [`Clock::Caller`].
    latest_ms: AtomicU64,
    breaker: Breaker,
    line: ArcSwapOption<Line>,
    pending: Mutex<Pending>,
    /// Calls under way that hold leases.
    open: Mutex<HashMap<u64, Weak<[Entry]>, foldhash::fast::RandomState>>,
    wake: Notify,
}

/// A connection, and the names of the scripts there.
struct Line {
    connection: Connection,
    scripts: Scripts,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

/// What a call holds.
#[derive(Debug)]
pub(crate) struct Reservation {
    ticket: u64,
    entries: Arc<[Entry]>,
    headroom: Box<[Headroom]>,
}

/// What a call holds of one account.
#[derive(Debug)]
struct Entry {
    account: Box<str>,
    /// Its name, for accounts whose limits outlast a window.
    lease: Option<Box<str>>,
    nano: i64,
    /// Of the window that the tokens were counted in; `None` where they were counted nowhere.
    since_ms: Option<u64>,
    tokens: u64,
    budgets: Box<[Slot]>,
}

impl Redis {
    /// Connects. A server that does not answer within a second is waited for in the background: then this replica
    /// decides alone at first. Must be called in the runtime that lives longest.
    ///
    /// # Errors
    /// An address that no server can have.
    pub async fn start(options: RedisOptions, calendar: Calendar) -> Result<Self, RedisError> {
        let door = link::Door::new(&options)?;
        let names = Names::new(options.namespace.as_deref());
        let inner = Arc::new(Inner {
            options,
            calendar,
            names,
            next_ticket: AtomicU64::new(0),
            latest_ms: AtomicU64::new(0),
            breaker: Breaker::new(),
            line: ArcSwapOption::empty(),
            pending: Mutex::default(),
            open: Mutex::default(),
            wake: Notify::new(),
        });
        let (first, tried) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(link::run(Arc::clone(&inner), door, first));
        _ = tokio::time::timeout(Duration::from_secs(1), tried).await;
        Ok(Self { inner, task })
    }

    pub(crate) fn state(&self) -> State {
        self.inner.breaker.state()
    }

    pub(crate) async fn reserve(&self, asks: &[Ask<'_>], now_ms: u64) -> Result<Reservation, Refused> {
        let inner = &self.inner;
        let ticket = inner.next_ticket.fetch_add(1, Ordering::Relaxed);
        if let Some(line) = inner.line.load_full().filter(|_| !inner.breaker.is_open()) {
            let mut attempt = Attempt { inner, entries: inner.entries(asks, Some(ticket), now_ms) };
            match inner.ask(&line, &attempt.entries, asks, ticket, now_ms).await {
                Ok(value) => match command::verdict(&value, asks, &mut attempt.entries, now_ms) {
                    Some(Ok(headroom)) => return Ok(inner.reserved(ticket, attempt.granted(), headroom)),
                    Some(Err(refused)) => {
                        drop(attempt.granted());
                        return Err(refused);
                    }
                    None => inner.trip(format!("the server's answer makes no sense: {value:?}")),
                },
                Err(reason) => inner.trip(reason),
            }
        }
        match inner.options.strictness.refuses(asks) {
            Some(refused) => Err(refused),
            None => Ok(inner.reserved(ticket, inner.entries(asks, None, now_ms), Box::default())),
        }
    }

    pub(crate) fn settle(&self, reservation: Reservation, used: Used, now_ms: u64) {
        let inner = &self.inner;
        lock(&inner.open).remove(&reservation.ticket);
        let mut pending = lock(&inner.pending);
        if used.cost.nano() != 0 {
            for entry in &*reservation.entries {
                for slot in &entry.budgets {
                    let ends_ms = slot.running(&inner.calendar, now_ms).ends_ms;
                    let key = inner.names.budget(&entry.account, slot.index, ends_ms);
                    pending.charge(key, used.cost.nano(), ends_ms);
                }
            }
        }
        if reservation.entries.iter().any(|entry| entry.since_ms.is_some()) {
            pending.end(reservation.entries, used.tokens);
        }
        drop(pending);
        inner.wake.notify_one();
    }

    pub(crate) async fn close(&self, patience: Duration) {
        let sent = async {
            while !lock(&self.inner.pending).is_empty() {
                self.inner.wake.notify_one();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if tokio::time::timeout(patience, sent).await.is_err() {
            let unsent = lock(&self.inner.pending).len();
            tracing::warn!(unsent, "Redis was not told of the last settlements; the database knows them");
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Inner {
    /// The server's answer, or why there is none.
    async fn ask(
        &self,
        line: &Line,
        entries: &[Entry],
        asks: &[Ask<'_>],
        ticket: u64,
        now_ms: u64,
    ) -> Result<Value, String> {
        let now_ms = self.instant(now_ms);
        let lease = self.options.lease;
        let command = {
            let pending = lock(&self.pending);
            command::reserve(
                &self.names,
                &line.scripts.reserve,
                asks,
                entries,
                &pending,
                ticket,
                now_ms,
                lease,
            )
        };
        match tokio::time::timeout(self.options.deadline, line.connection.clone().send(&command)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer in {} ms", self.options.deadline.as_millis())),
        }
    }

    /// What a call asks of its accounts. Without `ticket` it is counted by this replica alone.
    fn entries(&self, asks: &[Ask<'_>], ticket: Option<u64>, now_ms: u64) -> Vec<Entry> {
        asks.iter().map(|ask| self.entry(ask, ticket, now_ms)).collect()
    }

    fn entry(&self, ask: &Ask<'_>, ticket: Option<u64>, now_ms: u64) -> Entry {
        let nano = crate::reservation(ask.demand);
        let budgets = Slot::of(ask, &self.calendar, now_ms);
        let leased = ask.terms.parallel.is_some() || nano > 0 && !budgets.is_empty();
        let lease = ticket.filter(|_| leased).map(|ticket| self.names.lease(ticket, nano));
        Entry { account: ask.account.into(), lease, nano, since_ms: None, tokens: ask.demand.tokens, budgets }
    }

    fn reserved(&self, ticket: u64, entries: Vec<Entry>, headroom: Box<[Headroom]>) -> Reservation {
        let entries: Arc<[Entry]> = entries.into();
        if entries.iter().any(|entry| entry.lease.is_some()) {
            lock(&self.open).insert(ticket, Arc::downgrade(&entries));
        }
        Reservation { ticket, entries, headroom }
    }

    fn trip(&self, reason: String) {
        self.breaker.trip(WHOM, reason);
        self.line.store(None);
        self.wake.notify_one();
    }

    /// What a script is told of the time.
    fn instant(&self, now_ms: u64) -> Option<u64> {
        match self.options.clock {
            Clock::Server => None,
            Clock::Caller => {
                self.latest_ms.store(now_ms, Ordering::Relaxed);
                Some(now_ms)
            }
        }
    }
}

impl Reservation {
    pub(crate) fn headroom(&self) -> &[Headroom] {
        &self.headroom
    }
}

/// A reservation that the server may have made without us knowing: then it is taken back.
struct Attempt<'a> {
    inner: &'a Inner,
    entries: Vec<Entry>,
}

impl Attempt<'_> {
    /// The answer is known: nothing is taken back.
    fn granted(mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.entries.iter().any(|entry| entry.lease.is_some()) {
            lock(&self.inner.pending).end(std::mem::take(&mut self.entries).into(), 0);
            self.inner.wake.notify_one();
        }
    }
}

/// No lock is held longer than it takes to copy a few names.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
