//! Error bodies as providers document them, and bodies that nobody documents.

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::{of_frame, read};
use crate::fault::FaultKind;

#[test]
fn message_and_words_of_every_shape() {
    for (body, message, code, param) in [
        (
            r#"{"error":{"message":"bad","type":"invalid_request_error","param":"stop","code":null}}"#,
            "bad",
            Some("invalid_request_error"),
            Some("stop"),
        ),
        (r#"{"error":"model 'x' not found"}"#, "model 'x' not found", None, None),
        (r#"{"message":"nope","code":"bad_thing"}"#, "nope", Some("bad_thing"), None),
        (r#"{"detail":"Not Found"}"#, "Not Found", None, None),
        (r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#, "field required", None, None),
        (r#"[{"error":{"code":400,"message":"API key not valid"}}]"#, "API key not valid", None, None),
        (
            r#"{"error":{"code":400,"message":"Provider returned error"}}"#,
            "Provider returned error",
            None,
            None,
        ),
        (r#"{"error":{"status":7}}"#, r#"{"status":7}"#, None, None),
        (r#""just words""#, "just words", None, None),
        ("upstream\tsays no\n", "upstream says no", None, None),
        (r#"{"error":{"message":""}}"#, "the upstream gave no reason", None, None),
        ("", "the upstream gave no reason", None, None),
        (
            "<html><head><title>502 Bad Gateway</title></head><body><script>x</script></body></html>",
            "the upstream answered with a web page: 502 Bad Gateway",
            None,
            None,
        ),
        ("<!DOCTYPE html><p>", "the upstream answered with a web page", None, None),
    ] {
        let fault = read(400, body.as_bytes());
        assert_eq!(
            (fault.message.as_str(), fault.code.as_deref(), fault.param.as_deref()),
            (message, code, param),
            "{body}"
        );
    }
}

#[test]
fn the_status_decides() {
    for (status, kind) in [
        (400, FaultKind::BadRequest),
        (401, FaultKind::Authentication),
        (402, FaultKind::PaymentRequired),
        (403, FaultKind::PermissionDenied),
        (404, FaultKind::NotFound),
        (408, FaultKind::Timeout),
        (409, FaultKind::BadRequest),
        (413, FaultKind::BadRequest),
        (422, FaultKind::Unprocessable),
        (429, FaultKind::RateLimit),
        (500, FaultKind::Internal),
        (502, FaultKind::BadGateway),
        (503, FaultKind::Unavailable),
        (504, FaultKind::Timeout),
        (529, FaultKind::Unavailable),
        (302, FaultKind::Other),
        (524, FaultKind::Other),
    ] {
        let fault = read(status, br#"{"error":{"message":"invalid","type":"invalid_request_error"}}"#);
        assert_eq!((fault.kind, fault.status), (kind, status));
    }
    let limited =
        read(429, br#"{"error":{"message":"prompt is too long","code":"context_length_exceeded"}}"#);
    assert_eq!(limited.kind, FaultKind::RateLimit);
}

#[test]
fn words_refine_a_refused_request() {
    for (body, kind) in [
        (r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#, FaultKind::ContextWindow),
        (
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens."}}"#,
            FaultKind::ContextWindow,
        ),
        (r#"{"error":"Current length is 9000 while limit is 8192"}"#, FaultKind::ContextWindow),
        (r#"{"error":{"message":"Current length is odd"}}"#, FaultKind::BadRequest),
        (
            r#"{"error":{"message":"filtered","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            FaultKind::ContentPolicy,
        ),
        (r#"{"error":{"message":"no","code":"content_policy_violation"}}"#, FaultKind::ContentPolicy),
        (
            r#"{"error":{"message":"Invalid 'user': string too long. Expected a string with maximum length 64","code":"string_above_max_length"}}"#,
            FaultKind::BadRequest,
        ),
    ] {
        assert_eq!(read(400, body.as_bytes()).kind, kind, "{body}");
    }
}

#[test]
fn errors_inside_a_stream_find_their_status() {
    for (error, status, kind) in [
        (r#"{"code":429,"message":"slow down"}"#, 429, FaultKind::RateLimit),
        (r#"{"code":"503","message":"x"}"#, 503, FaultKind::Unavailable),
        (r#"{"code":"rate_limit_exceeded","message":"x"}"#, 429, FaultKind::RateLimit),
        (r#"{"code":"context_length_exceeded","message":"x"}"#, 400, FaultKind::ContextWindow),
        (r#"{"type":"overloaded_error","message":"x"}"#, 503, FaultKind::Unavailable),
        (r#"{"code":200,"message":"x"}"#, 500, FaultKind::Internal),
        (r#"{"code":1234567890,"message":"x"}"#, 500, FaultKind::Internal),
        (r#""an error was encountered while running the model""#, 500, FaultKind::Internal),
    ] {
        let fault = of_frame(&RawValue::from_string(error.to_owned()).unwrap());
        assert_eq!((fault.status, fault.kind), (status, kind), "{error}");
    }
}

#[test]
fn long_messages_are_cut_between_characters() {
    let body = format!(r#"{{"error":{{"message":"{}"}}}}"#, "ü".repeat(50_000));
    let fault = read(400, body.as_bytes());
    assert_eq!(fault.message.chars().count(), 4001);
    assert!(fault.message.ends_with("ü…"));
    assert!(read(500, "ü".repeat(50_000).as_bytes()).message.chars().count() <= 4001);
}

proptest! {
    #[test]
    fn any_status_and_body_is_some_fault(status in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        let fault = read(status, &body);
        prop_assert_eq!(fault.status, status);
        prop_assert!(!fault.message.is_empty());
    }
}
