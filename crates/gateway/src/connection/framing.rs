//! Where an HTTP/1.1 body ends, and what in it is data. Bytes in, bytes out: no IO.
//!
//! Strict: a peer that frames a body in a way that two readers could understand differently is not read on,
//! because what follows would be taken for another caller's answer.

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;

use bytes::{Buf, Bytes, BytesMut};

use super::head::NotHttp;

/// A chunk's size line, extensions included, and the trailers may be this long.
const MOST_LINE: usize = 4 << 10;
const MOST_TRAILERS: usize = 16 << 10;

/// How much of a body is still to come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// This many bytes.
    Length(u64),
    /// Chunks.
    Chunked(Chunked),
    /// Whatever comes until the connection closes.
    Close,
}

/// Where in a chunked body its reader stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunked {
    /// Before a chunk's size.
    Size,
    /// Within a chunk's data, this many bytes before its end.
    Data(u64),
    /// Before the line break that ends a chunk.
    Break,
    /// Behind the last chunk, after this many bytes of trailers.
    Trailers(usize),
    /// Behind everything.
    End,
}

/// What was found in the bytes at hand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Data.
    Data(Bytes),
    /// Nothing: more bytes are needed.
    More,
    /// The end of the body.
    End,
}

impl Framing {
    /// The next data in `input`, which is taken from it.
    pub(super) fn step(&mut self, input: &mut BytesMut) -> Result<Step, NotHttp> {
        match self {
            Self::Length(0) => Ok(Step::End),
            Self::Length(left) => Ok(data(left, input)),
            Self::Chunked(chunked) => chunked.step(input),
            Self::Close if input.is_empty() => Ok(Step::More),
            Self::Close => Ok(Step::Data(input.split().freeze())),
        }
    }

    /// Whether the body may end with the connection.
    pub(super) fn ends_by_close(&self) -> bool {
        matches!(self, Self::Close | Self::Length(0) | Self::Chunked(Chunked::End))
    }

    /// How many bytes are announced, as far as that is known.
    pub(super) fn announced(&self) -> Option<u64> {
        match self {
            Self::Length(length) => Some(*length),
            Self::Chunked(_) | Self::Close => None,
        }
    }
}

impl Chunked {
    fn step(&mut self, input: &mut BytesMut) -> Result<Step, NotHttp> {
        loop {
            match self {
                Self::End => return Ok(Step::End),
                Self::Data(0) => *self = Self::Break,
                Self::Data(left) => return Ok(data(left, input)),
                Self::Size => {
                    let Some(length) = line(input, MOST_LINE)? else { return Ok(Step::More) };
                    let size = size(&input[..length])?;
                    input.advance(length + 2);
                    *self = if size == 0 { Self::Trailers(0) } else { Self::Data(size) };
                }
                Self::Break => {
                    let Some(length) = line(input, 0)? else { return Ok(Step::More) };
                    input.advance(length + 2);
                    *self = Self::Size;
                }
                Self::Trailers(seen) => {
                    let Some(length) = line(input, MOST_TRAILERS - *seen)? else { return Ok(Step::More) };
                    input.advance(length + 2);
                    *seen += length;
                    if length == 0 {
                        *self = Self::End;
                    }
                }
            }
        }
    }
}

fn data(left: &mut u64, input: &mut BytesMut) -> Step {
    if input.is_empty() {
        return Step::More;
    }
    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    *left -= here as u64;
    Step::Data(input.split_to(here).freeze())
}

/// The length of the line at the front of `input`, without its CR LF; `None` until it is complete.
fn line(input: &[u8], most: usize) -> Result<Option<usize>, NotHttp> {
    let seen = &input[..input.len().min(most + 2)];
    match memchr::memchr2(b'\r', b'\n', seen) {
        Some(length) if seen[length] == b'\r' => match seen.get(length + 1) {
            Some(b'\n') => Ok(Some(length)),
            None if seen.len() < most + 2 => Ok(None),
            Some(_) | None => Err(NotHttp::Chunk),
        },
        None if seen.len() <= most => Ok(None),
        Some(_) | None => Err(NotHttp::Chunk),
    }
}

/// A chunk's size, in front of its extensions.
fn size(line: &[u8]) -> Result<u64, NotHttp> {
    let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let rest = line[digits..].trim_ascii_start();
    if digits == 0 || !(rest.is_empty() || rest.starts_with(b";")) {
        return Err(NotHttp::Chunk);
    }
    let text = std::str::from_utf8(&line[..digits]).map_err(|_| NotHttp::Chunk)?;
    u64::from_str_radix(text, 16).map_err(|_| NotHttp::Chunk)
}
