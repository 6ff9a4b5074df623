//! What a vendor's request may hold, as tables: names, kinds, bounds. A dialect walks its request with
//! them and words the flaw found as its vendor does. Not here: rules that span several fields.

use serde_json::{Map, Value};

/// What one field holds. `null` counts as absent.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Any,
    Text,
    Flag,
    List,
    Texts,
    Object,
    TextOrList,
    TextOrObject,
    /// From and to, both allowed.
    Number(f64, f64),
    Integer(i64, i64),
    OneOf(&'static [&'static str]),
}

/// A whole number from `least` up.
pub(crate) const fn from(least: i64) -> Kind {
    Kind::Integer(least, i64::MAX)
}

pub(crate) const POSITIVE: Kind = from(1);

/// The fields an object may have.
pub(crate) type Shape = [(&'static str, Kind)];

/// Why a request is refused, and where: a dotted path (`messages.0.content`), empty for the whole body.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) path: String,
    pub(crate) flaw: Flaw,
    pub(crate) status: u16,
    pub(crate) code: Option<&'static str>,
}

#[derive(Debug)]
pub(crate) enum Flaw {
    Unknown,
    Missing,
    /// What it should be.
    Type(&'static str),
    Below(String),
    Above(String),
    NotOneOf(&'static [&'static str]),
    /// In the vendor's own words.
    Rule(String),
}

pub(crate) type Checked = Result<(), Rejection>;

impl Rejection {
    pub(crate) fn new(path: impl Into<String>, flaw: Flaw) -> Self {
        Self { path: path.into(), flaw, status: 400, code: None }
    }

    /// The last name of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// The path without its last name.
    pub(crate) fn parent(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(parent, _)| parent)
    }
}

pub(crate) fn refuse<T>(path: impl Into<String>, rule: impl Into<String>) -> Result<T, Rejection> {
    Err(Rejection::new(path, Flaw::Rule(rule.into())))
}

/// `ensure(a rule holds, where, what the vendor says if not)`.
pub(crate) fn ensure(holds: bool, path: impl Into<String>, rule: impl Into<String>) -> Checked {
    if holds { Ok(()) } else { refuse(path, rule) }
}

pub(crate) fn at(path: &str, name: impl std::fmt::Display) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

/// `a.0.b` as `a[0].b`, the way most vendors write it.
pub(crate) fn bracketed(path: &str) -> String {
    path.split('.').fold(String::new(), |mut text, segment| {
        if segment.parse::<usize>().is_ok() {
            text += &format!("[{segment}]");
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text += segment;
        }
        text
    })
}

pub(crate) fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, Rejection> {
    value.as_object().ok_or_else(|| Rejection::new(path, Flaw::Type("object")))
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The items of a list with their paths.
pub(crate) fn items<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = (String, &'a Value)> + use<'a> {
    let path = path.to_owned();
    list(value).iter().enumerate().map(move |(index, item)| (at(&path, index), item))
}

/// Present and not null.
pub(crate) fn has(value: &Value, name: &str) -> bool {
    value.get(name).is_some_and(|value| !value.is_null())
}

/// Checks an object against its table.
pub(crate) fn shaped(value: &Value, path: &str, shape: &Shape, required: &[&str]) -> Checked {
    let object = object(value, path)?;
    for (name, value) in object {
        let Some((_, kind)) = shape.iter().find(|(known, _)| known == name) else {
            return Err(Rejection::new(at(path, name), Flaw::Unknown));
        };
        if !value.is_null() {
            kind.check(value).map_err(|flaw| Rejection::new(at(path, name), flaw))?;
        }
    }
    match required.iter().find(|name| !has(value, name)) {
        Some(missing) => Err(Rejection::new(at(path, missing), Flaw::Missing)),
        None => Ok(()),
    }
}

impl Kind {
    fn check(self, value: &Value) -> Result<(), Flaw> {
        let typed = |holds: bool, expected| if holds { Ok(()) } else { Err(Flaw::Type(expected)) };
        match self {
            Self::Any => Ok(()),
            Self::Text => typed(value.is_string(), "string"),
            Self::Flag => typed(value.is_boolean(), "boolean"),
            Self::List => typed(value.is_array(), "array"),
            Self::Texts => {
                typed(value.is_array() && list(value).iter().all(Value::is_string), "array of strings")
            }
            Self::Object => typed(value.is_object(), "object"),
            Self::TextOrList => typed(value.is_string() || value.is_array(), "string or array"),
            Self::TextOrObject => typed(value.is_string() || value.is_object(), "string or object"),
            Self::Number(least, most) => {
                let number = value.as_f64().ok_or(Flaw::Type("number"))?;
                bounded(number < least, number > most, &least, &most)
            }
            Self::Integer(least, most) => {
                let number = value.as_i64().ok_or(Flaw::Type("integer"))?;
                bounded(number < least, number > most, &least, &most)
            }
            Self::OneOf(known) => {
                let text = value.as_str().ok_or(Flaw::Type("string"))?;
                if known.contains(&text) { Ok(()) } else { Err(Flaw::NotOneOf(known)) }
            }
        }
    }
}

fn bounded(
    below: bool,
    above: bool,
    least: &dyn std::fmt::Display,
    most: &dyn std::fmt::Display,
) -> Result<(), Flaw> {
    match (below, above) {
        (true, _) => Err(Flaw::Below(least.to_string())),
        (_, true) => Err(Flaw::Above(most.to_string())),
        (false, false) => Ok(()),
    }
}

/// A tool's or parameter's name as most vendors allow it.
pub(crate) fn is_plain_name(text: &str, most: usize) -> bool {
    !text.is_empty()
        && text.len() <= most
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}
