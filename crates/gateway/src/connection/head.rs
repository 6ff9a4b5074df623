//! Heads of HTTP/1.1 messages: a request's is written, an answer's is read. No IO.

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;

use std::mem::MaybeUninit;

use bytes::{Buf, BytesMut};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};

use super::framing::{Chunked, Framing};
use crate::fields::Fields;

/// Bound of an answer's head.
const MOST_HEAD: usize = 256 << 10;
/// Fields of an answer's head.
const MOST_FIELDS: usize = 128;

/// Why an answer is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotHttp {
    #[error("the head of the answer is larger than {MOST_HEAD} bytes")]
    HeadTooLarge,
    #[error("the head of the answer has more than {MOST_FIELDS} fields")]
    TooManyFields,
    #[error("the answer is not HTTP/1.1")]
    Head,
    #[error("the answer says in two ways how long it is")]
    Length,
    #[error("the answer has a Transfer-Encoding other than chunked")]
    Encoding,
    #[error("the answer changes the protocol, which was not asked for")]
    Upgrade,
    #[error("a chunk of the answer is malformed")]
    Chunk,
}

/// The head of an answer.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: Fields,
    pub(super) framing: Framing,
    /// Whether the connection can be used again after the body.
    pub(super) kept: bool,
}

/// The head of a request with a body of `length` bytes.
pub(super) fn write(
    method: &Method,
    target: &str,
    host: &HeaderValue,
    headers: &HeaderMap,
    length: u64,
) -> BytesMut {
    let mut out = BytesMut::with_capacity(512);
    for part in [method.as_str().as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\nhost: ", host.as_bytes()]
    {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(b"\r\n");
    for (name, value) in headers {
        // These are between us and the peer.
        if matches!(*name, header::HOST | header::CONTENT_LENGTH | header::TRANSFER_ENCODING) {
            continue;
        }
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    if length > 0 || !matches!(*method, Method::GET | Method::HEAD) {
        out.extend_from_slice(b"content-length: ");
        out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// Takes the head of an answer to `method` from `input`; `None` until it is complete. `searched` is how far
/// earlier calls have looked for its end; 0 at first.
pub(super) fn take(
    input: &mut BytesMut,
    searched: &mut usize,
    method: &Method,
) -> Result<Option<Head>, NotHttp> {
    let Some(length) = end(input, *searched) else {
        *searched = input.len().saturating_sub(2);
        return if input.len() > MOST_HEAD { Err(NotHttp::HeadTooLarge) } else { Ok(None) };
    };
    *searched = 0;
    if length > MOST_HEAD {
        return Err(NotHttp::HeadTooLarge);
    }
    let head = parse(&input[..length], method)?;
    input.advance(length);
    Ok(Some(head))
}

/// One past the blank line.
fn end(input: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', input.get(from..)?).map(|at| from + at + 1).find_map(|next| {
        match input.get(next..)? {
            [b'\n', ..] => Some(next + 1),
            [b'\r', b'\n', ..] => Some(next + 2),
            _ => None,
        }
    })
}

fn parse(bytes: &[u8], method: &Method) -> Result<Head, NotHttp> {
    let mut space = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut answer = httparse::Response::new(&mut []);
    httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut answer, bytes, &mut space)
        .map_err(|error| match error {
            httparse::Error::TooManyHeaders => NotHttp::TooManyFields,
            _ => NotHttp::Head,
        })?;
    let status = answer.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(NotHttp::Head)?;
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(NotHttp::Upgrade);
    }
    // A blank may be added to every line.
    let mut headers = Fields::with_capacity(bytes.len() + answer.headers.len());
    let mut said = Said::default();
    for field in &*answer.headers {
        said.note(field)?;
        headers.push_parsed(field);
    }
    let is_1_0 = answer.version == Some(0);
    let bodiless = *method == Method::HEAD
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let framing = match (said.chunked, said.length) {
        (true, Some(_)) => return Err(NotHttp::Length),
        (true, None) if is_1_0 => return Err(NotHttp::Encoding),
        _ if bodiless => Framing::Length(0),
        (true, None) => Framing::Chunked(Chunked::Size),
        (false, Some(length)) => Framing::Length(length),
        (false, None) => Framing::Close,
    };
    let kept = framing != Framing::Close && !said.close && (said.keep_alive || !is_1_0);
    Ok(Head { status, headers, framing, kept })
}

/// What a head says about its body and its connection.
#[derive(Default)]
struct Said {
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl Said {
    fn note(&mut self, field: &httparse::Header<'_>) -> Result<(), NotHttp> {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            // Digits only: `parse` alone would take a sign.
            let digits = field.value.iter().all(u8::is_ascii_digit);
            let length =
                std::str::from_utf8(field.value).ok().filter(|_| digits).and_then(|text| text.parse().ok());
            let first = self.length.replace(length.ok_or(NotHttp::Length)?).is_none();
            return if first { Ok(()) } else { Err(NotHttp::Length) };
        }
        if is("transfer-encoding") {
            let first = !std::mem::replace(&mut self.chunked, true);
            let known = field.value.eq_ignore_ascii_case(b"chunked");
            return if first && known { Ok(()) } else { Err(NotHttp::Encoding) };
        }
        if is("connection") {
            for token in field.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                self.close |= token.eq_ignore_ascii_case(b"close");
                self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        Ok(())
    }
}
