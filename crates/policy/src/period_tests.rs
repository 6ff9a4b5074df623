use proptest::prelude::*;

use super::*;

fn ms(instant: &str) -> u64 {
    instant.parse::<Timestamp>().unwrap().as_millisecond() as u64
}

fn period(text: &str) -> Period {
    Period::parse(text).unwrap()
}

#[test]
fn what_is_written_is_read_and_written_again() {
    for (text, shown) in [
        ("30s", "30s"),
        ("30m", "30m"),
        ("24h", "24h"),
        ("7d", "7d"),
        ("1w", "1w"),
        ("1mo", "1mo"),
        ("hourly", "1h"),
        ("daily", "1d"),
        ("weekly", "1w"),
        ("monthly", "1mo"),
        ("yearly", "12mo"),
        ("0007d", "7d"),
    ] {
        assert_eq!(period(text).to_string(), shown);
        assert_eq!(period(shown), period(text));
    }
}

#[test]
fn what_is_no_duration_is_refused_with_the_reason() {
    for text in
        ["", "d", "30", "-1", "-1d", "1.5h", "1 d", "1D", "1y", "1dd", "1d ", "+1d", "１d", "Daily", "1mod"]
    {
        assert_eq!(Period::parse(text), Err(PeriodError::NotADuration), "{text:?}");
    }
    assert_eq!(Period::parse("0d"), Err(PeriodError::Zero));
    for text in ["36601d", "99999999999999999999s", "4294967295mo", "4294967295w", "2000mo"] {
        assert_eq!(Period::parse(text), Err(PeriodError::TooLong), "{text:?}");
    }
    assert_eq!(period("36600d").count(), 36_600);
    let said = PeriodError::NotADuration.to_string();
    for allowed in ["30d", "mo", "hourly", "daily", "weekly", "monthly", "yearly"] {
        assert!(said.contains(allowed), "{said}");
    }
}

#[test]
fn budgets_begin_anew_where_people_expect_it() {
    // 2026-11-25 is a Wednesday.
    let now = "2026-11-25T10:20:30.500Z";
    for (written, expected) in [
        ("1d", "2026-11-26T00:00:00Z"),
        ("24h", "2026-11-26T00:00:00Z"),
        ("daily", "2026-11-26T00:00:00Z"),
        ("7d", "2026-11-30T00:00:00Z"),
        ("1w", "2026-11-30T00:00:00Z"),
        ("30d", "2026-12-01T00:00:00Z"),
        ("1mo", "2026-12-01T00:00:00Z"),
        ("2d", "2026-11-27T00:00:00Z"),
        ("90d", "2027-02-23T00:00:00Z"),
        ("2w", "2026-12-09T00:00:00Z"),
        ("3mo", "2027-02-01T00:00:00Z"),
        ("12mo", "2027-11-01T00:00:00Z"),
        ("1h", "2026-11-25T11:00:00Z"),
        ("6h", "2026-11-25T12:00:00Z"),
        ("7h", "2026-11-25T14:00:00Z"),
        ("36h", "2026-11-26T12:00:00Z"),
        ("48h", "2026-11-27T00:00:00Z"),
        ("1m", "2026-11-25T10:21:00Z"),
        ("15m", "2026-11-25T10:30:00Z"),
        ("90m", "2026-11-25T10:30:00Z"),
        ("1s", "2026-11-25T10:20:31Z"),
        ("30s", "2026-11-25T10:21:00Z"),
        ("7s", "2026-11-25T10:20:33Z"),
    ] {
        assert_eq!(Calendar::default().next_reset(period(written), ms(now)), ms(expected), "{written}");
    }
}

