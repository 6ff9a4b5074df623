//! The models the world knows: prices, limits, abilities. Ours is carried by the binary; a map in the format of
//! `model_prices_and_context_window.json` can replace it.
//!
//! Rows stay text until they are asked for, because a gateway uses a few dozen of thousands. Not here: what
//! a row's prices mean ([`crate::price`]), and fetching a newer map.

mod find;
mod size;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::io::Read;
use std::sync::Arc;

pub use find::routing_prefix;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// `catalog/models.json` as the build script lays it out: sorted lines `name<TAB>row`, compressed.
static BUNDLED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/models.zlib"));

/// A map is a few megabytes; anything of another order is not one.
const MAX_TEXT_BYTES: usize = 64 << 20;
/// Fewer models than this are a truncated or mistaken file.
const MIN_MODELS: usize = 50;
/// Keys that are not models.
const RESERVED: [&str; 3] = ["_about", "sample_spec", "fallback_generalizations"];

/// Why a text is no catalog, or no replacement for one.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The bundled text cannot be inflated.
    #[error("the bundled model catalog is damaged: {0}")]
    Damaged(#[from] std::io::Error),
    /// Not JSON, or not an object.
    #[error("the model catalog is not a JSON object: {0}")]
    Syntax(#[from] serde_json::Error),
    /// A model whose value is no object.
    #[error("model {name:?} of the model catalog is not an object")]
    NotARow { name: String },
    /// Far beyond what a catalog is.
    #[error("the model catalog has {bytes} bytes, more than {MAX_TEXT_BYTES}")]
    TooLarge { bytes: usize },
    /// Too few models to be one.
    #[error("the model catalog has {models} models, fewer than {MIN_MODELS}")]
    TooSmall { models: usize },
    /// A replacement with less than half the models of what it replaces.
    #[error("the new model catalog has {new} models where the present one has {old}")]
    Shrunk { old: usize, new: usize },
}

/// Rows by model name. A clone shares them.
#[derive(Clone)]
pub struct Catalog {
    text: Arc<str>,
    /// Sorted by [`order`], so that a name is found whatever its letter case.
    entries: Arc<[Entry]>,
}

/// Where one model stands in the text: `name`, one byte, `row`, one byte.
#[derive(Clone, Copy)]
struct Entry {
    name: u32,
    row: u32,
    end: u32,
}

/// One model, not yet read.
#[derive(Clone, Copy)]
struct Line<'a> {
    name: &'a str,
    /// A JSON object.
    row: &'a str,
}

/// One model, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// Its name in the catalog, such as `groq/llama-3.3-70b-versatile`.
    pub name: &'a str,
    /// Its fields as they stand there.
    pub fields: Map<String, Value>,
}

impl Catalog {
    /// The catalog that the binary carries.
    pub fn bundled() -> Result<Self, CatalogError> {
        let mut text = String::with_capacity(BUNDLED.len() * 20);
        flate2::read::ZlibDecoder::new(BUNDLED).read_to_string(&mut text)?;
        let mut entries = Vec::with_capacity(text.len() / 256);
        let mut start = 0;
        for line in text.split_terminator('\n') {
            let row = line.find('\t').map_or(line.len(), |tab| tab + 1);
            entries.push(Entry::at(start, row, line.len()));
            start += line.len() + 1;
        }
        Ok(Self { text: text.into(), entries: entries.into() })
    }

