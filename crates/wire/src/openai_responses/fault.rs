//! Failures in the Responses API's shape: read from its streams, written for its callers. An answer with an error
//! status has the shape of all of OpenAI's, see [`crate::openai_chat::fault::read`].

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::fault::{Fault, FaultKind};
use crate::openai_chat::{fault, json, object, text};

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;

/// The failure that the data of an `error` event, or the `error` of a response, means.
#[must_use]
pub fn of_error(raw: &RawValue) -> Fault {
    #[derive(Default, Deserialize)]
    #[serde(default, bound(deserialize = "'de: 'a"))]
    struct Wire<'a> {
        error: Option<&'a RawValue>,
        code: Option<&'a RawValue>,
    }
    let wire: Wire<'_> = object(raw).unwrap_or_default();
    if let Some(inner) = wire.error.filter(|inner| inner.get().starts_with('{')) {
        return of_error(inner);
    }
    let mut fault = fault::of_frame(raw);
    let Some(code) = wire.code.map(text).filter(|code| !code.is_empty()) else { return fault };
    // An event's own `type` is `error`, which says nothing.
    fault.code = Some(code.clone().into_owned());
    let (status, kind) = match code.as_ref() {
        "server_is_overloaded" | "slow_down" => (503, FaultKind::Unavailable),
        _ if fault.status != 500 => return fault,
        code if code.starts_with("invalid_") || code.contains("image") => (400, FaultKind::BadRequest),
        _ => return fault,
    };
    Fault { status, kind, ..fault }
}

/// The body of an error reply with this status and message.
#[must_use]
pub fn body(status: u16, message: &str) -> Bytes {
    json(&WrittenError { error: Members::new(status, message) })
}

/// The body of an error reply for an upstream's failure.
#[must_use]
pub fn body_of(fault: &Fault) -> Bytes {
    json(&WrittenError { error: Members::of(fault) })
}

/// The data of an `error` event, for a stream that nobody counted the events of.
#[must_use]
pub fn event_of(fault: &Fault) -> Bytes {
    #[derive(Serialize)]
    struct Event<'a> {
        r#type: &'static str,
        code: &'a str,
        message: &'a str,
        param: Option<&'a str>,
        sequence_number: u32,
    }
    let (code, message, param) = (code_of(fault), fault.message.as_str(), fault.param.as_deref());
    json(&Event { r#type: "error", code, message, param, sequence_number: 0 })
}

/// The `error` of a response that failed.
#[derive(Serialize)]
pub(super) struct Failure<'a> {
    pub(super) code: &'a str,
    pub(super) message: Cow<'a, str>,
}

impl<'a> Failure<'a> {
    /// The upstream's failure, under the code that the vendor's own clients act upon.
    pub(super) fn of(fault: &'a Fault) -> Self {
        Self { code: code_of(fault), message: Cow::Borrowed(&fault.message) }
    }

    /// The upstream's stream broke off.
    pub(super) fn truncated() -> Self {
        let message = Cow::Borrowed("the upstream closed the stream before its end");
        Self { code: "server_error", message }
    }
}

/// Codex waits, gives up or shortens the conversation by these codes.
fn code_of(fault: &Fault) -> &str {
    let own = fault.code.as_deref();
    match fault.kind {
        FaultKind::ContextWindow => "context_length_exceeded",
        FaultKind::RateLimit if own == Some("insufficient_quota") => "insufficient_quota",
        FaultKind::PaymentRequired => "insufficient_quota",
        FaultKind::RateLimit => "rate_limit_exceeded",
        FaultKind::Unavailable => "server_is_overloaded",
        FaultKind::BadRequest | FaultKind::ContentPolicy | FaultKind::Unprocessable => "invalid_prompt",
        FaultKind::Authentication
        | FaultKind::PermissionDenied
        | FaultKind::NotFound
        | FaultKind::Timeout
        | FaultKind::Internal
        | FaultKind::BadGateway
        | FaultKind::Connection
        | FaultKind::Malformed
        | FaultKind::Other => "server_error",
    }
}

#[derive(Serialize)]
struct WrittenError<'a> {
    error: Members<'a>,
}

#[derive(Serialize)]
struct Members<'a> {
    message: &'a str,
    r#type: &'a str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

impl<'a> Members<'a> {
    fn new(status: u16, message: &'a str) -> Self {
        let r#type = match status {
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            400..=499 => "invalid_request_error",
            _ => "server_error",
        };
        Self { message, r#type, param: None, code: None }
    }

    fn of(fault: &'a Fault) -> Self {
        let code = match fault.kind {
            FaultKind::ContextWindow => Some("context_length_exceeded"),
            _ => fault.code.as_deref(),
        };
        Self { param: fault.param.as_deref(), code, ..Self::new(fault.status, &fault.message) }
    }
}
