//! Amazon's event stream encoding: binary messages of a prelude (two lengths and their checksum), headers, a
//! payload and a checksum of it all, every number big endian. Not for signed messages: only clients send those.
//!
//! A prelude that is damaged ends the stream, for nobody knows where the next message begins; damage behind it is
//! one message's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};

use super::{Frame, FrameError};

/// Goes before the type of a failure, so that no event can be taken for one.
pub(super) const EXCEPTION: &str = "exception/";

/// SageMaker's events carry the bytes of another stream, cut anywhere: they are given in base64.
pub(super) const PAYLOAD_PART: &str = "PayloadPart";

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// One past the first message, if it is complete. `limit` holds for what the prelude announces, so that nothing is
/// gathered for a message that would be refused.
pub(super) fn end(bytes: &[u8], limit: usize) -> Result<Option<usize>, FrameError> {
    let Some(prelude) = bytes.get(..PRELUDE) else { return Ok(None) };
    let total = number(prelude, 0)?;
    let headers = number(prelude, 4)?;
    if number(prelude, 8)? != crc32fast::hash(&prelude[..8]) as usize {
        return Err(FrameError::Damaged);
    }
    if total > limit {
        return Err(FrameError::TooLarge(limit));
    }
    if headers.saturating_add(PRELUDE + CHECKSUM) > total {
        return Err(FrameError::Damaged);
    }
    Ok((bytes.len() >= total).then_some(total))
}

/// The event in a message that [`end`] has measured, or `None` for the beginning of one that was cut.
/// `scratch` holds what the message does not say in these words.
pub(super) fn read<'a>(message: &'a [u8], scratch: &'a mut String) -> Result<Option<Frame<'a>>, FrameError> {
    if message.len() < PRELUDE + CHECKSUM || message.len() < number(message, 0)? {
        return Ok(None);
    }
    let body = message.len() - CHECKSUM;
    if number(message, body)? != crc32fast::hash(&message[..body]) as usize {
        return Err(FrameError::Damaged);
    }
    let headers_end = PRELUDE.saturating_add(number(message, 4)?);
    let said = Said::of(message.get(PRELUDE..headers_end).ok_or(FrameError::Damaged)?)?;
    let payload = message.get(headers_end..body).ok_or(FrameError::Damaged)?;
    if said.event_type == PAYLOAD_PART {
        scratch.clear();
        STANDARD.encode_string(payload, scratch);
        return Ok(Some(Frame { event: said.event_type, data: scratch }));
    }
    let data = std::str::from_utf8(payload).map_err(|_| FrameError::NotUtf8)?;
    scratch.clear();
    match said.message_type {
        "exception" => {
            scratch.push_str(EXCEPTION);
            scratch.push_str(said.exception_type);
            Ok(Some(Frame { event: scratch, data }))
        }
        // A failure outside the service's model: its words are headers, and there is no payload.
        "error" => {
            scratch.push_str(EXCEPTION);
            scratch.push_str(said.error_code);
            let event = scratch.len();
            let message = serde_json::Value::from(said.error_message);
            scratch.push_str(&format!("{{\"message\":{message}}}"));
            let (event, data) = scratch.split_at(event);
            Ok(Some(Frame { event, data }))
        }
        _ => Ok(Some(Frame { event: said.event_type, data })),
    }
}

/// The headers that mean something here; empty where a message has none.
#[derive(Default)]
struct Said<'a> {
    message_type: &'a str,
    event_type: &'a str,
    exception_type: &'a str,
    error_code: &'a str,
    error_message: &'a str,
}

impl<'a> Said<'a> {
    fn of(mut headers: &'a [u8]) -> Result<Self, FrameError> {
        let mut said = Self::default();
        while let Some((length, rest)) = headers.split_first() {
            let (name, rest) = split(rest, usize::from(*length))?;
            let (kind, rest) = rest.split_first().ok_or(FrameError::Damaged)?;
            let (value, rest) = match kind {
                0 | 1 => split(rest, 0)?,
                2 => split(rest, 1)?,
                3 => split(rest, 2)?,
                4 => split(rest, 4)?,
                5 | 8 => split(rest, 8)?,
                6 | 7 => {
                    let (length, rest) = split(rest, 2)?;
                    split(rest, usize::from(u16::from_be_bytes([length[0], length[1]])))?
                }
                9 => split(rest, 16)?,
                _ => return Err(FrameError::Damaged),
            };
            headers = rest;
            let slot = match name {
                b":message-type" => &mut said.message_type,
                b":event-type" => &mut said.event_type,
                b":exception-type" => &mut said.exception_type,
                b":error-code" => &mut said.error_code,
                b":error-message" => &mut said.error_message,
                _ => continue,
            };
            *slot = std::str::from_utf8(value).map_err(|_| FrameError::NotUtf8)?;
        }
        Ok(said)
    }
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), FrameError> {
    bytes.split_at_checked(at).ok_or(FrameError::Damaged)
}

fn number(bytes: &[u8], at: usize) -> Result<usize, FrameError> {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or(FrameError::Damaged)?;
    Ok(u32::from_be_bytes(*four) as usize)
}

/// A message as a service sends it: an event of this type, or a failure for `exception/TYPE`. For whoever plays a
/// provider; types of more than 65535 bytes are cut.
#[must_use]
pub fn message(event: &str, payload: &[u8]) -> Bytes {
    let (message_type, name, value) = match event.strip_prefix(EXCEPTION) {
        Some(exception) => ("exception", ":exception-type", exception),
        None => ("event", ":event-type", event),
    };
    let headers = [(name, value), (":content-type", "application/json"), (":message-type", message_type)];
    let mut head = BytesMut::new();
    for (name, value) in headers {
        let value = &value.as_bytes()[..value.len().min(usize::from(u16::MAX))];
        head.put_u8(name.len() as u8);
        head.put_slice(name.as_bytes());
        head.put_u8(7);
        head.put_u16(value.len() as u16);
        head.put_slice(value);
    }
    let total = PRELUDE + head.len() + payload.len() + CHECKSUM;
    let mut out = BytesMut::with_capacity(total);
    out.put_u32(total as u32);
    out.put_u32(head.len() as u32);
    out.put_u32(crc32fast::hash(&out));
    out.put_slice(&head);
    out.put_slice(payload);
    out.put_u32(crc32fast::hash(&out));
    out.freeze()
}
