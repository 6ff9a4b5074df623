use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const DAY: u64 = 24 * 60 * MINUTE;
/// 2026-11-25T10:00:00Z.
const NOW: u64 = 1_795_600_800_000;

fn usd(dollars: i64) -> Cost {
    Cost::from_nano(dollars * 1_000_000_000)
}

fn demand(tokens: u64, dollars: i64, at_ms: u64) -> Demand {
    Demand { tokens, cost: usd(dollars), billed: true, at_ms }
}

fn used(tokens: u64, dollars: i64) -> Used {
    Used { tokens, cost: usd(dollars) }
}

fn budget(limit: i64, period: Option<&str>) -> Budget {
    Budget { limit: Some(usd(limit)), soft: None, period: period.map(|text| Period::parse(text).unwrap()) }
}

fn budgets(budgets: &[Budget]) -> Terms {
    Terms { budgets: budgets.into(), ..Terms::default() }
}

/// A meter with its terms in UTC.
struct Account {
    terms: Terms,
    meter: Meter,
    calendar: Calendar,
}

impl Account {
    fn new(terms: Terms) -> Self {
        Self { terms, meter: Meter::default(), calendar: Calendar::default() }
    }

    fn reserve(&mut self, demand: Demand) -> Result<Headroom, Exceeded> {
        self.meter.reserve(&self.terms, &demand, demand.at_ms, &self.calendar)
    }

    fn settle(&mut self, demand: Demand, used: Used, now_ms: u64) -> Vec<SoftCrossed> {
        self.meter.settle(&self.terms, &demand, used, now_ms, &self.calendar)
    }

    fn release(&mut self, demand: Demand, now_ms: u64) {
        self.meter.release(&self.terms, &demand, now_ms, &self.calendar);
    }

    fn charge(&mut self, dollars: i64, at_ms: u64) {
        self.meter.charge(&self.terms, usd(dollars), at_ms, &self.calendar);
    }

    fn tokens_left(&self, now_ms: u64) -> u64 {
        self.meter.headroom(&self.terms, now_ms).tokens.unwrap()
    }
}

#[test]
fn requests_are_counted_in_windows_that_begin_with_a_request() {
    let mut account = Account::new(Terms { requests_per_minute: Some(2), ..Terms::default() });
    let at = |now| demand(0, 0, now);
    let headroom = |requests, resets_at_ms| Headroom {
        requests: Some(requests),
        tokens: None,
        parallel: None,
        resets_at_ms,
    };
    assert_eq!(account.reserve(at(NOW)), Ok(headroom(1, NOW + MINUTE)));
    assert_eq!(account.reserve(at(NOW + 50 * SECOND)), Ok(headroom(0, NOW + MINUTE)));
    let refused = Err(Exceeded::Requests { limit: 2, resets_at_ms: NOW + MINUTE });
    assert_eq!(account.reserve(at(NOW + MINUTE - 1)), refused);
    // The next window begins with this request, not where the last one ended.
    assert_eq!(account.reserve(at(NOW + 100 * SECOND)), Ok(headroom(1, NOW + 160 * SECOND)));
    assert_eq!(account.meter.headroom(&account.terms, NOW + 159 * SECOND), headroom(1, NOW + 160 * SECOND));
    assert_eq!(account.meter.headroom(&account.terms, NOW + 160 * SECOND), headroom(2, NOW + 220 * SECOND));
}

#[test]
fn tokens_are_reserved_and_corrected_to_what_was_used() {
    let mut account = Account::new(Terms { tokens_per_minute: Some(100), ..Terms::default() });
    let first = demand(60, 0, NOW);
    assert_eq!(account.reserve(first).unwrap().tokens, Some(40));
    let second = demand(41, 0, NOW + 1);
    let refused = Exceeded::Tokens { limit: 100, used: 60, asked: 41, resets_at_ms: NOW + MINUTE };
    assert_eq!(account.reserve(second), Err(refused));
    account.settle(first, used(15, 0), NOW + 2);
    assert_eq!(account.tokens_left(NOW + 2), 85);
    // More than was asked for is counted as well.
    account.reserve(second).unwrap();
    account.settle(second, used(90, 0), NOW + 3);
    assert_eq!(account.tokens_left(NOW + 3), 0);
    let none_asked = Exceeded::Tokens { limit: 100, used: 105, asked: 0, resets_at_ms: NOW + MINUTE };
    assert_eq!(account.reserve(demand(0, 0, NOW + 4)), Err(none_asked));
}

