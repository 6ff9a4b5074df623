//! Failures of Anthropic, read; and any failure, written for Anthropic's callers.

use super::{body, body_of};
use crate::fault::{Fault, FaultKind};
use crate::openai_chat::fault::read;

#[test]
fn every_documented_failure_is_classified_and_written_back() {
    for (status, kind, class) in [
        (400, "invalid_request_error", FaultKind::BadRequest),
        (401, "authentication_error", FaultKind::Authentication),
        (402, "billing_error", FaultKind::PaymentRequired),
        (403, "permission_error", FaultKind::PermissionDenied),
        (404, "not_found_error", FaultKind::NotFound),
        (413, "request_too_large", FaultKind::BadRequest),
        (429, "rate_limit_error", FaultKind::RateLimit),
        (500, "api_error", FaultKind::Internal),
        (504, "timeout_error", FaultKind::Timeout),
        (529, "overloaded_error", FaultKind::Unavailable),
    ] {
        let sent = format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"It failed."}}}}"#);
        let fault = read(status, sent.as_bytes());
        assert_eq!((fault.kind, fault.status, fault.code.as_deref()), (class, status, Some(kind)));
        assert_eq!(body_of(&fault), sent);
        assert_eq!(body(status, "It failed."), sent);
    }
}

#[test]
fn a_prompt_that_is_too_long_is_said_in_the_words_that_compaction_knows() {
    let own = "prompt is too long: 210000 tokens > 200000 maximum";
    let other = "This model's maximum context length is 8192 tokens.";
    for (message, expected) in [(own, own.to_owned()), (other, format!("prompt is too long: {other}"))] {
        let sent = format!(r#"{{"error":{{"type":"invalid_request_error","message":"{message}"}}}}"#);
        let fault: Fault = read(400, sent.as_bytes());
        assert_eq!(fault.kind, FaultKind::ContextWindow);
        let written: serde_json::Value = serde_json::from_slice(&body_of(&fault)).unwrap();
        assert_eq!(written["error"]["message"], expected);
        assert_eq!(written["error"]["type"], "invalid_request_error");
    }
}
