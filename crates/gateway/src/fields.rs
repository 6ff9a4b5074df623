//! Fields of an HTTP head as they are written: `name: value` and a line break, one after the other. What is
//! passed on as it came, or is the same in every reply, is copied and never becomes a map.
//!
//! Not for heads that are asked for many names, such as a client's: those are maps.

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;

use std::fmt;

use bytes::{BufMut, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use memchr::memchr;

/// Fields in their order, names in lower case; a name may come twice. Every way in takes a name and a value that
/// have been checked, so no value can end its line.
#[derive(Clone, Default)]
pub struct Fields(BytesMut);

/// One of [`Fields`].
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

impl Fields {
    /// No fields, and room for some bytes of them.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(BytesMut::with_capacity(bytes))
    }

    /// The lines, each with its line break.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value of the first field of that name (in lower case); `?` if it is not text.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.iter().find(|field| field.name == name.as_bytes())?;
        Some(std::str::from_utf8(found.value).unwrap_or("?"))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (line, more) = rest.split_at_checked(memchr(b'\n', rest)? + 1)?;
            rest = more;
            let (name, value) = line.split_at_checked(memchr(b':', line)?)?;
            Some(Field { name, value: value.strip_prefix(b": ")?.strip_suffix(b"\r\n")? })
        })
    }

    /// Adds a field.
    pub(crate) fn push(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.line(b"", name.as_str().as_bytes(), value.as_bytes());
    }

    /// Adds a field of a head that was parsed.
    pub(crate) fn push_parsed(&mut self, field: &httparse::Header<'_>) {
        let start = self.0.len();
        self.line(b"", field.name.as_bytes(), field.value);
        self.0[start..start + field.name.len()].make_ascii_lowercase();
    }

    /// Adds a number, see [`Decimal`].
    pub(crate) fn push_decimal(&mut self, name: &HeaderName, value: &Decimal) {
        self.line(b"", name.as_str().as_bytes(), value.as_bytes());
    }

    /// Adds a field of another head, its name behind `prefix`.
    pub(crate) fn push_under(&mut self, prefix: &'static str, field: Field<'_>) {
        self.line(prefix.as_bytes(), field.name, field.value);
    }

    /// Adds all of `others`.
    pub(crate) fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    /// Removes all fields of that name (in lower case).
    pub(crate) fn remove(&mut self, name: &str) {
        let mut kept = Self::with_capacity(self.0.len());
        for field in self.iter().filter(|field| field.name != name.as_bytes()) {
            kept.push_under("", field);
        }
        *self = kept;
    }

    /// Adds the fields to a map; what the map has already stays as it is.
    pub fn spread(&self, headers: &mut HeaderMap) {
        let mut all = HeaderMap::new();
        for Field { name, value } in self.iter() {
            // Too long for the map, at most.
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
                all.append(name, value);
            }
        }
        all.extend(std::mem::take(headers));
        *headers = all;
    }

    fn line(&mut self, prefix: &[u8], name: &[u8], value: &[u8]) {
        self.0.reserve(prefix.len() + name.len() + value.len() + 4);
        for part in [prefix, name, b": ", value, b"\r\n"] {
            self.0.put_slice(part);
        }
    }
}

impl Field<'_> {
    pub(crate) fn name(&self) -> &[u8] {
        self.name
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.value
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fields").field(&String::from_utf8_lossy(&self.0)).finish()
    }
}

/// A number as a person writes it. Written by hand: formatting machinery costs more than the rest of a field.
pub(crate) struct Decimal {
    text: [u8; 32],
    start: usize,
}

impl Decimal {
    /// `value` units of `10^-places`, as a plain decimal without needless zeros (`0.00007`), but with at least
    /// `fewest` decimals.
    pub(crate) fn new(value: u64, places: usize, fewest: usize) -> Self {
        let mut text = [b'0'; 32];
        let mut at = text.len();
        let (mut rest, mut written, mut significant) = (value, 0, false);
        while rest > 0 || written <= places {
            let digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            significant |= digit != b'0' || written >= places || places - written <= fewest;
            if significant {
                at -= 1;
                text[at] = digit;
            }
            written += 1;
            if written == places && at < text.len() {
                at -= 1;
                text[at] = b'.';
            }
        }
        Self { text, start: at }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }
}

impl From<Decimal> for HeaderValue {
    fn from(decimal: Decimal) -> Self {
        Self::from_bytes(decimal.as_bytes()).unwrap_or(Self::from_static("0"))
    }
}