#[test]
fn a_correction_in_a_later_window_leaves_that_window_alone() {
    let mut account = Account::new(Terms { tokens_per_minute: Some(100), ..Terms::default() });
    let (short, long) = (demand(50, 0, NOW), demand(50, 0, NOW));
    account.reserve(short).unwrap();
    account.reserve(long).unwrap();
    let later = NOW + MINUTE;
    let next = demand(30, 0, later);
    account.reserve(next).unwrap();
    account.settle(short, used(1, 0), later + 1);
    assert_eq!(account.tokens_left(later + 1), 70, "nothing of the new window is given back");
    account.settle(long, used(999, 0), later + 2);
    assert_eq!(account.tokens_left(later + 2), 70, "nor is it charged for the old one");
    account.release(next, later + 3);
    assert_eq!(account.tokens_left(later + 3), 100);
}

#[test]
fn calls_at_a_time_are_counted_until_they_end() {
    let mut account = Account::new(Terms { parallel: Some(2), ..Terms::default() });
    let calls = [demand(0, 0, NOW), demand(0, 0, NOW)];
    assert_eq!(account.reserve(calls[0]).unwrap().parallel, Some(1));
    account.reserve(calls[1]).unwrap();
    assert_eq!(account.reserve(demand(0, 0, NOW + DAY)), Err(Exceeded::Parallel { limit: 2 }));
    account.settle(calls[0], used(0, 0), NOW + DAY);
    account.reserve(demand(0, 0, NOW + DAY)).unwrap();
    account.release(calls[1], NOW + DAY);
    assert_eq!(account.reserve(demand(0, 0, NOW + DAY)).unwrap().parallel, Some(0));
}

#[test]
fn calls_at_the_same_time_cannot_overshoot_a_budget_together() {
    let mut account = Account::new(budgets(&[budget(10, None)]));
    let (first, second) = (demand(0, 6, NOW), demand(0, 5, NOW));
    account.reserve(first).unwrap();
    let over = Exceeded::Budget {
        index: 0,
        spent: usd(0),
        reserved: usd(6),
        asked: usd(5),
        limit: usd(10),
        period: None,
        resets_at_ms: None,
    };
    assert_eq!(account.reserve(second), Err(over));
    account.settle(first, used(0, 5), NOW);
    account.reserve(second).unwrap();
    account.settle(second, used(0, 5), NOW);
    assert_eq!(account.meter.spent(0, NOW), (usd(10), None));
    let spent = Exceeded::Budget {
        index: 0,
        spent: usd(10),
        reserved: usd(0),
        asked: usd(0),
        limit: usd(10),
        period: None,
        resets_at_ms: None,
    };
    assert_eq!(account.reserve(demand(0, 0, NOW + 1_000 * DAY)), Err(spent), "what is spent stays spent");
}

#[test]
fn nothing_allowed_refuses_the_first_call() {
    let none = |index| match index {
        0 => Terms { requests_per_minute: Some(0), ..Terms::default() },
        1 => Terms { tokens_per_minute: Some(0), ..Terms::default() },
        2 => Terms { parallel: Some(0), ..Terms::default() },
        _ => budgets(&[budget(0, Some("1d"))]),
    };
    for index in 0..4 {
        assert!(Account::new(none(index)).reserve(demand(0, 0, NOW)).is_err(), "{index}");
    }
}

#[test]
fn a_free_model_asks_no_budget_but_counts_as_a_request() {
    let mut account = Account::new(Terms { requests_per_minute: Some(1), ..budgets(&[budget(0, None)]) });
    let free = Demand { billed: false, ..demand(5, 7, NOW) };
    assert_eq!(account.reserve(free).unwrap().requests, Some(0));
    account.settle(free, used(5, 0), NOW);
    assert_eq!(account.meter.spent(0, NOW), (usd(0), None));
    assert!(matches!(account.reserve(free), Err(Exceeded::Requests { .. })));
}

