use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::*;
use crate::stand_in::tls;

/// 2026-11-24T22:57:15Z.
pub(super) const NOW: u64 = 1_795_561_035;

/// A clock that only moves when it is told to.
#[derive(Clone)]
pub(super) struct Hand(Arc<AtomicU64>);

impl Hand {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(NOW)))
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(super) fn clock(&self) -> Clock {
        let seconds = Arc::clone(&self.0);
        Clock::new(move || seconds.load(Ordering::SeqCst))
    }
}

/// An environment of these variables and nothing of this machine's.
pub(super) fn around(variables: &[(&str, &str)]) -> Surroundings {
    around_at(variables, &Hand::new())
}

pub(super) fn around_at(variables: &[(&str, &str)], hand: &Hand) -> Surroundings {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Surroundings { variables: Arc::new(variables), web: Web::new(&tls()), tls: tls(), clock: hand.clock() }
}

/// The headers for some request.
pub(super) async fn headers(credential: &Credential) -> Result<HeaderMap, CredentialError> {
    let url = Uri::from_static("https://bedrock-runtime.us-east-1.amazonaws.com/model/m%3A0/converse");
    let mut given = HeaderMap::new();
    given.insert("content-type", HeaderValue::from_static("application/json"));
    let request = Unsigned { method: &Method::POST, url: &url, headers: &given, body: b"{}" };
    Ok(credential.authorize(request).await?.into_iter().collect())
}

pub(super) async fn authorization(credential: &Credential) -> String {
    headers(credential).await.unwrap()[AUTHORIZATION].to_str().unwrap().to_owned()
}

/// Lets what was spawned run until `done`.
pub(super) async fn eventually(mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if done().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it did not happen");
}

/// An RSA key in PEM form and its public half.
pub(super) fn rsa_key() -> (String, Vec<u8>) {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    (pem("PRIVATE KEY", der.as_ref()), key.public_key().as_ref().to_vec())
}

pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The header and the claims of an assertion whose signature holds.
pub(super) fn verified(
    assertion: &str,
    public: &[u8],
    how: &'static aws_lc_rs::signature::RsaParameters,
) -> (Value, Value) {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    aws_lc_rs::signature::UnparsedPublicKey::new(how, public)
        .verify(signed.as_bytes(), &signature)
        .expect("the signature holds");
    let part = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    (part(header), part(claims))
}
