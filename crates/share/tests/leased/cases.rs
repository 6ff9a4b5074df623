//! Limits leased from a real PostgreSQL server by several replicas.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use policy::account::{Budget, Demand, Exceeded, Terms, Used};
use policy::money::Cost;
use policy::period::Calendar;
use store::db::Db;
use tollgate_share::leased::{Leased, LeasedOptions, NotShared};
use tollgate_share::{Ask, Refused, Shared, State, Ticket};

/// Other tests and builds take the processor from the server for longer than a healthy machine would.
const DEADLINE: Duration = Duration::from_secs(2);

async fn replicas(count: usize, change: impl Fn(&mut LeasedOptions)) -> Vec<Arc<Shared>> {
    let address = testkit::postgres::database().expect("PostgreSQL");
    let mut replicas = Vec::new();
    for _ in 0..count {
        let mut options = LeasedOptions { deadline: DEADLINE, ..LeasedOptions::default() };
        change(&mut options);
        let db = Db::postgres_at(&address, 4).await.expect("a database");
        let leased = Leased::start(db, options, Calendar::default()).await.expect("PostgreSQL");
        replicas.push(Arc::new(Shared::Leased(leased)));
    }
    // All know of each other.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    for replica in &replicas {
        assert_eq!(replica.state(), State::Sharing);
    }
    replicas
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis())
        .expect("a year")
}

fn cents(cents: i64) -> Cost {
    Cost::from_nano(cents * 10_000_000)
}

fn budget(limit: Cost) -> Terms {
    Terms { budgets: [Budget { limit: Some(limit), ..Budget::default() }].into(), ..Terms::default() }
}

fn paid(cost: Cost) -> Demand {
    Demand { cost, billed: true, ..Demand::default() }
}

async fn ask(shared: &Shared, account: &str, terms: &Terms, demand: Demand) -> Result<Ticket, Refused> {
    shared.reserve(&[Ask { account, terms, demand: &demand, known: &[] }], now_ms()).await
}

/// How many calls of one cent at a time are let in before one is refused.
async fn cents_let_in(shared: &Shared, account: &str, terms: &Terms) -> (i64, Refused) {
    let mut count = 0;
    loop {
        match ask(shared, account, terms, paid(cents(1))).await {
            Ok(ticket) => shared.settle(ticket, Used { tokens: 0, cost: cents(1) }, now_ms()),
            Err(refused) => return (count, refused),
        }
        count += 1;
    }
}

#[tokio::test]
async fn a_file_is_one_process_s() {
    let directory = tempfile::tempdir().expect("a directory");
    let db = Db::sqlite(&directory.path().join("tollgate.db")).await.expect("a database");
    let started = Leased::start(db, LeasedOptions::default(), Calendar::default()).await;
    assert_eq!(started.err(), Some(NotShared));
}

#[tokio::test]
async fn a_limit_holds_for_all_replicas_together() {
    let replicas = replicas(2, |_| {}).await;
    let terms = Terms { requests_per_minute: Some(10), ..Terms::default() };
    let mut let_in = 0;
    for call in 0..40 {
        let shared = &replicas[call % 2];
        match ask(shared, "api_key:a", &terms, Demand::default()).await {
            Ok(ticket) => {
                let_in += 1;
                shared.release(ticket, now_ms());
            }
            Err(Refused::Exceeded { index: 0, exceeded: Exceeded::Requests { limit: 10, resets_at_ms } }) => {
                assert!((now_ms()..=now_ms() + 60_000).contains(&resets_at_ms));
            }
            Err(refused) => panic!("{refused:?}"),
        }
    }
    assert_eq!(let_in, 10);
}

#[tokio::test]
async fn a_call_is_reserved_with_all_accounts_or_none() {
    let replicas = replicas(1, |_| {}).await;
    let (key, team) = (
        Terms { requests_per_minute: Some(1), ..Terms::default() },
        Terms { parallel: Some(1), ..Terms::default() },
    );
    let demand = Demand::default();
    let asks = |account: &'static str| {
        [
            Ask { account, terms: &key, demand: &demand, known: &[] },
            Ask { account: "team:t", terms: &team, demand: &demand, known: &[] },
        ]
    };
    let first = replicas[0].reserve(&asks("api_key:a"), now_ms()).await.expect("both have room");
    let refused =
        replicas[0].reserve(&asks("api_key:b"), now_ms()).await.expect_err("the team's slot is taken");
    assert_eq!(refused, Refused::Exceeded { index: 1, exceeded: Exceeded::Parallel { limit: 1 } });
    replicas[0].release(first, now_ms());
    let second = replicas[0]
        .reserve(&asks("api_key:b"), now_ms())
        .await
        .expect("the key's one request is still there");
    replicas[0].release(second, now_ms());
}

#[tokio::test]
async fn what_others_hold_is_less_than_half_and_comes_back() {
    let replicas = replicas(2, |options| options.idle = Duration::from_secs(2)).await;
    let terms = budget(cents(200));
    let (first, second) = (&replicas[0], &replicas[1]);
    let ticket = ask(first, "team:t", &terms, paid(cents(1))).await.expect("two dollars");
    first.settle(ticket, Used { tokens: 0, cost: cents(1) }, now_ms());
    let (let_in, refused) = cents_let_in(second, "team:t", &terms).await;
    assert!(let_in < 200, "never above the limit: {let_in}");
    assert!(let_in >= 100, "the stated bound: {let_in}");
    let Refused::Exceeded { exceeded: Exceeded::Budget { limit, asked, .. }, .. } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((limit, asked), (cents(200), cents(1)));
    // The first replica is idle: what it holds is given back.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (rest, _) = cents_let_in(second, "team:t", &terms).await;
    assert_eq!(1 + let_in + rest, 200);
}

