//! How long a budget runs and when it begins anew: [`Period`] and [`Calendar`].
//!
//! Not here: what was spent in a period, which is [`crate::account`]'s. All instants are Unix milliseconds.
//!
//! | period | ends |
//! | --- | --- |
//! | `1d`, `24h` | next midnight |
//! | `7d`, `1w` | next Monday |
//! | `30d`, `1mo` | first of next month |
//! | other days and weeks | midnight so many days ahead |
//! | other months | first of the month so many ahead |
//! | hours, minutes, seconds | next multiple, counted from midnight |
//!
//! Midnight is the calendar's: in its time zone and at its time of day.

use std::fmt;
use std::num::NonZeroU32;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, ZonedDateTime};

const SECONDS_PER_HOUR: i64 = 3_600;
const SECONDS_PER_DAY: i64 = 86_400;
/// Nothing is promised for longer, which keeps all dates within the calendar.
const LONGEST_SECONDS: i64 = 100 * 366 * SECONDS_PER_DAY;
const DAYS_PER_WEEK: i64 = 7;
/// The days that stand for a month.
const DAYS_PER_MONTH: i64 = 30;

const WORDS: &[(&str, Period)] = &[
    ("hourly", Period::one(Unit::Hour)),
    ("daily", Period::one(Unit::Day)),
    ("weekly", Period::one(Unit::Week)),
    ("monthly", Period::one(Unit::Month)),
    ("yearly", Period { count: NonZeroU32::MIN.saturating_add(11), unit: Unit::Month }),
];

/// Why a text is not a [`Period`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not in the grammar.
    #[error(
        "is not a duration: write a whole number and s, m, h, d, w or mo, such as 30d, or hourly, daily, weekly, monthly or yearly"
    )]
    NotADuration,
    /// A period of nothing would never begin.
    #[error("is a duration of zero; the least is 1s")]
    Zero,
    /// Longer than a hundred years.
    #[error("is longer than 100 years")]
    TooLong,
}

/// Why a text is no part of a [`Calendar`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Not in the IANA time zone database.
    #[error("{0:?} is not a time zone; write one such as Europe/Berlin or UTC")]
    Zone(String),
    /// Not a time of day.
    #[error("{0:?} is not a time of day; write one such as 00:00 or 06:30")]
    TimeOfDay(String),
}

/// What a [`Period`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl Unit {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Week => "w",
            Self::Month => "mo",
        }
    }

    /// How long one is. A month is no fixed time; it counts as the days that stand for it.
    const fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => SECONDS_PER_HOUR,
            Self::Day => SECONDS_PER_DAY,
            Self::Week => DAYS_PER_WEEK * SECONDS_PER_DAY,
            Self::Month => DAYS_PER_MONTH * SECONDS_PER_DAY,
        }
    }
}

/// A length of time as people write it: `30s`, `5m`, `24h`, `7d`, `1w`, `1mo`. At least a second and at most a
/// hundred years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    count: NonZeroU32,
    unit: Unit,
}

impl Period {
    const fn one(unit: Unit) -> Self {
        Self { count: NonZeroU32::MIN, unit }
    }

    /// Reads `<int>(s|m|h|d|w|mo)` or one of the words `hourly`, `daily`, `weekly`, `monthly`, `yearly`.
    pub fn parse(text: &str) -> Result<Self, PeriodError> {
        if let Some((_, period)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*period);
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, suffix) = text.split_at(digits);
        let unit = [Unit::Second, Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month]
            .into_iter()
            .find(|unit| unit.suffix() == suffix && !number.is_empty())
            .ok_or(PeriodError::NotADuration)?;
        let count = number.parse::<u32>().map_err(|_| PeriodError::TooLong)?;
        let period = Self { count: NonZeroU32::new(count).ok_or(PeriodError::Zero)?, unit };
        if period.seconds() > LONGEST_SECONDS { Err(PeriodError::TooLong) } else { Ok(period) }
    }

    /// How many of its [`unit`](Self::unit) it lasts.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count.get()
    }

    /// What it counts.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.unit
    }

    /// Exactly this long after an instant; months by the calendar of UTC. `u64::MAX` past the year 9999.
    #[must_use]
    pub fn after(self, now_unix_ms: u64) -> u64 {
        if self.unit != Unit::Month {
            return now_unix_ms.saturating_add(self.seconds().unsigned_abs().saturating_mul(1_000));
        }
        let later = || {
            let now = Offset::UTC.to_datetime(timestamp(now_unix_ms)?);
            let later = now.checked_add(Span::new().months(self.count.get())).ok()?;
            unix_ms(Offset::UTC.to_timestamp(later).ok()?)
        };
        later().unwrap_or(u64::MAX)
    }

    /// Its length; an average one for months.
    fn seconds(self) -> i64 {
        i64::from(self.count.get()) * self.unit.seconds()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit.suffix())
    }
}

