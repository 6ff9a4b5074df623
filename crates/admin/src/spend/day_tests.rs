use super::*;

#[test]
fn times_are_read_as_people_write_them() {
    let day = 1_769_817_600_000;
    for (text, end, expected) in [
        ("2026-01-31", false, day),
        ("2026-01-31", true, day + 86_399_999),
        ("2026-01-31 08:00:01", false, day + 28_801_000),
        ("2026-01-31T08:00:01", true, day + 28_801_000),
        ("2026-01-31T08:00:01Z", false, day + 28_801_000),
        ("2026-01-31T08:00:01+08:00", false, day + 1_000),
    ] {
        assert_eq!(instant(text, "start_date", end).unwrap(), expected, "{text}");
    }
    for text in ["", "yesterday", "2026-02-30", "2026-01-31 25:00:00", "9999999999999"] {
        let refused = instant(text, "end_date", false).unwrap_err();
        assert_eq!((refused.0.status, refused.0.param.as_deref()), (400, Some("end_date")), "{text}");
    }
}

#[test]
fn days_are_both_there_and_in_order() {
    let days = Days::asked(Some("2026-02-27"), Some("2026-03-01 10:00:00")).unwrap();
    assert_eq!(days.each(100), ["2026-02-27", "2026-02-28", "2026-03-01"]);
    assert_eq!(days.each(2).len(), 2);
    let (from, to) = days.instants();
    assert_eq!(to - from, 3 * 86_400_000);
    let missing = Days::asked(Some("2026-02-27"), None).unwrap_err();
    assert_eq!(missing.0.message, "Please provide start_date and end_date");
    assert_eq!(Days::asked(Some("2026-03-02"), Some("2026-03-01")).unwrap_err().0.status, 400);
    assert_eq!(Days::asked_or_month(None, Some("2026-03-31")).unwrap().from, "2026-03-01");
}

#[test]
fn times_are_shown_in_iso_and_for_charts() {
    assert_eq!(shown(1_769_817_600_005), "2026-01-31T00:00:00.005Z");
    assert_eq!(shown(i64::MAX), Value::Null);
    assert_eq!((short("2026-01-31"), short("never")), ("Jan 31".to_owned(), "never".to_owned()));
}
