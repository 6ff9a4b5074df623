//! Failures of OpenAI-compatible servers (and Ollama), read into [`Fault`]: total for any status and any
//! bytes. Not for failures without an answer (no connection, a timer): the transport makes those.
//!
//! The status decides. Words refine only a refusal of the request itself (400, 413, 422), because a body that
//! says `invalid_request_error` under a 429 is still a rate limit that a retry can cure.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::chunk::object;
use crate::fault::{Fault, FaultKind};

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;

/// Stands for a message that is missing.
const SILENT: &str = "the upstream gave no reason";
/// A message longer than this many characters is cut.
const MESSAGE_CHARS: usize = 4000;
/// Only so many bytes of a body that is not JSON, or of an error searched for known phrases, are looked at.
const LOOK_BYTES: usize = 16 * 1024;

/// The failure that an answer with an error status means.
#[must_use]
pub fn read(status: u16, body: &[u8]) -> Fault {
    match serde_json::from_slice::<&RawValue>(body) {
        Ok(raw) => {
            let words = Words::read(innermost(raw));
            classify(status, words, raw.get())
        }
        Err(_) => classify(status, Words { message: plain(body), ..Words::default() }, ""),
    }
}

/// The failure that an error object inside a stream, or inside an answer with status 200, means.
#[must_use]
pub fn of_frame(error: &RawValue) -> Fault {
    let words = Words::read(innermost(error));
    let status = words.status();
    classify(status, words, error.get())
}

/// What an error says about itself.
#[derive(Default)]
struct Words {
    message: String,
    kind: Option<String>,
    param: Option<String>,
    code: Option<String>,
    /// Google's word for the class.
    status: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Wire<'a> {
    error: Option<&'a RawValue>,
    errors: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    msg: Option<&'a RawValue>,
    detail: Option<&'a RawValue>,
    r#type: Option<&'a RawValue>,
    param: Option<&'a RawValue>,
    code: Option<&'a RawValue>,
    status: Option<&'a RawValue>,
}

impl Words {
    fn read(raw: &RawValue) -> Self {
        let wire: Wire<'_> = object(raw).unwrap_or_default();
        let message = match wire.message.or(wire.msg).or(wire.detail) {
            Some(said) => text(innermost(said)).unwrap_or_else(|| said.get().to_owned()),
            None => text(raw).unwrap_or_else(|| raw.get().to_owned()),
        };
        Self {
            message: cut(message),
            kind: wire.r#type.and_then(text).map(cut),
            param: wire.param.and_then(text).map(cut),
            code: wire.code.map(|code| cut(text(code).unwrap_or_else(|| code.get().to_owned()))),
            status: wire.status.and_then(text).map(cut),
        }
    }

    /// The status that fits an error which came without one.
    fn status(&self) -> u16 {
        let numeric = self.code.as_deref().and_then(|code| code.parse::<u16>().ok());
        if let Some(status @ 400..=599) = numeric {
            return status;
        }
        [&self.code, &self.kind, &self.status]
            .into_iter()
            .flatten()
            .find_map(|word| status_of(word))
            .unwrap_or(500)
    }
}

/// Statuses that OpenAI, Anthropic, Groq, Google and watsonx document beside these codes and types.
fn status_of(word: &str) -> Option<u16> {
    Some(match word {
        "rate_limit_reached_requests"
        | "rate_limit_exceeded"
        | "rate_limit_error"
        | "insufficient_quota"
        | "too_many_requests" => 429,
        "context_length_exceeded" | "content_policy_violation" | "content_filter" => 400,
        "invalid_request_error" | "tool_use_failed" => 400,
        "invalid_api_key" | "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" | "permission_denied" => 403,
        "model_not_found" | "not_found_error" => 404,
        "request_too_large" => 413,
        "timeout" | "timeout_error" => 504,
        "overloaded" | "overloaded_error" | "service_unavailable" => 503,
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "RESOURCE_EXHAUSTED" => 429,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => return None,
    })
}

fn classify(status: u16, words: Words, said: &str) -> Fault {
    // Google refuses a key as if it were any other argument.
    let bad_key = status == 400 && words.message.starts_with("API key not valid");
    let status = if bad_key { 401 } else { status };
    let kind = match status {
        400 | 413 | 422 => refine(status, &words, said),
        401 => FaultKind::Authentication,
        402 => FaultKind::PaymentRequired,
        403 => FaultKind::PermissionDenied,
        404 => FaultKind::NotFound,
        408 | 504 => FaultKind::Timeout,
        429 => FaultKind::RateLimit,
        405..=499 => FaultKind::BadRequest,
        500 => FaultKind::Internal,
        502 => FaultKind::BadGateway,
        503 | 529 => FaultKind::Unavailable,
        _ => FaultKind::Other,
    };
    let code = words.kind.or_else(|| words.code.filter(|code| code.parse::<i64>().is_err()));
    let code = code.or(words.status);
    let message = if words.message.is_empty() { SILENT.to_owned() } else { words.message };
    Fault { kind, status, message, code, param: words.param }
}

