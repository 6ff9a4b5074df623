//! The one task that talks to the database: it gets what calls wait for, reports what is held, gives back what is
//! idle. One statement at a time, so that no answer overtakes another.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use store::db::DbError;
use store::leases::{Grant, Held, Want};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::slice::{CALLS, Meter, Slice, Take};
use super::{Inner, WHOM, lock};
use crate::unix_ms;

const PULSE: Duration = Duration::from_secs(1);
/// What a statement may take; callers have long gone on.
const PATIENCE: Duration = Duration::from_secs(2);
const FORGET: Duration = Duration::from_secs(600);
/// How long nobody is asked again after nothing was left.
const DRY_MS: u64 = 250;
const WINDOW_MS: i64 = 60_000;
/// Orders answered by one statement.
const BATCH: usize = 500;
/// An account that nobody called for so long is forgotten, once all of it is given back.
const UNUSED_MS: u64 = 600_000;

/// What a call waits for.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) bills: Vec<Bill>,
    pub(super) at_ms: u64,
    pub(super) done: Option<oneshot::Sender<()>>,
    /// Everything is given back, and nothing ordered any more.
    pub(super) last: bool,
}

/// What one slice lacks.
#[derive(Debug)]
pub(super) struct Bill {
    pub(super) account: Box<str>,
    pub(super) take: Take,
    pub(super) lacks: i64,
}

struct Clerk {
    inner: Arc<Inner>,
    replicas: i64,
    /// Statements so far.
    turn: i64,
}

/// Works for ever. `first` hears when the first try is over.
pub(super) async fn run(inner: Arc<Inner>, mut orders: mpsc::Receiver<Order>, first: oneshot::Sender<()>) {
    let mut clerk = Clerk { inner, replicas: 1, turn: 0 };
    clerk.pulse().await;
    _ = first.send(());
    let mut pulse = interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut forgot = Instant::now();
    loop {
        let open = clerk.inner.breaker.is_open();
        let pause = tokio::time::sleep(if open { clerk.inner.breaker.pause() } else { PULSE });
        let order = tokio::select! {
            order = orders.recv() => order,
            _ = pulse.tick() => None,
            () = pause => None,
        };
        let Some(order) = order else {
            clerk.pulse().await;
            if forgot.elapsed() >= FORGET && !clerk.inner.breaker.is_open() {
                forgot = Instant::now();
                _ = timeout(PATIENCE, clerk.inner.db.leases_forget()).await;
            }
            continue;
        };
        if order.last {
            clerk.leave().await;
            order.done.map(|done| done.send(()));
            return;
        }
        let mut waiting = vec![order];
        while waiting.len() < BATCH
            && let Ok(order) = orders.try_recv()
        {
            waiting.push(order);
        }
        clerk.serve(waiting).await;
    }
}

impl Clerk {
    async fn serve(&mut self, orders: Vec<Order>) {
        // Before the database looks at its clock: windows end here no later than there.
        let asked_at_ms = orders.iter().map(|order| order.at_ms).min().unwrap_or_default();
        let mut wanted: HashMap<(&str, Meter), Want> = HashMap::new();
        for bill in orders.iter().flat_map(|order| &order.bills) {
            let want = wanted.entry((&bill.account, bill.take.meter)).or_insert_with(|| self.want(bill));
            want.least = want.least.min(bill.lacks);
            want.wish = want.wish.saturating_add(bill.lacks);
        }
        let (meters, wants): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
        if self.inner.breaker.is_open() || wants.is_empty() {
            return;
        }
        self.turn += 1;
        let granted = self.ask(self.inner.db.leases_want(&self.inner.replica, self.turn, &wants)).await;
        let mut books = lock(&self.inner.books);
        let Some(grants) = granted else {
            // It may have been granted all the same: that is given back.
            for (account, meter) in meters {
                if let Some(slice) = books.get_mut(account).and_then(|slices| slices.get_mut(&meter)) {
                    slice.untold = true;
                }
            }
            return;
        };
        for ((account, meter), want) in meters.into_iter().zip(&wants) {
            let same = |grant: &&Grant| {
                (&grant.account, &grant.meter, grant.period) == (&want.account, &want.meter, want.period)
            };
            let Some(grant) = grants.iter().find(same) else { continue };
            let slice = books.entry(account.into()).or_default().entry(meter).or_default();
            slice.grow(grant, meter, asked_at_ms);
            if grant.granted < want.wish {
                slice.dry_until_ms = asked_at_ms.saturating_add(DRY_MS);
            }
        }
        drop(books);
        for done in orders.into_iter().filter_map(|order| order.done) {
            // Whoever does not wait any more does not care.
            _ = done.send(());
        }
    }

