//! A JSON object under construction. Not for editing one that came from elsewhere: that is spliced, see
//! [`crate::envelope`].

use bytes::Bytes;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Deserializer, Serialize};

use crate::fault::TranslateError;
use crate::openai_chat::{Fields, malformed};
use crate::raw::Raw;

/// Members of a JSON object under construction; setting one again replaces it.
#[derive(Clone, Default)]
pub(crate) struct Members(Vec<(String, Raw)>);

impl Members {
    pub(crate) fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), TranslateError> {
        let raw = Raw::of(value).map_err(|error| malformed(name, &error.to_string()))?;
        match self.0.iter_mut().find(|(at, _)| at == name) {
            Some((_, old)) => *old = raw,
            None => self.0.push((name.to_owned(), raw)),
        }
        Ok(())
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
        let Members(members) =
            serde_json::from_str(raw.text()).map_err(|_| malformed(path, "must be an object"))?;
        members.iter().try_for_each(|(name, raw)| self.set(name, raw))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn body(&self) -> Result<Bytes, TranslateError> {
        let body = serde_json::to_vec(self).map_err(|error| malformed("body", &error.to_string()))?;
        Ok(Bytes::from(body))
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, raw) in &self.0 {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        Ok(Self(fields.0.into_iter().map(|(name, raw)| (name.into_owned(), Raw::from(raw))).collect()))
    }
}
