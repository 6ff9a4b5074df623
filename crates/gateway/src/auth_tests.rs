//! Where a key may stand, and that nothing else opens the door.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Caller, KeyRing, only_this_machine};

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn ring() -> KeyRing {
    KeyRing::new(Some(&"sk-right".into()), Some(HeaderName::from_static("x-corp-key")))
}

#[test]
fn the_key_is_taken_from_each_place() {
    for (name, value) in [
        ("authorization", "Bearer sk-right"),
        ("authorization", "bearer  sk-right"),
        ("authorization", "Basic sk-right"),
        ("api-key", "sk-right"),
        ("x-api-key", "sk-right"),
        ("x-goog-api-key", "sk-right"),
        ("ocp-apim-subscription-key", "sk-right"),
        ("x-litellm-api-key", "sk-right"),
        ("x-corp-key", "sk-right"),
        ("x-corp-key", "Bearer sk-right"),
    ] {
        let caller = ring().identify(&headers(&[(name, value)]), None);
        assert!(matches!(caller, Ok(Caller::Master)), "{name}: {value}");
    }
}

#[test]
fn everything_else_is_refused_in_the_same_words() {
    let missing = ring().identify(&HeaderMap::new(), None).unwrap_err();
    assert_eq!((missing.status, missing.kind.as_str()), (401, "auth_error"));
    for pairs in [
        &[("authorization", "Bearer sk-wrong")][..],
        &[("authorization", "Bearer ")],
        &[("authorization", "sk-right")],
        &[("authorization", "Digest sk-right")],
        &[("api-key", "")],
        &[("api-key", "sk-right2")],
        // the hash of the key is not the key
        &[("api-key", "d5b25a3e6ea9b2ae3d7ea2b1d62a2b3a7f6e0e4f5d2f4b8a9c0d1e2f3a4b5c6d")],
        // the configured header decides, whatever comes after it
        &[("x-corp-key", "sk-wrong"), ("authorization", "Bearer sk-right")],
    ] {
        assert_eq!(ring().identify(&headers(pairs), None).unwrap_err(), missing, "{pairs:?}");
    }
}

#[test]
fn an_empty_master_key_is_not_matched_by_no_key() {
    let empty = KeyRing::new(Some(&"".into()), None);
    assert!(empty.identify(&HeaderMap::new(), None).is_err());
}

#[test]
fn without_a_master_key_only_this_machine_is_served() {
    assert!(matches!(KeyRing::default().identify(&HeaderMap::new(), None), Ok(Caller::Open)));
    let local = "127.0.0.1".parse().unwrap();
    for host in ["localhost:4000", "127.0.0.1:4000", "[::1]:4000", "app.localhost", "127.0.0.1"] {
        assert!(only_this_machine(&headers(&[("host", host)]), local).is_ok(), "{host}");
    }
    for host in ["evil.example:4000", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1:4000"] {
        assert!(only_this_machine(&headers(&[("host", host)]), local).is_err(), "{host}");
    }
    let page = headers(&[("host", "localhost:4000"), ("origin", "https://evil.example")]);
    assert!(only_this_machine(&page, local).is_err());
    let own = headers(&[("host", "localhost:4000"), ("origin", "http://localhost:4000")]);
    assert!(only_this_machine(&own, local).is_ok());
    assert!(only_this_machine(&headers(&[("host", "localhost")]), "10.0.0.9".parse().unwrap()).is_err());
}
