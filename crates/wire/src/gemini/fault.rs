//! Failures in Google's shape, written for its callers. Reading them is [`crate::openai_chat::fault`]'s: it knows
//! Google's words and the list that Vertex wraps around its errors.

use bytes::Bytes;
use serde::Serialize;

use crate::fault::Fault;
use crate::openai_chat::json;

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;

/// The body of an error reply with this status and message.
#[must_use]
pub fn body(status: u16, message: &str) -> Bytes {
    json(&WrittenError::new(status, message))
}

/// The body of an error reply for an upstream's failure.
#[must_use]
pub fn body_of(fault: &Fault) -> Bytes {
    json(&WrittenError::of(fault))
}

/// An error, as a body and as an element of a stream.
#[derive(Serialize)]
pub(super) struct WrittenError<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: u16,
    message: &'a str,
    status: &'static str,
}

impl<'a> WrittenError<'a> {
    fn new(code: u16, message: &'a str) -> Self {
        let status = match code {
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            409 => "ABORTED",
            429 => "RESOURCE_EXHAUSTED",
            499 => "CANCELLED",
            500 => "INTERNAL",
            501 => "UNIMPLEMENTED",
            502 | 503 | 529 => "UNAVAILABLE",
            504 => "DEADLINE_EXCEEDED",
            _ => "FAILED_PRECONDITION",
        };
        Self { error: ErrorBody { code, message, status } }
    }

    pub(super) fn of(fault: &'a Fault) -> Self {
        Self::new(fault.status, &fault.message)
    }

    /// The upstream's stream broke off.
    pub(super) fn truncated() -> Self {
        Self::new(502, "the upstream closed the stream before its end")
    }
}
