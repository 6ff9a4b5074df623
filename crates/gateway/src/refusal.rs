//! Our failure to the client: what it says, under which status, in the client's own shape (OpenAI's as
//! LiteLLM writes it).

use bytes::Bytes;
use serde::Serialize;
use wire::fault::{Fault, FaultKind, TranslateError};
use wire::format::Format;
use wire::{codecs, envelope};

/// Why a call is not answered with a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// `error.type`.
    pub kind: String,
    /// `error.param`: the field at fault.
    pub param: Option<String>,
    /// `error.message`.
    pub message: String,
    /// Seconds after which another try makes sense.
    pub retry_after: Option<u64>,
    /// Response headers that tell more.
    pub headers: Vec<(&'static str, String)>,
    /// What kind of failure of the upstream this tells of, if it does.
    pub cause: Option<FaultKind>,
}

#[derive(Serialize)]
struct Outer<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    param: Option<&'a str>,
    /// The status as a string, never the provider's own code.
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    litellm_call_id: Option<&'a str>,
}

impl Refusal {
    /// A refusal with the `type` that goes with `status`.
    #[must_use]
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: default_kind(status).to_owned(),
            param: None,
            message: message.into(),
            retry_after: None,
            headers: Vec::new(),
            cause: None,
        }
    }

    /// The same, naming the field at fault.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The same, with another `type`.
    #[must_use]
    pub fn with_kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = kind.into();
        self
    }

    /// A request that cannot be said in the upstream's format, or is not one of the client's format.
    #[must_use]
    pub fn untranslatable(route: &str, error: &TranslateError) -> Self {
        Self::new(400, format!("{route}: {error}")).with_param(error.field())
    }

    /// The upstream's failure, told to the client. `exception` is the provider's tag, such as
    /// `GroqException`.
    #[must_use]
    pub fn from_fault(fault: &Fault, exception: &str) -> Self {
        let class = class(fault.kind);
        // LiteLLM repeats the class inside for all but plain bad requests.
        let inner = if class == "BadRequestError" { String::new() } else { format!("{class}: ") };
        let status = client_status(fault);
        let kind = match fault.kind {
            FaultKind::RateLimit => "throttling_error".to_owned(),
            FaultKind::BadRequest | FaultKind::Unprocessable => {
                fault.code.clone().unwrap_or_else(|| default_kind(status).to_owned())
            }
            FaultKind::ContextWindow
            | FaultKind::ContentPolicy
            | FaultKind::Authentication
            | FaultKind::PaymentRequired
            | FaultKind::PermissionDenied
            | FaultKind::NotFound
            | FaultKind::Timeout
            | FaultKind::Internal
            | FaultKind::BadGateway
            | FaultKind::Unavailable
            | FaultKind::Connection
            | FaultKind::Malformed
            | FaultKind::Other => default_kind(status).to_owned(),
        };
        Self {
            status,
            kind,
            param: fault.param.clone(),
            message: format!("litellm.{class}: {inner}{exception} - {}", fault.message),
            retry_after: None,
            headers: Vec::new(),
            cause: Some(fault.kind),
        }
    }

    /// The body in the shape of `format`; `call_id` is shown where the shape has a place for it.
    #[must_use]
    pub fn body(&self, format: Format, call_id: Option<&str>) -> Bytes {
        codecs::error_body(format, &self.fault()).unwrap_or_else(|| self.openai(call_id))
    }

    /// The same as a fault, for formats that tell the two alike.
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault {
            kind: self.cause.unwrap_or(FaultKind::Other),
            status: self.status,
            message: self.message.clone(),
            code: Some(self.kind.clone()),
            param: self.param.clone(),
        }
    }

    fn openai(&self, call_id: Option<&str>) -> Bytes {
        envelope::json(&Outer {
            error: Inner {
                message: &self.message,
                kind: &self.kind,
                param: self.param.as_deref(),
                code: self.status.to_string(),
                litellm_call_id: call_id,
            },
        })
    }
}

/// `error.type` where nothing better is known.
fn default_kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "internal_server_error",
    }
}

/// LiteLLM's class name for a kind of fault; clients match on it.
pub(crate) fn class(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::BadRequest => "BadRequestError",
        FaultKind::ContextWindow => "ContextWindowExceededError",
        FaultKind::ContentPolicy => "ContentPolicyViolationError",
        FaultKind::Authentication => "AuthenticationError",
        FaultKind::PaymentRequired => "PaymentRequiredError",
        FaultKind::PermissionDenied => "PermissionDeniedError",
        FaultKind::NotFound => "NotFoundError",
        FaultKind::Timeout => "Timeout",
        FaultKind::Unprocessable => "UnprocessableEntityError",
        FaultKind::RateLimit => "RateLimitError",
        FaultKind::Internal => "InternalServerError",
        FaultKind::BadGateway => "BadGatewayError",
        FaultKind::Unavailable => "ServiceUnavailableError",
        FaultKind::Connection | FaultKind::Malformed => "APIConnectionError",
        FaultKind::Other => "APIError",
    }
}

/// The status a client sees for a fault.
fn client_status(fault: &Fault) -> u16 {
    match fault.kind {
        FaultKind::ContextWindow | FaultKind::ContentPolicy => 400,
        FaultKind::Timeout => 408,
        // Anthropic's clients wait longer on it than on others.
        FaultKind::Unavailable if fault.status == 529 => 529,
        FaultKind::Unavailable => 503,
        FaultKind::BadRequest
        | FaultKind::Authentication
        | FaultKind::PaymentRequired
        | FaultKind::PermissionDenied
        | FaultKind::NotFound
        | FaultKind::Unprocessable
        | FaultKind::RateLimit
        | FaultKind::Internal
        | FaultKind::BadGateway
        | FaultKind::Connection
        | FaultKind::Malformed
        | FaultKind::Other => {
            if (400..=599).contains(&fault.status) {
                fault.status
            } else {
                500
            }
        }
    }
}
