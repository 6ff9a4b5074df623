//! The framing of `application/vnd.amazon.eventstream`, written from its documentation: lengths, headers,
//! payload, and two checksums, big endian.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

pub(crate) const MEDIA_TYPE: &str = "application/vnd.amazon.eventstream";

/// Prelude (8), its checksum, and the checksum of the whole.
const OVERHEAD: usize = 16;
/// The type byte of a header whose value is a string.
const STRING: u8 = 7;

/// One event with a JSON payload.
pub(crate) fn event(kind: &str, payload: &Value) -> Vec<u8> {
    message(
        &[(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")],
        &payload.to_string(),
    )
}

/// What a container says, as SageMaker's InvokeEndpointWithResponseStream wraps it.
#[must_use]
pub fn payload_part(said: &str) -> Vec<u8> {
    let kind = "application/octet-stream";
    message(&[(":event-type", "PayloadPart"), (":content-type", kind), (":message-type", "event")], said)
}

/// An event of a model's own JSON, as InvokeModelWithResponseStream wraps it.
pub(crate) fn chunk(event_json: &Value) -> Vec<u8> {
    event("chunk", &json!({"bytes": BASE64_STANDARD.encode(event_json.to_string())}))
}

fn message(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        head.extend_from_slice(name.as_bytes());
        head.push(STRING);
        head.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let mut bytes = Vec::with_capacity(head.len() + payload.len() + OVERHEAD);
    bytes.extend_from_slice(&length(head.len() + payload.len() + OVERHEAD));
    bytes.extend_from_slice(&length(head.len()));
    let prelude = checksum(&bytes);
    bytes.extend_from_slice(&prelude);
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(payload.as_bytes());
    let all = checksum(&bytes);
    bytes.extend_from_slice(&all);
    bytes
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

#[cfg(test)]
#[path = "event_stream_tests.rs"]
mod tests;
