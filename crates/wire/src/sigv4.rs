//! Amazon's request signature, version 4, as a pure function: keys and time are arguments. Not here: where
//! credentials come from, and S3, which alone does not encode the path a second time.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

#[cfg(test)]
#[path = "sigv4_tests.rs"]
mod tests;

/// Whose request it is.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// The access key's id, which is no secret.
    pub access_key_id: &'a str,
    /// The key.
    pub secret_access_key: &'a SecretString,
    /// Goes with temporary keys; sent as `x-amz-security-token`.
    pub session_token: Option<&'a SecretString>,
}

/// Where the signature holds.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// `bedrock` (whose hosts are called `bedrock-runtime`), `sagemaker`, `sts`, ….
    pub service: &'a str,
}

/// What is signed: exactly what is sent.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// In capitals.
    pub method: &'a str,
    /// As the request line says it: encoded once.
    pub path: &'a str,
    /// Names and values, not encoded.
    pub query: &'a [(&'a str, &'a str)],
    /// The headers to sign, `host` among them; names in lower case. Headers that a proxy may change, and those
    /// that are no part of the protocol, are better not signed.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

/// What to send besides the request's own headers (and the session token, under `x-amz-security-token`).
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The value of `x-amz-date`.
    pub date: String,
    /// The value of `authorization`.
    pub authorization: String,
}

/// Signs `request` at `now`, in seconds since 1970.
#[must_use]
pub fn sign(request: &Request<'_>, credentials: &Credentials<'_>, scope: Scope<'_>, now: u64) -> Signed {
    let date = timestamp(now);
    let day = &date[..8];
    let (signed_headers, canonical) = canonical(request, credentials, &date);
    let Scope { region, service } = scope;
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));

    let secret = format!("AWS4{}", credentials.secret_access_key.expose_secret());
    let key = [day, region, service, "aws4_request"]
        .iter()
        .fold(secret.into_bytes(), |key, part| keyed(&key, part.as_bytes()));
    let signature = hex(&keyed(&key, to_sign.as_bytes()));
    let id = credentials.access_key_id;
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed_headers}, Signature={signature}"
    );
    Signed { date, authorization }
}

/// The names of the signed headers, and the request in the form that is hashed.
fn canonical(request: &Request<'_>, credentials: &Credentials<'_>, date: &str) -> (String, String) {
    let mut headers: Vec<(&str, String)> =
        request.headers.iter().map(|(name, value)| (*name, trimmed(value))).collect();
    headers.push(("x-amz-date", date.to_owned()));
    if let Some(token) = credentials.session_token {
        headers.push(("x-amz-security-token", token.expose_secret().to_owned()));
    }
    headers.sort_by(|one, other| one.0.cmp(other.0));
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");

    let encode = |(name, value): &(&str, &str)| (encoded(name, false), encoded(value, false));
    let mut query: Vec<(String, String)> = request.query.iter().map(encode).collect();
    query.sort();
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut out = format!("{}\n{}\n{}\n", request.method, encoded(request.path, true), query.join("&"));
    for (name, value) in &headers {
        let _ = writeln!(out, "{name}:{value}");
    }
    let _ = write!(out, "\n{names}\n{}", hex(&Sha256::digest(request.body)));
    (names, out)
}

/// Percent-encodes all but unreserved letters (and, in a path, the slash).
#[must_use]
pub fn encoded(text: &str, is_path: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            b'/' if is_path => out.push('/'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// A header's value without white space around it, and with single blanks in it.
fn trimmed(value: &str) -> String {
    value.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn keyed(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length, so there is no error to report.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// `20150830T123600Z`. The civil date is counted in 400-year cycles that begin on the first of March, as Howard
/// Hinnant's "chrono-compatible low-level date algorithms" explain.
fn timestamp(now: u64) -> String {
    let (days, second) = (now / 86_400 + 719_468, now % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{:02}Z", second % 60)
}
