//! Slices of limits, leased from PostgreSQL: for several replicas without Redis.
//!
//! Every replica holds parts of the limits of accounts that it has calls of. A call that fits in what its replica holds
//! waits for nobody; one that does not waits for one statement, which all calls that wait at that time share, and for
//! [`LeasedOptions::deadline`] at most.
//!
//! **Never above.** What is granted of a limit is one row's number, raised under that row's lock and never beyond the
//! limit; a replica lets in what fits in its grants. So together replicas let in what one replica would, at most. (As
//! with one replica, a call that costs more than was reserved for it ends above by that; the difference is reported and
//! nothing more is granted. And a replica that was cut off for longer than [`LeasedOptions::lapse`] finishes its calls
//! while others may already use their slots.)
//!
//! **How far below.** A call may be refused although other replicas hold what it needs. A grant is at most the part
//! 1/(2·R) of what is left among R living replicas, or what the waiting calls need; one that follows no other within a
//! second is smaller, down to 1/(16·R). So the R − 1 others together hold less than half of a limit, in use or not. What
//! was not used for [`LeasedOptions::idle`] is given back: of money and slots, an account whose other replicas are idle
//! is refused wrongly for so long at most. Requests and tokens of a minute come back with the next minute. A killed
//! replica keeps the money it held until the budget's period ends: it may have been spent. It is less than half of what
//! was left, and one that ends on purpose ([`Shared::close`](crate::Shared::close)) gives all of it back.
//!
//! While the database is away, what is leased is used up; then a replica decides alone, or refuses
//! ([`Strictness`]). What was spent beyond its grants is reported when the database returns.
//!
//! Not here: the local meters, and the statements (`store::leases`).

mod clerk;
mod slice;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use policy::account::{Exceeded, Used};
use policy::money::Cost;
use policy::period::Calendar;
use store::db::{Db, Engine};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use self::clerk::{Bill, Order};
use self::slice::{Meter, Slices, Take};
use crate::breaker::{Breaker, State};
use crate::slot::Slot;
use crate::{Ask, Refused, Strictness, reservation};

const WHOM: &str = "PostgreSQL";
/// Calls that wait for the database at once; more decide alone.
const MOST_ORDERS: usize = 10_000;
/// A grant that another call was faster to take is asked for again, so often.
const TRIES: u32 = 4;

/// How slices are handled.
#[derive(Clone, Copy, Debug)]
pub struct LeasedOptions {
    /// What a call waits for a grant at most.
    pub deadline: Duration,
    /// After which what is not used is given back.
    pub idle: Duration,
    /// After which a replica that was not heard of counts as dead.
    pub lapse: Duration,
    /// What happens when nothing is left and the database does not answer.
    pub strictness: Strictness,
}

impl Default for LeasedOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(50),
            idle: Duration::from_secs(5),
            lapse: Duration::from_secs(60),
            strictness: Strictness::default(),
        }
    }
}

/// SQLite is one process's: there is nobody to share with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limits are shared through PostgreSQL only")]
pub struct NotShared;

/// Slices of this replica. Its task ends with it.
#[derive(Debug)]
pub struct Leased {
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Inner {
    options: LeasedOptions,
    calendar: Calendar,
    db: Db,
    replica: String,
    breaker: Breaker,
    books: Mutex<HashMap<Box<str>, Slices, foldhash::fast::RandomState>>,
    orders: mpsc::Sender<Order>,
    /// Up to then no other replica takes this one for dead.
    sure_until_ms: AtomicU64,
}

/// What a call holds.
#[derive(Debug)]
pub(crate) struct Reservation(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    account: Box<str>,
    takes: Box<[Take]>,
    /// The window that tokens were counted in.
    window: i64,
    /// What the call is charged to.
    budgets: Box<[Slot]>,
}

/// Why a call does not fit.
enum Lacking {
    /// And no grant changes that.
    Full(Refused),
    /// Until this is granted; the refusal if it is not.
    Short(Vec<Bill>, Refused),
}

impl Leased {
    /// Begins with nothing. Must be called in the runtime that lives longest.
    ///
    /// # Errors
    /// A database that other replicas cannot have.
    pub async fn start(db: Db, options: LeasedOptions, calendar: Calendar) -> Result<Self, NotShared> {
        if db.engine() != Engine::Postgres {
            return Err(NotShared);
        }
        let (orders, received) = mpsc::channel(MOST_ORDERS);
        let inner = Arc::new(Inner {
            options,
            calendar,
            db,
            replica: uuid::Uuid::now_v7().simple().to_string(),
            breaker: Breaker::new(),
            books: Mutex::default(),
            orders,
            sure_until_ms: AtomicU64::new(0),
        });
        let (first, tried) = oneshot::channel();
        let task = tokio::spawn(clerk::run(Arc::clone(&inner), received, first));
        _ = tokio::time::timeout(Duration::from_secs(1), tried).await;
        Ok(Self { inner, task })
    }

