//! Failures inside streams, and bodies for callers.

use serde_json::{Value, json};

use super::{Failure, body, body_of, of_error};
use crate::fault::FaultKind;
use crate::raw::Raw;

fn read(value: &Value) -> (FaultKind, u16, Option<String>) {
    let fault = of_error(Raw::of(value).unwrap().value());
    (fault.kind, fault.status, fault.code)
}

#[test]
fn codes_decide_what_a_failure_is() {
    for (code, kind, status) in [
        ("rate_limit_exceeded", FaultKind::RateLimit, 429),
        ("insufficient_quota", FaultKind::RateLimit, 429),
        ("context_length_exceeded", FaultKind::ContextWindow, 400),
        ("server_is_overloaded", FaultKind::Unavailable, 503),
        ("invalid_prompt", FaultKind::BadRequest, 400),
        ("image_too_large", FaultKind::BadRequest, 400),
        ("server_error", FaultKind::Internal, 500),
    ] {
        let expected = (kind, status, Some(code.to_owned()));
        let event = json!({"type": "error", "code": code, "message": "m", "param": null});
        assert_eq!(read(&event), expected, "{event}");
        let nested = json!({"type": "error", "error": {"code": code, "message": "m"}});
        assert_eq!(read(&nested), expected, "{nested}");
        let fault = of_error(Raw::of(&event).unwrap().value());
        assert_eq!(Failure::of(&fault).code == "server_error", code == "server_error", "{code}");
    }
}

#[test]
fn bodies_are_openais() {
    let written: Value = serde_json::from_slice(&body(404, "no such response")).unwrap();
    let expected = json!({"error": {"message": "no such response", "type": "invalid_request_error", "param": null, "code": null}});
    assert_eq!(written, expected);
    let fault = of_error(
        Raw::of(&json!({"code": "context_length_exceeded", "message": "long", "param": "input"}))
            .unwrap()
            .value(),
    );
    let written: Value = serde_json::from_slice(&body_of(&fault)).unwrap();
    assert_eq!(written["error"]["code"], "context_length_exceeded");
    assert_eq!(written["error"]["param"], "input");
}
