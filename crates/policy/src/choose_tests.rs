use proptest::prelude::*;

use super::*;

fn weighted(weight: u64) -> Candidate {
    Candidate { weight, ..Candidate::default() }
}

/// How often each candidate is chosen over evenly spread random numbers.
fn shares(candidates: &[Candidate], open: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut counts = vec![0; candidates.len()];
    for step in 0..1_000_u64 {
        counts[choose(candidates, &open, step * (u64::MAX / 1_000)).unwrap()] += 1;
    }
    counts
}

#[test]
fn weight_then_rpm_then_tpm_then_equal() {
    let limited = |rpm, tpm| Candidate { rpm, tpm, ..Candidate::default() };
    for (candidates, expected) in [
        (vec![weighted(9), weighted(1)], [900, 100]),
        (
            vec![
                Candidate { rpm: 1, ..weighted(weight(0.25)) },
                Candidate { rpm: 9, ..weighted(weight(0.75)) },
            ],
            [250, 750],
        ),
        (vec![limited(200, 1), limited(800, 99)], [200, 800]),
        (vec![limited(0, 300), limited(0, 700)], [300, 700]),
        (vec![Candidate::default(); 2], [500, 500]),
        (vec![weighted(1), Candidate::default()], [1_000, 0]),
        (vec![Candidate { tpm: 5, ..Candidate::default() }, limited(1, 0)], [0, 1_000]),
    ] {
        let counts = shares(&candidates, |_| true);
        assert!(
            counts.iter().zip(expected).all(|(had, want)| had.abs_diff(want) <= 2),
            "{candidates:?}: {counts:?}"
        );
    }
}

#[test]
fn tried_candidates_are_left_out_and_the_rest_share_anew() {
    let candidates = [weighted(8), weighted(1), weighted(1)];
    let counts = shares(&candidates, |index| index != 0);
    assert!(counts[0] == 0 && counts[1].abs_diff(500) <= 2, "{counts:?}");
    assert_eq!(choose(&candidates, |_| false, 7), None);
    assert_eq!(choose(&[], |_| true, 7), None);
    let spare = [weighted(1), Candidate::default()];
    assert_eq!(choose(&spare, |index| index == 1, 7), Some(1), "a spare is used when it alone is left");
}

#[test]
fn lower_orders_come_first() {
    let at = |order| Candidate { order, ..weighted(1) };
    let candidates = [at(Some(2)), at(None), at(Some(1)), at(Some(1))];
    assert_eq!(shares(&candidates, |_| true)[..2], [0, 0]);
    assert_eq!(shares(&candidates, |index| index < 2), [1_000, 0, 0, 0]);
    assert_eq!(shares(&candidates, |index| index == 1), [0, 1_000, 0, 0]);
}

#[test]
fn odd_weights_weigh_nothing() {
    assert_eq!([f64::NAN, -1.0, 0.0].map(weight), [0, 0, 0]);
    assert_eq!(weight(1.5), 1_500_000);
    assert_eq!(choose(&[weighted(u64::MAX), weighted(weight(f64::INFINITY))], |_| true, u64::MAX), Some(1));
}

proptest! {
    #[test]
    fn the_choice_is_open_and_has_a_share(
        weights in prop::collection::vec(any::<u64>(), 1..20),
        closed in any::<u32>(),
        random in any::<u64>(),
    ) {
        let candidates: Vec<Candidate> = weights.into_iter().map(weighted).collect();
        let open = |index: usize| closed >> index & 1 == 0;
        match choose(&candidates, open, random) {
            Some(chosen) => {
                prop_assert!(open(chosen));
                let others = (0..candidates.len()).any(|index| open(index) && candidates[index].weight > 0);
                prop_assert!(!others || candidates[chosen].weight > 0);
            }
            None => prop_assert!((0..candidates.len()).all(|index| !open(index))),
        }
    }
}
