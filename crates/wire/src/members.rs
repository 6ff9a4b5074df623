//! A JSON object under construction. Not for editing one that came from elsewhere: that is spliced, see
//! [`crate::envelope`].

use std::collections::HashMap;

use bytes::Bytes;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Deserializer, Serialize};

use crate::fault::TranslateError;
use crate::openai_chat::{Fields, malformed};
use crate::raw::Raw;

/// Members of a JSON object under construction; setting one again replaces it.
#[derive(Clone, Default)]
pub(crate) struct Members {
    members: Vec<(String, Raw)>,
    /// Where each name stands: callers choose many of them, so they are not searched for one by one.
    places: HashMap<String, usize>,
}

impl Members {
    pub(crate) fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), TranslateError> {
        let raw = Raw::of(value).map_err(|error| malformed(name, &error.to_string()))?;
        self.put(name.to_owned(), raw);
        Ok(())
    }

    fn put(&mut self, name: String, raw: Raw) {
        match self.places.get(&name).and_then(|at| self.members.get_mut(*at)) {
            Some((_, old)) => *old = raw,
            None => {
                self.places.insert(name.clone(), self.members.len());
                self.members.push((name, raw));
            }
        }
    }

    pub(crate) fn set_some<T: Serialize>(
        &mut self,
        name: &str,
        value: Option<T>,
    ) -> Result<(), TranslateError> {
        value.map_or(Ok(()), |value| self.set(name, &value))
    }

    /// Takes over the members of the JSON object `raw`.
    pub(crate) fn merge(&mut self, raw: &Raw, path: &str) -> Result<(), TranslateError> {
        let Self { members, .. } =
            serde_json::from_str(raw.text()).map_err(|_| malformed(path, "must be an object"))?;
        members.into_iter().for_each(|(name, raw)| self.put(name, raw));
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Its length as text, in bytes, roughly.
    pub(crate) fn size(&self) -> usize {
        self.members.iter().map(|(name, raw)| name.len() + raw.text().len() + 4).sum()
    }

    pub(crate) fn body(&self) -> Result<Bytes, TranslateError> {
        let body = serde_json::to_vec(self).map_err(|error| malformed("body", &error.to_string()))?;
        Ok(Bytes::from(body))
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, raw) in &self.members {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let mut members = Self::default();
        fields.0.into_iter().for_each(|(name, raw)| members.put(name.into_owned(), Raw::from(raw)));
        Ok(members)
    }
}