#[test]
fn the_instant_of_a_reset_begins_the_next_period() {
    for (written, now, expected) in [
        ("1d", "2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z"),
        ("1w", "2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z"),
        ("1w", "2026-11-29T23:59:59.999Z", "2026-11-30T00:00:00Z"),
        ("1mo", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("1mo", "2028-01-31T12:00:00Z", "2028-02-01T00:00:00Z"),
        ("1h", "2026-11-25T11:00:00Z", "2026-11-25T12:00:00Z"),
        ("5h", "2026-11-25T21:00:00Z", "2026-11-26T01:00:00Z"),
        ("30s", "2026-11-25T11:00:30Z", "2026-11-25T11:01:00Z"),
    ] {
        assert_eq!(
            Calendar::default().next_reset(period(written), ms(now)),
            ms(expected),
            "{written} at {now}"
        );
    }
}

#[test]
fn a_calendar_has_its_own_midnight() {
    let tokyo = Calendar::new("Asia/Tokyo", "06:30").unwrap();
    for (written, now, expected) in [
        ("1d", "2026-11-25T06:29:59+09:00", "2026-11-25T06:30:00+09:00"),
        ("1d", "2026-11-25T06:30:00+09:00", "2026-11-26T06:30:00+09:00"),
        ("1w", "2026-11-30T06:00:00+09:00", "2026-11-30T06:30:00+09:00"),
        ("1mo", "2026-12-01T06:00:00+09:00", "2026-12-01T06:30:00+09:00"),
        ("2d", "2026-11-25T06:00:00+09:00", "2026-11-26T06:30:00+09:00"),
        ("12h", "2026-11-25T06:00:00+09:00", "2026-11-25T12:00:00+09:00"),
    ] {
        assert_eq!(tokyo.next_reset(period(written), ms(now)), ms(expected), "{written} at {now}");
    }
    let kathmandu = Calendar::new("Asia/Kathmandu", "00:00").unwrap();
    assert_eq!(
        kathmandu.next_reset(period("1h"), ms("2026-11-25T10:20:00+05:45")),
        ms("2026-11-25T11:00:00+05:45")
    );
}

#[test]
fn a_calendar_names_what_is_wrong_with_it() {
    assert_eq!(Calendar::new("Mars/Base", "00:00"), Err(CalendarError::Zone("Mars/Base".to_owned())));
    for at in ["", "noon", "25:00", "6", "2026-11-25T06:00", "06:00Z", ":"] {
        assert_eq!(Calendar::new("UTC", at), Err(CalendarError::TimeOfDay(at.to_owned())), "{at:?}");
    }
    assert_eq!(Calendar::new("UTC", "00:00:00"), Ok(Calendar::default()));
}

#[test]
fn clocks_that_are_put_forward_or_back_do_not_move_midnight() {
    let berlin = Calendar::new("Europe/Berlin", "00:00").unwrap();
    let half_past_two = Calendar::new("Europe/Berlin", "02:30").unwrap();
    for (calendar, written, now, expected) in [
        // 2026-03-29 has 23 hours: 02:00 does not exist.
        (&berlin, "1d", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        (&berlin, "1h", "2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z"),
        (&berlin, "6h", "2026-03-29T00:30:00Z", "2026-03-29T04:00:00Z"),
        (&half_past_two, "1d", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"),
        // 2026-10-25 has 25 hours: 02:00 to 03:00 comes twice, from 00:00Z and from 01:00Z.
        (&berlin, "1d", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        (&berlin, "1m", "2026-10-25T00:59:30Z", "2026-10-25T01:00:00Z"),
        (&berlin, "1h", "2026-10-25T00:20:00Z", "2026-10-25T01:00:00Z"),
        (&berlin, "6h", "2026-10-25T00:30:00Z", "2026-10-25T05:00:00Z"),
        (&berlin, "65m", "2026-10-25T01:05:00Z", "2026-10-25T01:10:00Z"),
        (&half_past_two, "1d", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
        (&half_past_two, "1d", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
    ] {
        let reset = calendar.next_reset(period(written), ms(now));
        assert_eq!(reset, ms(expected), "{written} at {now}");
    }
}

#[test]
fn a_duration_is_exact_and_months_are_those_of_the_calendar() {
    for (written, now, expected) in [
        ("30s", "2026-11-25T10:20:30.5Z", "2026-11-25T10:21:00.5Z"),
        ("1d", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"),
        ("2w", "2026-11-25T10:20:30Z", "2026-12-09T10:20:30Z"),
        ("1mo", "2026-01-31T10:20:30.5Z", "2026-02-28T10:20:30.5Z"),
        ("12mo", "2028-02-29T00:00:00Z", "2029-02-28T00:00:00Z"),
    ] {
        assert_eq!(period(written).after(ms(now)), ms(expected), "{written} after {now}");
    }
}

#[test]
fn instants_beyond_the_calendar_are_never() {
    for written in ["1s", "7h", "1d", "1mo"] {
        assert_eq!(period(written).after(u64::MAX), u64::MAX);
        assert_eq!(Calendar::default().next_reset(period(written), u64::MAX), u64::MAX);
        assert_eq!(Calendar::default().next_reset(period(written), ms("9999-12-30T00:00:00Z") * 2), u64::MAX);
    }
}

proptest! {
    #[test]
    fn a_reset_is_ahead_and_not_further_than_the_period(
        now in 0_u64..4_000_000_000_000,
        count in 1_u32..200,
        unit in prop::sample::select(vec!["s", "m", "h", "d", "w", "mo"]),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Cairo", "America/St_Johns"]),
        at in prop::sample::select(vec!["00:00", "01:30", "02:30", "23:59:59"]),
    ) {
        let period = period(&format!("{count}{unit}"));
        let reset = Calendar::new(zone, at).unwrap().next_reset(period, now);
        prop_assert!(reset > now);
        // A 30-day month may have 31 days, and clocks are put back by an hour.
        let longest = u64::from(count) * period.unit().seconds().unsigned_abs() * 1_000 * 32 / 30 + 3_600_000;
        prop_assert!(reset - now <= longest, "{reset} is {} ms ahead", reset - now);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        if let Ok(period) = Period::parse(&text) {
            prop_assert_eq!(Period::parse(&period.to_string()), Ok(period));
        }
    }
}
