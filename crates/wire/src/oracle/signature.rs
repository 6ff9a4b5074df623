//! Oracle's request signatures (version 1 of its HTTP signatures), for requests with a body. Pure: the date is an
//! argument, and so is the RSA key, as the function that signs with it (PKCS#1 v1.5 over SHA-256). Not here: where
//! keys come from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;

/// What is signed: exactly what is sent, with `content-type: application/json`.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// In small letters, as the signature wants it.
    pub method: &'a str,
    /// With the port, if the request line's host has one.
    pub host: &'a str,
    /// Path and query, as they are sent.
    pub target: &'a str,
    /// As an HTTP date: `Thu, 05 Jan 2014 21:31:40 GMT`. Sent as `date`, at most five minutes old.
    pub date: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// What to send besides `date`, `host`, `content-type` and `content-length`.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The value of `x-content-sha256`.
    pub content_sha256: String,
    /// The value of `authorization`.
    pub authorization: String,
}

const SIGNED: &str = "date (request-target) host content-length content-type x-content-sha256";

/// Signs `request` with `sign`, for the key `TENANCY/USER/FINGERPRINT`.
///
/// # Errors
/// Those of `sign`.
pub fn sign<E>(
    request: &Request<'_>,
    key_id: &str,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<Signed, E> {
    let content_sha256 = STANDARD.encode(Sha256::digest(request.body));
    let signature = STANDARD.encode(sign(text(request, &content_sha256).as_bytes())?);
    let authorization = format!(
        "Signature version=\"1\",keyId=\"{key_id}\",algorithm=\"rsa-sha256\",headers=\"{SIGNED}\",\
         signature=\"{signature}\""
    );
    Ok(Signed { content_sha256, authorization })
}

/// The text that is signed: a line for each header, in the order of [`SIGNED`].
fn text(request: &Request<'_>, content_sha256: &str) -> String {
    let Request { method, host, target, date, body } = request;
    let length = body.len();
    format!(
        "date: {date}\n(request-target): {method} {target}\nhost: {host}\ncontent-length: {length}\n\
         content-type: application/json\nx-content-sha256: {content_sha256}"
    )
}
