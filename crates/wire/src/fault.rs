//! Failures as values: the upstream's ([`Fault`]), a translation's ([`TranslateError`]) and what a
//! translation cannot say ([`Loss`]).

use crate::format::Format;

/// The upstream's failure, classified.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What went wrong.
    pub kind: FaultKind,
    /// The upstream's HTTP status, or the one that fits when there was no answer.
    pub status: u16,
    /// The upstream's own words, without secrets.
    pub message: String,
    /// The upstream's own error type (`error.type`), where it has one.
    pub code: Option<String>,
    /// The upstream's `error.param`, where it has one.
    pub param: Option<String>,
}

impl Fault {
    /// A failure that nobody gave a type or a field of.
    #[must_use]
    pub fn new(kind: FaultKind, status: u16, message: impl Into<String>) -> Self {
        Self { kind, status, message: message.into(), code: None, param: None }
    }

    /// An answer that is not what its format allows.
    #[must_use]
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Malformed, 502, message)
    }
}

/// Classes of upstream failures. Retry policy reads these, never messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// 400, and other 4xx that no other kind names.
    BadRequest,
    /// The prompt is longer than the model takes.
    ContextWindow,
    /// A content policy refused the prompt or the answer.
    ContentPolicy,
    /// 401: the provider does not accept our key.
    Authentication,
    /// 402.
    PaymentRequired,
    /// 403.
    PermissionDenied,
    /// 404.
    NotFound,
    /// 408, 504, or one of our own timers.
    Timeout,
    /// 422.
    Unprocessable,
    /// 429.
    RateLimit,
    /// 500.
    Internal,
    /// 502.
    BadGateway,
    /// 503 and 529.
    Unavailable,
    /// No connection, or one that broke.
    Connection,
    /// An answer that is not what the format allows.
    Malformed,
    /// Any other status.
    Other,
}

/// A translation that cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TranslateError {
    /// The bytes are not what the format allows. `field` is a path such as `messages[2].content`.
    #[error("{field}: {problem}")]
    Malformed { field: String, problem: String },
    /// The format has no way to say this.
    #[error("{field} is not supported by {}", by.title())]
    Unsupported { field: String, by: Format },
}

impl TranslateError {
    /// The field at fault.
    #[must_use]
    pub fn field(&self) -> &str {
        match self {
            Self::Malformed { field, .. } | Self::Unsupported { field, .. } => field,
        }
    }
}

/// Something the request asked for that the upstream's format cannot say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The field as the client wrote it, such as `tool_choice`.
    pub field: String,
    /// Why it cannot be said, for the client.
    pub why: &'static str,
}
