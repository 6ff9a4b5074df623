//! A configuration file as a tree that knows where each of its parts stands.
//!
//! Scalars stay text until somebody asks for a type, and then read as PyYAML reads them, because that is
//! what existing files were written against: `yes` and `on` are booleans, `1_000` is a number, `010` is
//! eight, and `3e-7` is a text. Two of PyYAML's types are left out, since nobody means them: dates, and
//! the base-60 numbers that would turn `12:30` into 750; both stay text.

use serde_json::{Map as JsonMap, Number, Value};

use super::source::Span;

/// A value with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) content: Content,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Written without quotes: its type follows from its text.
    Plain(String),
    /// Quoted, a block, tagged `!!str` or taken from the environment: a text whatever it looks like.
    Text(String),
    List(Vec<Node>),
    Map(Map),
}

/// Entries in file order; no two have the same key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Map {
    pub(crate) entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

/// A scalar as PyYAML types it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Flag(bool),
    Whole(i128),
    Decimal(f64),
    Text(&'a str),
}

impl Map {
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn position(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == key)
    }
}

impl Node {
    pub(crate) fn null(span: Span) -> Self {
        Self { content: Content::Plain(String::new()), span }
    }

    /// A JSON value that stands in no file.
    pub(crate) fn of_json(value: &Value) -> Self {
        let content = match value {
            Value::Null => Content::Plain(String::new()),
            Value::Bool(flag) => Content::Plain(flag.to_string()),
            Value::Number(number) => Content::Plain(plain_number(&number.to_string())),
            Value::String(text) => Content::Text(text.clone()),
            Value::Array(items) => Content::List(items.iter().map(Self::of_json).collect()),
            Value::Object(map) => Content::Map(Map::of_json(map)),
        };
        Self { content, span: Span::default() }
    }

    /// The value typed; nothing for lists and maps.
    pub(crate) fn scalar(&self) -> Option<Scalar<'_>> {
        match &self.content {
            Content::Plain(text) => Some(typed(text)),
            Content::Text(text) => Some(Scalar::Text(text)),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The letters of a scalar, whatever its type.
    pub(crate) fn letters(&self) -> Option<&str> {
        match &self.content {
            Content::Plain(text) | Content::Text(text) => Some(text),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.scalar() == Some(Scalar::Null)
    }

    pub(crate) fn map(&self) -> Option<&Map> {
        match &self.content {
            Content::Map(map) => Some(map),
            Content::Plain(_) | Content::Text(_) | Content::List(_) => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Node]> {
        match &self.content {
            Content::List(items) => Some(items),
            Content::Plain(_) | Content::Text(_) | Content::Map(_) => None,
        }
    }

    /// What this is, for "expected …, found …".
    pub(crate) fn kind(&self) -> &'static str {
        match self.scalar() {
            Some(Scalar::Null) => "nothing",
            Some(Scalar::Flag(_)) => "true or false",
            Some(Scalar::Whole(_) | Scalar::Decimal(_)) => "a number",
            Some(Scalar::Text(_)) => "a text",
            None if self.list().is_some() => "a list",
            None => "a map",
        }
    }

    /// The value as JSON. Numbers JSON cannot say (infinities, beyond 64 bits) become texts.
    pub(crate) fn json(&self) -> Value {
        match &self.content {
            Content::List(items) => Value::Array(items.iter().map(Self::json).collect()),
            Content::Map(map) => Value::Object(map.json()),
            Content::Text(text) => Value::String(text.clone()),
            Content::Plain(text) => match typed(text) {
                Scalar::Null => Value::Null,
                Scalar::Flag(flag) => Value::Bool(flag),
                Scalar::Whole(number) => {
                    Number::from_i128(number).map_or_else(|| Value::String(text.clone()), Value::Number)
                }
                Scalar::Decimal(number) => {
                    Number::from_f64(number).map_or_else(|| Value::String(text.clone()), Value::Number)
                }
                Scalar::Text(text) => Value::String(text.to_owned()),
            },
        }
    }
}

impl Map {
    /// A JSON object that stands in no file.
    pub(crate) fn of_json(map: &JsonMap<String, Value>) -> Self {
        let entry = |(key, value): (&String, &Value)| Entry {
            key: key.clone(),
            key_span: Span::default(),
            value: Node::of_json(value),
        };
        Self { entries: map.iter().map(entry).collect() }
    }

    /// Puts `value` in the place of what stands under its key, if anything does.
    pub(crate) fn set(&mut self, entry: Entry) {
        match self.position(&entry.key) {
            Some(position) => self.entries[position] = entry,
            None => self.entries.push(entry),
        }
    }

    pub(crate) fn json(&self) -> JsonMap<String, Value> {
        self.entries.iter().map(|entry| (entry.key.clone(), entry.value.json())).collect()
    }
}

/// A JSON number in the form that YAML 1.1 has for it: `1e-6` is a text there, `1.0e-6` a number.
fn plain_number(number: &str) -> String {
    let Some((mantissa, exponent)) = number.split_once(['e', 'E']) else { return number.to_owned() };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// PyYAML's implicit types of a plain scalar (YAML 1.1 as its resolver has it).
fn typed(text: &str) -> Scalar<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Scalar::Flag(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Flag(false);
        }
        _ => {}
    }
    whole(text)
        .map(Scalar::Whole)
        .or_else(|| decimal(text).map(Scalar::Decimal))
        .unwrap_or(Scalar::Text(text))
}

fn whole(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let first = digits.bytes().next()?;
    if !first.is_ascii_digit() {
        return None;
    }
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'b', ..] => (2, &digits[2..]),
        [b'0', b'x', ..] => (16, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    let plain: String = digits.chars().filter(|next| *next != '_').collect();
    if plain.contains(['+', '-']) {
        return None;
    }
    let number = i128::from_str_radix(&plain, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// PyYAML wants a point, and a sign in the exponent: `1.5e+3` is a number, `1e3` and `1.5e3` are texts.
fn decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        ".nan" | ".NaN" | ".NAN" if unsigned == text => return Some(f64::NAN),
        _ => {}
    }
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(left, right)| (left, Some(right)));
    let (integer, fraction) = mantissa.split_once('.')?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let starts = integer.is_empty() || integer.starts_with(|next: char| next.is_ascii_digit());
    let has_digit = mantissa.bytes().any(|byte| byte.is_ascii_digit());
    let signed = |part: &str| {
        part.strip_prefix(['+', '-'])
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if !(digits(integer) && digits(fraction) && starts && has_digit && exponent.is_none_or(signed)) {
        return None;
    }
    text.replace('_', "").parse().ok()
}
