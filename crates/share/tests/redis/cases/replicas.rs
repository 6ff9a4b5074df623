//! Several replicas on one server.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use policy::account::{Exceeded, Terms, Used};
use policy::money::Cost;
use policy::period::Period;
use testkit::redis::RedisServer;
use tollgate_share::{Ask, Refused, Shared};

use super::*;

#[tokio::test]
async fn a_limit_holds_for_all_replicas_together() {
    let server = RedisServer::start().expect("redis-server");
    let (one, two) = (replica(&server.address(), |_| {}).await, replica(&server.address(), |_| {}).await);
    let terms = Terms { requests_per_minute: Some(3), ..Terms::default() };
    for shared in [&one, &two, &one] {
        let ticket =
            ask(shared, "api_key:a", &terms, paid(Cost::ZERO), now_ms()).await.expect("there is room");
        shared.release(ticket, now_ms());
    }
    for shared in [&one, &two] {
        let refused =
            ask(shared, "api_key:a", &terms, paid(Cost::ZERO), now_ms()).await.expect_err("it is full");
        let Refused::Exceeded { index: 0, exceeded: Exceeded::Requests { limit: 3, resets_at_ms } } = refused
        else {
            panic!("{refused:?}")
        };
        assert!((now_ms()..now_ms() + 60_001).contains(&resets_at_ms));
    }
    let _held =
        ask(&two, "api_key:b", &terms, paid(Cost::ZERO), now_ms()).await.expect("others are not concerned");
}

#[tokio::test]
async fn a_call_is_reserved_with_all_accounts_or_none() {
    let server = RedisServer::start().expect("redis-server");
    let shared = replica(&server.address(), |_| {}).await;
    let (key, team) = (
        Terms { requests_per_minute: Some(5), parallel: Some(5), ..budget(1) },
        Terms { parallel: Some(1), ..Terms::default() },
    );
    let demand = paid(cents(60));
    let known = [(Cost::ZERO, None)];
    let asks = |who: &'static str| {
        [
            Ask { account: who, terms: &key, demand: &demand, known: &known },
            Ask { account: "team:t", terms: &team, demand: &demand, known: &[] },
        ]
    };
    let first = shared.reserve(&asks("api_key:a"), now_ms()).await.expect("both have room");
    assert_eq!(first.headroom()[0].requests, Some(4));
    assert_eq!(first.headroom()[1].parallel, Some(0));
    let refused = shared.reserve(&asks("api_key:b"), now_ms()).await.expect_err("the team's slot is taken");
    assert_eq!(refused, Refused::Exceeded { index: 1, exceeded: Exceeded::Parallel { limit: 1 } });
    // Of the second key nothing was kept: all its requests, its money and slots are there.
    shared.release(first, now_ms());
    soon(async || {
        let second = shared.reserve(&asks("api_key:b"), now_ms()).await;
        second.is_ok_and(|second| second.headroom()[0].requests == Some(4))
    })
    .await;
}

#[tokio::test]
async fn money_is_held_settled_and_begins_with_what_is_known() {
    let server = RedisServer::start().expect("redis-server");
    let (one, two) = (replica(&server.address(), |_| {}).await, replica(&server.address(), |_| {}).await);
    let terms = budget(1);
    let first =
        knowing(&one, "user:u", &terms, paid(cents(50)), cents(30), now_ms()).await.expect("80 cents");
    let refused = ask(&two, "user:u", &terms, paid(cents(21)), now_ms()).await.expect_err("101 cents");
    let Refused::Exceeded { exceeded: Exceeded::Budget { spent, reserved, asked, .. }, .. } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((spent, reserved, asked), (cents(30), cents(50), cents(21)));
    one.settle(first, Used { tokens: 0, cost: cents(69) }, now_ms());
    soon(async || {
        let refused = refusal(&two, "user:u", &terms, paid(cents(2)), now_ms()).await;
        matches!(refused, Some(Refused::Exceeded { exceeded: Exceeded::Budget { spent, .. }, .. }) if spent == cents(99))
    })
    .await;
    let _held = ask(&two, "user:u", &terms, paid(cents(1)), now_ms()).await.expect("the last cent");
}

#[tokio::test]
async fn a_new_period_is_a_new_count_that_ends_by_itself() {
    let server = RedisServer::start().expect("redis-server");
    let shared = replica(&server.address(), callers_clock).await;
    let mut terms = budget(1);
    terms.budgets[0].period = Period::parse("1h").ok();
    let noon = now_ms() / 3_600_000 * 3_600_000;
    let first = ask(&shared, "user:u", &terms, paid(cents(90)), noon).await.expect("an hour's dollar");
    shared.settle(first, Used { tokens: 0, cost: cents(90) }, noon + 1);
    soon(async || refusal(&shared, "user:u", &terms, paid(cents(20)), noon + 2).await.is_some()).await;
    let next =
        ask(&shared, "user:u", &terms, paid(cents(20)), noon + 3_600_000).await.expect("the next hour's");
    // What ends in an hour is that hour's.
    shared.settle(next, Used { tokens: 0, cost: cents(95) }, noon + 7_200_000);
    soon(async || refusal(&shared, "user:u", &terms, paid(cents(20)), noon + 7_200_001).await.is_some())
        .await;
    let keys = server.cli(&["--scan", "--pattern", "{tollgate}b:user:u:0:*"]).expect("redis-cli");
    assert_eq!(keys.lines().count(), 3, "{keys}");
    for key in keys.lines() {
        let lives: i64 = server.cli(&["pttl", key]).expect("redis-cli").parse().expect("a number");
        assert!((1..=3 * 3_600_000 + 86_400_000).contains(&lives), "{key} lives {lives} ms");
    }
}

