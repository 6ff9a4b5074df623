//! Secrets at rest, in LiteLLM's formats, so that either program reads what the other sealed.
//!
//! Written: `v2:gcm:` and URL-safe base64 of nonce (12 bytes), ciphertext and tag (16), by AES-256-GCM. Read as well:
//! the same base64 without a prefix of nonce (24) and NaCl's secretbox, which LiteLLM writes by default. The
//! key of both is the SHA-256 of the salt key, else of the master key.
//!
//! What other purposes need a key for is derived apart ([`derived`]), so that no key serves two of them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::entity::Object;

/// What a secret sealed by AES-256-GCM begins with.
pub const PREFIX: &str = "v2:gcm:";
const NONCE: usize = 12;
const OLD_NONCE: usize = 24;

/// Why a secret cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is neither a salt key nor a master key.
    #[error("secrets cannot be kept without a key: set TOLLGATE_SALT_KEY or a master key")]
    NoKey,
    /// It was sealed with another key, or changed since.
    #[error(
        "a kept secret cannot be opened with this key: TOLLGATE_SALT_KEY (or LITELLM_SALT_KEY, or the master key) is \
         not the one it was sealed with"
    )]
    WrongKey,
    /// It is not a sealed secret.
    #[error("a kept secret is damaged")]
    Damaged,
}

/// The key under which secrets are kept.
pub struct Seal {
    key: RandomizedNonceKey,
    old: XSalsa20Poly1305,
}

