//! The JSON objects that several replies in OpenAI's shape share: `usage` and `error`.

use serde::Serialize;

use crate::fault::Fault;
use crate::reply::{Tier, Usage};

/// A reply's `usage`, without members that say nothing.
#[derive(Serialize)]
pub(crate) struct WrittenUsage {
    completion_tokens: u64,
    prompt_tokens: u64,
    total_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_tokens_details: Option<CompletionDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation_input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_input_tokens: Option<u64>,
}

#[derive(Serialize)]
struct CompletionDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_tokens: Option<u64>,
}

#[derive(Serialize)]
struct PromptDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation_tokens: Option<u64>,
}

impl From<&Usage> for WrittenUsage {
    fn from(usage: &Usage) -> Self {
        let some = |count: u64| (count > 0).then_some(count);
        let written = usage.cache_write.saturating_add(usage.cache_write_1h);
        let completion = CompletionDetails {
            reasoning_tokens: some(usage.reasoning),
            audio_tokens: some(usage.audio_output),
        };
        let prompt = PromptDetails {
            cached_tokens: some(usage.cache_read),
            audio_tokens: some(usage.audio_input),
            cache_creation_tokens: some(written),
        };
        Self {
            completion_tokens: usage.output,
            prompt_tokens: usage.input,
            total_tokens: usage.input.saturating_add(usage.output),
            completion_tokens_details: (usage.reasoning > 0 || usage.audio_output > 0).then_some(completion),
            prompt_tokens_details: (usage.cache_read > 0 || usage.audio_input > 0 || written > 0)
                .then_some(prompt),
            // Only caches that are written explicitly (Claude's, Gemini's) have these two names.
            cache_creation_input_tokens: some(written),
            cache_read_input_tokens: if written > 0 { some(usage.cache_read) } else { None },
        }
    }
}

/// The `service_tier` of a reply, where it is not the standard one.
pub(crate) fn service_tier(usage: Option<&Usage>) -> Option<&'static str> {
    match usage?.tier {
        Tier::Standard => None,
        Tier::Flex => Some("flex"),
        Tier::Priority => Some("priority"),
    }
}

/// A stream's error frame payload.
#[derive(Serialize)]
pub(crate) struct WrittenError<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    message: &'a str,
    r#type: &'a str,
    param: Option<&'a str>,
    code: String,
}

impl<'a> WrittenError<'a> {
    /// The upstream's failure.
    pub(crate) fn of(fault: &'a Fault) -> Self {
        let by_status = match fault.status {
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            400..=499 => "invalid_request_error",
            _ => "internal_server_error",
        };
        Self {
            error: ErrorBody {
                message: &fault.message,
                r#type: fault.code.as_deref().unwrap_or(by_status),
                param: fault.param.as_deref(),
                code: fault.status.to_string(),
            },
        }
    }

    /// The upstream's stream broke off.
    pub(crate) fn truncated() -> Self {
        Self {
            error: ErrorBody {
                message: "the upstream closed the stream before its end",
                r#type: "internal_server_error",
                param: None,
                code: "502".to_owned(),
            },
        }
    }
}