#[test]
fn a_refused_call_counts_nowhere() {
    let mut account = Account::new(Terms {
        requests_per_minute: Some(5),
        tokens_per_minute: Some(100),
        parallel: Some(1),
        budgets: [budget(10, None)].into(),
    });
    let running = demand(10, 1, NOW);
    let before = account.reserve(running).unwrap();
    for refused in [demand(91, 1, NOW), demand(1, 10, NOW), demand(1, 1, NOW)] {
        account.reserve(refused).unwrap_err();
        assert_eq!(account.meter.headroom(&account.terms, NOW), before);
    }
    account.release(running, NOW);
    assert_eq!(account.reserve(demand(100, 10, NOW)).unwrap().requests, Some(3));
    // It does not begin a window either.
    let mut account = Account::new(Terms { tokens_per_minute: Some(5), ..Terms::default() });
    account.reserve(demand(6, 0, NOW)).unwrap_err();
    assert_eq!(account.reserve(demand(5, 0, NOW + SECOND)).unwrap().resets_at_ms, NOW + SECOND + MINUTE);
}

#[test]
fn a_released_call_is_as_if_it_had_not_been_except_for_the_request() {
    let mut account = Account::new(Terms {
        requests_per_minute: Some(5),
        tokens_per_minute: Some(100),
        parallel: Some(1),
        budgets: [budget(10, None)].into(),
    });
    let call = demand(100, 10, NOW);
    account.reserve(call).unwrap();
    account.release(call, NOW + 1);
    let expected =
        Headroom { requests: Some(4), tokens: Some(100), parallel: Some(1), resets_at_ms: NOW + MINUTE };
    assert_eq!(account.meter.headroom(&account.terms, NOW + 1), expected);
    account.reserve(Demand { at_ms: NOW + 1, ..call }).unwrap();
}

#[test]
fn a_period_begins_anew_by_itself_and_keeps_what_is_reserved() {
    let mut account = Account::new(budgets(&[budget(10, Some("1d")), budget(100, None)]));
    let midnight = NOW + 14 * 60 * MINUTE;
    let (before, across) = (demand(0, 9, NOW), demand(0, 7, NOW));
    account.reserve(before).unwrap();
    account.settle(before, used(0, 2), NOW);
    account.reserve(across).unwrap();
    assert_eq!(account.meter.spent(0, NOW), (usd(2), Some(midnight)));
    assert_eq!(account.meter.spent(0, midnight), (usd(0), None), "it ended, and nobody has begun the next");
    let refused = account.reserve(demand(0, 4, midnight)).unwrap_err();
    assert!(matches!(refused, Exceeded::Budget { index: 0, spent, reserved, resets_at_ms, .. }
        if spent == usd(0) && reserved == usd(7) && resets_at_ms == Some(midnight + DAY)));
    account.settle(across, used(0, 6), midnight);
    assert_eq!(account.meter.spent(0, midnight), (usd(6), Some(midnight + DAY)), "charged where it ended");
    assert_eq!(account.meter.spent(1, midnight), (usd(8), None), "the other budget never ends");
    account.reserve(demand(0, 4, midnight)).unwrap();
}

#[test]
fn the_budget_that_is_exceeded_is_named() {
    let mut account = Account::new(budgets(&[budget(10, Some("1d")), budget(3, Some("1h"))]));
    let refused = account.reserve(demand(0, 4, NOW)).unwrap_err();
    assert!(matches!(refused, Exceeded::Budget { index: 1, period: Some(period), resets_at_ms, .. }
        if period.to_string() == "1h" && resets_at_ms == Some(NOW + 60 * MINUTE)));
    assert_eq!(refused.to_string(), "4 USD beside 0 spent and 0 reserved exceed the budget of 3");
}

