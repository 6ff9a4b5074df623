//! JSON objects of Google's API: read in either spelling of their names, written member by member.

use std::borrow::Cow;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::fault::TranslateError;
use crate::openai_chat::{Fields, malformed};
use crate::raw::Raw;

/// The members of the object at `path`, named in camel case whichever way the caller spelled them.
pub(super) fn read<'a>(raw: &'a RawValue, path: &str) -> Result<Fields<'a>, TranslateError> {
    camel(Fields::read(raw, path)?, path)
}

/// The same members, named in camel case. Google's servers take both spellings of a name, but not both at once.
pub(super) fn camel<'a>(fields: Fields<'a>, path: &str) -> Result<Fields<'a>, TranslateError> {
    let mut members: Vec<(Cow<'a, str>, &'a RawValue)> = Vec::with_capacity(fields.0.len());
    for (name, raw) in fields.0 {
        let name = if name.contains('_') { Cow::Owned(camel_name(&name)) } else { name };
        if members.iter().any(|(other, _)| *other == name) {
            return Err(malformed(path, &format!("the member {name:?} is given in two spellings")));
        }
        members.push((name, raw));
    }
    Ok(Fields(members))
}

/// `name` in camel case.
pub(super) fn camel_name(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            letter if upper => {
                camel.push(letter.to_ascii_uppercase());
                upper = false;
            }
            letter => camel.push(letter),
        }
    }
    camel
}

/// An object that is being written; the first value of a name stays.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<(String, Raw)>);

impl Members {
    /// Sets `name`, unless it is set.
    pub(super) fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), TranslateError> {
        if !self.has(name) {
            let raw = Raw::of(value).map_err(|error| malformed(name, &error.to_string()))?;
            self.0.push((name.to_owned(), raw));
        }
        Ok(())
    }

    /// Sets `name` where there is a value.
    pub(super) fn some<T: Serialize>(&mut self, name: &str, value: Option<T>) -> Result<(), TranslateError> {
        value.map_or(Ok(()), |value| self.set(name, &value))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(other, _)| other == name)
    }

    /// The members, written into an object that is being written.
    pub(super) fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.0.iter().try_for_each(|(name, raw)| map.serialize_entry(name, raw))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.entries(&mut map)?;
        map.end()
    }
}
