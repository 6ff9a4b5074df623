//! Every kind of hash there is, by right and wrong passwords.

use super::{NOBODY, check, hash, matches};

/// `hunter-2-long`, hashed by Python's hashlib as LiteLLM does it.
const SCRYPT: &str = "scrypt:AAECAwQFBgcICQoLDA0OD60BFSoRKZch0zTWMYB2jxCy8K9ZHQivvfIop8PdCXr3";
const SHA256: &str = "d4ad5cfa68da4c83d3fec154f5f38a02af615568f9cd04a04943050efbe3d0f3";

#[test]
fn hashes_of_every_kind_know_their_password() {
    let argon2 = hash("hunter-2-long").unwrap();
    assert!(argon2.starts_with("$argon2id$") && argon2 != hash("hunter-2-long").unwrap());
    for kept in [SCRYPT, SHA256, argon2.as_str()] {
        assert!(matches("hunter-2-long", kept), "{kept}");
        for wrong in ["hunter-2-lonG", "", kept] {
            assert!(!matches(wrong, kept), "{wrong} for {kept}");
        }
    }
    for kept in ["", "scrypt:", "scrypt:AAAA", "$argon2id$", "plain", NOBODY] {
        assert!(!matches("plain", kept) && !matches("", kept), "{kept}");
    }
}

#[test]
fn passwords_have_a_length() {
    assert!(check("12345678").is_ok() && check("ключ-ключ").is_ok());
    assert!(check("1234567").is_err() && check(&"x".repeat(1025)).is_err());
}
