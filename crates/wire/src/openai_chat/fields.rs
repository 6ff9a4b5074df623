//! JSON objects of hostile origin, read member by member with errors that name the path.
//!
//! Paths are whatever can be written, and only written for an error: a conversation has thousands of fields.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::{self, Display};

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::fault::TranslateError;
use crate::raw::Raw;
use crate::scan;

/// The members of a JSON object in the order they were written, values verbatim.
pub(crate) struct Fields<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The members of a request body.
    pub(crate) fn of_body(body: &'a [u8]) -> Result<Self, TranslateError> {
        serde_json::from_slice(body).map_err(|error| malformed("body", &error.to_string()))
    }

    /// The members of a request body, and its list `name` of objects, which is most of it and so read in one pass.
    pub(crate) fn of_body_and(body: &'a [u8], name: &str) -> Result<(Self, Vec<Self>), TranslateError> {
        if let Some(text) = scan::text(body)
            && let Ok(Body(fields, Some(list))) = Body::read(text, name)
        {
            return Ok((fields, list));
        }
        // Once more, to say what is wrong.
        let fields = Self::of_body(body)?;
        let list = fields.get(name).ok_or_else(|| malformed(name, "is required"))?;
        Ok((fields, objects(list, name)?))
    }

    /// The members of the object at `path`.
    pub(crate) fn read(raw: &'a RawValue, path: impl Display) -> Result<Self, TranslateError> {
        if !raw.get().starts_with('{') {
            return Err(malformed(path, "must be an object"));
        }
        serde_json::from_str(raw.get()).map_err(|error| malformed(path, &error.to_string()))
    }

    /// The same, where `null` means absent.
    pub(crate) fn optional(raw: &'a RawValue, path: impl Display) -> Result<Option<Self>, TranslateError> {
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
        path: impl Display,
        what: &str,
    ) -> Result<Option<T>, TranslateError> {
        self.get(name).map_or(Ok(None), |raw| typed(raw, format_args!("{path}.{name}"), what))
    }

    /// The member `name`, or an error that names it.
    pub(crate) fn required(&self, name: &str, path: impl Display) -> Result<&'a RawValue, TranslateError> {
        self.get(name).ok_or_else(|| malformed(format_args!("{path}.{name}"), "is required"))
    }

    /// The members besides `known` that have a value, verbatim.
    pub(crate) fn others(&self, known: &[&str]) -> Vec<(String, Raw)> {
        let unknown = |name: &str, raw: &RawValue| !known.contains(&name) && raw.get() != "null";
        let others = self.0.iter().filter(|(name, raw)| unknown(name, raw));
        others.map(|(name, raw)| (name.clone().into_owned(), Raw::from(*raw))).collect()
    }

    /// The string `name`, or an error that names it; a word of the format is not copied.
    pub(crate) fn required_word(
        &self,
        name: &str,
        path: impl Display,
    ) -> Result<Cow<'a, str>, TranslateError> {
        let raw = self.required(name, &path)?;
        let word = serde_json::from_str(raw.get()).map(|Name(word)| word);
        word.map_err(|_| malformed(format_args!("{path}.{name}"), "must be a string"))
    }

    /// The string `name`, or an error that names it.
    pub(crate) fn required_text(&self, name: &str, path: impl Display) -> Result<String, TranslateError> {
        let raw = self.required(name, &path)?;
        Ok(typed(raw, format_args!("{path}.{name}"), "a string")?.unwrap_or_default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members { list: None }).map(|Body(fields, _)| fields)
    }
}

/// An object, and one member of it that is a list of objects.
struct Body<'a>(Fields<'a>, Option<Vec<Fields<'a>>>);

impl<'a> Body<'a> {
    fn read(text: &'a str, list: &str) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let body = reader.deserialize_map(Members { list: Some(list) })?;
        reader.end().map(|()| body)
    }
}

/// Reads an object, and the member `list` of it as a list of objects.
struct Members<'n> {
    list: Option<&'n str>,
}

const FEW: usize = 16;

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
        let mut names = HashSet::new();
        let mut list = None;
        while let Some(Name(name)) = map.next_key()? {
            if self.list == Some(name.as_ref()) && list.is_none() {
                list = Some(map.next_value()?);
                continue;
            }
            let raw = map.next_value()?;
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
            if !is_new || self.list == Some(name.as_ref()) {
                return Err(A::Error::custom(format!("the member {name:?} is given twice")));
            }
            members.push((name, raw));
        }
        Ok(Body(Fields(members), list))
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The elements of the list at `path`; `null` is an empty list.
pub(crate) fn list(raw: &RawValue, path: impl Display) -> Result<Vec<&RawValue>, TranslateError> {
    let elements: Option<Vec<&RawValue>> =
        serde_json::from_str(raw.get()).map_err(|_| malformed(path, "must be a list"))?;
    Ok(elements.unwrap_or_default())
}

/// The elements of the list at `path`, which are objects, read in one pass.
pub(crate) fn objects(raw: &RawValue, path: impl Display) -> Result<Vec<Fields<'_>>, TranslateError> {
    if let Ok(objects) = serde_json::from_str::<Option<Vec<Fields<'_>>>>(raw.get()) {
        return Ok(objects.unwrap_or_default());
    }
    // One by one, to say which of them is none.
    let elements = list(raw, &path)?.into_iter().enumerate();
    elements.map(|(at, raw)| Fields::read(raw, format_args!("{path}[{at}]"))).collect()
}

/// The value at `path` as a `T`; `null` is absent.
pub(crate) fn typed<T: DeserializeOwned>(
    raw: &RawValue,
    path: impl Display,
    what: &str,
) -> Result<Option<T>, TranslateError> {
    serde_json::from_str(raw.get()).map_err(|_| malformed(path, &format!("must be {what}")))
}

pub(crate) fn malformed(field: impl Display, problem: &str) -> TranslateError {
    TranslateError::Malformed { field: field.to_string(), problem: problem.to_owned() }
}