#[test]
fn a_soft_budget_is_told_once_a_period() {
    let soft = Budget { soft: Some(usd(5)), ..budget(10, Some("1d")) };
    let mut account = Account::new(budgets(&[soft]));
    let mut spend = |dollars, now| {
        let call = demand(0, dollars, now);
        account.reserve(call).unwrap();
        account.settle(call, used(0, dollars), now)
    };
    let midnight = NOW + 14 * 60 * MINUTE;
    assert_eq!(spend(4, NOW), []);
    let crossed = |spent, resets_at_ms| SoftCrossed {
        index: 0,
        spent: usd(spent),
        soft: usd(5),
        limit: Some(usd(10)),
        resets_at_ms: Some(resets_at_ms),
    };
    assert_eq!(spend(1, NOW), [crossed(5, midnight)]);
    assert_eq!(spend(2, NOW), []);
    assert_eq!(spend(6, midnight), [crossed(6, midnight + DAY)]);
}

#[test]
fn what_was_stored_is_taken_up_and_ends_when_it_was_to_end() {
    let mut account =
        Account::new(budgets(&[budget(10, Some("1d")), budget(10, Some("1d")), budget(10, None)]));
    account.meter.restore(&account.terms, 0, usd(9), Some(NOW + 5));
    account.meter.restore(&account.terms, 1, usd(8), None);
    account.meter.restore(&account.terms, 2, usd(7), None);
    account.meter.restore(&account.terms, 3, usd(6), None);
    assert_eq!(account.meter.spent(0, NOW), (usd(9), Some(NOW + 5)));
    assert_eq!(account.meter.spent(1, NOW), (usd(8), None));
    account.reserve(demand(0, 1, NOW)).unwrap();
    assert_eq!(account.meter.spent(1, NOW), (usd(8), Some(NOW + 14 * 60 * MINUTE)));
    assert_eq!(account.meter.spent(2, NOW), (usd(7), None));
    assert_eq!(account.meter.spent(3, NOW), (usd(0), None), "there is no such budget");
    account.charge(0, NOW + 5);
    assert_eq!(account.meter.spent(0, NOW + 5), (usd(0), Some(NOW + 14 * 60 * MINUTE)));
}

#[test]
fn replayed_charges_count_in_the_period_of_their_date() {
    let mut account = Account::new(budgets(&[budget(10, Some("1d")), budget(10, None)]));
    account.charge(1, NOW - DAY);
    account.charge(2, NOW);
    account.charge(4, NOW);
    account.charge(1, NOW - DAY);
    assert_eq!(account.meter.spent(0, NOW).0, usd(6), "only today's");
    assert_eq!(account.meter.spent(1, NOW).0, usd(8));
    account.charge(-2, NOW);
    assert_eq!(account.meter.spent(0, NOW).0, usd(4), "a correction");
}

#[test]
fn limits_may_change_while_calls_are_under_way() {
    let mut account = Account::new(Terms::default());
    let call = demand(30, 3, NOW);
    account.reserve(call).unwrap();
    account.terms = Terms {
        tokens_per_minute: Some(100),
        parallel: Some(1),
        ..budgets(&[budget(5, None), budget(50, None)])
    };
    assert_eq!(account.tokens_left(NOW), 70);
    assert!(matches!(account.reserve(demand(0, 3, NOW)), Err(Exceeded::Budget { .. })));
    assert_eq!(account.reserve(demand(0, 2, NOW)), Err(Exceeded::Parallel { limit: 1 }));
    account.settle(call, used(20, 1), NOW);
    assert_eq!((account.tokens_left(NOW), account.meter.spent(1, NOW).0), (80, usd(1)));
    account.terms = budgets(&[budget(5, None)]);
    account.charge(1, NOW);
    account.terms = budgets(&[budget(5, None), budget(50, None)]);
    assert_eq!((account.meter.spent(0, NOW).0, account.meter.spent(1, NOW).0), (usd(2), usd(1)));
}

