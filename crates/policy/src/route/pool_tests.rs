use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::super::strategy::{LatencyArguments, Strategy};
use super::super::ticket::Spent;
use super::*;

const NOW: Moment = Moment::from_millis(1_764_000_000_000);

fn tracks(count: usize) -> Vec<Arc<Track>> {
    (0..count).map(|_| Arc::default()).collect()
}

fn candidate(id: usize) -> Candidate {
    Candidate { id: format!("deployment-{id}"), ..Candidate::default() }
}

fn pool(strategy: Strategy, candidates: Vec<Candidate>) -> Pool {
    Pool::new(Rules { strategy, ..Rules::default() }, candidates)
}

/// How often each is chosen in 10,000 choices.
fn shares(pool: &Pool, tracks: &[Arc<Track>], ask: &Ask<'_>) -> Vec<usize> {
    let mut counts = vec![0; pool.len()];
    let mut random = Random::new(7);
    for _ in 0..10_000 {
        counts[pool.choose(tracks, ask, NOW, random.next_u64()).unwrap()] += 1;
    }
    counts
}

/// Within five standard deviations of what is expected of 10,000.
fn assert_near(counts: &[usize], expected: &[f64]) {
    for (count, share) in counts.iter().zip(expected) {
        let bound = 5.0 * (10_000.0 * share * (1.0 - share)).sqrt() + 0.5;
        assert!((*count as f64 - share * 10_000.0).abs() < bound, "{counts:?} for {expected:?}");
    }
}

fn weighted(weights: &[u64]) -> Vec<Candidate> {
    let one = |(id, weight): (usize, &u64)| {
        let share = choose::Candidate { weight: *weight, ..choose::Candidate::default() };
        Candidate { share, ..candidate(id) }
    };
    weights.iter().enumerate().map(one).collect()
}

#[test]
fn simple_shuffle_and_sessions_follow_the_weights() {
    let pool = pool(Strategy::Shuffle, weighted(&[6, 3, 1, 0]));
    let tracks = tracks(4);
    assert_near(&shares(&pool, &tracks, &Ask::default()), &[0.6, 0.3, 0.1, 0.0]);
    tracks[0].cool(NOW.after(Duration::from_secs(1)));
    assert_near(&shares(&pool, &tracks, &Ask::default()), &[0.0, 0.75, 0.25, 0.0]);

    let session = |id: usize| {
        let name = format!("session-{id}");
        pool.choose(&tracks, &Ask { session: Some(&name), ..Ask::default() }, NOW, 0).unwrap()
    };
    let away: Vec<usize> = (0..10_000).map(session).collect();
    tracks[0].heal();
    let back: Vec<usize> = (0..10_000).map(session).collect();
    let counts: Vec<usize> = (0..4).map(|at| back.iter().filter(|chosen| **chosen == at).count()).collect();
    assert_near(&counts, &[0.6, 0.3, 0.1, 0.0]);
    assert!(away.iter().zip(&back).all(|(away, back)| away == back || *back == 0), "only its own move");
}

#[test]
fn least_busy_and_usage_take_the_lowest_and_draw_among_equals() {
    let tracks = tracks(3);
    let busy = pool(Strategy::LeastBusy, (0..3).map(candidate).collect());
    let (_, held) = busy.take(&tracks[..1], &Ask::default(), NOW, 0).unwrap();
    assert_near(&shares(&busy, &tracks, &Ask::default()), &[0.0, 0.5, 0.5]);
    held.done(Spent { tokens: 50, ..Spent::default() }, NOW);
    assert_near(&shares(&busy, &tracks, &Ask::default()), &[1.0 / 3.0; 3]);
    let usage = pool("usage-based-routing".parse().unwrap(), (0..3).map(candidate).collect());
    assert_near(&shares(&usage, &tracks, &Ask::default()), &[0.0, 0.5, 0.5]);
}

