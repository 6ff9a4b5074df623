//! When off-peak prices apply: hours in UTC on days of the week. Not a calendar: no dates, no zones with
//! daylight saving time.

use serde_json::{Map, Value};

use super::PriceError;

const MINUTES_A_DAY: u64 = 24 * 60;
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const EVERY_DAY: u8 = 0b111_1111;

/// Zones by their distance from UTC in minutes. All of them have kept it for decades, which is why a table
/// will do.
const ZONES: [(&str, i16); 9] = [
    ("UTC", 0),
    ("Etc/UTC", 0),
    ("Asia/Shanghai", 480),
    ("Asia/Hong_Kong", 480),
    ("Asia/Singapore", 480),
    ("Asia/Tokyo", 540),
    ("Asia/Seoul", 540),
    ("Asia/Kolkata", 330),
    ("Asia/Dubai", 240),
];

/// The times at which a price list is in force.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hours {
    windows: Box<[Window]>,
    /// Minutes to add to UTC before the day of the week is read.
    weekday_offset: i16,
}

#[derive(Clone, Debug, PartialEq)]
struct Window {
    /// Bit 0 is Monday.
    days: u8,
    /// Spans in minutes of the UTC day: start included, end not, past midnight when the end is not later.
    spans: Box<[(u16, u16)]>,
}

impl Hours {
    /// Reads `{"windows": [{"hours_utc", "weekdays"}], "weekday_timezone"}`, or one window without the list.
    pub(super) fn read(field: &str, value: &Map<String, Value>) -> Result<Self, PriceError> {
        let error = |name: &str, problem| PriceError::Shape { field: format!("{field}.{name}"), problem };
        let windows = match value.get("windows") {
            None => Window::read(value).map(|window| vec![window]).ok_or("hours_utc"),
            Some(Value::Array(list)) => list
                .iter()
                .map(|entry| Window::read(entry.as_object()?))
                .collect::<Option<_>>()
                .ok_or("windows"),
            Some(_) => Err("windows"),
        };
        let windows = windows.map_err(|name| {
            error(name, "needs hours_utc such as \"22:00-06:00\" and weekdays from 1 to 7")
        })?;
        let weekday_offset = match value.get("weekday_timezone") {
            None => 0,
            Some(zone) => zone
                .as_str()
                .and_then(|name| ZONES.iter().find(|zone| zone.0.eq_ignore_ascii_case(name)))
                .map(|zone| zone.1)
                .ok_or_else(|| {
                    error("weekday_timezone", "is not a zone known to have a fixed distance from UTC")
                })?,
        };
        Ok(Self { windows: windows.into(), weekday_offset })
    }

    /// Whether `now`, in seconds since 1970, is one of these times.
    pub(super) fn contain(&self, now: u64) -> bool {
        let minutes = now / 60;
        let minute = minutes % MINUTES_A_DAY;
        let days = minutes.saturating_add_signed(i64::from(self.weekday_offset)) / MINUTES_A_DAY;
        let weekday = (days + 3) % 7; // 1970 began on a Thursday
        self.windows.iter().any(|window| {
            window.days >> weekday & 1 == 1
                && window.spans.iter().any(|&(start, end)| {
                    let (start, end) = (u64::from(start), u64::from(end));
                    if start < end {
                        start <= minute && minute < end
                    } else {
                        start <= minute || minute < end
                    }
                })
        })
    }
}

impl Window {
    fn read(value: &Map<String, Value>) -> Option<Self> {
        let spans = match value.get("hours_utc")? {
            Value::String(text) => vec![span(text)?],
            Value::Array(list) => list.iter().map(|text| span(text.as_str()?)).collect::<Option<_>>()?,
            _ => return None,
        };
        let days = match value.get("weekdays") {
            None => EVERY_DAY,
            Some(Value::Array(list)) => {
                list.iter().try_fold(0, |days, day| Some(days | 1 << weekday(day)?))?
            }
            Some(_) => return None,
        };
        Some(Self { days, spans: spans.into() })
    }
}

fn span(text: &str) -> Option<(u16, u16)> {
    let (start, end) = text.split_once('-')?;
    Some((minute(start)?, minute(end)?))
}

/// `HH:MM`; `24:00` is midnight.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
    let valid = minute < 60 && (hour < 24 || (hour == 24 && minute == 0));
    valid.then_some(hour % 24 * 60 + minute)
}

/// Days since Monday, from an ISO number or the beginning of an English name.
fn weekday(value: &Value) -> Option<u8> {
    let day = match value {
        Value::Number(number) => number.as_u64()?.checked_sub(1)?,
        Value::String(name) if name.len() >= 3 => {
            let name = name.to_ascii_lowercase();
            DAYS.iter().position(|day| day.starts_with(&name))? as u64
        }
        _ => return None,
    };
    u8::try_from(day).ok().filter(|day| *day < 7)
}