    fn want(&self, bill: &Bill) -> Want {
        let meter = bill.take.meter;
        let books = lock(&self.inner.books);
        let slice = books.get(&bill.account).and_then(|slices| slices.get(&meter));
        Want {
            account: bill.account.to_string(),
            meter: meter.name(),
            period: meter.period(),
            limit: bill.take.limit,
            seed: slice.map_or(0, |slice| slice.seed),
            least: bill.lacks,
            wish: 0,
            window_ms: if meter.is_window() { WINDOW_MS } else { 0 },
            parts: slice.map_or(1, |slice| slice.parts(self.replicas)),
        }
    }

    /// Says that this replica lives, and what it holds.
    async fn pulse(&mut self) {
        let begun_ms = unix_ms();
        let lapse = self.inner.options.lapse;
        let lapse_ms = i64::try_from(lapse.as_millis()).unwrap_or(i64::MAX);
        let Some(replicas) = self.ask(self.inner.db.leases_pulse(&self.inner.replica, CALLS, lapse_ms)).await
        else {
            return;
        };
        self.replicas = replicas;
        let sure_ms = u64::try_from(lapse.as_millis() / 2).unwrap_or(u64::MAX);
        self.inner.sure_until_ms.store(begun_ms.saturating_add(sure_ms), Ordering::Relaxed);
        if self.report(self.inner.options.idle).await {
            self.inner.breaker.close(WHOM);
        }
    }

    /// Tells what is held of all that changed or was idle for so long. What is idle is not held any more from before
    /// that is told, so that it cannot be used twice.
    async fn report(&mut self, idle: Duration) -> bool {
        let now_ms = unix_ms();
        let idle_ms = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        let (mut held, mut meters) = (Vec::new(), Vec::new());
        {
            let mut books = lock(&self.inner.books);
            for (account, slices) in &mut *books {
                for (meter, slice) in slices.iter_mut().filter(|(meter, _)| !meter.is_window()) {
                    let is_idle = now_ms.saturating_sub(slice.used_at_ms) >= idle_ms;
                    if let Some(told) = told(account, *meter, slice, is_idle) {
                        held.push(told);
                        meters.push((account.clone(), *meter));
                    }
                }
            }
        }
        if held.is_empty() {
            return true;
        }
        self.turn += 1;
        let done = self.ask(self.inner.db.leases_hold(&self.inner.replica, self.turn, &held)).await;
        let mut books = lock(&self.inner.books);
        if done.is_none() {
            for (account, meter) in meters {
                books.entry(account).or_default().entry(meter).or_default().untold = true;
            }
            return false;
        }
        books.retain(|_, slices| {
            slices.retain(|_, slice| {
                slice.untold || slice.held != 0 || now_ms.saturating_sub(slice.used_at_ms) < UNUSED_MS
            });
            !slices.is_empty()
        });
        true
    }

    async fn leave(&mut self) {
        if self.report(Duration::ZERO).await {
            self.ask(self.inner.db.leases_leave(&self.inner.replica)).await;
        }
    }

    async fn ask<T>(&self, statement: impl Future<Output = Result<T, DbError>>) -> Option<T> {
        let reason = match timeout(PATIENCE, statement).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer in {} s", PATIENCE.as_secs()),
        };
        self.inner.breaker.trip(WHOM, reason.clone());
        self.inner.breaker.still_open(reason);
        None
    }
}

/// What the database has to know of a slice, if it does not yet.
fn told(account: &str, meter: Meter, slice: &mut Slice, idle: bool) -> Option<Held> {
    let needed = slice.used.saturating_add(slice.held);
    let granted = if idle { needed } else { slice.granted.max(needed) };
    if granted == slice.granted && !slice.untold {
        return None;
    }
    slice.granted = granted;
    slice.untold = false;
    let (account, used, seed) = (account.to_owned(), slice.used, slice.seed);
    Some(Held { account, meter: meter.name(), period: meter.period(), seed, granted, used })
}
