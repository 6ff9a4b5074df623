use proptest::prelude::*;

use super::*;

fn fault(kind: FaultKind, status: u16) -> Fault {
    Fault { kind, status, message: String::new(), code: None, param: None }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn only_what_may_pass_is_tried_again() {
    for (kind, status, alone, elsewhere) in [
        (FaultKind::Timeout, 408, true, true),
        (FaultKind::Timeout, 504, true, true),
        (FaultKind::BadRequest, 409, true, true),
        (FaultKind::Other, 409, true, true),
        (FaultKind::RateLimit, 429, true, true),
        (FaultKind::Internal, 500, true, true),
        (FaultKind::BadGateway, 502, true, true),
        (FaultKind::Unavailable, 529, true, true),
        (FaultKind::Other, 520, true, true),
        (FaultKind::Connection, 500, true, true),
        (FaultKind::Malformed, 200, true, true),
        (FaultKind::Authentication, 401, false, true),
        (FaultKind::PermissionDenied, 403, false, true),
        (FaultKind::BadRequest, 400, false, false),
        (FaultKind::BadRequest, 413, false, false),
        (FaultKind::BadRequest, 425, false, false),
        (FaultKind::ContextWindow, 400, false, false),
        (FaultKind::ContentPolicy, 400, false, false),
        (FaultKind::PaymentRequired, 402, false, false),
        (FaultKind::NotFound, 404, false, false),
        (FaultKind::Unprocessable, 422, false, false),
        (FaultKind::Other, 302, false, false),
    ] {
        for (other, expected) in [(false, alone), (true, elsewhere)] {
            let attempt = Attempt { allowed: 1, elsewhere: other, ..Attempt::default() };
            assert_eq!(
                after(&fault(kind, status), attempt) != Next::Stop,
                expected,
                "{kind:?} {status} {other}"
            );
        }
    }
}

#[test]
fn pauses_double_up_to_eight_seconds_and_the_last_failure_is_not_waited_for() {
    let limited = fault(FaultKind::RateLimit, 429);
    let step = |made| after(&limited, Attempt { made, allowed: 7, ..Attempt::default() });
    for (made, pause) in [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0].into_iter().enumerate() {
        assert_eq!(step(made as u32), Next::Again { delay: seconds(pause) });
    }
    assert_eq!(step(7), Next::Stop);
    assert_eq!(after(&limited, Attempt::default()), Next::Stop);
}

#[test]
fn the_provider_is_obeyed_within_reason() {
    for (wish, pause) in [(7.0, 7.0), (60.0, 60.0), (0.1, 0.1), (0.0, 0.5), (60.1, 0.5), (1e9, 0.5)] {
        let attempt = Attempt { allowed: 1, retry_after: Some(seconds(wish)), ..Attempt::default() };
        assert_eq!(after(&fault(FaultKind::RateLimit, 429), attempt), Next::Again { delay: seconds(pause) });
    }
}

#[test]
fn another_deployment_is_tried_at_once() {
    let attempt =
        Attempt { allowed: 1, elsewhere: true, retry_after: Some(seconds(30.0)), ..Attempt::default() };
    assert_eq!(after(&fault(FaultKind::RateLimit, 429), attempt), Next::Again { delay: Duration::ZERO });
}

#[test]
fn the_first_that_says_how_often_is_heard() {
    let policy =
        PerClass::read([("TimeoutErrorRetries", 4), ("BadRequestErrorRetries", 1)], "Retries").unwrap();
    let group = PerClass::read([("DefaultRetries", 7)], "Retries").unwrap();
    let all = Allowances {
        request: Some(0),
        group_policy: Some(&group),
        policy: Some(&policy),
        deployment: Some(5),
        router: 2,
    };
    assert_eq!(all.of(Class::Timeout), (0, false));
    let all = Allowances { request: None, ..all };
    assert_eq!(all.of(Class::Timeout), (7, true));
    let all = Allowances { group_policy: None, ..all };
    assert_eq!((all.of(Class::Timeout), all.of(Class::RateLimit)), ((4, true), (5, false)));
    assert_eq!(Allowances { router: 2, ..Allowances::default() }.of(Class::Timeout), (2, false));
}

#[test]
fn a_class_the_policy_names_is_tried_again_and_pauses_have_a_least_length() {
    let attempt = Attempt { allowed: 1, named: true, least: seconds(3.0), ..Attempt::default() };
    assert_eq!(after(&fault(FaultKind::BadRequest, 400), attempt), Next::Again { delay: seconds(3.0) });
    let asked = Attempt { retry_after: Some(seconds(1.0)), ..attempt };
    assert_eq!(after(&fault(FaultKind::RateLimit, 429), asked), Next::Again { delay: seconds(1.0) });
}

proptest! {
    #[test]
    fn retries_never_exceed_their_bound(allowed in 0_u32..9, elsewhere in any::<bool>(), random in any::<u64>()) {
        let broken = fault(FaultKind::Unavailable, 503);
        let mut made = 0;
        while after(&broken, Attempt { made, allowed, elsewhere, random, ..Attempt::default() }) != Next::Stop {
            made += 1;
            prop_assert!(made <= allowed);
        }
        prop_assert_eq!(made, allowed);
    }

    #[test]
    fn jitter_adds_less_than_a_quarter(made in any::<u32>(), random in any::<u64>(), wish in 0_u64..200) {
        let retry_after = Some(Duration::from_secs(wish));
        let calm = Attempt { made, allowed: u32::MAX, retry_after, ..Attempt::default() };
        let broken = fault(FaultKind::Connection, 500);
        if let Next::Again { delay: base } = after(&broken, calm) {
            let Next::Again { delay } = after(&broken, Attempt { random, ..calm }) else { panic!("stopped") };
            prop_assert!(base <= delay && delay <= base + base / 4);
        }
    }
}
