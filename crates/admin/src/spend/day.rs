//! Days and times as people send them and as they are shown.

use gateway::refusal::Refusal;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{Span, Timestamp};
use serde_json::Value;

use crate::access::Refused;

/// Days from one to another, both inclusive, as `2026-01-31`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Days {
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Days {
    /// Both days, which must be there.
    ///
    /// # Errors
    /// 400 naming what is missing or no day.
    pub(crate) fn asked(from: Option<&str>, to: Option<&str>) -> Result<Self, Refused> {
        let (Some(from), Some(to)) = (from, to) else {
            let missing = if from.is_none() { "start_date" } else { "end_date" };
            return Err(Refusal::new(400, "Please provide start_date and end_date")
                .with_param(missing)
                .into());
        };
        Self::between(date(from, "start_date")?, date(to, "end_date")?)
    }

    /// The same; the last thirty days where nothing is said.
    ///
    /// # Errors
    /// 400 naming what is no day.
    pub(crate) fn asked_or_month(from: Option<&str>, to: Option<&str>) -> Result<Self, Refused> {
        let today = Offset::UTC.to_datetime(Timestamp::now()).date();
        let to = to.map_or(Ok(today), |to| date(to, "end_date"))?;
        let month_before = to.saturating_sub(Span::new().days(30));
        Self::between(from.map_or(Ok(month_before), |from| date(from, "start_date"))?, to)
    }

    fn between(from: Date, to: Date) -> Result<Self, Refused> {
        if from > to {
            return Err(Refusal::new(400, format!("start_date {from} is after end_date {to}"))
                .with_param("start_date")
                .into());
        }
        Ok(Self { from: from.to_string(), to: to.to_string() })
    }

    /// Each of them, at most so many.
    pub(crate) fn each(&self, most: usize) -> Vec<String> {
        let (Ok(from), Ok(to)) = (self.from.parse::<Date>(), self.to.parse::<Date>()) else {
            return Vec::new();
        };
        from.series(Span::new().days(1))
            .take_while(|day| *day <= to)
            .take(most)
            .map(|day| day.to_string())
            .collect()
    }

    /// From the first instant to the first that is not in them, in milliseconds of Unix time.
    pub(crate) fn instants(&self) -> (i64, i64) {
        let start = |day: &str| midnight(day.parse().unwrap_or_default());
        (start(&self.from), start(&self.to) + 86_400_000)
    }
}

/// A day, also as the beginning of a time.
fn date(text: &str, name: &str) -> Result<Date, Refused> {
    let day = text.get(..10).unwrap_or(text);
    day.parse().map_err(|_| {
        Refusal::new(400, format!("{name}: {text:?} is not a day; write one such as 2026-01-31"))
            .with_param(name)
            .into()
    })
}

/// A time as `2026-01-31 08:00:00`, `2026-01-31T08:00:00Z` or `2026-01-31`, in milliseconds of Unix time. A day stands
/// for its beginning, or its end.
///
/// # Errors
/// 400 naming the field.
pub(crate) fn instant(text: &str, name: &str, end: bool) -> Result<i64, Refused> {
    if let Ok(day) = text.parse::<Date>()
        && text.len() == 10
    {
        return Ok(midnight(day) + if end { 86_399_999 } else { 0 });
    }
    let text = text.replace(' ', "T").replace("%20", "T");
    let read = text
        .parse::<Timestamp>()
        .or_else(|_| text.parse::<DateTime>().and_then(|time| Offset::UTC.to_timestamp(time)));
    read.map(Timestamp::as_millisecond).map_err(|_| {
        Refusal::new(400, format!("{name}: {text:?} is not a time; write one such as 2026-01-31 08:00:00"))
            .with_param(name)
            .into()
    })
}

fn midnight(day: Date) -> i64 {
    Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).map(Timestamp::as_millisecond).unwrap_or_default()
}

/// A time in milliseconds of Unix time as it is shown.
pub(crate) fn shown(at_ms: i64) -> Value {
    Timestamp::from_millisecond(at_ms).map_or(Value::Null, |time| format!("{time:.3}").into())
}

/// `Jan 31`, for the charts of LiteLLM's dashboard.
pub(crate) fn short(day: &str) -> String {
    day.parse::<Date>().map_or_else(|_| day.to_owned(), |day| day.strftime("%b %d").to_string())
}

#[cfg(test)]
#[path = "day_tests.rs"]
mod tests;
