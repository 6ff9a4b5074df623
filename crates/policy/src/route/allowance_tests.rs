use super::*;

/// 2026-01-02T03:04:05Z.
const NOW: Moment = Moment::from_millis(1_767_323_045_000);

fn asked(name: &'static str, value: &'static str) -> Option<f64> {
    retry_after(|wanted| (wanted == name).then_some(value), NOW).map(|wait| wait.as_secs_f64())
}

fn spent(headers: &[(&str, &'static str)]) -> Option<f64> {
    let find = |wanted: &str| headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    spent_until(find, NOW).map(|until| until.since(NOW).as_secs_f64())
}

#[test]
fn retry_after_in_all_its_forms() {
    assert_eq!(asked("retry-after", "7"), Some(7.0));
    assert_eq!(asked("retry-after", " 0.5 "), Some(0.5));
    assert_eq!(asked("retry-after-ms", "1500"), Some(1.5));
    assert_eq!(asked("retry-after", "Fri, 02 Jan 2026 03:05:05 GMT"), Some(60.0));
    assert_eq!(asked("retry-after", "Fri, 02 Jan 2026 03:00:00 GMT"), Some(0.0), "a past date");
    for odd in ["", "-1", "NaN", "1e300", "soon"] {
        assert_eq!(asked("retry-after", odd), None, "{odd}");
    }
}

#[test]
fn an_upstream_with_nothing_left_is_not_asked_before_its_reset() {
    let (left, reset) = ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests");
    for (text, seconds) in
        [("6m0s", 360.0), ("1.5s", 1.5), ("12ms", 0.012), ("1m30.951s", 90.951), ("20", 20.0)]
    {
        assert_eq!(spent(&[(left, "0"), (reset, text)]), Some(seconds), "{text}");
    }
    assert_eq!(spent(&[(left, "1"), (reset, "6m0s")]), None);
    assert_eq!(spent(&[(left, "0")]), None);
    assert_eq!(spent(&[(left, "0"), (reset, "25h")]), None, "a limit by the day is not waited for");
    let tokens = [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "2s")];
    assert_eq!(spent(&[(left, "0"), (reset, "1s"), tokens[0], tokens[1]]), Some(2.0));
}

#[test]
fn resets_as_points_in_time() {
    let (left, reset) = ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset");
    for (text, seconds) in [
        ("2026-01-02T03:04:35Z", Some(30.0)),
        ("2026-01-02T04:04:35.123+01:00", Some(30.0)),
        ("2026-01-01T22:04:35-05:00", Some(30.0)),
        ("2026-01-02T03:04:00Z", None),
        ("2026-13-02T03:04:35Z", None),
        ("0000-00-00T00:00:00Z", None),
        ("2026-01-02T03:04", None),
        ("Ü026-01-02TÜ3:04:35Z", None),
    ] {
        assert_eq!(spent(&[(left, "0"), (reset, text)]), seconds, "{text}");
    }
    for text in ["1767323075", "1767323075000"] {
        assert_eq!(
            spent(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", text)]),
            Some(30.0),
            "{text}"
        );
    }
}
