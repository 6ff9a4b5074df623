//! Which requests are plain: a POST to a model's route with one Content-Length and nothing about the connection
//! that needs thought. Everything else is left as it is, unjudged.

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;

use std::mem::MaybeUninit;

use bytes::{Buf, BytesMut};
use gateway::endpoint::{self, Endpoint, Found};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Uri};

/// Fields of a head, as many as the general server takes.
const MOST_FIELDS: usize = 100;
/// Room for the fields that are usual.
const USUAL_FIELDS: usize = 12;

/// What the bytes at hand are.
#[expect(clippy::large_enum_variant, reason = "nearly every one is the large one, and is moved once")]
#[derive(Debug)]
pub(super) enum Next {
    /// The head of a plain call, taken from them.
    Plain(Ask),
    /// Not plain.
    Other,
    /// A head that is not complete yet.
    More,
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) endpoint: Endpoint,
    pub(super) head: Parts,
    /// Bytes of the body.
    pub(super) length: u64,
}

/// Takes a head from `input` if it is a plain call's.
pub(super) fn take(input: &mut BytesMut) -> Next {
    let mut space = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(input, &mut space) {
        Ok(httparse::Status::Complete(end)) => match plain(&request) {
            Some(ask) => {
                input.advance(end);
                Next::Plain(ask)
            }
            None => Next::Other,
        },
        Ok(httparse::Status::Partial) => Next::More,
        Err(_) => Next::Other,
    }
}

fn plain(request: &httparse::Request<'_, '_>) -> Option<Ask> {
    if request.method != Some("POST") || request.version != Some(1) {
        return None;
    }
    let target = request.path.filter(|target| target.starts_with('/'))?;
    let path = target.split('?').next().unwrap_or(target);
    let Found::Endpoint(endpoint) = endpoint::find(&Method::POST, path)? else { return None };
    let mut headers = HeaderMap::with_capacity(request.headers.len().max(USUAL_FIELDS));
    let mut length = None;
    for field in &*request.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        match name {
            header::CONTENT_LENGTH if length.is_some() => return None,
            header::CONTENT_LENGTH => length = Some(number(field.value)?),
            header::CONNECTION if !field.value.eq_ignore_ascii_case(b"keep-alive") => return None,
            header::TRANSFER_ENCODING | header::EXPECT | header::UPGRADE => return None,
            _ => {}
        }
        headers.append(name, HeaderValue::from_bytes(field.value).ok()?);
    }
    let (mut head, ()) = Request::new(()).into_parts();
    head.method = Method::POST;
    head.uri = Uri::try_from(target).ok()?;
    head.headers = headers;
    Some(Ask { endpoint, head, length: length? })
}

/// Digits only: `parse` alone would take a sign.
fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
