//! Exceptions that the API reference of Bedrock's runtime documents, as answers and in streams.

use super::{of_stream, read};
use crate::fault::FaultKind;

#[test]
fn documented_answers_are_classified() {
    for (status, name, kind, shown) in [
        (400, "ValidationException", FaultKind::BadRequest, 400),
        (403, "AccessDeniedException", FaultKind::PermissionDenied, 403),
        (404, "ResourceNotFoundException", FaultKind::NotFound, 404),
        (408, "ModelTimeoutException", FaultKind::Timeout, 408),
        (424, "ModelErrorException", FaultKind::Internal, 424),
        (429, "ThrottlingException", FaultKind::RateLimit, 429),
        (429, "ModelNotReadyException", FaultKind::RateLimit, 429),
        (500, "InternalServerException", FaultKind::Unavailable, 503),
        (503, "ServiceUnavailableException", FaultKind::Unavailable, 503),
        (403, "ExpiredTokenException", FaultKind::Authentication, 401),
        (403, "UnrecognizedClientException", FaultKind::Authentication, 401),
        (403, "InvalidSignatureException", FaultKind::Authentication, 401),
    ] {
        let header = format!("{name}:http://internal.amazon.com/coral/com.amazon.bedrock/");
        let fault = read(status, Some(&header), br#"{"message":"It failed."}"#);
        assert_eq!((fault.kind, fault.status), (kind, shown), "{name}");
        assert_eq!((fault.message.as_str(), fault.code.as_deref()), ("It failed.", Some(name)));
    }
}

#[test]
fn the_name_may_stand_in_the_body_and_the_message_begin_with_a_capital() {
    let body = br#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"No access."}"#;
    let fault = read(403, None, body);
    assert_eq!(
        (fault.message.as_str(), fault.code.as_deref()),
        ("No access.", Some("AccessDeniedException"))
    );
}

#[test]
fn a_bad_key_is_told_from_a_missing_permission() {
    let body = br#"{"message":"The security token included in the request is invalid."}"#;
    assert_eq!(read(403, None, body).kind, FaultKind::Authentication);
    assert_eq!(read(403, None, br#"{"message":"Not authorized."}"#).kind, FaultKind::PermissionDenied);
}

#[test]
fn a_prompt_that_is_too_long_is_recognised() {
    for message in ["Input is too long for requested model.", "too many total text bytes: 9 > 8"] {
        let body = format!(r#"{{"message":"{message}"}}"#);
        assert_eq!(read(400, Some("ValidationException"), body.as_bytes()).kind, FaultKind::ContextWindow);
    }
}

#[test]
fn exceptions_in_a_stream_have_their_own_statuses() {
    for (name, status, kind) in [
        ("internalServerException", 500, FaultKind::Internal),
        ("modelStreamErrorException", 424, FaultKind::Internal),
        ("validationException", 400, FaultKind::BadRequest),
        ("throttlingException", 429, FaultKind::RateLimit),
        ("serviceUnavailableException", 503, FaultKind::Unavailable),
        ("modelTimeoutException", 408, FaultKind::Timeout),
        ("somethingNew", 500, FaultKind::Internal),
    ] {
        let fault = of_stream(name, r#"{"message":"It failed."}"#);
        assert_eq!((fault.status, fault.kind, fault.code.as_deref()), (status, kind, Some(name)));
    }
    let original =
        of_stream("modelStreamErrorException", r#"{"originalStatusCode":429,"originalMessage":"Slow."}"#);
    assert_eq!(
        (original.status, original.kind, original.message.as_str()),
        (429, FaultKind::RateLimit, "Slow.")
    );
    assert_eq!(of_stream("throttlingException", "").kind, FaultKind::RateLimit);
}