/// Where and at which time of day budgets begin anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    zone: TimeZone,
    at: Time,
}

impl Default for Calendar {
    /// Midnight UTC.
    fn default() -> Self {
        Self { zone: TimeZone::UTC, at: Time::midnight() }
    }
}

impl Calendar {
    /// A calendar of an IANA time zone such as `Europe/Berlin`, and a time of day such as `06:30`.
    pub fn new(zone: &str, at: &str) -> Result<Self, CalendarError> {
        let zone = TimeZone::get(zone).map_err(|_| CalendarError::Zone(zone.to_owned()))?;
        let shape =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') && text.contains(':');
        let time = if shape(at) { at.parse().ok() } else { None };
        Ok(Self { zone, at: time.ok_or_else(|| CalendarError::TimeOfDay(at.to_owned()))? })
    }

    /// When a budget that runs now begins anew: always later than now. `u64::MAX` past the year 9999.
    #[must_use]
    pub fn next_reset(&self, period: Period, now_unix_ms: u64) -> u64 {
        let next = || {
            let now = timestamp(now_unix_ms)?.to_zoned_datetime(self.zone.clone());
            unix_ms(self.next_after(period, &now)?)
        };
        next().unwrap_or(u64::MAX)
    }

    fn next_after(&self, period: Period, now: &ZonedDateTime) -> Option<Timestamp> {
        let count = i64::from(period.count());
        let day = self.day_of(now)?;
        match period.unit {
            Unit::Month => self.on(first_of_month(day, count)?, now),
            Unit::Week | Unit::Day => {
                self.on(days_ahead(day, count * period.unit.seconds() / SECONDS_PER_DAY)?, now)
            }
            Unit::Hour if count == 24 => self.on(days_ahead(day, 1)?, now),
            Unit::Hour | Unit::Minute | Unit::Second => self.multiple(period.seconds(), now),
        }
    }

    /// The day that began last, where days begin at [`Self::at`].
    fn day_of(&self, now: &ZonedDateTime) -> Option<Date> {
        if now.time() < self.at { now.date().yesterday().ok() } else { Some(now.date()) }
    }

    fn on(&self, date: Date, now: &ZonedDateTime) -> Option<Timestamp> {
        self.instant(date.to_datetime(self.at), now)
    }

    /// The next multiple of so many seconds.
    fn multiple(&self, seconds: i64, now: &ZonedDateTime) -> Option<Timestamp> {
        if SECONDS_PER_HOUR % seconds == 0 {
            // An hour that the clocks repeat has all its minutes twice, so these follow the time that passes.
            let local = now.timestamp().as_second() + i64::from(now.offset().seconds());
            return Timestamp::from_second(now.timestamp().as_second() + seconds - local.rem_euclid(seconds))
                .ok();
        }
        let time = now.time();
        let passed = i64::from(time.hour()) * SECONDS_PER_HOUR
            + i64::from(time.minute()) * 60
            + i64::from(time.second());
        let midnight = now.date().to_datetime(Time::midnight());
        let next = midnight.checked_add(Span::new().seconds((passed / seconds + 1) * seconds)).ok()?;
        self.instant(next, now)
    }

    /// The instant of a local time that is later than now's. Where the clocks skip it, the one so much later;
    /// where they show it twice, the first that is still ahead.
    fn instant(&self, local: DateTime, now: &ZonedDateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let first = ambiguous.compatible().ok()?;
        if first > now.timestamp() {
            return Some(first);
        }
        self.zone.to_ambiguous_timestamp(local).later().ok().filter(|later| *later > now.timestamp())
    }
}

/// An instant as LiteLLM writes it in messages: `2026-01-01 00:01:00 UTC`.
#[must_use]
pub fn utc(unix_ms: u64) -> String {
    timestamp(unix_ms)
        .map_or_else(|| "never".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn first_of_month(day: Date, months: i64) -> Option<Date> {
    day.first_of_month().checked_add(Span::new().months(months)).ok()
}

fn days_ahead(day: Date, days: i64) -> Option<Date> {
    match days {
        DAYS_PER_MONTH => first_of_month(day, 1),
        DAYS_PER_WEEK => {
            let past_monday = i64::from(day.weekday().to_monday_zero_offset());
            day.checked_add(Span::new().days(DAYS_PER_WEEK - past_monday)).ok()
        }
        days => day.checked_add(Span::new().days(days)).ok(),
    }
}

fn timestamp(unix_ms: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()
}

fn unix_ms(timestamp: Timestamp) -> Option<u64> {
    u64::try_from(timestamp.as_millisecond()).ok()
}

#[cfg(test)]
#[path = "period_tests.rs"]
mod tests;
