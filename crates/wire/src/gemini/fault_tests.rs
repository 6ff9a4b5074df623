//! Errors as Google's clients read them, and as Google writes them.

use super::{body, body_of};
use crate::fault::FaultKind;
use crate::openai_chat::fault::{of_frame, read};

#[test]
fn every_status_has_its_word() {
    for (status, word) in [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (409, "ABORTED"),
        (413, "FAILED_PRECONDITION"),
        (429, "RESOURCE_EXHAUSTED"),
        (499, "CANCELLED"),
        (500, "INTERNAL"),
        (501, "UNIMPLEMENTED"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
    ] {
        let expected = format!(r#"{{"error":{{"code":{status},"message":"no","status":"{word}"}}}}"#);
        assert_eq!(body(status, "no"), expected);
    }
}

#[test]
fn googles_errors_are_understood_and_written_back() {
    for (status, text, kind, kept) in [
        (
            400,
            r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}"#,
            FaultKind::Authentication,
            401,
        ),
        (
            429,
            r#"[{"error":{"code":429,"message":"Resource exhausted.","status":"RESOURCE_EXHAUSTED"}}]"#,
            FaultKind::RateLimit,
            429,
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"No.","status":"PERMISSION_DENIED"}}"#,
            FaultKind::PermissionDenied,
            403,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}"#,
            FaultKind::ContextWindow,
            400,
        ),
        (
            404,
            r#"{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}"#,
            FaultKind::NotFound,
            404,
        ),
        (
            503,
            r#"{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}"#,
            FaultKind::Unavailable,
            503,
        ),
        (
            504,
            r#"{"error":{"code":504,"message":"Deadline","status":"DEADLINE_EXCEEDED"}}"#,
            FaultKind::Timeout,
            504,
        ),
        (500, r#"{"error":{"code":500,"message":"Oops","status":"INTERNAL"}}"#, FaultKind::Internal, 500),
    ] {
        let fault = read(status, text.as_bytes());
        assert_eq!((fault.kind, fault.status), (kind, kept), "{text}");
        assert!(fault.code.is_some_and(|code| text.contains(&code)), "{text}");
    }
    let named = r#"{"error":{"message":"Slow down","status":"RESOURCE_EXHAUSTED"}}"#;
    let fault = of_frame(serde_json::from_str(named).unwrap());
    assert_eq!((fault.kind, fault.status), (FaultKind::RateLimit, 429));
    assert_eq!(
        body_of(&fault),
        r#"{"error":{"code":429,"message":"Slow down","status":"RESOURCE_EXHAUSTED"}}"#
    );
}
