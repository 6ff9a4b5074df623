use super::*;

fn at(seconds: u64) -> Moment {
    Moment::from_millis(1_764_000_000_000 + seconds * 1_000)
}

#[test]
fn a_minute_ends_with_the_calendars() {
    let minute = Minute::default();
    assert_eq!((minute.add(at(0), 5), minute.add(at(59), 2), minute.get(at(59))), (5, 7, 7));
    assert_eq!((minute.get(at(60)), minute.add(at(60), 1)), (0, 1));
    minute.take_back(at(61), 9);
    assert_eq!(minute.get(at(61)), 0);
    assert_eq!(minute.add(at(61), u64::MAX), COUNT_MASK, "hostile counts stop at the bound");
}

#[test]
fn an_expiring_count_starts_anew() {
    let (count, live) = (Expiring::default(), Duration::from_secs(5));
    assert_eq!([0, 4, 5, 6].map(|second| count.add(at(second), live)), [1, 2, 1, 2]);
}

#[test]
fn a_mean_follows_and_fades() {
    let mean = Fading::default();
    assert_eq!(mean.get(at(0), Duration::from_secs(10)), None);
    mean.observe(4.0, at(0), 0.5, 0.25);
    mean.observe(8.0, at(0), 0.5, 0.25);
    mean.observe(2.0, at(0), 0.5, 0.25);
    assert_eq!(mean.get(at(0), Duration::from_secs(10)), Some(5.0));
    assert_eq!(mean.get(at(10), Duration::from_secs(10)), Some(2.5));
}

#[test]
fn a_window_keeps_the_last_and_knows_its_percentiles() {
    let (window, live) = (Window::default(), Duration::from_secs(60));
    assert_eq!(window.mean(at(0), live), None);
    for sample in 1..=100_u8 {
        window.add(f32::from(sample), 10, at(1));
    }
    assert_eq!(window.mean(at(1), live), Some(95.5));
    assert_eq!(window.percentile(50, 20, at(1), live), Some(68.0));
    assert_eq!(window.percentile(100, 20, at(1), live), Some(100.0));
    assert_eq!(window.percentile(95, 65, at(1), live), None, "fewer samples than asked for");
    assert_eq!(window.mean(at(62), live), None, "too old");
}
