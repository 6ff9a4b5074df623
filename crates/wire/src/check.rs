//! JSON text of a client, checked and located in one pass: is it JSON, how deep is it nested, where do the
//! fields of its outermost object lie. No tree is built and nothing is decoded.
//!
//! As strict as `serde_json`: what passes here, a parser downstream reads too. UTF-8 is the caller's to check.
//! For replies, which are not judged, see [`crate::scan`].

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;

use std::ops::Range;

use memchr::memchr2;

/// Bytes of a string that are looked at one by one before a wide search pays off.
const SHORT: usize = 16;

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is not a JSON object.
    NotJson,
    /// It is nested deeper than allowed.
    TooDeep,
}

/// Where a field of the outermost object lies: its name between the quotes, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: Range<usize>,
    pub(crate) value: Range<usize>,
}

/// Checks `json`, which is one object nested at most `most_depth` levels, itself included, and calls `each`
/// with every field of it; `each` stops the reading by an error of its own.
pub(crate) fn object<E: From<Flaw>>(
    json: &[u8],
    most_depth: usize,
    mut each: impl FnMut(Place) -> Result<(), E>,
) -> Result<(), E> {
    let mut reader = Reader { json, at: 0, most_depth };
    if reader.peek() != Some(b'{') || most_depth == 0 {
        return Err(Flaw::NotJson.into());
    }
    reader.fields(1, &mut each)?;
    match reader.peek() {
        None => Ok(()),
        Some(_) => Err(Flaw::NotJson.into()),
    }
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
    most_depth: usize,
}

impl Reader<'_> {
    /// The next byte that is not blank.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.json.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    /// Steps over `wanted`, which must come next.
    fn expect(&mut self, wanted: u8) -> Result<(), Flaw> {
        if self.peek() != Some(wanted) {
            return Err(Flaw::NotJson);
        }
        self.at += 1;
        Ok(())
    }

    /// Whether another element follows in a container that ends with `close`; steps over the comma or the end.
    fn another(&mut self, close: u8, first: bool) -> Result<bool, Flaw> {
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(_) if first => Ok(true),
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(_) | None => Err(Flaw::NotJson),
        }
    }

    /// The fields of an object at level `depth`, from its brace on.
    fn fields<E: From<Flaw>>(
        &mut self,
        depth: usize,
        each: &mut impl FnMut(Place) -> Result<(), E>,
    ) -> Result<(), E> {
        self.at += 1;
        let mut first = true;
        while self.another(b'}', first)? {
            first = false;
            if self.peek() != Some(b'"') {
                return Err(Flaw::NotJson.into());
            }
            let name = self.at + 1;
            self.string()?;
            let name = name..self.at - 1;
            self.expect(b':')?;
            self.peek();
            let value = self.at;
            self.value(depth)?;
            each(Place { name, value: value..self.at })?;
        }
        Ok(())
    }

    /// A value inside a container at level `depth`, its first byte being next.
    fn value(&mut self, depth: usize) -> Result<(), Flaw> {
        match self.json.get(self.at) {
            Some(b'"') => self.string(),
            Some(b'{' | b'[') if depth == self.most_depth => Err(Flaw::TooDeep),
            Some(b'{') => self.fields(depth + 1, &mut |_| Ok::<(), Flaw>(())),
            Some(b'[') => self.elements(depth + 1),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(_) | None => Err(Flaw::NotJson),
        }
    }

    fn elements(&mut self, depth: usize) -> Result<(), Flaw> {
        self.at += 1;
        let mut first = true;
        while self.another(b']', first)? {
            first = false;
            self.peek();
            self.value(depth)?;
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Flaw> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(Flaw::NotJson);
        }
        self.at += word.len();
        Ok(())
    }

    /// A string, from its opening quote on.
    fn string(&mut self) -> Result<(), Flaw> {
        self.at += 1;
        loop {
            let rest = self.json.get(self.at..).unwrap_or_default();
            let length = plain(rest).ok_or(Flaw::NotJson)?;
            self.at += length + 1;
            if rest[length] == b'"' {
                return Ok(());
            }
            match self.json.get(self.at) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                Some(b'u') => {
                    let digits = self.json.get(self.at + 1..self.at + 5).ok_or(Flaw::NotJson)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return Err(Flaw::NotJson);
                    }
                    self.at += 5;
                }
                Some(_) | None => return Err(Flaw::NotJson),
            }
        }
    }

    fn number(&mut self) -> Result<(), Flaw> {
        if self.json.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.json.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.json.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.json.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.json.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        while self.json.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start { Err(Flaw::NotJson) } else { Ok(()) }
    }
}

/// How many bytes come before the next quote or backslash; `None` if there is none, or a control character
/// before it.
fn plain(rest: &[u8]) -> Option<usize> {
    for (length, byte) in rest.iter().enumerate().take(SHORT) {
        match byte {
            b'"' | b'\\' => return Some(length),
            0..b' ' => return None,
            _ => {}
        }
    }
    let rest = rest.get(SHORT..)?;
    let length = memchr2(b'"', b'\\', rest)?;
    // A minimum, because it is computed many bytes at a time; a search that may stop early is not.
    let least = rest[..length].iter().fold(u8::MAX, |least, byte| least.min(*byte));
    (least >= b' ').then_some(SHORT + length)
}
