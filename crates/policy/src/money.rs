//! Exact money: a [`Rate`] is a price of one unit, a [`Cost`] is an amount somebody pays.
//!
//! Integers only. Floating point exists in JSON at the border, and is read as the shortest decimal that
//! denotes it, because that is what a person typed. What a rate is a price *of* is in [`crate::price`].

use std::fmt;
use std::iter::Sum;
use std::ops::Add;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Decimal places of a [`Rate`]: atto-dollars.
const RATE_PLACES: i32 = 18;
/// Decimal places of a [`Cost`]: nano-dollars.
const COST_PLACES: i32 = 9;
/// The most anything may cost a unit; whoever writes more has mistaken the unit.
const MAX_DOLLARS: u128 = 1_000_000;
/// Longer texts are not numbers that a person or a serializer wrote.
const MAX_TEXT_BYTES: usize = 64;
const NANO_PER_DOLLAR: u64 = 1_000_000_000;
const ATTO_PER_NANO: u128 = 1_000_000_000;

/// Why a number is not an amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Neither a JSON number nor a decimal text.
    #[error("is not a decimal number")]
    NotANumber,
    /// Below zero.
    #[error("is negative")]
    Negative,
    /// More than a million dollars a unit, or more than a [`Cost`] can hold.
    #[error("is absurdly large")]
    TooLarge,
}

/// USD for one unit (token, second, …), exact to 1e-18 dollars, never negative, at most a million dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u128);

impl Rate {
    /// Free.
    pub const ZERO: Self = Self(0);

    /// Reads a JSON number or a text such as `"3e-7"`. Digits beyond the eighteenth decimal place, which only
    /// float noise has, are rounded.
    pub fn from_json(value: &Value) -> Result<Self, MoneyError> {
        Self::parse(&decimal_text(value)?)
    }

    /// Reads a decimal text, with or without exponent.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let atto = scaled(text, RATE_PLACES)?;
        if atto > MAX_DOLLARS * u128::from(NANO_PER_DOLLAR) * ATTO_PER_NANO {
            return Err(MoneyError::TooLarge);
        }
        Ok(Self(atto))
    }

    /// What `units` cost, not yet rounded.
    #[must_use]
    pub const fn times(self, units: u64) -> Exact {
        Exact(self.0.saturating_mul(units as u128))
    }

    /// What a time costs at this rate a second, not yet rounded.
    #[must_use]
    pub const fn for_duration(self, time: Duration) -> Exact {
        let rest = self.0.saturating_mul(time.subsec_nanos() as u128) / NANO_PER_DOLLAR as u128;
        Exact(self.0.saturating_mul(time.as_secs() as u128).saturating_add(rest))
    }

    /// Half of it, which some providers ask for what others list separately.
    #[must_use]
    pub const fn half(self) -> Self {
        Self(self.0 / 2)
    }
}

/// A sum of products that is still exact. Saturates, so a hostile token count cannot wrap around to cheap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(u128);

impl Exact {
    /// Rounds to the nano-dollar, half away from zero. Done once a charge.
    #[must_use]
    pub fn round(self) -> Cost {
        let nano = self.0 / ATTO_PER_NANO + u128::from(self.0 % ATTO_PER_NANO >= ATTO_PER_NANO / 2);
        Cost(i64::try_from(nano).unwrap_or(i64::MAX))
    }
}

impl Add for Exact {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// An amount of USD in whole nano-dollars. Negative amounts are corrections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(i64);

impl Cost {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount given in nano-dollars.
    #[must_use]
    pub const fn from_nano(nano: i64) -> Self {
        Self(nano)
    }

    /// The amount in nano-dollars.
    #[must_use]
    pub const fn nano(self) -> i64 {
        self.0
    }

    /// Reads dollars, such as a budget, from a JSON number or a decimal text; rounds to the nano-dollar.
    pub fn from_json(value: &Value) -> Result<Self, MoneyError> {
        let nano = scaled(&decimal_text(value)?, COST_PLACES)?;
        i64::try_from(nano).map(Self).map_err(|_| MoneyError::TooLarge)
    }

    /// The amount in dollars, for JSON only.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        // Division, not multiplication by 1e-9: only division is correctly rounded, so that 70 000 nano-dollars
        // print as 7e-5.
        self.0 as f64 / NANO_PER_DOLLAR as f64
    }

    /// The sum, unless it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The sum, held at the largest or smallest amount.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, held at the largest or smallest amount.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Dollars as a JSON number.
impl Serialize for Cost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_f64())
    }
}

/// Dollars as a JSON number or a decimal text, see [`Cost::from_json`].
impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_json(&value).map_err(serde::de::Error::custom)
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::ZERO, Self::saturating_add)
    }
}

/// Dollars as a plain decimal, without exponent and without trailing zeros: `0.00007`.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (dollars, nano) = (magnitude / NANO_PER_DOLLAR, magnitude % NANO_PER_DOLLAR);
        let sign = if self.0 < 0 { "-" } else { "" };
        if nano == 0 {
            return write!(f, "{sign}{dollars}");
        }
        let places = COST_PLACES as usize - trailing_zeros(nano);
        write!(f, "{sign}{dollars}.{:0places$}", nano / 10_u64.pow((COST_PLACES as usize - places) as u32))
    }
}

/// How many decimal zeros a number other than zero ends in.
fn trailing_zeros(number: u64) -> usize {
    std::iter::successors(Some(number), |rest| Some(rest / 10)).take_while(|rest| rest % 10 == 0).count()
}

/// The shortest decimal that denotes a JSON number, or the text of a string.
fn decimal_text(value: &Value) -> Result<String, MoneyError> {
    match value {
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(MoneyError::NotANumber),
    }
}

/// Reads `digits[.digits][e[±]digits]` times ten to the power of `places`, rounded half up.
fn scaled(text: &str, places: i32) -> Result<u128, MoneyError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(MoneyError::NotANumber);
    }
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(MoneyError::NotANumber);
    }
    let mut digits = 0_u128;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return Err(MoneyError::NotANumber);
        }
        let shifted = digits.checked_mul(10).ok_or(MoneyError::TooLarge)?;
        digits = shifted.checked_add(u128::from(byte - b'0')).ok_or(MoneyError::TooLarge)?;
    }
    if negative && digits > 0 {
        return Err(MoneyError::Negative);
    }
    shift(digits, exponent - fraction.len() as i32 + places)
}

/// Exponents beyond four digits only write zero or absurdity; they are refused before they can overflow.
fn parse_exponent(text: &str) -> Result<i32, MoneyError> {
    if text.len() > 5 {
        return Err(MoneyError::NotANumber);
    }
    text.parse().map_err(|_| MoneyError::NotANumber)
}

/// `digits` times ten to the power of `power`, rounded half up.
fn shift(digits: u128, power: i32) -> Result<u128, MoneyError> {
    if digits == 0 {
        return Ok(0);
    }
    let factor = 10_u128.checked_pow(power.unsigned_abs());
    match factor {
        Some(factor) if power >= 0 => digits.checked_mul(factor).ok_or(MoneyError::TooLarge),
        Some(factor) => Ok(digits / factor + u128::from(digits % factor >= factor.div_ceil(2))),
        None if power >= 0 => Err(MoneyError::TooLarge),
        None => Ok(0),
    }
}

#[cfg(test)]
#[path = "money_tests.rs"]
mod tests;
