//! A server that is frozen, slow or dead.

use std::time::{Duration, Instant};

use policy::account::{Terms, Used};
use policy::money::Cost;
use testkit::redis::RedisServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tollgate_share::redis::RedisOptions;
use tollgate_share::{Refused, State, Strictness};

use super::*;

const DEADLINE: Duration = Duration::from_millis(100);

fn hasty(options: &mut RedisOptions) {
    options.deadline = DEADLINE;
}

#[tokio::test]
async fn a_frozen_server_delays_by_the_deadline_once() {
    let server = RedisServer::start().expect("redis-server");
    let shared = replica(&server.address(), hasty).await;
    until(&shared, true).await;
    let terms = budget(1);
    let before = ask(&shared, "user:u", &terms, paid(cents(20)), now_ms()).await.expect("a dollar");
    server.freeze(true).expect("a signal");

    let begun = Instant::now();
    let first = ask(&shared, "user:u", &terms, paid(cents(10)), now_ms()).await.expect("decided alone");
    assert!(begun.elapsed() < DEADLINE * 3, "waited {:?}", begun.elapsed());
    assert!(first.headroom().is_empty(), "nobody can know");
    assert!(matches!(shared.state(), State::Degraded { .. }));

    let begun = Instant::now();
    for _ in 0..1_000 {
        let ticket = ask(&shared, "user:u", &terms, paid(cents(1)), now_ms()).await.expect("decided alone");
        shared.settle(ticket, Used { tokens: 0, cost: Cost::from_nano(100_000) }, now_ms());
    }
    assert!(begun.elapsed() < DEADLINE, "1000 calls waited {:?}", begun.elapsed());
    shared.settle(before, Used { tokens: 0, cost: cents(15) }, now_ms());
    shared.settle(first, Used { tokens: 0, cost: cents(5) }, now_ms());

    server.freeze(false).expect("a signal");
    until(&shared, true).await;
    // 10 cents by the thousand, 20 by the two, all told; nothing is held any more, not by the timed-out attempt either.
    let refused =
        ask(&shared, "user:u", &terms, paid(cents(71)), now_ms()).await.expect_err("71 and 30 are too much");
    assert!(matches!(refused, Refused::Exceeded { .. }));
    let _held = ask(&shared, "user:u", &terms, paid(cents(70)), now_ms()).await.expect("70 and 30 are not");
}

#[tokio::test]
async fn a_killed_server_is_told_what_it_forgot() {
    let mut server = RedisServer::start().expect("redis-server");
    let shared = replica(&server.address(), hasty).await;
    let other = replica(&server.address(), hasty).await;
    let terms = Terms { parallel: Some(2), ..budget(1) };
    let running =
        knowing(&shared, "user:u", &terms, paid(cents(10)), cents(40), now_ms()).await.expect("a slot");
    server.kill().expect("a signal");
    until(&shared, false).await;
    let begun = Instant::now();
    let alone = ask(&shared, "user:u", &terms, paid(cents(10)), now_ms()).await.expect("decided alone");
    shared.settle(alone, Used { tokens: 0, cost: cents(5) }, now_ms());
    assert!(begun.elapsed() < DEADLINE, "waited {:?}", begun.elapsed());

    server.revive().expect("redis-server");
    until(&shared, true).await;
    until(&other, true).await;
    // The first replica knows of 45 cents by now, the running call holds 10 more and one of two slots.
    let second =
        knowing(&shared, "user:u", &terms, paid(cents(45)), cents(45), now_ms()).await.expect("100 cents");
    shared.release(second, now_ms());
    soon(async || {
        let refused = refusal(&other, "user:u", &terms, paid(cents(46)), now_ms()).await;
        matches!(
            refused,
            Some(Refused::Exceeded { exceeded: policy::account::Exceeded::Budget { spent, reserved, .. }, .. })
                if spent == cents(45) && reserved == cents(10)
        )
    })
    .await;
    shared.settle(running, Used { tokens: 0, cost: cents(10) }, now_ms());
    soon(async || {
        let refused = refusal(&other, "user:u", &terms, paid(cents(46)), now_ms()).await;
        matches!(
            refused,
            Some(Refused::Exceeded { exceeded: policy::account::Exceeded::Budget { spent, reserved, .. }, .. })
                if spent == cents(55) && reserved == Cost::ZERO
        )
    })
    .await;
}

#[tokio::test]
async fn a_server_that_was_never_there_keeps_nobody_from_starting() {
    let mut server = RedisServer::start().expect("redis-server");
    server.kill().expect("a signal");
    let begun = Instant::now();
    let shared = replica(&server.address(), hasty).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "waited {:?}", begun.elapsed());
    let terms = Terms { requests_per_minute: Some(1), ..Terms::default() };
    let _held = ask(&shared, "user:u", &terms, paid(Cost::ZERO), now_ms()).await.expect("decided alone");
    server.revive().expect("redis-server");
    until(&shared, true).await;
    let _held =
        ask(&shared, "user:u", &terms, paid(Cost::ZERO), now_ms()).await.expect("the first that is counted");
    ask(&shared, "user:u", &terms, paid(Cost::ZERO), now_ms()).await.expect_err("it is full");
}

#[tokio::test]
async fn who_wants_it_strict_refuses_while_the_server_is_away() {
    let mut server = RedisServer::start().expect("redis-server");
    server.kill().expect("a signal");
    let limits = replica(&server.address(), |options| {
        options.strictness = Strictness { limits: true, budgets: false };
    })
    .await;
    let budgets = replica(&server.address(), |options| {
        options.strictness = Strictness { limits: false, budgets: true };
    })
    .await;
    let (rate, money) = (Terms { requests_per_minute: Some(1), ..Terms::default() }, budget(1));
    let unavailable = Refused::Unavailable { index: 0 };
    let refused = ask(&limits, "user:u", &rate, paid(Cost::ZERO), now_ms()).await;
    assert_eq!(refused.expect_err("requests are limited"), unavailable);
    let _held =
        ask(&limits, "user:u", &money, paid(cents(1)), now_ms()).await.expect("money is decided alone");
    let _held =
        ask(&budgets, "user:u", &rate, paid(Cost::ZERO), now_ms()).await.expect("requests are decided alone");
    let refused = ask(&budgets, "user:u", &money, paid(cents(1)), now_ms()).await;
    assert_eq!(refused.expect_err("money is limited"), unavailable);
    let _held =
        ask(&budgets, "user:u", &money, Demand::default(), now_ms()).await.expect("a free call spends none");
}

#[tokio::test]
async fn a_slow_server_counts_as_away() {
    let server = RedisServer::start().expect("redis-server");
    let slow = slow_road(server.port(), DEADLINE * 2).await;
    let begun = Instant::now();
    let shared = replica(&slow, hasty).await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    let terms = Terms { requests_per_minute: Some(1), ..Terms::default() };
    let begun = Instant::now();
    for _ in 0..100 {
        let _held = ask(&shared, "user:u", &terms, paid(Cost::ZERO), now_ms()).await.expect("decided alone");
    }
    assert!(begun.elapsed() < DEADLINE, "waited {:?}", begun.elapsed());
}

/// An address that leads to the server, and every answer from there takes `delay`.
async fn slow_road(port: u16, delay: Duration) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.expect("the server");
            let ((mut from, mut to), (mut back, mut out)) = (client.into_split(), server.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut from, &mut out).await });
            tokio::spawn(async move {
                let mut bytes = vec![0; 65_536];
                while let Ok(count @ 1..) = back.read(&mut bytes).await {
                    tokio::time::sleep(delay).await;
                    if to.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("redis://{address}")
}
