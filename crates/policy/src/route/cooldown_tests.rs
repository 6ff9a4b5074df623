use std::sync::Arc;

use proptest::prelude::*;

use super::super::ticket::{Limits, Spent, Ticket};
use super::*;

fn at(seconds: u64) -> Moment {
    // The start of a minute.
    Moment::from_millis(1_764_000_000_000 + seconds * 1_000)
}

fn fault(status: u16) -> Fault {
    let kind = match status {
        401 => FaultKind::Authentication,
        402 => FaultKind::PaymentRequired,
        404 => FaultKind::NotFound,
        408 => FaultKind::Timeout,
        429 => FaultKind::RateLimit,
        500.. => FaultKind::Internal,
        _ => FaultKind::BadRequest,
    };
    Fault::new(kind, status, "")
}

fn failure(fault: &Fault) -> Failure<'_> {
    Failure { fault, retry_after: None, alone: false, has_fallbacks: false, callers_credentials: false }
}

fn take(track: &Arc<Track>, now: Moment) -> Ticket {
    Ticket::take(track, Limits::default(), 0, 10, now).unwrap()
}

/// The first failure, from 1, that cools; 0 if none of `most` does.
fn cools_at(policy: &CooldownPolicy, status: u16, alone: bool, most: usize) -> usize {
    let (track, fault) = (Arc::new(Track::default()), fault(status));
    let failed = |_: &usize| {
        take(&track, at(1)).failed(&Failure { alone, ..failure(&fault) }, policy, at(1)).is_some()
    };
    (1..=most).find(failed).unwrap_or(0)
}

#[test]
fn rules_without_configuration() {
    let policy = CooldownPolicy::default();
    for (status, among_others, alone) in [
        (429, 1, 1_000),
        (401, 1, 1),
        (404, 1, 1),
        (402, 1, 1_000),
        (408, 5, 1_000),
        (500, 5, 1_000),
        (503, 5, 1_000),
        (400, 0, 0),
        (403, 0, 0),
        (422, 0, 0),
    ] {
        assert_eq!(cools_at(&policy, status, false, 1_001), among_others, "{status} among others");
        assert_eq!(cools_at(&policy, status, true, 1_001), alone, "{status} alone");
    }
    let off = CooldownPolicy { disabled: true, ..CooldownPolicy::default() };
    let zero = CooldownPolicy { own_time: Some(Duration::ZERO), ..policy };
    assert_eq!([off, zero].map(|policy| cools_at(&policy, 401, false, 20)), [0, 0]);
}

#[test]
fn more_than_half_of_the_minute() {
    let (track, policy, broken) = (Arc::new(Track::default()), CooldownPolicy::default(), fault(500));
    for _ in 0..4 {
        take(&track, at(1)).done(Spent::default(), at(1));
    }
    let fail = |second| take(&track, at(second)).failed(&failure(&broken), &policy, at(second));
    assert_eq!([fail(2), fail(2), fail(2), fail(2)], [None; 4], "half is not more than half");
    assert_eq!(fail(2), Some(at(7)));
    let track = Arc::new(Track::default());
    let fail = |second| take(&track, at(second)).failed(&failure(&broken), &policy, at(second));
    assert_eq!([1, 2, 3, 59, 60, 61].map(fail), [None; 6], "a new minute begins at nothing");
}

