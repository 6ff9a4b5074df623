//! Failures in Anthropic's shape, written for its callers. Reading them is [`crate::openai_chat::fault`]'s: the
//! shapes agree in all that is read.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;

use crate::fault::{Fault, FaultKind};
use crate::openai_chat::json;

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;

/// What Claude Code's compaction looks for in a message.
const TOO_LONG: &str = "prompt is too long";

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

/// An error, as a body and as the data of an `error` event.
#[derive(Serialize)]
pub(super) struct WrittenError<'a> {
    r#type: &'static str,
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    r#type: &'static str,
    message: Cow<'a, str>,
}

impl<'a> WrittenError<'a> {
    pub(super) fn new(status: u16, message: impl Into<Cow<'a, str>>) -> Self {
        let r#type = match status {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            504 => "timeout_error",
            503 | 529 => "overloaded_error",
            400..=499 => "invalid_request_error",
            _ => "api_error",
        };
        Self { r#type: "error", error: ErrorBody { r#type, message: message.into() } }
    }

    pub(super) fn of(fault: &'a Fault) -> Self {
        if fault.kind == FaultKind::ContextWindow && !fault.message.contains(TOO_LONG) {
            return Self::new(400, format!("{TOO_LONG}: {}", fault.message));
        }
        Self::new(fault.status, fault.message.as_str())
    }

    /// The upstream's stream broke off.
    pub(super) fn truncated() -> Self {
        Self::new(502, "the upstream closed the stream before its end")
    }
}