#[tokio::test]
async fn the_slots_and_money_of_a_dead_replica_come_back() {
    let server = RedisServer::start().expect("redis-server");
    let terms = Terms { parallel: Some(1), ..budget(1) };
    let short = |options: &mut RedisOptions| options.lease = Duration::from_millis(600);
    let dead = replica(&server.address(), short).await;
    let alive = replica(&server.address(), short).await;
    let ticket = ask(&dead, "team:t", &terms, paid(cents(80)), now_ms()).await.expect("a slot");
    let slot = Terms { parallel: Some(1), ..Terms::default() };
    let free = ask(&dead, "team:free", &slot, Demand::default(), now_ms()).await.expect("a slot");
    // As long as its replica lives, the call's lease is renewed.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    ask(&alive, "team:t", &terms, paid(cents(80)), now_ms()).await.expect_err("it is taken");
    drop(dead);
    soon(async || refusal(&alive, "team:t", &terms, paid(cents(80)), now_ms()).await.is_none()).await;
    soon(async || refusal(&alive, "team:free", &slot, Demand::default(), now_ms()).await.is_none()).await;
    drop((ticket, free));
}

#[tokio::test]
async fn a_cluster_counts_as_one_server_does() {
    let server = RedisServer::cluster().expect("redis-server");
    let cluster = |options: &mut RedisOptions| options.cluster = true;
    let (one, two) = (replica(&server.address(), cluster).await, replica(&server.address(), cluster).await);
    let terms = Terms { requests_per_minute: Some(2), ..budget(1) };
    for shared in [&one, &two] {
        let demand = paid(cents(10));
        let asks = ["api_key:a", "team:elsewhere"].map(|account| Ask {
            account,
            terms: &terms,
            demand: &demand,
            known: &[],
        });
        let ticket = shared.reserve(&asks, now_ms()).await.expect("there is room");
        assert!(!ticket.headroom().is_empty(), "{:?}", shared.state());
        shared.settle(ticket, Used::default(), now_ms());
    }
    ask(&two, "team:elsewhere", &terms, paid(cents(1)), now_ms()).await.expect_err("it is full");
}

/// Two replicas, ten times the traffic that is allowed: requests, tokens and money are all used, and none is exceeded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_ten_times_the_load_limits_are_reached_and_not_passed() {
    let server = RedisServer::start().expect("redis-server");
    let mut replicas = Vec::new();
    for _ in 0..2 {
        replicas.push(Arc::new(replica(&server.address(), |_| {}).await));
    }
    let by_requests = Terms { requests_per_minute: Some(400), ..Terms::default() };
    let by_tokens = Terms { tokens_per_minute: Some(40_000), ..Terms::default() };
    for (account, terms, ask_cost, use_cost) in [
        ("api_key:requests", by_requests, 0, 0),
        ("api_key:tokens", by_tokens, 0, 0),
        ("api_key:money", budget(1), 500_000, 250_000),
    ] {
        let (calls, tokens, nano) = hammer(&replicas, account, &terms, ask_cost, use_cost).await;
        match account {
            "api_key:requests" => assert_eq!(calls, 400),
            // Half of what is reserved is used, and given back in time for others.
            "api_key:tokens" => assert!((39_600..=40_000).contains(&tokens), "{tokens} tokens"),
            _ => assert!((990_000_000..=1_000_000_000).contains(&nano), "{nano} nano-dollars"),
        }
    }
}

/// 4000 calls over all replicas, 20 at a time. Returns how many were let in, and what they used.
async fn hammer(
    replicas: &[Arc<Shared>],
    account: &'static str,
    terms: &Terms,
    ask_cost: i64,
    use_cost: i64,
) -> (u64, u64, i64) {
    let (calls, tokens, nano) =
        (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicI64::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    let begun = now_ms();
    for worker in 0..20 {
        let (shared, terms) = (Arc::clone(&replicas[worker % replicas.len()]), terms.clone());
        let (calls, tokens, nano) = (Arc::clone(&calls), Arc::clone(&tokens), Arc::clone(&nano));
        tasks.spawn(async move {
            for _ in 0..if use_cost == 0 { 200 } else { 2_000 } {
                let demand = Demand { tokens: 100, ..paid(Cost::from_nano(ask_cost)) };
                let Ok(ticket) = ask(&shared, account, &terms, demand, now_ms()).await else { continue };
                assert!(!ticket.headroom().is_empty(), "decided alone: {:?}", shared.state());
                calls.fetch_add(1, Ordering::Relaxed);
                tokens.fetch_add(50, Ordering::Relaxed);
                nano.fetch_add(use_cost, Ordering::Relaxed);
                shared.settle(ticket, Used { tokens: 50, cost: Cost::from_nano(use_cost) }, now_ms());
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no worker fails");
    }
    assert!(now_ms() - begun < 60_000, "the machine is too slow to stay within one window");
    (calls.load(Ordering::Relaxed), tokens.load(Ordering::Relaxed), nano.load(Ordering::Relaxed))
}