#[test]
fn allowed_fails_count_within_the_cooldown_time() {
    let policy = CooldownPolicy { allowed_fails: Some(1), ..CooldownPolicy::default() };
    assert_eq!(cools_at(&policy, 500, false, 9), 2);
    assert_eq!(cools_at(&policy, 429, false, 9), 2, "the immediate rules are not in force");
    assert_eq!(cools_at(&policy, 500, true, 9), 0, "a lone deployment without fallbacks is spared");
    let (track, broken) = (Arc::new(Track::default()), fault(500));
    let fail = |second| take(&track, at(second)).failed(&failure(&broken), &policy, at(second)).is_some();
    assert_eq!([0, 5, 10, 11].map(fail), [false, false, false, true]);

    let by_class = PerClass::read([("BadRequestErrorAllowedFails", 0)], "AllowedFails").unwrap();
    let policy = CooldownPolicy { allowed_by_class: by_class, ..CooldownPolicy::default() };
    assert_eq!(cools_at(&policy, 400, true, 9), 1, "a class that is named counts, even alone");
    assert_eq!(cools_at(&policy, 500, false, 9), 4, "the others have LiteLLM's three");
}

#[test]
fn how_long() {
    let own = CooldownPolicy { own_time: Some(Duration::from_secs(9)), ..CooldownPolicy::default() };
    let router = CooldownPolicy::default();
    let wish = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(own.duration(wish(60)), wish(9));
    assert_eq!(router.duration(wish(60)), wish(60));
    assert_eq!(router.duration(None), wish(5));
    assert_eq!(router.duration(wish(0)), None, "the provider wants to be asked again at once");
    assert_eq!(router.duration(wish(u64::MAX)), wish(3_600));
}

#[test]
fn a_later_end_is_kept_and_one_call_tests() {
    let (track, policy) = (Arc::new(Track::default()), CooldownPolicy::default());
    let (limited, broken) = (fault(429), fault(500));
    let early = take(&track, at(0));
    let long = Failure { retry_after: Some(Duration::from_secs(30)), ..failure(&limited) };
    assert_eq!(take(&track, at(0)).failed(&long, &policy, at(0)), Some(at(30)));
    assert_eq!(take(&track, at(1)).failed(&failure(&limited), &policy, at(1)), Some(at(30)));
    early.done(Spent::default(), at(2));
    assert_eq!(track.cool_until(), Some(at(30)), "the answer to an earlier call says nothing");

    let probe = take(&track, at(30));
    assert!(probe.is_probe() && track.is_probed(at(30)) && !take(&track, at(30)).is_probe());
    assert_eq!(probe.failed(&failure(&broken), &policy, at(31)), Some(at(36)), "one failure is enough");

    drop(take(&track, at(36)));
    assert!(track.is_half_open(at(36)) && !track.is_probed(at(36)), "a client that left tells nothing");
    let silent = take(&track, at(40));
    assert!(silent.is_probe() && !track.is_probed(at(70)), "a silent probe is not waited for");
    take(&track, at(70)).done(Spent::default(), at(71));
    assert_eq!((track.cool_until(), track.in_flight()), (None, 1));
}

#[test]
fn callers_own_credentials_are_no_fault_of_the_deployment() {
    let (track, fault) = (Arc::new(Track::default()), fault(401));
    let failure = Failure { callers_credentials: true, ..failure(&fault) };
    assert_eq!(take(&track, at(0)).failed(&failure, &CooldownPolicy::default(), at(0)), None);
    assert_eq!(track.outcomes(at(0)), (0, 0));
}

proptest! {
    #[test]
    fn a_cooldown_never_gets_shorter(steps in prop::collection::vec((0_u64..50, 0_u64..100, any::<bool>()), 1..60)) {
        let (track, policy, limited) = (Arc::new(Track::default()), CooldownPolicy::default(), fault(429));
        let (mut now, mut end) = (0, at(0));
        for (pause, wish, good) in steps {
            now += pause;
            let ticket = take(&track, at(now));
            if good {
                ticket.done(Spent::default(), at(now));
            } else {
                let failure = Failure { retry_after: Some(Duration::from_secs(wish)), ..failure(&limited) };
                end = ticket.failed(&failure, &policy, at(now)).unwrap_or(end).max(end);
            }
            if end > at(now) {
                prop_assert_eq!(track.cool_until(), Some(end));
            }
            prop_assert_eq!(track.in_flight(), 0);
        }
    }
}