#[test]
fn latency_knows_tokens_streams_buffer_and_timeouts() {
    let arguments = LatencyArguments { buffer: 0.5, ..LatencyArguments::default() };
    let exact = pool(Strategy::Latency(LatencyArguments::default()), (0..3).map(candidate).collect());
    let buffered = pool(Strategy::Latency(arguments), (0..3).map(candidate).collect());
    let tracks = tracks(3);
    for (at, (millis, output_tokens)) in [(10_000, 100), (1_300, 10), (2_000, 10)].into_iter().enumerate() {
        let (_, ticket) = exact.take(&tracks[at..=at], &Ask::default(), NOW, 0).unwrap();
        ticket.done(Spent { elapsed: Duration::from_millis(millis), tokens: 0, output_tokens }, NOW);
    }
    assert_near(&shares(&exact, &tracks, &Ask::default()), &[1.0, 0.0, 0.0]);
    assert_near(&shares(&buffered, &tracks, &Ask::default()), &[0.5, 0.5, 0.0]);
    for (track, millis) in tracks.iter().zip([900, 500, 100]) {
        let mut ticket = Ticket::take(track, Limits::default(), 0, 10, NOW).unwrap();
        ticket.begun(Duration::from_millis(millis), NOW);
    }
    let stream = Ask { stream: true, ..Ask::default() };
    assert_near(&shares(&exact, &tracks, &stream), &[0.0, 0.0, 1.0]);
    let fault = wire::fault::Fault::new(wire::fault::FaultKind::Timeout, 408, "");
    let failure = super::super::cooldown::Failure {
        fault: &fault,
        retry_after: None,
        alone: false,
        has_fallbacks: false,
        callers_credentials: false,
    };
    let ticket = Ticket::take(&tracks[2], Limits::default(), 0, 10, NOW).unwrap();
    ticket.failed(&failure, &Default::default(), NOW);
    assert_near(&shares(&exact, &tracks, &stream), &[0.0, 1.0, 0.0]);
}

#[test]
fn cost_takes_the_cheapest_within_its_limits() {
    let priced = |id, price, rpm| Candidate {
        price,
        share: choose::Candidate { rpm, ..choose::Candidate::default() },
        ..candidate(id)
    };
    let pool = pool(Strategy::Cost, vec![priced(0, None, 0), priced(1, Some(3), 1), priced(2, Some(5), 0)]);
    let tracks = tracks(3);
    let order: Vec<usize> = (0..2)
        .map(|random| {
            let (index, ticket) = pool.take(&tracks, &Ask::default(), NOW, random).unwrap();
            ticket.done(Spent::default(), NOW);
            index
        })
        .collect();
    assert_eq!(order, [1, 2]);
    let until = NOW.next_minute();
    let reasons = pool.explain(&tracks, &Ask::default(), NOW);
    assert_eq!(reasons, [None, Some(Skipped::Requests { used: 1, allowed: 1, until }), None]);
    assert_eq!(pool.choose(&tracks, &Ask::default(), until, 0), Ok(1));
}

#[test]
fn limits_hold_under_any_strategy_that_is_told_so() {
    let share = choose::Candidate { tpm: 100, ..choose::Candidate::default() };
    let rules = Rules { enforce_limits: true, ..Rules::default() };
    let pool = Pool::new(rules, vec![Candidate { share, max_parallel: Some(2), ..candidate(0) }]);
    let tracks = tracks(1);
    let ask = Ask { tokens: 40, ..Ask::default() };
    let (_, first) = pool.take(&tracks, &ask, NOW, 0).unwrap();
    let (_, second) = pool.take(&tracks, &ask, NOW, 0).unwrap();
    assert_eq!(pool.take(&tracks, &ask, NOW, 0).unwrap_err(), Nobody::Later { at: None });
    first.done(Spent { tokens: 45, ..Spent::default() }, NOW);
    drop(second);
    let reasons = pool.explain(&tracks, &ask, NOW);
    let until = NOW.next_minute();
    assert_eq!(reasons, [Some(Skipped::Tokens { used: 85, asked: 40, allowed: 100, until })]);
    assert_eq!(pool.choose(&tracks, &ask, NOW, 0), Err(Nobody::Later { at: Some(until) }));
    assert_eq!(parallel_limit(None, 0, 10_000, Some(9)), Some(60));
    assert_eq!(parallel_limit(None, 0, 1, Some(9)), Some(1));
    assert_eq!(parallel_limit(None, 7, 1, None), Some(7));
}

