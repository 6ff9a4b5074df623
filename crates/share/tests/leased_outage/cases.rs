//! Leased limits while the database is frozen: a process of its own, because its server is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use policy::account::{Budget, Demand, Terms, Used};
use policy::money::Cost;
use policy::period::Calendar;
use store::db::Db;
use tollgate_share::leased::{Leased, LeasedOptions};
use tollgate_share::{Ask, Refused, Shared, State, Strictness, Ticket};

const DEADLINE: Duration = Duration::from_millis(300);

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis())
        .expect("a year")
}

async fn replica(address: &str, strictness: Strictness) -> Shared {
    let options = LeasedOptions {
        deadline: DEADLINE,
        strictness,
        idle: Duration::from_secs(60),
        ..LeasedOptions::default()
    };
    let db = Db::postgres_at(address, 4).await.expect("a database");
    let shared = Shared::Leased(Leased::start(db, options, Calendar::default()).await.expect("PostgreSQL"));
    assert_eq!(shared.state(), State::Sharing);
    shared
}

async fn cent(shared: &Shared, terms: &Terms) -> Result<Ticket, Refused> {
    let demand = Demand { cost: Cost::from_nano(10_000_000), billed: true, ..Demand::default() };
    shared.reserve(&[Ask { account: "team:t", terms, demand: &demand, known: &[] }], now_ms()).await
}

fn settle(shared: &Shared, ticket: Ticket) {
    shared.settle(ticket, Used { tokens: 0, cost: Cost::from_nano(10_000_000) }, now_ms());
}

#[tokio::test]
async fn a_frozen_database_leaves_what_is_leased_and_then_the_policy() {
    let address = testkit::postgres::database().expect("PostgreSQL");
    let strict = replica(&address, Strictness { limits: false, budgets: true }).await;
    let terms = Terms {
        budgets: [Budget { limit: Some(Cost::from_nano(10_000_000_000)), ..Budget::default() }].into(),
        ..Terms::default()
    };
    let ticket = cent(&strict, &terms).await.expect("ten dollars");
    settle(&strict, ticket);
    let lenient = replica(&address, Strictness::default()).await;
    let ticket = cent(&lenient, &terms).await.expect("ten dollars");
    settle(&lenient, ticket);
    testkit::postgres::freeze(true).expect("a signal");

    let begun = Instant::now();
    let mut used = 0;
    let refused = loop {
        match cent(&strict, &terms).await {
            Ok(ticket) => settle(&strict, ticket),
            Err(refused) => break refused,
        }
        used += 1;
    };
    assert_eq!(refused, Refused::Unavailable { index: 0 });
    assert!(used > 10, "only {used} cents of a slice were used up");
    assert!(used < 500, "{used} cents are more than half of what was left");
    assert!(begun.elapsed() < DEADLINE * 3, "{used} calls and one that waited took {:?}", begun.elapsed());
    let begun = Instant::now();
    for _ in 0..100 {
        cent(&strict, &terms).await.expect_err("nobody can say");
        let ticket = cent(&lenient, &terms).await.expect("this replica decides alone");
        settle(&lenient, ticket);
    }
    assert!(begun.elapsed() < DEADLINE * 3, "200 calls took {:?}", begun.elapsed());
    assert!(matches!(strict.state(), State::Degraded { .. }));

    testkit::postgres::freeze(false).expect("a signal");
    let begun = Instant::now();
    while strict.state() != State::Sharing || lenient.state() != State::Sharing {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}, {:?}", strict.state(), lenient.state());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // All that was spent in the dark is known: together it is ten dollars, not a cent more.
    let mut rest = 0;
    for shared in [&strict, &lenient] {
        while let Ok(ticket) = cent(shared, &terms).await {
            settle(shared, ticket);
            rest += 1;
        }
    }
    assert_eq!(2 + used + 100 + rest, 1_000);
}
