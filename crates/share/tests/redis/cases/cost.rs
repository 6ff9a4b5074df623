//! What a reservation costs this process and the server. Run by hand:
//! `cargo test --release -p tollgate-share --test redis cost -- --ignored --nocapture`

use policy::account::Used;
use testkit::redis::RedisServer;

use super::*;

const CALLS: u32 = 20_000;

#[tokio::test]
#[ignore = "a measurement, not a check"]
async fn cost_of_a_reservation() {
    let server = RedisServer::start().expect("redis-server");
    let shared = std::sync::Arc::new(replica(&server.address(), |_| {}).await);
    let limited = Terms {
        requests_per_minute: Some(1 << 40),
        tokens_per_minute: Some(1 << 40),
        parallel: Some(1 << 40),
        ..budget(1_000_000)
    };
    for (accounts, at_once) in [(1_usize, 1_u32), (3, 1), (1, 64), (3, 64)] {
        let (own, theirs, begun) =
            (processor_us("self"), processor_us(&server.pid().to_string()), Instant::now());
        let mut tasks = tokio::task::JoinSet::new();
        for worker in 0..at_once {
            let (shared, limited) = (std::sync::Arc::clone(&shared), limited.clone());
            tasks.spawn(async move {
                let demand = Demand { tokens: 900, ..paid(cents(1)) };
                let names: Vec<String> =
                    (0..accounts).map(|each| format!("api_key:{each}-{worker:060}")).collect();
                for _ in 0..CALLS / at_once {
                    let known = [(Cost::ZERO, None)];
                    let asks: Vec<_> = names
                        .iter()
                        .map(|account| Ask { account, terms: &limited, demand: &demand, known: &known })
                        .collect();
                    let ticket = shared.reserve(&asks, now_ms()).await.expect("there is room");
                    shared.settle(ticket, Used { tokens: 350, cost: Cost::from_nano(70_000) }, now_ms());
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("no worker fails");
        }
        shared.close(Duration::from_secs(10)).await;
        let each = |us: u64| us as f64 / f64::from(CALLS);
        println!(
            "{accounts} accounts, {at_once:2} at once: {:6.1} us each; processor: {:5.1} us here, {:5.1} us on the server",
            begun.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS),
            each(processor_us("self") - own),
            each(processor_us(&server.pid().to_string()) - theirs),
        );
    }
}

/// User and system time of a process so far, from the fields 14 and 15 of its `stat`, in hundredths of a second.
fn processor_us(process: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux");
    let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number") * 10_000).sum()
}
