//! The outside of a JSON request body: its top-level fields by byte range, and edits spliced into the bytes.
//!
//! Same-format traffic never becomes a tree. The body is validated once (UTF-8, JSON, depth, no duplicate
//! names), its top-level fields are located, and what must change is cut in; every other byte reaches the
//! upstream as the client sent it. Not here: what a field means.

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use serde::de::IgnoredAny;

use crate::check::{self, Flaw, Place};
use crate::scan;

/// A body is refused when it has more top-level fields than this; duplicates are looked for pairwise.
const MOST_FIELDS: usize = 256;
/// Above this size an edited body is sent as slices of the original instead of being copied together.
const COPY_BELOW: usize = 32 << 10;

/// A JSON object body with its top-level fields located.
#[derive(Clone, Debug)]
pub struct Envelope {
    body: Bytes,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
struct Field {
    name: Name,
    value: Range<usize>,
}

/// A field's name: a slice of the body, or its own text where the body spells it with escapes.
#[derive(Clone, Debug)]
enum Name {
    Plain(Range<usize>),
    Escaped(Box<str>),
}

/// Why a body is not an envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON, not UTF-8, or not an object.
    #[error("Invalid JSON payload: {0}")]
    NotJson(String),
    /// The same name twice: two readers could disagree about which one counts.
    #[error("duplicate field `{0}`: send it once")]
    Duplicate(String),
    /// More top-level fields than any API has.
    #[error("more than {MOST_FIELDS} top-level fields")]
    TooManyFields,
    /// Nested deeper than allowed.
    #[error("nested more than {0} levels deep")]
    TooDeep(usize),
}

impl Envelope {
    /// Validates `body` and locates its fields.
    ///
    /// # Errors
    /// See [`EnvelopeError`].
    pub fn read(body: Bytes, max_depth: usize) -> Result<Self, EnvelopeError> {
        let text = simdutf8::compat::from_utf8(&body)
            .map_err(|error| EnvelopeError::NotJson(format!("not UTF-8 at byte {}", error.valid_up_to())))?;
        let mut fields: Vec<Field> = Vec::with_capacity(16);
        let located = check::object(text.as_bytes(), max_depth, |place| add(&mut fields, text, place));
        located.map_err(|refused| match refused {
            Refused::Field(error) => error,
            Refused::Flaw(Flaw::TooDeep) => EnvelopeError::TooDeep(max_depth),
            Refused::Flaw(Flaw::NotJson) => EnvelopeError::NotJson(flaw(text)),
        })?;
        Ok(Self { body, fields })
    }

    /// The whole body, as it came.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The names of the fields, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| self.name(field))
    }

    /// The JSON text of a field.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.find(name).and_then(|field| self.slice(field.value.clone()))
    }

    /// A field that is a JSON string, decoded.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        let raw = self.raw(name)?;
        let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
    }

    /// A field read as any type; `None` when absent, `null` or of another shape.
    #[must_use]
    pub fn get<'a, T: serde::Deserialize<'a>>(&'a self, name: &str) -> Option<T> {
        serde_json::from_str::<Option<T>>(self.raw(name)?).ok().flatten()
    }

    /// Starts a list of changes to this body.
    #[must_use]
    pub fn edit(&self) -> Edits<'_> {
        Edits { envelope: self, removed: Vec::new(), replaced: Vec::new(), added: BytesMut::new() }
    }

    /// Whether a field is there, even as `null`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| self.is_named(field, name))
    }

    fn is_named(&self, field: &Field, name: &str) -> bool {
        match &field.name {
            Name::Plain(range) => self.body.get(range.clone()) == Some(name.as_bytes()),
            Name::Escaped(text) => **text == *name,
        }
    }

    fn name<'a>(&'a self, field: &'a Field) -> &'a str {
        match &field.name {
            Name::Plain(range) => self.slice(range.clone()).unwrap_or_default(),
            Name::Escaped(text) => text,
        }
    }

    /// Ranges are recorded on character boundaries of a body known to be UTF-8.
    fn slice(&self, range: Range<usize>) -> Option<&str> {
        scan::text(self.body.get(range)?)
    }
}

/// Changes to a body, applied in one pass by [`finish`](Self::finish).
#[derive(Debug)]
pub struct Edits<'a> {
    envelope: &'a Envelope,
    removed: Vec<usize>,
    replaced: Vec<(usize, Bytes)>,
    added: BytesMut,
}

