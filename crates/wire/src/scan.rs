//! The outside of a JSON object, located without reading its inside: where each top-level value lies.
//!
//! Not a validator: brackets must balance and strings must end, what is between them is not judged. For
//! replies that are passed on as they came; what a client sends is validated, see [`crate::envelope`].

use std::ops::Range;

use memchr::memchr2;

/// `bytes` as text, if that is what they are.
#[must_use]
pub fn text(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(bytes).ok()
}

/// Calls `each` with the name (as spelled, escapes and all) and the place of every top-level value.
///
/// # Errors
/// What is wrong with the outside of the object.
pub fn object<'a>(text: &'a str, mut each: impl FnMut(&'a str, Range<usize>)) -> Result<(), &'static str> {
    let json = text.as_bytes();
    let mut at = expect(json, 0, b'{')?;
    if peek(json, at) == Some(b'}') {
        return end(json, expect(json, at, b'}')?);
    }
    loop {
        let name_start = expect(json, at, b'"')?;
        let name_end = string_end(json, name_start).ok_or("a name does not end")?;
        let start = blank(json, expect(json, name_end + 1, b':')?);
        let stop = value_end(json, start)?;
        each(text.get(name_start..name_end).unwrap_or_default(), start..stop);
        at = blank(json, stop);
        match json.get(at) {
            Some(b',') => at += 1,
            Some(b'}') => return end(json, at + 1),
            Some(_) => return Err("a comma is missing between two fields"),
            None => return Err("it ends in the middle"),
        }
    }
}

/// The index of the quote that ends the string whose content begins at `from`.
fn string_end(json: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr2(b'"', b'\\', json.get(at..)?)?;
        if json[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// One past the last byte of the value that begins at `at`.
fn value_end(json: &[u8], at: usize) -> Result<usize, &'static str> {
    match json.get(at) {
        Some(b'"') => string_end(json, at + 1).map(|quote| quote + 1).ok_or("a text does not end"),
        Some(b'{' | b'[') => container_end(json, at),
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            let rest = json.get(at..).unwrap_or_default();
            let length = rest.iter().position(|byte| b",}] \n\r\t".contains(byte)).unwrap_or(rest.len());
            Ok(at + length)
        }
        Some(_) => Err("something is not a value"),
        None => Err("it ends in the middle"),
    }
}

fn container_end(json: &[u8], from: usize) -> Result<usize, &'static str> {
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => at = string_end(json, at + 1).ok_or("a text does not end")?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Err("it ends in the middle")
}

fn end(json: &[u8], at: usize) -> Result<(), &'static str> {
    if blank(json, at) == json.len() { Ok(()) } else { Err("something follows the object") }
}

/// One past `wanted`, which must come next.
fn expect(json: &[u8], at: usize, wanted: u8) -> Result<usize, &'static str> {
    let at = blank(json, at);
    match json.get(at) {
        Some(byte) if *byte == wanted => Ok(at + 1),
        Some(_) => Err("it is not a JSON object"),
        None => Err("it ends in the middle"),
    }
}

fn peek(json: &[u8], at: usize) -> Option<u8> {
    json.get(blank(json, at)).copied()
}

fn blank(json: &[u8], mut at: usize) -> usize {
    while json.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
