//! Classes of errors under LiteLLM's names, as its policies count them.
//!
//! | class | faults |
//! | --- | --- |
//! | `BadRequestError` | 400, 402, 403, 422, context window, any other 4xx |
//! | `AuthenticationError` | 401 |
//! | `TimeoutError` | 408, 504, our timers |
//! | `RateLimitError` | 429 |
//! | `ContentPolicyViolationError` | content policy |
//! | `InternalServerError` | 500, no connection, unknown status |
//! | `ServiceUnavailableError` | 503, 529 |
//! | `BadGatewayError` | 502, an answer that cannot be read |
//! | `NotFoundError` | 404 |

use std::str::FromStr;

use wire::fault::{Fault, FaultKind};

/// How many classes there are.
pub const CLASSES: usize = 9;

/// A class of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    BadRequest,
    Authentication,
    Timeout,
    RateLimit,
    ContentPolicy,
    InternalServer,
    ServiceUnavailable,
    BadGateway,
    NotFound,
}

const NAMES: [(Class, &str); CLASSES] = [
    (Class::BadRequest, "BadRequestError"),
    (Class::Authentication, "AuthenticationError"),
    (Class::Timeout, "TimeoutError"),
    (Class::RateLimit, "RateLimitError"),
    (Class::ContentPolicy, "ContentPolicyViolationError"),
    (Class::InternalServer, "InternalServerError"),
    (Class::ServiceUnavailable, "ServiceUnavailableError"),
    (Class::BadGateway, "BadGatewayError"),
    (Class::NotFound, "NotFoundError"),
];

impl Class {
    /// The class of a fault.
    #[must_use]
    pub fn of(fault: &Fault) -> Self {
        match fault.kind {
            FaultKind::Authentication => Self::Authentication,
            FaultKind::Timeout => Self::Timeout,
            FaultKind::RateLimit => Self::RateLimit,
            FaultKind::ContentPolicy => Self::ContentPolicy,
            FaultKind::Internal | FaultKind::Connection => Self::InternalServer,
            FaultKind::Unavailable => Self::ServiceUnavailable,
            FaultKind::BadGateway | FaultKind::Malformed => Self::BadGateway,
            FaultKind::NotFound => Self::NotFound,
            FaultKind::Other if fault.status >= 500 => Self::InternalServer,
            FaultKind::BadRequest
            | FaultKind::ContextWindow
            | FaultKind::PaymentRequired
            | FaultKind::PermissionDenied
            | FaultKind::Unprocessable
            | FaultKind::Other => Self::BadRequest,
        }
    }
}

/// A number for some classes: `retry_policy` and `allowed_fails_policy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerClass {
    named: [Option<u32>; CLASSES],
    /// For classes that are not named.
    rest: Option<u32>,
}

/// A key that no policy has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no class of errors; there are BadRequestError, AuthenticationError, TimeoutError, RateLimitError, ContentPolicyViolationError, InternalServerError, ServiceUnavailableError, BadGatewayError and NotFoundError"
)]
pub struct UnknownClass(pub String);

impl FromStr for Class {
    type Err = UnknownClass;

    fn from_str(name: &str) -> Result<Self, UnknownClass> {
        let known = NAMES.iter().find(|(_, known)| *known == name);
        known.map(|(class, _)| *class).ok_or_else(|| UnknownClass(name.to_owned()))
    }
}

impl PerClass {
    /// Reads a policy whose keys end in `suffix`: `Retries` or `AllowedFails`. `DefaultRetries` names the rest.
    ///
    /// # Errors
    /// The first key that names no class.
    pub fn read<'a>(
        pairs: impl IntoIterator<Item = (&'a str, u32)>,
        suffix: &str,
    ) -> Result<Self, UnknownClass> {
        let mut policy = Self::default();
        for (key, number) in pairs {
            match key.strip_suffix(suffix).ok_or_else(|| UnknownClass(key.to_owned()))? {
                "Default" => policy.rest = Some(number),
                name => {
                    let class: Class = name.parse().map_err(|_| UnknownClass(key.to_owned()))?;
                    policy.named[class as usize] = Some(number);
                }
            }
        }
        Ok(policy)
    }

    /// The number for a class.
    #[must_use]
    pub fn get(&self, class: Class) -> Option<u32> {
        self.named[class as usize].or(self.rest)
    }

    /// Whether no class has a number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
