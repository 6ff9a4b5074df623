//! What was sealed comes back, also what other programs sealed; with another key nothing does.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{Seal, SealError, derived, is_secret, without_secrets};
use crate::entity::Object;

/// `sk-upstream-secret` under SHA-256 of `sk-salt-4f1d`, made by Python's cryptography and by PyNaCl.
const BY_GCM: &str = "v2:gcm:AAECAwQFBgcICQoL7sm8by-Y39CvO5ZXVTo75pJLWQGWkslsa-ECzMp26pjf7Q==";
const BY_NACL: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXzAgvtK7cyZth_y_1z_CCASuxUkoAERUP3mco30cv7t9Ezw==";

fn seal(key: &str) -> Seal {
    Seal::new(Some(&SecretString::from(key)), None).unwrap()
}

fn object(value: serde_json::Value) -> Object {
    value.as_object().unwrap().clone()
}

#[test]
fn what_others_sealed_is_read() {
    for sealed in [BY_GCM, BY_NACL] {
        assert_eq!(seal("sk-salt-4f1d").open(sealed).unwrap().expose_secret(), "sk-upstream-secret");
    }
}

#[test]
fn a_sealed_text_comes_back_and_never_looks_the_same() {
    let seal = seal("sk-salt");
    for plain in ["", "sk-1", "ключ 🔑", "v2:gcm:not sealed"] {
        let (one, other) = (seal.seal(plain).unwrap(), seal.seal(plain).unwrap());
        assert_ne!(one, other);
        assert!(plain.is_empty() || !one.contains(plain));
        assert_eq!(seal.open(&one).unwrap().expose_secret(), plain);
    }
}

#[test]
fn another_key_opens_nothing() {
    for sealed in [BY_GCM, BY_NACL] {
        assert_eq!(seal("sk-other").open(sealed).unwrap_err(), SealError::WrongKey);
    }
}

#[test]
fn what_was_never_sealed_is_said_to_be_damaged() {
    for text in ["", "sk-plain-key", "v2:gcm:", "v2:gcm:AAEC", "AAEC"] {
        assert_eq!(seal("sk-salt-4f1d").open(text).unwrap_err(), SealError::Damaged, "{text:?}");
    }
}

#[test]
fn the_salt_key_comes_before_the_master_key() {
    let (salt, master) = (SecretString::from("sk-salt-4f1d"), SecretString::from("sk-master"));
    assert!(Seal::new(Some(&salt), Some(&master)).unwrap().open(BY_GCM).is_ok());
    assert!(Seal::new(None, Some(&salt)).unwrap().open(BY_GCM).is_ok());
    assert_eq!(Seal::new(None, None).unwrap_err(), SealError::NoKey);
}

#[test]
fn secret_fields_are_sealed_one_by_one_and_come_back() {
    let seal = seal("sk-salt");
    let sent = object(json!({
        "model": "openai/gpt-4o", "api_key": "sk-1", "rpm": 5, "input_cost_per_token": 1e-6,
        "extra_headers": {"x-team": "blue"}, "vertex_credentials": {"type": "service_account"},
        "aws_session_token": 42, "note": "v2:gcm:mine", "list": [{"password": "p"}],
    }));
    let mut kept = sent.clone();
    seal.seal_fields(&mut kept).unwrap();
    let text = serde_json::to_string(&kept).unwrap();
    for secret in ["sk-1", "blue", "service_account", "42", "v2:gcm:mine", "\"p\""] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(kept["model"], "openai/gpt-4o");
    assert_eq!(kept["rpm"], 5);
    seal.open_fields(&mut kept).unwrap();
    let mut expected = sent;
    expected["aws_session_token"] = json!("42");
    assert_eq!(kept, expected);
}

#[test]
fn secrets_are_not_shown() {
    let shown = without_secrets(&object(json!({
        "api_key": "sk-1", "model": "m", "extra_headers": {"a": "b"}, "nested": {"client_secret": "s", "id": 1},
        "max_tokens": 3,
    })));
    assert_eq!(serde_json::Value::Object(shown), json!({"model": "m", "nested": {"id": 1}, "max_tokens": 3}));
    assert!(
        is_secret("AWS-Secret-Access-Key") && !is_secret("input_cost_per_token") && !is_secret("max_tokens")
    );
}

#[test]
fn no_key_serves_two_purposes() {
    let master = SecretString::from("sk-master");
    let sessions = derived(Some(&master), "sessions").unwrap();
    assert_eq!(sessions, derived(Some(&master), "sessions").unwrap());
    assert_ne!(sessions, derived(Some(&master), "audit").unwrap());
    assert_ne!(sessions, derived(Some(&SecretString::from("sk-other")), "sessions").unwrap());
    assert_eq!(derived(None, "sessions").unwrap_err(), SealError::NoKey);
}
