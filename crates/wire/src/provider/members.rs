//! The members of one JSON object as text, so that what nobody edits is written back as it came. Values are
//! looked into only by those who edit them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// An object's members in their order, duplicates included.
pub(crate) struct Members<'a> {
    /// Keys keep their quotes and escapes.
    members: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    edited: bool,
}

impl<'a> Members<'a> {
    /// The members of `json`.
    pub(crate) fn read(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// The members of `json`; `None` if it is no object.
    pub(crate) fn of(json: &'a str) -> Option<Self> {
        if !json.trim_start().starts_with('{') {
            return None;
        }
        serde_json::from_str(json).ok()
    }

    /// The JSON text of `name`'s value; of the last one, as most parsers read duplicates.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.members.iter().rev().find(|(key, _)| is(key, name)).map(|(_, value)| value.as_ref())
    }

    /// Like `get`, with null read as absent.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| *value != "null")
    }

    /// Whether `name` is the JSON string `text`.
    pub(crate) fn says(&self, name: &str, text: &str) -> bool {
        self.get(name).is_some_and(|value| is(value, text))
    }

    /// Takes out every `name`.
    pub(crate) fn remove(&mut self, name: &str) {
        self.retain(|key, _| !is(key, name));
    }

    /// Keeps the members that `keep` says yes to, given the key (quoted) and the value.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str, &str) -> bool) {
        let before = self.members.len();
        self.members.retain(|(key, value)| keep(key, value));
        self.edited |= self.members.len() != before;
    }

    /// Gives every `name` the value `json`, or adds one at the end.
    pub(crate) fn set(&mut self, name: &str, json: String) {
        self.edited = true;
        let mut found = false;
        for (_, value) in self.members.iter_mut().filter(|(key, _)| is(key, name)) {
            *value = Cow::Owned(json.clone());
            found = true;
        }
        if !found {
            self.members.push((Cow::Owned(format!("\"{name}\"")), Cow::Owned(json)));
        }
    }

    /// Rewrites every value for which `edit`, given the key (quoted) and the value, has another.
    pub(crate) fn rewrite(&mut self, edit: impl Fn(&str, &str) -> Option<String>) {
        for (key, value) in &mut self.members {
            if let Some(json) = edit(key, value) {
                *value = Cow::Owned(json);
                self.edited = true;
            }
        }
    }

    /// Calls every `from` `to`, in its place.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        for (key, _) in self.members.iter_mut().filter(|(key, _)| is(key, from)) {
            *key = Cow::Owned(format!("\"{to}\""));
            self.edited = true;
        }
    }

    /// The object's text, if it was edited.
    pub(crate) fn edited(self) -> Option<String> {
        if !self.edited {
            return None;
        }
        let length: usize = self.members.iter().map(|(key, value)| key.len() + value.len() + 2).sum();
        let mut text = String::with_capacity(length + 2);
        text.push('{');
        for (at, (key, value)) in self.members.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(key);
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        Some(text)
    }
}

/// Whether the JSON string `quoted` is `text`, escapes included.
pub(crate) fn is(quoted: &str, text: &str) -> bool {
    let Some(inner) = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    inner == text
        || (inner.contains('\\') && serde_json::from_str::<String>(quoted).is_ok_and(|it| it == text))
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((Cow::Borrowed(key.get()), Cow::Borrowed(value.get())));
                }
                Ok(Members { members, edited: false })
            }
        }
        deserializer.deserialize_map(Texts)
    }
}