fn tagged(tags: &[&[&str]], match_any: bool) -> Pool {
    let one = |(id, tags): (usize, &&[&str])| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        Candidate { tags, ..candidate(id) }
    };
    let rules = Rules { tag_filtering: true, match_any, ..Rules::default() };
    Pool::new(rules, tags.iter().enumerate().map(one).collect())
}

#[test]
fn tags_choose_deployments_and_the_default_takes_the_rest() {
    let open = |pool: &Pool, tags: &[&str], tracks: &[Arc<Track>]| -> Vec<usize> {
        let reasons = pool.explain(tracks, &Ask { tags, ..Ask::default() }, NOW);
        (0..reasons.len()).filter(|at| reasons[*at].is_none()).collect()
    };
    let tracks = tracks(3);
    let any = tagged(&[&["free", "eu"], &["paid", "eu"], &["default"]], true);
    let all = tagged(&[&["free", "eu"], &["paid", "eu"], &["default"]], false);
    let strict = tagged(&[&["free"], &["paid"], &[]], true);
    assert_eq!(open(&any, &["paid", "eu"], &tracks), [0, 1]);
    assert_eq!(open(&all, &["paid", "eu"], &tracks), [1]);
    assert_eq!(open(&all, &["paid", "us"], &tracks), [2]);
    assert_eq!(open(&any, &[], &tracks), [2]);
    assert_eq!(open(&strict, &[], &tracks), [0, 1, 2]);
    let ask = Ask { tags: &["vip"], ..Ask::default() };
    assert_eq!(strict.choose(&tracks, &ask, NOW, 0), Err(Nobody::Tags));
    tracks[1].cool(NOW.after(Duration::from_secs(3)));
    assert_eq!(open(&any, &["paid"], &tracks), [2], "the default stands in for those that rest");
    let later = Nobody::Later { at: Some(NOW.after(Duration::from_secs(3))) };
    assert_eq!(strict.choose(&tracks, &Ask { tags: &["paid"], ..Ask::default() }, NOW, 0), Err(later));
}

#[test]
fn region_and_context_window_are_looked_at_before_the_call() {
    let at = |id, region: &str, max| Candidate {
        region: Some(region.to_owned()),
        max_input_tokens: Some(max),
        ..candidate(id)
    };
    let rules = Rules { pre_call_checks: true, ..Rules::default() };
    let pool = Pool::new(rules, vec![at(0, "eu-west-1", 100), at(1, "europe-west4", 200), candidate(2)]);
    let tracks = tracks(3);
    let ask = Ask { region: Some("EU"), tokens: 150, ..Ask::default() };
    let long = Skipped::ContextWindow { tokens: 150, allowed: 100 };
    assert_eq!(pool.explain(&tracks, &ask, NOW), [Some(long), None, Some(Skipped::Region)]);
    let longer = Ask { tokens: 300, ..ask };
    let nobody = Nobody::ContextWindow { tokens: 300, allowed: 200 };
    assert_eq!(pool.choose(&tracks, &longer, NOW, 0), Err(nobody));
    assert_eq!(
        pool.choose(&tracks, &Ask { region: Some("us"), ..Ask::default() }, NOW, 0),
        Err(Nobody::Region)
    );
}

