use super::*;

#[test]
fn a_call_is_slow_after_the_percentile_of_its_deployment() {
    let (track, now) = (Track::default(), Moment::from_millis(1_764_000_000_000));
    let hedging = Hedging::default();
    assert_eq!(hedging.delay(&track, false, now), None);
    for sample in 1..=20_u8 {
        track.durations.add(f32::from(sample), 10, now);
    }
    assert_eq!(hedging.delay(&track, false, now), Some(Duration::from_secs(19)));
    assert_eq!(hedging.delay(&track, true, now), None, "streams are measured by their own");
    assert_eq!(hedging.delay(&track, false, now.after(Duration::from_secs(601))), None);
    let patient = Hedging { least: Duration::from_secs(30), ..hedging };
    assert_eq!(patient.delay(&track, false, now), Some(Duration::from_secs(30)));
}

#[test]
fn one_call_in_twenty_is_hedged_at_most() {
    let (hedging, purse) = (Hedging::default(), Purse::default());
    let mut hedged = 0;
    for _ in 0..1_000 {
        hedging.earn(&purse);
        hedged += u32::from(purse.spend());
    }
    assert_eq!(hedged, 50);
    (0..10_000).for_each(|_| hedging.earn(&purse));
    assert_eq!((0..99).filter(|_| purse.spend()).count(), 10, "savings are bounded");
}
