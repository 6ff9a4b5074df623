//! What a replica on its own is told by Redis is what its own meter says, whatever its calls do.

use policy::account::{Budget, Exceeded, Headroom, Meter, Used};
use policy::period::Period;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use testkit::redis::RedisServer;

use super::*;

/// A noon ahead: the server deletes what has expired by its own clock.
fn noon_ms() -> u64 {
    (now_ms() / 86_400_000 + 2) * 86_400_000 + 43_200_000
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Call {
        tokens: u64,
        nano: i64,
        billed: bool,
    },
    /// Ends one of the calls under way; `None`: it never reached an upstream.
    End(usize, Option<(u64, i64)>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![4 => 0..20_000_u64, 1 => 0..7_200_000_u64].prop_map(Step::Wait);
    let call = (0..60_u64, 0..60_i64, any::<bool>()).prop_map(|(tokens, nano, billed)| Step::Call {
        tokens,
        nano,
        billed,
    });
    let end = (any::<usize>(), proptest::option::of((0..80_u64, -10..80_i64)))
        .prop_map(|(which, used)| Step::End(which, used));
    vec(prop_oneof![2 => wait, 5 => call, 3 => end], 1..40)
}

fn terms() -> impl Strategy<Value = Terms> {
    let limit = |most: u64| proptest::option::of(0..most);
    let budget = (proptest::option::of(0..200_i64), proptest::option::of(prop_oneof!["1h", "1d", "90s"]));
    let budgets = vec(budget, 0..3).prop_map(|budgets| {
        let budget = |(limit, period): (Option<i64>, Option<String>)| Budget {
            limit: limit.map(Cost::from_nano),
            soft: None,
            period: period.and_then(|period| Period::parse(&period).ok()),
        };
        budgets.into_iter().map(budget).collect()
    });
    (limit(6), limit(200), limit(4), budgets).prop_map(
        |(requests_per_minute, tokens_per_minute, parallel, budgets)| Terms {
            requests_per_minute,
            tokens_per_minute,
            parallel,
            budgets,
        },
    )
}

/// What is told of a call: room where a limit is, or the refusal.
fn told(headroom: Headroom) -> (Option<u64>, Option<u64>, Option<u64>, u64) {
    (headroom.requests, headroom.tokens, headroom.parallel, headroom.resets_at_ms)
}

#[test]
fn redis_and_the_local_meter_agree() {
    let server = RedisServer::start().expect("redis-server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let shared = runtime.block_on(replica(&server.address(), |options| {
        callers_clock(options);
        // Time flies in these tests.
        options.lease = Duration::from_secs(1 << 28);
    }));
    let mut case = 0;
    let cases = std::cell::RefCell::new(&mut case);
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    runner
        .run(&(terms(), steps()), |(terms, steps)| {
            **cases.borrow_mut() += 1;
            let account = format!("api_key:{}", cases.borrow());
            runtime.block_on(play(&shared, &account, &terms, steps))
        })
        .expect("they agree");
}

async fn play(shared: &Shared, account: &str, terms: &Terms, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (mut meter, calendar, mut now_ms) = (Meter::default(), Calendar::default(), noon_ms());
    let mut open = Vec::new();
    for step in steps {
        match step {
            Step::Wait(ms) => now_ms += ms,
            Step::Call { tokens, nano, billed } => {
                let demand = Demand { tokens, cost: Cost::from_nano(nano), billed, at_ms: now_ms };
                let known: Vec<_> =
                    (0..terms.budgets.len()).map(|index| meter.spent(index, now_ms)).collect();
                let asks = [Ask { account, terms, demand: &demand, known: &known }];
                let here = meter.reserve(terms, &demand, now_ms, &calendar);
                match (here, shared.reserve(&asks, now_ms).await) {
                    (Ok(here), Ok(ticket)) => {
                        prop_assert_eq!(ticket.headroom().len(), 1, "{:?}", shared.state());
                        prop_assert_eq!(told(here), told(ticket.headroom()[0]));
                        open.push((demand, ticket));
                    }
                    (Err(here), Err(Refused::Exceeded { index: 0, exceeded: there })) => same(here, there)?,
                    (here, there) => prop_assert!(false, "{:?} here, {:?} there", here, there),
                }
            }
            Step::End(which, used) if !open.is_empty() => {
                let (demand, ticket) = open.swap_remove(which % open.len());
                match used {
                    Some((tokens, nano)) => {
                        let used = Used { tokens, cost: Cost::from_nano(nano) };
                        let _soft = meter.settle(terms, &demand, used, now_ms, &calendar);
                        shared.settle(ticket, used, now_ms);
                    }
                    None => {
                        meter.release(terms, &demand, now_ms, &calendar);
                        shared.release(ticket, now_ms);
                    }
                }
                shared.close(Duration::from_secs(5)).await;
            }
            Step::End(..) => {}
        }
    }
    Ok(())
}

/// Corrections below zero are shown as zero there.
fn same(here: Exceeded, there: Exceeded) -> Result<(), TestCaseError> {
    let shown = match here {
        Exceeded::Budget { index, spent, reserved, asked, limit, period, resets_at_ms } => Exceeded::Budget {
            index,
            spent: spent.max(Cost::ZERO),
            reserved,
            asked,
            limit,
            period,
            resets_at_ms,
        },
        Exceeded::Requests { .. } | Exceeded::Tokens { .. } | Exceeded::Parallel { .. } => here,
    };
    prop_assert_eq!(shown, there);
    Ok(())
}
