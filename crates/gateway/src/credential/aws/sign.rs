//! AWS Signature Version 4 of one request, in headers.
//!
//! Only what cannot change on the way is signed: host, content type, date and session token.
//! Not for S3, whose paths are encoded once.

use aws_lc_rs::{digest, hmac};
use http::header::{AUTHORIZATION, HeaderName};
use secrecy::ExposeSecret;

use super::Keys;
use crate::credential::{CredentialError, Headers, Unsigned, secret_value, setting, time};

const DATE: &str = "x-amz-date";
/// What binds a signed request to one audience at Google.
pub(super) const TARGET: &str = "x-goog-cloud-target-resource";
const SESSION: &str = "x-amz-security-token";

/// The headers that sign `request` at `now`, in seconds since 1970.
pub(super) fn sign(
    request: &Unsigned<'_>,
    keys: &Keys,
    service: &str,
    region: &str,
    now: u64,
) -> Result<Headers, CredentialError> {
    let stamp = time::stamp(now);
    let day = stamp.get(..8).unwrap_or_default();
    let (canonical, signed) = canonical(request, keys, &stamp)?;
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hash(canonical.as_bytes()));
    let mut key = format!("AWS4{}", keys.secret_access_key.expose_secret()).into_bytes();
    for part in [day, region, service, "aws4_request"] {
        key = keyed(&key, part).as_ref().to_vec();
    }
    let signature = hex(keyed(&key, &text).as_ref());
    let id = keys.access_key_id.expose_secret();
    let value =
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}");
    let mut headers = vec![
        (AUTHORIZATION, secret_value("aws_access_key_id", &value)?),
        (HeaderName::from_static(DATE), secret_value("date", &stamp)?),
    ];
    if let Some(token) = &keys.session_token {
        headers.push((
            HeaderName::from_static(SESSION),
            secret_value("aws_session_token", token.expose_secret())?,
        ));
    }
    Ok(headers)
}

/// The canonical request and the names of the headers it signs.
fn canonical(request: &Unsigned<'_>, keys: &Keys, stamp: &str) -> Result<(String, String), CredentialError> {
    let host = request.url.authority().ok_or_else(|| setting("api_base", "is not an absolute address"))?;
    let mut headers = vec![("host", host.as_str()), (DATE, stamp)];
    if let Some(token) = &keys.session_token {
        headers.push((SESSION, token.expose_secret()));
    }
    for name in ["content-type", TARGET] {
        if let Some(value) = request.headers.get(name) {
            let value = value.to_str().map_err(|_| setting(name, "is not text"))?;
            headers.push((name, value.trim()));
        }
    }
    headers.sort_unstable();
    let signed = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let headers: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let mut query: Vec<&str> = request.url.query().unwrap_or_default().split('&').collect();
    query.sort_unstable();
    let text = format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{}",
        request.method,
        encoded(request.url.path()),
        query.join("&"),
        hash(request.body)
    );
    Ok((text, signed))
}

/// A path that is encoded already, encoded again: every service but S3 wants it so.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 16);
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn keyed(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
