//! JSON objects of hostile origin, read member by member with errors that name the path.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::fault::TranslateError;
use crate::raw::Raw;

/// The members of a JSON object in the order they were written, values verbatim.
pub(crate) struct Fields<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The members of a request body.
    pub(crate) fn of_body(body: &'a [u8]) -> Result<Self, TranslateError> {
        serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))
    }

    /// The members of the object at `path`.
    pub(crate) fn read(raw: &'a RawValue, path: &str) -> Result<Self, TranslateError> {
        if !raw.get().starts_with('{') {
            return Err(malformed(path, "must be an object"));
        }
        serde_json::from_str(raw.get()).map_err(|error| malformed(path, &error.to_string()))
    }

    /// The same, where `null` means absent.
    pub(crate) fn optional(raw: &'a RawValue, path: &str) -> Result<Option<Self>, TranslateError> {
        if raw.get() == "null" { Ok(None) } else { Self::read(raw, path).map(Some) }
    }

    /// The member `name`, unless it is absent or `null`.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(at, _)| at == name).map(|(_, raw)| *raw).filter(|raw| raw.get() != "null")
    }

    /// The member `name` as a `T`, unless it is absent or `null`.
    pub(crate) fn typed<T: DeserializeOwned>(
        &self,
        name: &str,
        path: &str,
        what: &str,
    ) -> Result<Option<T>, TranslateError> {
        self.get(name).map_or(Ok(None), |raw| typed(raw, &format!("{path}.{name}"), what))
    }

    /// The member `name`, or an error that names it.
    pub(crate) fn required(&self, name: &str, path: &str) -> Result<&'a RawValue, TranslateError> {
        self.get(name).ok_or_else(|| malformed(&format!("{path}.{name}"), "is required"))
    }

    /// The members besides `known` that have a value, verbatim.
    pub(crate) fn others(&self, known: &[&str]) -> Vec<(String, Raw)> {
        let unknown = |name: &str, raw: &RawValue| !known.contains(&name) && raw.get() != "null";
        let others = self.0.iter().filter(|(name, raw)| unknown(name, raw));
        others.map(|(name, raw)| (name.clone().into_owned(), Raw::from(*raw))).collect()
    }

    /// The string `name`, or an error that names it.
    pub(crate) fn required_text(&self, name: &str, path: &str) -> Result<String, TranslateError> {
        let text = typed(self.required(name, path)?, &format!("{path}.{name}"), "a string")?;
        Ok(text.unwrap_or_default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

const FEW: usize = 16;

impl<'de> Visitor<'de> for Members {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
        let mut names = HashSet::new();
        while let Some((Name(name), raw)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            // Few names are compared faster than hashed.
            let is_new = if members.len() < FEW {
                members.iter().all(|(other, _)| *other != name)
            } else {
                if names.is_empty() {
                    names.extend(members.iter().map(|(name, _)| name.clone()));
                }
                names.insert(name.clone())
            };
            // Parsers disagree on which of two equal names counts, so neither may.
            if !is_new {
                return Err(A::Error::custom(format!("the member {name:?} is given twice")));
            }
            members.push((name, raw));
        }
        Ok(Fields(members))
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The elements of the list at `path`; `null` is an empty list.
pub(crate) fn list<'a>(raw: &'a RawValue, path: &str) -> Result<Vec<&'a RawValue>, TranslateError> {
    let elements: Option<Vec<&RawValue>> =
        serde_json::from_str(raw.get()).map_err(|_| malformed(path, "must be a list"))?;
    Ok(elements.unwrap_or_default())
}

/// The elements of the list at `path`, which are objects, read in one pass.
pub(crate) fn objects<'a>(raw: &'a RawValue, path: &str) -> Result<Vec<Fields<'a>>, TranslateError> {
    if let Ok(objects) = serde_json::from_str::<Option<Vec<Fields<'a>>>>(raw.get()) {
        return Ok(objects.unwrap_or_default());
    }
    // One by one, to say which of them is none.
    let elements = list(raw, path)?.into_iter().enumerate();
    elements.map(|(at, raw)| Fields::read(raw, &format!("{path}[{at}]"))).collect()
}

/// The value at `path` as a `T`; `null` is absent.
pub(crate) fn typed<T: DeserializeOwned>(
    raw: &RawValue,
    path: &str,
    what: &str,
) -> Result<Option<T>, TranslateError> {
    serde_json::from_str(raw.get()).map_err(|_| malformed(path, &format!("must be {what}")))
}

pub(crate) fn malformed(field: &str, problem: &str) -> TranslateError {
    TranslateError::Malformed { field: field.to_owned(), problem: problem.to_owned() }
}