impl Seal {
    /// Secrets under `salt`, else under the master key.
    ///
    /// # Errors
    /// [`SealError::NoKey`] when there is neither.
    pub fn new(salt: Option<&SecretString>, master: Option<&SecretString>) -> Result<Self, SealError> {
        let secret = salt.or(master).ok_or(SealError::NoKey)?;
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, secret.expose_secret().as_bytes()).as_ref());
        Ok(Self {
            old: XSalsa20Poly1305::new(&key.into()),
            key: RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_| SealError::NoKey)?,
        })
    }

    /// `plain`, sealed; another text each time.
    ///
    /// # Errors
    /// [`SealError::Damaged`] when the text is too long for the cipher.
    pub fn seal(&self, plain: &str) -> Result<String, SealError> {
        let mut text = plain.as_bytes().to_vec();
        let nonce =
            self.key.seal_in_place_append_tag(Aad::empty(), &mut text).map_err(|_| SealError::Damaged)?;
        let mut all = nonce.as_ref().to_vec();
        all.extend(text);
        Ok(format!("{PREFIX}{}", URL_SAFE.encode(all)))
    }

    /// What was sealed.
    ///
    /// # Errors
    /// [`SealError::WrongKey`], or [`SealError::Damaged`] for what was never sealed.
    pub fn open(&self, sealed: &str) -> Result<SecretString, SealError> {
        let plain = match sealed.strip_prefix(PREFIX) {
            Some(rest) => {
                let all = URL_SAFE.decode(rest).map_err(|_| SealError::Damaged)?;
                let (nonce, text) = all.split_at_checked(NONCE).ok_or(SealError::Damaged)?;
                let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Damaged)?;
                let mut text = text.to_vec();
                let plain = self
                    .key
                    .open_in_place(nonce, Aad::empty(), &mut text)
                    .map_err(|_| SealError::WrongKey)?;
                plain.to_vec()
            }
            None => {
                let all = URL_SAFE.decode(sealed).or_else(|_| STANDARD.decode(sealed));
                let all = all.map_err(|_| SealError::Damaged)?;
                let (nonce, text) = all.split_first_chunk::<OLD_NONCE>().ok_or(SealError::Damaged)?;
                self.old.decrypt(nonce.into(), text).map_err(|_| SealError::WrongKey)?
            }
        };
        String::from_utf8(plain).map(SecretString::from).map_err(|_| SealError::Damaged)
    }

    /// Seals the values of secret fields of `object`, at any depth, one by one.
    ///
    /// # Errors
    /// As [`Seal::seal`].
    pub fn seal_fields(&self, object: &mut Object) -> Result<(), SealError> {
        each(object, false, &mut |text, secret| {
            // What only looks sealed is sealed too, so that opening gives back what was sent.
            if secret || text.starts_with(PREFIX) {
                *text = self.seal(text)?;
            }
            Ok(())
        })
    }

    /// Seals every value, as of a credential.
    ///
    /// # Errors
    /// As [`Seal::seal`].
    pub fn seal_all(&self, object: &mut Object) -> Result<(), SealError> {
        each(object, true, &mut |text, _| {
            *text = self.seal(text)?;
            Ok(())
        })
    }

    /// Opens what [`Seal::seal_all`] sealed.
    ///
    /// # Errors
    /// As [`Seal::open`].
    pub fn open_all(&self, object: &mut Object) -> Result<(), SealError> {
        each(object, true, &mut |text, _| {
            *text = self.open(text)?.expose_secret().to_owned();
            Ok(())
        })
    }

    /// Opens what [`Seal::seal_fields`] sealed.
    ///
    /// # Errors
    /// As [`Seal::open`].
    pub fn open_fields(&self, object: &mut Object) -> Result<(), SealError> {
        each(object, false, &mut |text, secret| {
            if secret || text.starts_with(PREFIX) {
                *text = self.open(text)?.expose_secret().to_owned();
            }
            Ok(())
        })
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

/// A key for one purpose, by HKDF-SHA256. Keys of different labels tell nothing of each other.
///
/// # Errors
/// [`SealError::NoKey`] without a secret to derive it from.
pub fn derived(secret: Option<&SecretString>, label: &str) -> Result<[u8; 32], SealError> {
    let secret = secret.ok_or(SealError::NoKey)?;
    let mut key = [0; 32];
    Salt::new(HKDF_SHA256, b"tollgate")
        .extract(secret.expose_secret().as_bytes())
        .expand(&[label.as_bytes()], HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .map_err(|_| SealError::NoKey)?;
    Ok(key)
}

/// `object` without what stands under secret fields, at any depth.
#[must_use]
pub fn without_secrets(object: &Object) -> Object {
    let shown = |value: &Value| match value {
        Value::Object(object) => Value::Object(without_secrets(object)),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_object().map_or_else(|| item.clone(), |item| without_secrets(item).into()))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    };
    let kept = object.iter().filter(|(name, _)| !is_secret(name));
    kept.map(|(name, value)| (name.clone(), shown(value))).collect()
}

type Visit<'a> = dyn FnMut(&mut String, bool) -> Result<(), SealError> + 'a;

/// Every text of `object`, and whether it is a secret. Numbers that stand for secrets become texts.
fn each(object: &mut Object, secret: bool, visit: &mut Visit<'_>) -> Result<(), SealError> {
    object.iter_mut().try_for_each(|(name, value)| each_of(value, secret || is_secret(name), visit))
}

fn each_of(value: &mut Value, secret: bool, visit: &mut Visit<'_>) -> Result<(), SealError> {
    match value {
        Value::Object(object) => each(object, secret, visit),
        Value::Array(items) => items.iter_mut().try_for_each(|item| each_of(item, secret, visit)),
        Value::String(text) => visit(text, secret),
        Value::Number(number) if secret => {
            let mut text = number.to_string();
            visit(&mut text, true)?;
            *value = Value::String(text);
            Ok(())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// Whether a field's value is a credential. `max_tokens` and prices per token are not.
#[must_use]
pub fn is_secret(field: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "api_key",
        "apikey",
        "access_key",
        "secret_access_key",
        "access_key_id",
        "master_key",
        "salt_key",
        "private_key",
        "secret_key",
        "public_key",
        "signing_key",
        "password",
        "passwd",
        "secret",
        "token",
        "credentials",
        "license",
        "webhook_url",
        "database_url",
        "redis_url",
        "connection_string",
        "authorization",
        "auth_value",
        "proxy_key",
        "virtual_key",
        "cookie",
    ];
    let key = field.to_ascii_lowercase().replace('-', "_");
    if policy::price::is_price(&key) {
        return false;
    }
    ENDINGS.iter().any(|ending| key == *ending || key.ends_with(&format!("_{ending}")))
        || matches!(
            key.as_str(),
            "headers" | "extra_headers" | "default_headers" | "credential_values" | "key" | "oci_key"
        )
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
