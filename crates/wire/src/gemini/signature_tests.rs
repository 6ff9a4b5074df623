//! Signatures come back as they went.

use proptest::prelude::*;

use super::{Held, marked, plain_id, signed_id, split_id, unmarked};

#[test]
fn ids() {
    assert_eq!(signed_id("call_1", "a+/b3Q=="), "call_1__thought__a-_b3Q");
    assert_eq!(split_id("call_1__thought__a-_b3Q"), ("call_1", Some("a+/b3Q==".to_owned())));
    // As LiteLLM spells it.
    assert_eq!(split_id("call_1__thought__a+/b3Q=="), ("call_1", Some("a+/b3Q==".to_owned())));
    assert_eq!(split_id("call_1"), ("call_1", None));
    assert_eq!(plain_id("call_1__thought__a-_b3Q"), "call_1");
}

proptest! {
    #[test]
    fn round(bytes: Vec<u8>, text in "[ -~]{0,40}") {
        use base64::Engine;
        let signature = base64::engine::general_purpose::STANDARD.encode(&bytes);
        let id = signed_id("x", &signature);
        prop_assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'));
        prop_assert_eq!(split_id(&id), ("x", Some(signature.clone()).filter(|it| !it.is_empty())));
        let canonical = marked(&signature);
        prop_assert_eq!(unmarked(&canonical), Some(signature.as_str()));
        prop_assert_eq!(Held::read(&Held::write(&marked("QUJD"))), Held::Googles("QUJD".to_owned()));
        prop_assert_eq!(Held::read(&Held::write_redacted(&text)), Held::Redacted(text.clone()));
        if unmarked(&text).is_none() {
            prop_assert_eq!(Held::read(&Held::write(&text)), Held::Signed(text));
        }
    }
}