#[test]
fn a_clock_put_back_neither_frees_limits_nor_locks_out() {
    let limits = Terms { requests_per_minute: Some(2), tokens_per_minute: Some(100), ..Terms::default() };
    let mut account = Account::new(limits);
    let early = demand(60, 0, NOW);
    account.reserve(early).unwrap();
    let back = NOW - 10 * DAY;
    let late = demand(40, 0, back);
    assert_eq!(account.reserve(late).unwrap().resets_at_ms, back + MINUTE);
    assert_eq!(
        account.reserve(demand(0, 0, back + MINUTE - 1)).unwrap_err(),
        Exceeded::Requests { limit: 2, resets_at_ms: back + MINUTE }
    );
    account.reserve(demand(90, 0, back + MINUTE)).unwrap();
    account.settle(early, used(0, 0), back + MINUTE);
    account.settle(late, used(0, 0), back + MINUTE);
    assert_eq!(account.tokens_left(back + MINUTE), 10, "both reservations were in the earlier window");

    let mut account = Account::new(budgets(&[budget(10, Some("1d"))]));
    let call = demand(0, 10, NOW);
    account.reserve(call).unwrap();
    account.settle(call, used(0, 10), NOW);
    assert!(account.reserve(demand(0, 1, back)).is_err());
}

#[test]
fn extremes_saturate() {
    let almost_everything = Cost::from_nano(i64::MAX - 1);
    let monthly = Period::parse("1mo").unwrap();
    let mut account = Account::new(Terms {
        requests_per_minute: Some(u64::MAX),
        tokens_per_minute: Some(u64::MAX),
        parallel: Some(u64::MAX),
        budgets: [Budget { limit: Some(almost_everything), soft: Some(Cost::MAX), period: Some(monthly) }]
            .into(),
    });
    let huge = Demand { tokens: u64::MAX, cost: almost_everything, billed: true, at_ms: u64::MAX };
    account.reserve(huge).unwrap();
    assert!(matches!(account.reserve(huge), Err(Exceeded::Budget { .. })));
    let all = Used { tokens: u64::MAX, cost: Cost::MAX };
    assert_eq!(account.settle(huge, all, u64::MAX).len(), 1);
    account.settle(huge, all, 0);
    account.release(huge, 0);
    assert_eq!(account.meter.spent(0, 0).0, Cost::MAX);
    assert!(account.reserve(Demand { billed: true, ..Demand::default() }).is_err());
}

#[test]
fn a_meter_is_small() {
    assert!(size_of::<Meter>() <= 72, "{} bytes for every account without limits", size_of::<Meter>());
}

/// One step of the machine that the properties run.
#[derive(Clone, Debug)]
enum Step {
    Reserve {
        tokens: u64,
        dollars: i64,
        billed: bool,
    },
    /// Of the call under way at this index, so many percent of what it asked for.
    Settle {
        call: usize,
        percent: u64,
    },
    Release {
        call: usize,
    },
    Wait {
        ms: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u64..40, 0_i64..6, prop::bool::weighted(0.9))
            .prop_map(|(tokens, dollars, billed)| Step::Reserve { tokens, dollars, billed }),
        3 => (any::<usize>(), 0_u64..=100).prop_map(|(call, percent)| Step::Settle { call, percent }),
        1 => any::<usize>().prop_map(|call| Step::Release { call }),
        2 => prop_oneof![0_u64..5_000, 20_000_u64..70_000, 0_u64..2 * DAY].prop_map(|ms| Step::Wait { ms }),
    ];
    prop::collection::vec(step, 1..120)
}

/// What a straightforward bookkeeper would note of one window.
#[derive(Default)]
struct Noted {
    began_ms: u64,
    requests: u64,
    /// Each call admitted in it, by number, with what it holds.
    tokens: std::collections::HashMap<usize, u64>,
}