/// Phrases that providers use when the prompt is too long, in lower case. A pair must occur together.
const CONTEXT: [(&str, &str); 20] = [
    ("context_length_exceeded", ""),
    ("exceed context limit", ""),
    ("this model's maximum context length is", ""),
    ("model's maximum context limit", ""),
    ("requested token count exceeds the model's maximum context length", ""),
    ("is longer than the model's context length", ""),
    ("input tokens exceed the configured limit", ""),
    ("`inputs` tokens + `max_new_tokens` must be", ""),
    ("exceeds the available context size", ""),
    ("exceeds the maximum number of tokens allowed", ""),
    ("string too long. expected a string with maximum length", ""),
    ("prompt is too long", ""),
    ("prompt: length", ""),
    ("input is too long", ""),
    ("too many total text bytes", ""),
    ("too many tokens:", ""),
    ("too many input tokens", ""),
    ("current length is", "while limit is"),
    ("maximum input length is", "tokens"),
    ("input too long:", "input tokens, limit is"),
];

/// Phrases that providers use when a policy refused the prompt, in lower case.
const POLICY: [&str; 10] = [
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "content_filter",
    "content management policy",
    "triggering azure openai's content management",
    "violates our usage policies",
    "violating our usage policy",
    "result of the safety system",
    "result of our safety system",
    "the model produced invalid content",
];

fn refine(status: u16, words: &Words, said: &str) -> FaultKind {
    let said = format!("{}\n{}", words.message, head(said)).to_lowercase();
    // A `user` or other string field that is too long is no matter of the context window.
    let excluded = said.contains("string_above_max_length")
        || (said.contains("invalid 'user'") && said.contains("string too long"));
    if !excluded && CONTEXT.iter().any(|(one, other)| said.contains(one) && said.contains(other)) {
        FaultKind::ContextWindow
    } else if POLICY.iter().any(|phrase| said.contains(phrase)) {
        FaultKind::ContentPolicy
    } else if status == 422 {
        FaultKind::Unprocessable
    } else {
        FaultKind::BadRequest
    }
}

/// The error itself: the first of a list, the value of `error` or of `errors`.
fn innermost(raw: &RawValue) -> &RawValue {
    let mut at = raw;
    // Real nesting is at most two deep (`[{"error":{…}}]`); the bound is against hostile bodies.
    for _ in 0..4 {
        let inner = if at.get().starts_with('[') {
            serde_json::from_str::<Vec<&RawValue>>(at.get()).ok().and_then(|list| list.first().copied())
        } else {
            let wire: Wire<'_> = object(at).unwrap_or_default();
            wire.error.or(wire.errors).filter(|inner| !matches!(inner.get(), "null" | "true" | "[]" | "{}"))
        };
        match inner {
            Some(inner) => at = inner,
            None => break,
        }
    }
    at
}

/// The value of a JSON string, or the message of an object that has one.
fn text(raw: &RawValue) -> Option<String> {
    if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
        return Some(text);
    }
    let wire: Wire<'_> = object(raw)?;
    serde_json::from_str(wire.message.or(wire.msg)?.get()).ok()
}

/// Words for a body that is not JSON: the title of an HTML page, or the text itself.
fn plain(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(&body[..body.len().min(LOOK_BYTES)]);
    let body = body.trim();
    if body.is_empty() {
        return String::new();
    }
    if !body.starts_with('<') {
        return cut(body.chars().map(|c| if c.is_control() { ' ' } else { c }).collect());
    }
    let lower = body.to_ascii_lowercase();
    let title = lower.find("<title>").map(|at| at + "<title>".len()).and_then(|from| {
        let to = from + lower.get(from..)?.find("</title>")?;
        body.get(from..to)
    });
    match title.map(str::trim).filter(|title| !title.is_empty()) {
        Some(title) => {
            cut(format!("the upstream answered with a web page: {}", title.replace(['\r', '\n'], " ")))
        }
        None => "the upstream answered with a web page".to_owned(),
    }
}

fn cut(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(MESSAGE_CHARS) {
        text.truncate(at);
        text.push('…');
    }
    text
}

fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOOK_BYTES)]
}