    pub(crate) fn state(&self) -> State {
        self.inner.breaker.state()
    }

    pub(crate) async fn reserve(&self, asks: &[Ask<'_>], now_ms: u64) -> Result<Reservation, Refused> {
        let inner = &self.inner;
        let mut entries: Vec<Entry> =
            asks.iter().map(|ask| Entry::of(ask, &inner.calendar, now_ms)).collect();
        let mut refused = None;
        for _ in 0..TRIES {
            match inner.take(asks, &mut entries, now_ms, false) {
                Ok(()) => return Ok(Reservation(entries)),
                Err(Lacking::Full(refused)) => return Err(refused),
                Err(Lacking::Short(bills, reason)) => {
                    refused = Some(reason);
                    if !inner.ask(bills, now_ms).await {
                        return match inner.options.strictness.refuses(asks) {
                            Some(refused) => Err(refused),
                            None => match inner.take(asks, &mut entries, now_ms, true) {
                                Ok(()) => Ok(Reservation(entries)),
                                Err(Lacking::Full(refused) | Lacking::Short(_, refused)) => Err(refused),
                            },
                        };
                    }
                }
            }
        }
        Err(refused.unwrap_or(Refused::Unavailable { index: 0 }))
    }

    pub(crate) fn settle(&self, reservation: Reservation, used: Used, now_ms: u64) {
        let mut books = lock(&self.inner.books);
        for entry in reservation.0 {
            let slices = books.entry(entry.account).or_default();
            for take in &entry.takes {
                let Some(slice) = slices.get_mut(&take.meter) else { continue };
                match take.meter {
                    Meter::Requests => {}
                    Meter::Tokens if slice.window == entry.window => {
                        let tokens = i64::try_from(used.tokens).unwrap_or(i64::MAX);
                        slice.used = slice.used.saturating_add(tokens).saturating_sub(take.amount);
                    }
                    Meter::Tokens => {}
                    Meter::Calls | Meter::Money { .. } => slice.held = slice.held.saturating_sub(take.amount),
                }
                slice.used_at_ms = now_ms;
            }
            if used.cost == Cost::ZERO {
                continue;
            }
            for slot in &entry.budgets {
                let slice = slices.entry(money(slot.running(&self.inner.calendar, now_ms))).or_default();
                slice.used = slice.used.saturating_add(used.cost.nano());
                slice.untold |= slice.unused() < 0;
                slice.used_at_ms = now_ms;
            }
        }
    }

    pub(crate) async fn close(&self, patience: Duration) {
        let (done, closed) = oneshot::channel();
        let leave = Order { bills: Vec::new(), at_ms: 0, done: Some(done), last: true };
        let left = async {
            if self.inner.orders.send(leave).await.is_ok() {
                _ = closed.await;
            }
        };
        if tokio::time::timeout(patience, left).await.is_err() {
            tracing::warn!("the database was not told which slices of limits are free again");
        }
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Inner {
    /// Takes what the call needs of all its accounts, or nothing. `overdraw`: as far as this replica alone knows of
    /// no limit that is reached.
    fn take(
        &self,
        asks: &[Ask<'_>],
        entries: &mut [Entry],
        now_ms: u64,
        overdraw: bool,
    ) -> Result<(), Lacking> {
        let mut books = lock(&self.books);
        let sure = overdraw || now_ms < self.sure_until_ms.load(Ordering::Relaxed);
        let (mut bills, mut first) = (Vec::new(), None);
        for (index, (ask, entry)) in asks.iter().zip(&*entries).enumerate() {
            let slices = books.entry(entry.account.clone()).or_default();
            for take in &entry.takes {
                let slice = slices.entry(take.meter).or_default();
                slice.renew(take.meter, now_ms);
                if slice.granted_at_ms == 0 {
                    slice.seed = take.seed;
                }
                let lacks = if !sure && take.meter == Meter::Calls { take.amount } else { slice.lacks(take) };
                if lacks == 0 && !slice.is_full(take, now_ms) || overdraw {
                    continue;
                }
                let refused = Refused::Exceeded { index, exceeded: exceeded(ask, take, slice, now_ms) };
                if slice.is_full(take, now_ms) {
                    return Err(Lacking::Full(refused));
                }
                first.get_or_insert(refused);
                bills.push(Bill { account: entry.account.clone(), take: *take, lacks });
            }
        }
        if let Some(refused) = first {
            return Err(Lacking::Short(bills, refused));
        }
        for entry in entries {
            let Some(slices) = books.get_mut(&entry.account) else { continue };
            for take in &entry.takes {
                let Some(slice) = slices.get_mut(&take.meter) else { continue };
                slice.take(take, now_ms);
                slice.untold |= overdraw;
                if take.meter == Meter::Tokens {
                    entry.window = slice.window;
                }
            }
        }
        Ok(())
    }

    /// Waits for a grant. `false`: the database does not answer.
    async fn ask(&self, bills: Vec<Bill>, at_ms: u64) -> bool {
        if self.breaker.is_open() {
            return false;
        }
        let (done, granted) = oneshot::channel();
        if self.orders.try_send(Order { bills, at_ms, done: Some(done), last: false }).is_err() {
            return false;
        }
        match tokio::time::timeout(self.options.deadline, granted).await {
            Ok(Ok(())) => !self.breaker.is_open(),
            // The clerk goes on: what is granted late is for later calls.
            Ok(Err(_)) | Err(_) => {
                self.breaker.trip(WHOM, format!("no answer in {} ms", self.options.deadline.as_millis()));
                false
            }
        }
    }
}

impl Entry {
    fn of(ask: &Ask<'_>, calendar: &Calendar, now_ms: u64) -> Self {
        let number = |limit: u64| i64::try_from(limit).unwrap_or(i64::MAX);
        let terms = ask.terms;
        let budgets = Slot::of(ask, calendar, now_ms);
        let mut takes = Vec::with_capacity(3 + budgets.len());
        if ask.demand.billed {
            for slot in &budgets {
                let limit =
                    terms.budgets.get(slot.index).and_then(|budget| budget.limit).unwrap_or(Cost::MAX);
                let seed = ask.known.get(slot.index).map_or(0, |(spent, _)| spent.nano().max(0));
                let amount = reservation(ask.demand);
                takes.push(Take { meter: money(*slot), limit: limit.nano(), amount, seed });
            }
        }
        for (meter, limit, amount) in [
            (Meter::Requests, terms.requests_per_minute, 1),
            (Meter::Tokens, terms.tokens_per_minute, number(ask.demand.tokens)),
            (Meter::Calls, terms.parallel, 1),
        ] {
            takes.extend(limit.map(|limit| Take { meter, limit: number(limit), amount, seed: 0 }));
        }
        Self { account: ask.account.into(), takes: takes.into(), window: 0, budgets }
    }
}

fn money(slot: Slot) -> Meter {
    Meter::Money { budget: slot.index, ends_ms: slot.ends_ms.unwrap_or(0) }
}

/// What is said of a limit: what others hold counts as used.
fn exceeded(ask: &Ask<'_>, take: &Take, slice: &slice::Slice, now_ms: u64) -> Exceeded {
    let limit = u64::try_from(take.limit).unwrap_or(0);
    let resets_at_ms = slice.window_ends_ms.max(now_ms);
    let elsewhere =
        take.limit.saturating_sub(slice.left).saturating_sub(slice.unused()).saturating_sub(slice.held);
    match take.meter {
        Meter::Requests => Exceeded::Requests { limit, resets_at_ms },
        Meter::Tokens => {
            let used = u64::try_from(elsewhere).unwrap_or(0);
            Exceeded::Tokens { limit, used, asked: ask.demand.tokens, resets_at_ms }
        }
        Meter::Calls => Exceeded::Parallel { limit },
        Meter::Money { budget: index, ends_ms } => Exceeded::Budget {
            index,
            spent: Cost::from_nano(elsewhere.max(0)),
            reserved: Cost::from_nano(slice.held),
            asked: Cost::from_nano(take.amount),
            limit: Cost::from_nano(take.limit),
            period: ask.terms.budgets.get(index).and_then(|budget| budget.period),
            resets_at_ms: (ends_ms != 0).then_some(ends_ms),
        },
    }
}

/// No lock is held longer than a call's few additions, or one pass over accounts in use.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
