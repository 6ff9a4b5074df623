//! Limits shared through a real Redis server: over replicas, and while it is frozen, slow or dead.

mod agreement;
mod cost;
mod outage;
mod replicas;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use policy::account::{Budget, Demand, Terms};
use policy::money::Cost;
use policy::period::Calendar;
use tollgate_share::redis::{Clock, Redis, RedisOptions};
use tollgate_share::{Ask, Refused, Shared, State, Ticket};

/// A replica that counts on the server at `address`.
async fn replica(address: &str, change: impl FnOnce(&mut RedisOptions)) -> Shared {
    let mut options = RedisOptions { addresses: vec![address.into()], ..RedisOptions::default() };
    // Other tests and builds take the processor from the server for longer than a healthy machine would.
    options.deadline = Duration::from_millis(400);
    change(&mut options);
    Shared::Redis(Redis::start(options, Calendar::default()).await.expect("an address"))
}

/// The instants that the tests pass count.
fn callers_clock(options: &mut RedisOptions) {
    options.clock = Clock::Caller;
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis())
        .expect("a year")
}

fn budget(dollars: i64) -> Terms {
    let budget = Budget { limit: Some(Cost::from_nano(dollars * 1_000_000_000)), ..Budget::default() };
    Terms { budgets: [budget].into(), ..Terms::default() }
}

fn cents(cents: i64) -> Cost {
    Cost::from_nano(cents * 10_000_000)
}

/// A call that costs `cost` at most.
fn paid(cost: Cost) -> Demand {
    Demand { cost, billed: true, ..Demand::default() }
}

async fn ask(
    shared: &Shared,
    account: &str,
    terms: &Terms,
    demand: Demand,
    at_ms: u64,
) -> Result<Ticket, Refused> {
    knowing(shared, account, terms, demand, Cost::ZERO, at_ms).await
}

/// The same by a replica that knows of money spent.
async fn knowing(
    shared: &Shared,
    account: &str,
    terms: &Terms,
    demand: Demand,
    spent: Cost,
    at_ms: u64,
) -> Result<Ticket, Refused> {
    let known = vec![(spent, None); terms.budgets.len()];
    shared.reserve(&[Ask { account, terms, demand: &demand, known: &known }], at_ms).await
}

/// The refusal of a call; one that is let in is ended at once.
async fn refusal(
    shared: &Shared,
    account: &str,
    terms: &Terms,
    demand: Demand,
    at_ms: u64,
) -> Option<Refused> {
    match ask(shared, account, terms, demand, at_ms).await {
        Ok(ticket) => {
            shared.release(ticket, at_ms);
            None
        }
        Err(refused) => Some(refused),
    }
}

/// Waits until a replica shares, or does not.
async fn until(shared: &Shared, sharing: bool) {
    let begun = Instant::now();
    while (shared.state() == State::Sharing) != sharing {
        assert!(begun.elapsed() < Duration::from_secs(20), "it stays {:?}", shared.state());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until `check` holds: settlements are told in the background.
async fn soon(mut check: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !check().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never comes to pass");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