    /// Reads a map of model names to rows.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(CatalogError::TooLarge { bytes: text.len() });
        }
        let mut reader = serde_json::Deserializer::from_str(text);
        let mut lines = reader.deserialize_map(Lines)?;
        reader.end()?;
        // Stable, so of a name that is given twice the last one comes last, and is the one that is kept.
        lines.sort_by(|a, b| order(&a.0, &b.0));
        let kept = lines.iter().zip(lines.iter().skip(1).map(Some).chain([None]));
        let kept = kept.filter(|(line, next)| next.is_none_or(|next| next.0 != line.0)).map(|(line, _)| line);
        let mut catalog = String::with_capacity(text.len());
        let mut entries = Vec::with_capacity(lines.len());
        for (name, row) in kept {
            if !row.get().starts_with('{') {
                return Err(CatalogError::NotARow { name: name.to_string() });
            }
            entries.push(Entry::at(catalog.len(), name.len() + 1, name.len() + 1 + row.get().len()));
            catalog.extend([name, "\t", row.get(), "\n"]);
        }
        match entries.len() {
            models if models < MIN_MODELS => Err(CatalogError::TooSmall { models }),
            _ => Ok(Self { text: catalog.into(), entries: entries.into() }),
        }
    }

    /// Takes `new` in place of `old`, unless it has less than half as many models: then the file was cut, or
    /// is another one.
    pub fn accept_replacement(old: &Self, new: Self) -> Result<Self, CatalogError> {
        if new.len() * 2 < old.len() {
            return Err(CatalogError::Shrunk { old: old.len(), new: new.len() });
        }
        Ok(new)
    }

    /// How many models it has; at least fifty.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a catalog is never empty")]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The names of all models.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lines().map(|line| line.name)
    }

    /// The row of exactly this name, or else the one that differs only in letter case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Row<'_>> {
        self.line(name)?.read()
    }

    /// All rows as one JSON object.
    pub fn write_json(&self, target: &mut impl fmt::Write) -> fmt::Result {
        let mut separator = '{';
        for line in self.lines() {
            write!(target, "{separator}{}:{}", Value::from(line.name), line.row)?;
            separator = ',';
        }
        target.write_char('}')
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.entries.iter().map(|entry| entry.line(&self.text))
    }

    fn line(&self, name: &str) -> Option<Line<'_>> {
        let at = self.entries.partition_point(|entry| order(entry.line(&self.text).name, name).is_lt());
        // Names that differ in case only are neighbours, on either side.
        let found = |at: usize| self.entries.get(at).map(|entry| entry.line(&self.text));
        let alike = |line: &Line<'_>| line.name.eq_ignore_ascii_case(name);
        found(at).filter(alike).or_else(|| found(at.checked_sub(1)?).filter(alike))
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog").field("models", &self.len()).finish()
    }
}

impl Entry {
    /// Offsets of row and end are counted from the start of the line; a text is at most 64 MB long.
    const fn at(start: usize, row: usize, end: usize) -> Self {
        Self { name: start as u32, row: (start + row) as u32, end: (start + end) as u32 }
    }

    fn line(self, text: &str) -> Line<'_> {
        let part = |from: u32, to: u32| text.get(from as usize..to as usize).unwrap_or_default();
        Line { name: part(self.name, self.row.saturating_sub(1)), row: part(self.row, self.end) }
    }
}

impl<'a> Line<'a> {
    /// `None` for a row with a number that no float can hold.
    fn read(self) -> Option<Row<'a>> {
        Some(Row { name: self.name, fields: serde_json::from_str(self.row).ok()? })
    }

    /// `litellm_provider`, without reading the rest.
    fn provider(self) -> Option<Cow<'a, str>> {
        #[derive(serde::Deserialize)]
        struct Peek<'a> {
            #[serde(borrow)]
            litellm_provider: Cow<'a, str>,
        }
        // Our own rows begin with it; going over all of them is then a matter of microseconds.
        let first = self.row.strip_prefix("{\"litellm_provider\":\"").and_then(|rest| rest.split_once('"'));
        match first {
            Some((provider, _)) if !provider.contains('\\') => return Some(Cow::Borrowed(provider)),
            _ => {}
        }
        serde_json::from_str::<Peek<'_>>(self.row).ok().map(|peek| peek.litellm_provider)
    }
}

impl Row<'_> {
    /// Whose row it is (`litellm_provider`). Often no routing prefix: see [`routing_prefix`].
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.text("litellm_provider")
    }

    /// What kind of calls it is for: `chat`, `embedding`, …
    #[must_use]
    pub fn mode(&self) -> Option<&str> {
        self.text("mode")
    }

    /// The longest prompt, in tokens.
    #[must_use]
    pub fn max_input_tokens(&self) -> Option<u64> {
        self.tokens("max_input_tokens")
    }

    /// The longest answer, in tokens.
    #[must_use]
    pub fn max_output_tokens(&self) -> Option<u64> {
        self.tokens("max_output_tokens")
    }

    /// A `supports_…` flag; absent when the catalog does not know.
    #[must_use]
    pub fn flag(&self, field: &str) -> Option<bool> {
        self.fields.get(field)?.as_bool()
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str()
    }

    /// Some counts are written as `4096.0`.
    fn tokens(&self, field: &str) -> Option<u64> {
        let value = self.fields.get(field)?;
        value.as_u64().or_else(|| value.as_f64().filter(|count| *count >= 0.0).map(|count| count as u64))
    }
}

/// By name in lower case, then by the name itself.
fn order(a: &str, b: &str) -> Ordering {
    lower(a).cmp(lower(b)).then_with(|| a.cmp(b))
}

fn lower(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// Reads the models of a map, leaving their rows as text.
struct Lines;

impl<'de> Visitor<'de> for Lines {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of models")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut lines = Vec::new();
        while let Some((name, row)) = map.next_entry::<Cow<'de, str>, &RawValue>()? {
            if !RESERVED.contains(&&*name) {
                lines.push((name, row));
            }
        }
        Ok(lines)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
