//! Signed assertions: who we are, for token endpoints that know our public key.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{CredentialError, setting};

/// An RSA key and how it signs.
#[derive(Debug)]
pub(super) struct Signer {
    key: RsaKeyPair,
    /// The header's members besides `typ`.
    header: Value,
    pss: bool,
}

impl Signer {
    /// RS256 under the key id that Google gave the key.
    pub(super) fn google(pem: &SecretString, key_id: Option<&str>) -> Result<Self, CredentialError> {
        let mut header = json!({"alg": "RS256", "typ": "JWT"});
        if let Some(key_id) = key_id {
            header["kid"] = key_id.into();
        }
        Ok(Self { key: key("vertex_credentials.private_key", pem)?, header, pss: false })
    }

    /// PS256 under the SHA-256 thumbprint of the certificate, as Entra documents it.
    pub(super) fn azure(pem: &SecretString, thumbprint: &[u8]) -> Result<Self, CredentialError> {
        let thumbprint = URL_SAFE_NO_PAD.encode(thumbprint);
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint});
        Ok(Self { key: key("client_certificate_path", pem)?, header, pss: true })
    }

    pub(super) fn sign(&self, claims: &Value) -> Result<String, CredentialError> {
        let mut token = URL_SAFE_NO_PAD.encode(self.header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let padding = if self.pss { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(padding, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| setting("private key", "cannot sign"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// The RSA key in `pem`, which is the value of `field`.
pub(super) fn key(field: &str, pem: &SecretString) -> Result<RsaKeyPair, CredentialError> {
    // Keys that went through an environment variable often hold `\n` in two characters.
    let text = pem.expose_secret().replace("\\n", "\n");
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes())
        .map_err(|_| setting(field, "holds no private key in PEM form"))?;
    let pair = match &key {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        _ => return Err(setting(field, "holds a key that is not RSA")),
    };
    pair.map_err(|error| setting(field, format!("holds an unusable RSA key: {error}")))
}