proptest! {
    #[test]
    fn no_interleaving_exceeds_a_limit(steps in steps()) {
        let terms = Terms {
            requests_per_minute: Some(6),
            tokens_per_minute: Some(100),
            parallel: Some(4),
            budgets: [budget(20, Some("1h")), budget(30, Some("1d")), budget(60, None)].into(),
        };
        let mut account = Account::new(terms);
        let (mut now, mut under_way, mut admitted) = (NOW, Vec::<(usize, Demand)>::new(), 0_usize);
        let mut noted = Noted::default();
        for step in steps {
            match step {
                Step::Wait { ms } => now += ms,
                Step::Reserve { tokens, dollars, billed } => {
                    let call = Demand { billed, ..demand(tokens, dollars, now) };
                    if noted.requests > 0 && now >= noted.began_ms + MINUTE {
                        noted = Noted::default();
                    }
                    let held: u64 = noted.tokens.values().sum();
                    match account.reserve(call) {
                        Ok(headroom) => {
                            if noted.requests == 0 {
                                noted.began_ms = now;
                            }
                            noted.requests += 1;
                            noted.tokens.insert(admitted, tokens);
                            under_way.push((admitted, call));
                            admitted += 1;
                            prop_assert_eq!(headroom.requests, Some(6 - noted.requests));
                            prop_assert_eq!(headroom.tokens, Some(100 - held - tokens));
                            prop_assert_eq!(headroom.resets_at_ms, noted.began_ms + MINUTE);
                        }
                        // Nobody is refused without need.
                        Err(Exceeded::Requests { .. }) => prop_assert_eq!(noted.requests, 6),
                        Err(Exceeded::Tokens { used, .. }) => {
                            prop_assert_eq!(used, held);
                            prop_assert!(held == 100 || held + tokens > 100);
                        }
                        Err(Exceeded::Parallel { .. }) => prop_assert_eq!(under_way.len(), 4),
                        Err(Exceeded::Budget { index, spent, reserved, limit, .. }) => {
                            prop_assert!(billed);
                            prop_assert_eq!(spent, account.meter.spent(index, now).0);
                            prop_assert_eq!(limit, usd([20, 30, 60][index]));
                            prop_assert!(spent == limit || spent.saturating_add(reserved).saturating_add(usd(dollars)) > limit);
                        }
                    }
                }
                Step::Settle { call, percent } if !under_way.is_empty() => {
                    let (number, call) = under_way.swap_remove(call % under_way.len());
                    let cost = if call.billed { call.cost.nano() * percent as i64 / 100 } else { 0 };
                    let used = Used { tokens: call.tokens * percent / 100, cost: Cost::from_nano(cost) };
                    account.settle(call, used, now);
                    noted.tokens.entry(number).and_modify(|held| *held = used.tokens);
                }
                Step::Release { call } if !under_way.is_empty() => {
                    let (number, call) = under_way.swap_remove(call % under_way.len());
                    account.release(call, now);
                    noted.tokens.remove(&number);
                }
                Step::Settle { .. } | Step::Release { .. } => {}
            }
            prop_assert!(under_way.len() <= 4);
            prop_assert_eq!(account.meter.in_flight, under_way.len() as u64);
            let reserved: Cost = under_way.iter().filter(|(_, call)| call.billed).map(|(_, call)| call.cost).sum();
            prop_assert_eq!(account.meter.reserved, reserved);
            for (index, limit) in [20, 30, 60].into_iter().enumerate() {
                prop_assert!(account.meter.spent(index, now).0.saturating_add(reserved) <= usd(limit));
            }
        }
        for (_, call) in under_way {
            account.settle(call, used(0, 0), now);
        }
        prop_assert_eq!((account.meter.in_flight, account.meter.reserved), (0, Cost::ZERO));
    }

    #[test]
    fn a_clock_that_jumps_within_a_window_frees_nothing(times in prop::collection::vec(0..MINUTE, 1..40)) {
        let limits = Terms { requests_per_minute: Some(5), ..budgets(&[budget(7, Some("1d"))]) };
        let mut account = Account::new(limits);
        account.reserve(demand(0, 1, NOW)).unwrap();
        let admitted = times.iter().filter(|ms| account.reserve(demand(0, 1, NOW - MINUTE + **ms)).is_ok()).count();
        prop_assert_eq!(admitted, times.len().min(4));
        prop_assert!(account.meter.reserved <= usd(7));
    }

    #[test]
    fn a_clock_that_goes_anywhere_does_no_harm(times in prop::collection::vec(any::<u64>(), 1..40)) {
        let limits = Terms { requests_per_minute: Some(5), tokens_per_minute: Some(50), ..budgets(&[budget(7, Some("1h"))]) };
        let mut account = Account::new(limits);
        for now in times {
            let call = demand(10, 1, now);
            if account.reserve(call).is_ok() {
                account.settle(call, used(10, 1), now / 2);
            }
            prop_assert!(account.meter.spent(0, now).0 <= usd(7));
        }
        prop_assert_eq!((account.meter.in_flight, account.meter.reserved), (0, Cost::ZERO));
    }
}