impl Edits<'_> {
    /// Removes a field, if it is there.
    pub fn remove(&mut self, name: &str) {
        if let Some(index) = self.index(name) {
            self.removed.push(index);
        }
    }

    /// Sets a field to a JSON text: in place if it is there, else at the end.
    pub fn set(&mut self, name: &str, json: impl Into<Bytes>) {
        match self.index(name) {
            Some(index) => self.replaced.push((index, json.into())),
            None => {
                self.added.extend_from_slice(b",");
                write_json(&mut self.added, name);
                self.added.extend_from_slice(b":");
                self.added.extend_from_slice(&json.into());
            }
        }
    }

    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.replaced.is_empty() && self.added.is_empty()
    }

    /// The changed body, as one or more slices to be sent in order.
    #[must_use]
    pub fn finish(self) -> Vec<Bytes> {
        let body = &self.envelope.body;
        if self.is_empty() {
            return vec![body.clone()];
        }
        let mut pieces = Vec::with_capacity(2 * self.replaced.len() + self.removed.len() + 3);
        let mut from = 0;
        let mut kept = 0_usize;
        for (index, field) in self.envelope.fields.iter().enumerate() {
            if self.removed.contains(&index) {
                pieces.push(body.slice(from..self.cut_start(index)));
                from = field.value.end;
                continue;
            }
            // Removing the first fields leaves the comma that followed them in front of the first one kept.
            if kept == 0 && index > 0 {
                from += body[from..].iter().position(|byte| *byte == b',').map_or(0, |comma| comma + 1);
            }
            kept += 1;
            if let Some((_, json)) = self.replaced.iter().rfind(|(at, _)| *at == index) {
                pieces.push(body.slice(from..field.value.start));
                pieces.push(json.clone());
                from = field.value.end;
            }
        }
        let close = body.iter().rposition(|byte| *byte == b'}').unwrap_or(body.len());
        pieces.push(body.slice(from..close.max(from)));
        if !self.added.is_empty() {
            let added = self.added.freeze();
            pieces.push(if kept == 0 { added.slice(1..) } else { added });
        }
        pieces.push(body.slice(close.max(from)..));
        together(pieces)
    }

    /// Where the cut for a removed field begins: after the value (or brace) before it, so that the comma in
    /// between goes too.
    fn cut_start(&self, index: usize) -> usize {
        match index.checked_sub(1).and_then(|before| self.envelope.fields.get(before)) {
            Some(before) => before.value.end,
            None => self.envelope.body.iter().position(|byte| *byte == b'{').map_or(0, |brace| brace + 1),
        }
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.envelope.fields.iter().position(|field| self.envelope.is_named(field, name))
    }
}

/// One buffer for small bodies, slices for large ones.
fn together(mut pieces: Vec<Bytes>) -> Vec<Bytes> {
    pieces.retain(|piece| !piece.is_empty());
    let length: usize = pieces.iter().map(Bytes::len).sum();
    if length > COPY_BELOW {
        return pieces;
    }
    let mut whole = BytesMut::with_capacity(length);
    for piece in &pieces {
        whole.extend_from_slice(piece);
    }
    vec![whole.freeze()]
}

/// `value` as JSON text. Values are strings, numbers and trees of them, which always have one.
#[must_use]
pub fn json<T: Serialize + ?Sized>(value: &T) -> Bytes {
    let mut out = BytesMut::new();
    write_json(&mut out, value);
    out.freeze()
}

/// Appends `value` as JSON text.
pub fn write_json<T: Serialize + ?Sized>(out: &mut BytesMut, value: &T) {
    use bytes::BufMut;
    // Writing to memory does not fail, and the crate's values have string keys throughout.
    let _ = serde_json::to_writer(out.writer(), value);
}

/// Why the reading of a body stopped.
enum Refused {
    Flaw(Flaw),
    Field(EnvelopeError),
}

impl From<Flaw> for Refused {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

/// Notes a field, unless there are too many or its name is there already.
fn add(fields: &mut Vec<Field>, text: &str, place: Place) -> Result<(), Refused> {
    let spelled = &text[place.name.clone()];
    let name = if spelled.contains('\\') {
        let quoted = &text[place.name.start - 1..=place.name.end];
        // Half of a surrogate pair is JSON to some and not to others.
        let name = serde_json::from_str::<String>(quoted).map_err(|_| Refused::Flaw(Flaw::NotJson))?;
        Name::Escaped(name.into())
    } else {
        Name::Plain(place.name)
    };
    let told = |name: &Name| match name {
        Name::Plain(range) => text[range.clone()].to_owned(),
        Name::Escaped(name) => name.to_string(),
    };
    let same = |field: &&Field| match (&field.name, &name) {
        (Name::Plain(one), Name::Plain(other)) => text[one.clone()] == text[other.clone()],
        (one, other) => told(one) == told(other),
    };
    if fields.len() == MOST_FIELDS {
        return Err(Refused::Field(EnvelopeError::TooManyFields));
    }
    if fields.iter().find(same).is_some() {
        return Err(Refused::Field(EnvelopeError::Duplicate(told(&name).chars().take(64).collect())));
    }
    fields.push(Field { name, value: place.value });
    Ok(())
}

/// What is wrong with a text that is not a JSON object, in a parser's words.
fn flaw(text: &str) -> String {
    let read = serde_json::from_str::<HashMap<String, IgnoredAny>>(text);
    read.map_or_else(|error| error.to_string(), |_| "expected a JSON object".to_owned())
}
