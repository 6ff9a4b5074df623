//! Typed reading of a map's values: each reader notes what is wrong, where, and what was wanted.
//!
//! Numbers and booleans may be written as texts, because values from the environment always are. No
//! message quotes a value: it may be a secret.

use std::time::Duration;

use policy::suggest;
use secrecy::SecretString;

use super::keys::{self, Section, Standing};
use super::problem::Problems;
use super::tree::{Entry, Map, Node, Scalar};

/// Ten years: a longer bound is a mistake in the unit, and clocks overflow on much longer ones.
const MAX_SECONDS: f64 = 315_360_000.0;

/// One map being read.
pub(super) struct Fields<'a, 'p> {
    pub(super) map: &'a Map,
    pub(super) problems: &'p mut Problems,
}

impl<'a> Fields<'a, '_> {
    /// The entry, unless it is missing or null.
    pub(super) fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.map.get(key).filter(|entry| !entry.value.is_null())
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let entry = self.entry(key)?;
        let text = as_text(&entry.value);
        self.wanted(entry, "a text", text)
    }

    pub(super) fn secret(&mut self, key: &str) -> Option<SecretString> {
        self.text(key).map(SecretString::from)
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let entry = self.entry(key)?;
        let flag = match entry.value.scalar() {
            Some(Scalar::Flag(flag)) => Some(flag),
            Some(Scalar::Whole(0)) => Some(false),
            Some(Scalar::Whole(1)) => Some(true),
            Some(Scalar::Text(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" => Some(false),
                _ => None,
            },
            Some(Scalar::Null | Scalar::Whole(_) | Scalar::Decimal(_)) | None => None,
        };
        self.wanted(entry, "true or false", flag)
    }

    pub(super) fn whole<N: TryFrom<i128>>(&mut self, key: &str) -> Option<N> {
        let entry = self.entry(key)?;
        let number = match entry.value.scalar() {
            Some(Scalar::Whole(number)) => N::try_from(number).ok(),
            #[expect(clippy::cast_possible_truncation, reason = "a whole number well inside of i128")]
            Some(Scalar::Decimal(number)) if number.fract() == 0.0 && number.abs() < 1e15 => {
                N::try_from(number as i128).ok()
            }
            Some(Scalar::Text(text)) => {
                text.trim().parse::<i128>().ok().and_then(|number| N::try_from(number).ok())
            }
            Some(Scalar::Null | Scalar::Flag(_) | Scalar::Decimal(_)) | None => None,
        };
        self.wanted(entry, "a whole number, not negative", number)
    }

    /// A number that is finite and not negative.
    pub(super) fn amount(&mut self, key: &str) -> Option<f64> {
        let entry = self.entry(key)?;
        let amount = as_number(&entry.value).filter(|number| number.is_finite() && *number >= 0.0);
        self.wanted(entry, "a number, not negative", amount)
    }

    pub(super) fn seconds(&mut self, key: &str) -> Option<Duration> {
        let entry = self.entry(key)?;
        let seconds = as_number(&entry.value).filter(|seconds| *seconds > 0.0 && *seconds <= MAX_SECONDS);
        self.wanted(entry, "a number of seconds above 0", seconds.map(Duration::from_secs_f64))
    }

    /// The same, where 0 means none.
    pub(super) fn pause(&mut self, key: &str) -> Option<Duration> {
        let entry = self.entry(key)?;
        let seconds = as_number(&entry.value).filter(|seconds| *seconds >= 0.0 && *seconds <= MAX_SECONDS);
        self.wanted(entry, "a number of seconds, not negative", seconds.map(Duration::from_secs_f64))
    }

    /// A list of texts; a single text counts as a list of one.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let texts = match entry.value.list() {
            Some(items) => items.iter().map(as_text).collect(),
            None => as_text(&entry.value).map(|text| vec![text]),
        };
        self.wanted(entry, "a list of texts", texts).unwrap_or_default()
    }

    pub(super) fn table(&mut self, key: &str) -> Option<&'a Map> {
        let entry = self.entry(key)?;
        self.wanted(entry, "a map of `key: value` lines", entry.value.map())
    }

    pub(super) fn list(&mut self, key: &str) -> Option<&'a [Node]> {
        let entry = self.entry(key)?;
        self.wanted(entry, "a list of `- …` items", entry.value.list())
    }

    fn wanted<T>(&mut self, entry: &Entry, wanted: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            let message = match (entry.value.kind(), wanted.contains("number")) {
                ("a number", true) => format!("`{}` must be {wanted}", entry.key),
                (found, _) => format!("`{}` must be {wanted}, and this is {found}", entry.key),
            };
            self.problems.error(Some(entry.value.span), message, None);
        }
        value
    }
}

fn as_text(node: &Node) -> Option<String> {
    match node.scalar()? {
        Scalar::Null | Scalar::Flag(_) => None,
        Scalar::Whole(_) | Scalar::Decimal(_) | Scalar::Text(_) => node.letters().map(str::to_owned),
    }
}

/// A number, or a text that is one: `3e-7` is a text to PyYAML, and prices are written like that.
pub(super) fn as_number(node: &Node) -> Option<f64> {
    match node.scalar()? {
        #[expect(clippy::cast_precision_loss, reason = "amounts above 2^53 are beyond every limit here")]
        Scalar::Whole(number) => Some(number as f64),
        Scalar::Decimal(number) => Some(number),
        Scalar::Text(text) => text.trim().parse().ok(),
        Scalar::Null | Scalar::Flag(_) => None,
    }
}

/// Warns of every key that the section does not know or that has no effect.
pub(super) fn check_keys(section: &Section, map: &Map, problems: &mut Problems) {
    for entry in &map.entries {
        match section.standing(&entry.key) {
            Some(Standing::Served) => {}
            Some(Standing::NotYet(reason)) => not_yet(entry, reason, problems),
            // The places where people keep what they anchor for reuse.
            None if entry.key.starts_with("x-") || entry.key.starts_with('.') => {}
            None => {
                let message = format!("`{}` is not a key of {}", entry.key, place_name(section));
                problems.warn(Some(entry.key_span), message, Some(advice(section, &entry.key)));
            }
        }
    }
}

pub(super) fn not_yet(entry: &Entry, reason: &str, problems: &mut Problems) {
    problems.warn(Some(entry.key_span), format!("`{}` has no effect yet: {reason}", entry.key), None);
}

fn place_name(section: &Section) -> String {
    if section.name == keys::TOP.name {
        "a configuration file".to_owned()
    } else {
        format!("`{}`", section.name)
    }
}

/// Where a key belongs that stands in the wrong section, else the known key it looks like.
fn advice(section: &Section, key: &str) -> String {
    let sections = [&keys::GENERAL, &keys::ROUTER, &keys::LITELLM, &keys::PARAMS];
    if let Some(other) =
        sections.iter().find(|other| other.name != section.name && other.standing(key).is_some())
    {
        return format!("it belongs under `{}`", other.name);
    }
    let names: Vec<&str> = section.names().collect();
    match suggest::nearest(key, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "it has no effect of its own".to_owned(),
    }
}

/// The key of a section that `key` is one or two slips of the hand away from. Short words are near to everything.
pub(super) fn slip_of(key: &str, section: &Section) -> Option<&'static str> {
    let names: Vec<&'static str> =
        section.names().filter(|name| name.len().abs_diff(key.len()) <= 2).collect();
    (key.len() >= 5).then(|| suggest::nearest(key, names)).flatten()
}