#[test]
fn orders_tried_ones_and_probes() {
    let at = |id, order| Candidate {
        share: choose::Candidate { order, ..choose::Candidate::default() },
        ..candidate(id)
    };
    let pool = pool(Strategy::LeastBusy, vec![at(0, Some(2)), at(1, Some(1)), at(2, None)]);
    let tracks = tracks(3);
    let pick = |tried: &[usize]| pool.choose(&tracks, &Ask { tried, ..Ask::default() }, NOW, 0);
    assert_eq!([pick(&[]), pick(&[1]), pick(&[0, 1]), pick(&[0, 1, 2])], [Ok(1), Ok(0), Ok(2), Ok(1)]);
    let order = |own| Some(Skipped::Order { own, used: Some(1) });
    assert_eq!(pool.explain(&tracks, &Ask::default(), NOW), [order(Some(2)), None, order(None)]);
    let refused = Ask { refused: &[0, 1, 2], ..Ask::default() };
    assert_eq!(pool.choose(&tracks, &refused, NOW, 0), Err(Nobody::None));

    tracks[1].cool(NOW);
    let (index, probe) = pool.take(&tracks, &Ask::default(), NOW, 0).unwrap();
    assert!(index == 1 && probe.is_probe());
    assert_eq!(pick(&[]), Ok(0), "one call is enough to test");
    assert_eq!(pick(&[0, 2]), Ok(1), "unless nobody else is left");
    drop(probe);
    assert_eq!(pick(&[]), Ok(1));
}

#[test]
fn adaptive_avoids_the_slow_the_failing_and_the_busy() {
    let pool = pool(Strategy::Adaptive, (0..3).map(candidate).collect());
    let tracks = tracks(3);
    assert_near(&shares(&pool, &tracks, &Ask::default()), &[1.0 / 3.0; 3]);
    for (track, millis) in tracks.iter().zip([9_000, 1_000, 1_000]) {
        let ticket = Ticket::take(track, Limits::default(), 0, 10, NOW).unwrap();
        ticket.done(Spent { elapsed: Duration::from_millis(millis), tokens: 0, output_tokens: 10 }, NOW);
    }
    assert_eq!(shares(&pool, &tracks, &Ask::default())[0], 0);
    (0..5).for_each(|_| tracks[1].errors.observe(1.0, NOW, 0.25, 0.15));
    assert!(shares(&pool, &tracks, &Ask::default())[1] < 4_000, "its place is lost to the third");
    assert_eq!(pool.choose(&tracks, &Ask { tried: &[0, 1], ..Ask::default() }, NOW, 0), Ok(2));
}

proptest! {
    #[test]
    fn nobody_who_rests_is_chosen(
        states in prop::collection::vec((0_u8..4, prop::option::of(0_u32..3), 0_u64..4), 1..80),
        strategy in prop::sample::select(vec![
            "simple-shuffle", "least-busy", "usage-based-routing-v2", "latency-based-routing", "cost-based-routing", "adaptive",
        ]),
        random in any::<u64>(),
        session in any::<bool>(),
    ) {
        let tracks = tracks(states.len());
        let mut candidates = Vec::new();
        for (id, (state, order, weight)) in states.iter().enumerate() {
            let share = choose::Candidate { order: *order, weight: *weight, ..choose::Candidate::default() };
            candidates.push(Candidate { share, ..candidate(id) });
            match state {
                0 => tracks[id].cool(NOW.after(Duration::from_secs(1))),
                1 => tracks[id].spend_until(NOW.after(Duration::from_secs(2))),
                _ => {}
            }
        }
        let pool = pool(strategy.parse().unwrap(), candidates);
        let ask = Ask { session: session.then_some("s"), ..Ask::default() };
        let reasons = pool.explain(&tracks, &ask, NOW);
        match pool.choose(&tracks, &ask, NOW, random) {
            Ok(chosen) => prop_assert_eq!(reasons[chosen], None),
            Err(nobody) => {
                prop_assert!(reasons.iter().all(Option::is_some));
                let later = matches!(nobody, Nobody::Later { at: Some(_) });
                prop_assert!(later);
            }
        }
    }
}