#[tokio::test]
async fn what_was_spent_before_counts_and_so_does_what_was_not_reserved() {
    let replicas = replicas(2, |_| {}).await;
    let terms = budget(cents(100));
    let demand = paid(cents(1));
    let known = [(cents(60), None)];
    let asks = [Ask { account: "user:u", terms: &terms, demand: &demand, known: &known }];
    let ticket = replicas[0].reserve(&asks, now_ms()).await.expect("40 cents are left");
    // A call that was thought to cost one cent costs thirty.
    replicas[0].settle(ticket, Used { tokens: 0, cost: cents(30) }, now_ms());
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let (let_in, _) = cents_let_in(&replicas[1], "user:u", &terms).await;
    assert!(let_in <= 10, "{let_in} cents of ten");
}

#[tokio::test]
async fn a_dead_replica_gives_back_slots_and_not_money() {
    let mut replicas = replicas(2, |options| options.lapse = Duration::from_secs(3)).await;
    let slots = Terms { parallel: Some(2), ..Terms::default() };
    let money = budget(cents(100));
    let dead = replicas.remove(0);
    let alive = &replicas[0];
    let held = [
        ask(&dead, "team:t", &slots, Demand::default()).await.expect("a slot"),
        ask(&dead, "team:t", &slots, Demand::default()).await.expect("a slot"),
    ];
    let spent = ask(&dead, "team:m", &money, paid(cents(30))).await.expect("a dollar");
    ask(alive, "team:t", &slots, Demand::default()).await.expect_err("both slots are taken");
    drop(dead);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let again = ask(alive, "team:t", &slots, Demand::default()).await.expect("they came back");
    alive.release(again, now_ms());
    let (let_in, _) = cents_let_in(alive, "team:m", &money).await;
    assert!((50..=70).contains(&let_in), "{let_in}");
    drop((held, spent));
}

#[tokio::test]
async fn who_ends_on_purpose_gives_everything_back() {
    let replicas = replicas(2, |_| {}).await;
    let terms = budget(cents(100));
    let ticket = ask(&replicas[0], "team:t", &terms, paid(cents(1))).await.expect("a dollar");
    replicas[0].settle(ticket, Used { tokens: 0, cost: cents(1) }, now_ms());
    replicas[0].close(DEADLINE).await;
    let (let_in, _) = cents_let_in(&replicas[1], "team:t", &terms).await;
    assert_eq!(let_in, 99);
}

/// Two replicas, ten times the traffic that is allowed: everything is used, and at no instant is more promised than
/// the limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_ten_times_the_load_limits_are_reached_and_not_passed() {
    let replicas = replicas(2, |_| {}).await;
    let by_requests = Terms { requests_per_minute: Some(400), ..Terms::default() };
    let by_tokens = Terms { tokens_per_minute: Some(40_000), ..Terms::default() };
    for (account, terms, ask_cost, use_cost) in [
        ("api_key:requests", by_requests, 0, 0),
        ("api_key:tokens", by_tokens, 0, 0),
        ("api_key:money", budget(cents(100)), 500_000, 250_000),
    ] {
        let (calls, tokens, nano) = hammer(&replicas, account, &terms, ask_cost, use_cost).await;
        match account {
            "api_key:requests" => assert_eq!(calls, 400),
            "api_key:tokens" => assert!((39_600..=40_000).contains(&tokens), "{tokens} tokens"),
            _ => assert!((990_000_000..=1_000_000_000).contains(&nano), "{nano} nano-dollars"),
        }
    }
}

/// Calls of 100 tokens, of which 50 are used, until well after nothing is left.
async fn hammer(
    replicas: &[Arc<Shared>],
    account: &'static str,
    terms: &Terms,
    ask_cost: i64,
    use_cost: i64,
) -> (u64, u64, i64) {
    let (calls, tokens) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (nano, promised) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    let begun = Instant::now();
    for worker in 0..20 {
        let (shared, terms) = (Arc::clone(&replicas[worker % replicas.len()]), terms.clone());
        let (calls, tokens) = (Arc::clone(&calls), Arc::clone(&tokens));
        let (nano, promised) = (Arc::clone(&nano), Arc::clone(&promised));
        let limit = terms.budgets.first().and_then(|budget| budget.limit).map_or(i64::MAX, Cost::nano);
        tasks.spawn(async move {
            while begun.elapsed() < Duration::from_secs(6) {
                let demand = Demand { tokens: 100, ..paid(Cost::from_nano(ask_cost)) };
                let Ok(ticket) = ask(&shared, account, &terms, demand).await else {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    continue;
                };
                let together = promised.fetch_add(ask_cost, Ordering::SeqCst) + ask_cost;
                assert!(together <= limit, "{together} promised of {limit}");
                tokio::task::yield_now().await;
                calls.fetch_add(1, Ordering::Relaxed);
                tokens.fetch_add(50, Ordering::Relaxed);
                nano.fetch_add(use_cost, Ordering::Relaxed);
                promised.fetch_sub(ask_cost - use_cost, Ordering::SeqCst);
                shared.settle(ticket, Used { tokens: 50, cost: Cost::from_nano(use_cost) }, now_ms());
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no worker fails");
    }
    for shared in replicas {
        assert_eq!(shared.state(), State::Sharing);
    }
    (calls.load(Ordering::Relaxed), tokens.load(Ordering::Relaxed), nano.load(Ordering::Relaxed))
}
