//! What an upstream says of its own limits in the headers of an answer, and how long it asks to wait.
//!
//! Not here: whether that is obeyed; see [`crate::retry`], [`super::cooldown`] and [`super::Track::spend_until`].
//!
//! | headers | whose |
//! | --- | --- |
//! | `retry-after-ms`, `retry-after` in seconds or as an HTTP date | everybody's |
//! | `x-ratelimit-remaining-requests`/`-tokens`, `x-ratelimit-reset-…` as `6m0s` or `12ms` or seconds | OpenAI and those like it |
//! | `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{remaining,reset}`, resets in RFC 3339 | Anthropic |
//! | `x-ratelimit-remaining`, `x-ratelimit-reset` in seconds, or as a point in time in seconds or milliseconds | OpenRouter and others |

use std::time::{Duration, UNIX_EPOCH};

use super::Moment;

/// What is further away is a mistake or no limit by the minute; it is not waited for.
const LONGEST: Duration = Duration::from_secs(3_600);
/// Plain numbers above this are points in time in seconds, above a thousand times this in milliseconds.
const YEAR_2001: f64 = 1e9;

const PAIRS: [(&str, &str); 7] = [
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
];

/// How long the upstream asks to wait, whatever that is.
#[must_use]
pub fn retry_after<'h>(header: impl Fn(&str) -> Option<&'h str>, now: Moment) -> Option<Duration> {
    let millis = header("retry-after-ms").and_then(|text| text.trim().parse::<f64>().ok());
    if let Some(millis) = millis {
        return Duration::try_from_secs_f64(millis / 1e3).ok();
    }
    let text = header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Moment::from_millis(0).after(date).since(now))
}

/// When the upstream will have something left again; `None` where it has now, or does not say. At most an hour ahead.
#[must_use]
pub fn spent_until<'h>(header: impl Fn(&str) -> Option<&'h str>, now: Moment) -> Option<Moment> {
    let resets = PAIRS.iter().filter_map(|(remaining, reset)| {
        let left: f64 = header(remaining)?.trim().parse().ok()?;
        (left <= 0.0).then(|| wait(header(reset)?.trim(), now)).flatten()
    });
    let longest = resets.filter(|wait| !wait.is_zero() && *wait <= LONGEST).max()?;
    Some(now.after(longest))
}

/// The time until a reset.
fn wait(text: &str, now: Moment) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        let seconds = match number {
            past if past >= YEAR_2001 * 1e3 => past / 1e3,
            past if past >= YEAR_2001 => past,
            seconds => return Duration::try_from_secs_f64(seconds).ok(),
        };
        let then = Duration::try_from_secs_f64(seconds).ok()?;
        return Some(Moment::from_millis(0).after(then).since(now));
    }
    spelled(text).or_else(|| Some(instant(text)?.since(now)))
}

/// `1h2m3.5s`, `12ms`.
fn spelled(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let unit = rest.find(|letter: char| letter.is_ascii_alphabetic())?;
        let (number, tail) = rest.split_at_checked(unit)?;
        let end = tail.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let seconds = match unit {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * seconds;
        rest = tail;
    }
    Duration::try_from_secs_f64(sum).ok().filter(|_| !text.is_empty())
}

/// An RFC 3339 instant, without its fraction of a second.
fn instant(text: &str) -> Option<Moment> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    if !((1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)) {
        return None;
    }
    let clock = time.get(..8)?;
    let mut clock = clock.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let zone = time.get(8..)?.trim_start_matches(|letter: char| letter == '.' || letter.is_ascii_digit());
    // Years begin in March, so that the leap day ends them.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let seconds =
        days.checked_sub(719_468)? * 86_400 + hour.min(23) * 3_600 + minute.min(59) * 60 + second.min(60);
    let seconds = seconds.checked_add_signed(-offset(zone)?)?;
    Some(Moment::from_millis(seconds * 1_000))
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(sign * (i64::from(hours) * 3_600 + i64::from(minutes) * 60))
}

#[cfg(test)]
#[path = "allowance_tests.rs"]
mod tests;
