//! Dates as token endpoints write them.

/// Seconds since 1970 of `2026-11-24T22:57:15Z`, with fractions or an offset where they are written.
pub(super) fn parse(text: &str) -> Option<u64> {
    let (date, rest) = text.trim().split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-'])?);
    let mut clock = clock.splitn(3, ':');
    let (hour, minute) = (number(clock.next()?)?, number(clock.next()?)?);
    let second = number(clock.next()?.split('.').next()?)?;
    let offset = match zone.split_at(1) {
        ("Z" | "z", "") => 0,
        (sign, zone) => {
            let (hours, minutes) = zone.split_once(':')?;
            let seconds = number(hours)? * 3600 + number(minutes)? * 60;
            if sign == "-" { -seconds } else { seconds }
        }
    };
    let plausible = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !plausible {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    seconds.try_into().ok()
}

fn number(text: &str) -> Option<i64> {
    text.parse::<u8>().ok().map(i64::from)
}

/// Days since 1970, by Hinnant's `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
